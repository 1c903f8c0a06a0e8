package publish

import (
	"encoding/xml"
	"io"
	"strconv"
	"time"

	"github.com/gorilla/feeds"
)

// The library's Atom has one link per feed and one category per entry, and no
// language; these types add the rest of RFC 4287.
type atomDocument struct {
	XMLName    xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
	Lang       string   `xml:"xml:lang,attr,omitempty"`
	History    string   `xml:"xmlns:fh,attr,omitempty"`
	Tombstones string   `xml:"xmlns:at,attr,omitempty"`
	atomFeed
	Links   []feeds.AtomLink
	Archive *struct{}     `xml:"fh:archive"`
	Removed []atomRemoval `xml:"at:deleted-entry"`
	Entries []atomEntry   `xml:"entry"`
}

type atomRemoval struct {
	Ref     string `xml:"ref,attr"`
	When    string `xml:"when,attr"`
	Comment string `xml:"at:comment,omitempty"`
}

// atomFeed contains the library's elements that we use unchanged.
type atomFeed struct {
	Title     string            `xml:"title"`
	ID        string            `xml:"id"`
	Updated   string            `xml:"updated"`
	Subtitle  string            `xml:"subtitle,omitempty"`
	Generator string            `xml:"generator"`
	Author    *feeds.AtomAuthor `xml:"author"`
}

type atomEntry struct {
	*feeds.AtomEntry
	Categories []atomCategory `xml:"category"`
	Source     *atomSource    `xml:"source"`
}

type atomCategory struct {
	Term   string `xml:"term,attr"`
	Scheme string `xml:"scheme,attr,omitempty"`
	Label  string `xml:"label,attr,omitempty"`
}

type atomSource struct {
	ID      string `xml:"id"`
	Title   string `xml:"title"`
	Updated string `xml:"updated"`
}

func writeAtom(w io.Writer, f Feed) error {
	if err := missing(f); err != nil {
		return err
	}
	f = clean(f)
	doc := atomDocument{Lang: f.Language, atomFeed: atomFeed{
		Title: plain(f.Title), ID: f.ID, Updated: atomTime(f.Updated), Generator: "dibao",
		// An entry without an author has that of the feed (RFC 4287 §4.2.1).
		Author: &feeds.AtomAuthor{AtomPerson: feeds.AtomPerson{Name: plain(f.Title)}},
	}}
	if f.Description != f.Title {
		doc.Subtitle = plain(f.Description)
	}
	doc.Links = []feeds.AtomLink{{Href: f.Link, Rel: "alternate", Type: "text/html"}}
	for _, r := range relatives(f) {
		l := feeds.AtomLink{Href: r[1], Rel: r[0], Type: "application/atom+xml"}
		if r[0] == "hub" {
			l.Type = ""
		}
		doc.Links = append(doc.Links, l)
	}
	if f.isArchive() {
		doc.History, doc.Archive = nsHistory, &struct{}{}
	}
	for _, r := range f.Removed {
		doc.Tombstones = nsTombstones
		doc.Removed = append(doc.Removed, atomRemoval{Ref: r.ID, When: atomTime(r.At), Comment: text(r.Comment)})
	}
	for _, it := range f.Items {
		doc.Entries = append(doc.Entries, newAtomEntry(it, f.Now))
	}
	return writeXML(w, f.Stylesheet, doc)
}

func newAtomEntry(it Item, now time.Time) atomEntry {
	e := atomEntry{AtomEntry: &feeds.AtomEntry{Title: plain(it.Title), Id: it.ID, Updated: atomTime(it.Updated)}}
	if plausible(it.Published, now) {
		e.Published = atomTime(it.Published)
	}
	if it.Link != "" {
		e.Links = append(e.Links, feeds.AtomLink{Href: it.Link, Rel: "alternate", Type: "text/html"})
	}
	for _, x := range it.Enclosures {
		l := feeds.AtomLink{Href: x.URL, Rel: "enclosure", Type: x.Type}
		if x.Length > 0 {
			l.Length = strconv.FormatInt(x.Length, 10)
		}
		e.Links = append(e.Links, l)
	}
	if it.Author != "" {
		e.Author = &feeds.AtomAuthor{AtomPerson: feeds.AtomPerson{Name: plain(it.Author)}}
	}
	if it.HTML != "" {
		e.Content = &feeds.AtomContent{Content: it.HTML, Type: "html"}
	}
	if s := firstOf(it.Summary, it.Title); it.Summary != "" || it.HTML == "" {
		e.Summary = &feeds.AtomSummary{Content: plain(s), Type: "text"}
	}
	for _, c := range it.Categories {
		e.Categories = append(e.Categories, atomCategory(c))
	}
	if it.Credit != "" && it.CreditURL != "" {
		e.Source = &atomSource{ID: it.CreditURL, Title: plain(it.Credit), Updated: atomTime(it.Updated)}
	}
	return e
}

func atomTime(t time.Time) string { return t.Format(time.RFC3339Nano) }
