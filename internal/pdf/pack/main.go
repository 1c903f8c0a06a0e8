// Command pack compresses the WebAssembly of PDFium, from the module that the program uses,
// to pdfium.wasm.zst, which builds with the tag packedpdf embed. go generate runs it in the
// parent folder.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
)

func main() {
	if err := pack("pdfium.wasm.zst"); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func pack(into string) error {
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/klippa-app/go-pdfium/internal/pdfium_wasm").Output()
	if err != nil {
		return fmt.Errorf("find PDFium: %w", err)
	}
	wasm, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "pdfium.wasm"))
	if err != nil {
		return err
	}
	// With one worker, each run writes the same bytes.
	packer, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithWindowSize(zstd.MaxWindowSize>>6), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	return os.WriteFile(into, packer.EncodeAll(wasm, nil), 0o644)
}
