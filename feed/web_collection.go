package feed

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"dibao/internal/database"
	"dibao/internal/web"
	"dibao/policy"
	"dibao/templates"
)

// pageSize is how many articles a page lists; older ones are on the next.
const pageSize = 30

// maxEntries bounds an index of themes, regions, issuers or sources.
const maxEntries = 3000

// ArticlesIn returns articles of a feed of the table article_feeds, such as
// theme/民政 or issuer/国务院, without their text, the newest stored first; before
// is 0 or an article id to go on from. However old the page, it costs the same.
func (st *Store) ArticlesIn(ctx context.Context, feed string, before int64, limit int) ([]Article, error) {
	var all []Article
	err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		all, err = database.Collect(ctx, tx, scanArticle, `SELECT `+articleColumns+`
			FROM article_feeds f JOIN articles a ON a.id = f.article JOIN sources s ON s.id = a.source
			WHERE f.feed = $1 AND ($2 = 0 OR f.article < $2) AND a.hidden = 0 ORDER BY f.article DESC LIMIT $3`, feed, before, min(limit, MaxSelection))
		return err
	})
	return all, err
}

// feedNames returns what stands behind a prefix such as theme/ in article_feeds.
// It steps from one name to the next, since counting the rows of each would read
// the whole table. What only hidden articles have is left out.
func (st *Store) feedNames(ctx context.Context, prefix string) ([]string, error) {
	var all []string
	err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		all, err = database.Collect(ctx, tx, database.ScanOne[string], `
			WITH RECURSIVE f (feed) AS (
				SELECT (SELECT MIN(feed) FROM article_feeds WHERE feed > $1)
				UNION ALL
				SELECT (SELECT MIN(a.feed) FROM article_feeds a WHERE a.feed > f.feed) FROM f WHERE substr(f.feed, 1, length($1)) = $1
			)
			SELECT feed FROM f WHERE substr(feed, 1, length($1)) = $1
				AND EXISTS (SELECT 1 FROM article_feeds g JOIN articles a ON a.id = g.article WHERE g.feed = f.feed AND a.hidden = 0) LIMIT $2`, prefix, maxEntries)
		return err
	})
	for i := range all {
		all[i] = strings.TrimPrefix(all[i], prefix)
	}
	return all, err
}

// Due is a date of an article that lies ahead.
type Due struct {
	On      policy.Date
	Key     string // deadline, effective, expires
	Article Article
}

// Upcoming returns what is due from a day on, the nearest first.
func (st *Store) Upcoming(ctx context.Context, from policy.Date, limit int) ([]Due, error) {
	var all []Due
	err := st.db.Read(ctx, func(tx *sql.Tx) error {
		for _, q := range []struct{ key, clauses string }{
			{"deadline", ` WHERE a.deadline_on IS NOT NULL AND a.deadline_on <> '' AND a.deadline_on >= $1 AND a.held = 0 AND a.hidden = 0 ORDER BY a.deadline_on, a.id LIMIT $2`},
			{"effective", ` WHERE a.effective_on IS NOT NULL AND a.effective_on <> '' AND a.effective_on >= $1 AND a.kind = 'document' AND a.held = 0 AND a.hidden = 0 ORDER BY a.effective_on, a.id LIMIT $2`},
			{"expires", ` WHERE a.expires_on IS NOT NULL AND a.expires_on <> '' AND a.expires_on >= $1 AND a.kind = 'document' AND a.held = 0 AND a.hidden = 0 ORDER BY a.expires_on, a.id LIMIT $2`},
		} {
			found, err := database.Collect(ctx, tx, scanArticle, `SELECT `+articleColumns+` FROM articles a JOIN sources s ON s.id = a.source`+q.clauses, from, limit)
			if err != nil {
				return err
			}
			for _, a := range found {
				on := map[string]policy.Date{"deadline": a.Facts.DeadlineOn, "effective": a.Facts.EffectiveOn, "expires": a.Facts.ExpiresOn}[q.key]
				all = append(all, Due{on, q.key, a})
			}
		}
		return nil
	})
	slices.SortStableFunc(all, func(a, b Due) int { return a.On.Compare(b.On) })
	return all[:min(limit, len(all))], err
}

// collection is a set of articles that has a page and feeds of its own.
type collection struct {
	key, name string // theme, region, issuer or source; its name for people
	path      string // of its page, which ends in a slash
	feed      string // in article_feeds
	note      string
	link      string
	known     bool // it is there though it has no articles
}

// registerCollections puts the pages of themes, regions, issuers and sources on mux.
func (h *Web) registerCollections(mux *http.ServeMux) {
	for _, c := range []struct {
		plural, key, param string
		find               func(ctx context.Context, value, language string) (collection, error)
	}{
		{"themes", "theme", "theme", h.themeOf},
		{"regions", "region", "code", h.regionOf},
		{"issuers", "issuer", "name", h.issuerOf},
		{"sources", "source", "id", h.sourceOf},
	} {
		mux.HandleFunc("GET /"+c.plural+"/{$}", h.index(c.plural, c.key))
		mux.HandleFunc("GET /"+c.plural+"/{"+c.param+"}/{$}", func(w http.ResponseWriter, r *http.Request) {
			found, err := c.find(r.Context(), r.PathValue(c.param), web.Language(r))
			if err != nil {
				h.fail(w, r, err)
				return
			}
			h.collection(w, r, found)
		})
	}
}

// themeOf finds a theme; one of the official list has a page even if it is empty,
// and goes by a part of its name too (民政 is 民政、扶贫、救灾).
func (h *Web) themeOf(_ context.Context, theme, _ string) (collection, error) {
	main := mainTheme(theme)
	if main != "" && !strings.HasPrefix(theme, main) {
		theme = main
	}
	return collection{key: "theme", name: themeName(theme), path: themePath(theme), feed: "theme/" + theme, known: main != ""}, nil
}

func (h *Web) regionOf(_ context.Context, code, _ string) (collection, error) {
	name := policy.RegionName(code)
	if name == "" {
		return collection{}, ErrNotFound
	}
	code = policy.TrimRegion(code)
	return collection{key: "region", name: name, path: "/regions/" + code + "/", feed: "region/" + code, known: true}, nil
}

func (h *Web) issuerOf(_ context.Context, name, _ string) (collection, error) {
	return collection{key: "issuer", name: name, path: issuerPath(name), feed: "issuer/" + name}, nil
}

func (h *Web) sourceOf(ctx context.Context, id, language string) (collection, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return collection{}, ErrNotFound
	}
	src, err := h.Store.sourceByID(ctx, n)
	if err != nil {
		return collection{}, err
	}
	c := collection{key: "source", name: src.Name, path: fmt.Sprintf("/sources/%d/", n), feed: fmt.Sprintf("source/%d", n), known: true}
	if strings.HasPrefix(src.URL, "http") { // a mailbox folder has no page
		c.link = src.URL
	}
	if !src.SucceededAt.IsZero() {
		c.note = templates.Words(language, "index.state", src.SucceededAt.In(h.zone()).Format(time.DateOnly))
	}
	return c, nil
}

// themeName writes the two levels of a theme for people.
func themeName(theme string) string { return strings.ReplaceAll(theme, `\`, " › ") }

// beforeOf reads ?before=, the article id that a page goes on from; 0 is the first page.
func beforeOf(r *http.Request) (int64, error) {
	text := r.URL.Query().Get("before")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 {
		return 0, ErrNotFound
	}
	return n, nil
}

func (h *Web) collection(w http.ResponseWriter, r *http.Request, c collection) {
	before, err := beforeOf(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	key := c.path
	if before > 0 {
		key += fmt.Sprintf("?before=%d", before)
	}
	h.servePage(w, r, key, func(ctx context.Context, p templates.Page) (pageView, error) {
		articles, err := h.Store.ArticlesIn(ctx, c.feed, before, pageSize+1)
		if err != nil {
			return nil, err
		}
		if len(articles) == 0 && before == 0 && !c.known {
			return nil, ErrNotFound // nobody made such a theme or issuer; it is no page to keep
		}
		p.Title, p.Description, p.Current = c.name, templates.Words(p.Language, "collection."+c.key), "browse"
		p.Crumbs = []templates.Crumb{{Title: templates.Words(p.Language, "facet."+c.key), URL: "/" + c.key + "s/"}}
		p.Feeds = PageFeeds(h.BaseURL, c.path, c.name)
		if c.key == "source" {
			p.Feeds = FeedLinks(h.BaseURL, c.path, c.name)
		}
		view := templates.CollectionPage{Key: c.key, Name: c.name, Note: c.note, Link: c.link}
		if before > 0 {
			p.Newest = c.path
		}
		if len(articles) > pageSize {
			articles = articles[:pageSize]
			p.Older = fmt.Sprintf("%s?before=%d", c.path, articles[pageSize-1].ID)
		}
		view.Page = p
		if view.Items, err = h.Items(ctx, articles); err != nil {
			return nil, err
		}
		view.Narrower, err = h.narrower(ctx, c)
		return view, err
	})
}

// narrower returns the themes or regions in a theme or region.
func (h *Web) narrower(ctx context.Context, c collection) ([]templates.FacetValue, error) {
	below := ""
	switch c.key {
	case "theme":
		below = c.feed + `\`
	case "region":
		below = c.feed
	default:
		return nil, nil
	}
	names, err := h.Store.feedNames(ctx, below)
	if err != nil {
		return nil, err
	}
	var all []templates.FacetValue
	for _, name := range names[:min(len(names), 60)] {
		if c.key == "theme" {
			theme := strings.TrimPrefix(below, "theme/") + name
			all = append(all, templates.FacetValue{Text: name, URL: themePath(theme), Count: -1})
		} else if code := strings.TrimPrefix(below, "region/") + name; name != "" && policy.RegionName(code) != "" {
			all = append(all, templates.FacetValue{Text: strings.TrimPrefix(policy.RegionName(code), c.name), URL: "/regions/" + code + "/", Count: -1})
		}
	}
	return all, nil
}

// index lists all themes, regions, issuers or sources that have articles.
func (h *Web) index(plural, key string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h.servePage(w, r, "/"+plural+"/", func(ctx context.Context, p templates.Page) (pageView, error) {
			p.Title, p.Current = templates.Words(p.Language, "index."+key), "browse"
			p.Feeds = PageFeeds(h.BaseURL, "/", h.SiteName)
			view := templates.IndexPage{Page: p, Key: key}
			if key == "source" {
				sources, err := h.Store.Sources(ctx)
				group := templates.IndexGroup{}
				for _, s := range sources {
					group.Entries = append(group.Entries, templates.FacetValue{Text: s.Name, URL: fmt.Sprintf("/sources/%d/", s.ID), Count: -1})
				}
				view.Groups = []templates.IndexGroup{group}
				return view, err
			}
			names, err := h.Store.feedNames(ctx, key+"/")
			if err != nil {
				return nil, err
			}
			view.Groups = indexGroups(key, names)
			return view, nil
		})
	}
}

// indexGroups puts second-level themes under their first level, and regions under
// their province.
func indexGroups(key string, names []string) []templates.IndexGroup {
	all := []templates.IndexGroup{{}} // the first levels
	add := func(title string, v templates.FacetValue) {
		at := slices.IndexFunc(all, func(g templates.IndexGroup) bool { return g.Title == title })
		if at < 0 {
			all = append(all, templates.IndexGroup{Title: title})
			at = len(all) - 1
		}
		all[at].Entries = append(all[at].Entries, v)
	}
	for _, name := range names {
		v := templates.FacetValue{Text: name, Count: -1}
		switch key {
		case "theme":
			head, tail, found := strings.Cut(name, `\`)
			v.URL = themePath(name)
			if !found {
				head = ""
			} else {
				v.Text = tail
			}
			add(head, v)
		case "region":
			if policy.RegionName(name) == "" {
				continue
			}
			head := ""
			if len(name) > 2 {
				head = policy.RegionName(name[:2])
			}
			v.Text, v.URL = policy.RegionName(name), "/regions/"+name+"/"
			add(head, v)
		default:
			v.URL = issuerPath(name)
			add("", v)
		}
	}
	return all
}

// browseValues is how many themes and regions the home page names.
const browseValues = 12

// Browse returns ways into the articles: the first levels of themes and regions.
func (h *Web) Browse(ctx context.Context) ([]templates.Facet, error) {
	var all []templates.Facet
	for _, key := range []string{"theme", "region"} {
		names, err := h.Store.feedNames(ctx, key+"/")
		if err != nil {
			return nil, err
		}
		f := templates.Facet{Key: key, All: "/" + key + "s/"}
		for _, name := range names {
			v := templates.FacetValue{Text: name, URL: themePath(name), Count: -1}
			if key == "region" {
				v.Text, v.URL = policy.RegionName(name), "/regions/"+name+"/"
			}
			top := key == "theme" && !strings.Contains(name, `\`) || key == "region" && len(name) == 2
			if top && v.Text != "" && len(f.Values) < browseValues {
				f.Values = append(f.Values, v)
			}
		}
		if len(f.Values) > 0 {
			all = append(all, f)
		}
	}
	return all, nil
}

// PageFeeds are the feeds and the calendar of the page at path, which ends in a slash.
func PageFeeds(base, path, title string) []templates.FeedLink {
	return append(FeedLinks(base, path, title), templates.FeedLink{
		Title: title + " · iCalendar", URL: base + path + "calendar.ics", Type: "text/calendar",
	})
}
