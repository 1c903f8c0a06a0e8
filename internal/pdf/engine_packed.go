//go:build !nopdf && packedpdf

package pdf

import (
	_ "embed" // for the engine

	"github.com/klauspost/compress/zstd"
)

// packed is PDFium, compressed by go generate: 2.4 MB instead of 5.8 MB.
//
//go:embed pdfium.wasm.zst
var packed []byte

// engine returns the WebAssembly of PDFium. Unpacking takes 20 ms of the half second that
// reading a PDF takes.
func engine() ([]byte, error) {
	unpacker, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer unpacker.Close()
	return unpacker.DecodeAll(packed, nil)
}
