package site

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"dibao/feed"
	"dibao/feed/amend"
	"dibao/feed/asks"
	"dibao/internal/web"
	"dibao/policy"
	"dibao/templates"
)

// registerPages registers the pages for people on mux.
func (h *Web) registerPages(mux *http.ServeMux) {
	mux.HandleFunc("GET /articles/{id}", h.article)
	mux.HandleFunc("GET /articles/{id}/changes", h.articleChanges)
	h.registerCollections(mux)
	h.registerDocuments(mux)
	mux.HandleFunc("GET /search", h.searchPage)
}

// PageView is a view that can be rendered.
type PageView interface{ Render(io.Writer) error }

// ServePage answers with the page at an address of this site, from the cache, which is
// rebuilt when an article, an issue or a list has changed and when a day ends: states such
// as 尚未施行 depend on the day. It returns the error of build, and has answered only if that
// is nil.
func (h *Web) ServePage(w http.ResponseWriter, r *http.Request, address string, build func(ctx context.Context, p templates.Page) (PageView, error)) error {
	version, modified, err := h.Store.Version(r.Context())
	if err != nil {
		return err
	}
	p := templates.Page{Language: web.Language(r), Chosen: web.LanguageChosen(r), SiteName: h.SiteName, Canonical: h.BaseURL + address}
	version = fmt.Sprintf("%s %s", version, h.Today())
	return h.Cache.Serve(w, r, fmt.Sprintf("%s %s %t", address, p.Language, p.Chosen), version, func() (web.Document, error) {
		view, err := build(r.Context(), p)
		if err != nil {
			return web.Document{}, err
		}
		var buf bytes.Buffer
		err = view.Render(&buf)
		return web.Document{Body: buf.Bytes(), MediaType: "text/html; charset=utf-8", Modified: modified}, err
	})
}

func (h *Web) servePage(w http.ResponseWriter, r *http.Request, address string, build func(ctx context.Context, p templates.Page) (PageView, error)) {
	if err := h.ServePage(w, r, address, build); err != nil {
		h.fail(w, r, err)
	}
}

// zone returns the time zone of the node.
func (h *Web) zone() *time.Location {
	if h.Zone == nil {
		return time.FixedZone("CST", 8*60*60)
	}
	return h.Zone
}

// Today returns the date in the time zone of the node.
func (h *Web) Today() policy.Date { return policy.DateOf(h.Store.Now().In(h.zone())) }

// pathID reads the number of an article or source in a path.
func pathID(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id <= 0 {
		return 0, feed.ErrNotFound
	}
	return id, nil
}

func (h *Web) article(w http.ResponseWriter, r *http.Request) {
	id, err := pathID(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.servePage(w, r, fmt.Sprintf("/articles/%d", id), func(ctx context.Context, p templates.Page) (PageView, error) {
		a, err := h.Store.Article(ctx, id)
		if err != nil {
			return nil, err
		}
		if a.Hidden {
			return nil, feed.ErrNotFound
		}
		was, err := h.moveDeadline(ctx, &a)
		if err != nil {
			return nil, err
		}
		view := templates.ArticlePage{
			Facts:    articleFacts(a, p.Language),
			Warnings: publicWarnings(a, p.Language),
		}
		if !was.IsZero() {
			sayMoved(view.Facts, p.Language, was)
		}
		if a.Call != nil {
			view.Call = asks.Rows(*a.Call, p.Language)
		}
		p.Title, p.Description, p.Article = a.Title(), a.Facts.Summary, true
		p.Feeds = PageFeeds(h.BaseURL, "/", h.SiteName)
		p.Data = describe(a, h.BaseURL, h.Today())
		view.Page = p
		if !a.WithdrawnAt.IsZero() {
			view.Withdrawn = a.WithdrawnAt.In(a.Location()).Format(time.DateOnly)
		}
		if err := h.relate(ctx, a, &view); err != nil {
			return nil, err
		}
		machine, err := h.Store.MachineSummaries(ctx, a)
		if err != nil {
			return nil, err
		}
		for _, m := range machine {
			view.Machine = append(view.Machine, templates.MachineSummary{Language: m.Language, Text: m.Text, Model: m.Model})
		}
		if a.MayShowText() {
			view.Content = withoutPictures(a.Content, templates.Words(p.Language, "article.picture"))
			revisions, err := h.Store.Revisions(ctx, a.ID)
			if err != nil {
				return nil, err
			}
			if len(revisions) > 0 {
				view.ChangesURL = p.Canonical + "/changes"
				if view.Changes, err = changesOf(ctx, a, revisions[len(revisions)-1:]); err != nil {
					return nil, err
				}
			}
		}
		for _, x := range a.Attachments {
			view.Attachments = append(view.Attachments, templates.FeedLink{Title: x.Title, URL: x.URL, Type: x.Type})
		}
		return view, nil
	})
}

// articleChanges shows how the text of an article changed since it was collected.
func (h *Web) articleChanges(w http.ResponseWriter, r *http.Request) {
	id, err := pathID(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	key, against := fmt.Sprintf("/articles/%d/changes", id), int64(0)
	if text := r.URL.Query().Get("against"); text != "" {
		if against, err = strconv.ParseInt(text, 10, 64); err != nil || against <= 0 {
			h.fail(w, r, feed.ErrNotFound)
			return
		}
		key += fmt.Sprintf("?against=%d", against)
	}
	h.servePage(w, r, key, func(ctx context.Context, p templates.Page) (PageView, error) {
		a, err := h.Store.Article(ctx, id)
		if err != nil {
			return nil, err
		}
		if a.Hidden {
			return nil, feed.ErrNotFound
		}
		p.Title = templates.Words(p.Language, "changes.title") + " · " + a.Title()
		view := templates.ChangesPage{Page: p, Name: a.Title(), URL: feed.ArticleURL(h.BaseURL, a.ID)}
		if against > 0 {
			related, err := h.Store.AreRelated(ctx, id, against)
			if err != nil {
				return nil, err
			}
			if !related { // otherwise anybody could make us compare any two texts
				return nil, feed.ErrNotFound
			}
			old, err := h.Store.Article(ctx, against)
			if err != nil {
				return nil, err
			}
			if old.Hidden || !old.MayShowText() || !a.MayShowText() {
				return nil, feed.ErrNotFound
			}
			view.Page.Title, view.Against = templates.Words(p.Language, "changes.compare")+" · "+a.Title(), old.Title()
			if on := cmp.Or(old.Facts.IssuedOn, old.Facts.PublishedOn); !on.IsZero() {
				view.Against += "（" + on.String() + "）"
			}
			change, err := textChange(ctx, old.Facts.Paragraphs, a.Facts.Paragraphs)
			view.Changes = []templates.TextChange{change}
			return view, err
		}
		if a.MayShowText() {
			revisions, err := h.Store.Revisions(ctx, id)
			if err != nil {
				return nil, err
			}
			view.Changes, err = changesOf(ctx, a, revisions)
			return view, err
		}
		return view, nil
	})
}

// relate sets the relations of an article to documents and other articles.
func (h *Web) relate(ctx context.Context, a feed.Article, view *templates.ArticlePage) error {
	items, err := h.Items(ctx, view.Page.Language, []feed.Article{a})
	if err != nil {
		return err
	}
	view.Article = items[0]
	view.Article.Status = statusOn(a.Facts, h.Today())
	if err := h.amendments(ctx, a, view); err != nil {
		return err
	}
	relations, err := h.Store.Relations(ctx, a.ID)
	if err != nil {
		return err
	}
	known, err := h.targets(ctx, relations)
	if err != nil {
		return err
	}
	for _, r := range relations {
		addMention(&view.Relations, relationKey(r.Kind), known.mention(r))
	}
	documents, err := h.Store.DocumentsOfArticles(ctx, []int64{a.ID})
	if err != nil {
		return err
	}
	if d, ok := documents[a.ID]; ok {
		view.Article.Status = d.StatusWord(h.Today())
		view.Document = d.Path()
		if _, err := h.relatives(ctx, d, &view.Relations); err != nil {
			return err
		}
		view.Relations = onceEach(view.Relations)
		ids, err := h.Store.Interpretations(ctx, d.ID)
		if err != nil {
			return err
		}
		view.Pairs, err = h.itemsByID(ctx, view.Page.Language, ids)
		return err
	}
	originals, err := h.Store.OriginalsOf(ctx, []int64{a.ID})
	if err != nil || originals[a.ID] == 0 {
		return err
	}
	d, err := h.Store.Document(ctx, originals[a.ID])
	if err != nil || d.Article == 0 {
		return err
	}
	view.Pairs, err = h.itemsByID(ctx, view.Page.Language, []int64{d.Article})
	return err
}

// amendments sets what later notices changed in a call, or which call a notice changes.
func (h *Web) amendments(ctx context.Context, a feed.Article, view *templates.ArticlePage) error {
	words := asks.In(view.Page.Language)
	show := func(c amend.Change, article int64, title string) templates.Amendment {
		return templates.Amendment{Text: words.Change(c, policy.Date.String), Title: title, URL: feed.ArticleURL(h.BaseURL, article), Date: c.On.String(), Sentence: c.Evidence}
	}
	history, err := amend.History(ctx, h.Store.DB(), a.ID)
	if err != nil {
		return err
	}
	for _, c := range history {
		view.Amended = append(view.Amended, show(c, c.Notice, c.Title))
	}
	target, c, err := amend.Target(ctx, h.Store.DB(), a.ID)
	if err != nil || target == 0 {
		return err
	}
	found, err := h.Store.ArticlesByID(ctx, []int64{target})
	if t, ok := found[target]; ok && !t.Hidden {
		m := show(c, target, t.Title())
		view.Amends = &m
	}
	return err
}

// onceEach removes repeated relations to one document.
func onceEach(groups []templates.RelationGroup) []templates.RelationGroup {
	for i := range groups {
		named := make(map[string]bool)
		groups[i].Mentions = slices.DeleteFunc(groups[i].Mentions, func(m templates.Mention) bool {
			key := m.URL + "\n" + m.Title + "\n" + m.Number
			was := named[key]
			named[key] = true
			return was
		})
	}
	return groups
}

// addMention adds a mention to the group of its relation; "" is a mere mention.
func addMention(groups *[]templates.RelationGroup, key string, m templates.Mention) {
	if key == "" {
		key = feed.CitesName
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
