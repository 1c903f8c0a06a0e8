package policy

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"dibao/internal/lazyregexp"
)

// otherDate are the dates that texts write otherwise than 2024年6月5日: in Chinese
// digits, or with points and dashes.
var otherDate = lazyregexp.New(`((?:19|20)\d{2})[-./]([01]?\d)[-./]([0-3]?\d)日?|([一二][〇○O零一二三四五六七八九]{3})\s*年\s*([一二三四五六七八九十]{1,3})\s*月\s*([一二三四五六七八九十]{1,3})\s*日`)

// plainDates writes all dates of a line as 2024年6月5日, so that each rule is
// written once. said are the text's own words by what stands there now.
func plainDates(line string) (plain string, said map[string]string) {
	var b strings.Builder
	from := 0
	for _, at := range otherDate.FindAllStringSubmatchIndex(line, maxOccurrences) {
		group := func(n int) string { return line[at[2*n]:at[2*n+1]] }
		var on Date
		if at[2] >= 0 {
			if before, _ := utf8.DecodeLastRuneInString(line[:at[0]]); strings.ContainsRune("0123456789/-.", before) || at[1] < len(line) && strings.IndexByte("0123456789/-", line[at[1]]) >= 0 {
				continue // of an address, a telephone, a longer number
			}
			on = dateOfParts(group(1), group(2), group(3))
		} else {
			on = dateOfParts(group(4), group(5), group(6))
		}
		if on.IsZero() {
			continue
		}
		if said == nil {
			said = make(map[string]string)
		}
		text := fmt.Sprintf("%d年%d月%d日", on.Year, on.Month, on.Day)
		said[text] = line[at[0]:at[1]]
		b.WriteString(line[from:at[0]])
		b.WriteString(text)
		from = at[1]
	}
	if from == 0 {
		return line, nil
	}
	b.WriteString(line[from:])
	return b.String(), said
}

// hasOtherDate reports whether a line may hold a date that plainDates rewrites.
func hasOtherDate(s string) bool {
	if strings.Contains(s, "二") && containsAny(s, "二〇", "二○", "二零", "二O", "二Ｏ") || strings.Contains(s, "一九") {
		return true
	}
	for i := 4; i < len(s); i++ {
		if c := s[i]; (c == '-' || c == '.' || c == '/') && isDigit(s[i-1]) && isDigit(s[i-2]) && isDigit(s[i-3]) && (s[i-4] == '1' || s[i-4] == '2') {
			return true
		}
	}
	return false
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// saidAs puts the text's own words back into a quotation.
func saidAs(quote string, said map[string]string) string {
	for plain, own := range said {
		quote = strings.ReplaceAll(quote, plain, own)
	}
	return quote
}
