// Command trust runs the trust suite from the table in docs/trust.md and prints
// one line a row. Use: go run ./internal/trust/cmd/trust [-update] [-run TEXT]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

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
	start, failed, ran := time.Now(), 0, make(map[string]bool)
	figures, computed := make(map[string]string), time.Duration(0)
	for _, row := range rows {
		if !strings.Contains(row.Name+" "+row.Command, only) {
			continue
		}
		if !ran[row.Command] {
			ran[row.Command] = true
			began := time.Now()
			reports := filepath.Join(dir, fmt.Sprint(len(ran)))
			out, processor, err := command(ctx, row.Command, reports)
			computed += processor
			if err != nil {
				failed++
				fmt.Printf("%s\n%s: FAILED: %v\n", out, row.Command, err)
			} else if err := read(reports, figures); err != nil {
				return err
			}
			if update {
				// After each: whoever stops this keeps what was measured. The document may
				// have been edited meanwhile.
				if text, err = os.ReadFile(document); err != nil {
					return err
				}
				if err := os.WriteFile(document, []byte(trust.Update(string(text), figures)), 0o644); err != nil {
					return err
				}
			}
			fmt.Printf("%s took %s, %s of a processor\n", row.Command, time.Since(began).Round(time.Second), processor.Round(time.Second))
		}
		if figures[row.Name] == "" {
			failed++
			fmt.Printf("%s: NO FIGURE (%s): nothing reported it; run: DIBAO_LONG=1 %s -v\n", row.Name, row.Limit, row.Command)
			continue
		}
		fmt.Printf("%s: %s (%s)\n", row.Name, figures[row.Name], row.Limit)
	}
	fmt.Printf("%d commands in %s, %s of a processor, %d failures\n", len(ran), time.Since(start).Round(time.Second), computed.Round(time.Second), failed)
	if failed > 0 {
		return fmt.Errorf("%d rows or commands failed", failed)
	}
	return nil
}

// command runs one command of the table in full. How long it computed does not depend
// on what else the machine does.
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

// read adds the figures that a command reported, the last one of each name.
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
