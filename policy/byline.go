package policy

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"dibao/internal/lazyregexp"
	"dibao/policy/label"
)

var (
	bylineAlone  = lazyregexp.New(`^[（(]\s*(?:本文)?作者(?:为|系|是|单位)?\s*[:：]?\s*(.{2,60}?)\s*[）)]$`)
	bylineBehind = lazyregexp.New(`[。！？”]\s*([（(]\s*(?:本文)?作者(?:为|系|是|单位)?\s*[:：]?\s*([^（）()]{2,60}?)\s*[）)])$`)
	bylineOpen   = lazyregexp.New(`^[（(【□■◎◆●▲]?\s*(?:(?:本文)?作者|(?:图\s*)?文|撰文|图文)\s*(?:[:：/／|｜丨])\s*(.{2,40}?|[^，。]{2,12}[（(][^（）()]{4,50}[)）])[)）】]?$`)
	reporter     = lazyregexp.New(`^[（(□■◎◆●▲]?\s*(?:(?:本报|本网|本刊|新华社|央视|\p{Han}{2,8}(?:报|网|社|新闻|财经|电视台|客户端))?\s*(?:首席|特派|见习)?(?:记者|评论员|通讯员))\s*[·:：|｜]?\s*([\p{Han} 、·]{2,24}?)[）)]?$`)
	// Who took the pictures and who wrote: （图/张明 文/李样）.
	pictureAndText = lazyregexp.New(`^[（(]\s*(?:图片?|摄影)\s*[/／:：]\s*\p{Han}{2,4}[\s、;；，]+(?:文字?|撰文)\s*[/／:：]\s*(\p{Han}{2,4})\s*[）)]$|^[（(]\s*(?:文字?|撰文)\s*[/／:：]\s*(\p{Han}{2,4})[\s、;；，]+(?:图片?|摄影)\s*[/／:：]\s*\p{Han}{2,4}\s*[）)]$`)
	// A report's first words: where, when, who sent it.
	datelineOpen   = lazyregexp.New(`^[（(【]?(新华社|新华网|中新社|中新网|人民网|央视网|人民日报|本报|本网|中国政府网)[\p{Han}]{0,12}?(?:\d{1,2}月\d{1,2}日)?(?:专)?(?:电|讯)`)
	reporterInLead = lazyregexp.New(`[（(](?:本报|本网)?(?:首席|特派|见习)?记者[:：]?\s*([\p{Han} 、·]{2,24}?)(?:[，,]?\s*通讯员[^）)]{0,20})?[）)]`)
	noAuthor       = lazyregexp.New(`摄|供稿|责任编辑|编辑[:：]|校对|审核|图片|供图`)
	officeEnd      = lazyregexp.New(`(?:长|书记|主任|研究员|教授|委员|主席|总理|秘书|院士|博士|博士后|研究生|专家|导师|经济学家|总经济师|顾问|负责人|处|科员)$`)
	organWord      = lazyregexp.New(`^.{0,30}?(?:部|委员会|委|局|厅|署|会|院|办公室|办|中心|大学|研究所|所|政府|省|市|县|区|社)`)
	firstOffice    = lazyregexp.New(`(?:党组书记|党委书记|书记|副?(?:部|省|市|县|区|局|厅|司|处|会|院|校|所|署|州)长|副?主任|副?主席|研究员|副?教授|委员)`)
	marked         = lazyregexp.New(`^[■□◎◆●▲★]\s*`)
	hanName        = lazyregexp.New(`^\p{Han}{1,2} ?\p{Han}{1,2}(?:·\p{Han}{1,8})?$`)
)

// bylineWords are those without one of which a line is no by-line.
var bylineWords = []string{"作者", "记者", "文", "通讯员", "评论员"}

// byline takes the by-line out of the paragraphs: (作者为民政部部长、党组书记) names
// an office, (作者：X，系Y研究员) a person and an office. Photographers (摄), editors
// (责任编辑) and senders (供稿) are no authors.
func (u *understanding) byline() {
	n := len(u.Paragraphs)
	for _, i := range []int{n - 1, n - 2, 0, 1} {
		if i < 0 || i >= n || u.Byline != "" {
			continue
		}
		p := strings.TrimSpace(u.Paragraphs[i])
		if u.personLine(p, i) {
			continue
		}
		if m := pictureAndText.FindStringSubmatch(p); m != nil {
			u.Byline = p
			u.setAuthor(m[1] + m[2])
			u.Paragraphs = slices.Delete(slices.Clone(u.Paragraphs), i, i+1)
			continue
		}
		if len(p) <= maxByline && containsAny(p, bylineWords...) && !noAuthor.MatchString(p) {
			for _, form := range []*lazyregexp.Regexp{bylineAlone, bylineOpen, reporter} {
				if m := form.FindStringSubmatch(p); m != nil {
					u.Byline = p
					u.setAuthor(m[1])
					u.Paragraphs = append(append([]string{}, u.Paragraphs[:i]...), u.Paragraphs[i+1:]...)
					break
				}
			}
		}
		if u.Byline == "" && i == n-1 { // behind the last sentence
			if m := bylineBehind.FindStringSubmatch(lastRunes(p, bylineReach)); m != nil {
				u.Byline = m[1]
				u.setAuthor(m[2])
				u.Paragraphs = append([]string{}, u.Paragraphs...)
				u.Paragraphs[i] = strings.TrimSpace(strings.TrimSuffix(p, m[1]))
			}
		}
	}
	u.labelledAuthor(true)
	u.dateline()
	u.labelledAuthor(false)
	if u.Author == "" && u.AuthorOffice == "" && u.e.FeedAuthor != "" {
		u.setAuthor(u.e.FeedAuthor)
	}
}

// leadOfReporter stands before the name of somebody who reports: 本报记者 李明.
var leadOfReporter = lazyregexp.New(`^(?:\p{Han}{0,8})?(?:首席|特派|见习)?记者[\s·:：/|｜]*`)

// labelledAuthor takes the author from the label of the page's head: a person's name
// before what a dateline says, anything else behind it. An office that a by-line
// named stays with the person.
func (u *understanding) labelledAuthor(person bool) {
	if u.Author != "" || !person && u.AuthorOffice != "" {
		return
	}
	written := slices.ContainsFunc(u.e.Labels, func(l Label) bool { return label.KindOf(l.Name) == label.Author && cleanCredit(l.Value) != "" })
	for _, l := range u.e.Labels {
		reports := person && !written && squeeze(l.Name) == "记者" // who reports is the author where nobody else is named
		if label.KindOf(l.Name) != label.Author && !reports {
			continue
		}
		value := leadOfReporter.ReplaceAllString(l.Value, "")
		if names, _ := personsAndOffice(value); person && names == nil && !isPerson(value) {
			continue
		}
		office, body := u.AuthorOffice, u.AuthorBody
		if u.setAuthor(value); office != "" {
			u.AuthorOffice, u.AuthorBody = office, body
		}
		if u.Author != "" || u.AuthorOffice != "" {
			return
		}
	}
}

const (
	maxByline   = 70 * 3 // bytes of a line
	bylineReach = 80     // characters at the end of a text
)

// dateline reads how reports begin: 本报北京11月4日电（记者李泓冰、管克江）…. The agency is
// the source, where nothing else names one; the line stays in the text.
func (u *understanding) dateline() {
	if len(u.Paragraphs) == 0 {
		return
	}
	head := firstRunes(u.Paragraphs[0], bylineReach)
	if !containsAny(head, "记者", "电", "讯") {
		return
	}
	if m := datelineOpen.FindStringSubmatch(head); m != nil && u.Credit == "" {
		if m[1] == "本报" || m[1] == "本网" {
			u.Credit = u.siteName()
		} else {
			u.Credit = m[1]
		}
	}
	if m := reporterInLead.FindStringSubmatch(head); m != nil && u.Author == "" && u.AuthorOffice == "" {
		u.Byline = m[0]
		u.setAuthor(m[1])
	}
}

// personLine takes a line of persons out of the text that has no word for it: ■ 张三
// anywhere, 张三 李四 or 张三 样例研究院院长 above the text.
func (u *understanding) personLine(p string, i int) bool {
	mark := marked.FindString(p)
	if len(p) > maxByline || mark == "" && (i > 1 || i == 1 && utf8.RuneCountInString(u.Paragraphs[0]) > contextChars || len(u.Paragraphs) < 2) {
		return false
	}
	names, office := personsAndOffice(p[len(mark):])
	if names == nil {
		return false
	}
	u.Byline = p
	u.Author, u.AuthorOffice = strings.Join(names, "、"), office
	u.AuthorBody = bodyOf(office)
	u.Paragraphs = append(append([]string{}, u.Paragraphs[:i]...), u.Paragraphs[i+1:]...)
	return true
}

// personsAndOffice reads a line of nothing but names, with or without an office
// behind them: 张三 样例研究院院长, 李四（样例大学教授）, 王样/样例所研究员.
func personsAndOffice(line string) (names []string, office string) {
	line = strings.TrimSpace(fold(line))
	if names = personsOf(line); names != nil {
		return names, ""
	}
	if before, inner, ok := lastBracket(line); ok && before != "" && isOffice(inner) {
		if names = namesOf(before); names != nil {
			return names, inner
		}
	}
	for _, sep := range []string{"/", "／", "，", ","} {
		if before, after, ok := strings.Cut(line, sep); ok && isOffice(after) && namesOf(before) != nil {
			return namesOf(before), strings.TrimSpace(after)
		}
	}
	if before, after, ok := strings.Cut(line, " "); ok && isPerson(before) && isOffice(after) {
		return []string{before}, strings.TrimSpace(after)
	}
	return nil, ""
}

// namesOf is personsOf where an office beside the names says that they are such.
func namesOf(s string) []string {
	if isPerson(s) {
		return []string{strings.TrimSpace(s)}
	}
	return personsOf(s)
}

// isOffice reports whether s is an office in an organ: 样例大学教授、博士生导师.
func isOffice(s string) bool {
	s = strings.TrimSpace(s)
	return utf8.RuneCountInString(s) >= 4 && !strings.ContainsAny(s, "。！？") && officeEnd.MatchString(strings.TrimRight(s, "）)")) && organWord.MatchString(s)
}

// setAuthor tells a person from an office.
func (u *understanding) setAuthor(s string) {
	s = strings.TrimSpace(s)
	if cleanCredit(s) == "" {
		return
	}
	if names, office := personsAndOffice(s); names != nil && office != "" {
		u.Author, u.AuthorOffice, u.AuthorBody = strings.Join(names, "、"), office, bodyOf(office)
		return
	}
	name, office, _ := cutAny(s, "，系", ",系", "，为", "，", ",", " 系 ", "系")
	name = joinNames(name)
	switch {
	case isName(name):
		u.Author = name
		u.AuthorOffice = strings.TrimSpace(strings.TrimPrefix(office, "系"))
	case officeEnd.MatchString(s) || organWord.MatchString(s):
		u.AuthorOffice = s
	default:
		u.Author = s // a name that is not Chinese, or a pen name
	}
	if u.AuthorOffice != "" {
		u.AuthorBody = bodyOf(u.AuthorOffice)
	}
}

func cutAny(s string, seps ...string) (before, after string, found bool) {
	for _, sep := range seps {
		if before, after, found = strings.Cut(s, sep); found {
			return before, after, true
		}
	}
	return s, "", false
}

// joinNames writes several names with 、 between them; a name of two characters may
// hold a space (王 晔).
func joinNames(s string) string {
	s = strings.TrimSpace(fold(s))
	parts := strings.Fields(s)
	if len(parts) < 2 || strings.Contains(s, "、") {
		return s
	}
	if len(parts) == 2 && utf8.RuneCountInString(parts[0]) == 1 && utf8.RuneCountInString(parts[1]) == 1 {
		return s
	}
	for _, p := range parts {
		if n := utf8.RuneCountInString(p); n < 2 || n > 4 || !isName(p) {
			return s
		}
	}
	return strings.Join(parts, "、")
}

// isName reports whether s looks like one or more Chinese names.
func isName(s string) bool {
	for part := range strings.SplitSeq(s, "、") {
		part = strings.TrimSpace(part)
		if !hanName.MatchString(part) || officeEnd.MatchString(part) ||
			strings.ContainsAny(lastRunes(part, 1), "部局委办会院司处长记社网厅") {
			return false
		}
	}
	return true
}

// bodyOf returns the organ in an office: 民政部部长、党组书记 → 民政部.
func bodyOf(office string) string {
	at := firstOffice.FindStringIndex(office)
	if at == nil || at[0] == 0 {
		return ""
	}
	return strings.TrimRight(office[:at[0]], " 、，副")
}

// noCredit are values of 来源 that name nobody.
var noCredit = map[string]bool{
	"未知": true, "无": true, "其他": true, "其它": true, "佚名": true, "不详": true, "-": true, "--": true, "网络": true, "admin": true, "管理员": true, "匿名": true,
}

var ownCredit = map[string]bool{"本网": true, "本站": true, "本网站": true, "原创": true, "本站原创": true}

// issueOf is a periodical with its issue: 《样例经济》2026年第6期.
var issueOf = lazyregexp.New(`^《([^《》]{2,30})》[\s，,（(]*(?:19|20)\d{2}年?(?:第?\d{1,3}期|\d{1,2}月.{0,12}|第\d+卷.{0,10})?[)）]?$`)

// cleanCredit returns "" for words that name nobody.
func cleanCredit(s string) string {
	s = strings.TrimSpace(s)
	if m := issueOf.FindStringSubmatch(s); m != nil {
		s = m[1]
	}
	for _, pair := range []string{"《》", "[]", "【】"} {
		open, end := firstRunes(pair, 1), lastRunes(pair, 1)
		if inner, ok := strings.CutPrefix(s, open); ok && !strings.Contains(strings.TrimSuffix(inner, end), end) || strings.HasSuffix(s, end) && !strings.Contains(s, open) {
			s = strings.TrimSpace(strings.TrimSuffix(inner, end))
		}
	}
	if noCredit[strings.ToLower(s)] {
		return ""
	}
	return s
}

// credit reads 来源: the label, else the meta element. "本站" is the site itself.
func (u *understanding) credit() {
	value := ""
	for _, l := range u.e.Labels {
		if label.KindOf(l.Name) == label.Source && value == "" {
			value = cleanCredit(l.Value)
		}
	}
	for _, p := range u.e.Meta {
		if value == "" && strings.EqualFold(p.Name, "ContentSource") {
			value = cleanCredit(p.Content)
		}
	}
	if ownCredit[value] {
		value = u.siteName()
	}
	if utf8.RuneCountInString(value) <= 40 {
		u.Credit = value
	}
}

func (u *understanding) siteName() string {
	for _, p := range u.e.Meta {
		if strings.EqualFold(p.Name, "SiteName") {
			return p.Content
		}
	}
	return u.e.SiteName
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
	return han > 0 && han*3 >= other // a Latin word has many letters
}
