package policy

import (
	"slices"
	"strings"

	"dibao/policy/same"
	"dibao/policy/words"
)

// Link is a link on an article's page.
type Link struct {
	URL  string `json:"url"` // absolute
	Text string `json:"text,omitempty"`
}

// maxOriginals limits the documents that one interpretation explains by its links.
const maxOriginals = 5

var toOriginal = words.New(`原文|文件全文|政策全文|(?:查看|点击|阅读)[^。]{0,4}(?:文件|政策|全文)|^(?:相关|政策)?(?:文件|政策)(?:链接|全文)?[:：]?$|政策文件`)

// originals finds the links of an interpretation that lead to the document that it explains
// (解读 → 原文): links that say so or whose text is a title in the article; or else the only
// link whose text is an official title.
func (u *understanding) originals() {
	if u.Kind != KindInterpretation || len(u.e.Links) == 0 {
		return
	}
	var titled []Link
	for _, l := range u.e.Links {
		if l.URL == u.e.URL || len(l.Text) > maxTitle || len(u.Originals) >= maxOriginals {
			continue
		}
		if toOriginal.MatchString(l.Text) || u.cites(l.Text) {
			u.Originals = append(u.Originals, l)
			continue
		}
		if t := ParseTitle(l.Text); t.Type != "" && (len(t.Issuers) > 0 || t.Relation != "") && !explains.MatchString(l.Text) {
			titled = append(titled, l)
		}
	}
	if len(u.Originals) == 0 && len(titled) == 1 {
		u.Originals = titled
	}
}

// explained finds the document that an interpretation explains among those with a number: the one
// whose title has the core of the title in its own title; or, if its own title names none, the
// only one that it mentions.
func (u *understanding) explained() {
	if u.Kind != KindInterpretation {
		return
	}
	named, numbered := -1, -1
	for i, c := range u.Citations {
		switch {
		case c.Number != "" && c.Relation == RelationInterprets:
			return
		case c.Relation == RelationInterprets:
			if named >= 0 {
				return // it explains several documents
			}
			named = i
		}
	}
	for i, c := range u.Citations {
		if c.Number == "" || c.Relation != "" || c.Status == StatusPromised || named >= 0 && !sameCore(c.Title, u.Citations[named].Title) {
			continue
		}
		if numbered >= 0 {
			return
		}
		numbered = i
	}
	if numbered < 0 || named < 0 && slices.ContainsFunc(u.Citations, func(c Citation) bool { return c.Number != "" && c.Number != u.Citations[numbered].Number }) {
		return
	}
	u.Citations[numbered].Relation = RelationInterprets
	if named >= 0 {
		u.Citations = slices.Delete(u.Citations, named, named+1)
	}
}

// sameCore reports whether two titles are forms of one.
func sameCore(a, b string) bool {
	core := coreOf(a)
	return core != "" && core == coreOf(b)
}

// coreOf returns the words of a title that its short forms share: 关于发展样例经济若干措施的通知 and
// 关于发展样例经济的若干措施. It is "" for a title of a few characters.
func coreOf(title string) string {
	s, _, _ := strings.Cut(title, "（")
	if i := strings.Index(s, "关于"); i >= 0 {
		s = s[i:]
	}
	s = strings.TrimPrefix(strings.TrimPrefix(s, "关于"), "印发")
	s = distributing.ReplaceAllString(s, "")
	if s = same.Clean(strings.ReplaceAll(s, "的", "")); len(s) < 3*minSubject {
		return ""
	}
	return s
}

// distributing matches the type of a document that only distributes another one.
var distributing = words.New(`的?(?:通知|通告|公告|函)$`)

// cites reports whether the text of a link is the title of a document that the article
// explains.
func (u *understanding) cites(text string) bool {
	key := TitleKey(text)
	if len(key) < 3*minSubject {
		return false
	}
	for _, c := range u.Citations {
		if c.Relation == RelationInterprets && (TitleKey(c.Title) == key || c.Number != "" && key == same.Clean(c.Number)) {
			return true
		}
	}
	return false
}
