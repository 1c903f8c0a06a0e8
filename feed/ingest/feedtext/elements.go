package feedtext

import (
	"encoding/base64"
	"html"
	"strings"

	"dibao/internal/lazyregexp"
)

var (
	bodyTag  = lazyregexp.New(`<(/?)(?:xhtml:body|body|fullitem)\b[^<>]{0,300}>`)
	aboutTag = lazyregexp.New(`<item\s[^<>]{0,100}rdf:about=["']([^"'<>]{1,500})["'][^<>]{0,300}>`)
	feedTag  = lazyregexp.New(`^(\s*<feed\s[^<>]{0,300}?xmlns=)["'][^"'<>]{0,200}["']`)
	plainEl  = lazyregexp.New(`(<(?:title|summary|content|subtitle)\b[^<>]{0,300}\btype=["']text(?:/plain)?["'][^<>]{0,300}>)([^<>]+)(</)`)
	base64El = lazyregexp.New(`(<[\w:]{1,40}\s[^<>]{0,300}mode=)["']base64["']([^<>]{0,300}>)\s*([A-Za-z0-9+/=\s]+)<`)
)

// mapElements rewrites elements that the feed parser would drop into ones that
// it reads: the text that old RSS has in body, xhtml:body or fullitem
// (Userland's and Radio's extensions) becomes content:encoded; an RDF item is
// identified by its rdf:about (RSS 1.0 §5.5); Atom 0.3 may contain markup in
// base64, and its drafts had namespaces of their own.
func mapElements(text, root string) string {
	switch root {
	case "rss", "rdf", "channel":
		if !strings.Contains(text, "body") && !strings.Contains(text, "<fullitem") && !strings.Contains(text, "rdf:about") {
			return text // nearly always
		}
		text = bodyTag.ReplaceAllStringFunc(text, func(tag string) string {
			switch {
			case strings.HasPrefix(tag, "</"):
				return "</content:encoded>"
			case strings.HasSuffix(tag, "/>"):
				return ""
			}
			return `<content:encoded xmlns:content="http://purl.org/rss/1.0/modules/content/">`
		})
		text = aboutTag.ReplaceAllString(text, `$0<guid isPermaLink="false">$1</guid>`)
	case "feed":
		if m := feedTag.FindString(text); m != "" && !strings.Contains(m, "purl.org/atom") && !strings.Contains(m, "w3.org/2005/Atom") {
			text = feedTag.ReplaceAllString(text, `${1}"http://purl.org/atom/ns#"`)
		}
		if strings.Contains(text, "&lt;") && !strings.Contains(text, "base64") {
			// Content of type text is plain text, even if it looks like markup
			// (RFC 4287 §3.1.1.1). The parser does not report the type, so the
			// text is escaped once more.
			text = plainEl.ReplaceAllStringFunc(text, func(element string) string {
				m := plainEl.FindStringSubmatch(element)
				return m[1] + strings.ReplaceAll(m[2], "&", "&amp;") + m[3]
			})
		}
		if !strings.Contains(text, "base64") {
			return text
		}
		return base64El.ReplaceAllStringFunc(text, func(element string) string {
			m := base64El.FindStringSubmatch(element)
			if !strings.Contains(m[1]+m[2], "html") {
				return element // the parser itself decodes plain text
			}
			decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(m[3]), ""))
			if err != nil {
				return element
			}
			return m[1] + `"escaped"` + m[2] + html.EscapeString(string(decoded)) + "<"
		})
	}
	return text
}
