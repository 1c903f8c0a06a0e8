package publish

import (
	"encoding/xml"
	"io"
	"time"
)

// SitemapPart is the maximum number of addresses in a part of the sitemap; the protocol
// allows ten times that, but such a part takes long to build.
const SitemapPart = 5000

// Location is a page in a sitemap, or a part in its index.
type Location struct {
	URL     string
	Changed time.Time // zero means unknown
}

type sitemapEntry struct {
	Loc     string `xml:"loc"`
	LastMod string `xml:"lastmod,omitempty"`
}

// WriteSitemap writes a part of a sitemap (sitemaps.org 0.9).
func WriteSitemap(w io.Writer, pages []Location) error {
	return writeXML(w, "", struct {
		XMLName xml.Name       `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
		Pages   []sitemapEntry `xml:"url"`
	}{Pages: entries(pages)})
}

// WriteSitemapIndex writes the list of the parts.
func WriteSitemapIndex(w io.Writer, parts []Location) error {
	return writeXML(w, "", struct {
		XMLName xml.Name       `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 sitemapindex"`
		Parts   []sitemapEntry `xml:"sitemap"`
	}{Parts: entries(parts)})
}

func entries(all []Location) []sitemapEntry {
	out := make([]sitemapEntry, 0, len(all))
	for _, l := range all {
		if a := address(l.URL); a != "" {
			e := sitemapEntry{Loc: a}
			if !l.Changed.IsZero() {
				e.LastMod = l.Changed.UTC().Format(time.RFC3339)
			}
			out = append(out, e)
		}
	}
	return out
}
