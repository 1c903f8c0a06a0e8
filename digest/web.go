package digest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"dibao/feed"
	"dibao/internal/database"
	"dibao/internal/web"
	"dibao/subscribers"
	"dibao/templates"
)

// Web serves what needs both articles and lists: the home page, lists with
// their feeds, and the archive of issues.
type Web struct {
	Service *Service
	Feeds   *feed.Web // writes feeds
	Cache   *web.Cache
}

// How much a page shows.
const (
	homeIssues   = 6
	homeArticles = 20
	listIssues   = 52
)

// Register puts the handlers on mux.
func (h *Web) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", h.home)
	mux.HandleFunc("GET /lists/{slug}/{$}", h.list)
	mux.HandleFunc("GET /lists/{slug}/issues/{n}", h.issue)
	feed.RegisterFeeds(mux, "/lists/{slug}/", h.listFeed)
}

// page is a view that can be rendered.
type page interface{ Render(io.Writer) error }

// serve answers with a page, built anew when an article, an issue or a list changed.
func (h *Web) serve(w http.ResponseWriter, r *http.Request, build func(ctx context.Context, language string) (page, error)) {
	stamp, modified, err := h.stamp(r.Context())
	if err != nil {
		h.fail(w, r, err)
		return
	}
	language := web.Language(r)
	err = h.Cache.Serve(w, r, r.URL.Path+"?"+language, stamp, func() (web.Document, error) {
		view, err := build(r.Context(), language)
		if err != nil {
			return web.Document{}, err
		}
		var buf bytes.Buffer
		err = view.Render(&buf)
		return web.Document{Body: buf.Bytes(), MediaType: "text/html; charset=utf-8", Modified: modified}, err
	})
	if err != nil {
		h.fail(w, r, err)
	}
}

// stamp names the version of everything these pages show.
func (h *Web) stamp(ctx context.Context) (string, time.Time, error) {
	return h.Service.articles.Stamp(ctx)
}

func (h *Web) page(language, title, description, path string, feeds []templates.FeedLink) templates.Page {
	o := h.Service.opts
	return templates.Page{
		Language: language, SiteName: o.SiteName, Title: title, Description: description,
		Canonical: o.BaseURL + path, Feeds: feeds,
	}
}

func (h *Web) home(w http.ResponseWriter, r *http.Request) {
	h.serve(w, r, func(ctx context.Context, language string) (page, error) {
		s := h.Service
		lists, err := s.subscribers.Lists(ctx)
		if err != nil {
			return nil, err
		}
		issues, err := s.Issues(ctx, 0, homeIssues)
		if err != nil {
			return nil, err
		}
		articles, err := s.articles.Articles(ctx, feed.Selection{Limit: homeArticles})
		if err != nil {
			return nil, err
		}
		view := templates.HomePage{Page: h.page(language, "", "", "/", feed.FeedLinks(s.opts.BaseURL, "/", s.opts.SiteName))}
		for _, l := range lists {
			if l.Visibility == subscribers.Public {
				view.Lists = append(view.Lists, s.listCard(l, language))
			}
		}
		if view.Issues, err = s.issueCards(ctx, issues, lists); err != nil {
			return nil, err
		}
		for _, a := range articles {
			view.Articles = append(view.Articles, feed.ItemView(a, s.opts.BaseURL))
		}
		return view, nil
	})
}

func (h *Web) list(w http.ResponseWriter, r *http.Request) {
	h.serve(w, r, func(ctx context.Context, language string) (page, error) {
		s := h.Service
		l, err := s.subscribers.ListBySlug(ctx, r.PathValue("slug"))
		if err != nil {
			return nil, err
		}
		issues, err := s.Issues(ctx, l.ID, listIssues)
		if err != nil {
			return nil, err
		}
		card := s.listCard(l, language)
		path := "/lists/" + l.Slug + "/"
		view := templates.ListPage{
			Page: h.page(language, l.Title, l.Description, path, feed.FeedLinks(s.opts.BaseURL, path, l.Title)),
			List: card,
		}
		if view.Issues, err = s.issueCards(ctx, issues, []subscribers.List{l}); err != nil {
			return nil, err
		}
		matched, err := s.matchedArticles(ctx, l.ID, homeArticles)
		if err != nil {
			return nil, err
		}
		for _, a := range matched {
			view.Articles = append(view.Articles, feed.ItemView(a, s.opts.BaseURL))
		}
		return view, nil
	})
}

func (h *Web) issue(w http.ResponseWriter, r *http.Request) {
	h.serve(w, r, func(ctx context.Context, language string) (page, error) {
		s := h.Service
		l, err := s.subscribers.ListBySlug(ctx, r.PathValue("slug"))
		if err != nil {
			return nil, err
		}
		n, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
		if err != nil {
			return nil, ErrNotFound
		}
		i, err := s.IssueOf(ctx, l.ID, n)
		if err != nil {
			return nil, err
		}
		if i.Held {
			return nil, ErrNotFound
		}
		i.List = l
		items, err := s.IssueItems(ctx, i.ID)
		if err != nil {
			return nil, err
		}
		path := strings.TrimPrefix(s.issueURL(i), s.opts.BaseURL)
		date := localDate(i.DueAt, l.Zone).String()
		view := templates.IssuePage{
			Page: h.page(language, templates.Words(language, "issue.title", l.Title, i.Number), l.Description, path,
				feed.FeedLinks(s.opts.BaseURL, "/lists/"+l.Slug+"/", l.Title)),
			List: s.listCard(l, language), Number: int(i.Number), Date: date, Note: i.Note,
			Sections: s.sectionViews(items, language),
		}
		if view.Older, view.Newer, err = s.neighbours(ctx, i); err != nil {
			return nil, err
		}
		return view, nil
	})
}

func (h *Web) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, ErrNotFound) || errors.Is(err, subscribers.ErrNotFound) || errors.Is(err, feed.ErrNotFound) {
		web.NotFound(w, r)
		return
	}
	h.Service.opts.Logger.Error("request failed", "url", r.URL.Path, "err", err)
	web.ServerError(w, r)
}

// matchedArticles returns the newest articles that a list matched.
func (s *Service) matchedArticles(ctx context.Context, list int64, limit int) ([]feed.Article, error) {
	var ids []int64
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		ids, err = database.Collect(ctx, tx, database.ScanOne[int64], `SELECT article FROM matches WHERE list = $1 ORDER BY seq DESC LIMIT $2`, list, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	found, err := s.articles.ArticlesByID(ctx, ids)
	articles := make([]feed.Article, 0, len(ids))
	for _, id := range ids {
		if a, ok := found[id]; ok {
			articles = append(articles, a)
		}
	}
	return articles, err
}

// neighbours returns the addresses of the issues before and after i, "" at the ends.
func (s *Service) neighbours(ctx context.Context, i Issue) (older, newer string, err error) {
	var numbers []int64
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		numbers, err = database.Collect(ctx, tx, database.ScanOne[int64],
			`SELECT number FROM issues WHERE list = $1 AND number IN ($2, $3) AND number > 0`, i.List.ID, i.Number-1, i.Number+1)
		return err
	})
	for _, n := range numbers {
		other := s.issueURL(Issue{List: i.List, Number: n})
		if n < i.Number {
			older = other
		} else {
			newer = other
		}
	}
	return older, newer, err
}

func (s *Service) listCard(l subscribers.List, language string) templates.ListCard {
	return templates.ListCard{
		Slug: l.Slug, Title: l.Title, Description: l.Description, URL: s.opts.BaseURL + "/lists/" + l.Slug + "/",
		Schedule: subscribers.ScheduleText(l.Cron, language),
	}
}

// issueCards fills the cards of issues; lists are those that they may be of.
func (s *Service) issueCards(ctx context.Context, issues []Issue, lists []subscribers.List) ([]templates.IssueCard, error) {
	cards := make([]templates.IssueCard, 0, len(issues))
	for _, i := range issues {
		at := slices.IndexFunc(lists, func(l subscribers.List) bool { return l.ID == i.List.ID })
		if at < 0 || lists[at].Visibility != subscribers.Public && len(lists) > 1 {
			continue // removed or hidden
		}
		i.List = lists[at]
		items, err := s.IssueItems(ctx, i.ID)
		if err != nil {
			return nil, err
		}
		card := templates.IssueCard{
			URL: s.issueURL(i), ListTitle: i.List.Title, Number: int(i.Number),
			Date: localDate(i.DueAt, i.List.Zone).String(), Count: i.Count,
		}
		var lead []string
		for _, it := range items[:min(3, len(items))] {
			lead = append(lead, it.Article.Title())
		}
		card.Lead = strings.Join(lead, " · ")
		cards = append(cards, card)
	}
	return cards, nil
}
