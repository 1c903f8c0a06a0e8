// Command trust runs the trust suite from the table in docs/trust.md and prints
// one line a row. Use: go run ./internal/trust/cmd/trust [-update] [-run TEXT]
package main

import (
	"bufio"
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
	reports := filepath.Join(dir, "reports")
	start, failed, ran := time.Now(), 0, make(map[string]bool)
	figures := make(map[string]string)
	for _, row := range rows {
		if !strings.Contains(row.Name+" "+row.Command, only) {
			continue
		}
		if !ran[row.Command] {
			ran[row.Command] = true
			began := time.Now()
			if out, err := command(ctx, row.Command, reports); err != nil {
				failed++
				fmt.Printf("%s\n%s: FAILED: %v\n", out, row.Command, err)
			}
			if figures, err = read(reports); err != nil {
				return err
			}
			if update {
				// After each: whoever stops this keeps what was measured.
				if err := os.WriteFile(document, []byte(trust.Update(string(text), figures)), 0o644); err != nil {
					return err
				}
			}
			fmt.Printf("%s took %s\n", row.Command, time.Since(began).Round(time.Second))
		}
		if figures[row.Name] == "" {
			failed++
			fmt.Printf("%s: NO FIGURE (%s): nothing reported it; run: DIBAO_LONG=1 %s -v\n", row.Name, row.Limit, row.Command)
			continue
		}
		fmt.Printf("%s: %s (%s)\n", row.Name, figures[row.Name], row.Limit)
	}
	fmt.Printf("%d commands in %s, %d failures\n", len(ran), time.Since(start).Round(time.Second), failed)
	if failed > 0 {
		return fmt.Errorf("%d rows or commands failed", failed)
	}
	return nil
}

// command runs one command of the table in full.
func command(ctx context.Context, line, reports string) (output []byte, err error) {
	// -count=1: a cached result reports nothing.
	args := append(strings.Fields(line), "-count=1", "-timeout=40m")
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "DIBAO_LONG=1", trust.FileVariable+"="+reports)
	return cmd.CombinedOutput()
}

// read returns the figures that were reported, the last one of each name.
func read(path string) (map[string]string, error) {
	figures := make(map[string]string)
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return figures, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		name, figure, _ := strings.Cut(in.Text(), "\t")
		figures[name] = figure
	}
	return figures, nil
}
