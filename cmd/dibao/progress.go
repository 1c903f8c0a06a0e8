package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// progress shows the progress of long work: a bar on a terminal, otherwise a
// line every few seconds. One goroutine may read and another count at the same
// time.
type progress struct {
	bars *mpb.Progress
	bar  *mpb.Bar
	line func(n int)
	last time.Time
}

// lineEvery is how often progress is printed if there is no bar.
const lineEvery = 3 * time.Second

// progress starts showing work called name, which is counted in units; size is the
// total, in bytes if a file is read; 0 means unknown, and no bar is shown.
func (g *globals) progress(cmd *cobra.Command, name, line string, size int64) *progress {
	p := &progress{last: time.Now()}
	switch {
	case g.quiet:
	case isTerminal(cmd.ErrOrStderr()) && size > 0:
		p.bars = mpb.New(mpb.WithOutput(cmd.ErrOrStderr()), mpb.WithWidth(50))
		p.bar = p.bars.AddBar(size, mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Name(g.message("%s", name)+" "), decor.Percentage()), mpb.AppendDecorators(decor.AverageETA(decor.ET_STYLE_GO)))
	default:
		p.line = func(n int) { fmt.Fprintln(cmd.ErrOrStderr(), g.message(line, n)) }
	}
	return p
}

// reader counts the bytes that are read from r.
func (p *progress) reader(r io.ReadCloser) io.ReadCloser {
	if p.bar == nil {
		return r
	}
	counted, err := p.bar.ProxyReader(r)
	if err != nil { // the bar is already complete
		return r
	}
	return counted
}

// count returns the function to call with the number of units done, if the total is
// known.
func (p *progress) count(n int) {
	if p.bar != nil {
		p.bar.SetCurrent(int64(n))
	}
	p.rows(n)
}

// rows returns the function to call with the number of rows read from a file.
func (p *progress) rows(n int) {
	if p.line != nil && time.Since(p.last) >= lineEvery {
		p.last = time.Now()
		p.line(n)
	}
}

// done removes the bar.
func (p *progress) done() {
	if p.bars != nil {
		p.bar.Abort(true)
		p.bars.Wait()
	}
}
