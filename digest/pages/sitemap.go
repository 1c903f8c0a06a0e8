package pages

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"dibao/digest"
	"dibao/feed/publish"
	"dibao/feed/site"
	"dibao/internal/web"
	"dibao/subscribers"
)

// registerSite registers on mux what programs request about the site as a whole.
func (h *Web) registerSite(mux *http.ServeMux) {
	mux.HandleFunc("GET /opml", h.opml)
	mux.HandleFunc("GET /sitemap.xml", h.sitemap)
	mux.HandleFunc("GET /sitemaps/{part}", h.sitemapPart)
}

// programBytes is a document for programs and its media type.
type programBytes struct {
	body      []byte
	mediaType string
	modified  time.Time
}

// serveProgram answers a program with bytes from the cache, which are rebuilt when
// something has changed.
func (h *Web) serveProgram(w http.ResponseWriter, r *http.Request, key string, build func(context.Context) (programBytes, error)) {
	version, _, err := h.version(r.Context())
	if err != nil {
		h.fail(w, r, err)
		return
	}
	err = h.Cache.Serve(w, r, key, version, func() (web.Document, error) {
		b, err := build(r.Context())
		return web.Document{Body: b.body, MediaType: b.mediaType, Modified: b.modified, Header: http.Header{
			"Access-Control-Allow-Origin": {"*"}, "Vary": {"Accept-Encoding"},
		}}, err
	})
	if err != nil {
		h.fail(w, r, err)
	}
}

// publicLists returns the public lists.
func (h *Web) publicLists(ctx context.Context) (public []subscribers.List, err error) {
	lists, err := h.Lists.Lists(ctx)
	for _, l := range lists {
		if l.Visibility == subscribers.Public {
			public = append(public, l)
		}
	}
	return public, err
}

const sitemapType = "application/xml; charset=utf-8"

// sitemap lists the parts of the sitemap.
func (h *Web) sitemap(w http.ResponseWriter, r *http.Request) {
	h.serveProgram(w, r, "/sitemap.xml", func(ctx context.Context) (programBytes, error) {
		base := h.Feeds.BaseURL
		articles, documents, err := site.SitemapParts(ctx, h.Feeds.Store)
		if err != nil {
			return programBytes{}, err
		}
		parts := []publish.Location{{URL: base + "/sitemaps/site.xml"}}
		newest := time.Time{}
		for _, x := range []struct {
			name    string
			changed []time.Time
		}{{"articles", articles}, {"documents", documents}} {
			for i, at := range x.changed {
				parts = append(parts, publish.Location{URL: fmt.Sprintf("%s/sitemaps/%s-%d.xml", base, x.name, i+1), Changed: at})
				if at.After(newest) {
					newest = at
				}
			}
		}
		var buf bytes.Buffer
		err = publish.WriteSitemapIndex(&buf, parts)
		return programBytes{buf.Bytes(), sitemapType, newest}, err
	})
}

func (h *Web) sitemapPart(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutSuffix(r.PathValue("part"), ".xml")
	if !ok {
		web.NotFound(w, r)
		return
	}
	h.serveProgram(w, r, "/sitemaps/"+name, func(ctx context.Context) (programBytes, error) {
		pages, err := h.sitemapPages(ctx, name)
		newest := time.Time{}
		for _, p := range pages {
			if p.Changed.After(newest) {
				newest = p.Changed
			}
		}
		var buf bytes.Buffer
		err = errors.Join(err, publish.WriteSitemap(&buf, pages))
		return programBytes{buf.Bytes(), sitemapType, newest}, err
	})
}

func (h *Web) sitemapPages(ctx context.Context, name string) ([]publish.Location, error) {
	base := h.Feeds.BaseURL
	if name == "site" {
		return h.siteLocations(ctx)
	}
	kind, number, _ := strings.Cut(name, "-")
	n, err := strconv.ParseInt(number, 10, 64)
	switch {
	case err != nil:
		return nil, digest.ErrNotFound
	case kind == "articles":
		return site.SitemapArticles(ctx, h.Feeds.Store, base, n)
	case kind == "documents":
		return site.SitemapDocuments(ctx, h.Feeds.Store, base, n)
	}
	return nil, digest.ErrNotFound
}

// siteLocations are the home page, the lists and their issues.
func (h *Web) siteLocations(ctx context.Context) ([]publish.Location, error) {
	_, modified, err := h.version(ctx)
	if err != nil {
		return nil, err
	}
	all := []publish.Location{{URL: h.Feeds.BaseURL + "/", Changed: modified}}
	for _, index := range []string{"/themes/", "/regions/", "/issuers/", "/sources/"} {
		all = append(all, publish.Location{URL: h.Feeds.BaseURL + index})
	}
	lists, err := h.publicLists(ctx)
	if err != nil {
		return nil, err
	}
	for _, l := range lists {
		issues, err := h.Service.Issues(ctx, l.ID, 1000)
		if err != nil {
			return nil, err
		}
		page := publish.Location{URL: h.Feeds.BaseURL + l.Path(), Changed: l.UpdatedAt}
		for _, i := range issues {
			i.List = l
			all = append(all, publish.Location{URL: h.Service.IssueURL(i), Changed: i.CreatedAt})
			if i.CreatedAt.After(page.Changed) {
				page.Changed = i.CreatedAt
			}
		}
		all = append(all, page)
	}
	return all, nil
}
