package feed

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"dibao/feed/publish"
	"dibao/internal/web"
	"dibao/templates"
)

// feedSize is how many items a feed holds; older ones are on its archive pages.
const feedSize = 50

// Web serves the pages and feeds of articles.
type Web struct {
	Store    *Store
	Cache    *web.Cache
	SiteName string
	BaseURL  string // without a slash at the end
	Zone     *time.Location
	Logger   *slog.Logger
}

// Register puts the handlers on mux.
func (h *Web) Register(mux *http.ServeMux) {
	for _, f := range publish.Formats {
		mux.HandleFunc("GET /feed"+f.Suffix, h.all(f))
		mux.HandleFunc("GET /sources/{id}/feed"+f.Suffix, h.source(f))
	}
	h.registerPages(mux)
}

// FeedLinks returns the feeds of the page at path, which ends in a slash.
func FeedLinks(base, path, title string) []templates.FeedLink {
	links := make([]templates.FeedLink, len(publish.Formats))
	for i, f := range publish.Formats {
		links[i] = templates.FeedLink{Title: title + " · " + f.Name, URL: base + path + "feed" + f.Suffix, Type: f.MediaType}
	}
	return links
}

func (h *Web) all(f publish.Format) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h.serveFeed(w, r, f, publish.Feed{Title: h.SiteName, Description: h.SiteName, Link: h.BaseURL + "/"}, "/", Selection{Limit: feedSize})
	}
}

func (h *Web) source(f publish.Format) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
		if err != nil {
			web.NotFound(w, r)
			return
		}
		src, err := h.Store.sourceByID(r.Context(), id)
		if err != nil {
			h.fail(w, r, err)
			return
		}
		path := fmt.Sprintf("/sources/%d/", id)
		h.serveFeed(w, r, f, publish.Feed{Title: src.Name + " · " + h.SiteName, Description: src.Name, Link: src.URL}, path,
			Selection{Source: id, Limit: feedSize})
	}
}

// serveFeed answers with a feed from the cache, built anew when an article changed.
func (h *Web) serveFeed(w http.ResponseWriter, r *http.Request, f publish.Format, feed publish.Feed, path string, sel Selection) {
	stamp, modified, err := h.Store.Stamp(r.Context())
	if err != nil {
		h.fail(w, r, err)
		return
	}
	err = h.Cache.Serve(w, r, path+"feed"+f.Suffix, stamp, func() (web.Document, error) {
		articles, err := h.Store.ArticlesWithText(r.Context(), sel)
		if err != nil {
			return web.Document{}, err
		}
		return h.WriteFeed(f, feed, path, articles, modified)
	})
	if err != nil {
		h.fail(w, r, err)
	}
}

// WriteFeed fills in what every feed has and writes it with these articles.
func (h *Web) WriteFeed(f publish.Format, feed publish.Feed, path string, articles []Article, modified time.Time) (web.Document, error) {
	feed.ID = tagURI(h.BaseURL, feedEpoch, "feed"+path)
	feed.Self = h.BaseURL + path + "feed" + f.Suffix
	feed.Language = "zh-CN"
	for _, a := range articles {
		feed.Items = append(feed.Items, PublishItem(a, h.BaseURL, h.Zone))
	}
	if feed.Updated.IsZero() {
		feed.Updated = feedEpoch
	}
	for _, it := range feed.Items {
		if it.Updated.After(feed.Updated) {
			feed.Updated = it.Updated
		}
	}
	var buf bytes.Buffer
	if err := f.Write(&buf, feed); err != nil {
		return web.Document{}, err
	}
	return web.Document{Body: buf.Bytes(), MediaType: f.MediaType, Modified: modified}, nil
}

// feedEpoch dates the ids of feeds, which are the same for ever.
var feedEpoch = time.Date(2011, 6, 21, 0, 0, 0, 0, time.UTC)

func (h *Web) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, ErrNotFound) {
		web.NotFound(w, r)
		return
	}
	h.Logger.Error("request failed", "url", r.URL.Path, "err", err)
	web.ServerError(w, r)
}
