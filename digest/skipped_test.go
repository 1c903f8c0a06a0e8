package digest_test

import (
	"net/netip"
	"testing"
	"time"

	"dibao/digest/delivery"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/subscribers"
)

// The report of a mailing counts the readers who get no email of it, by the reason.
func TestMailingCountsWhomItSkips(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		weekly, second, third := w.list("weekly", subscribers.Query{}), w.list("second", subscribers.Query{}), w.list("third", subscribers.Query{})
		w.reader("both", weekly, second)
		w.reader("gone", weekly, second)
		if err := w.readers.Suppress(t.Context(), "gone@test.example", subscribers.ReasonAdmin, ""); err != nil {
			t.Fatal(err)
		}
		asked := subscribers.Request{Address: "asked@test.example", Language: "zh", Lists: []subscribers.List{second}, Network: netip.MustParsePrefix("192.0.2.0/24")}
		if _, err := w.readers.Subscribe(t.Context(), asked); err != nil {
			t.Fatal(err)
		}
		w.article("甲通知")
		w.advance(time.Hour)
		for _, c := range []struct {
			list   subscribers.List
			emails int
			want   delivery.Skipped
		}{
			{weekly, 1, delivery.Skipped{Suppressed: 1}},
			{second, 0, delivery.Skipped{NothingNew: 1, Suppressed: 1, Unconfirmed: 1}},
			{third, 0, delivery.Skipped{}},
		} {
			made, err := w.service.ComposeNow(t.Context(), []subscribers.List{c.list})
			if err != nil {
				t.Fatal(err)
			}
			got, err := w.service.ReportOf(t.Context(), made.Mailing)
			if err != nil || got.Emails() != c.emails || got.Skipped == nil || *got.Skipped != c.want {
				t.Errorf("list %s: %d emails, skipped %+v (%v), want %d, %+v", c.list.Slug, got.Emails(), got.Skipped, err, c.emails, c.want)
			}
			w.advance(time.Minute)
		}
	})
}
