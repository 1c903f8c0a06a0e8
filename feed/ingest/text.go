package ingest

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"

	"dibao/policy"
)

// collapse makes every run of white space, U+3000 and U+00A0 included, one
// space, drops characters that have no width or turn the direction of what
// follows, and trims the ends.
func collapse(s string) string {
	if isCollapsed(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, r := range s {
		switch {
		case isSpace(r):
			space = true
		case isInvisible(r):
		default:
			if space && b.Len() > 0 {
				b.WriteByte(' ')
			}
			space = false
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isCollapsed is the common case: nothing to do and nothing to copy.
func isCollapsed(s string) bool {
	if strings.HasPrefix(s, " ") || strings.HasSuffix(s, " ") || strings.Contains(s, "  ") {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r != ' ' && isSpace(r) || isInvisible(r) || r == utf8.RuneError
	})
}

// isSpace knows every character of the Unicode category Zs and the line and page
// breaks.
func isSpace(r rune) bool {
	return unicode.IsSpace(r) || r == '\u180e'
}

// isInvisible knows what a reader does not see but a comparison would: control
// and format characters, soft hyphens, byte order marks, marks of direction.
// The joiners of emoji and of Indic scripts go too.
func isInvisible(r rune) bool {
	return unicode.Is(unicode.Cf, r) || unicode.IsControl(r) && !isSpace(r)
}

// clip cuts text to n characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// firstOf returns the first value that is not blank, trimmed.
func firstOf(values ...string) string {
	for _, v := range values {
		if v = strings.TrimSpace(v); v != "" {
			return v
		}
	}
	return ""
}

// unseen are the elements whose text nobody reads on a page.
var unseen = map[string]bool{
	"script": true, "style": true, "noscript": true, "template": true, "head": true, "title": true, "iframe": true,
	"svg": true, "math": true, "select": true, "textarea": true, "button": true, "noembed": true, "noframes": true,
	"xmp": true, "plaintext": true,
}

// plainText returns the text of markup, white space collapsed. It does not
// build a tree, so that no markup is too deep for it.
func plainText(markup string) string {
	if !strings.ContainsAny(markup, "<&") {
		return collapse(markup)
	}
	var b strings.Builder
	hidden := ""
	z := html.NewTokenizer(strings.NewReader(markup))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return collapse(b.String())
		case html.TextToken:
			if hidden == "" {
				b.Write(z.Text())
			}
		case html.StartTagToken:
			name, _ := z.TagName()
			if hidden == "" && unseen[string(name)] && string(name) != "head" {
				hidden = string(name)
			} else if blockTags[string(name)] || string(name) == "td" || string(name) == "th" {
				b.WriteByte(' ')
			}
		case html.SelfClosingTagToken, html.EndTagToken:
			name, _ := z.TagName()
			if string(name) == hidden {
				hidden = ""
			} else if blockTags[string(name)] {
				b.WriteByte(' ')
			}
		}
	}
}

// looksLikeHTML finds an element that pages have and plain texts don't.
var looksLikeHTML = regexp.MustCompile(`(?i)<(?:!doctype|html|head|body|div|p|table|meta|span|a|br)\b[^<>]*>`)

// IsText reports whether a body is plain text and no markup.
func IsText(p Page) bool {
	text, _ := Decode(p.Body, p.ContentType, "")
	return !looksLikeHTML.MatchString(text)
}

// FromText makes an article of a plain text: its first line is the title, with or
// without the mark of a heading, every other line a paragraph.
func FromText(p Page, s Source) Item {
	text, _ := Decode(p.Body, p.ContentType, s.Settings.Charset)
	e := policy.Evidence{URL: p.URL, SiteName: s.Name, Zone: s.Zone, Issuer: s.Issuer, Region: s.Region}
	for line := range strings.Lines(text) {
		line = collapse(line)
		line = strings.TrimSpace(strings.TrimLeft(line, "#"))
		switch {
		case line == "" || strings.HasPrefix(line, "<!--") || len(e.Paragraphs) >= maxBlocks:
		case e.Title == "":
			e.Title = clip(line, maxTitle)
		default:
			e.Paragraphs = append(e.Paragraphs, line)
		}
	}
	return Item{GUID: p.URL, URL: p.URL, Title: e.Title, HTML: escapeParagraphs(e.Paragraphs), Evidence: e}
}
