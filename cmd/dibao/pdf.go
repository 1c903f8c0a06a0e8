package main

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

	"dibao/internal/pdf"
)

// pdfTimeout is for one file, with the start of its reader.
const pdfTimeout = time.Minute

// pdfMemory is what Go may use for its own in the process that reads a PDF, beside
// the sandbox.
const pdfMemory = "GOMEMLIMIT=200MiB"

// pdfTurn is held by who reads a PDF: one at a time, because each takes about as
// much memory as the daemon.
var pdfTurn = make(chan struct{}, 1)

// newPDFText reads one PDF file on stdin: hidden, run by readPDF.
func newPDFText() *cobra.Command {
	return &cobra.Command{
		Use: "pdf-text", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := confine(pdfTimeout); err != nil {
				return err
			}
			file, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), pdf.MaxBytes+1))
			if err != nil {
				return err
			}
			pages, err := pdf.Text(cmd.Context(), file)
			if err != nil {
				return err
			}
			return json.NewEncoder(cmd.OutOrStdout()).Encode(pages)
		},
	}
}

// readPDF returns the text of each page of a PDF file. Another process reads it,
// whose memory is free again when it ends, and which ends in time.
func readPDF(ctx context.Context, file []byte) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	select {
	case pdfTurn <- struct{}{}:
		defer func() { <-pdfTurn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, pdfTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, "pdf-text")
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), pdfMemory)
	cmd.Stdin = bytes.NewReader(file)
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("read the PDF: %w", ctx.Err())
		}
		if said := strings.TrimPrefix(strings.TrimSpace(problem.String()), "dibao: "); said != "" {
			return nil, errors.New(oneLine(errors.New(said[:min(len(said), 500)])))
		}
		return nil, fmt.Errorf("read the PDF: %w", err)
	}
	var pages []string
	if err := json.Unmarshal(out.Bytes(), &pages); err != nil {
		return nil, fmt.Errorf("read the PDF: %w", err)
	}
	return pages, nil
}
