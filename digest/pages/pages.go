// Package pages serves the public pages of lists and issues: the home page, the pages,
// feeds and calendars of lists, the archive of issues, their part of the API, the sitemap
// and the OPML file.
package pages

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"dibao/digest"
	"dibao/feed"
	"dibao/feed/site"
	"dibao/internal/web"
	"dibao/subscribers"
	"dibao/templates"
)

// Web serves pages that need both articles and lists: the home page, lists with
// their feeds, and the archive of issues.
type Web struct {
	Service *digest.Service
	Lists   *subscribers.Store
	Feeds   *site.Web // writes feeds; these pages share its base address, name and log
	Cache   *web.Cache
}

// Limits on what a page shows.
const (
	homeIssues    = 6
	homeArticles  = 20
	homeDue       = 8
	listIssues    = 12
	archiveIssues = 52
)

// Register registers the handlers on mux.
func (h *Web) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", h.home)
	mux.HandleFunc("GET /lists/{$}", h.lists)
	mux.HandleFunc("GET /lists/{slug}/{$}", h.list)
	mux.HandleFunc("GET /lists/{slug}/issues/{$}", h.archive)
	mux.HandleFunc("GET /lists/{slug}/issues/{n}", h.issue)
	site.RegisterFeeds(mux, "/lists/{slug}/", h.listFeed)
	mux.HandleFunc("GET /lists/{slug}/calendar.ics", h.listCalendar)
	h.registerSite(mux)
	h.registerAPI(mux)
}

// serve answers with a page. query is the part of the request's query that selects a
// page of the archive, "" for the first.
func (h *Web) serve(w http.ResponseWriter, r *http.Request, query string, build func(ctx context.Context, p templates.Page) (site.PageView, error)) {
	if err := h.Feeds.ServePage(w, r, r.URL.EscapedPath()+query, build); err != nil {
		h.fail(w, r, err)
	}
}

// version identifies the version of everything that these pages show.
func (h *Web) version(ctx context.Context) (string, time.Time, error) {
	return h.Feeds.Store.Version(ctx)
}

// before reads ?before=, the number before which a page of an archive starts; 0 is its
// beginning.
func before(r *http.Request) (n int64, query string, err error) {
	text := r.URL.Query().Get("before")
	if text == "" {
		return 0, "", nil
	}
	n, err = strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 {
		return 0, "", digest.ErrNotFound
	}
	return n, fmt.Sprintf("?before=%d", n), nil
}

func (h *Web) home(w http.ResponseWriter, r *http.Request) {
	from, query, err := before(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.serve(w, r, query, func(ctx context.Context, p templates.Page) (site.PageView, error) {
		articles, err := h.Feeds.Store.Articles(ctx, feed.Selection{Before: from, Limit: homeArticles + 1})
		if err != nil {
			return nil, err
		}
		p.Current, p.Description = "home", templates.Words(p.Language, "home.lead")
		p.Feeds = site.PageFeeds(h.Feeds.BaseURL, "/", h.Feeds.SiteName)
		p.Data = describeSite(h.Feeds.SiteName, h.Feeds.BaseURL, p.Language)
		if len(articles) > homeArticles {
			articles = articles[:homeArticles]
			p.Older = fmt.Sprintf("/?before=%d", articles[homeArticles-1].ID)
		}
		view := templates.HomePage{}
		if view.Articles, err = h.Feeds.Items(ctx, p.Language, articles); err != nil {
			return nil, err
		}
		if from > 0 {
			p.Newest = "/"
			view.Page = p
			return view, nil
		}
		view.Page = p
		return view, h.fillHome(ctx, &view)
	})
}

// fillHome adds what the first page shows next to the articles.
func (h *Web) fillHome(ctx context.Context, view *templates.HomePage) error {
	lists, err := h.Lists.Lists(ctx)
	if err != nil {
		return err
	}
	lists = slices.DeleteFunc(lists, func(l subscribers.List) bool { return l.Visibility != subscribers.Public })
	for _, l := range lists {
		view.Lists = append(view.Lists, h.listCard(l, view.Language))
	}
	issues, err := h.Service.IssuesBefore(ctx, 0, 0, homeIssues)
	if err != nil {
		return err
	}
	if view.Issues, err = h.issueCards(ctx, issues, lists); err != nil {
		return err
	}
	due, err := h.Feeds.Store.Upcoming(ctx, h.Feeds.Today(), homeDue)
	if err != nil {
		return err
	}
	for _, d := range due {
		view.Agenda = append(view.Agenda, templates.AgendaItem{Date: d.On.String(), Key: d.Key, Title: d.Article.Title(), URL: feed.ArticleURL(h.Feeds.BaseURL, d.Article.ID)})
	}
	view.Browse, err = h.Feeds.Browse(ctx, view.Language)
	return err
}

// describeSite returns what the home page says about the site to programs.
func describeSite(name, base, language string) map[string]any {
	return map[string]any{
		"@context": "https://schema.org", "@type": "WebSite", "name": name, "url": base + "/", "inLanguage": language,
		"potentialAction": map[string]any{
			"@type": "SearchAction", "query-input": "required name=q",
			"target": map[string]any{"@type": "EntryPoint", "urlTemplate": base + "/search?q={q}"},
		},
	}
}

// lists serves the index of public lists.
func (h *Web) lists(w http.ResponseWriter, r *http.Request) {
	h.serve(w, r, "", func(ctx context.Context, p templates.Page) (site.PageView, error) {
		all, err := h.publicLists(ctx)
		p.Title, p.Current = templates.Words(p.Language, "index.list"), "browse"
		view, group := templates.IndexPage{Page: p, Key: "list"}, templates.IndexGroup{}
		for _, l := range all {
			group.Entries = append(group.Entries, templates.FacetValue{Text: l.Title, URL: l.Path(), Count: -1})
		}
		view.Groups = []templates.IndexGroup{group}
		return view, err
	})
}

// serveList serves a page of the list that the path names; from is the number before which
// a continued page starts, or 0.
func (h *Web) serveList(w http.ResponseWriter, r *http.Request, view func(ctx context.Context, p templates.Page, l subscribers.List, from int64) (site.PageView, error)) {
	from, query, err := before(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.serve(w, r, query, func(ctx context.Context, p templates.Page) (site.PageView, error) {
		l, err := h.Lists.ListAt(ctx, r.PathValue("slug"))
		if err != nil {
			return nil, err
		}
		p.NoIndex = l.Visibility != subscribers.Public
		p.Title, p.Feeds = l.Title, site.PageFeeds(h.Feeds.BaseURL, l.Path(), l.Title)
		return view(ctx, p, l, from)
	})
}

// issuesOf returns the cards of at most limit issues of a list before a number
// (0 means the newest), and the address of earlier ones, "" if there are none.
func (h *Web) issuesOf(ctx context.Context, l subscribers.List, from int64, limit int) (cards []templates.IssueCard, earlier string, err error) {
	issues, err := h.Service.IssuesBefore(ctx, l.ID, from, limit+1)
	if err != nil {
		return nil, "", err
	}
	if len(issues) > limit {
		issues = issues[:limit]
		earlier = fmt.Sprintf("%sissues/?before=%d", l.Path(), issues[limit-1].Number)
	}
	cards, err = h.issueCards(ctx, issues, []subscribers.List{l})
	return cards, earlier, err
}

func (h *Web) list(w http.ResponseWriter, r *http.Request) {
	h.serveList(w, r, func(ctx context.Context, p templates.Page, l subscribers.List, from int64) (view site.PageView, err error) {
		page := templates.ListPage{List: h.listCard(l, p.Language)}
		if page.Articles, p.Older, err = h.matched(ctx, p.Language, l.ID, from); err != nil {
			return nil, err
		}
		if p.Older != "" {
			p.Older = l.Path() + p.Older
		}
		if from > 0 {
			p.Newest = l.Path()
		}
		p.Description = l.Description
		page.Page = p
		page.Issues, page.MoreIssues, err = h.issuesOf(ctx, l, 0, listIssues)
		return page, err
	})
}

// archive lists the issues of a list, newest first.
func (h *Web) archive(w http.ResponseWriter, r *http.Request) {
	h.serveList(w, r, func(ctx context.Context, p templates.Page, l subscribers.List, from int64) (view site.PageView, err error) {
		page := templates.ArchivePage{List: h.listCard(l, p.Language)}
		if page.Issues, p.Older, err = h.issuesOf(ctx, l, from, archiveIssues); err != nil {
			return nil, err
		}
		if from > 0 {
			p.Newest = l.Path() + "issues/"
		}
		p.Title = l.Title + " · " + templates.Words(p.Language, "list.archive")
		p.Crumbs = []templates.Crumb{{Title: l.Title, URL: l.Path()}}
		page.Page = p
		return page, nil
	})
}

func (h *Web) issue(w http.ResponseWriter, r *http.Request) {
	h.serve(w, r, "", func(ctx context.Context, p templates.Page) (site.PageView, error) {
		l, err := h.Lists.ListAt(ctx, r.PathValue("slug"))
		if err != nil {
			return nil, err
		}
		n, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
		if err != nil {
			return nil, digest.ErrNotFound
		}
		i, err := h.Service.IssueOf(ctx, l.ID, n)
		if err != nil {
			return nil, err
		}
		if i.Held {
			return nil, digest.ErrNotFound
		}
		i.List = l
		items, err := h.Service.IssueItems(ctx, i.ID)
		if err != nil {
			return nil, err
		}
		date := i.Day().String()
		path := l.Path()
		p.NoIndex = l.Visibility != subscribers.Public
		p.Title, p.Description, p.Article = templates.Words(p.Language, "issue.title", l.Title, i.Number), l.Description, true
		p.Feeds = site.PageFeeds(h.Feeds.BaseURL, path, l.Title)
		p.Crumbs = []templates.Crumb{{Title: l.Title, URL: path}, {Title: templates.Words(p.Language, "list.archive"), URL: path + "issues/"}}
		p.Data = map[string]any{
			"@context": "https://schema.org", "@type": "PublicationIssue", "name": p.Title, "issueNumber": i.Number, "datePublished": date, "url": p.Canonical,
			"isPartOf": map[string]any{"@type": "Periodical", "name": l.Title, "url": h.Feeds.BaseURL + path},
		}
		view := templates.IssuePage{List: h.listCard(l, p.Language), Number: int(i.Number), Date: date, Note: i.Note, Sections: h.Service.SectionViews(items, p.Language)}
		if err := h.enrich(ctx, p.Language, items, view.Sections); err != nil {
			return nil, err
		}
		if p.Older, p.Newer, err = h.Service.Neighbors(ctx, i); err != nil {
			return nil, err
		}
		view.Page = p
		return view, nil
	})
}

func (h *Web) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, digest.ErrNotFound) || errors.Is(err, subscribers.ErrNotFound) || errors.Is(err, feed.ErrNotFound) {
		web.NotFound(w, r)
		return
	}
	h.Feeds.Logger.Error("request failed", "url", r.URL.Path, "err", err)
	web.ServerError(w, r)
}

func (h *Web) listCard(l subscribers.List, language string) templates.ListCard {
	return templates.ListCard{
		Slug: l.Slug, Title: l.Title, Description: l.Description, URL: h.Feeds.BaseURL + l.Path(),
		Schedule: l.ScheduleText(language),
	}
}
