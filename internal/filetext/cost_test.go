package filetext

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"dibao/internal/costtest"
)

// repeated is a part of an XML file. With DIBAO_LONG set, the file is as large as allowed.
func repeated(unit string) string {
	size := 1 << 20
	if os.Getenv("DIBAO_LONG") != "" {
		size = maxUnpacked - 2000
	}
	return strings.Repeat(unit, size/len(unit))
}

// TestCostOfFiles reads files of several kilobytes that are decompressed to much more, and
// files of many entries.
func TestCostOfFiles(t *testing.T) {
	docx := func(body string) []byte {
		return zipped(t, "word/document.xml", wordOpen+body+wordClose)
	}
	ofd := func(root, doc, page string) []byte {
		return zipped(t, "OFD.xml", root, "Doc_0/Document.xml", doc, "Doc_0/Pages/Page_0/Content.xml", page)
	}
	pages := strings.Replace(ofdDoc, "</ofd:Pages>", strings.Repeat(`<ofd:Page BaseLoc="Pages/Page_0/Content.xml"/>`, 20)+"</ofd:Pages>", 1)
	manyPages := strings.Replace(ofdDoc, "</ofd:Pages>", repeated(`<ofd:Page BaseLoc="Pages/Page_0/Content.xml"/>`)+"</ofd:Pages>", 1)
	for _, c := range []struct {
		name string
		file func() []byte
	}{
		{"Text", func() []byte { return docx("<w:p><w:r><w:t>" + repeated("通知")) }},
		{"Paragraphs", func() []byte { return docx(repeated("<w:p><w:r><w:t>通</w:t></w:r></w:p>")) }},
		{"Breaks", func() []byte { return docx(repeated("<w:br/>")) }},
		{"ShortElements", func() []byte { return docx(repeated("<t/>")) }},
		{"Nested", func() []byte { return docx(repeated("<a>")) }},
		{"Attributes", func() []byte { return docx("<a " + repeated(`a="" `) + "/>") }},
		{"AttributesOfElements", func() []byte { return docx(repeated(`<a b="" c=""/>`)) }},
		{"LongAttribute", func() []byte { return docx(`<a b="` + repeated("a") + `"/>`) }},
		{"LongName", func() []byte { return docx("<" + repeated("a") + "/>") }},
		{"References", func() []byte { return docx("<t>" + repeated("&#65;") + "</t>") }},
		{"Comments", func() []byte { return docx(repeated("<!---->")) }},
		{"LongComment", func() []byte { return docx("<!--" + repeated("a") + "-->") }},
		{"Instructions", func() []byte { return docx(repeated("<?a?>")) }},
		{"CDATA", func() []byte { return docx("<t>" + repeated("<![CDATA[a]]>") + "</t>") }},
		{"OnePageOften", func() []byte { return ofd(ofdRoot, pages, ofdContent(repeated("<a/>"))) }},
		{"TextOfOnePageOften", func() []byte {
			return ofd(ofdRoot, pages, ofdContent(repeated(`<ofd:TextObject Boundary="1 2 3 4"><ofd:TextCode X="0" Y="5"></ofd:TextCode></ofd:TextObject>`)))
		}},
		{"Pages", func() []byte { return ofd(ofdRoot, manyPages, ofdContent(repeated("<a/>"))) }},
		{"Roots", func() []byte {
			return ofd(ofdRoot[:len(ofdRoot)-len("</ofd:OFD>")]+repeated("<a/>"), pages, ofdContent(repeated("<a/>")))
		}},
		{"Entries", func() []byte { return manyEntries(t, maxEntries) }},
		{"TooManyEntries", func() []byte { return manyEntries(t, 45_000) }},
		{"Stored", func() []byte {
			return append([]byte("PK\x03\x04word/document.xml"), strings.Repeat("PK\x05\x06", costtest.MaxBytes/4-100)...)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := c.file()
			if len(file) > costtest.MaxBytes {
				t.Fatalf("the file has %d bytes", len(file))
			}
			cost := costtest.Measure(func() { Text(t.Context(), file) })
			costtest.Within(t, len(file), cost)
			t.Logf("%d kB: %d MB, %s", len(file)>>10, cost.Peak>>20, cost.Time)
		})
	}
	costtest.Report(t, "internal/filetext")
}

func manyEntries(t *testing.T, n int) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := range n {
		name := fmt.Sprint(i)
		if i == 0 {
			name = "word/document.xml"
		}
		if _, err := z.CreateHeader(&zip.FileHeader{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
