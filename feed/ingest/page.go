package ingest

import (
	"errors"
	"net/url"
	"strings"

	"github.com/PuerkitoBio/goquery"

	"dibao/feed/ingest/decode"
	"dibao/internal/markup"
)

// pageReader reads list pages of sites that have no feed.
type pageReader struct{}

var _ Reader = pageReader{}

// parsePage parses a page whose structure is needed.
func parsePage(p Page, override string) (*goquery.Document, error) {
	doc, plain := parseText(p, override)
	if plain {
		return nil, errCostly
	}
	return doc, nil
}

// parseText parses a page. If it returns true, the page was reduced to plain text: see
// [markup.Parse].
func parseText(p Page, override string) (doc *goquery.Document, plain bool) {
	text, _ := decode.Text(p.Body, p.ContentType, override)
	root, plain := markup.Parse(text)
	return goquery.NewDocumentFromNode(root), plain
}

// pageBase returns the base of the page's relative addresses.
func pageBase(doc *goquery.Document, address *url.URL) *url.URL {
	if href, ok := doc.Find("base[href]").First().Attr("href"); ok {
		if b, err := address.Parse(strings.TrimSpace(href)); err == nil && (b.Scheme == "http" || b.Scheme == "https") {
			return b
		}
	}
	return address
}

// Read returns the rows of a list page, in the page's order. For each, the article's own
// page must be read, too.
func (pageReader) Read(p Page, src Source) ([]Item, error) {
	l, err := ReadList(p, src)
	return l.Items, err
}

var (
	errNoText = errors.New("no text was found on the article's page; set the content selector of the source (--content)")
	errCostly = errors.New("the page cannot be read: its elements are nested too deeply, or so many are left open that reading them would take too much memory")
)
