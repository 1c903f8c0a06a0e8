package policy

import (
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
