package digest

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"dibao/digest/delivery"
	"dibao/internal/database"
	"dibao/subscribers"
)

// History returns the events about a reader's emails, oldest first: emails that were sent
// or not, and reports about them.
func (s *Service) History(ctx context.Context, subscriber int64) ([]subscribers.HistoryEvent, error) {
	events := []subscribers.HistoryEvent{}
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		deliveries, err := database.Collect(ctx, tx, func(r database.Row) (subscribers.HistoryEvent, error) {
			var e subscribers.HistoryEvent
			var done, next sql.Null[time.Time]
			var code int
			var state, reply string
			var mailing int64
			err := r.Scan(&e.At, &done, &next, &state, &code, &reply, &mailing)
			if done.Valid {
				e.At = done.V
			}
			if next.Valid {
				e.NextAt = &next.V
			}
			e.Event = "mail " + state
			detail := fmt.Sprintf("mailing %d", mailing)
			if reply != "" {
				detail = fmt.Sprintf("mailing %d: %s", mailing, delivery.WithCode(code, reply))
			}
			e.Detail = &detail
			return e, err
		}, `SELECT m.created_at, d.done_at, d.next_at, d.state, d.reply_code, d.reply, d.mailing FROM deliveries d JOIN mailings m ON m.id = d.mailing WHERE d.subscriber = $1`, subscriber)
		if err != nil {
			return err
		}
		feedback, err := database.Collect(ctx, tx, func(r database.Row) (subscribers.HistoryEvent, error) {
			var e subscribers.HistoryEvent
			var class, status, text, effect string
			err := r.Scan(&e.At, &e.Event, &class, &status, &text, &effect)
			var parts []string
			if class != "" {
				parts = append(parts, "class "+class)
			}
			if effect != "" {
				parts = append(parts, "effect "+effect)
			}
			if text = strings.Join(strings.Fields(status+" "+text), " "); text != "" {
				parts = append(parts, text)
			}
			detail := strings.Join(parts, ", ")
			e.Detail = &detail
			return e, err
		}, `SELECT at, kind, class, status, text, effect FROM feedback WHERE subscriber = $1`, subscriber)
		events = append(append(events, deliveries...), feedback...)
		return err
	})
	slices.SortStableFunc(events, func(a, b subscribers.HistoryEvent) int { return cmp.Compare(a.At.UnixNano(), b.At.UnixNano()) })
	return events, err
}
