package ingest

import (
	"strings"

	"dibao/feed/ingest/decode"
	"dibao/feed/ingest/plain"
	"dibao/feed/ingest/sanitize"
	"dibao/feed/ingest/textblock"
	"dibao/internal/lazyregexp"
	"dibao/internal/markup"
	"dibao/policy"
	"dibao/policy/cut"
)

func collapse(s string) string { return plain.Collapse(s) }

func clip(s string, n int) string { return cut.First(s, n) }

// firstOf returns the first value that is not blank, trimmed.
func firstOf(values ...string) string {
	for _, v := range values {
		if v = strings.TrimSpace(v); v != "" {
			return v
		}
	}
	return ""
}

// plainText returns the text of markup, with whitespace collapsed.
func plainText(text string) string {
	if !strings.ContainsAny(text, "<&") {
		return collapse(text)
	}
	return collapse(strings.Join(markup.Lines(text), " "))
}

// looksLikeHTML matches elements that occur in pages but not in plain texts.
var looksLikeHTML = lazyregexp.New(`(?i)<(?:!doctype|html|head|body|div|p|table|meta|span|a|br)\b[^<>]*>`)

// IsText reports whether a body is plain text without markup.
func IsText(p Page) bool {
	if _, ok := articleOfJSON(p, ""); ok {
		return false
	}
	if _, ok := answerOfJSON(p, ""); ok {
		return false
	}
	text, _ := decode.Text(p.Body, p.ContentType, "")
	return !looksLikeHTML.MatchString(text)
}

// FromText returns an article made from plain text: its first line, with or without a
// heading mark, is the title, every other line a paragraph.
func FromText(p Page, s Source) Item {
	text, _ := decode.Text(p.Body, p.ContentType, s.Settings.Charset)
	e := policy.Evidence{URL: p.URL, SiteName: s.Name, Zone: s.Zone, Issuer: s.Issuer, Region: s.Region}
	for line := range strings.Lines(text) {
		line = collapse(line)
		line = strings.TrimSpace(strings.TrimLeft(line, "#"))
		switch {
		case line == "" || strings.HasPrefix(line, "<!--") || len(e.Paragraphs) >= textblock.Max:
		case e.Title == "":
			e.Title = clip(line, maxTitle)
		default:
			e.Paragraphs = append(e.Paragraphs, line)
		}
	}
	return Item{GUID: p.URL, URL: p.URL, Title: e.Title, HTML: sanitize.Paragraphs(e.Paragraphs), Evidence: e, Warnings: textblock.CutWarning(len(e.Paragraphs))}
}
