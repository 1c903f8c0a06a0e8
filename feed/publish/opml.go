package publish

import (
	"encoding/xml"
	"io"
	"time"
)

// OPMLType is the media type of subscription lists that readers expect.
const OPMLType = "text/x-opml; charset=utf-8"

// Group is a folder of feeds in a subscription list.
type Group struct {
	Title string
	Feeds []Subscribable
}

// Subscribable is a feed in a subscription list.
type Subscribable struct{ Title, Description, XML, HTML string }

type opmlDocument struct {
	XMLName xml.Name      `xml:"opml"`
	Version string        `xml:"version,attr"`
	Title   string        `xml:"head>title"`
	Changed string        `xml:"head>dateModified,omitempty"`
	Docs    string        `xml:"head>docs"`
	Groups  []opmlOutline `xml:"body>outline"`
}

type opmlOutline struct {
	Text        string        `xml:"text,attr"`
	Title       string        `xml:"title,attr,omitempty"`
	Type        string        `xml:"type,attr,omitempty"`
	XML         string        `xml:"xmlUrl,attr,omitempty"`
	HTML        string        `xml:"htmlUrl,attr,omitempty"`
	Description string        `xml:"description,attr,omitempty"`
	Language    string        `xml:"language,attr,omitempty"`
	Feeds       []opmlOutline `xml:"outline"`
}

// WriteOPML writes a subscription list (OPML 2.0). Groups without feeds are left out.
func WriteOPML(w io.Writer, title string, changed time.Time, groups []Group) error {
	doc := opmlDocument{Version: "2.0", Title: text(title), Changed: rssTime(changed), Docs: "https://opml.org/spec2.opml"}
	for _, g := range groups {
		group := opmlOutline{Text: text(g.Title), Title: text(g.Title)}
		for _, f := range g.Feeds {
			name, address := text(f.Title), address(f.XML)
			if address == "" {
				continue
			}
			group.Feeds = append(group.Feeds, opmlOutline{
				Text: firstOf(name, address), Title: firstOf(name, address), Type: "rss", XML: address, HTML: firstOf(f.HTML), Description: text(f.Description), Language: "zh-CN",
			})
		}
		if len(group.Feeds) > 0 {
			doc.Groups = append(doc.Groups, group)
		}
	}
	return writeXML(w, "", doc)
}
