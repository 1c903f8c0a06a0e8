package policy

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"dibao/policy/when"
	"dibao/policy/words"
)

// otherDate matches dates in other forms than 2024年6月5日: in Chinese digits, with dots and
// dashes, with an English month, or in the Republic of China calendar with its name or in
// Chinese numerals (107-04-12 has three digits for the year).
var otherDate = words.New(`((?:19|20)\d{2}|1[0-4]\d)[-./]([01]?\d)[-./]([0-3]?\d)日?|` +
	`(?:(?:中[华華])?民[国國]\s*([一二三四五六七八九十百零〇\d]{1,6})|(一百[一二三四五六七八九十零〇]{1,4})|([一二][〇○O零一二三四五六七八九]{3}))\s*年\s*(` + numeral + `)\s*月\s*(` + numeral + `)\s*日|` +
	`([一二三四五六七八九十]{1,3})\s*月\s*([一二三四五六七八九十]{1,3})\s*日|` +
	`\b([0-3]?\d)-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-((?:19|20)\d{2})\b`)

// months are the English abbreviations in a date such as 3-Mar-2026.
const months = "JanFebMarAprMayJunJulAugSepOctNovDec"

const numeral = `[一二三四五六七八九十]{1,3}|\d{1,2}`

// otherYear returns the year of a match of otherDate: 1911 is added to a year of Taiwan.
func otherYear(dotted, named, hundred, western string) (year int, ok bool) {
	switch {
	case western != "":
		return number(western)
	case named != "":
		if rest, found := strings.CutPrefix(named, "一百"); found {
			return otherYear("", "", "一百"+rest, "")
		}
		year, ok = number(named)
		return year + when.Republic, ok && year < 1000
	case hundred != "":
		rest := strings.TrimPrefix(hundred, "一百")
		year, ok = number(rest)
		return year + 100 + when.Republic, ok && utf8.RuneCountInString(rest) > 1 || rest == "十"
	case len(dotted) == len("107"):
		year, ok = number(dotted)
		return year + when.Republic, ok
	}
	return number(dotted)
}

// isInNumber reports whether part of a line belongs to an address, a phone number, or a
// longer number.
func isInNumber(line string, from, to int) bool {
	before, _ := utf8.DecodeLastRuneInString(line[:from])
	return strings.ContainsRune("0123456789/-.", before) || to < len(line) && strings.IndexByte("0123456789/-", line[to]) >= 0 || to+1 < len(line) && line[to] == '.' && isDigit(line[to+1])
}

// plainDates writes all dates of a line as 2024年6月5日, so that each rule
// needs only one form. said maps the new dates to the words of the text.
func plainDates(line string) (plain string, said map[string]string) {
	var b strings.Builder
	from := 0
	all := otherDate.FindAllStringSubmatchIndex(line, maxOccurrences)
	for i, at := range all {
		group := func(n int) string {
			if at[2*n] < 0 {
				return ""
			}
			return line[at[2*n]:at[2*n+1]]
		}
		var on Date
		text := ""
		switch {
		case group(9) != "": // no year: check the day in a leap year
			if on = dateOfParts("2024", group(9), group(10)); !on.IsZero() {
				text = fmt.Sprintf("%d月%d日", on.Month, on.Day)
			}
		case group(12) != "":
			on = dateOfParts(group(13), strconv.Itoa(strings.Index(months, group(12))/3+1), group(11))
			text = fmt.Sprintf("%d年%d月%d日", on.Year, on.Month, on.Day)
		default:
			if at[2] >= 0 {
				start, end := at[0], at[1] // extended to the whole of a range such as 2026.7.13-2026.7.17
				if i > 0 && all[i-1][1]+1 == start && line[start-1] == '-' {
					start = all[i-1][0]
				}
				if i+1 < len(all) && all[i+1][0] == end+1 && line[end] == '-' {
					end = all[i+1][1]
				}
				if isInNumber(line, start, end) {
					continue
				}
			}
			if year, ok := otherYear(group(1), group(4), group(5), group(6)); ok {
				on = dateOfParts(strconv.Itoa(year), group(2)+group(7), group(3)+group(8))
				text = fmt.Sprintf("%d年%d月%d日", on.Year, on.Month, on.Day)
			}
		}
		if on.IsZero() {
			continue
		}
		if said == nil {
			said = make(map[string]string)
		}
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

// hasOtherDate reports whether a line may contain a date that plainDates rewrites. It
// examines each byte once, because it is called for every line of a text, sometimes
// repeatedly.
func hasOtherDate(s string) (found bool) {
	for i := 0; i < len(s) && !found; i++ {
		switch c := s[i]; {
		case c == '-' || c == '.' || c == '/': // a year of three digits follows a word
			found = i >= 4 && isDigit(s[i-1]) && isDigit(s[i-2]) && (isDigit(s[i-3]) && (s[i-4] == '1' || s[i-4] == '2') || s[i-3] == '1') ||
				c == '-' && i >= 1 && isDigit(s[i-1]) && i+4 < len(s) && s[i+4] == '-' && strings.Contains(months, s[i+1:i+4])
		case c != "一"[0] && c != "民"[0] || i+3 > len(s):
		default:
			switch s[i : i+3] {
			case "二":
				found = strings.HasPrefix(s[i+3:], "〇") || strings.HasPrefix(s[i+3:], "○") || strings.HasPrefix(s[i+3:], "零") || strings.HasPrefix(s[i+3:], "O") || strings.HasPrefix(s[i+3:], "Ｏ")
			case "一":
				found = strings.HasPrefix(s[i+3:], "九") || strings.HasPrefix(s[i+3:], "百")
			case "民":
				found = strings.HasPrefix(s[i+3:], "國") || strings.HasPrefix(s[i+3:], "国")
			case "日":
				found = endsInAny(s[:i], "一", "二", "三", "四", "五", "六", "七", "八", "九", "十")
			}
		}
	}
	return found
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// saidAs restores the text's own words in a quote.
func saidAs(quote string, said map[string]string) string {
	for plain, own := range said {
		quote = strings.ReplaceAll(quote, plain, own)
	}
	return quote
}
