// Package width folds full-width characters in texts that are read as printed: unlike
// policy/fold, it keeps Traditional and capital letters.
package width

import "strings"

// Half converts full-width letters, digits and brackets to half-width, and removes
// zero-width characters. Chinese punctuation stays.
func Half(s string) string {
	if !mayChange(s) {
		return s
	}
	return strings.Map(HalfRune, s)
}

// HalfRune is Half for one character; -1 removes it.
func HalfRune(r rune) rune {
	switch {
	case r == '\u200B' || r == '\u200C' || r == '\u200D' || r == '\uFEFF' || r == '\u00AD' || r == '\u2060':
		return -1
	case r >= '０' && r <= '９', r >= 'Ａ' && r <= 'Ｚ', r >= 'ａ' && r <= 'ｚ', r == '［', r == '］', r == '｛', r == '｝':
		return r - 0xFEE0
	case r == '\u3000' || r == '\u00A0':
		return ' '
	}
	return r
}

// mayChange finds the first byte of a character that Half changes: most texts
// have none, and scanning bytes is ten times faster than decoding characters.
func mayChange(s string) bool {
	for i := 0; i+1 < len(s); i++ {
		switch s[i] {
		case 0xC2: // U+00A0, U+00AD
			if s[i+1] == 0xA0 || s[i+1] == 0xAD {
				return true
			}
		case 0xE2: // U+200B, U+2060
			if s[i+1] == 0x80 && i+2 < len(s) && s[i+2] < 0x90 || s[i+1] == 0x81 {
				return true
			}
		case 0xE3: // U+3000
			if s[i+1] == 0x80 && i+2 < len(s) && s[i+2] == 0x80 {
				return true
			}
		case 0xEF: // full-width forms, except the punctuation of every text
			if s[i+1] != 0xBC && s[i+1] != 0xBD || i+2 < len(s) && s[i+1] == 0xBC && s[i+2] >= 0x90 && s[i+2] != 0x9A && s[i+2] != 0x9B && s[i+2] != 0x9F || s[i+1] == 0xBD {
				return true
			}
		}
	}
	return false
}
