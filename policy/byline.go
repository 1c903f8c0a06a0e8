package policy

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"dibao/policy/cut"
	"dibao/policy/hans"
	"dibao/policy/label"
	"dibao/policy/words"
)

var (
	// authorWords match the beginning of a line that names the author of a text:
	// (作者为民政部部长、党组书记).
	authorWords = words.New(`^(?:本文|文章)?作者(?:单位|简介|[为系是])?\s*[:：︱|｜丨/／]?\s*(.{2,60})$`)
	// The first words of a report: the place, the time, and who sent it.
	datelineOpen = words.New(`^[（(【〔]?(新华社|新华网|中新社|中新网|中央社|人民网|央视网|人民日报|本报|本网|中国政府网)[\p{Han}]{0,12}?(?:\d{1,2}月)?(?:\d{1,2}日)?(?:专)?(?:电|讯)`)
	// reporterInLead matches reporters in brackets: （记者李样冰、管例江）, 〔记者王样／台北报导〕,
	// （中央社记者王样文台北21日电）, （记者王样文/摄）.
	reporterInLead = words.New(`[（(〔【](?:\p{Han}{2,8}?\s?|通讯员[\p{Han} 、]{2,16}?\s?)?(?:首席|特派|见习)?记者[:：/／]?\s*([\p{Han} 、·]{2,24}?)(?:[，,]?\s*通讯员[^）)〕】]{0,20}|[／/]\s*\p{Han}{2,6}|\s*文\s?[／/、]?\s?[图摄]|\d{1,2}日(?:综合)?(?:电|讯|报道))?[）)〕】]`)
	// reporterReports matches a reporter's name at the beginning of a report: 记者王样例报道.
	reporterReports = words.New(`^(?:本报讯\s*)?(?:本[报网台]|\p{Han}{0,4}[报网台社])?(?:首席|特派|见习)?记者[:：]?\s*([\p{Han} 、·]{2,16}?)\s*(?:摄影)?报[道导](?:[\s，,：:]|$)`)
	// reporterOpens matches a reporter's name without brackets: 本网讯 记者 王样 11月26日上午，….
	reporterOpens = words.New(`^(?:本[报网台刊]|\p{Han}{2,6}[报网])讯\s*(?:首席|特派|见习|全媒体)?(?:记者|通讯员)\s*(\p{Han}{2,4}(?:[ 、]\p{Han}{2,4}){0,3})\s`)
	// namesInLead matches names in brackets after an agency's dateline: 7月2日电 (郭样 肖样贤).
	namesInLead = words.New(`^[^，。]{2,24}日(?:电|讯)\s*[（(](\p{Han}{2,4}(?:[ 、]\p{Han}{2,4}){0,4})[）)]`)
	// unitAndName matches a bracket after a text: （样例局杨样）, （样例电大张样 报道）.
	unitAndName = words.New(`^\p{Han}{2,20}(?:局|委|办|站|段|队|所|院|校|中心|公司|电大|报社)(\p{Han}{2,3})(?:\s*报[道导])?$`)
	officeEnd   = words.New(`(?:长|书记|主任|研究员|教授|委员|主席|总理|秘书|院士|博士|博士后|研究生|专家|导师|经济学家|总经济师|总编辑|顾问|负责人|处|科员)$`)
	issuerWord  = words.New(`^.{0,30}?(?:部|委员会|委|局|厅|署|会|院|办公室|办|中心|大学|研究所|所|政府|省|市|县|区|社)`)
	firstOffice = words.New(`(?:党组书记|党委书记|书记|副?(?:部|省|市|县|区|局|厅|司|处|会|院|校|所|署|州)长|副?主任|副?主席|研究员|副?教授|委员)`)
	marked      = words.New(`^[■□◎◆●▲★]\s*`)
	penName     = words.New(`^\p{Han}{2,4}$`)
	hanName     = words.New(`^\p{Han}{1,2} ?\p{Han}{1,2}(?:·\p{Han}{1,8})?$`)
)

const (
	maxByline   = 70 * 3 // maximum length of a line, in bytes
	bylineReach = 80     // characters at the end of a text
	bylineLines = 4      // lines at either end of a text in which a by-line can be
)

// candidate is a possible author of a text.
type candidate struct {
	value   string // value of a label, or the words of a line
	line    string // the line of the text that names the author
	at      int    // its paragraph; -1 if the line is not removed
	weight  int
	reports bool // as a reporter
}

// These are ranks of evidence for an author; higher ranks win: by-lines before
// labels, persons before offices and pen names.
const (
	byFeed = iota + 1
	byLabel
	byMeta
	byDateline
	byPersonLabel
	byLine
)

// byline finds the author of the text, and removes the line that names the author from it.
// Photographers (摄), editors (责任编辑) and contributors (供稿) are not authors.
func (u *understanding) byline() {
	all := slices.Concat(u.linesOfAuthors(), u.labeledAuthors(), u.dateline(), u.statedAuthors())
	best := candidate{at: -1}
	for _, c := range all {
		if c.weight > best.weight {
			best = c
		}
	}
	if best.weight == 0 {
		return
	}
	u.after = best.weight == byLine && (best.at < 0 || 2*best.at >= len(u.Paragraphs))
	if best.at >= 0 && best.line != "" {
		u.creditIn(best.line)
		u.Paragraphs = slices.Delete(slices.Clone(u.Paragraphs), best.at, best.at+1)
		if i := best.at - 1; i > 0 && i == len(u.Paragraphs)-1 && authorsOf(u.Paragraphs[i], false) != "" { // 采写：…, and 作者：… below it
			best.reports = best.reports || strings.Contains(u.Paragraphs[i], "记者")
			u.Paragraphs = u.Paragraphs[:i]
		}
	} else if i := len(u.Paragraphs) - 1; best.weight == byLine { // after the last sentence
		u.Paragraphs = slices.Clone(u.Paragraphs)
		u.Paragraphs[i] = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(u.Paragraphs[i]), best.line))
	}
	u.Byline, u.reported = best.line, best.reports || containsAny(hans.Simplify(best.line+best.value), "记者", "报道")
	if u.setAuthor(best.value); u.Author == "" { // an office; its label also names the person
		office, body := u.AuthorOffice, u.AuthorBody
		if i := slices.IndexFunc(all, func(c candidate) bool { return c.weight == byPersonLabel }); i >= 0 {
			u.setAuthor(all[i].value)
			u.AuthorOffice, u.AuthorBody = office, body
		}
	}
}

// creditIn reads the source from a line of authors, if nothing else names one.
func (u *understanding) creditIn(line string) {
	for _, f := range ReadCredit(line).Fields {
		if f.Kind == label.Source && u.Credit == "" {
			u.Credit = cleanCredit(f.Value)
		}
	}
}

// linesOfAuthors searches for by-lines at the end of the text, then above it.
func (u *understanding) linesOfAuthors() []candidate {
	n := len(u.Paragraphs)
	for i := n - 1; i >= max(0, n-bylineLines); i-- {
		p := strings.TrimSpace(u.Paragraphs[i])
		if i == n-1 {
			if before, inner, ok := lastBracket(cut.Last(p, bylineReach)); ok && endsInAny(before, "。", "！", "？", "”", "讯") {
				value := authorsOf(inner, true)
				if value == "" && utf8.RuneCountInString(inner) == 2 && isPerson(inner) {
					value = inner
				}
				if m := unitAndName.FindStringSubmatch(hans.Simplify(inner)); value == "" && m != nil && isPerson(m[1]) {
					value = m[1]
				}
				if value != "" && !u.mentions(value) { // reports end in names alone
					return []candidate{{value: value, line: p[strings.LastIndex(p, inner)-len("（"):], at: -1, weight: byLine, reports: authorsOf(inner, false) == ""}}
				}
			}
		}
		_, inner, ok := lastBracket(p)
		if i == n-1 && i > 1 && utf8.RuneCountInString(squeeze(p)) == 4 && isPerson(inner) && !u.mentions(inner) { // （袁样）
			return []candidate{{value: inner, line: p, at: i, weight: byLine}}
		}
		if value := authorsOf(p, ok && len(inner) > len(p)-len("（）")-1 || i == n-1 && marked.MatchString(p)); value != "" && (i > 0 || value != inner) && !u.mentions(value) {
			return []candidate{{value: value, line: p, at: i, weight: byLine}}
		}
		if utf8.RuneCountInString(p) > bylineReach {
			break
		}
	}
	lead := false // there is a summary above the by-line
	for i := 0; i < min(n, bylineLines-1); i++ {
		p := strings.TrimSpace(u.Paragraphs[i])
		if len(p) > maxByline || strings.Contains(p, "。") {
			if i > 0 {
				break
			}
			lead = true
			continue
		}
		if value := authorsOf(p, i < 2 && n > 1 && !lead); value != "" && (i == 0 || value != p || utf8.RuneCountInString(u.Paragraphs[0]) <= contextChars) && (authorWords.MatchString(p) || !u.isAbout(value)) {
			return []candidate{{value: value, line: p, at: i, weight: byLine}}
		}
	}
	for i := bylineLines - 1; i < min(n, 2*bylineLines); i++ { // below the summary points that begin the text
		if c := ReadCredit(u.Paragraphs[i]); c.Whole && c.Role && c.Medium != "" && len(c.Persons) > 0 && !u.isAbout(c.Persons[0]) {
			return []candidate{{value: c.Author(), line: u.Paragraphs[i], at: i, weight: byLine, reports: c.Reports}}
		}
	}
	return nil
}

// authorsOf returns the authors that a line names, "" if it is another kind of line. Names
// without an introducing word count only above a text, if the line contains nothing else.
func authorsOf(p string, bare bool) string {
	if len(p) > maxByline || strings.Contains(p, "。") || strings.HasSuffix(unwrap(p), "摄") {
		return ""
	}
	if !bare && !mayNameAuthors(p) {
		return ""
	}
	if m := sentFrom.FindStringSubmatch(p); m != nil {
		return gluedNames(m[1])
	}
	c := ReadCredit(p)
	if m := authorWords.FindStringSubmatch(strings.TrimSpace(unwrap(p))); m != nil && len(c.Fields) < 2 {
		return strings.TrimSpace(m[1])
	}
	for _, f := range c.Fields {
		if f.Kind == label.Author || squeeze(f.Name) == "记者" && readAuthors(f.Value).Whole {
			return f.Value
		}
	}
	if name := marked.ReplaceAllString(p, ""); name != p && bare && penName.MatchString(name) {
		return name
	}
	if c.Whole && len(c.Persons) > 0 && (c.Role || bare || marked.MatchString(p)) {
		if c.Role && c.Office == "" {
			return strings.Join(c.Persons, "、")
		}
		return c.Author()
	}
	return ""
}

// mentions reports whether a sentence of the text is about the persons whom a line names.
func (u *understanding) mentions(names string) bool {
	return slices.ContainsFunc(u.Paragraphs, func(p string) bool {
		return len(p) > maxByline && strings.Contains(cut.First(p, utf8.RuneCountInString(p)-bylineReach), names)
	})
}

// isAbout reports whether the title mentions the persons: then the line is not a by-line.
func (u *understanding) isAbout(names string) bool {
	return strings.Contains(squeeze(u.Title), squeeze(names))
}

// labeledAuthors returns the authors in the labels of the page's head: a person, or an
// office or a pen name. A reporter counts as the author if nobody else is named.
func (u *understanding) labeledAuthors() []candidate {
	var all []candidate
	written := slices.ContainsFunc(u.e.Labels, func(l Label) bool { return label.KindOf(l.Name) == label.Author && cleanCredit(l.Value) != "" })
	for _, l := range u.e.Labels {
		isReporter := !written && squeeze(l.Name) == "记者"
		if c := ReadCredit(l.Value); !written && label.KindOf(l.Name) == label.Source && c.namesBoth() {
			all = append(all, candidate{value: strings.Join(c.Persons, "、"), at: -1, weight: byPersonLabel, reports: c.Reports})
		}
		if label.KindOf(l.Name) != label.Author && !isReporter || cleanCredit(l.Value) == "" {
			continue
		}
		c := candidate{value: l.Value, at: -1, weight: byLabel, reports: isReporter || strings.Contains("报道 采写 采写记者", hans.Simplify(squeeze(l.Name)))}
		if persons := readAuthors(l.Value); persons.Whole && len(persons.Persons) > 0 {
			c.weight = byPersonLabel
		}
		if c.weight == byPersonLabel || !isReporter {
			all = append(all, c)
		}
	}
	return all
}

// edited reports whether the page names this person as its editor.
func (u *understanding) edited(name string) bool {
	for _, l := range u.e.Labels {
		if label.KindOf(l.Name) == label.Editor && strings.Contains(l.Value, name) {
			return true
		}
	}
	last := u.e.Paragraphs[max(0, len(u.e.Paragraphs)-bylineLines):]
	return slices.ContainsFunc(last, func(p string) bool { return len(p) <= maxByline && strings.Contains(p, name) && IsBoilerplate(p) })
}

// dateline reads the beginning of reports:
// 本报北京11月4日电（记者李泓冰、管克江）…. The agency is the source, unless
// something else names one; the line stays in the text.
func (u *understanding) dateline() []candidate {
	if len(u.Paragraphs) == 0 {
		return nil
	}
	for i, p := range u.Paragraphs[:min(3, len(u.Paragraphs))] { // there may be a picture above it
		head := cut.First(p, bylineReach)
		plain := hans.Simplify(head)
		if !containsAny(plain, "记者", "电", "讯") {
			continue
		}
		if m := datelineOpen.FindStringSubmatch(plain); m != nil && u.Credit == "" && i == 0 {
			if m[1] == "本报" || m[1] == "本网" {
				u.Credit = u.siteName()
			} else {
				u.Credit = m[1]
			}
		}
		m := reporterInLead.FindStringSubmatchIndex(plain)
		if m == nil {
			if m = reporterReports.FindStringSubmatchIndex(plain); m == nil {
				m = reporterOpens.FindStringSubmatchIndex(plain)
			}
			if m == nil {
				m = namesInLead.FindStringSubmatchIndex(plain)
			}
			if m != nil && !readAuthors(plain[m[2]:m[3]]).Whole {
				m = nil // 记者从省能源局获悉
			}
		}
		if m != nil {
			if names := nameBeforePlace(head[m[2]:m[3]]); names != "" {
				return []candidate{{value: names, line: head[m[0]:m[1]], at: -1, weight: byDateline}}
			}
		}
	}
	return nil
}

// sentFrom matches a by-line with the place: 本报记者王样李例发自北京.
var sentFrom = words.New(`^[（(]?本[报网刊台社](?:首席|特派|见习|实习)?记者\s*(\p{Han}{2,6})\s*发自\p{Han}{2,8}(?:报[道导])?[）)]?$`)

// gluedNames separates the names of one or two persons that are written without a
// separator; "" if there are several ways to separate them.
func gluedNames(s string) string {
	if n := utf8.RuneCountInString(s); n <= 3 {
		if isPerson(s) {
			return s
		}
		return ""
	}
	found := ""
	for _, n := range []int{2, 3} {
		first := cut.First(s, n)
		if second := s[len(first):]; isPerson(first) && isPerson(second) && utf8.RuneCountInString(second) <= 3 {
			if found != "" {
				return ""
			}
			found = first + "、" + second
		}
	}
	return found
}

// nameBeforePlace removes a place that a dateline appends to the name: 王样文台北.
func nameBeforePlace(names string) string {
	names = strings.TrimSpace(names)
	if n := utf8.RuneCountInString(names); n < 5 || n > 7 || !onlyHan(names) {
		return names
	}
	for _, n := range []int{3, 4, 2} {
		if name := cut.First(names, n); isPerson(name) {
			return name
		}
	}
	return ""
}

// IsAuthor reports whether a text consists only of names of persons, possibly
// with their office.
func IsAuthor(text string) bool {
	c := readAuthors(text)
	return c.Whole && len(c.Persons) > 0 && !slices.ContainsFunc(c.Persons, func(s string) bool { return !isPerson(s) })
}

// readAuthors reads the value of a label for authors: every word of it may be a name.
func readAuthors(value string) Credit {
	if len(value) > maxByline {
		return Credit{}
	}
	r := creditReader{wrote: writer}
	r.Role = true
	r.take(value)
	if len(r.Fields) == 1 && r.Fields[0].Kind == label.Author && len(r.Persons) == 0 && r.Fields[0].Value != value { // 文/王样
		return readAuthors(r.Fields[0].Value)
	}
	return r.Credit
}

// isOffice reports whether s is an office in an organization: 样例大学教授、博士生导师.
func isOffice(s string) bool {
	s = strings.TrimSpace(s)
	return utf8.RuneCountInString(s) >= 4 && !strings.ContainsAny(s, "。！？") && officeEnd.MatchString(strings.TrimRight(s, "）)")) && issuerWord.MatchString(s)
}

// setAuthor sets the author as a person or as an office.
func (u *understanding) setAuthor(s string) {
	s = strings.TrimSpace(s)
	if cleanCredit(s) == "" {
		return
	}
	if m := label.OfficeAndName.FindStringSubmatch(s); m != nil && isPerson(m[2]) {
		u.Author, u.AuthorOffice = m[2], m[1]
	} else if name, office := nameFirst(s); name != "" {
		u.Author, u.AuthorOffice = name, office
	} else if c := readAuthors(s); c.Whole && len(c.Persons) > 0 {
		u.Author, u.AuthorOffice = strings.Join(c.Persons, "、"), c.Office
	} else if endsInAny(s, "发布", "报", "网", "客户端", "融媒体中心") { // the publisher
		u.Credit = cmp.Or(u.Credit, s)
	} else if officeEnd.MatchString(s) || issuerWord.MatchString(s) || utf8.RuneCountInString(s) > 2 && endsInAny(s, "科", "室", "组", "股") {
		u.AuthorOffice = s
	} else {
		u.Author = s // a name that is not Chinese, or a pen name
	}
	if u.AuthorOffice != "" {
		u.AuthorBody = bodyOf(u.AuthorOffice)
	}
}

// isName reports whether s looks like one or more Chinese names.
func isName(s string) bool {
	for part := range strings.SplitSeq(s, "、") {
		part = strings.TrimSpace(part)
		if !hanName.MatchString(part) || officeEnd.MatchString(part) ||
			strings.ContainsAny(cut.Last(part, 1), "部局委办会院司处长记社网厅室股组") || strings.HasSuffix(part, "科") && !isPerson(part) {
			return false
		}
	}
	return true
}

// bodyOf returns the organization in an office: 民政部部长、党组书记 → 民政部.
func bodyOf(office string) string {
	at := firstOffice.FindStringIndex(office)
	if at == nil || at[0] == 0 {
		return ""
	}
	return strings.TrimRight(office[:at[0]], " 、，副")
}

// isChinese reports whether most letters of s are Han.
func isChinese(s string) bool {
	han, other := 0, 0
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Han, r):
			han++
		case unicode.IsLetter(r):
			other++
		}
	}
	return han > 0 && han*3 >= other // Latin words have more letters
}
