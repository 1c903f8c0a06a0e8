//go:build !nopdf

// Package pdf reads the text of PDF files. It uses PDFium, the engine of
// Chrome, compiled to WebAssembly: it has the character maps of Chinese fonts,
// needs no C compiler, and confines hostile files to its sandbox.
//
// It takes 150 to 300 MB and a second to start, so the daemon runs it in a
// separate process, once for each file.
package pdf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	pdfiumerrors "github.com/klippa-app/go-pdfium/errors"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// Limits of one file.
const (
	MaxBytes    = 20 << 20 // of the file
	maxPages    = 300      // that are read
	maxText     = 4 << 20  // bytes of text
	memoryPages = 2048     // of 64 KiB each, for the sandbox: 128 MB
)

// Text returns the text of each page of a PDF file, with lines separated by \n.
// A page without a text layer (a scan) is "". More than 300 pages or 4 MB of
// text are cut.
func Text(ctx context.Context, file []byte) ([]string, error) {
	if len(file) > MaxBytes {
		return nil, fmt.Errorf("the PDF is larger than %d MB", MaxBytes>>20)
	}
	runtime := wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling).
		WithMemoryLimitPages(memoryPages).
		WithCloseOnContextDone(true)
	if dir, err := os.UserCacheDir(); err == nil {
		if cache, err := wazero.NewCompilationCacheWithDir(filepath.Join(dir, "dibao", "pdf")); err == nil {
			defer cache.Close(ctx)
			runtime = runtime.WithCompilationCache(cache) // else it is compiled anew each time
		}
	}
	pool, err := webassembly.Init(webassembly.Config{Context: experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(reserve)), MaxIdle: 1, MaxTotal: 1, RuntimeConfig: runtime, FSConfig: wazero.NewFSConfig(), Stdout: io.Discard, Stderr: io.Discard})
	if err != nil {
		return nil, fmt.Errorf("start the PDF reader: %w", err)
	}
	defer pool.Close()
	reader, err := pool.GetInstance(30 * time.Second)
	if err != nil {
		return nil, fmt.Errorf("start the PDF reader: %w", err)
	}
	doc, err := reader.OpenDocument(&requests.OpenDocument{File: &file})
	if errors.Is(err, pdfiumerrors.ErrPassword) {
		return nil, errors.New("the PDF wants a password")
	}
	if err != nil {
		return nil, fmt.Errorf("the PDF can't be opened: %w", err)
	}
	count, err := reader.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: doc.Document})
	if err != nil {
		return nil, fmt.Errorf("the PDF has no pages: %w", err)
	}
	var pages []string
	size := 0
	for i := range min(count.PageCount, maxPages) {
		page, err := reader.GetPageText(&requests.GetPageText{Page: requests.Page{ByIndex: &requests.PageByIndex{Document: doc.Document, Index: i}}})
		if err != nil {
			return pages, explain(ctx, i+1, err)
		}
		if size += len(page.Text); size > maxText {
			break
		}
		pages = append(pages, page.Text)
	}
	return pages, nil
}

// explain says in one sentence why a page could not be read. If a file needs
// more memory than the sandbox has, PDFium stops in the middle.
func explain(ctx context.Context, page int, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("page %d of the PDF takes too long to read", page)
	case strings.Contains(err.Error(), "wasm error"):
		return fmt.Errorf("page %d of the PDF needs more than the %d MB that reading it may take, or is damaged", page, memoryPages>>4)
	}
	return fmt.Errorf("page %d of the PDF: %w", page, err)
}

// reserved is the memory of the sandbox, reserved as a whole: growing it would
// copy it, and the system provides its pages only when they are used.
type reserved []byte

func reserve(_, most uint64) experimental.LinearMemory {
	return reserved(make([]byte, min(most, memoryPages<<16)))
}

// Reallocate returns the requested part of the memory, nil if there is not that
// much.
func (r reserved) Reallocate(size uint64) []byte {
	if size > uint64(len(r)) {
		return nil
	}
	return r[:size]
}

// Free leaves the memory to the garbage collector.
func (r reserved) Free() {}
