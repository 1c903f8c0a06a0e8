package publish

import (
	"encoding/xml"
	"html"
	"io"
	"strconv"
	"time"

	"github.com/gorilla/feeds"
)

// The library's RSS lacks what the validator requires: the channel's own
// address, ids that say whether they are addresses, authors that are not email
// addresses (dc:creator), and more than one category. These types add them to
// the library's output.
type rssDocument struct {
	XMLName xml.Name   `xml:"rss"`
	Version string     `xml:"version,attr"`
	Atom    string     `xml:"xmlns:atom,attr"`
	Content string     `xml:"xmlns:content,attr"`
	DC      string     `xml:"xmlns:dc,attr"`
	History string     `xml:"xmlns:fh,attr,omitempty"`
	Channel rssChannel `xml:"channel"`
}

type rssChannel struct {
	*feeds.RssFeed
	Links   []rssLink `xml:"atom:link"`
	Archive *struct{} `xml:"fh:archive"`
	Items   []rssItem `xml:"item"`
}

type rssLink struct {
	Href string `xml:"href,attr"`
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr,omitempty"`
}

type rssItem struct {
	*feeds.RssItem
	Creator    string        `xml:"dc:creator,omitempty"`
	Date       string        `xml:"dc:date,omitempty"` // only if there is no pubDate
	Categories []rssCategory `xml:"category"`
	Source     *rssSource    `xml:"source"`
}

type rssCategory struct {
	Domain string `xml:"domain,attr,omitempty"`
	Term   string `xml:",chardata"`
}

type rssSource struct {
	URL  string `xml:"url,attr"`
	Name string `xml:",chardata"`
}

// rfc822 is the date format of RSS with a four-digit year, as the profile recommends.
const rfc822 = "Mon, 02 Jan 2006 15:04:05 -0700"

func writeRSS(w io.Writer, f Feed) error {
	if err := missing(f); err != nil {
		return err
	}
	f = clean(f)
	doc := rssDocument{
		Version: "2.0", Atom: nsAtom, Content: "http://purl.org/rss/1.0/modules/content/", DC: "http://purl.org/dc/elements/1.1/",
		Channel: rssChannel{RssFeed: &feeds.RssFeed{
			Title: plain(f.Title), Link: f.Link, Description: plain(f.Description), Language: f.Language, Generator: "dibao",
			Docs: "https://www.rssboard.org/rss-specification", LastBuildDate: rssTime(f.Updated),
		}},
	}
	if f.isArchive() {
		doc.History, doc.Channel.Archive = nsHistory, &struct{}{}
	}
	for _, r := range relatives(f) {
		l := rssLink{Rel: r[0], Href: r[1], Type: "application/rss+xml"}
		if r[0] == "hub" {
			l.Type = ""
		}
		doc.Channel.Links = append(doc.Channel.Links, l)
	}
	for _, it := range f.Items {
		doc.Channel.Items = append(doc.Channel.Items, newRSSItem(it, f.Now))
	}
	return writeXML(w, f.Stylesheet, doc)
}

func newRSSItem(it Item, now time.Time) rssItem {
	item := rssItem{
		RssItem: &feeds.RssItem{
			Title: plain(it.Title), Link: it.Link,
			// Readers interpret a description as HTML; ours is text.
			Description: html.EscapeString(firstOf(it.Summary, it.Title)),
			Guid:        &feeds.RssGuid{Id: it.ID, IsPermaLink: "false"},
		},
		Creator: it.Author,
	}
	switch {
	case plausible(it.Published, now):
		item.PubDate = rssTime(it.Published)
	case !it.Published.IsZero():
		item.Date = it.Published.Format(time.DateOnly)
	}
	if it.HTML != "" {
		item.Content = &feeds.RssContent{Content: it.HTML}
	}
	if it.Credit != "" && it.CreditURL != "" {
		item.Source = &rssSource{it.CreditURL, plain(it.Credit)}
	}
	for _, c := range it.Categories {
		item.Categories = append(item.Categories, rssCategory{c.Scheme, c.Term})
	}
	if len(it.Enclosures) > 0 { // RSS allows one
		e := it.Enclosures[0]
		item.Enclosure = &feeds.RssEnclosure{Url: e.URL, Type: e.Type, Length: strconv.FormatInt(e.Length, 10)}
	}
	return item
}

func rssTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(rfc822)
}

const (
	nsAtom       = "http://www.w3.org/2005/Atom"
	nsHistory    = "http://purl.org/syndication/history/1.0"
	nsTombstones = "http://purl.org/atompub/tombstones/1.0"
)

// isArchive reports whether to mark f as a document that never changes (RFC 5005 §4). The
// oldest document is not marked, because it has no older document to link to.
func (f Feed) isArchive() bool { return f.Current != "" && f.Older != "" }

// relatives returns the rel and address of a feed's own document, its hub and
// its neighbors (RFC 5005 §3 and §4), if they exist.
func relatives(f Feed) [][2]string {
	var all [][2]string
	for _, r := range [][2]string{{"self", f.Self}, {"hub", f.Hub}, {"current", f.Current}, {"prev-archive", f.Older}, {"next", f.Older}} {
		if r[1] != "" {
			all = append(all, r)
		}
	}
	return all
}

// writeXML writes a document; browsers show it with the style sheet, if there is one.
func writeXML(w io.Writer, stylesheet string, doc any) error {
	head := xml.Header
	if stylesheet != "" {
		head += `<?xml-stylesheet type="text/xsl" href="` + html.EscapeString(stylesheet) + `"?>` + "\n"
	}
	if _, err := io.WriteString(w, head); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", " ")
	if err := enc.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
