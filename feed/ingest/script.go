package ingest

import (
	"encoding/json"
	"regexp"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"

	"dibao/internal/markup"
)

// scriptValue finds the members of an object that programs which draw their
// pages in the browser keep the text in; articleBody is schema.org's.
var scriptValue = regexp.MustCompile(`["']?\b(?:\w{0,20}[cC]ontent\w{0,10}|articleBody|txt|text|body|html|detail|zw|nr)["']?\s*:\s*("(?:[^"\\]|\\.)*")`)

// scriptText returns the markup of the longest text that stands as a string in
// the page's scripts, "" if there is none as long as a text.
func scriptText(doc *goquery.Document) string {
	best, most := "", minText-1
	doc.Find("script").Each(func(_ int, s *goquery.Selection) {
		for _, m := range scriptValue.FindAllStringSubmatch(s.Text(), maxAttached) {
			var value string
			if len(m[1]) > most && json.Unmarshal([]byte(m[1]), &value) == nil {
				if n := utf8.RuneCountInString(plainText(value)); n > most {
					best, most = value, n
				}
			}
		}
	})
	return best
}

// fromMarkup returns the body of markup, as text only where its tree would cost
// too much.
func fromMarkup(text string) *goquery.Selection {
	root, _ := markup.Parse(text)
	return goquery.NewDocumentFromNode(root).Find("body").First()
}
