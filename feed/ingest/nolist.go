package ingest

import (
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
)

var (
	refreshTo = regexp.MustCompile(`(?i)^\s*\d*\s*[;,]\s*url\s*=\s*['"]?([^'"\s]+)`)
	scriptTo  = regexp.MustCompile(`(?:window\.|document\.|top\.|self\.)*location(?:\.href)?\s*=\s*['"]([^'"]{1,500})['"]|location\.(?:replace|assign)\(\s*['"]([^'"]{1,500})['"]`)
	apiPath   = regexp.MustCompile(`['"]((?:https?://[\w.:-]+)?/[\w./-]*(?:api|interface|json|query|search|list|data)[\w./?=&-]*)['"]`)
)

// fewLetters is the most text that a page has which leaves everything to scripts,
// in characters.
const fewLetters = 400

// WhyNoList says in one sentence what a page without a list is, and what to do.
func WhyNoList(p Page) string {
	if IsJSON(p) {
		return "no list of articles was found in the answer; set the paths --item, --title, --link and --date"
	}
	doc, err := parsePage(p, "")
	if err != nil {
		return err.Error()
	}
	base, err := url.Parse(p.URL)
	if err != nil {
		base = &url.URL{}
	}
	base = pageBase(doc, base)
	var frame, scripts string
	text := 0
	for n := range doc.Nodes[0].Descendants() {
		switch {
		case n.Type == html.TextNode && n.Parent != nil && !unseen[n.Parent.Data]:
			text += utf8.RuneCountInString(strings.TrimSpace(n.Data))
		case n.Type != html.ElementNode:
		case n.Data == "meta" && strings.EqualFold(attribute(n, "http-equiv"), "refresh"):
			if m := refreshTo.FindStringSubmatch(attribute(n, "content")); m != nil {
				if to := absolute(base, m[1]); to != "" {
					return "the page sends browsers on to " + to + "; use that address"
				}
			}
		case n.Data == "iframe" || n.Data == "frame":
			if to := absolute(base, attribute(n, "src")); to != "" && frame == "" {
				frame = to
			}
		case n.Data == "script":
			scripts += childText(n) + "\n"
		}
	}
	if frame != "" {
		return "the list stands in a frame of the page; use its address: " + frame
	}
	if m := scriptTo.FindStringSubmatch(scripts); m != nil && text < fewLetters {
		if to := absolute(base, firstOf(m[1], m[2])); to != "" {
			return "a script of the page sends browsers on to " + to + "; use that address"
		}
	}
	if text < fewLetters && strings.TrimSpace(scripts) != "" {
		if m := apiPath.FindStringSubmatch(scripts); m != nil {
			return "the page is empty until a script draws it; the script seems to call " + absolute(base, m[1]) + ": try that address as a source"
		}
		return "the page is empty until a script draws it; find the address that the script calls and use it as a source"
	}
	if text == 0 {
		return "the page is empty; look at it in a browser"
	}
	return "no list of articles was found on the page; name a row of it with --item"
}
