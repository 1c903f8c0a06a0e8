package ingest

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// letters returns only the letters and digits of a text, because brackets, quotation marks
// and spaces may differ between a list and its pages.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// sharesText reports whether two titles belong to one article: half of the shorter one
// occurs in the other in one piece, or one is the truncated beginning of the other.
func sharesText(a, b string) bool {
	x, y := []rune(letters(clip(a, maxTitle))), []rune(letters(clip(b, maxTitle)))
	if len(x) == 0 || len(y) == 0 {
		return false
	}
	if len(x) > len(y) {
		x, y = y, x
	}
	if strings.Contains(string(y), string(x)) {
		return true
	}
	return 2*longestShared(x, y) >= len(x)
}

// longestShared returns the length of the longest run of characters that occurs in both
// texts.
func longestShared(x, y []rune) int {
	best, row := 0, make([]int, len(y)+1)
	for i := range x {
		before := 0
		for j := range y {
			here := row[j+1]
			row[j+1] = 0
			if x[i] == y[j] {
				row[j+1] = before + 1
				best = max(best, row[j+1])
			}
			before = here
		}
	}
	return best
}

func runes(s string) int { return utf8.RuneCountInString(s) }
