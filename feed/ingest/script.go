package ingest

import (
	"encoding/json"
	"strings"
	"unicode"

	"github.com/PuerkitoBio/goquery"

	"dibao/internal/lazyregexp"
	"dibao/internal/markup"
)

// scriptValue matches the members in which programs that render their pages in the browser
// store the text; articleBody is from schema.org.
var scriptValue = lazyregexp.New(`["']?\b(articleBody|(?:article|doc|info|news|html|page|text|main|detail)?[cC]ontent(?:Html|HTML|Txt|Text|s)?|txt|text|body|html|detail|zw|nr)["']?\s*[:=]\s*("(?:[^"\\]|\\.)*")`)

// scriptText returns a function that finds the markup of the longest running text in a
// string of the page's scripts or in a text area, "" if none is long enough. It counts only
// if the page itself shows no text. The scripts may have been removed from the page by
// then.
func scriptText(doc *goquery.Document) func() string {
	scripts, areas := doc.Find("script"), doc.Find("textarea")
	return func() string {
		best, most := "", minText-1
		take := func(value string) {
			if text := plainText(value); runes(text) > most && readsAsProse(text) {
				best, most = value, runes(text)
			}
		}
		scripts.Each(func(_ int, s *goquery.Selection) {
			for _, m := range scriptValue.FindAllStringSubmatch(s.Text(), maxAttached) {
				var value string
				if len(m[2]) > most && json.Unmarshal([]byte(m[2]), &value) == nil {
					take(value)
				}
			}
		})
		areas.Each(func(_ int, s *goquery.Selection) { take(s.Text()) })
		return best
	}
}

// readsAsProse reports whether a text consists of sentences, and is not code, an address or
// a one-line notice.
func readsAsProse(text string) bool {
	var letters, stops, signs int
	for _, r := range text {
		switch {
		case strings.ContainsRune("。，；：、！？", r):
			stops++
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsSpace(r):
			letters++
		case strings.ContainsRune("{}<>=%&$#@|\\_/;+", r):
			signs++
		}
	}
	if signs*20 > letters {
		return false
	}
	return stops >= 3 && stops*60 > letters || strings.Count(text, ". ") >= 2
}

// fromMarkup returns the body of markup, or only its text if its tree would be too
// expensive.
func fromMarkup(text string) *goquery.Selection {
	root, _ := markup.Parse(text)
	return goquery.NewDocumentFromNode(root).Find("body").First()
}
