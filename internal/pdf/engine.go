//go:build !nopdf && !packedpdf

package pdf

import (
	_ "unsafe" // for go:linkname

	_ "github.com/klippa-app/go-pdfium/webassembly" // contains wasm; its other parts are not linked
)

// wasm is PDFium. go-pdfium does not export it, and go-pdfium's own reader is large.
//
//go:linkname wasm github.com/klippa-app/go-pdfium/internal/pdfium_wasm.Module
var wasm []byte

// engine returns the WebAssembly of PDFium.
func engine() ([]byte, error) { return wasm, nil }
