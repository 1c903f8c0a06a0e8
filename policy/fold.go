package policy

import (
	"strings"

	"dibao/policy/hans"
)

// fold makes full-width letters, digits and brackets half-width, and removes
// zero-width characters. Chinese punctuation stays.
func fold(s string) string {
	if !mayFold(s) {
		return s
	}
	return strings.Map(foldRune, s)
}

// foldRune is fold of one character; -1 drops it.
func foldRune(r rune) rune {
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

// mayFold finds the first byte of a character that fold changes: most texts
// have none, and scanning bytes is ten times faster than decoding characters.
func mayFold(s string) bool {
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
		case 0xEF: // full-width forms but for the punctuation of every text
			if s[i+1] != 0xBC && s[i+1] != 0xBD || i+2 < len(s) && s[i+1] == 0xBC && s[i+2] >= 0x90 && s[i+2] != 0x9A && s[i+2] != 0x9B && s[i+2] != 0x9F || s[i+1] == 0xBD {
				return true
			}
		}
	}
	return false
}

// containsAny reports whether s holds one of the words.
func containsAny(s string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// endsInAny reports whether s ends in one of the words.
func endsInAny(s string, words ...string) bool {
	for _, w := range words {
		if strings.HasSuffix(s, w) {
			return true
		}
	}
	return false
}

// contextChars is how many characters next to a place say what is there.
const contextChars = 30

// squeeze drops all white space.
func squeeze(s string) string {
	return strings.Join(strings.Fields(s), "")
}

// number reads Chinese and ASCII numerals.
var number = hans.Number
