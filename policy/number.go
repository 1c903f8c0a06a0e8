package policy

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"dibao/policy/cut"
	"dibao/policy/division"
	"dibao/policy/words"
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

	yearBrackets    = `〔[［（(【〖<＜〈《﹝{「『` // before the year in numberYear
	yearBracketEnds = `〕]］）)】〗>＞〉》﹞}」』`
)

var (
	numberLabel = words.New(`^[\s\x{3000}]*(?:发文字号|公文字号|文件编号|文件字号|发文号|文[\s\x{3000}]*号|字[\s\x{3000}]*号|编[\s\x{3000}]*号)[\s\x{3000}]*[:：]?`)
	// 国办发〔2023〕15号, in any bracket: 机关代字, 年份, 发文顺序号 (条例第九条).
	numberYear = words.New(`(\p{Han}[\p{Han}A-Za-z·]{0,23}(?:[（(]\p{Han}{1,8}[）)][函发字办通规]{1,2})?)` + sp + `[〔\[［（(【〖<＜〈《﹝{「『]` + sp + yr + sp + `年?` + sp +
		`[〕\]］）)】〗>＞〉》﹞}」』]` + sp + `(?:第` + sp + `)?` + no0 + sp + `号`)
	// 公告2018年第14号
	numberNotice = words.New(`(\p{Han}{0,23})` + sp + `[（(]?` + yr + sp + `年[）)]?` + sp + `[（(]?第` + sp + `0*(\d{1,4})` + sp + `号`)
	// 国务院令第703号
	// 财政部公告2021年第12号, in running text.
	numberIssuerNotice = words.New(`(\p{Han}{2,23}(?: \p{Han}{2,12})?` + sp + `(?:令|公告|通告))` + sp + `[（(]?` + yr + sp + `年[）)]?` + sp + `第` + sp + `0*(\d{1,4})` + sp + `号`)
	numberOrder        = words.New(`(\p{Han}{0,23}` + sp + `(?:令|公告|通告))` + sp + `[（(]?第` + sp + `0*(\d{1,4})` + sp + `号`)
)

// ParseNumber reads the value of a field that holds a document number, with or without its
// label, and returns it in canonical form: 〔〕, ASCII digits, no spaces, no leading zeros,
// no 第 inside 国办发〔2023〕15号. ok is false if the value does not contain a complete number
// (晋政发〔2014〕号16).
func ParseNumber(field string) (canonical string, ok bool) {
	if !strings.Contains(field, "号") {
		return "", false
	}
	s := numberLabel.ReplaceAllString(fold(field), "")
	s = hanSerials(squeeze(s))
	if len(s) > 400 || !strings.Contains(s, "号") {
		return "", false
	}
	// Many titles contain a 第3号 that is not a document number; the expressions are
	// expensive.
	if strings.ContainsAny(s, yearBrackets) {
		if m := numberYear.FindStringSubmatch(s); m != nil {
			return m[1] + "〔" + m[2] + "〕" + m[3] + "号", true
		}
	}
	if !strings.Contains(s, "第") {
		return "", false
	}
	if strings.Contains(s, "年") {
		if m := numberNotice.FindStringSubmatch(s); m != nil {
			return m[1] + m[2] + "年第" + m[3] + "号", true
		}
	}
	if strings.ContainsAny(s, "令告") {
		if m := numberOrder.FindStringSubmatch(s); m != nil {
			return strings.ReplaceAll(m[1], " ", "") + "第" + m[2] + "号", true
		}
	}
	return "", false
}

// hanSerial matches a number or year in Chinese digits: 主席令第七十八号.
var hanSerial = words.New(`(令|公告|通告)([（(]?第)([一二三四五六七八九十百零〇]{1,7})号|([〔\[［（(【])([一二][〇○O零一二三四五六七八九]{3})([〕\]］）)】])`)

// hanSerials writes the numbers and years that hanSerial matches in ASCII digits.
func hanSerials(s string) string {
	if !strings.ContainsAny(s, "一二三四五六七八九十百零〇") {
		return s
	}
	return hanSerial.ReplaceAllStringFunc(s, func(whole string) string {
		m := hanSerial.FindStringSubmatch(whole)
		if n, ok := hanNumber(m[3]); ok {
			return m[1] + m[2] + strconv.Itoa(n) + "号"
		}
		if year, ok := number(m[5]); ok && m[5] != "" {
			return m[4] + strconv.Itoa(year) + m[6]
		}
		return whole
	})
}

// hanNumber reads a Chinese number below a thousand: 七十八, 一百零二.
func hanNumber(s string) (n int, ok bool) {
	hundreds, rest, found := strings.Cut(s, "百")
	if !found {
		return number(s)
	}
	h, ok := number(hundreds)
	if !ok || h > 9 {
		return 0, false
	}
	if rest = strings.TrimLeft(rest, "零〇"); rest == "" {
		return h * 100, true
	}
	n, ok = number(rest)
	if ok && n < 100 {
		n += h * 100
	}
	return n, ok && n < 1000
}

// prefixCuts are the words that separate a sentence from the issuer's prefix:
// 根据国家经贸委等部门下发的国经贸经〔1998〕154号. Text up to the last of them
// does not belong to the number.
var prefixCuts = []string{
	"根据", "按照", "依据", "参照", "贯彻", "落实", "执行", "印发", "转发", "批转", "下发", "发布", "公布", "废止", "修改",
	"以及", "文号", "通知", "意见", "规定", "办法", "决定", "和", "与", "及", "以", "见", "由", "的", "了", "为", "是",
}

// longestPrefix is the maximum length, in characters, of an issuer's prefix in a text.
const longestPrefix = 16

// FindNumbers finds the document numbers in running text, from left to right.
// Orders count only with their issuer (国务院令第703号, not 令第703号); numbers
// of motions, phones and the like do not count.
func FindNumbers(text string) []NumberAt {
	var found []NumberAt
	// Each number ends in digits and 号. Only the characters directly before
	// that are searched: on the whole text, the expressions would take ten
	// times as long.
	for from, end := 0, 0; len(found) < maxFound; from = end {
		i := strings.Index(text[end:], "号")
		if i < 0 {
			break
		}
		end += i + len("号")
		before := strings.TrimRightFunc(text[from:end-len("号")], unicode.IsSpace)
		if before == "" {
			continue
		}
		start := end - len(cut.Last(text[from:end], longestNumber))
		if last, _ := utf8.DecodeLastRuneInString(before); last < '0' || last > '9' {
			if n, ok := hanOrderIn(text[start:end]); ok {
				n.Start, n.End = n.Start+start, end
				found = append(found, n)
			}
			continue
		}
		if n, ok := numberIn(text[start:end]); ok {
			n.Start, n.End = n.Start+start, n.End+start
			found = append(found, n)
		}
	}
	return found
}

// longestNumber is the maximum number of characters that the expressions match.
const longestNumber = 64

// hanOrderIn finds the order with Chinese digits that ends at the end of the window.
func hanOrderIn(window string) (NumberAt, bool) {
	last, _ := utf8.DecodeLastRuneInString(strings.TrimSuffix(window, "号"))
	if !strings.ContainsRune("一二三四五六七八九十百", last) {
		return NumberAt{}, false
	}
	at := hanSerial.FindAllStringIndex(window, -1)
	if len(at) == 0 || at[len(at)-1][1] != len(window) {
		return NumberAt{}, false
	}
	serial := at[len(at)-1][0]
	return numberIn(window[:serial] + hanSerials(window[serial:]))
}

// numberIn finds the number that ends at the end of the window.
func numberIn(window string) (NumberAt, bool) {
	for _, form := range []struct {
		re   *words.Regexp
		sign string // a character that every match contains
		make func(prefix string, m []string) string
	}{
		{numberYear, yearBrackets, func(prefix string, m []string) string { return prefix + "〔" + m[2] + "〕" + m[3] + "号" }},
		{numberOrder, "令告", func(prefix string, m []string) string { return prefix + "第" + m[2] + "号" }},
		{numberIssuerNotice, "令告", func(prefix string, m []string) string { return prefix + m[2] + "年第" + m[3] + "号" }},
	} {
		if !strings.ContainsAny(window, form.sign) {
			continue
		}
		var at []int
		if form.re == numberYear {
			at = plainNumber(window)
		}
		if at == nil {
			at = form.re.FindStringSubmatchIndex(window)
		}
		if at == nil {
			continue
		}
		m := make([]string, len(at)/2)
		for i := range m {
			if at[2*i] >= 0 {
				m[i] = window[at[2*i]:at[2*i+1]]
			}
		}
		prefix := withoutLead(cutPrefix(m[1]))
		if utf8.RuneCountInString(prefix) < 2 {
			continue
		}
		start := at[3] - len(m[1])
		if i := strings.LastIndex(window[:at[3]], cut.Last(prefix, 2)); i >= start {
			start = at[3] - min(len(m[1]), len(prefix))
		}
		return NumberAt{form.make(squeeze(prefix), m), start, at[1]}, true
	}
	return NumberAt{}, false
}

// plainNumber is numberYear for a window that ends in a number without spaces,
// as most do: 国办发〔2023〕15号. It takes a tenth of the time.
func plainNumber(window string) []int {
	end := strings.LastIndex(window, "号")
	serial := end
	for serial > 0 && '0' <= window[serial-1] && window[serial-1] <= '9' {
		serial--
	}
	closing, size := utf8.DecodeLastRuneInString(window[:serial])
	year := serial - size - len("2023")
	if serial == end || end-serial > 5 || window[serial] == '0' || year < 0 || !strings.ContainsRune(yearBracketEnds, closing) ||
		window[year:year+2] != "19" && window[year:year+2] != "20" || !isDigit(window[year+2]) || !isDigit(window[year+3]) {
		return nil
	}
	opening, size := utf8.DecodeLastRuneInString(window[:year])
	if !strings.ContainsRune(yearBrackets, opening) {
		return nil
	}
	code := year - size
	first := -1
	for i, n := code, 0; i > 0 && n < longestCode; n++ {
		r, size := utf8.DecodeLastRuneInString(window[:i])
		if i -= size; unicode.Is(unicode.Han, r) {
			first = i
		} else if r != '·' && !(r|0x20 >= 'a' && r|0x20 <= 'z') {
			break
		}
	}
	if first < 0 {
		return nil
	}
	return []int{first, end + len("号"), first, code, year, year + len("2023"), serial, end}
}

// longestCode is the maximum number of characters that numberYear matches as an issuer's
// prefix.
const longestCode = 24

// maxFound limits the numbers that are searched for in one text.
const maxFound = 2000

// cutPrefix returns the issuer's prefix at the end of the characters before a number.
func cutPrefix(s string) string {
	s = joinedNames.Replace(strings.ReplaceAll(s, "中华人民共和国", ""))
	end := 0
	for _, w := range prefixCuts {
		if i := strings.LastIndex(s, w); i >= 0 && i+len(w) > end && i+len(w) < len(s) {
			end = i + len(w)
		}
	}
	s = s[end:]
	if n := utf8.RuneCountInString(s); n > longestPrefix {
		s = cut.Last(s, longestPrefix)
	}
	return strings.ReplaceAll(strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '第' }), "&", "和")
}

// joinedNames protects the names of organizations that contain 和.
var joinedNames = strings.NewReplacer("发展和改革", "发展&改革", "工业和信息化", "工业&信息化", "住房和城乡建设", "住房&城乡建设", "人力资源和社会保障", "人力资源&社会保障",
	"卫生和计划生育", "卫生&计划生育", "文化和旅游", "文化&旅游", "粮食和物资储备", "粮食&物资储备", "林业和草原", "林业&草原", "规划和自然资源", "规划&自然资源", "经济和信息化", "经济&信息化")

var (
	// ofASentence matches words of the sentence before a prefix that prefixCuts does not
	// contain.
	ofASentence = words.New(`^(?:依照|遵照|详见|参见|执行|[我本该][省市县区州局委部厅]|全[省市县区]|[年月日]|原(?:国家)?|经(?:[国省市中]))`)
	// issuerBefore matches an organization's name followed by the prefix of another, or its
	// own.
	issuerBefore = words.New(`^(\p{Han}{0,20}(?:人民政府|办公厅|办公室|委员会|总局|总会|总社|部|局|委|厅))(\p{Han}{2,12})$`)
	// noCode matches the end of words that count something else: 第三届（2018）5号.
	noCode = words.New(`(?:[届次款条项期批页卷路街弄楼栋幢室]|第[一二三四五六七八九十]+\p{Han}?)$`)
)

// withoutLead removes words of the sentence before a prefix, or before the issuer of an
// order: 经国务院令第703号修订, 住建部建办城〔2020〕24号. It returns "" if the rest is not a prefix.
func withoutLead(s string) string {
	order := endsInAny(s, "令", "公告", "通告")
	for range 3 {
		m := ofASentence.FindString(s)
		if strings.HasPrefix(m, "经") {
			m = "经"
		}
		if rest := s[len(m):]; m == "" || utf8.RuneCountInString(rest) < 2 {
			break
		} else {
			s = rest
		}
	}
	if rest, ok := cutFirst(s, "经", "依", "据", "按", "将", "对", "即"); ok && order {
		if _, _, known := division.OfIssuer(rest, ""); known || strings.HasPrefix(rest, "主席") {
			s = rest
		}
	}
	if noCode.MatchString(s) {
		return ""
	}
	if m := issuerBefore.FindStringSubmatch(s); m != nil && !order {
		first, _ := utf8.DecodeRuneInString(m[2])
		long := endsInAny(m[1], "人民政府", "办公厅", "办公室", "委员会", "总局", "总会", "总社") && utf8.RuneCountInString(m[1]) > 4
		own := strings.ContainsRune(m[1], first) && m[1] != "工信部" && m[1] != "人社部" // departments whose prefixes begin with a character of their names
		if long || own {
			return m[2]
		}
	}
	return s
}

// numberYearOf returns the year of a canonical number, 0 if it has none.
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
