package ingest

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"dibao/internal/markup"
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
var unseen = markup.Unseen

// plainText returns the text of markup, white space collapsed.
func plainText(text string) string {
	if !strings.ContainsAny(text, "<&") {
		return collapse(text)
	}
	return collapse(strings.Join(markup.Lines(text), " "))
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
