//go:build !nopdf

// Package pdf reads the text of PDF files. It uses PDFium, the engine of
// Chrome, compiled to WebAssembly: it has the character maps of Chinese fonts,
// needs no C compiler, and confines hostile files to its sandbox.
//
// It needs 150 to 300 MB and a second to start, so the daemon runs it in a separate process
// for each file.
package pdf

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/klippa-app/go-pdfium/webassembly/imports"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// The engine is compressed by make build and make dist.
//go:generate go run ./pack

// Limits on one file.
const (
	MaxBytes    = 20 << 20 // size of the file
	maxPages    = 300      // pages that are read
	maxText     = 4 << 20  // bytes of text
	memoryPages = 2048     // 64 KiB each, for the sandbox: 128 MB
)

// Text returns the text of each page of a PDF file, with lines separated by \n. A page
// without a text layer (a scan) is "". It stops after 300 pages or 4 MB of text.
func Text(ctx context.Context, file []byte) ([]string, error) {
	if len(file) > MaxBytes {
		return nil, fmt.Errorf("the PDF is larger than %d MB", MaxBytes>>20)
	}
	r, err := start(experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(reserve)))
	if err != nil {
		return nil, fmt.Errorf("start the PDF reader: %w", err)
	}
	defer r.close()
	doc, err := r.open(file)
	if err != nil {
		return nil, err
	}
	count, err := r.call("FPDF_GetPageCount", doc)
	if err != nil {
		return nil, fmt.Errorf("the PDF has no pages: %w", err)
	}
	var pages []string
	size := 0
	for i := range min(int(int32(count)), maxPages) {
		text, err := r.page(doc, i)
		if err != nil {
			return pages, explain(ctx, i+1, err)
		}
		if size += len(text); size > maxText {
			break
		}
		pages = append(pages, text)
	}
	return pages, nil
}

// A reader is a started PDFium. It needs ten of the many functions of go-pdfium, so it
// calls them directly: the others would be a twentieth of the program.
type reader struct {
	ctx     context.Context
	runtime wazero.Runtime
	cache   wazero.CompilationCache // nil means that PDFium is compiled each time
	module  api.Module
}

// start compiles PDFium, or loads it from the user's cache, and initializes it.
func start(ctx context.Context) (*reader, error) {
	wasm, err := engine()
	if err != nil {
		return nil, err
	}
	r := &reader{ctx: ctx}
	config := wazero.NewRuntimeConfigCompiler().WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling).
		WithMemoryLimitPages(memoryPages).
		WithCloseOnContextDone(true)
	if dir, err := os.UserCacheDir(); err == nil {
		if r.cache, err = wazero.NewCompilationCacheWithDir(filepath.Join(dir, "dibao", "pdf")); err == nil {
			config = config.WithCompilationCache(r.cache)
		}
	}
	r.runtime = wazero.NewRuntimeWithConfig(ctx, config)
	if err := r.instantiate(wasm); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *reader) instantiate(wasm []byte) error {
	if _, err := wasi_snapshot_preview1.Instantiate(r.ctx, r.runtime); err != nil {
		return err
	}
	compiled, err := r.runtime.CompileModule(r.ctx, wasm)
	if err != nil {
		return err
	}
	if _, err := imports.Instantiate(r.ctx, r.runtime, compiled); err != nil {
		return err
	}
	r.module, err = r.runtime.InstantiateModule(r.ctx, compiled, wazero.NewModuleConfig().
		WithStartFunctions("_initialize").WithRandSource(rand.Reader).WithFSConfig(wazero.NewFSConfig()))
	if err != nil {
		return err
	}
	_, err = r.call("FPDF_InitLibrary")
	return err
}

func (r *reader) close() {
	_ = r.runtime.Close(r.ctx)
	if r.cache != nil {
		_ = r.cache.Close(r.ctx)
	}
}

// call calls a function of PDFium and returns its result, 0 if it has none.
func (r *reader) call(name string, params ...uint64) (uint64, error) {
	f := r.module.ExportedFunction(name)
	if f == nil {
		return 0, fmt.Errorf("PDFium has no function %s", name)
	}
	results, err := f.Call(r.ctx, params...)
	if err != nil || len(results) == 0 {
		return 0, err
	}
	return results[0], nil
}

// reasons are the errors of FPDF_GetLastError.
var reasons = map[uint64]string{1: "unknown error", 2: "unable to read file", 3: "incorrect format", 5: "unsupported encryption", 6: "incorrect page"}

const passwordError = 4 // a result of FPDF_GetLastError

// open opens a document, which refers to the file until the reader is closed.
func (r *reader) open(file []byte) (doc uint64, err error) {
	at, err := r.call("malloc", uint64(max(1, len(file))))
	if err != nil || at == 0 || !r.module.Memory().Write(uint32(at), file) {
		return 0, fmt.Errorf("the PDF can't be opened: it needs more than %d MB", memoryPages>>4)
	}
	doc, err = r.call("FPDF_LoadMemDocument", at, uint64(len(file)), 0)
	if err != nil {
		return 0, fmt.Errorf("the PDF can't be opened: %w", err)
	}
	if doc != 0 {
		return doc, nil
	}
	reason, err := r.call("FPDF_GetLastError")
	switch {
	case err != nil:
		return 0, fmt.Errorf("the PDF can't be opened: %w", err)
	case reason == passwordError:
		return 0, errors.New("the PDF requires a password")
	}
	return 0, fmt.Errorf("the PDF can't be opened: %s", reasons[reason])
}

// page returns the text of a page, counted from 0.
func (r *reader) page(doc uint64, index int) (string, error) {
	page, err := r.call("FPDF_LoadPage", doc, uint64(index))
	if err != nil {
		return "", err
	}
	if page == 0 {
		return "", errors.New(reasons[6])
	}
	text, err := r.call("FPDFText_LoadPage", page)
	if err != nil {
		return "", err
	}
	count, err := r.call("FPDFText_CountChars", text)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for i := range int(int32(count)) {
		c, err := r.call("FPDFText_GetUnicode", text, uint64(i))
		if err != nil {
			return "", err
		}
		if c != 0 {
			b.WriteRune(rune(c))
		}
	}
	if _, err := r.call("FPDFText_ClosePage", text); err != nil {
		return "", err
	}
	_, err = r.call("FPDF_ClosePage", page)
	return b.String(), err
}

// explain returns a sentence that says why a page could not be read. If a file needs more
// memory than the sandbox has, PDFium stops in the middle.
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
