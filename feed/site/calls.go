package site

import (
	"context"
	"database/sql"
	"net/http"
	"slices"
	"time"

	"dibao/feed"
	"dibao/feed/publish"
	"dibao/internal/database"
	"dibao/internal/web"
	"dibao/policy/division"
	"dibao/templates"
)

// maxOpenCalls is how many calls their page lists; the feed has them all.
const maxOpenCalls = 100

// registerCalls puts the page of calls, their feeds and their calendars on mux: of
// all, and of a region.
func (h *Web) registerCalls(mux *http.ServeMux) {
	for _, x := range []struct {
		pattern string
		path    func(*http.Request) string
	}{
		{"/calls/", func(*http.Request) string { return "/calls/" }},
		{"/calls/{code}/", pathOf("/calls/", "code")},
	} {
		mux.HandleFunc("GET "+x.pattern+"{$}", func(w http.ResponseWriter, r *http.Request) {
			c, err := callsOf(r.PathValue("code"), web.Language(r))
			if err != nil {
				h.fail(w, r, err)
				return
			}
			h.calls(w, r, c)
		})
		RegisterFeeds(mux, x.pattern, func(w http.ResponseWriter, r *http.Request, f publish.Format) {
			h.ServeFeed(w, r, f, x.path(r), func(context.Context) (FeedSpec, error) {
				c, err := callsOf(r.PathValue("code"), "zh")
				return FeedSpec{Title: c.name + " · " + h.SiteName, Description: c.name, Entries: callEntries(h.Store, c.feed)}, err
			})
		})
		mux.HandleFunc("GET "+x.pattern+"calendar.ics", func(w http.ResponseWriter, r *http.Request) {
			h.ServeCalendar(w, r, x.path(r), func(context.Context) (publish.Calendar, Agenda, error) {
				c, err := callsOf(r.PathValue("code"), "zh")
				return publish.Calendar{Name: c.name + " · " + h.SiteName, Description: c.name}, Agenda{Feed: c.feed, Calls: true}, err
			})
		})
	}
}

// callsOf is the collection of the calls of a region, "" for all.
func callsOf(code, language string) (collection, error) {
	c := collection{key: "calls", name: templates.Words(language, "calls.title"), path: "/calls/", known: true}
	if code == "" {
		return c, nil
	}
	name := division.Name(code)
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

// openCalls returns the articles whose call ends today or later, those that end
// first in front; key is a feed of article_feeds, "" for all.
func (h *Web) openCalls(ctx context.Context, key string) ([]feed.Article, error) {
	var ids []int64
	err := h.Store.DB().Read(ctx, func(tx *sql.Tx) (err error) {
		ids, err = database.Collect(ctx, tx, database.ScanOne[int64], `SELECT a.id FROM articles a LEFT JOIN call_states s ON s.article = a.id
			WHERE a.id IN (SELECT id FROM articles WHERE call <> '' AND deadline_on >= $1 UNION SELECT article FROM call_states WHERE until_on >= $1)
			AND COALESCE(s.until_on, a.deadline_on) >= $1 AND NOT EXISTS (SELECT 1 FROM call_notices n WHERE n.article = a.id AND n.target IS NOT NULL)
			AND a.held = 0 AND a.hidden = 0 AND a.withdrawn_at IS NULL AND ($2 = '' OR EXISTS (SELECT 1 FROM article_feeds f WHERE f.feed = $2 AND f.article = a.id))
			ORDER BY COALESCE(s.until_on, a.deadline_on), a.id LIMIT $3`, h.Today().String(), key, maxOpenCalls)
		return err
	})
	if err != nil {
		return nil, err
	}
	found, err := h.Store.ArticlesByID(ctx, ids)
	var all []feed.Article
	for _, id := range ids {
		if a, ok := found[id]; ok {
			all = append(all, a)
		}
	}
	return all, err
}

func (h *Web) calls(w http.ResponseWriter, r *http.Request, c collection) {
	h.servePage(w, r, c.path, func(ctx context.Context, p templates.Page) (PageView, error) {
		articles, err := h.openCalls(ctx, c.feed)
		if err != nil {
			return nil, err
		}
		p.Title, p.Description, p.Current = c.name, templates.Words(p.Language, "collection.calls"), "browse"
		if c.feed != "" {
			p.Crumbs = []templates.Crumb{{Title: templates.Words(p.Language, "calls.title"), URL: "/calls/"}}
		}
		p.Feeds = PageFeeds(h.BaseURL, c.path, c.name)
		view := templates.CollectionPage{Page: p, Key: c.key, Name: c.name}
		if view.Items, err = h.Items(ctx, p.Language, articles); err != nil || c.feed != "" {
			return view, err
		}
		var codes []string // of the provinces that have some
		for _, a := range articles {
			if code := a.Facts.Region; len(code) >= 2 && !slices.Contains(codes, code[:2]) {
				codes = append(codes, code[:2])
			}
		}
		slices.Sort(codes)
		for _, code := range codes {
			if name := division.Name(code); name != "" {
				view.Narrower = append(view.Narrower, templates.FacetValue{Text: name, URL: "/calls/" + code + "/", Count: -1})
			}
		}
		return view, nil
	})
}
