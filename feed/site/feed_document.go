package site

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"dibao/feed"
	"dibao/feed/publish"
	"dibao/internal/web"
	"dibao/policy/division"
	"dibao/templates"
)

// feedEpoch is the date in the ids of feeds, which never change.
var feedEpoch = time.Date(2011, 6, 21, 0, 0, 0, 0, time.UTC)

// fillFeed sets the requested content, and returns when it last changed.
func (h *Web) fillFeed(ctx context.Context, ask feedRequest) (publish.Feed, time.Time, error) {
	s, err := ask.find(ctx)
	if err != nil {
		return publish.Feed{}, time.Time{}, err
	}
	page, err := s.Entries.Page(ctx, ask.upTo)
	if err != nil {
		return publish.Feed{}, time.Time{}, err
	}
	self := h.BaseURL + ask.path + "feed" + ask.format.Suffix + ask.query
	doc := publish.Feed{
		ID: tagURI(h.BaseURL, feedEpoch, "feed"+ask.path+strings.Replace(ask.query, "+", "%20", -1)), Title: s.Title, Description: cmp.Or(s.Description, s.Title),
		Link: cmp.Or(s.Link, h.BaseURL+ask.path), Language: languageTag(s.Language), Updated: feedEpoch, Now: h.Store.Now(),
		Self: self, Hub: h.hub(), Stylesheet: templates.StaticPath("feed.xsl"),
	}
	if ask.query != "" {
		doc.Hub = "" // searches are not pushed
	}
	if ask.negotiated {
		doc.Self = h.BaseURL + ask.path + "feed" + ask.query
	}
	if ask.upTo > 0 {
		doc.Self, doc.Current, doc.Hub = fmt.Sprintf("%s?page=%d", self, ask.upTo), self, ""
	}
	if page.Older > 0 {
		doc.Older = fmt.Sprintf("%s?page=%d", self, page.Older)
	}
	changed, err := h.fillItems(ctx, &doc, s, page)
	return doc, changed, err
}

// goneFor is how long a feed announces that an article was withdrawn.
const goneFor = 90 * 24 * time.Hour

func (h *Web) fillItems(ctx context.Context, doc *publish.Feed, s FeedSpec, page EntryPage) (changed time.Time, err error) {
	if changed, err = h.Store.CorrectedAt(ctx); err != nil { // any correction may have removed an article from this feed
		return time.Time{}, err
	}
	changed = later(doc.Updated, changed)
	ids := page.Articles
	if doc.Current == "" {
		gone, err := s.Entries.Withdrawn(ctx, h.Store.Now().Add(-goneFor))
		if err != nil {
			return time.Time{}, err
		}
		ids = append(append([]int64{}, ids...), gone...)
	}
	all, err := h.Store.ArticlesForFeed(ctx, ids)
	if err != nil {
		return time.Time{}, err
	}
	found := make(map[int64]feed.Article, len(all))
	for _, a := range all {
		found[a.ID] = a
	}
	seen := make(map[int64]bool, len(ids))
	for _, id := range ids {
		a, ok := found[id]
		if !ok || seen[id] {
			continue
		}
		seen[id] = true
		changed = later(changed, a.UpdatedAt)
		if a.Hidden { // the feed only asks readers to delete it
			doc.Removed = append(doc.Removed, publish.Removal{ID: articleID(a, h.BaseURL), At: a.UpdatedAt.In(a.Location())})
			continue
		}
		if !a.WithdrawnAt.IsZero() {
			doc.Removed = append(doc.Removed, publish.Removal{ID: articleID(a, h.BaseURL), At: a.WithdrawnAt.In(a.Location()), Comment: templates.Words(cmp.Or(s.Language, "zh"), "feed.withdrawn")})
			doc.Updated = later(doc.Updated, a.WithdrawnAt.In(a.Location()))
			continue
		}
		item := PublishItem(a, h.BaseURL, h.Zone)
		doc.Items = append(doc.Items, item)
		doc.Updated = later(doc.Updated, item.Updated)
	}
	return changed, nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// feedVary lists the request headers on which the response for a feed depends.
const feedVary = "Accept-Encoding, Sec-Fetch-Dest"

// feedPolicy lets browsers that do not identify their requests show a feed with our style
// sheet, which the standard treats as a script (CSP 3 §6.8.1). It allows no scripts.
const feedPolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; " +
	"form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

// document writes a feed whose content last changed at this time.
func (h *Web) document(ask feedRequest, doc publish.Feed, changed time.Time) (web.Document, error) {
	var buf bytes.Buffer
	if err := ask.format.Write(&buf, doc); err != nil {
		return web.Document{}, err
	}
	header := http.Header{
		"Access-Control-Allow-Origin":   {"*"},
		"Access-Control-Expose-Headers": {"ETag, Link, Last-Modified"},
		"Content-Security-Policy":       {feedPolicy},
		"Vary":                          {feedVary},
	}
	links := []string{"<" + doc.Self + `>; rel="self"`}
	if doc.Hub != "" { // W3C WebSub §4
		links = append(links, "<"+doc.Hub+`>; rel="hub"`)
	}
	header["Link"] = []string{strings.Join(links, ", ")}
	if ask.negotiated {
		header["Vary"] = []string{"Accept, " + feedVary}
		header["Content-Location"] = []string{ask.path + "feed" + ask.format.Suffix}
	}
	if doc.Current != "" { // it never changes, except for withdrawals and corrections
		header["Cache-Control"] = []string{"public, max-age=86400"}
	}
	return web.Document{Body: buf.Bytes(), MediaType: ask.format.MediaType, Modified: changed, Dated: true, Header: header}, nil
}

// hub returns the address of our WebSub hub.
func (h *Web) hub() string { return h.BaseURL + "/hub" }

// PublishItem returns the feed item of an article. It contains the text only if the article
// was read with it and the text may be shown.
func PublishItem(a feed.Article, base string, zone *time.Location) publish.Item {
	published := a.PublishedIn(zone)
	item := publish.Item{
		ID:        articleID(a, base),
		Link:      feed.ArticleURL(base, a.ID),
		Title:     a.Title(),
		Summary:   a.Facts.Summary,
		Author:    cmp.Or(a.Facts.Author, a.Facts.AuthorOffice),
		Published: published,
		Updated:   published,
		Credit:    a.SourceName,
		CreditURL: a.SourceURL,
	}
	if !strings.HasPrefix(a.SourceURL, "http") {
		item.CreditURL = "" // a mailbox folder on our machine
	}
	switch {
	case a.UpdatedAt.After(a.CollectedAt) && a.UpdatedAt.After(published): // the text changed after the collection
		item.Updated = a.UpdatedAt.In(zone)
	case published.After(a.CollectedAt) || published.Year() < 1990: // in the future, or older than feeds
		item.Updated = a.CollectedAt.In(zone)
	}
	// Most pages give a day without a time. Two items must not have the same update time,
	// so the fraction of a second comes from the id, which never changes.
	item.Updated = item.Updated.Truncate(time.Second).Add(time.Duration(a.ID%1e6) * time.Microsecond)
	if a.MayShowText() {
		item.HTML = a.Content
	}
	for _, c := range []struct{ term, scheme, label string }{
		{string(a.Facts.Kind), base + "/kinds", ""},
		{a.Facts.Theme, base + "/themes", ""},
		{a.Facts.Region, base + "/regions", division.Name(a.Facts.Region)},
		{a.Facts.DocumentNumber, base + "/documents", ""},
	} {
		if c.term != "" {
			item.Categories = append(item.Categories, publish.Category{Term: c.term, Scheme: c.scheme, Label: c.label})
		}
	}
	for _, issuer := range a.Facts.Issuers {
		item.Categories = append(item.Categories, publish.Category{Term: issuer, Scheme: base + "/issuers"})
	}
	for _, e := range a.Attachments {
		if e.Type != "" {
			item.Enclosures = append(item.Enclosures, publish.Enclosure{URL: e.URL, Type: e.Type, Length: e.Bytes})
		}
	}
	return item
}

// articleID returns the id of an article in feeds, which never changes.
func articleID(a feed.Article, base string) string {
	return tagURI(base, a.CollectedAt, fmt.Sprintf("article/%d", a.ID))
}

// tagURI returns an id that never changes, from the host of base and the day on which the
// thing was created (RFC 4151).
func tagURI(base string, at time.Time, specific string) string {
	return publish.TagURI(hostOf(base), at, specific)
}
