// Package agenda serves each reader's own calendar: the deadlines and effective dates of
// the articles that were sent to them.
package agenda

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"dibao/feed/publish"
	"dibao/feed/site"
	"dibao/internal/database"
	"dibao/internal/web"
	"dibao/subscribers"
	"dibao/subscribers/tokens"
	"dibao/templates"
)

// Web serves the calendars. Anybody who has the address of a calendar can read it, so
// shared caches must not keep it.
type Web struct {
	DB      *database.DB
	Readers *subscribers.Store
	Feeds   *site.Web
	Logger  *slog.Logger
}

// Register registers the handler on mux.
func (h *Web) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /preferences/{token}/calendar.ics", h.calendar)
}

// ReminderDays lists how many days before a date readers are reminded of it, longest first: by
// alarms in their calendar, and by email for calls they starred.
var ReminderDays = []int{7, 1}

func (h *Web) calendar(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "private, no-cache")
	header.Set("X-Robots-Tag", "noindex")
	header.Set("Referrer-Policy", "no-referrer")
	body, err := h.write(r.Context(), r.PathValue("token"))
	switch {
	case errors.Is(err, tokens.ErrExpired):
		http.Error(w, "This address of a calendar is no longer valid; the preference page, to which each email links, shows the current one.\n"+
			"这个日历地址已失效；新地址见偏好设置页，每封信里都有链接。", http.StatusGone)
		return
	case errors.Is(err, tokens.ErrInvalid), errors.Is(err, subscribers.ErrNotFound):
		http.Error(w, "There is no calendar at this address; copy it again from the preference page, to which each email links.\n"+
			"这个地址没有日历；请从偏好设置页重新复制，每封信里都有链接。", http.StatusNotFound)
		return
	case err != nil:
		h.Logger.Error("calendar of a reader not written", "err", err)
		web.ServerError(w, r)
		return
	}
	sum := sha256.Sum256(body)
	header.Set("Content-Type", publish.CalendarType)
	header.Set("Content-Disposition", `inline; filename="dibao.ics"`)
	header.Set("ETag", `"`+hex.EncodeToString(sum[:12])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

func (h *Web) write(ctx context.Context, token string) ([]byte, error) {
	reader, err := h.Readers.CalendarReader(ctx, token)
	if err != nil {
		return nil, err
	}
	articles, err := Sent(ctx, h.DB, reader.ID)
	if err != nil {
		return nil, err
	}
	return h.Feeds.OwnCalendar(ctx, publish.Calendar{
		Name: templates.Words(reader.Language, "own.calendar.name", h.Feeds.SiteName), Description: templates.Words(reader.Language, "own.calendar.about"), Language: reader.Language,
		URL: h.Feeds.BaseURL + "/",
	}, articles, ReminderDays)
}

// maxEmails is the number of a reader's most recent emails that a calendar covers: more
// than a year of daily emails.
const maxEmails = 500

// Sent returns the articles that were sent to a reader, by id.
func Sent(ctx context.Context, db *database.DB, subscriber int64) (articles []int64, err error) {
	err = db.Read(ctx, func(tx *sql.Tx) error {
		all, err := database.Collect(ctx, tx, database.ScanOne[string], `SELECT v.items FROM deliveries d JOIN variants v ON v.id = d.variant
			WHERE d.subscriber = $1 AND d.state IN ('sent', 'uncertain') ORDER BY d.id DESC LIMIT $2`, subscriber, maxEmails)
		if err != nil {
			return err
		}
		articles = []int64{}
		for _, text := range all {
			var items []struct {
				Article int64 `json:"a"`
			}
			if err := json.Unmarshal([]byte(text), &items); err != nil {
				return err
			}
			for _, it := range items {
				articles = append(articles, it.Article)
			}
		}
		return nil
	})
	slices.Sort(articles)
	return slices.Compact(articles), err
}
