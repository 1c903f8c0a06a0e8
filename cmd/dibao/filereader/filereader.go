// Package filereader reads the text of files in a separate process, with limited memory
// and processor time.
package filereader

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dibao/internal/filetext"
	"dibao/internal/redact"
)

// fileTimeout is the time for one file, including the start of its reader, and
// fileProcessor the maximum CPU time. The first start compiles the reader, which takes half
// of it.
const fileTimeout, fileProcessor = time.Minute, 20 * time.Second

// fileMemory is the memory that Go may use in the process that reads a PDF, in addition to
// the sandbox.
const fileMemory = "GOMEMLIMIT=200MiB"

// fileTurn is locked while a PDF is read: only one is read at a time, because each
// takes about as much memory as the daemon.
var fileTurn = make(chan struct{}, 1)

// Command returns the hidden command that reads one PDF, DOCX or OFD file from stdin;
// Read runs it.
func Command() *cobra.Command {
	return &cobra.Command{
		Use: "file-text", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := confine(fileProcessor); err != nil {
				return err
			}
			file, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), filetext.MaxBytes+1))
			if err != nil {
				return err
			}
			pages, err := filetext.Text(cmd.Context(), file)
			if err != nil {
				return err
			}
			return json.NewEncoder(cmd.OutOrStdout()).Encode(pages)
		},
	}
}

// Read returns the text of a PDF, DOCX or OFD file, page by page. A separate
// process reads it, ends in time, and then frees its memory.
func Read(ctx context.Context, file []byte) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	select {
	case fileTurn <- struct{}{}:
		defer func() { <-fileTurn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, fileTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, "file-text")
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), fileMemory)
	cmd.Stdin = bytes.NewReader(file)
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("read the file: %w", ctx.Err())
		}
		if message := strings.TrimPrefix(strings.TrimSpace(problem.String()), "dibao: "); message != "" {
			return nil, errors.New(redact.Line(errors.New(message[:min(len(message), 500)])))
		}
		if cmd.ProcessState != nil && cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime() >= fileProcessor-time.Second {
			return nil, fmt.Errorf("reading the file takes more than %v of CPU time", fileProcessor)
		}
		return nil, fmt.Errorf("read the file: %w", err)
	}
	var pages []string
	if err := json.Unmarshal(out.Bytes(), &pages); err != nil {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	return pages, nil
}
