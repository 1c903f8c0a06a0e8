package pages

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"

	"dibao/feed"
	"dibao/feed/publish"
	"dibao/feed/site"
	"dibao/subscribers"
)

// listFeed serves the matches of a list, issued or not: a feed does not have to wait
// for the next issue.
func (h *Web) listFeed(w http.ResponseWriter, r *http.Request, f publish.Format) {
	name := r.PathValue("slug")
	h.Feeds.ServeFeed(w, r, f, "/lists/"+url.PathEscape(name)+"/", func(ctx context.Context) (site.FeedSpec, error) {
		l, err := h.Lists.ListAt(ctx, name)
		if errors.Is(err, subscribers.ErrNotFound) {
			err = feed.ErrNotFound
		}
		return site.FeedSpec{Title: l.Title, Description: cmp.Or(l.Description, l.Title), Language: l.Language, Entries: h.Service.Matched(l.ID)}, err
	})
}

// listCalendar serves the dates of the articles that match a list.
func (h *Web) listCalendar(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("slug")
	h.Feeds.ServeCalendar(w, r, "/lists/"+url.PathEscape(name)+"/", func(ctx context.Context) (publish.Calendar, site.Agenda, error) {
		l, err := h.Lists.ListAt(ctx, name)
		if errors.Is(err, subscribers.ErrNotFound) {
			err = feed.ErrNotFound
		}
		return publish.Calendar{Name: l.Title, Description: l.Description, Language: l.Language}, site.Agenda{List: l.ID}, err
	})
}
