// Package filelink finds the files that pages link to, by the addresses and names in links,
// scripts and viewers.
package filelink

import (
	"net/url"
	"path"
	"strings"
	"unicode/utf8"

	"dibao/internal/lazyregexp"
)

// maxAddress is the maximum length of an address, in bytes.
const maxAddress = 4096

// types are the media types of attachments that occur on official pages.
var types = map[string]string{
	".pdf": PDF, ".doc": "application/msword", ".xls": "application/vnd.ms-excel", ".ppt": "application/vnd.ms-powerpoint",
	".docx": DOCX,
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	".ofd":  OFD, ".wps": "application/vnd.ms-works", ".et": "application/vnd.ms-excel",
	".zip": "application/zip", ".rar": "application/vnd.rar",
}

// Media types whose text can be read.
const (
	PDF  = "application/pdf"
	DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	OFD  = "application/ofd"
)

// Type returns the media type of a file by an address or file name: by its path, or by a
// value in its query (download.jsp?filename=a.pdf). It returns "" if there is none.
func Type(address string) string {
	if len(address) > maxAddress || !mayName(address) {
		return ""
	}
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil {
		return ""
	}
	if t := types[strings.ToLower(path.Ext(u.Path))]; t != "" {
		return t
	}
	for _, values := range u.Query() {
		for _, value := range values {
			if t := types[strings.ToLower(path.Ext(value))]; t != "" {
				return t
			}
		}
	}
	return ""
}

// mayName quickly excludes addresses and scripts that do not name a file because they
// contain no file extension. Escaped addresses, and those in other characters, may still
// name a file.
func mayName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '%' || c >= utf8.RuneSelf:
			return true
		case c == '.' && i+2 < len(s):
			switch s[i+1] | 0x20 {
			case 'p', 'd', 'x', 'o', 'w', 'e', 'z', 'r': // pdf and ppt, doc, xls, ofd, wps, et, zip, rar
				switch s[i+2] | 0x20 {
				case 'd', 'p', 'o', 'l', 'f', 't', 'i', 'a':
					return true
				}
			}
		}
	}
	return false
}

// scriptFile matches the address of a file among the arguments of a call:
// onclick="downloadFile('/files/a.pdf','a')".
var scriptFile = lazyregexp.New(`(?i)['"]([^'"<>]{1,1000}\.(?:pdf|docx?|xlsx?|pptx?|ofd|wps|et|zip|rar)(?:\?[^'"<>]{0,500})?)['"]`)

// InCall returns the address of a file that is an argument of a call in a script, "" if
// there is none.
func InCall(code string) string {
	if len(code) > 2*maxAddress || !strings.ContainsAny(code, `'"`) || !mayName(code) {
		return ""
	}
	if m := scriptFile.FindStringSubmatch(code); m != nil {
		return m[1]
	}
	return ""
}

// Viewer returns the file that the address of a viewer contains
// (/pdfjs/web/viewer.html?file=/files/a.pdf), or the address itself.
func Viewer(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil {
		return address
	}
	for _, key := range []string{"file", "url", "src", "fileUrl", "furl", "path"} {
		if value := u.Query().Get(key); value != "" && types[strings.ToLower(path.Ext(strings.SplitN(value, "?", 2)[0]))] != "" {
			return value
		}
	}
	return address
}

// TypeOfName returns the media type of a file by its name, "" if it is unknown.
func TypeOfName(name string) string { return types[strings.ToLower(path.Ext(name))] }
