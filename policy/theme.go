package policy

import (
	"strings"

	"dibao/policy/theme"
)

// textLines are the paragraphs in which the beginning of a text lies.
const textLines = 30

// theme uses the page's own classification, else what title, text and issuer
// say.
func (u *understanding) theme() {
	if u.Theme != "" {
		u.ThemeFrom = "主题分类"
		return
	}
	title := u.Title[:min(len(u.Title), maxTitle)]
	organ, _, rest, ok := splitAtVerb(title)
	if ok && namesOrgans(organ) {
		title = rest
	} else {
		organ = strings.Join(u.Issuers, "、")
	}
	u.Theme, u.ThemeFrom = theme.Of(title, organ, strings.Join(u.Paragraphs[:min(len(u.Paragraphs), textLines)], "\n"))
}
