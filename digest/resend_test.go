package digest_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"dibao/digest"
	"dibao/digest/delivery"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/subscribers"
)

// titles counts, by reader, how often each title arrived.
func (w *world) titles(titles ...string) map[string]map[string]int {
	got := make(map[string]map[string]int)
	for _, m := range w.box.Messages() {
		if got[m.To] == nil {
			got[m.To] = make(map[string]int)
		}
		for _, title := range titles {
			got[m.To][title] += strings.Count(m.Text, "· "+title)
		}
	}
	return got
}

// issue composes an issue with one article.
func (w *world) issue(title string) int64 {
	w.t.Helper()
	w.article(title)
	w.week()
	made := w.composeDue()
	if len(made) != 1 {
		w.t.Fatalf("%d mailings were composed, want 1", len(made))
	}
	return made[0].Mailing
}

// Readers whose email failed permanently get it with the same Message-ID; those who have
// it, or who got it with the next issue, do not.
func TestResendToThoseWhoGotNothing(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := w.list("weekly", subscribers.Query{})
		for _, domain := range []string{"fine.example", "closed.example", "later.example"} {
			w.readersAt(domain, 5, l)
		}
		r := newRelay(t)
		r.answers(func(phase, _, to string) string {
			if phase == "rcpt" && !strings.HasSuffix(to, "@fine.example") {
				return "552 5.3.4 too large"
			}
			return ""
		})
		mailing := w.issue("甲通知")
		if done := w.run(w.through(&notices{}, r)); done.Sent != 5 || done.Failed != 10 {
			t.Fatalf("%+v", done)
		}
		if out := must[digest.Resent](t)(w.service.Resend(t.Context(), mailing, "closed.example")); out != (digest.Resent{Again: 5}) {
			t.Errorf("resent to closed.example: %+v", out)
		}
		if done := w.deliver(); done.Sent != 5 {
			t.Errorf("%+v", done)
		}
		w.issue("乙通知")
		w.deliver()
		if out := must[digest.Resent](t)(w.service.Resend(t.Context(), mailing, "")); out != (digest.Resent{Later: 5}) {
			t.Errorf("resent after the next issue: %+v", out)
		}
		w.deliver()
		for to, got := range w.titles("甲通知", "乙通知") {
			want := 1
			if strings.HasSuffix(to, "@fine.example") { // the relay has received it
				want = 0
			}
			if got["甲通知"] != want || got["乙通知"] != 1 {
				t.Errorf("%s got %v", to, got)
			}
		}
		seen := make(map[string]bool)
		for _, m := range w.box.Messages() {
			if seen[m.MessageID] {
				t.Errorf("Message-ID %s came twice", m.MessageID)
			}
			seen[m.MessageID] = true
		}
		if report := must[delivery.MailingReport](t)(w.service.ReportOf(t.Context(), mailing)); report.State != "done" || report.Failed != 5 || report.Sent != 10 {
			t.Errorf("report %+v", report)
		}
	})
}

// An email that was handed over without a response may have arrived: it is not sent again.
func TestResendLeavesWhatMayHaveArrived(t *testing.T) {
	t.Parallel()
	w := newInboundWorld(t, sqlite(t))
	id := w.mailed("failed")
	err := w.db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE deliveries SET uncertain = 1 WHERE id = $1`, id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if out := must[digest.Resent](t)(w.service.Resend(t.Context(), 1, "")); out != (digest.Resent{}) {
		t.Errorf("%+v", out)
	}
}

// After a suppression is lifted, the reader gets the articles of the missed weeks once,
// those of the last 31 days.
func TestLiftedSuppressionBringsMissedWeeks(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := w.list("weekly", subscribers.Query{})
		w.reader("a", l)
		w.reader("b", l)
		titles := []string{"子通知", "丑通知", "寅通知", "卯通知", "辰通知", "巳通知", "午通知"}
		w.issue(titles[0])
		if err := w.readers.Suppress(t.Context(), "a@test.example", subscribers.ReasonBounce, ""); err != nil {
			t.Fatal(err)
		}
		w.deliver()
		for _, title := range titles[1:6] {
			w.issue(title)
			w.deliver()
		}
		w.advance(time.Hour)
		must[bool](t)(w.readers.Unsuppress(t.Context(), "a@test.example", "was our fault"))
		w.issue(titles[6])
		w.deliver()
		w.article("未通知")
		w.week()
		w.composeDue()
		w.deliver()
		got := w.titles(append(titles, "未通知")...)["a@test.example"]
		// The first one, which was composed before and never begun, is older than 31 days.
		for i, title := range append(titles, "未通知") {
			if want := map[bool]int{true: 1}[i >= 1]; got[title] != want {
				t.Errorf("%s came %d times, want %d", title, got[title], want)
			}
		}
		if mails := len(w.to("a")); mails != 2 {
			t.Errorf("%d emails, want 2", mails)
		}
	})
}

// A mailing that was paused has the Date of sending, others the time when they were due.
func TestPausedMailingIsDatedByItsSending(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.reader("a", w.list("weekly", subscribers.Query{}))
		w.issue("甲通知")
		w.deliver()
		mailing := w.issue("乙通知")
		if err := w.service.Pause(t.Context(), mailing); err != nil {
			t.Fatal(err)
		}
		w.deliver()
		w.advance(50 * time.Hour)
		if err := w.service.Resume(t.Context(), mailing); err != nil {
			t.Fatal(err)
		}
		w.deliver()
		all := w.box.Messages()
		if len(all) != 2 {
			t.Fatalf("%d emails came", len(all))
		}
		first, err := all[0].Header.Date()
		if err != nil {
			t.Fatal(err)
		}
		second, err := all[1].Header.Date()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := second.Sub(first), (7*24+50)*time.Hour; (got - want).Abs() > time.Hour {
			t.Errorf("dated %s after the first, want %s", got, want)
		}
	})
}
