package stars

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"

	"dibao/digest/agenda"
	"dibao/feed"
	"dibao/internal/database"
	"dibao/internal/web"
	"dibao/policy"
	"dibao/subscribers"
	"dibao/subscribers/tokens"
	"dibao/templates"
)

// Web serves the page on which a reader stars a call. GET shows it, POST changes the
// star.
type Web struct {
	Store    *Store
	DB       *database.DB
	Readers  *subscribers.Store
	Articles *feed.Store
	SiteName string
	BaseURL  string
	Logger   *slog.Logger
}

// Register registers the handlers on mux.
func (h *Web) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /preferences/{token}/star/{article}", h.page)
	mux.HandleFunc("POST /preferences/{token}/star/{article}", h.change)
	mux.HandleFunc("GET /u/{token}"+StopPath, h.stopPage)
	mux.HandleFunc("POST /u/{token}"+StopPath, h.stop)
}

// StopPath is the path, below a reader's link for unsubscribing, that turns off reminders. It
// is in the List-Unsubscribe field of reminders.
const StopPath = "/reminders"

func (h *Web) stopPage(w http.ResponseWriter, r *http.Request) {
	if _, err := h.Readers.Keys().Check(r.Context(), r.PathValue("token"), tokens.ActionUnsubscribe); err != nil {
		h.fail(w, r, err)
		return
	}
	l := web.Language(r)
	h.show(w, http.StatusOK, templates.ButtonPage{
		Page: templates.Page{Language: l, Chosen: web.LanguageChosen(r), SiteName: h.SiteName, NoIndex: true, Title: templates.Words(l, "button.reminders.title")},
		Key:  "reminders", Action: "/u/" + r.PathValue("token") + StopPath + "?lang=" + l,
	})
}

// stop turns off the reader's reminders at once, as RFC 8058 asks: without a login or a
// redirect. It can be repeated.
func (h *Web) stop(w http.ResponseWriter, r *http.Request) {
	t, err := h.Readers.Keys().Check(r.Context(), r.PathValue("token"), tokens.ActionUnsubscribe)
	if err == nil {
		err = h.Store.StopReminders(r.Context(), t.Subscriber)
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.message(w, r, http.StatusOK, "reminders_off")
}

// Path returns the path of the page of an article's star, below the address of a reader's
// preferences.
func Path(article int64) string { return "/star/" + strconv.FormatInt(article, 10) }

// subject returns the reader of a link and the call that it names: one that was sent to the
// reader, or that the reader starred.
func (h *Web) subject(r *http.Request) (reader subscribers.Subscriber, a feed.Article, star *Star, err error) {
	ctx := r.Context()
	if reader, err = h.Readers.ReaderOf(ctx, r.PathValue("token")); err != nil {
		return reader, a, nil, err
	}
	id, err := strconv.ParseInt(r.PathValue("article"), 10, 64)
	if err != nil {
		return reader, a, nil, feed.ErrNotFound
	}
	all, err := h.Store.Of(ctx, reader.ID)
	if err != nil {
		return reader, a, nil, err
	}
	if i := slices.IndexFunc(all, func(s Star) bool { return s.Article == id }); i >= 0 {
		star = &all[i]
	} else {
		sent, err := agenda.Sent(ctx, h.DB, reader.ID)
		if err != nil {
			return reader, a, nil, err
		}
		if _, ok := slices.BinarySearch(sent, id); !ok {
			return reader, a, nil, feed.ErrNotFound
		}
	}
	if star != nil && star.Hidden { // the reader can only remove the star
		return reader, feed.Article{ID: id, Hidden: true}, star, nil
	}
	found, err := h.Articles.ArticlesByID(ctx, []int64{id})
	a, ok := found[id]
	if err == nil && (!ok || a.Hidden) {
		err = feed.ErrNotFound
	}
	return reader, a, star, err
}

func (h *Web) page(w http.ResponseWriter, r *http.Request) {
	_, a, star, err := h.subject(r)
	if err == nil && a.Hidden {
		err = feed.ErrNotFound
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	l := web.Language(r)
	own := "/preferences/" + r.PathValue("token")
	view := templates.StarPage{
		Page:  templates.Page{Language: l, Chosen: web.LanguageChosen(r), SiteName: h.SiteName, NoIndex: true, Title: templates.Words(l, "star.title")},
		Title: a.Title(), URL: feed.ArticleURL(h.BaseURL, a.ID), Remind: true,
		Action: own + Path(a.ID) + "?lang=" + l, Back: own + "?lang=" + l + "#stars",
	}
	if star != nil {
		view.Starred, view.Remind = true, star.Remind
	} else if now, err := h.Store.unstarred(r.Context(), a.ID); err == nil {
		star = &now
	} else {
		h.fail(w, r, err)
		return
	}
	view.Last, view.Prospect = star.Last.String(), string(star.Prospect(policy.DateOf(h.Store.now())))
	h.show(w, http.StatusOK, view)
}

func (h *Web) change(w http.ResponseWriter, r *http.Request) {
	reader, a, _, err := h.subject(r)
	if err == nil {
		err = r.ParseForm()
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	back := "/preferences/" + r.PathValue("token")
	there := back + Path(a.ID) + "?lang=" + web.Language(r)
	switch r.PostForm.Get("do") {
	case "star":
		if a.Hidden {
			err = feed.ErrNotFound
			break
		}
		err = h.Store.Put(r.Context(), reader.ID, a.ID, r.PostForm.Has("remind"))
	case "remove":
		_, err = h.Store.Remove(r.Context(), reader.ID, a.ID)
		if r.PostForm.Has("list") {
			there = back + "?lang=" + web.Language(r) + "#stars"
		}
	default: // a POST that does not come from the form changes nothing
		err = feed.ErrNotFound
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, there, http.StatusSeeOther)
}

// show answers with a page that must not be cached, because its address contains the
// reader's token.
func (h *Web) show(w http.ResponseWriter, status int, p interface{ Render(io.Writer) error }) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	if err := p.Render(w); err != nil {
		h.Logger.Error("page not rendered", "err", err)
	}
}

func (h *Web) message(w http.ResponseWriter, r *http.Request, status int, key string) {
	l := web.Language(r)
	h.show(w, status, templates.MessagePage{Key: key, Page: templates.Page{
		Language: l, Chosen: web.LanguageChosen(r), SiteName: h.SiteName, NoIndex: true, Title: templates.Words(l, "message."+key+".title"),
	}})
}

func (h *Web) fail(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, tokens.ErrExpired): // the page of preferences offers a new link
		http.Redirect(w, r, "/preferences/"+r.PathValue("token")+"?lang="+web.Language(r), http.StatusSeeOther)
	case errors.Is(err, tokens.ErrInvalid):
		h.message(w, r, http.StatusNotFound, "badtoken")
	case errors.Is(err, subscribers.ErrNotFound):
		h.message(w, r, http.StatusNotFound, "forgotten")
	case errors.Is(err, feed.ErrNotFound):
		web.NotFound(w, r)
	case errors.Is(err, ErrTooMany):
		h.message(w, r, http.StatusConflict, "stars_full")
	default:
		h.Logger.Error("star not changed", "err", err)
		web.ServerError(w, r)
	}
}

// Items returns the rows of a reader's preference page.
func (s *Store) Items(ctx context.Context, subscriber int64, language, own, base string) ([]templates.StarredItem, error) {
	all, err := s.Of(ctx, subscriber)
	today := policy.DateOf(s.now())
	var items []templates.StarredItem
	for _, x := range all {
		title, address := x.Title, feed.ArticleURL(base, x.Article)
		if x.Hidden {
			title, address = templates.Words(language, "star.hidden"), ""
		}
		items = append(items, templates.StarredItem{
			Title: title, URL: address, Last: x.Last.String(), Canceled: x.Canceled, Remind: x.Remind,
			Prospect: string(x.Prospect(today)), Page: own + Path(x.Article) + "?lang=" + language,
		})
	}
	return items, err
}
