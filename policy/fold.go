package policy

import "strings"

// fold makes full-width letters, digits and brackets half-width, and drops
// characters that have no width. Punctuation of Chinese text stays.
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

// mayFold finds the first byte of a character that fold changes: most texts have
// none, and looking at bytes is ten times as quick as at characters.
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

// contextChars is how many characters beside a place say what stands there.
const contextChars = 30

func firstRunes(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}

// squeeze drops all white space.
func squeeze(s string) string {
	return strings.Join(strings.Fields(s), "")
}

// chineseDigits are the digits of dates and small numbers; zero has five forms.
const chineseDigits = "〇一二三四五六七八九"

// digit returns the value of an ASCII or Chinese digit.
func digit(r rune) (int, bool) {
	if r >= '0' && r <= '9' {
		return int(r - '0'), true
	}
	switch r {
	case '○', 'Ｏ', 'O', 'o', '零', '〇', '０':
		return 0, true
	case '两':
		return 2, true
	}
	for i, c := range []rune(chineseDigits) {
		if c == r {
			return i, true
		}
	}
	return 0, false
}

// number reads an ASCII or Chinese number below 100 (二十一, 十一, 廿 is not used),
// or a run of digits (二〇一一, 2011).
func number(s string) (int, bool) {
	runes := []rune(s)
	if len(runes) == 0 || len(runes) > 6 {
		return 0, false
	}
	if before, after, found := strings.Cut(s, "十"); found {
		tens, ones := 1, 0
		var ok bool
		if before != "" {
			if tens, ok = number(before); !ok || tens > 9 {
				return 0, false
			}
		}
		if after != "" {
			if ones, ok = number(after); !ok || ones > 9 {
				return 0, false
			}
		}
		return tens*10 + ones, true
	}
	n := 0
	for _, r := range runes {
		d, ok := digit(r)
		if !ok {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}
