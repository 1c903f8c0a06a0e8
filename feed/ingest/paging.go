package ingest

import (
	"net/url"

	"github.com/PuerkitoBio/goquery"

	"dibao/feed/ingest/pager"
	"dibao/feed/ingest/weburl"
)

// NextPage returns the address of the next page of a list, or of the next part of an
// article; "" if there is none.
func NextPage(p Page, s Source) string {
	doc, err := parseList(p, s.Settings.Charset)
	if err != nil {
		return ""
	}
	return pagerOf(doc, p).Next
}

func pagerOf(doc *goquery.Document, p Page) pager.Pager {
	address, err := url.Parse(p.URL)
	if err != nil {
		return pager.Pager{}
	}
	return pager.Find(doc.Nodes[0], address, pageBase(doc, address), weburl.Absolute)
}
