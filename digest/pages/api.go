package pages

import (
	"context"
	_ "embed" // for the description of the API
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"dibao/digest"
	"dibao/feed"
	"dibao/feed/site"
	"dibao/internal/fault"
	"dibao/subscribers"
)

// openAPI describes the whole API, including the part of package feed/site (OpenAPI
// 3.1).
//
//go:embed openapi.json
var openAPI []byte

// registerAPI registers the API of lists and issues, and its description, on mux.
func (h *Web) registerAPI(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/openapi.json", func(w http.ResponseWriter, r *http.Request) {
		h.serveProgram(w, r, "/api/openapi.json", func(context.Context) (programBytes, error) {
			return programBytes{body: openAPI, mediaType: "application/json; charset=utf-8"}, nil
		})
	})
	mux.HandleFunc("GET /api/v1/lists", h.apiLists)
	mux.HandleFunc("GET /api/v1/lists/{slug}", h.apiList)
	mux.HandleFunc("GET /api/v1/issues", h.apiIssues)
	mux.HandleFunc("GET /api/v1/issues/{slug}/{n}", h.apiIssue)
}

type apiListView struct {
	Slug        string    `json:"slug"`
	Title       string    `json:"title"`
	Description *string   `json:"description"`
	URL         string    `json:"url"`
	Feed        string    `json:"feed_url"`
	Calendar    string    `json:"calendar_url"`
	Schedule    string    `json:"schedule"`      // cron; not used if AsItHappens
	AsItHappens bool      `json:"as_it_happens"` // an issue whenever something is new
	Zone        string    `json:"zone"`
	Language    string    `json:"language"`
	Updated     time.Time `json:"updated_at"`
}

func (h *Web) newAPIList(l subscribers.List) apiListView {
	page := h.Feeds.BaseURL + l.Path()
	v := apiListView{
		Slug: l.Slug, Title: l.Title, URL: page, Feed: page + "feed.json", Calendar: page + "calendar.ics", Schedule: l.Cron, AsItHappens: l.AsItHappens, Zone: l.Zone,
		Language: l.Language, Updated: l.UpdatedAt.UTC(),
	}
	if l.Description != "" {
		v.Description = &l.Description
	}
	return v
}

func (h *Web) apiLists(w http.ResponseWriter, r *http.Request) {
	h.Feeds.ServeAPI(w, r, "", func(ctx context.Context, _ url.Values) (any, error) {
		lists, err := h.publicLists(ctx)
		data := []apiListView{}
		for _, l := range lists {
			data = append(data, h.newAPIList(l))
		}
		return site.APIPage{Data: data}, err
	})
}

// publicList returns a public list.
func (h *Web) publicList(ctx context.Context, slug string) (subscribers.List, error) {
	l, err := h.Lists.ListBySlug(ctx, slug)
	if errors.Is(err, subscribers.ErrNotFound) || err == nil && l.Visibility != subscribers.Public {
		err = feed.ErrNotFound
	}
	return l, err
}

func (h *Web) apiList(w http.ResponseWriter, r *http.Request) {
	h.Feeds.ServeAPI(w, r, "", func(ctx context.Context, _ url.Values) (any, error) {
		l, err := h.publicList(ctx, r.PathValue("slug"))
		return h.newAPIList(l), err
	})
}

type apiIssueView struct {
	List   string         `json:"list"`
	Number int64          `json:"number"`
	URL    string         `json:"url"`
	Due    time.Time      `json:"due_at"`
	Note   *string        `json:"note"`
	Count  int            `json:"count"`
	Items  []apiIssueItem `json:"items,omitempty"`
}

type apiIssueItem struct {
	Section string `json:"section"`
	Article any    `json:"article"`
}

func (h *Web) newAPIIssue(i digest.Issue) apiIssueView {
	v := apiIssueView{List: i.List.Slug, Number: i.Number, URL: h.Service.IssueURL(i), Due: i.DueAt.UTC(), Count: i.Count}
	if i.Note != "" {
		v.Note = &i.Note
	}
	return v
}

// apiIssues lists the issues of a list, newest first; the cursor is a number.
func (h *Web) apiIssues(w http.ResponseWriter, r *http.Request) {
	h.Feeds.ServeAPI(w, r, "list limit cursor", func(ctx context.Context, q url.Values) (any, error) {
		limit, before, err := site.Paging(q)
		if err != nil {
			return nil, err
		}
		if q.Get("list") == "" {
			return nil, fault.Invalid("list is missing: the slug of a list, from /api/v1/lists")
		}
		l, err := h.publicList(ctx, q.Get("list"))
		if err != nil {
			return nil, err
		}
		issues, err := h.Service.IssuesBefore(ctx, l.ID, before, limit)
		data := []apiIssueView{}
		for _, i := range issues {
			i.List = l
			data = append(data, h.newAPIIssue(i))
		}
		page := site.APIPage{Data: data}
		if len(issues) == limit {
			page.Next = site.NextCursor(true, issues[limit-1].Number)
		}
		return page, err
	})
}

func (h *Web) apiIssue(w http.ResponseWriter, r *http.Request) {
	h.Feeds.ServeAPI(w, r, "", func(ctx context.Context, _ url.Values) (any, error) {
		l, err := h.publicList(ctx, r.PathValue("slug"))
		if err != nil {
			return nil, err
		}
		n, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
		if err != nil || n < 1 {
			return nil, feed.ErrNotFound
		}
		i, err := h.Service.IssueOf(ctx, l.ID, n)
		if errors.Is(err, digest.ErrNotFound) || err == nil && i.Held {
			err = feed.ErrNotFound
		}
		if err != nil {
			return nil, err
		}
		i.List = l
		items, err := h.Service.IssueItems(ctx, i.ID)
		v := h.newAPIIssue(i)
		v.Count = len(items)
		for _, it := range items {
			v.Items = append(v.Items, apiIssueItem{it.Section, site.APIArticle(it.Article, h.Feeds.BaseURL)})
		}
		return v, err
	})
}
