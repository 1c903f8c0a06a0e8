package digest_test

import (
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dibao/digest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/policy"
	"dibao/policy/division"
	"dibao/policy/workday"
	"dibao/subscribers"
)

// exec changes the stored data.
func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	err := w.db.Write(w.t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(w.t.Context(), query, args...)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// A reader who confirms a list with welcome issues gets its last issue at once, and nothing
// of it again with the next one.
func TestWelcomeIsTheLastIssue(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := must[subscribers.List](t)(w.readers.CreateList(t.Context(), subscribers.List{Slug: "weekly", Welcome: true}))
		w.crowd(1, 1, l)
		if made := w.composeDue(); len(made) != 0 {
			t.Fatalf("a welcome with no issue: %+v", made)
		}
		for _, title := range []string{"第一期的通知", "第二期的通知"} {
			w.article(title)
			w.week()
			w.composeDue()
		}
		w.deliver()
		w.crowd(2, 3, l)
		w.exec(`UPDATE subscriptions SET state = 'unsubscribed' WHERE subscriber = 3`)
		made := w.composeDue()
		if len(made) != 1 || made[0].Deliveries != 1 {
			t.Fatalf("composed %+v, want one welcome", made)
		}
		if again := w.composeDue(); len(again) != 0 {
			t.Fatalf("welcomed again: %+v", again)
		}
		w.article("第三期的通知")
		w.week()
		w.composeDue()
		w.deliver()
		got := w.to("r2")
		if len(got) != 2 || !strings.Contains(got[0], "第二期的通知") || strings.Contains(got[0], "第一期的通知") || !strings.Contains(got[1], "第三期的通知") || strings.Contains(got[1], "第二期的通知") {
			t.Errorf("the new reader got %q", got)
		}
		if n := len(w.to("r1")); n != 3 {
			t.Errorf("the old reader got %d emails, want 3", n)
		}
		if n := len(w.to("r3")); n != 0 {
			t.Errorf("an unsubscribed reader got %d emails", n)
		}
	})
}

// A list for working days sends on Monday what arrived on the weekend, once.
func TestWorkingDaysWaitForTheNextOne(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db) // Friday, 10:00
		l := must[subscribers.List](t)(w.readers.CreateList(t.Context(), subscribers.List{Slug: "daily", Cron: "0 8 * * *", WorkingDays: true}))
		w.reader("a", l)
		if next := must[time.Time](t)(w.service.NextDue(l)); !next.Equal(time.Date(2026, 11, 23, 8, 0, 0, 0, shanghai)) {
			t.Errorf("the next issue is due %s, want Monday", next.In(shanghai))
		}
		w.article("周五的通知")
		for day, want := range []int{0, 0, 1, 1} { // Saturday to Tuesday
			w.advance(24 * time.Hour)
			if got := w.issueNumbers(w.composeDue()); len(got) != want {
				t.Errorf("%d days on: issues %v, want %d", day+1, got, want)
			}
			if day < 3 {
				w.article(fmt.Sprintf("第%d天的通知", day+1))
			}
		}
		w.deliver()
		got := w.to("a")
		if len(got) != 2 || !strings.Contains(got[0], "共 3 条") || !strings.Contains(got[1], "第3天的通知") {
			t.Errorf("got %q", got)
		}
		// The seven days of National Day, and the working Saturday after it.
		w.at = time.Date(2026, 9, 30, 9, 0, 0, 0, shanghai)
		next := must[time.Time](t)(w.service.NextDue(l)).In(shanghai)
		if works, _ := workday.Is(policy.DateOf(next)); !works {
			t.Fatalf("due %s, a day without work", next)
		}
		if next.Day() == 1 || next.Hour() != 8 {
			t.Errorf("after the holiday it is due %s", next)
		}
	})
}

// An as-it-happens list waits for its minimum gap, and for something new.
func TestAsItHappensKeepsItsGap(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := must[subscribers.List](t)(w.readers.CreateList(t.Context(), subscribers.List{Slug: "urgent", AsItHappens: true, MinGap: 2 * time.Hour}))
		w.reader("a", l)
		for i, x := range []struct {
			wait    time.Duration
			article string
			want    []int64
		}{
			{time.Minute, "", nil}, {time.Minute, "甲通知", []int64{1}}, {time.Minute, "乙通知", nil}, {time.Hour, "丙通知", nil},
			{time.Hour, "", []int64{2}}, {3 * time.Hour, "", nil}, {time.Minute, "丁通知", []int64{3}},
		} {
			w.advance(x.wait)
			if x.article != "" {
				w.article(x.article)
			}
			if got := w.issueNumbers(w.composeDue()); !slices.Equal(got, x.want) {
				t.Errorf("step %d: issues %v, want %v", i, got, x.want)
			}
			w.deliver() // mailings that are sent at the same time may overtake each other
		}
		if got := w.to("a"); len(got) != 3 || !strings.Contains(got[1], "乙通知") || !strings.Contains(got[1], "丙通知") {
			t.Errorf("got %q", got)
		}
	})
}

// Beyond 100 kB, items are reduced to their titles, and those without room are counted.
func TestLongMailIsShortened(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		for _, n := range []int{60, 150, 400} {
			l := must[subscribers.List](t)(w.readers.CreateList(t.Context(), subscribers.List{Slug: fmt.Sprint("long", n), MaxItems: 400}))
			papers := make([]sampleArticle, n)
			for i := range papers {
				papers[i].Facts = document(fmt.Sprintf("样例省人民政府关于进一步做好第%d号样例工作的通知", i+1), fmt.Sprintf("样政发〔2026〕%d号", 1000*n+i), "样例省人民政府", division.Province,
					summary(strings.Repeat("明确工作目标、重点任务和保障措施。", 9)))
			}
			w.putAlone(papers...)
			m := must[digest.Mail](t)(w.service.PreviewMail(t.Context(), l))
			if len(m.HTML) > 100_000 || len(m.HTML) < 60_000 {
				t.Errorf("of %d articles: %d bytes", n, len(m.HTML))
			}
			shown := len(regexp.MustCompile(`(?m)^· 样例省人民政府关于进一步做好第\d+号`).FindAllString(m.Text, -1))
			whole := strings.Count(m.Text, "  明确工作目标")
			more := 0
			if x := regexp.MustCompile(`另有 (\d+) 条`).FindStringSubmatch(m.Text); x != nil {
				more = must[int](t)(strconv.Atoi(x[1]))
			}
			t.Logf("%d articles: %d bytes, %d whole, %d titles, %d counted", n, len(m.HTML), whole, shown-whole, more)
			if shown+more != n || whole == 0 || n == 60 && more > 0 || n == 400 && more == 0 || strings.Count(m.HTML, "退订") != 1 {
				t.Errorf("of %d articles %d are shown, %d of them whole, and %d counted", n, shown, whole, more)
			}
			w.exec(`UPDATE articles SET hidden = 1`) // for the next issue
		}
	})
}

// Until an issue contains it, an article has its current state: corrected, withdrawn,
// restored. After that it does not appear again.
func TestCorrectedAndWithdrawnArticles(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := w.list("civil", subscribers.Query{Themes: []string{"民政"}})
		w.reader("a", l)
		civil := func(title string) policy.Facts {
			return document(title, "", "样例省民政厅", division.Province, theme("民政"))
		}
		ids := w.put(sampleArticle{Facts: civil("一直是民政的通知")}, sampleArticle{Facts: civil("改成教育的通知")}, sampleArticle{Facts: civil("撤下的通知")}, sampleArticle{Facts: civil("撤下又恢复的通知")},
			sampleArticle{Facts: document("改成民政的通知", "", "样例省教育厅", division.Province, theme("教育"))})
		if err := w.service.Match(t.Context()); err != nil {
			t.Fatal(err)
		}
		at := w.now().UTC()
		w.exec(`UPDATE articles SET withdrawn_at = $1 WHERE id IN ($2, $3)`, at, ids[2], ids[3])
		w.exec(`UPDATE articles SET facts = REPLACE(facts, '"theme":"民政"', '"theme":"教育"') WHERE id = $1`, ids[1])
		w.exec(`UPDATE articles SET facts = REPLACE(facts, '"theme":"教育"', '"theme":"民政"') WHERE id = $1`, ids[4])
		if err := w.service.Match(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.exec(`UPDATE articles SET withdrawn_at = NULL WHERE id = $1`, ids[3])
		w.week()
		w.composeDue()
		w.exec(`UPDATE articles SET withdrawn_at = NULL WHERE id = $1`, ids[2]) // now it is news
		w.exec(`UPDATE articles SET facts = REPLACE(facts, '通知', '通知（更正）'), title = '一直是民政的通知（更正）' WHERE id = $1`, ids[0])
		w.week()
		w.composeDue()
		w.deliver()
		got := w.to("a")
		if len(got) != 2 {
			t.Fatalf("got %q", got)
		}
		for i, want := range [][]string{{"一直是民政的通知", "撤下又恢复的通知", "改成民政的通知"}, {"· 撤下的通知"}} {
			for _, title := range want {
				if !strings.Contains(got[i], title) {
					t.Errorf("mail %d lacks %s:\n%s", i+1, title, got[i])
				}
			}
			if n := strings.Count(got[i], "\n· "); n != len(want) {
				t.Errorf("mail %d holds %d items, want %d:\n%s", i+1, n, len(want), got[i])
			}
		}
	})
}
