package policy

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	bylineAlone = regexp.MustCompile(`^[（(]\s*(?:本文)?作者(?:为|系|是|单位)?\s*[:：]?\s*(.{2,60}?)\s*[）)]$`)
	bylineOpen  = regexp.MustCompile(`^(?:作者|文|撰文)\s*[:：/／]\s*(.{2,40})$`)
	reporter    = regexp.MustCompile(`^[（(]?(?:本报|本网|新华社)?记者\s*([\p{Han} 、]{2,20})[）)]?$`)
	officeEnd   = regexp.MustCompile(`(?:长|书记|主任|研究员|教授|委员|主席|总理|秘书|院士|博士|专家|负责人|处|科员)$`)
	organWord   = regexp.MustCompile(`^.{0,30}?(?:部|委员会|委|局|厅|署|会|院|办公室|办|中心|大学|研究所|所|政府|省|市|县|区|社)`)
	firstOffice = regexp.MustCompile(`(?:党组书记|党委书记|书记|副?(?:部|省|市|县|区|局|厅|司|处|会|院|校|所|署|州)长|副?主任|副?主席|研究员|副?教授|委员)`)
	hanName     = regexp.MustCompile(`^\p{Han}{1,2} ?\p{Han}{1,2}(?:·\p{Han}{1,8})?$`)
)

// byline takes the by-line out of the paragraphs: (作者为民政部部长、党组书记) names
// an office, (作者：X，系Y研究员) a person and an office.
func (u *understanding) byline() {
	n := len(u.Paragraphs)
	for _, i := range []int{n - 1, n - 2, 0} {
		if i < 0 || i >= n {
			continue
		}
		p := strings.TrimSpace(u.Paragraphs[i])
		m := bylineAlone.FindStringSubmatch(p)
		if m == nil {
			if m = bylineOpen.FindStringSubmatch(p); m == nil {
				m = reporter.FindStringSubmatch(p)
			}
		}
		if m == nil || utf8.RuneCountInString(p) > 70 {
			continue
		}
		u.Byline = p
		u.setAuthor(m[1])
		u.Paragraphs = append(append([]string{}, u.Paragraphs[:i]...), u.Paragraphs[i+1:]...)
		break
	}
	if u.Author == "" && u.AuthorOffice == "" {
		for _, l := range u.e.Labels {
			if squeeze(l.Name) == "作者" {
				u.setAuthor(l.Value)
			}
		}
	}
	if u.Author == "" && u.AuthorOffice == "" && u.e.FeedAuthor != "" {
		u.setAuthor(u.e.FeedAuthor)
	}
}

// setAuthor tells a person from an office.
func (u *understanding) setAuthor(s string) {
	s = strings.TrimSpace(s)
	if cleanCredit(s) == "" {
		return
	}
	name, office, _ := cutAny(s, "，系", ",系", "，为", "，", ",", " 系 ", "系")
	name = strings.TrimSpace(name)
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

// cleanCredit returns "" for words that name nobody.
func cleanCredit(s string) string {
	s = strings.TrimSpace(strings.Trim(s, "《》[]【】"))
	if noCredit[strings.ToLower(s)] {
		return ""
	}
	return s
}

// credit reads 来源: the label, else the meta element. «本站» is the site itself.
func (u *understanding) credit() {
	value := ""
	for _, l := range u.e.Labels {
		switch squeeze(l.Name) {
		case "来源", "信息来源", "稿件来源", "文章来源":
			if value == "" {
				value = cleanCredit(creditEnd.ReplaceAllString(l.Value, ""))
			}
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

// creditEnd is what pages put behind the name: 人民日报 浏览字号： 大 中 小.
var creditEnd = regexp.MustCompile(`\s+(?:浏览|字号|字体|打印|分享|作者|责任编辑|点击|(?:19|20)\d{2}[-年]).*$`)

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
