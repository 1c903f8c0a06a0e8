package decode

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// Pages in every character set that sites use, with the right label, a wrong one and none.
func TestDecode(t *testing.T) {
	t.Parallel()
	const page = `<html><meta charset="LABEL"><p>关于喆祎〇—·的通知，请遵照执行。</p></html>`
	encode := func(e encoding.Encoding, label string) []byte {
		b, err := e.NewEncoder().Bytes([]byte(strings.Replace(page, "LABEL", label, 1)))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	plain := []byte(strings.Replace(page, "LABEL", "gbk", 1))
	for _, c := range []struct {
		name, contentType string
		body              []byte
		want              string
	}{
		{"GB18030 called GB2312", "", encode(simplifiedchinese.GB18030, "gb2312"), "gb18030"},
		{"GB18030 called UTF-8", "text/html; charset=utf-8", encode(simplifiedchinese.GB18030, "utf-8"), "gb18030"},
		{"GB18030 called nothing", "", encode(simplifiedchinese.GB18030, ""), "gb18030"},
		{"UTF-8 called GBK", "text/html; charset=gbk", plain, "utf-8"},
		{"UTF-8 with a mark", "text/html; charset=gbk", append([]byte("\xEF\xBB\xBF"), plain...), "utf-8"},
		{"UTF-16 with a mark", "", encode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), ""), "utf-16le"},
		{"UTF-16 without", "", encode(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), ""), "utf-16le"},
		{"UTF-16, big end first", "", encode(unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), ""), "utf-16be"},
		{"UTF-32 with a mark", "", encode(utf32.UTF32(utf32.BigEndian, utf32.UseBOM), ""), "utf-32be"},
	} {
		text, name := Text(c.body, c.contentType, "")
		if name != c.want || !strings.Contains(text, "关于喆祎〇—·的通知，请遵照执行。") {
			t.Errorf("%s: read as %s: %.60q", c.name, name, text)
		}
	}
}
