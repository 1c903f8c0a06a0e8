// Command trust runs the trust suite from the table in docs/trust.md and prints
// one line per row.
//
// Usage: go run ./internal/trust/cmd/trust [-update] [-run TEXT]
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"dibao/internal/trust"
)

const document = "docs/trust.md"

func main() {
	update := flag.Bool("update", false, "write the figures into "+document)
	only := flag.String("run", "", "run only the rows whose name or command contains this text")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *only, *update); err != nil {
		fmt.Fprintf(os.Stderr, "trust: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string, update bool) error {
	text, err := os.ReadFile(document)
	if err != nil {
		return fmt.Errorf("run this command at the top of the repository: %w", err)
	}
	rows, err := trust.Table(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", document, err)
	}
	dir, err := os.MkdirTemp("", "trust")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	all := &suite{dir: dir, update: update, figures: make(map[string]string)}
	var together, alone [][]trust.Row
	byCommand := make(map[string]int)
	for _, row := range rows {
		if !strings.Contains(row.Name+" "+row.Command, only) {
			continue
		}
		group := &together
		if measures.MatchString(row.Command) {
			group = &alone
		}
		at, ok := byCommand[row.Command]
		if !ok {
			at = len(*group)
			byCommand[row.Command] = at
			*group = append(*group, nil)
		}
		(*group)[at] = append((*group)[at], row)
	}
	// The longest first, so that the other processor has work in the meantime.
	slices.SortStableFunc(together, func(a, b []trust.Row) int {
		return cmp.Compare(strings.Index(b[0].Command, longest), strings.Index(a[0].Command, longest))
	})
	start := time.Now()
	for i, group := range [][][]trust.Row{together, alone} {
		var g errgroup.Group
		g.SetLimit([]int{runtime.NumCPU(), 1}[i])
		for _, rows := range group {
			g.Go(func() error { return all.run(ctx, rows) })
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
	fmt.Printf("%d commands in %s, %s of a processor, %d failures\n", len(together)+len(alone), time.Since(start).Round(time.Second), all.processor.Round(time.Second), all.failed)
	if all.failed > 0 {
		return fmt.Errorf("%d rows or commands failed", all.failed)
	}
	return nil
}

// longest is the test that takes longest.
const longest = "TestSoak"

// measures are the commands whose figures are times or memory: they run one at a time.
var measures = regexp.MustCompile(`TestCost|Hostile|Costly|Bomb|Memory|Linear|Large|Formatting|AnswerTime|Floods|SlowConnections|Strangers|KeepsReadersIn`)

// suite is a run of the table.
type suite struct {
	dir    string
	update bool

	mu        sync.Mutex
	figures   map[string]string
	processor time.Duration
	failed    int
}

// run runs the command of some rows and prints their figures.
func (s *suite) run(ctx context.Context, rows []trust.Row) error {
	began, line := time.Now(), rows[0].Command
	f, err := os.CreateTemp(s.dir, "")
	if err != nil {
		return err
	}
	f.Close()
	out, processor, failure := command(ctx, line, f.Name())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.processor += processor
	if failure != nil {
		s.failed++
		fmt.Printf("%s\n%s: FAILED: %v\n", out, line, failure)
	} else if err := read(f.Name(), s.figures); err != nil {
		return err
	}
	if s.update {
		// Update after each command, so that an interruption keeps what was
		// measured. The document may have been edited in the meantime.
		text, err := os.ReadFile(document)
		if err != nil {
			return err
		}
		if err := os.WriteFile(document, []byte(trust.Update(string(text), s.figures)), 0o644); err != nil {
			return err
		}
	}
	fmt.Printf("%s took %s, %s of a processor\n", line, time.Since(began).Round(time.Second), processor.Round(time.Second))
	for _, row := range rows {
		if s.figures[row.Name] == "" {
			s.failed++
			fmt.Printf("%s: NO FIGURE (%s): nothing reported it; run: DIBAO_LONG=1 %s -v\n", row.Name, row.Limit, row.Command)
			continue
		}
		fmt.Printf("%s: %s (%s)\n", row.Name, s.figures[row.Name], row.Limit)
	}
	return nil
}

// command runs one command of the table in full. Its CPU time does not depend on the other
// load of the machine.
func command(ctx context.Context, line, reports string) (output []byte, processor time.Duration, err error) {
	// -count=1: a cached result reports nothing.
	args := append(strings.Fields(line), "-count=1", "-timeout=40m")
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "DIBAO_LONG=1", trust.FileVariable+"="+reports)
	output, err = cmd.CombinedOutput()
	if s := cmd.ProcessState; s != nil {
		processor = s.UserTime() + s.SystemTime()
	}
	return output, processor, err
}

// read adds the figures that a command reported, the last one for each name.
func read(path string, figures map[string]string) error {
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	for line := range strings.Lines(string(text)) {
		name, figure, _ := strings.Cut(strings.TrimSpace(line), "\t")
		figures[name] = figure
	}
	return nil
}
