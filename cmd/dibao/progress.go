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

// isTerminal reports whether a person looks at w as it is written.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// progress shows how far a file is read: a bar on a terminal, else a line every
// few seconds.
type progress struct {
	bars *mpb.Progress
	bar  *mpb.Bar
	line func(rows int)
	last time.Time
}

// lineEvery is how often progress is told where nobody looks at a bar.
const lineEvery = 3 * time.Second

func (g *globals) progress(cmd *cobra.Command, name string, size int64) *progress {
	p := &progress{last: time.Now()}
	switch {
	case g.quiet:
	case isTerminal(cmd.ErrOrStderr()) && size > 0:
		p.bars = mpb.New(mpb.WithOutput(cmd.ErrOrStderr()), mpb.WithWidth(50))
		p.bar = p.bars.AddBar(size, mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Name(name+" "), decor.Percentage()), mpb.AppendDecorators(decor.AverageETA(decor.ET_STYLE_GO)))
	default:
		p.line = func(rows int) { fmt.Fprintf(cmd.ErrOrStderr(), "%s: %d rows\n", name, rows) }
	}
	return p
}

// reader counts what is read of r.
func (p *progress) reader(r io.ReadCloser) io.ReadCloser {
	if p.bar == nil {
		return r
	}
	p.bar.SetCurrent(0)
	counted, err := p.bar.ProxyReader(r)
	if err != nil { // the bar is done already
		return r
	}
	return counted
}

// rows tells how many rows are done.
func (p *progress) rows(n int) {
	if p.line != nil && time.Since(p.last) >= lineEvery {
		p.last = time.Now()
		p.line(n)
	}
}

// done takes the bar away.
func (p *progress) done() {
	if p.bars != nil {
		p.bar.Abort(true)
		p.bars.Wait()
	}
}
