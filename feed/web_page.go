package feed

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"dibao/internal/web"
	"dibao/policy"
	"dibao/templates"
)

// registerPages puts the pages for people on mux.
func (h *Web) registerPages(mux *http.ServeMux) {
	mux.HandleFunc("GET /articles/{id}", h.article)
	mux.HandleFunc("GET /articles/{id}/changes", h.articleChanges)
	h.registerCollections(mux)
}

// pageView is a view that can be rendered.
type pageView interface{ Render(io.Writer) error }

// servePage answers with a page from the cache, built anew when an article
// changed and when a day ends: states such as 尚未施行 depend on the day.
func (h *Web) servePage(w http.ResponseWriter, r *http.Request, key string, build func(ctx context.Context, p templates.Page) (pageView, error)) {
	stamp, modified, err := h.Store.Stamp(r.Context())
	if err != nil {
		h.fail(w, r, err)
		return
	}
	p := templates.Page{Language: web.Language(r), Chosen: web.LanguageChosen(r), SiteName: h.SiteName, Canonical: h.BaseURL + key}
	version := fmt.Sprintf("%s %s", stamp, h.Today())
	err = h.Cache.Serve(w, r, fmt.Sprintf("%s %s %t", key, p.Language, p.Chosen), version, func() (web.Document, error) {
		view, err := build(r.Context(), p)
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

// zone is that of the node.
func (h *Web) zone() *time.Location {
	if h.Zone == nil {
		return time.FixedZone("CST", 8*60*60)
	}
	return h.Zone
}

// Today is the day at the zone of the node.
func (h *Web) Today() policy.Date { return policy.DateOf(h.Store.Now().In(h.zone())) }

// pathID reads the number of an article or source in a path.
func pathID(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id <= 0 {
		return 0, ErrNotFound
	}
	return id, nil
}

// PageItem is [ItemView] for a page: with the state on a day where it is out of
// the ordinary. That a new document is in force goes without saying.
func PageItem(a Article, base string, today policy.Date) templates.Item {
	v := ItemView(a, base)
	if v.Status = statusOn(a.Facts, today); v.Status == "in-force" {
		v.Status = ""
	}
	return v
}

// expiresSoon is how many days ahead the end of a document is announced.
const expiresSoon = 90

// statusOn says in which state a text is on a day, as far as it says so itself:
// "" where it does not.
func statusOn(f policy.Facts, today policy.Date) string {
	switch {
	case f.Kind == policy.KindConsultation && f.DeadlineOn.IsZero():
		return ""
	case f.Kind == policy.KindConsultation && f.DeadlineOn.Before(today):
		return "closed"
	case f.Kind == policy.KindConsultation:
		return "open"
	case f.Kind != policy.KindDocument:
		return ""
	case !f.ExpiresOn.IsZero() && f.ExpiresOn.Before(today):
		return "expired"
	case !f.EffectiveOn.IsZero() && today.Before(f.EffectiveOn):
		return "not-yet"
	case !f.ExpiresOn.IsZero() && f.ExpiresOn.Before(today.AddDays(expiresSoon)):
		return "expiring"
	case !f.EffectiveOn.IsZero():
		return "in-force"
	}
	return ""
}

func (h *Web) article(w http.ResponseWriter, r *http.Request) {
	id, err := pathID(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.servePage(w, r, fmt.Sprintf("/articles/%d", id), func(ctx context.Context, p templates.Page) (pageView, error) {
		a, err := h.Store.Article(ctx, id)
		if err != nil {
			return nil, err
		}
		if a.Hidden {
			return nil, ErrNotFound
		}
		view := templates.ArticlePage{
			Article:  ItemView(a, h.BaseURL),
			Facts:    articleFacts(a, p.Language),
			Warnings: a.Warnings,
		}
		p.Title, p.Description, p.Article = a.Title(), a.Facts.Summary, true
		p.Feeds = FeedLinks(h.BaseURL, "/", h.SiteName)
		p.Data = describe(a, h.BaseURL, h.Today())
		view.Page = p
		view.Article.Status = statusOn(a.Facts, h.Today())
		if !a.WithdrawnAt.IsZero() {
			view.Withdrawn = a.WithdrawnAt.In(a.zone()).Format(time.DateOnly)
		}
		for _, c := range a.Facts.Citations {
			addMention(&view.Relations, c.Relation, templates.Mention{Relation: c.Relation, Title: c.Title, Number: c.Number, Issuer: strings.Join(c.Issuers, "、"), Status: promised(c)})
		}
		if a.MayShowText() {
			view.Content = content(a)
			revisions, err := h.Store.Revisions(ctx, a.ID)
			if err != nil {
				return nil, err
			}
			if len(revisions) > 0 {
				view.ChangesURL = p.Canonical + "/changes"
				view.Changes = a.changes(revisions[len(revisions)-1:])
			}
		}
		for _, x := range a.Attachments {
			view.Attachments = append(view.Attachments, templates.FeedLink{Title: x.Title, URL: x.URL, Type: x.Type})
		}
		return view, nil
	})
}

// articleChanges shows how the text of an article was edited since it was collected.
func (h *Web) articleChanges(w http.ResponseWriter, r *http.Request) {
	id, err := pathID(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.servePage(w, r, fmt.Sprintf("/articles/%d/changes", id), func(ctx context.Context, p templates.Page) (pageView, error) {
		a, err := h.Store.Article(ctx, id)
		if err != nil {
			return nil, err
		}
		if a.Hidden {
			return nil, ErrNotFound
		}
		p.Title = templates.Words(p.Language, "changes.title") + " · " + a.Title()
		view := templates.ChangesPage{Page: p, Name: a.Title(), URL: ArticleURL(h.BaseURL, a.ID)}
		if a.MayShowText() {
			revisions, err := h.Store.Revisions(ctx, id)
			if err != nil {
				return nil, err
			}
			view.Changes = a.changes(revisions)
		}
		return view, nil
	})
}

func promised(c policy.Citation) string {
	if c.Status == policy.StatusPromised {
		return "promised"
	}
	return ""
}

// addMention puts a mention into the group of its relation; «» is a mere mention.
func addMention(groups *[]templates.RelationGroup, key string, m templates.Mention) {
	if key == "" {
		key = "提到"
	}
	at := slices.IndexFunc(*groups, func(g templates.RelationGroup) bool { return g.Key == key })
	if at < 0 {
		*groups = append(*groups, templates.RelationGroup{Key: key})
		at = len(*groups) - 1
	}
	if m.Title == "" {
		m.Title, m.Number = m.Number, ""
	}
	(*groups)[at].Mentions = append((*groups)[at].Mentions, m)
}
