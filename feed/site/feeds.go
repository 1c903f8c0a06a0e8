package site

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"dibao/feed"
	"dibao/feed/publish"
	"dibao/feed/search"
	"dibao/internal/redact"
	"dibao/internal/web"
	"dibao/policy"
	"dibao/templates"
)

// Spec says what a feed is made of.
type Spec struct {
	Title       string
	Description string // "": Title
	Link        string // the page that it mirrors; "": the one at its path
	Feed        string // its key in article_feeds, where it has one
	Entries     Entries
}

// spec finds what a request asks for. It is called only when the feed has to be
// written, so that a request for known bytes asks the database nothing.
type spec func(context.Context) (Spec, error)

// registerFeeds puts the feeds of articles on mux.
func (h *Web) registerFeeds(mux *http.ServeMux) {
	for _, x := range []struct {
		pattern string
		path    func(*http.Request) string
		spec    func(*http.Request) spec
	}{
		{"/", func(*http.Request) string { return "/" }, func(*http.Request) spec { return h.everything }},
		{"/sources/{id}/", pathOf("/sources/", "id"), func(r *http.Request) spec { return h.ofSource(r.PathValue("id")) }},
		{"/themes/{theme}/", pathOf("/themes/", "theme"), func(r *http.Request) spec { return h.ofTheme(r.PathValue("theme")) }},
		{"/regions/{code}/", pathOf("/regions/", "code"), func(r *http.Request) spec { return h.ofRegion(r.PathValue("code")) }},
		{"/issuers/{name}/", pathOf("/issuers/", "name"), func(r *http.Request) spec { return h.ofIssuer(r.PathValue("name")) }},
		{"/documents/{number}/", pathOf("/documents/", "number"), func(r *http.Request) spec { return h.ofDocument(r.PathValue("number")) }},
		{"/documents/{number}/chain/", func(r *http.Request) string { return pathOf("/documents/", "number")(r) + "chain/" }, func(r *http.Request) spec { return h.ofChain(r.PathValue("number")) }},
	} {
		RegisterFeeds(mux, x.pattern, func(w http.ResponseWriter, r *http.Request, f publish.Format) {
			h.ServeFeed(w, r, f, x.path(r), x.spec(r))
		})
	}
	RegisterFeeds(mux, "/search/", h.searchFeed)
}

// RegisterFeeds puts the feeds below a pattern, which ends in a slash, on mux:
// one of each format, and one that is in the format that the client likes best.
func RegisterFeeds(mux *http.ServeMux, pattern string, serve func(http.ResponseWriter, *http.Request, publish.Format)) {
	for _, f := range publish.Formats {
		mux.HandleFunc("GET "+pattern+"feed"+f.Suffix, func(w http.ResponseWriter, r *http.Request) { serve(w, r, f) })
	}
	mux.HandleFunc("GET "+pattern+"feed", func(w http.ResponseWriter, r *http.Request) { serve(w, r, negotiate(r)) })
}

// feedTypes are the media types that mean a format, by its place in
// publish.Formats; what says nothing certain means RSS.
var feedTypes = []struct {
	mediaType string
	format    int
}{
	{"application/rss+xml", 0}, {"application/atom+xml", 1}, {"application/feed+json", 2}, {"application/json", 2},
	{"application/xml", 0}, {"text/xml", 0}, {"text/html", 0},
}

func negotiate(r *http.Request) publish.Format {
	types := make([]string, len(feedTypes))
	for i, t := range feedTypes {
		types[i] = t.mediaType
	}
	return publish.Formats[feedTypes[max(web.Prefer(strings.Join(r.Header.Values("Accept"), ","), types...), 0)].format]
}

// pathOf returns the path of the page that a request's feed belongs to.
func pathOf(prefix, value string) func(*http.Request) string {
	return func(r *http.Request) string { return prefix + url.PathEscape(r.PathValue(value)) + "/" }
}

// FeedLinks returns the feeds of the page at path, which ends in a slash.
func FeedLinks(base, path, title string) []templates.FeedLink {
	links := make([]templates.FeedLink, len(publish.Formats))
	for i, f := range publish.Formats {
		mediaType, _, _ := strings.Cut(f.MediaType, ";") // readers look for the type alone
		links[i] = templates.FeedLink{Title: title + " · " + f.Name, URL: base + path + "feed" + f.Suffix, Type: mediaType}
	}
	return links
}

func (h *Web) everything(context.Context) (Spec, error) {
	return Spec{Title: h.SiteName, Link: h.BaseURL + "/", Entries: allEntries(h.Store)}, nil
}

func (h *Web) ofSource(id string) spec {
	return func(ctx context.Context) (Spec, error) {
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			return Spec{}, feed.ErrNotFound
		}
		src, err := h.Store.SourceByID(ctx, n)
		link := redact.Text(src.URL)
		if !strings.HasPrefix(link, "http") { // a mailbox folder of ours
			link = h.BaseURL + "/"
		}
		return Spec{Title: src.Name + " · " + h.SiteName, Description: src.Name, Link: link, Entries: entriesIn(h.Store, "source/"+id)}, err
	}
}

func (h *Web) ofTheme(theme string) spec {
	return func(context.Context) (Spec, error) {
		if main := feed.MainTheme(theme); main != "" {
			if !strings.HasPrefix(theme, main) {
				theme = main // 民政 stands for 民政、扶贫、救灾
			}
			return Spec{Title: theme + " · " + h.SiteName, Description: theme, Feed: "theme/" + theme, Entries: entriesIn(h.Store, "theme/"+theme)}, nil
		}
		return h.ifAny("theme/"+theme, theme)
	}
}

func (h *Web) ofRegion(code string) spec {
	return func(context.Context) (Spec, error) {
		name := policy.RegionName(code)
		if name == "" {
			return Spec{}, feed.ErrNotFound
		}
		return Spec{Title: name + " · " + h.SiteName, Description: name, Feed: "region/" + policy.TrimRegion(code), Entries: entriesIn(h.Store, "region/"+policy.TrimRegion(code))}, nil
	}
}

func (h *Web) ofIssuer(name string) spec {
	return func(ctx context.Context) (Spec, error) { return h.ifAny("issuer/"+name, name) }
}

// ofDocument is the feed of what carries a document or names its number.
func (h *Web) ofDocument(number string) spec {
	return func(ctx context.Context) (Spec, error) {
		if canonical, ok := policy.ParseNumber(number); ok {
			number = canonical
		}
		s, err := h.ifAny("number/"+number, number)
		if err != nil {
			return s, err
		}
		found, err := h.Store.FindDocuments(ctx, number)
		if len(found) > 0 {
			s.Title, s.Description = found[0].Title+" · "+h.SiteName, number+" "+found[0].Title
		}
		return s, err
	}
}

// ofChain is the feed of who implements a document.
func (h *Web) ofChain(number string) spec {
	return func(ctx context.Context) (Spec, error) {
		found, err := h.Store.FindDocuments(ctx, number)
		if err == nil && len(found) == 0 {
			err = feed.ErrNotFound
		}
		if err != nil {
			return Spec{}, err
		}
		d := found[0]
		return Spec{
			Title: "落实：" + d.Title + " · " + h.SiteName, Description: "各地各部门落实《" + d.Title + "》的文件",
			Link: h.BaseURL + "/documents/" + url.PathEscape(number), Entries: implementing(h.Store, d.ID),
		}, nil
	}
}

// maxQueryBytes is how long a query may be that has a feed, in bytes.
const maxQueryBytes = 300

// searchFeed serves the newest of what a query finds.
func (h *Web) searchFeed(w http.ResponseWriter, r *http.Request, f publish.Format) {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(r.URL.Query().Get("q"), "")), " ")
	if text == "" || len(text) > maxQueryBytes {
		web.NotFound(w, r)
		return
	}
	ask := feedRequest{format: f, path: "/search/", query: "?q=" + url.QueryEscape(text), negotiated: !strings.HasSuffix(r.URL.Path, f.Suffix)}
	ask.find = func(ctx context.Context) (Spec, error) {
		found, err := h.Store.Search(ctx, search.Query{Text: text, Limit: 4 * PageSize})
		var places []Place
		for _, hit := range found.Hits {
			places = append(places, Place{Number: hit.Article.ID, Article: hit.Article.ID})
		}
		return Spec{
			Title: "检索：" + text + " · " + h.SiteName, Description: "检索“" + text + "”的最新结果",
			Link: h.BaseURL + "/search" + ask.query, Entries: newestEntries(places),
		}, err
	}
	if err := h.answerFeed(w, r, ask); err != nil {
		h.fail(w, r, err)
	}
}

// ifAny is the feed of something that exists only as far as articles speak of it.
func (h *Web) ifAny(key, title string) (Spec, error) {
	return Spec{Title: title + " · " + h.SiteName, Description: title, Feed: key, Entries: entriesIn(h.Store, key).OrNotFound()}, nil
}

// ServeFeed answers with the feed of the page at path, which ends in a slash:
// the newest items, with ?page= an archive document (RFC 5005).
func (h *Web) ServeFeed(w http.ResponseWriter, r *http.Request, f publish.Format, path string, find func(context.Context) (Spec, error)) {
	ask := feedRequest{format: f, path: path, find: find}
	if page := r.URL.Query().Get("page"); page != "" {
		n, err := strconv.ParseInt(page, 10, 64)
		if err != nil || n < 1 {
			web.NotFound(w, r)
			return
		}
		ask.upTo = n
	}
	// The address that names no format has a name of its own in caches.
	ask.negotiated = !strings.HasSuffix(r.URL.Path, f.Suffix)
	if err := h.answerFeed(w, r, ask); err != nil {
		h.fail(w, r, err)
	}
}

// feedRequest is what somebody asks for.
type feedRequest struct {
	format     publish.Format
	path       string // of the page, with a slash at its end
	find       spec
	query      string // of a search, with its question mark
	upTo       int64  // of an archive document, 0: none
	negotiated bool
}

func (q feedRequest) key() string {
	key := q.path + "feed" + q.format.Suffix + q.query
	if q.negotiated {
		key = q.path + "feed " + q.format.Suffix + q.query
	}
	if q.upTo > 0 {
		key += "?page=" + strconv.FormatInt(q.upTo, 10)
	}
	return key
}

func (h *Web) answerFeed(w http.ResponseWriter, r *http.Request, ask feedRequest) error {
	stamp, _, err := h.Store.Stamp(r.Context())
	if err != nil {
		return err
	}
	if isOpened(r) && ask.format.Name != "json" {
		return h.feedPage(w, r, ask, stamp)
	}
	return h.Cache.Serve(w, r, ask.key(), stamp, func() (web.Document, error) {
		doc, changed, err := h.fillFeed(r.Context(), ask)
		if err != nil {
			return web.Document{}, err
		}
		return h.document(ask, doc, changed)
	})
}

// feedEpoch dates the ids of feeds, which are the same for ever.
var feedEpoch = time.Date(2011, 6, 21, 0, 0, 0, 0, time.UTC)

// fillFeed fills in what is asked for, and says when the content changed last.
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
		Link: cmp.Or(s.Link, h.BaseURL+ask.path), Language: "zh-CN", Updated: feedEpoch, Now: h.Store.Now(),
		Self: self, Hub: h.hub(), Stylesheet: templates.StaticPath("feed.xsl"),
	}
	if ask.query != "" {
		doc.Hub = "" // it pushes no searches
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
	changed, err := h.fillItems(ctx, &doc, s.Entries, page)
	return doc, changed, err
}

// goneFor is how long a feed says of an article that it was withdrawn.
const goneFor = 90 * 24 * time.Hour

func (h *Web) fillItems(ctx context.Context, doc *publish.Feed, entries Entries, page EntryPage) (changed time.Time, err error) {
	if changed, err = h.Store.CorrectedAt(ctx); err != nil { // whatever was corrected: it may have left this feed
		return time.Time{}, err
	}
	changed = later(doc.Updated, changed)
	ids := page.Articles
	if doc.Current == "" {
		gone, err := entries.Withdrawn(ctx, h.Store.Now().Add(-goneFor))
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
	told := make(map[int64]bool, len(ids))
	for _, id := range ids {
		a, ok := found[id]
		if !ok || told[id] {
			continue
		}
		told[id] = true
		changed = later(changed, a.UpdatedAt)
		if a.Hidden { // nothing is said of it but that readers should drop it
			doc.Removed = append(doc.Removed, publish.Removal{ID: articleID(a, h.BaseURL), At: a.UpdatedAt.In(a.Location())})
			continue
		}
		if !a.WithdrawnAt.IsZero() {
			doc.Removed = append(doc.Removed, publish.Removal{ID: articleID(a, h.BaseURL), At: a.WithdrawnAt.In(a.Location()), Comment: "原网站已撤下此文"})
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

// feedVary is what the answer for a feed depends on.
const feedVary = "Accept-Encoding, Sec-Fetch-Dest"

// feedPolicy lets a browser that does not say what it is show a feed by our style
// sheet, which the standard counts among the scripts (CSP 3 §6.8.1); it runs none.
const feedPolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; " +
	"form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

// document writes a feed, whose content changed at a time last.
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
	if doc.Current != "" { // it never changes, but for what is withdrawn or corrected in it
		header["Cache-Control"] = []string{"public, max-age=86400"}
	}
	return web.Document{Body: buf.Bytes(), MediaType: ask.format.MediaType, Modified: changed, Dated: true, Header: header}, nil
}

// hub is the address of our WebSub hub.
func (h *Web) hub() string { return h.BaseURL + "/hub" }

// PublishItem fills what a feed carries of an article. The text is there only
// if the article was read with it and may be shown.
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
		item.CreditURL = "" // a mailbox folder of ours
	}
	switch {
	case a.UpdatedAt.After(a.CollectedAt) && a.UpdatedAt.After(published): // the text changed since
		item.Updated = a.UpdatedAt.In(zone)
	case published.After(a.CollectedAt) || published.Year() < 1990: // foretold, or older than feeds
		item.Updated = a.CollectedAt.In(zone)
	}
	// Most pages give a day and no time. Two items must not be updated at one
	// instant, so the parts of a second come from the id, which stays.
	item.Updated = item.Updated.Truncate(time.Second).Add(time.Duration(a.ID%1e6) * time.Microsecond)
	if a.MayShowText() {
		item.HTML = a.Content
	}
	for _, c := range []struct{ term, scheme, label string }{
		{string(a.Facts.Kind), base + "/kinds", ""},
		{a.Facts.Theme, base + "/themes", ""},
		{a.Facts.Region, base + "/regions", policy.RegionName(a.Facts.Region)},
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

// articleID is the id of an article in feeds, which is the same for ever.
func articleID(a feed.Article, base string) string {
	return tagURI(base, a.CollectedAt, fmt.Sprintf("article/%d", a.ID))
}

// tagURI makes an id that never changes from the host of base and the day the
// thing came to be (RFC 4151).
func tagURI(base string, at time.Time, specific string) string {
	return publish.TagURI(hostOf(base), at, specific)
}
