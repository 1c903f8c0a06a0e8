//go:build !nopdf

package pdf

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"strings"
	"testing"

	"dibao/internal/trust"
)

// onePage returns a PDF whose page has a compressed content that repeats a piece.
func onePage(t *testing.T, piece string, times int) []byte {
	t.Helper()
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	for range times {
		if _, err := z.Write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	content := fmt.Sprintf("4 0 obj<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream endobj\n", packed.Len(), packed.String())
	at := strings.Index(sample, "4 0 obj")
	return []byte(sample[:at] + content + sample[strings.Index(sample, "5 0 obj"):])
}

// TestCostlyPDFIsRefused refuses files of a few hundred kB whose reading took
// 1.5 GB: the sandbox has 128 MB.
func TestCostlyPDFIsRefused(t *testing.T) {
	t.Parallel()
	if pages, err := Text(t.Context(), onePage(t, "BT /F1 12 Tf 72 200 Td (Hello) Tj ET\n", 1)); err != nil || len(pages) != 1 || !strings.Contains(pages[0], "Hello") {
		t.Fatalf("a small file of the same kind: %q, %v", pages, err)
	}
	tried, refused := 0, 0
	for name, file := range map[string][]byte{
		"States": onePage(t, strings.Repeat("q ", 1<<16), 400),
		"Blank":  onePage(t, strings.Repeat(" ", 1<<20), 512),
	} {
		tried++
		if _, err := Text(t.Context(), file); err == nil || !strings.Contains(err.Error(), "128 MB") {
			t.Errorf("%s of %d kB: %v", name, len(file)>>10, err)
			continue
		}
		refused++
	}
	trust.Report(t, "costly PDF files", "%d of %d refused", refused, tried)
}
