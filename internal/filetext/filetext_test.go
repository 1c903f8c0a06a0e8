package filetext

import (
	"archive/zip"
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"dibao/internal/trust"
)

// zipped returns a ZIP file with these names and contents.
func zipped(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err == nil {
			_, err = w.Write([]byte(files[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const (
	wordOpen  = `<?xml version="1.0" encoding="UTF-8"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>`
	wordClose = `</w:body></w:document>`
	ofdRoot   = `<ofd:OFD xmlns:ofd="http://www.ofdspec.org/2016"><ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>`
	ofdDoc    = `<ofd:Document xmlns:ofd="http://www.ofdspec.org/2016"><ofd:Pages><ofd:Page ID="1" BaseLoc="Pages/Page_0/Content.xml"/><ofd:Page ID="2" BaseLoc="/Doc_0/Pages/Page_1/Content.xml"/></ofd:Pages></ofd:Document>`
)

func ofdContent(objects ...string) string {
	return `<ofd:Page xmlns:ofd="http://www.ofdspec.org/2016"><ofd:Content><ofd:Layer>` + strings.Join(objects, "") + `</ofd:Layer></ofd:Content></ofd:Page>`
}

func textObject(y float64, text string) string {
	return fmt.Sprintf(`<ofd:TextObject Boundary="20 %v 170 6"><ofd:TextCode X="0" Y="5">%s</ofd:TextCode></ofd:TextObject>`, y, text)
}

func TestText(t *testing.T) {
	t.Parallel()
	docx := zipped(t, "[Content_Types].xml", "<Types/>", "word/document.xml", wordOpen+
		`<w:p><w:r><w:t>关于养老服务的</w:t></w:r><w:r><w:t>通知</w:t></w:r></w:p><w:p><w:del><w:r><w:delText>旧</w:delText><w:t>旧</w:t></w:r></w:del><w:r><w:t xml:space="preserve">各市 </w:t><w:tab/><w:t>人民政府：</w:t></w:r></w:p>`+
		`<w:tbl><w:tr><w:tc><w:p><w:r><w:t>序号</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>单位</w:t></w:r></w:p></w:tc></w:tr></w:tbl>`+wordClose)
	ofd := zipped(t, "OFD.xml", ofdRoot, "Doc_0/Document.xml", ofdDoc, "Doc_0/Pages/Page_0/Content.xml", ofdContent(textObject(30, "某省"), textObject(30.2, "公告"), textObject(50, "现将有关事项")),
		"Doc_0/Pages/Page_1/Content.xml", ofdContent(textObject(30, "通知如下。")))
	deep := wordOpen + strings.Repeat("<w:p>", 5000) + "甲" + strings.Repeat("</w:p>", 5000) + wordClose
	for name, c := range map[string]struct {
		file []byte
		text string // pages, separated by |
		err  string
	}{
		"DOCX":      {docx, "关于养老服务的通知¶各市  人民政府：¶序号 单位 ¶", ""},
		"OFD":       {ofd, "某省公告\n现将有关事项|通知如下。", ""},
		"Empty":     {nil, "", "is not a PDF"},
		"OtherZIP":  {zipped(t, "a.txt", "x"), "", "is not a PDF"},
		"Cut":       {docx[:len(docx)/2], "", "damaged"},
		"Entities":  {zipped(t, "word/document.xml", `<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>`+wordOpen+`<w:p><w:r><w:t>&b;</w:t></w:r></w:p>`+wordClose), "", "document type"},
		"Deep":      {zipped(t, "word/document.xml", deep), "", "nested deeper"},
		"LongTag":   {zipped(t, "word/document.xml", wordOpen+"<w:p "+strings.Repeat(`a="" `, maxToken/4)+"/>"+wordClose), "", "more than any real text"},
		"NoPages":   {zipped(t, "OFD.xml", ofdRoot), "", "it has no Doc_0/Document.xml"},
		"Unclosed":  {zipped(t, "word/document.xml", wordOpen+"<w:p"), "", "EOF"},
		"OutsideIt": {zipped(t, "OFD.xml", strings.Replace(ofdRoot, "Doc_0/Document.xml", "../../etc/passwd", 1)), "", "it has no"},
	} {
		pages, err := Text(t.Context(), c.file)
		if got := strings.ReplaceAll(strings.Join(pages, "|"), Paragraph, "¶"); c.err == "" && (err != nil || got != c.text) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A file of several kilobytes that is decompressed to more than the limit is refused before
// its text is kept.
func TestZipBomb(t *testing.T) {
	bomb := zipped(t, "word/document.xml", wordOpen+"<w:p><w:r><w:t>"+strings.Repeat(" ", maxUnpacked)+"</w:t></w:r></w:p>"+wordClose)
	if len(bomb) > 200<<10 {
		t.Fatalf("%d bytes", len(bomb))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Text(t.Context(), bomb)
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "more than any real text") {
		t.Errorf("got %v", err)
	}
	if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 200 {
		t.Errorf("%d MB were allocated", used)
	}
	trust.Report(t, "a DOCX that unpacks to 16 MB", "%d MB allocated", (after.TotalAlloc-before.TotalAlloc)>>20)
}

func FuzzText(f *testing.F) {
	f.Add(zipped(f, "word/document.xml", wordOpen+"<w:p><w:r><w:t>甲</w:t></w:r></w:p>"+wordClose))
	f.Add(zipped(f, "OFD.xml", ofdRoot, "Doc_0/Document.xml", ofdDoc, "Doc_0/Pages/Page_0/Content.xml", ofdContent(textObject(1, "甲"))))
	f.Fuzz(func(t *testing.T, file []byte) {
		if isPDF(file) {
			return // that reader has its own fuzz target
		}
		pages, _ := Text(t.Context(), file)
		if n := len(strings.Join(pages, "")); n > 2*maxText {
			t.Errorf("%d bytes of text", n)
		}
	})
}
