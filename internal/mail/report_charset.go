package mail

import (
	"bytes"
	"io"
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// charsetNames are common but unregistered names of character sets.
var charsetNames = map[string]string{"eucgb2312_cn": "gb18030", "cp936": "gb18030", "ms936": "gb18030", "x-gbk": "gb18030", "gb_2312-80": "gb18030", "unknown-8bit": ""}

// toUTF8 decodes the beginning of a text according to its charset. Some texts declare none
// and are ISO-2022-JP, which their escape sequences show; some declare GB2312 and are
// UTF-8, which no other text resembles by chance. Other text without a declaration is read
// as GB18030.
func toUTF8(b []byte, name string) []byte {
	b = b[:min(len(b), 4*maxReportText)]
	if bytes.Contains(b, []byte("\x1b$")) {
		name = "iso-2022-jp"
	} else if utf8.Valid(b) {
		return b
	}
	if other, ok := charsetNames[strings.ToLower(name)]; ok {
		name = other
	}
	e, err := htmlindex.Get(name)
	if err != nil || name == "" || strings.EqualFold(name, "utf-8") {
		return []byte(utf8Or18030(b))
	}
	decoded, err := e.NewDecoder().Bytes(b)
	if err != nil {
		return b
	}
	return decoded
}

// utf8Or18030 decodes bytes of unknown charset.
func utf8Or18030(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	decoded, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b)
	if err != nil || bytes.Count(decoded, []byte("\uFFFD")) > len(b)/50 {
		return string(b)
	}
	return string(decoded)
}

// decodeWords decodes the encoded words of a header (RFC 2047) in any charset.
func decodeWords(text string) string {
	decoder := mime.WordDecoder{CharsetReader: func(charset string, in io.Reader) (io.Reader, error) {
		b, err := io.ReadAll(in)
		return bytes.NewReader(toUTF8(b, charset)), err
	}}
	if decoded, err := decoder.DecodeHeader(text); err == nil {
		return decoded
	}
	return text
}
