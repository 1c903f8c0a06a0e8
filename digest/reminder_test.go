package digest_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"dibao/digest/stars"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/policy"
	"dibao/policy/call"
	"dibao/subscribers"
)

// A reader stars a call at the link of its item: opening the page changes nothing, its
// button does. They are reminded 7 days and 1 day before the last day, once each, by an
// email like those of their list; nobody else is, nor are they once the star is removed,
// the call is canceled or the reader is suppressed.
func TestStarsAndReminders(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		ctx := t.Context()
		mux := http.NewServeMux()
		(&stars.Web{Store: w.service.Stars, DB: db, Readers: w.readers, Articles: w.articles, SiteName: "邸报", BaseURL: "http://127.0.0.1:8080", Logger: quiet}).Register(mux)
		(&subscribers.Web{
			Store: w.readers, SiteName: "邸报", BaseURL: "http://127.0.0.1:8080", Logger: quiet, Send: func(subscribers.Confirmation) {}, StarItems: w.service.Stars.Items,
		}).Register(mux)
		ask := func(method, path string, form url.Values) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			res := httptest.NewRecorder()
			mux.ServeHTTP(res, r)
			return res
		}
		l := w.list("weekly", subscribers.Query{})
		ids := make(map[string]int64)
		for name, language := range map[string]string{"zh": "zh", "en": "en", "plain": "zh", "gone": "zh", "unstarred": "zh"} {
			ids[name] = must[int64](t)(w.readers.AddConfirmed(ctx, name+"@test.example", language, []subscribers.List{l}, "test"))
		}
		last := policy.DateOf(w.now()).AddDays(21)
		w.call("样例省厅关于组织申报样例技改项目的通知", last, "51", "各有关企业：", "请申报单位于"+last.String()+"前登录http://apply.example/a填报。")
		w.amend("P1", nil)
		w.call("样例省厅关于征集样例案例的通知", last, "51", "各有关企业：", "请各企业于2026年12月8日前报送至a@b.example。")
		w.amend("P2", nil)
		w.call("样例省厅关于组织申报未寄项目的通知", last, "51", "各有关企业：", "请申报单位于2026年12月8日前报送。")
		w.exec(`UPDATE articles SET hidden = 1 WHERE id = 3`)
		w.week()
		w.composeDue()
		w.deliver()
		link := regexp.MustCompile(`http://127\.0\.0\.1:8080(/preferences/[\w-]+/star/1)\b`)
		paths := make(map[string]string)
		for name := range ids {
			text := w.to(name)[0]
			m := link.FindStringSubmatch(text)
			if m == nil || strings.Count(text, "/star/") != 2 {
				t.Fatalf("%s: no links to stars in\n%s", name, text)
			}
			paths[name] = m[1]
		}
		starred := func(name string) int { return len(must[[]stars.Star](t)(w.service.Stars.Of(ctx, ids[name]))) }
		for range 2 {
			if res := ask("GET", paths["zh"], nil); res.Code != 200 || !strings.Contains(res.Body.String(), "标记这一事项") || !strings.Contains(res.Body.String(), "样例技改项目") || starred("zh") != 0 {
				t.Fatalf("the page: %d, %d stars\n%s", res.Code, starred("zh"), res.Body)
			}
		}
		if res := ask("POST", paths["zh"], url.Values{}); res.Code != 404 || starred("zh") != 0 {
			t.Errorf("a POST that is not from the form: %d", res.Code)
		}
		for _, name := range []string{"zh", "en", "gone", "unstarred"} {
			if res := ask("POST", paths[name], url.Values{"do": {"star"}, "remind": {"1"}}); res.Code != 303 || starred(name) != 1 {
				t.Fatalf("%s: %d, %d stars", name, res.Code, starred(name))
			}
		}
		ask("POST", paths["plain"], url.Values{"do": {"star"}})
		for path, want := range map[string]int{
			strings.Replace(paths["zh"], "/star/1", "/star/3", 1): 404, strings.Replace(paths["zh"], "/star/1", "/star/99", 1): 404, "/preferences/x/star/1": 404,
		} {
			if got := ask("POST", path, url.Values{"do": {"star"}}).Code; got != want {
				t.Errorf("%s: %d, want %d", path, got, want)
			}
		}
		own, _, _ := strings.Cut(paths["zh"], "/star/")
		page := ask("GET", own, nil).Body.String()
		if !strings.Contains(page, "已标记的事项") || !strings.Contains(page, "样例技改项目") || !strings.Contains(page, `name="do" value="remove"`) {
			t.Errorf("the preferences do not list the star:\n%s", page)
		}
		if res := ask("POST", paths["unstarred"], url.Values{"do": {"remove"}, "list": {"1"}}); res.Code != 303 || !strings.Contains(res.Header().Get("Location"), "#stars") || starred("unstarred") != 0 {
			t.Errorf("removed: %d %s", res.Code, res.Header().Get("Location"))
		}
		if err := w.readers.Suppress(ctx, "gone@test.example", subscribers.ReasonComplaint, ""); err != nil {
			t.Fatal(err)
		}
		sent := func() (n int) {
			t.Helper()
			for range 2 { // the second run composes nothing
				w.composeDue()
				n += w.deliver().Sent
			}
			return n
		}
		zone := must[*time.Location](t)(time.LoadLocation(l.Zone))
		at := func(day policy.Date, hour int) { w.set(day.In(zone).Add(time.Duration(hour) * time.Hour)) }
		w.exec(`UPDATE lists SET cron = '0 0 30 6 *'`) // no issues from here on
		for _, x := range []struct{ before, hour, want int }{{8, 20, 0}, {7, 7, 0}, {7, 8, 2}, {6, 9, 0}, {2, 9, 0}, {1, 7, 0}, {1, 9, 2}, {0, 9, 0}} {
			at(last.AddDays(-x.before), x.hour)
			if n := sent(); n != x.want {
				t.Errorf("%d days before at %d: %d emails, want %d", x.before, x.hour, n, x.want)
			}
		}
		for name, want := range map[string][]string{
			"zh": {"截止提醒", "样例技改项目", "明天", "取消"}, "en": {"Deadline reminder", "样例技改项目", "tomorrow"},
		} {
			all := w.to(name)
			for _, text := range want {
				if got := all[len(all)-1]; !strings.Contains(got, text) || strings.Contains(got, "样例案例") {
					t.Errorf("%s: no %q in\n%s", name, text, got)
				}
			}
		}
		for _, m := range w.box.Messages()[5:] {
			if !strings.Contains(m.Unsubscribe, "/u/") || !strings.HasSuffix(m.Unsubscribe, stars.StopPath) || m.Header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
				t.Errorf("a reminder without List-Unsubscribe:\n%.800s", m.Raw)
			}
		}
		// A call that is canceled, and one whose day was moved.
		if err := w.service.Stars.Put(ctx, ids["zh"], 2, true); err != nil {
			t.Fatal(err)
		}
		w.article("关于延长样例案例征集时间的通知")
		later := last.AddDays(30)
		w.amend("P2", &call.Change{Kind: call.ChangeMoved, Until: later, Evidence: "延长。"})
		at(later.AddDays(-7), 9)
		if n := sent(); n != 1 {
			t.Errorf("%d reminders of the moved day, want 1", n)
		}
		w.article("关于取消样例案例征集的公告")
		w.amend("P2", &call.Change{Kind: call.ChangeCanceled, Evidence: "取消。"})
		at(later.AddDays(-1), 9)
		if n := sent(); n != 0 {
			t.Errorf("%d reminders of a canceled call", n)
		}
		w.set(later.AddDays(100).In(zone))
		if n := must[int64](t)(w.service.Stars.Prune(ctx)); n == 0 || starred("zh") != 0 {
			t.Errorf("%d stars pruned, %d left", n, starred("zh"))
		}
	})
}

// The List-Unsubscribe field of a reminder turns off reminders, not the list: the address shows a
// page with a button, and a POST to it works at once (RFC 8058), as often as it is sent.
func TestOneClickTurnsOffReminders(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		ctx := t.Context()
		mux := http.NewServeMux()
		(&stars.Web{Store: w.service.Stars, DB: db, Readers: w.readers, Articles: w.articles, SiteName: "邸报", BaseURL: "http://127.0.0.1:8080", Logger: quiet}).Register(mux)
		l := w.list("weekly", subscribers.Query{})
		last := policy.DateOf(w.now()).AddDays(21)
		id := must[int64](t)(w.readers.AddConfirmed(ctx, "reader@test.example", "zh", []subscribers.List{l}, "test"))
		other := must[int64](t)(w.readers.AddConfirmed(ctx, "other@test.example", "zh", []subscribers.List{l}, "test"))
		w.call("样例省厅关于组织申报样例技改项目的通知", last, "51", "各有关企业：", "请申报单位于"+last.String()+"前登录http://apply.example/a填报。")
		w.week()
		w.composeDue()
		w.deliver()
		for _, reader := range []int64{id, other} {
			if err := w.service.Stars.Put(ctx, reader, 1, true); err != nil {
				t.Fatal(err)
			}
		}
		w.exec(`UPDATE lists SET cron = '0 0 30 6 *'`) // no issues from here on
		w.set(last.AddDays(-7).In(time.UTC).Add(6 * time.Hour))
		w.composeDue()
		if d := w.deliver(); d.Sent != 2 {
			t.Fatalf("%+v", d)
		}
		var link string
		for _, m := range w.box.Messages()[2:] {
			if strings.Contains(string(m.Raw), "reader@test.example") {
				link = strings.TrimPrefix(m.Unsubscribe, "http://127.0.0.1:8080")
			}
		}
		reminded := func(reader int64) bool { return must[[]stars.Star](t)(w.service.Stars.Of(ctx, reader))[0].Remind }
		for _, x := range []struct {
			method, path, text string
			status             int
			on                 bool
		}{
			{"GET", link, "不再发送已标记事项的提醒", 200, true}, {"POST", strings.Replace(link, "/u/", "/u/x", 1), "", 404, true},
			{"POST", link, "已关闭提醒", 200, false}, {"POST", link, "已关闭提醒", 200, false},
		} {
			r := httptest.NewRequest(x.method, x.path, strings.NewReader("List-Unsubscribe=One-Click"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			res := httptest.NewRecorder()
			mux.ServeHTTP(res, r)
			if res.Code != x.status || !strings.Contains(res.Body.String(), x.text) || reminded(id) != x.on || !reminded(other) {
				t.Errorf("%s %s: %d, reminded: %v\n%s", x.method, x.path, res.Code, reminded(id), res.Body)
			}
		}
		w.set(last.AddDays(-1).In(time.UTC).Add(6 * time.Hour))
		w.composeDue()
		if d := w.deliver(); d.Sent != 1 {
			t.Errorf("the second reminder: %+v", d)
		}
		w.article("乙通知")
		w.exec(`UPDATE lists SET cron = '0 8 * * 1'`)
		w.week()
		w.composeDue()
		if d := w.deliver(); d.Sent != 2 {
			t.Errorf("the list after that: %+v", d)
		}
	})
}

// A call without a last day, and one whose reminders would be late, promise no reminder: neither
// in the email nor on the page of the star.
func TestNoPromiseOfReminders(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		ctx := t.Context()
		mux := http.NewServeMux()
		(&stars.Web{Store: w.service.Stars, DB: db, Readers: w.readers, Articles: w.articles, SiteName: "邸报", BaseURL: "http://127.0.0.1:8080", Logger: quiet}).Register(mux)
		(&subscribers.Web{
			Store: w.readers, SiteName: "邸报", BaseURL: "http://127.0.0.1:8080", Logger: quiet, Send: func(subscribers.Confirmation) {}, StarItems: w.service.Stars.Items,
		}).Register(mux)
		l := w.list("weekly", subscribers.Query{})
		id := must[int64](t)(w.readers.AddConfirmed(ctx, "reader@test.example", "zh", []subscribers.List{l}, "test"))
		w.call("样例省厅关于组织申报样例常年项目的通知", policy.Date{}, "51", "各有关企业：", "符合条件的企业登录http://apply.example/a填报。")
		w.week()
		w.composeDue()
		w.deliver()
		m := regexp.MustCompile(`标记（原文未写明截止日期，没有提醒）\s+http://127\.0\.0\.1:8080(/preferences/[\w-]+)/star/1\b`).FindStringSubmatch(w.to("reader")[0])
		if m == nil {
			t.Fatalf("the email:\n%s", w.to("reader")[0])
		}
		read := func(path string) string {
			res := httptest.NewRecorder()
			mux.ServeHTTP(res, httptest.NewRequest("GET", path, nil))
			return res.Body.String()
		}
		promises := []string{"截止前会发邮件提醒您", ">有邮件提醒", "> 截止前 7 天"}
		check := func(when, path string, want ...string) {
			t.Helper()
			page := read(path)
			for _, text := range want {
				if !strings.Contains(page, text) {
					t.Errorf("%s, %s: no %q in\n%s", when, path, text, page)
				}
			}
			for _, text := range promises {
				if strings.Contains(page, text) && !slices.Contains(want, text) {
					t.Errorf("%s, %s: %q in\n%s", when, path, text, page)
				}
			}
		}
		check("unstarred", m[1]+"/star/1", "原文没有写明截止日期，因此没有提醒", "以后的公告另定截止日期的")
		if err := w.service.Stars.Put(ctx, id, 1, true); err != nil {
			t.Fatal(err)
		}
		check("undated", m[1]+"/star/1", "原文没有写明截止日期，因此没有提醒", "您已标记这一事项。")
		check("undated", m[1], "未写明截止日期，没有提醒")
		last := policy.DateOf(w.now()).AddDays(20)
		w.exec(`UPDATE articles SET deadline_on = $1 WHERE id = 1`, last.String())
		check("dated", m[1]+"/star/1", "截止前会发邮件提醒您", "> 截止前 7 天")
		check("dated", m[1], ">有邮件提醒")
		w.exec(`UPDATE articles SET withdrawn_at = $1 WHERE id = 1`, w.now())
		check("withdrawn", m[1]+"/star/1", "这一事项不再发提醒")
		w.exec(`UPDATE articles SET withdrawn_at = NULL, hidden = 1 WHERE id = 1`)
		if page := read(m[1]); !strings.Contains(page, "本站已不再显示的一个事项") || strings.Contains(page, "样例常年项目") || strings.Contains(page, "邮件提醒<") {
			t.Errorf("a hidden call in the preferences:\n%s", page)
		}
		hidden := httptest.NewRecorder()
		if mux.ServeHTTP(hidden, httptest.NewRequest("GET", m[1]+"/star/1", nil)); hidden.Code != 404 {
			t.Errorf("the star of a hidden call: %d", hidden.Code)
		}
		w.exec(`UPDATE articles SET hidden = 0 WHERE id = 1`)
		w.set(last.In(time.UTC))
		check("late", m[1]+"/star/1", "这一事项不再发提醒")
		check("late", m[1], "没有邮件提醒")
		w.exec(`UPDATE articles SET hidden = 1 WHERE id = 1`)
		res := httptest.NewRecorder()
		post := httptest.NewRequest("POST", m[1]+"/star/1", strings.NewReader("do=remove&list=1"))
		post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		mux.ServeHTTP(res, post)
		if left := must[[]stars.Star](t)(w.service.Stars.Of(ctx, id)); res.Code != 303 || len(left) != 0 {
			t.Errorf("removed: %d, %d stars left", res.Code, len(left))
		}
	})
}

// starSentCall sends the first call of the world to its only reader, who then stars it.
func (w *world) starSentCall(reader int64, last policy.Date) {
	w.t.Helper()
	w.call("样例省厅关于组织申报样例技改项目的通知", last, "51", "各有关企业：", "请申报单位于"+last.String()+"前登录http://apply.example/a填报。")
	w.amend("P1", nil)
	w.week()
	w.composeDue()
	if d := w.deliver(); d.Sent != 1 {
		w.t.Fatalf("%+v", d)
	}
	if err := w.service.Stars.Put(w.t.Context(), reader, 1, true); err != nil {
		w.t.Fatal(err)
	}
}

// A reminder does not count as an email of its list: readers who get a list once a week or once
// a month get its next issue when it is due, whether a reminder was sent in the meantime or not.
func TestRemindersDelayNoIssue(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		ctx := t.Context()
		l := w.list("weekly", subscribers.Query{})
		id := must[int64](t)(w.readers.AddConfirmed(ctx, "rare@test.example", "zh", []subscribers.List{l}, "test"))
		if err := w.readers.SetPreferences(ctx, id, subscribers.Preferences{
			Language: "zh", Format: subscribers.HTML, Lists: map[int64]subscribers.Choice{l.ID: {Frequency: subscribers.Weekly}},
		}, netip.Prefix{}); err != nil {
			t.Fatal(err)
		}
		w.week() // the Monday of an issue
		last := policy.DateOf(w.now()).AddDays(12)
		w.starSentCall(id, last) // the reminder is due two days later
		w.set(last.AddDays(-1).In(time.UTC).Add(6 * time.Hour))
		w.composeDue()
		if d := w.deliver(); d.Sent != 1 {
			t.Fatalf("the reminder: %+v", d)
		}
		w.article("乙通知")
		w.week()
		w.composeDue()
		if d := w.deliver(); d.Sent != 1 || !strings.Contains(w.to("rare")[2], "乙通知") {
			t.Errorf("the issue after the reminder: %+v", d)
		}
	})
}

// After a restore it is unknown which reminders have been sent since the backup: those that
// are due wait for the admin, as all mailings do.
func TestRemindersAfterRestore(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		ctx := t.Context()
		l := w.list("weekly", subscribers.Query{})
		id := must[int64](t)(w.readers.AddConfirmed(ctx, "reader@test.example", "zh", []subscribers.List{l}, "test"))
		last := policy.DateOf(w.now()).AddDays(21)
		w.starSentCall(id, last)
		w.exec(`UPDATE lists SET cron = '0 0 30 6 *'`) // no issues from here on
		w.set(last.AddDays(-7).In(time.UTC).Add(6 * time.Hour))
		if n := must[int64](t)(w.service.PauseAll(ctx)); n != 1 {
			t.Errorf("%d mailings paused, want that of the reminder", n)
		}
		w.composeDue()
		if d := w.deliver(); d.Sent != 0 {
			t.Errorf("sent: %+v", d)
		}
	})
}

// All stars of a reader are on one page, so that one email lists them, and each star is on
// one page only.
func TestStarsOfAReaderStayTogether(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		ctx := t.Context()
		l := w.list("weekly", subscribers.Query{})
		last := policy.DateOf(w.now()).AddDays(5)
		for range 3 {
			w.call("样例省厅关于组织申报样例技改项目的通知", last, "51", "各有关企业：", "请登录http://apply.example/a填报。")
		}
		for _, name := range []string{"a", "b", "c"} {
			id := must[int64](t)(w.readers.AddConfirmed(ctx, name+"@test.example", "zh", []subscribers.List{l}, "test"))
			for article := range int64(3) {
				if err := w.service.Stars.Put(ctx, id, article+1, true); err != nil {
					t.Fatal(err)
				}
			}
		}
		var sizes []int
		for after := int64(0); ; {
			near := must[[]stars.Wanted](t)(w.service.Stars.Near(ctx, policy.DateOf(w.now()), last, after, 5))
			if len(near) == 0 {
				break
			}
			sizes, after = append(sizes, len(near)), near[len(near)-1].Subscriber
		}
		if !slices.Equal(sizes, []int{3, 3, 3}) {
			t.Errorf("pages of %v stars, want 3 pages of 3", sizes)
		}
	})
}
