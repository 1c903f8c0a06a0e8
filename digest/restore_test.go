package digest_test

import (
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"dibao/digest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/subscribers"
)

// An issue that was due between a backup and its restore may have been sent: it is held until an
// admin sends it, or says that it was sent.
func TestRestoreHoldsWhatMayHaveGoneOut(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		weekly := w.list("weekly", subscribers.Query{})
		yearly := must[subscribers.List](t)(w.readers.CreateList(t.Context(), subscribers.List{Slug: "yearly", Cron: "0 8 1 1 *"}))
		w.reader("a", weekly, yearly)
		w.article("甲通知")
		w.week() // stands for the week between the backup and the restore
		due := must[[]digest.DueList](t)(w.service.DueSinceBackup(t.Context()))
		if len(due) != 1 || due[0].List.Slug != "weekly" || !due[0].At.Equal(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)) {
			t.Fatalf("due %+v", due)
		}
		if err := w.service.HoldLists(t.Context(), due); err != nil {
			t.Fatal(err)
		}
		w.composeDue()
		held := must[[]digest.Issue](t)(w.service.HeldIssues(t.Context()))
		if len(held) != 1 || held[0].Count != 1 {
			t.Fatalf("held %+v", held)
		}
		if err := w.service.Drop(t.Context(), held[0]); err != nil {
			t.Fatal(err)
		}
		if err := w.service.Drop(t.Context(), held[0]); err == nil {
			t.Error("dropped twice")
		}
		w.article("乙通知")
		w.week()
		w.composeDue()
		if _, err := w.service.Release(t.Context(), must[[]digest.Issue](t)(w.service.HeldIssues(t.Context()))[0]); err != nil {
			t.Fatal(err)
		}
		w.deliver()
		if got := w.to("a"); len(got) != 1 || !strings.Contains(got[0], "乙通知") || strings.Contains(got[0], "甲通知") {
			t.Fatalf("got %q", got)
		}
		if shown := must[[]digest.Issue](t)(w.service.Issues(t.Context(), weekly.ID, 5)); len(shown) != 2 {
			t.Errorf("the archive shows %d issues, want 2", len(shown))
		}
	})
}

// A hidden article is in no later email, and no archive counts it.
func TestHiddenArticleIsInNoMailAndNoCount(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l, other := w.list("weekly", subscribers.Query{}), w.list("other", subscribers.Query{Any: []string{"乙"}})
		w.reader("both", l)
		w.reader("one", other)
		w.article("甲通知")
		w.article("乙通知")
		w.week()
		w.composeDue()
		err := w.db.Write(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE articles SET hidden = 1 WHERE title = '乙通知'`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := w.deliver(); d.Sent != 1 || d.Suppressed != 1 || d.Failed != 0 {
			t.Fatalf("%+v, want one email sent and one that has nothing left", d)
		}
		if got := w.to("both"); len(got) != 1 || !strings.Contains(got[0], "甲通知") || strings.Contains(got[0], "乙") || !strings.Contains(got[0], "共 1 条") {
			t.Fatalf("got %q", got)
		}
		issues := must[[]digest.Issue](t)(w.service.Issues(t.Context(), 0, 5))
		slices.SortFunc(issues, func(a, b digest.Issue) int { return int(a.List.ID - b.List.ID) })
		if len(issues) != 2 || issues[0].Count != 1 || issues[1].Count != 0 {
			t.Fatalf("issues %+v", issues)
		}
		if items := must[[]digest.IssueItem](t)(w.service.IssueItems(t.Context(), issues[0].ID)); len(items) != 1 || items[0].Article.Title() != "甲通知" {
			t.Fatalf("items %+v", items)
		}
	})
}
