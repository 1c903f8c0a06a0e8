package policy

import (
	"strings"
	"unicode"

	"dibao/policy/hans"
	"dibao/policy/width"
)

func fold(s string) string { return width.Half(s) }

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

// contextChars is the number of characters on either side that are examined as context.
const contextChars = 30

// squeeze removes all whitespace.
func squeeze(s string) string {
	if strings.IndexFunc(s, unicode.IsSpace) < 0 {
		return s
	}
	return strings.Join(strings.Fields(s), "")
}

// number reads Chinese and ASCII numerals.
var number = hans.Number
