package digest_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"dibao/feed/amend"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/policy"
	"dibao/policy/call"
	"dibao/subscribers"
)

// amend stores the newest article as a call with a key, or as a notice that changes the
// call with that key.
func (w *world) amend(key string, notice *call.Change) {
	w.t.Helper()
	err := w.db.Write(w.t.Context(), func(tx *sql.Tx) error {
		var id int64
		err := tx.QueryRowContext(w.t.Context(), `SELECT id FROM articles WHERE guid = $1`, fmt.Sprint(w.serial)).Scan(&id)
		if err != nil {
			return err
		}
		return amend.Store(w.t.Context(), tx, w.db.Dialect(), w.now(), []amend.StoredArticle{{Article: id, IsNew: true, Keys: []string{amend.KeyOf(amend.ByProject, key)}, Notice: notice}})
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// A reader who got a call sees each notice that changes it once, with the day before and
// after and the sentence; the notice is then not an item itself. A reader who did not get
// the call gets the notice like any other text.
func TestChangesToSentCalls(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := w.list("weekly", subscribers.Query{})
		w.reader("zh", l)
		must[int64](t)(w.readers.AddConfirmed(t.Context(), "en@test.example", "en", []subscribers.List{l}, "test"))
		w.call("样例省厅关于组织申报样例技改项目的通知", policy.Date{Year: 2026, Month: 12, Day: 20}, "51", "各有关企业：", "请申报单位于2026年12月20日前登录http://apply.example/a填报。")
		w.amend("P1", nil)
		round := func(sent int) {
			t.Helper()
			w.week()
			w.composeDue()
			if d := w.deliver(); d.Sent != sent {
				t.Fatalf("%+v, want %d sent", d, sent)
			}
		}
		last := func(name string) string {
			all := w.to(name)
			return strings.ReplaceAll(all[len(all)-1], "\r\n", "\n")
		}
		round(2)
		if strings.Contains(last("zh"), "您收到过的事项有变") {
			t.Fatalf("nothing has changed:\n%s", last("zh"))
		}
		w.reader("later", l)
		w.article("样例省厅关于延长样例技改项目申报时间的通知")
		w.amend("P1", &call.Change{Kind: call.ChangeMoved, Until: policy.Date{Year: 2026, Month: 12, Day: 30}, Evidence: "现将申报时间延长至12月30日。"})
		w.article("样例路名的通知")
		round(3)
		for name, want := range map[string][]string{
			"zh": {"【您收到过的事项有变】", "关于组织申报样例技改项目的通知", "由12月20日延至12月30日", "现将申报时间延长至12月30日。", "样例路名"},
			"en": {"【Changes to what you received】", "deadline extended from 20 Dec to 30 Dec"},
		} {
			for _, text := range want {
				if !strings.Contains(last(name), text) {
					t.Errorf("%s: no %q in\n%s", name, text, last(name))
				}
			}
			if strings.Contains(last(name), "· 样例省厅关于延长") {
				t.Errorf("%s: the notice stands beside what it says:\n%s", name, last(name))
			}
		}
		if got := last("later"); strings.Contains(got, "您收到过") || !strings.Contains(got, "关于延长样例技改项目申报时间的通知") {
			t.Errorf("a reader who did not get the call reads\n%s", got)
		}
		w.article("关于取消样例技改项目申报的公告")
		w.amend("P1", &call.Change{Kind: call.ChangeCanceled, Evidence: "关于取消样例技改项目申报的公告"})
		round(3)
		if got := last("zh"); !strings.Contains(got, "已取消") {
			t.Errorf("no cancellation in\n%s", got)
		}
		w.article("样例地名的通知")
		round(3)
		if got := last("zh"); strings.Contains(got, "您收到过的事项有变") {
			t.Errorf("told twice:\n%s", got)
		}
	})
}

// If a site changes the last day in the text of a call, readers who got the call are notified once, in
// the next issue; those who get it later see only the new day. A day that a notice announced is not
// announced again.
func TestEditedDeadlineOfSentCall(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := w.list("weekly", subscribers.Query{})
		w.reader("zh", l)
		must[int64](t)(w.readers.AddConfirmed(t.Context(), "en@test.example", "en", []subscribers.List{l}, "test"))
		w.call("样例省厅关于组织申报样例技改项目的通知", policy.Date{Year: 2026, Month: 12, Day: 20}, "51", "各有关企业：", "请申报单位于2026年12月20日前登录http://apply.example/a填报。")
		w.amend("P1", nil)
		edit := func(was, until string) {
			w.exec(`INSERT INTO revisions (article, title, paragraphs, replaced_at, was_on, until_on) VALUES (1, 't', '[]', $1, $2, $3)`, w.now().UTC().Add(time.Hour), was, until)
			w.exec(`UPDATE articles SET deadline_on = $1, facts = replace(facts, '`+was+`', $1) WHERE id = 1`, until)
		}
		round := func(sent int) {
			t.Helper()
			w.week()
			w.composeDue()
			if d := w.deliver(); d.Sent != sent {
				t.Fatalf("%+v, want %d sent", d, sent)
			}
		}
		last := func(name string) string {
			all := w.to(name)
			return strings.ReplaceAll(all[len(all)-1], "\r\n", "\n")
		}
		round(2)
		w.reader("later", l)
		edit("2026-12-20", "2026-12-24")
		edit("2026-12-24", "2026-12-30")
		w.article("样例路名的通知")
		round(3)
		for name, want := range map[string][]string{
			"zh": {"【您收到过的事项有变】", "关于组织申报样例技改项目的通知", "由12月20日延至12月30日", "样例路名"},
			"en": {"【Changes to what you received】", "deadline extended from 20 Dec to 30 Dec"},
		} {
			for _, text := range want {
				if !strings.Contains(last(name), text) {
					t.Errorf("%s: no %q in\n%s", name, text, last(name))
				}
			}
		}
		if got := last("later"); strings.Contains(got, "您收到过") || strings.Contains(got, "延至") {
			t.Errorf("a reader who did not get the call reads\n%s", got)
		}
		edit("2026-12-30", "2026-12-25")
		edit("2026-12-25", "2026-12-30")
		w.article("样例地名的通知")
		round(3)
		if got := last("zh"); strings.Contains(got, "您收到过的事项有变") {
			t.Errorf("told twice, or that a day changed which is the same again:\n%s", got)
		}
		w.article("样例省厅关于延长样例技改项目申报时间的通知")
		w.amend("P1", &call.Change{Kind: call.ChangeMoved, Until: policy.Date{Year: 2027, Month: 1, Day: 20}, Evidence: "现将申报时间延长至1月20日。"})
		edit("2026-12-30", "2027-01-10")
		edit("2027-01-10", "2027-01-20")
		round(3)
		if got := last("zh"); strings.Count(got, "1月20日") == 0 || strings.Count(got, "· 样例省厅关于组织申报样例技改项目的通知") > 1 {
			t.Errorf("the day of the notice and of the text:\n%s", got)
		}
	})
}

// A notice that is withdrawn or hidden no longer changes its call.
func TestWithdrawnNoticeChangesNothing(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.call("样例省厅关于组织申报样例技改项目的通知", policy.Date{Year: 2026, Month: 12, Day: 20}, "51", "各有关企业：", "请申报单位于2026年12月20日前填报。")
		w.amend("P1", nil)
		w.article("关于取消样例技改项目申报的公告")
		w.amend("P1", &call.Change{Kind: call.ChangeCanceled, Evidence: "取消。"})
		states := func() int { return len(must[map[int64]amend.State](t)(amend.States(t.Context(), db, []int64{1}))) }
		if states() != 1 {
			t.Fatal("the notice does not change the call")
		}
		w.exec(`UPDATE articles SET withdrawn_at = '2026-12-01T00:00:00Z' WHERE id = 2`)
		if err := db.Write(t.Context(), func(tx *sql.Tx) error { return amend.Restate(t.Context(), tx, db.Dialect(), w.now(), []int64{2}) }); err != nil {
			t.Fatal(err)
		}
		if states() != 0 {
			t.Error("the withdrawn notice still changes the call")
		}
	})
}
