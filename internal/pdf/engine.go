//go:build !nopdf && !packedpdf

package pdf

import (
	_ "unsafe" // for linkname

	_ "github.com/klippa-app/go-pdfium/webassembly" // has wasm; its other parts are not linked
)

// wasm is PDFium. go-pdfium gives it only to its own reader, which is large.
//
//go:linkname wasm github.com/klippa-app/go-pdfium/internal/pdfium_wasm.Module
var wasm []byte

// engine returns the WebAssembly of PDFium.
func engine() ([]byte, error) { return wasm, nil }
