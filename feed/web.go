package feed

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"dibao/internal/web"
	"dibao/templates"
)

// Web serves the pages and feeds of articles.
type Web struct {
	Store    *Store
	Cache    *web.Cache
	SiteName string
	BaseURL  string // without a slash at the end
	Zone     *time.Location
	Logger   *slog.Logger

	seen seenVersions // of feeds, for who asks only for what is new
}

// Register puts the handlers on mux.
func (h *Web) Register(mux *http.ServeMux) {
	h.registerFeeds(mux)
	mux.HandleFunc("GET /articles/{id}", h.article)
}

func (h *Web) article(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		web.NotFound(w, r)
		return
	}
	a, err := h.Store.Article(r.Context(), id)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	language := web.Language(r)
	version := a.UpdatedAt.Format(time.RFC3339Nano) + language
	err = h.Cache.Serve(w, r, fmt.Sprintf("/articles/%d?%s", id, language), version, func() (web.Document, error) {
		view := templates.ArticlePage{
			Page: templates.Page{
				Language: language, SiteName: h.SiteName, Title: a.Title(), Description: a.Facts.Summary,
				Canonical: ArticleURL(h.BaseURL, a.ID), Feeds: FeedLinks(h.BaseURL, "/", h.SiteName),
			},
			Article:  ItemView(a, h.BaseURL),
			Warnings: a.Warnings,
		}
		if !a.WithdrawnAt.IsZero() {
			view.Withdrawn = a.WithdrawnAt.In(a.zone()).Format(time.DateOnly)
		}
		if a.MayShowText() {
			view.Content = template.HTML(a.Content) // sanitised by feed/ingest before it was stored
			revisions, err := h.Store.Revisions(r.Context(), a.ID)
			if err != nil {
				return web.Document{}, err
			}
			view.Changes = a.changes(revisions)
		}
		for _, x := range a.Attachments {
			view.Attachments = append(view.Attachments, templates.FeedLink{Title: x.Title, URL: x.URL, Type: x.Type})
		}
		var buf bytes.Buffer
		err := view.Render(&buf)
		return web.Document{Body: buf.Bytes(), MediaType: "text/html; charset=utf-8", Modified: a.UpdatedAt}, err
	})
	if err != nil {
		h.fail(w, r, err)
	}
}

func (h *Web) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, ErrNotFound) {
		web.NotFound(w, r)
		return
	}
	h.Logger.Error("request failed", "url", r.URL.Path, "err", err)
	web.ServerError(w, r)
}
