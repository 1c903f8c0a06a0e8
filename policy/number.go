package policy

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// NumberAt is a document number found in running text.
type NumberAt struct {
	Number     string // canonical
	Start, End int    // byte offsets in the text
}

const (
	sp  = `[\s\x{3000}\x{a0}]{0,3}`
	yr  = `((?:19|20)\d{2})`
	no0 = `0*(\d{1,5})`
)

var (
	numberLabel = regexp.MustCompile(`^[\s\x{3000}]*(?:发文字号|公文字号|文件编号|文件字号|发文号|文[\s\x{3000}]*号|字[\s\x{3000}]*号|编[\s\x{3000}]*号)[\s\x{3000}]*[:：]?`)
	// 国办发〔2023〕15号, in any bracket: 机关代字, 年份, 发文顺序号 (条例第九条).
	numberYear = regexp.MustCompile(`(\p{Han}[\p{Han}A-Za-z·]{0,23})` + sp + `[〔\[［（(【〖<＜〈《﹝{]` + sp + yr + sp + `年?` + sp +
		`[〕\]］）)】〗>＞〉》﹞}]` + sp + `(?:第` + sp + `)?` + no0 + sp + `号`)
	// 公告2018年第14号
	numberNotice = regexp.MustCompile(`(\p{Han}{0,23})` + sp + `[（(]?` + yr + sp + `年[）)]?` + sp + `[（(]?第` + sp + `0*(\d{1,4})` + sp + `号`)
	// 国务院令第703号
	numberOrder = regexp.MustCompile(`(\p{Han}{0,23}` + sp + `(?:令|公告|通告))` + sp + `[（(]?第` + sp + `0*(\d{1,4})` + sp + `号`)
)

// ParseNumber reads the value of a field that holds a document number, with or
// without its label, and returns it in canonical form: 〔〕, ASCII digits, no
// spaces, no leading zeros, no 第 inside 国办发〔2023〕15号. ok is false where the
// value holds no whole number (晋政发〔2014〕号16).
func ParseNumber(field string) (canonical string, ok bool) {
	if !strings.Contains(field, "号") {
		return "", false
	}
	s := numberLabel.ReplaceAllString(fold(field), "")
	s = squeeze(s)
	if len(s) > 400 || !strings.Contains(s, "号") {
		return "", false
	}
	if m := numberYear.FindStringSubmatch(s); m != nil {
		return m[1] + "〔" + m[2] + "〕" + m[3] + "号", true
	}
	if m := numberNotice.FindStringSubmatch(s); m != nil {
		return m[1] + m[2] + "年第" + m[3] + "号", true
	}
	if m := numberOrder.FindStringSubmatch(s); m != nil {
		return strings.ReplaceAll(m[1], " ", "") + "第" + m[2] + "号", true
	}
	return "", false
}

// prefixCuts are the words that stand between a sentence and the organ's code:
// 根据国家经贸委等部门下发的国经贸经〔1998〕154号. What comes before the last of them
// is not the number's.
var prefixCuts = []string{
	"根据", "按照", "依据", "参照", "贯彻", "落实", "执行", "印发", "转发", "批转", "下发", "发布", "公布", "废止", "修改",
	"以及", "文号", "通知", "意见", "规定", "办法", "决定", "和", "与", "及", "以", "见", "由", "的", "了", "为", "是",
}

// longestPrefix is the most characters that an organ's code has in text.
const longestPrefix = 16

// FindNumbers finds the document numbers in running text, from left to right.
// Orders count only with the organ that gave them (国务院令第703号, not 令第703号),
// and numbers of motions, telephones and the like are none.
func FindNumbers(text string) []NumberAt {
	var found []NumberAt
	// Each number ends in digits and 号. Only what stands right before that is
	// searched: over the whole text the expressions take ten times as long.
	for from, end := 0, 0; len(found) < maxFound; from = end {
		i := strings.Index(text[end:], "号")
		if i < 0 {
			break
		}
		end += i + len("号")
		if before := strings.TrimRightFunc(text[from:end-len("号")], unicode.IsSpace); before == "" || before[len(before)-1] < '0' || before[len(before)-1] > '9' {
			continue
		}
		start := end - len(lastRunes(text[from:end], longestNumber))
		if n, ok := numberIn(text[start:end]); ok {
			n.Start, n.End = n.Start+start, n.End+start
			found = append(found, n)
		}
	}
	return found
}

// longestNumber is the most characters that the expressions match.
const longestNumber = 64

// numberIn finds the number that ends where the window does.
func numberIn(window string) (NumberAt, bool) {
	for _, form := range []struct {
		re   *regexp.Regexp
		sign string // without one of these there is none
		make func(prefix string, m []string) string
	}{
		{numberYear, "〔[（(【<＜〈《﹝{", func(prefix string, m []string) string { return prefix + "〔" + m[2] + "〕" + m[3] + "号" }},
		{numberOrder, "令告", func(prefix string, m []string) string { return prefix + "第" + m[2] + "号" }},
	} {
		if !strings.ContainsAny(window, form.sign) {
			continue
		}
		at := form.re.FindStringSubmatchIndex(window)
		if at == nil {
			continue
		}
		m := make([]string, len(at)/2)
		for i := range m {
			if at[2*i] >= 0 {
				m[i] = window[at[2*i]:at[2*i+1]]
			}
		}
		prefix := cutPrefix(m[1])
		if utf8.RuneCountInString(prefix) < 2 {
			continue
		}
		start := at[3] - len(m[1])
		if i := strings.LastIndex(window[:at[3]], lastRunes(prefix, 2)); i >= start {
			start = at[3] - min(len(m[1]), len(prefix))
		}
		return NumberAt{form.make(squeeze(prefix), m), start, at[1]}, true
	}
	return NumberAt{}, false
}

// maxFound bounds what is looked for in one text.
const maxFound = 2000

// cutPrefix takes the organ's code from the end of the characters before a number.
func cutPrefix(s string) string {
	s = strings.ReplaceAll(s, "中华人民共和国", "")
	cut := 0
	for _, w := range prefixCuts {
		if i := strings.LastIndex(s, w); i >= 0 && i+len(w) > cut && i+len(w) < len(s) {
			cut = i + len(w)
		}
	}
	s = s[cut:]
	if n := utf8.RuneCountInString(s); n > longestPrefix {
		s = lastRunes(s, longestPrefix)
	}
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '第' || r == '文' })
}

func lastRunes(s string, n int) string {
	at := len(s)
	for ; n > 0 && at > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(s[:at])
		at -= size
	}
	return s[at:]
}

// NumberAliases returns the other styles in which a document's number is written:
// of an order 国务院令第707号 also 国令第707号, 渝府令〔2023〕358号 has none that can be told
// without its organ. The canonical number itself is not among them.
func NumberAliases(number string) []string {
	organ, rest, ok := strings.Cut(number, "令第")
	if !ok {
		return nil
	}
	for long, short := range map[string]string{"国务院": "国", "中央军委": "军"} {
		switch organ {
		case long:
			return []string{short + "令第" + rest}
		case short:
			return []string{long + "令第" + rest}
		}
	}
	if government, ok := strings.CutSuffix(organ, "人民政府"); ok {
		return []string{government + "政府令第" + rest}
	}
	if government, ok := strings.CutSuffix(organ, "政府"); ok && utf8.RuneCountInString(government) > 1 {
		return []string{government + "人民政府令第" + rest}
	}
	return nil
}

// numberYearOf returns the year of a canonical number, 0 where it has none.
func numberYearOf(number string) int {
	_, rest, ok := strings.Cut(number, "〔")
	if !ok || len(rest) < 4 {
		return 0
	}
	year, err := strconv.Atoi(rest[:4])
	if err != nil {
		return 0
	}
	return year
}
