package policy

import (
	"strings"
	"unicode/utf8"

	"dibao/policy/words"
)

// closes maps a closing bracket to the opening one.
var closes = map[rune]rune{'）': '（', ')': '(', ']': '[', '】': '【', '〕': '〔', '》': '《', '〉': '〈', '」': '「', '』': '『'}

// lastBracket splits s at the bracket that ends it. Pages mix full-width and
// half-width brackets, so each kind may close the other.
func lastBracket(s string) (before, inner string, ok bool) {
	last, size := utf8.DecodeLastRuneInString(s)
	if _, isBracket := closes[last]; !isBracket {
		return s, "", false
	}
	depth, end := 1, len(s)-size
	for i := end; i > 0; {
		r, n := utf8.DecodeLastRuneInString(s[:i])
		i -= n
		switch {
		case sameBracket(closes[r], closes[last]):
			depth++
		case sameBracket(r, closes[last]):
			if depth--; depth == 0 {
				return strings.TrimSpace(s[:i]), s[i+n : end], true
			}
		}
	}
	return s, "", false
}

// sameBracket reports whether two opening brackets have the same form, in any width.
func sameBracket(a, b rune) bool {
	wide := func(r rune) rune {
		switch r {
		case '(':
			return '（'
		case '〔', '【':
			return '['
		}
		return r
	}
	return a != 0 && wide(a) == wide(b)
}

// maxTitleBrackets limits the brackets at the end of a title that are examined.
const maxTitleBrackets = 3

// closingNumber finds the number in one of the brackets at the end of a title:
// 关于样例的通知（银发〔2023〕15号）.
func closingNumber(title string) string {
	for range maxTitleBrackets {
		before, inner, ok := lastBracket(strings.TrimSpace(title))
		if !ok || before == "" {
			return ""
		}
		if n, rest, ok := numberFirst(inner); ok && (rest == "" || rest == "文" || rest == "文件") {
			return n
		}
		title = before
	}
	return ""
}

// afterTitle splits a title from the number at its end, after a space or a
// dash: 关于样例的通知 银发〔2023〕15号. A number without a title does not
// count.
func afterTitle(s string) (title, number string, ok bool) {
	if !strings.HasSuffix(s, "号") {
		return s, "", false
	}
	at := strings.LastIndexAny(s, " -—–")
	if at <= 0 {
		return s, "", false
	}
	_, size := utf8.DecodeRuneInString(s[at:])
	title = strings.TrimRight(s[:at], " -—–")
	if _, base := typeOf(withoutTrailing(title)); base == "" {
		return s, "", false
	}
	number, rest, ok := numberFirst(s[at+size:])
	return title, number, ok && rest == "" && !isDigit(number[0]) // 2024年第3号 has no issuer
}

// inFirstBracket splits a title from the number in a bracket before it:
// 【银发〔2023〕15号】关于样例的通知.
func inFirstBracket(s string) (number, title string, ok bool) {
	first, size := utf8.DecodeRuneInString(s)
	if first != '【' && first != '[' {
		return "", s, false
	}
	end := strings.IndexAny(s, "号")
	if end < 0 {
		return "", s, false
	}
	end += len("号")
	number, rest, ok := numberFirst(s[size:end])
	last, n := utf8.DecodeRuneInString(s[end:])
	if !ok || rest != "" || !sameBracket(closes[last], first) {
		return "", s, false
	}
	return number, strings.TrimSpace(s[end+n:]), true
}

// longestFirst is the maximum length, in characters, of a number before a title.
const longestFirst = 40

// numberFirst splits s after the number at its beginning.
func numberFirst(s string) (number, rest string, ok bool) {
	s = strings.TrimSpace(s)
	i := strings.Index(s, "号")
	if i < 0 || utf8.RuneCountInString(s[:i]) > longestFirst {
		return "", s, false
	}
	end := i + len("号")
	head := squeeze(numberLabel.ReplaceAllString(s[:end], ""))
	number, ok = ParseNumber(head)
	// 关于落实国发〔2020〕1号: with words before it, the number is another document's.
	if !ok || utf8.RuneCountInString(head) > utf8.RuneCountInString(number)+maxFiller || containsAny(number, "关于", "《", "印发", "转发") {
		return "", s, false
	}
	rest = strings.TrimLeft(s[end:], "）) \u3000")
	return strings.TrimPrefix(number, "中华人民共和国"), rest, true
}

// maxFiller is the number of characters of a number that its canonical form leaves out: 第,
// zeros, brackets.
const maxFiller = 6

// afterNumber matches the beginning of a title after a number; with 文件精神 or 和, the number
// is part of a sentence.
var afterNumber = words.New(`^[\s:：《“（(]*(?:\p{Han}|《)`)

var notAfter = words.New(`^(?:文|的|和|与|及|、|等|修订|精神|规定|部长|议案|提案|建议)`)

// leadingNumber splits a title from the number before it. It removes 《》 or
// brackets around the title.
func leadingNumber(s string) (number, title string, ok bool) {
	number, rest, ok := numberFirst(s)
	if !ok || utf8.RuneCountInString(rest) < minSubject || !afterNumber.MatchString(rest) || notAfter.MatchString(rest) {
		return "", s, false
	}
	glued := !strings.ContainsAny(s[:len(s)-len(rest)], " \u3000）)") && !strings.ContainsAny(rest[:3], "：《（") && !strings.HasPrefix(rest, ":") && !strings.HasPrefix(rest, "(")
	if glued && !strings.Contains(rest, "关于") {
		return "", s, false
	}
	rest = strings.TrimLeft(rest, "：: ")
	if before, inner, ok := lastBracket(rest); ok && before == "" {
		rest = strings.NewReplacer("〈", "《", "〉", "》").Replace(inner)
	}
	return number, rest, true
}
