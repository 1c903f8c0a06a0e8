package feed

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"dibao/feed/publish"
	"dibao/policy"
	"dibao/templates"
)

// ArticleURL returns our page of an article; base has no slash at its end.
func ArticleURL(base string, id int64) string { return fmt.Sprintf("%s/articles/%d", base, id) }

// ItemView fills what pages and mails show of an article.
func ItemView(a Article, base string) templates.Item {
	f := a.Facts
	v := templates.Item{
		Title: a.Title(), URL: ArticleURL(base, a.ID), SourceURL: a.URL, Source: a.SourceName, Kind: string(f.Kind),
		Issuers: strings.Join(f.Issuers, "、"), Number: f.DocumentNumber, Author: f.Author, Summary: f.Summary,
	}
	if v.Author == "" {
		v.Author = f.AuthorOffice
	}
	for _, d := range []struct {
		key, from string
		on        policy.Date
	}{
		{"published", f.PublishedFrom, f.PublishedOn},
		{"issued", f.IssuedFrom, f.IssuedOn},
		{"effective", f.EffectiveFrom, f.EffectiveOn},
		{"expires", f.ExpiresFrom, f.ExpiresOn},
		{"deadline", f.DeadlineFrom, f.DeadlineOn},
	} {
		if !d.on.IsZero() {
			v.Dates = append(v.Dates, templates.DateFact{Key: d.key, Date: d.on.String(), Provenance: d.from})
		}
	}
	return v
}

// zone is the time zone of the article's source, as far as it is known.
func (a Article) zone() *time.Location {
	if loc, err := time.LoadLocation(a.Evidence.Zone); err == nil && a.Evidence.Zone != "" {
		return loc
	}
	return time.FixedZone("CST", 8*60*60)
}

// changes fills what the article's page shows of its revisions, the newest first.
func (a Article) changes(revisions []Revision) []templates.TextChange {
	var all []templates.TextChange
	next := Revision{Title: a.Title(), Paragraphs: a.Facts.Paragraphs}
	for _, r := range slices.Backward(revisions) {
		change := templates.TextChange{Seen: r.ReplacedAt.In(a.zone()).Format(time.DateOnly)}
		change.Paragraphs = ChangedParagraphs(policy.Diff(append([]string{r.Title}, r.Paragraphs...), append([]string{next.Title}, next.Paragraphs...)))
		all = append(all, change)
		next = r
	}
	return all
}

// ChangedParagraphs fills what a page shows of a comparison: all but what stayed.
func ChangedParagraphs(changes []policy.Change) []templates.ChangedParagraph {
	var all []templates.ChangedParagraph
	for _, c := range changes {
		p := templates.ChangedParagraph{Article: c.Article}
		switch c.Op {
		case policy.Kept:
			continue
		case policy.Removed:
			p.Pieces = []templates.ChangedPiece{{Op: "-", Text: c.Old}}
		case policy.Added:
			p.Pieces = []templates.ChangedPiece{{Op: "+", Text: c.New}}
		default:
			for _, s := range c.Spans {
				p.Pieces = append(p.Pieces, templates.ChangedPiece{Op: strings.TrimSpace(string(s.Op)), Text: s.Text})
			}
		}
		all = append(all, p)
	}
	return all
}

// PublishItem fills what a feed carries of an article. The text is there only
// if the article was read with it and may be shown.
func PublishItem(a Article, base string, zone *time.Location) publish.Item {
	published := a.PublishedIn(zone)
	item := publish.Item{
		ID:        tagURI(base, a.CollectedAt, fmt.Sprintf("article/%d", a.ID)),
		Link:      ArticleURL(base, a.ID),
		Title:     a.Title(),
		Summary:   a.Facts.Summary,
		Author:    a.Facts.Author,
		Published: published,
		Updated:   published,
		Credit:    a.SourceName,
		CreditURL: a.SourceURL,
	}
	if !strings.HasPrefix(a.SourceURL, "http") {
		item.CreditURL = "" // a mailbox folder of ours
	}
	if item.Author == "" {
		item.Author = a.Facts.AuthorOffice
	}
	if a.UpdatedAt.After(a.CollectedAt) && a.UpdatedAt.After(published) { // the text changed since
		item.Updated = a.UpdatedAt
	}
	if a.MayShowText() {
		item.HTML = a.Content
	}
	for _, c := range []struct{ term, scheme string }{
		{string(a.Facts.Kind), base + "/kinds"},
		{a.Facts.Theme, base + "/themes"},
		{a.Facts.Region, base + "/regions"},
		{a.Facts.DocumentNumber, base + "/documents"},
	} {
		if c.term != "" {
			item.Categories = append(item.Categories, publish.Category{Term: c.term, Scheme: c.scheme})
		}
	}
	for _, e := range a.Attachments {
		if e.Type != "" {
			item.Enclosures = append(item.Enclosures, publish.Enclosure{URL: e.URL, Type: e.Type, Length: e.Bytes})
		}
	}
	return item
}

// tagURI makes an id that never changes from the host of base and the day the
// thing came to be (RFC 4151).
func tagURI(base string, at time.Time, specific string) string {
	host := base
	if u, err := url.Parse(base); err == nil && u.Hostname() != "" {
		host = u.Hostname()
	}
	return publish.TagURI(host, at, specific)
}
