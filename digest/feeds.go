package digest

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/url"
	"time"

	"dibao/feed"
	"dibao/feed/publish"
	"dibao/feed/site"
	"dibao/subscribers"
)

// listFeed serves the matches of a list, issued or not: a feed reader need not
// wait for Monday.
func (h *Web) listFeed(w http.ResponseWriter, r *http.Request, f publish.Format) {
	name := r.PathValue("slug")
	h.Feeds.ServeFeed(w, r, f, "/lists/"+url.PathEscape(name)+"/", func(ctx context.Context) (site.FeedSpec, error) {
		l, err := h.Service.subscribers.ListAt(ctx, name)
		if errors.Is(err, subscribers.ErrNotFound) {
			err = feed.ErrNotFound
		}
		return site.FeedSpec{Title: l.Title, Description: cmp.Or(l.Description, l.Title), Language: l.Language, Entries: h.Service.matched(l.ID)}, err
	})
}

// listCalendar serves the days of what a list matched.
func (h *Web) listCalendar(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("slug")
	h.Feeds.ServeCalendar(w, r, "/lists/"+url.PathEscape(name)+"/", func(ctx context.Context) (publish.Calendar, site.Agenda, error) {
		l, err := h.Service.subscribers.ListAt(ctx, name)
		if errors.Is(err, subscribers.ErrNotFound) {
			err = feed.ErrNotFound
		}
		return publish.Calendar{Name: l.Title, Description: l.Description, Language: l.Language}, site.Agenda{List: l.ID}, err
	})
}

// matched are the articles that a list matched, by the number of the match.
func (s *Service) matched(list int64) site.Entries {
	return site.Entries{
		Last: func(ctx context.Context) (last int64, err error) {
			err = s.db.Read(ctx, func(tx *sql.Tx) error {
				return tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(seq), 0) FROM matches`).Scan(&last)
			})
			return last, err
		},
		Places: func(ctx context.Context, above, upTo int64, limit int) ([]site.Place, error) {
			return site.Places(ctx, s.db, `SELECT seq, article FROM matches
				WHERE list = $4 AND seq > $1 AND seq <= $2 ORDER BY seq DESC LIMIT $3`, above, upTo, limit, list)
		},
		Withdrawn: func(ctx context.Context, since time.Time) ([]int64, error) {
			return site.Withdrawn(ctx, s.db, `SELECT a.id FROM articles a JOIN matches m ON m.article = a.id AND m.list = $2
				WHERE a.withdrawn_at >= $1 ORDER BY a.withdrawn_at DESC LIMIT 50`, since, list)
		},
	}.MayBeEmpty()
}
