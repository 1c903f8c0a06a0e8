//go:build !nopdf

package pdf

import (
	"strings"
	"testing"
)

// sample is the smallest PDF with a text: PDFium repairs its missing table.
const sample = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" +
	"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>endobj\n" +
	"4 0 obj<</Length 58>>stream\nBT /F1 12 Tf 20 200 Td (Notice on elderly care) Tj ET      \nendstream endobj\n" +
	"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R>>\n"

func TestText(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, text, err string }{
		"Sample":  {sample, "Notice on elderly care", ""},
		"Cut":     {sample[:60], "", "can't be opened"},
		"Garbage": {"%PDF-1.7 " + strings.Repeat("<<", 10000), "", "can't be opened"},
		"Empty":   {"", "", "can't be opened"},
		"Large":   {strings.Repeat("x", MaxBytes+1), "", "larger than"},
	} {
		pages, err := Text(t.Context(), []byte(c.file))
		if c.err == "" && (err != nil || strings.TrimSpace(strings.Join(pages, "")) != c.text) {
			t.Errorf("%s: %q, %v", name, pages, err)
		}
		if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
