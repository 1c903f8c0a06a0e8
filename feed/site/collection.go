package site

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"dibao/feed"
	"dibao/internal/web"
	"dibao/policy/division"
	themes "dibao/policy/theme"
	"dibao/templates"
)

// pageSize is the number of articles on a page; older ones are on the next page.
const pageSize = 30

// collection is a set of articles with its own page and feeds.
type collection struct {
	key, name string // key: theme, region, issuer or source; name: shown to readers
	path      string // path of its page, with a trailing slash
	feed      string // key in article_feeds
	note      string
	link      string
	known     bool // it exists even if it has no articles
}

// registerCollections registers the pages of themes, regions, issuers and sources on mux.
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

// themeOf finds a theme; a theme of the official list has a page even if it is empty, and a
// part of its name is enough (民政 for 民政、扶贫、救灾).
func (h *Web) themeOf(_ context.Context, theme, language string) (collection, error) {
	main := themes.Main(theme)
	if main != "" && !strings.HasPrefix(theme, main) {
		theme = main
	}
	return collection{key: "theme", name: themeName(theme, language), path: themePath(theme), feed: "theme/" + theme, known: main != ""}, nil
}

func (h *Web) regionOf(_ context.Context, code, language string) (collection, error) {
	name := division.NameIn(code, language)
	if name == "" {
		return collection{}, feed.ErrNotFound
	}
	code = division.TrimCode(code)
	return collection{key: "region", name: name, path: "/regions/" + code + "/", feed: "region/" + code, known: true}, nil
}

func (h *Web) issuerOf(_ context.Context, name, _ string) (collection, error) {
	return collection{key: "issuer", name: name, path: issuerPath(name), feed: "issuer/" + name}, nil
}

func (h *Web) sourceOf(ctx context.Context, id, language string) (collection, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return collection{}, feed.ErrNotFound
	}
	src, err := h.Store.SourceByID(ctx, n)
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

// themeName returns the two levels of a theme for readers.
func themeName(theme, language string) string {
	return strings.ReplaceAll(themes.NameIn(theme, language), `\`, " › ")
}

// beforeOf reads ?before=, the article id from which a page continues; 0 is the first page.
func beforeOf(r *http.Request) (int64, error) {
	text := r.URL.Query().Get("before")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 {
		return 0, feed.ErrNotFound
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
	h.servePage(w, r, key, func(ctx context.Context, p templates.Page) (PageView, error) {
		articles, err := h.Store.ArticlesIn(ctx, c.feed, before, pageSize+1)
		if err != nil {
			return nil, err
		}
		if len(articles) == 0 && before == 0 && !c.known {
			return nil, feed.ErrNotFound // an unknown name must not fill the cache
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
		if view.Items, err = h.Items(ctx, p.Language, articles); err != nil {
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
	names, err := h.Store.FeedNames(ctx, below)
	if err != nil {
		return nil, err
	}
	var all []templates.FacetValue
	for _, name := range names[:min(len(names), 60)] {
		if c.key == "theme" {
			theme := strings.TrimPrefix(below, "theme/") + name
			all = append(all, templates.FacetValue{Text: name, URL: themePath(theme), Count: -1})
		} else if code := strings.TrimPrefix(below, "region/") + name; name != "" && division.OwnName(code) != "" {
			all = append(all, templates.FacetValue{Text: division.OwnName(code), URL: "/regions/" + code + "/", Count: -1})
		}
	}
	return all, nil
}

// index lists all themes, regions, issuers or sources that have articles.
func (h *Web) index(plural, key string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h.servePage(w, r, "/"+plural+"/", func(ctx context.Context, p templates.Page) (PageView, error) {
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
			names, err := h.Store.FeedNames(ctx, key+"/")
			if err != nil {
				return nil, err
			}
			view.Groups = indexGroups(key, names, p.Language)
			return view, nil
		})
	}
}

// indexGroups groups second-level themes under their first level, and regions
// under their province.
func indexGroups(key string, names []string, language string) []templates.IndexGroup {
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
			if v.Text = tail; !found {
				head, v.Text = "", themes.NameIn(name, language)
			}
			add(themes.NameIn(head, language), v)
		case "region":
			if division.Name(name) == "" {
				continue
			}
			head := ""
			if len(name) > 2 {
				head = division.NameIn(name[:2], language)
			}
			v.Text, v.URL = division.NameIn(name, language), "/regions/"+name+"/"
			add(head, v)
		default:
			v.URL = issuerPath(name)
			add("", v)
		}
	}
	return all
}

// browseValues is the number of themes and regions on the home page.
const browseValues = 12

// Browse returns links to the articles by topic: the first levels of themes and regions.
func (h *Web) Browse(ctx context.Context, language string) ([]templates.Facet, error) {
	var all []templates.Facet
	for _, key := range []string{"theme", "region"} {
		names, err := h.Store.FeedNames(ctx, key+"/")
		if err != nil {
			return nil, err
		}
		f := templates.Facet{Key: key, All: "/" + key + "s/"}
		for _, name := range names {
			v := templates.FacetValue{Text: themes.NameIn(name, language), URL: themePath(name), Count: -1}
			if key == "region" {
				v.Text, v.URL = division.NameIn(name, language), "/regions/"+name+"/"
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

// PageFeeds returns the feeds and the calendar of the page at path, which ends in a slash.
func PageFeeds(base, path, title string) []templates.FeedLink {
	return append(FeedLinks(base, path, title), templates.FeedLink{
		Title: title + " · iCalendar", URL: base + path + "calendar.ics", Type: "text/calendar",
	})
}
