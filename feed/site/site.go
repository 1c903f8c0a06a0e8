// Package site serves the public pages of articles and documents, with feeds,
// calendars and the JSON API.
package site

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"dibao/feed"
	"dibao/internal/web"
)

// Web serves the pages and feeds of articles.
type Web struct {
	Store    *feed.Store
	Cache    *web.Cache
	SiteName string
	BaseURL  string // without a trailing slash
	Zone     *time.Location
	Logger   *slog.Logger
}

// Register registers the handlers on mux.
func (h *Web) Register(mux *http.ServeMux) {
	h.registerFeeds(mux)
	h.registerCalendars(mux)
	h.registerAPI(mux)
	h.registerCalls(mux)
	h.registerPages(mux)
}

func (h *Web) fail(w http.ResponseWriter, r *http.Request, err error) {
	var unknown unknownValue
	switch {
	case errors.Is(err, feed.ErrNotFound):
		web.NotFound(w, r)
		return
	case errors.As(err, &unknown):
		h.failUnknown(w, r, unknown)
		return
	}
	h.Logger.Error("request failed", "url", r.URL.Path, "err", err)
	web.ServerError(w, r)
}
