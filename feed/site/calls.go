package site

import (
	"context"
	"net/http"
	"slices"
	"time"

	"dibao/feed"
	"dibao/feed/publish"
	"dibao/internal/web"
	"dibao/policy/division"
	"dibao/templates"
)

// maxOpenCalls is the maximum number of calls on their page; the feed contains them all.
const maxOpenCalls = 100

// registerCalls registers the page of calls, their feeds and their calendars on mux: for
// all calls, and for each region.
func (h *Web) registerCalls(mux *http.ServeMux) {
	for _, x := range []struct {
		pattern string
		path    func(*http.Request) string
	}{
		{"/calls/", func(*http.Request) string { return "/calls/" }},
		{"/calls/{code}/", pathOf("/calls/", "code")},
	} {
		find := func(r *http.Request, language string) (collection, callFilter, error) {
			c, err := callsOf(r.PathValue("code"), language)
			if err != nil {
				return c, callFilter{}, err
			}
			f, err := callFilterOf(r.URL.Query())
			return c, f, err
		}
		mux.HandleFunc("GET "+x.pattern+"{$}", func(w http.ResponseWriter, r *http.Request) {
			c, filter, err := find(r, web.Language(r))
			if err != nil {
				h.fail(w, r, err)
				return
			}
			h.calls(w, r, c, filter)
		})
		RegisterFeeds(mux, x.pattern, func(w http.ResponseWriter, r *http.Request, f publish.Format) {
			c, filter, err := find(r, "zh")
			if err != nil {
				h.fail(w, r, err)
				return
			}
			h.serveFeed(w, r, f, x.path(r), filter.query(), func(context.Context) (FeedSpec, error) {
				return FeedSpec{Title: c.name + " · " + h.SiteName, Description: c.name, Entries: filter.filtered(h, callEntries(h.Store, c.feed))}, nil
			})
		})
		mux.HandleFunc("GET "+x.pattern+"calendar.ics", func(w http.ResponseWriter, r *http.Request) {
			c, filter, err := find(r, "zh")
			if err != nil {
				h.fail(w, r, err)
				return
			}
			from := h.Today() // what has ended is not open
			if filter.values["state"] != "" {
				from = h.agendaFrom()
			}
			h.serveCalendar(w, r, x.path(r), filter.query(), from, func(ctx context.Context) (publish.Calendar, Agenda, error) {
				name := publish.Calendar{Name: c.name + " · " + h.SiteName, Description: c.name}
				if filter.query() == "" {
					return name, Agenda{Feed: c.feed, Calls: true}, nil
				}
				ids, err := h.callIDs(ctx, c.feed, filter, from)
				return name, Agenda{Articles: append([]int64{}, ids...), Calls: true}, err
			})
		})
	}
}

// callsOf returns the collection of the calls of a region, "" for all.
func callsOf(code, language string) (collection, error) {
	c := collection{key: "calls", name: templates.Words(language, "calls.title"), path: "/calls/", known: true}
	if code == "" {
		return c, nil
	}
	name := division.NameIn(code, language)
	if name == "" {
		return collection{}, feed.ErrNotFound
	}
	code = division.TrimCode(code)
	c.name, c.path, c.feed = name+templates.Words(language, "colon")+c.name, "/calls/"+code+"/", "region/"+code
	return c, nil
}

// callEntries are the articles that ask something of readers or offer them
// something, by id: all, or those of a feed of article_feeds.
func callEntries(st *feed.Store, key string) Entries {
	const of = ` AND ($4 = '' OR EXISTS (SELECT 1 FROM article_feeds f WHERE f.feed = $4 AND f.article = a.id))`
	return Entries{
		mayBeEmpty: true, Last: func(ctx context.Context) (int64, error) { return lastArticle(ctx, st) },
		Places: func(ctx context.Context, above, upTo int64, limit int) ([]Place, error) {
			return Places(ctx, st.DB(), `SELECT a.id, a.id FROM articles a WHERE a.call <> '' AND a.id > $1 AND a.id <= $2 AND a.hidden = 0`+of+`
				ORDER BY a.id DESC LIMIT $3`, above, upTo, limit, key)
		},
		Withdrawn: func(ctx context.Context, since time.Time) ([]int64, error) {
			return Withdrawn(ctx, st.DB(), `SELECT id FROM articles WHERE call <> '' AND withdrawn_at >= $1 ORDER BY withdrawn_at DESC LIMIT 50`, since)
		},
	}
}

func (h *Web) calls(w http.ResponseWriter, r *http.Request, c collection, f callFilter) {
	query := f.query()
	h.servePage(w, r, c.path+query, func(ctx context.Context, p templates.Page) (PageView, error) {
		ids, err := h.callIDs(ctx, c.feed, f, h.Today())
		if err != nil {
			return nil, err
		}
		articles, err := h.Store.ArticlesInOrder(ctx, ids[:min(len(ids), maxOpenCalls)])
		if err != nil {
			return nil, err
		}
		p.Title, p.Description, p.Current = c.name, templates.Words(p.Language, "collection.calls"), "browse"
		if c.feed != "" {
			p.Crumbs = []templates.Crumb{{Title: templates.Words(p.Language, "calls.title"), URL: "/calls/"}}
		}
		p.Feeds, p.NoIndex = PageFeeds(h.BaseURL, c.path, c.name), query != "" // search engines should not index results
		for i := range p.Feeds {
			p.Feeds[i].URL += query
		}
		key := c.key
		if f.values["state"] != "" {
			key += "_closed"
			p.Description = templates.Words(p.Language, "collection."+key)
		}
		view := templates.CollectionPage{Page: p, Key: key, Name: c.name, Filter: f.form(p.Language, c.path)}
		if view.Items, err = h.Items(ctx, p.Language, articles); err != nil || c.feed != "" {
			return view, err
		}
		var codes []string // provinces that have calls
		for _, a := range articles {
			if code := a.Facts.Region; len(code) >= 2 && !slices.Contains(codes, code[:2]) {
				codes = append(codes, code[:2])
			}
		}
		slices.Sort(codes)
		for _, code := range codes {
			if name := division.NameIn(code, p.Language); name != "" {
				view.Narrower = append(view.Narrower, templates.FacetValue{Text: name, URL: "/calls/" + code + "/" + query, Count: -1})
			}
		}
		return view, nil
	})
}
