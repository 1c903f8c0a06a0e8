package policy

import (
	"strings"

	"dibao/policy/theme"
)

// textLines is the number of paragraphs that contain the beginning of a text.
const textLines = 30

// theme uses the page's own classification, or else title, text and issuer.
func (u *understanding) theme() {
	if u.Theme != "" {
		u.ThemeFrom = "主题分类"
		return
	}
	title := u.Title[:min(len(u.Title), maxTitle)]
	issuer, _, rest, ok := splitAtVerb(title)
	if ok && namesIssuers(issuer) {
		title = rest
	} else {
		issuer = strings.Join(u.Issuers, "、")
	}
	u.Theme, u.ThemeFrom = theme.Of(title, issuer, strings.Join(u.Paragraphs[:min(len(u.Paragraphs), textLines)], "\n"))
}
