package hans

import (
	"strings"
	"unicode/utf8"
)

// chineseDigits are the digits in dates and small numbers; zero has five forms.
const chineseDigits = "〇一二三四五六七八九"

// Digit returns the value of an ASCII or Chinese digit.
func Digit(r rune) (int, bool) {
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

// Number reads an ASCII or Chinese number below 100 (二十一, 十一, 廿 is not used),
// or a run of digits (二〇一一, 2011).
func Number(s string) (int, bool) {
	runes := []rune(s)
	if len(runes) == 0 || len(runes) > 6 {
		return 0, false
	}
	if before, after, found := strings.Cut(s, "十"); found {
		tens, ones := 1, 0
		var ok bool
		if before != "" {
			if tens, ok = oneDigit(before); !ok {
				return 0, false
			}
		}
		if after != "" {
			if ones, ok = oneDigit(after); !ok {
				return 0, false
			}
		}
		return tens*10 + ones, true
	}
	n := 0
	for _, r := range runes {
		d, ok := Digit(r)
		if !ok {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

// oneDigit reads a text that is a single digit: 十〇五 is not a number.
func oneDigit(s string) (int, bool) {
	r, size := utf8.DecodeRuneInString(s)
	if size < len(s) {
		return 0, false
	}
	return Digit(r)
}
