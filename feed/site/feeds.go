package site

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"dibao/feed"
	"dibao/feed/publish"
	"dibao/feed/search"
	"dibao/internal/redact"
	"dibao/internal/web"
	"dibao/policy"
	"dibao/policy/division"
	themes "dibao/policy/theme"
	"dibao/templates"
)

// FeedSpec describes the content of a feed.
type FeedSpec struct {
	Title       string
	Description string // "" means Title
	Link        string // the page with the same content; "" means the page at its path
	Language    string // language of the title: zh or en; "" is zh
	Feed        string // its key in article_feeds, if it has one
	Entries     Entries
}

// findFeed describes the requested feed. It is called only if the feed has to be written,
// so that a request for cached bytes does not query the database.
type findFeed func(context.Context) (FeedSpec, error)

// registerFeeds registers the feeds of articles on mux.
func (h *Web) registerFeeds(mux *http.ServeMux) {
	for _, x := range []struct {
		pattern string
		path    func(*http.Request) string
		spec    func(*http.Request) findFeed
	}{
		{"/", func(*http.Request) string { return "/" }, func(*http.Request) findFeed { return h.everything }},
		{"/sources/{id}/", pathOf("/sources/", "id"), func(r *http.Request) findFeed { return h.ofSource(r.PathValue("id")) }},
		{"/themes/{theme}/", pathOf("/themes/", "theme"), func(r *http.Request) findFeed { return h.ofTheme(r.PathValue("theme")) }},
		{"/regions/{code}/", pathOf("/regions/", "code"), func(r *http.Request) findFeed { return h.ofRegion(r.PathValue("code")) }},
		{"/issuers/{name}/", pathOf("/issuers/", "name"), func(r *http.Request) findFeed { return h.ofIssuer(r.PathValue("name")) }},
		{"/documents/{number}/", pathOf("/documents/", "number"), func(r *http.Request) findFeed { return h.ofDocument(r.PathValue("number")) }},
		{"/documents/{number}/chain/", func(r *http.Request) string { return pathOf("/documents/", "number")(r) + "chain/" }, func(r *http.Request) findFeed { return h.ofChain(r.PathValue("number")) }},
	} {
		RegisterFeeds(mux, x.pattern, func(w http.ResponseWriter, r *http.Request, f publish.Format) {
			h.ServeFeed(w, r, f, x.path(r), x.spec(r))
		})
	}
	RegisterFeeds(mux, "/search/", h.searchFeed)
}

// RegisterFeeds registers the feeds below a pattern, which ends in a slash, on
// mux: one for each format, and one in the format that the client prefers.
func RegisterFeeds(mux *http.ServeMux, pattern string, serve func(http.ResponseWriter, *http.Request, publish.Format)) {
	for _, f := range publish.Formats {
		mux.HandleFunc("GET "+pattern+"feed"+f.Suffix, func(w http.ResponseWriter, r *http.Request) { serve(w, r, f) })
	}
	mux.HandleFunc("GET "+pattern+"feed", func(w http.ResponseWriter, r *http.Request) { serve(w, r, negotiate(r)) })
}

// feedTypes are the media types that select a format, by index in publish.Formats; anything
// ambiguous means RSS.
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
		mediaType, _, _ := strings.Cut(f.MediaType, ";") // feed readers expect the type without parameters
		links[i] = templates.FeedLink{Title: title + " · " + f.Name, URL: base + path + "feed" + f.Suffix, Type: mediaType}
	}
	return links
}

func (h *Web) everything(context.Context) (FeedSpec, error) {
	return FeedSpec{Title: h.SiteName, Link: h.BaseURL + "/", Entries: allEntries(h.Store)}, nil
}

func (h *Web) ofSource(id string) findFeed {
	return func(ctx context.Context) (FeedSpec, error) {
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			return FeedSpec{}, feed.ErrNotFound
		}
		src, err := h.Store.SourceByID(ctx, n)
		link := redact.Text(src.URL)
		if !strings.HasPrefix(link, "http") { // a mailbox folder on our machine
			link = h.BaseURL + "/"
		}
		return FeedSpec{Title: src.Name + " · " + h.SiteName, Description: src.Name, Link: link, Entries: entriesIn(h.Store, "source/"+id)}, err
	}
}

func (h *Web) ofTheme(theme string) findFeed {
	return func(context.Context) (FeedSpec, error) {
		if main := themes.Main(theme); main != "" {
			if !strings.HasPrefix(theme, main) {
				theme = main // 民政 means 民政、扶贫、救灾
			}
			return FeedSpec{Title: theme + " · " + h.SiteName, Description: theme, Feed: "theme/" + theme, Entries: entriesIn(h.Store, "theme/"+theme)}, nil
		}
		return h.ifAny("theme/"+theme, theme)
	}
}

func (h *Web) ofRegion(code string) findFeed {
	return func(context.Context) (FeedSpec, error) {
		name := division.Name(code)
		if name == "" {
			return FeedSpec{}, feed.ErrNotFound
		}
		return FeedSpec{Title: name + " · " + h.SiteName, Description: name, Feed: "region/" + division.TrimCode(code), Entries: entriesIn(h.Store, "region/"+division.TrimCode(code))}, nil
	}
}

func (h *Web) ofIssuer(name string) findFeed {
	return func(ctx context.Context) (FeedSpec, error) { return h.ifAny("issuer/"+name, name) }
}

// ofDocument is the feed of the articles that contain a document or mention its number.
func (h *Web) ofDocument(number string) findFeed {
	return func(ctx context.Context) (FeedSpec, error) {
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

// ofChain is the feed of the documents that implement a document.
func (h *Web) ofChain(number string) findFeed {
	return func(ctx context.Context) (FeedSpec, error) {
		found, err := h.Store.FindDocuments(ctx, number)
		if err == nil && len(found) == 0 {
			err = feed.ErrNotFound
		}
		if err != nil {
			return FeedSpec{}, err
		}
		d := found[0]
		return FeedSpec{
			Title: templates.Words("zh", "feed.chain.title", d.Title) + " · " + h.SiteName, Description: templates.Words("zh", "feed.chain.description", d.Title),
			Link: h.BaseURL + "/documents/" + url.PathEscape(number), Entries: implementing(h.Store, d.ID),
		}, nil
	}
}

// maxQueryBytes is the maximum length, in bytes, of a query that has a feed.
const maxQueryBytes = 300

// searchFeed returns the feed of the newest results of a query.
func (h *Web) searchFeed(w http.ResponseWriter, r *http.Request, f publish.Format) {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(r.URL.Query().Get("q"), "")), " ")
	if text == "" || len(text) > maxQueryBytes {
		web.NotFound(w, r)
		return
	}
	language := "zh"
	ask := feedRequest{format: f, path: "/search/", query: "?q=" + url.QueryEscape(text), negotiated: !strings.HasSuffix(r.URL.Path, f.Suffix)}
	if web.LanguageChosen(r) && web.Language(r) == "en" {
		language = "en"
		ask.query += "&lang=en"
	}
	ask.find = func(ctx context.Context) (FeedSpec, error) {
		found, err := h.Store.Search(ctx, search.Query{Text: text, Limit: 4 * PageSize})
		var places []Place
		for _, hit := range found.Hits {
			places = append(places, Place{Number: hit.Article.ID, Article: hit.Article.ID})
		}
		return FeedSpec{
			Title:       templates.Words(language, "feed.search.title", text) + " · " + h.SiteName,
			Description: templates.Words(language, "feed.search.description", text),
			Link:        h.BaseURL + "/search" + ask.query, Language: language, Entries: newestEntries(places),
		}, err
	}
	if err := h.answerFeed(w, r, ask); err != nil {
		h.fail(w, r, err)
	}
}

// ifAny returns the feed of something that exists only if articles mention it.
func (h *Web) ifAny(key, title string) (FeedSpec, error) {
	return FeedSpec{Title: title + " · " + h.SiteName, Description: title, Feed: key, Entries: entriesIn(h.Store, key).OrNotFound()}, nil
}

// ServeFeed answers with the feed of the page at path, which ends in a slash:
// the newest items, or with ?page= an archive document (RFC 5005).
func (h *Web) ServeFeed(w http.ResponseWriter, r *http.Request, f publish.Format, path string, find func(context.Context) (FeedSpec, error)) {
	h.serveFeed(w, r, f, path, "", find)
}

// serveFeed is ServeFeed with the query of the page, which begins with a question mark.
func (h *Web) serveFeed(w http.ResponseWriter, r *http.Request, f publish.Format, path, query string, find findFeed) {
	ask := feedRequest{format: f, path: path, query: query, find: find, day: dayOf(h, query)}
	if page := r.URL.Query().Get("page"); page != "" {
		n, err := strconv.ParseInt(page, 10, 64)
		if err != nil || n < 1 {
			web.NotFound(w, r)
			return
		}
		ask.upTo = n
	}
	// The address without a format has its own key in caches.
	ask.negotiated = !strings.HasSuffix(r.URL.Path, f.Suffix)
	if err := h.answerFeed(w, r, ask); err != nil {
		h.fail(w, r, err)
	}
}

// feedRequest is a request for a feed.
type feedRequest struct {
	format     publish.Format
	path       string // path of the page, with a trailing slash
	find       findFeed
	query      string // query of a search, with the question mark
	upTo       int64  // the last place of an archive document, 0 means the feed itself
	negotiated bool
	day        string // the date on which the response depends, "" if it does not
}

func (q feedRequest) key() string {
	key := q.path + "feed" + q.format.Suffix + q.query
	if q.negotiated {
		key = q.path + "feed " + q.format.Suffix + q.query
	}
	if q.day != "" {
		key += " " + q.day
	}
	if q.upTo > 0 {
		key += "?page=" + strconv.FormatInt(q.upTo, 10)
	}
	return key
}

func (h *Web) answerFeed(w http.ResponseWriter, r *http.Request, ask feedRequest) error {
	version, _, err := h.Store.Version(r.Context())
	if err != nil {
		return err
	}
	if isOpened(r) && ask.format.Name != "json" {
		return h.feedPage(w, r, ask, version)
	}
	return h.Cache.Serve(w, r, ask.key(), version, func() (web.Document, error) {
		doc, changed, err := h.fillFeed(r.Context(), ask)
		if err != nil {
			return web.Document{}, err
		}
		return h.document(ask, doc, changed)
	})
}
