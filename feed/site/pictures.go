package site

import (
	"cmp"
	"html"
	"html/template"
	"strings"

	xhtml "golang.org/x/net/html"
)

// withoutPictures replaces the pictures in sanitized HTML with links to them; the text of a
// link is the description of the picture. A picture that our page loads would reveal every
// reader's address to the source; a link reveals only those who open it. Feeds keep the
// pictures: the feed reader decides.
func withoutPictures(content, word string) template.HTML {
	if !strings.Contains(content, "<img") {
		return template.HTML(content)
	}
	var b strings.Builder
	b.Grow(len(content))
	links := 0 // open links: a link must not contain another
	for z := xhtml.NewTokenizer(strings.NewReader(content)); z.Next() != xhtml.ErrorToken; {
		raw := string(z.Raw())
		switch t := z.Token(); {
		case t.Data == "img" && (t.Type == xhtml.StartTagToken || t.Type == xhtml.SelfClosingTagToken):
			raw = pictureLink(t, word, links > 0)
		case t.Data == "a" && t.Type == xhtml.StartTagToken:
			links++
		case t.Data == "a" && t.Type == xhtml.EndTagToken:
			links = max(0, links-1)
		}
		b.WriteString(raw)
	}
	return template.HTML(b.String())
}

func pictureLink(img xhtml.Token, word string, inLink bool) string {
	var src, alt string
	for _, a := range img.Attr {
		switch a.Key {
		case "src":
			src = a.Val
		case "alt":
			alt = strings.TrimSpace(a.Val)
		}
	}
	text := html.EscapeString(cmp.Or(alt, word))
	if inLink || src == "" {
		return "[" + text + "]"
	}
	return `<a href="` + html.EscapeString(src) + `" rel="noopener noreferrer nofollow">[` + text + `]</a>`
}
