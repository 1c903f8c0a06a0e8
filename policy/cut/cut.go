package cut

import (
	"strings"
	"unicode/utf8"
)

// First returns at most the first n characters of s.
func First(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}

// Last returns at most the last n characters of s.
func Last(s string, n int) string {
	i := len(s)
	for ; n > 0 && i > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(s[:i])
		i -= size
	}
	return s[i:]
}

// AfterLast returns what follows the last of the marks; all of s if there are none.
func AfterLast(s, marks string) string {
	if i := strings.LastIndexAny(s, marks); i >= 0 {
		_, size := utf8.DecodeRuneInString(s[i:])
		return s[i+size:]
	}
	return s
}

// BeforeFirst returns what precedes the first of the marks; all of s if there are none.
func BeforeFirst(s, marks string) string {
	if i := strings.IndexAny(s, marks); i >= 0 {
		return s[:i]
	}
	return s
}
