package ingest

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"dibao/feed/ingest/decode"
	"dibao/feed/ingest/feedtext"
	"dibao/feed/ingest/weburl"
	"dibao/policy"
	"dibao/policy/when"
)

// sitemapReader reads sitemaps (sitemaps.org 0.9), with the titles and dates of
// the news extension if they have it.
type sitemapReader struct{}

var _ Reader = sitemapReader{}

// maxSitemapItems is the maximum number of addresses that are read from a sitemap, newest
// first: it may contain the whole site.
const maxSitemapItems = 200

type sitemapURL struct {
	Loc     string `xml:"loc"`
	Lastmod string `xml:"lastmod"`
	News    struct {
		Title string `xml:"title"`
		Date  string `xml:"publication_date"`
	} `xml:"news"`
}

// Read returns the addresses of a sitemap, newest first. For each, the article's own page
// must be read, too.
func (sitemapReader) Read(p Page, src Source) ([]Item, error) {
	if len(p.Body) > maxFeedBytes {
		return nil, fmt.Errorf("the sitemap is larger than %d MB", maxFeedBytes>>20)
	}
	body, err := decode.Gunzip(p.Body, maxFeedBytes)
	if err != nil {
		return nil, err
	}
	text, _ := decode.Text(body, p.ContentType, src.Settings.Charset)
	text = feedtext.WithoutDeclaration(text)
	if strings.Contains(text, "<!ENTITY") {
		return nil, errors.New("the sitemap declares entities, which are not supported")
	}
	if _, _, err := feedtext.Check(text); err != nil {
		return nil, err
	}
	d := xml.NewDecoder(strings.NewReader(text))
	root := ""
	var items []Item
	changed := make(map[string]string) // by address: the day used for the order
	for {
		token, err := d.Token()
		if err != nil && !errors.Is(err, io.EOF) && len(items) == 0 {
			return nil, fmt.Errorf("this is not a valid sitemap: %w", err)
		}
		if err != nil {
			break // a truncated sitemap has complete entries before the cut
		}
		start, ok := token.(xml.StartElement)
		switch {
		case !ok:
		case root == "":
			if root = start.Name.Local; root != "urlset" && root != "sitemapindex" {
				return nil, fmt.Errorf("this is not a sitemap: its first element is %q", clip(root, 40))
			}
		case root == "sitemapindex" && start.Name.Local == "loc":
			var first string
			if err := d.DecodeElement(&first, &start); err == nil {
				return nil, fmt.Errorf("this is an index of sitemaps; add one of them as a source, such as %s", clip(collapse(first), 200))
			}
		case root == "urlset" && start.Name.Local == "url":
			var u sitemapURL
			if err := d.DecodeElement(&u, &start); err != nil {
				continue
			}
			if it, ok := sitemapItem(u, p.URL, src); ok {
				items = append(items, it)
				changed[it.URL] = firstOf(it.Evidence.ListDate, listDate(u.Lastmod, when.Clock{}))
			}
		}
	}
	if root == "" {
		return nil, errors.New("this is not a sitemap: it has no elements")
	}
	slices.SortStableFunc(items, func(a, b Item) int { return strings.Compare(changed[b.URL], changed[a.URL]) })
	return items[:min(len(items), maxSitemapItems)], nil
}

func sitemapItem(u sitemapURL, base string, src Source) (Item, bool) {
	address := resolve(base, u.Loc)
	if address == "" {
		return Item{}, false
	}
	it := Item{GUID: weburl.Identity(address), URL: address, Title: clip(collapse(u.News.Title), maxTitle), NeedsPage: true}
	it.Evidence = policy.Evidence{
		URL: address, Title: it.Title, SiteName: src.Name, Zone: src.Zone, Issuer: src.Issuer, Region: src.Region, ListTitle: it.Title,
		// lastmod is when the page last changed: good enough for finding new
		// pages, but not a publication date.
		ListDate: listDate(u.News.Date, when.Clock{}),
	}
	return it, true
}
