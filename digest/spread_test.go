package digest_test

import (
	"testing"
	"time"

	"dibao/digest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/subscribers"
)

// A mailing that is spread over two hours is sent in even parts, completely.
func TestMailsGoOutOverSomeTime(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		const n = 400
		w := newWorld(t, db)
		l := w.list("weekly", subscribers.Query{})
		w.crowd(1, n, l)
		w.article("甲通知")
		for _, over := range []time.Duration{-time.Hour, 25 * time.Hour, time.Millisecond} {
			if _, err := w.service.ComposeOver(t.Context(), []subscribers.List{l}, over); err == nil {
				t.Errorf("over %s was accepted", over)
			}
		}
		made := must[digest.Composed](t)(w.service.ComposeOver(t.Context(), []subscribers.List{l}, 2*time.Hour))
		if made.Deliveries != n {
			t.Fatalf("%d deliveries, want %d", made.Deliveries, n)
		}
		sent := 0
		for part := range 4 {
			w.advance(30 * time.Minute)
			d := w.deliver()
			if sent += d.Sent; d.Sent < n/4-40 || d.Sent > n/4+40 {
				t.Errorf("part %d: %d of %d emails", part+1, d.Sent, n)
			}
		}
		if sent != n {
			t.Errorf("%d sent, want %d", sent, n)
		}
	})
}
