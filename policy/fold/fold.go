// Package fold maps characters that readers consider equal to one character. Use it only
// for comparing, searching and matching; texts are never changed.
package fold

import (
	_ "embed"
	"strings"
	"unicode"
)

// simplifiedText contains pairs of a Traditional character and its Simplified form, from
// kSimplifiedVariant of the Unihan database 15.0 (Unicode license), for characters with
// only one such form. Only indexing and queries use it; texts are never changed.
//
//go:embed simplified.txt
var simplifiedText string

// FirstHan and LastHan are the first and last characters of the block of common Han
// characters.
const (
	FirstHan = 0x4e00
	LastHan  = 0x9fff
)

// simplified contains the Simplified form of each character from FirstHan on; 0
// means the character itself.
var simplified = func() *[LastHan - FirstHan + 1]uint16 {
	var table [LastHan - FirstHan + 1]uint16
	var from rune
	for _, r := range simplifiedText {
		switch {
		case r == '\n':
		case from == 0:
			from = r
		default:
			table[from-FirstHan], from = uint16(r), 0
		}
	}
	return &table
}()

// Rune maps characters that a reader considers equal to one: Traditional and Simplified,
// full and half width, upper and lower case. It returns -1 for a zero-width character,
// which must be removed.
func Rune(r rune) rune {
	switch {
	case r < 0x80:
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	case r >= FirstHan && r <= LastHan:
		if s := simplified[r-FirstHan]; s != 0 {
			return rune(s)
		}
		return r
	case r >= 0xff01 && r <= 0xff5e:
		return Rune(r - 0xfee0)
	case r == '\u200B', r == '\u200C', r == '\u200D', r == '\uFEFF', r == '\u00AD', r == '\u2060':
		return -1
	case r == '\u3000', r == '\u00A0':
		return ' '
	case r == '○': // a zero in dates
		return '〇'
	}
	return unicode.ToLower(r)
}

// Text applies Rune to a whole text.
func Text(s string) string { return strings.Map(Rune, s) }
