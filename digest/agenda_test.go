package digest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/emersion/go-ical"

	"dibao/digest/agenda"
	"dibao/feed/site"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/web"
	"dibao/policy"
	"dibao/policy/call"
	"dibao/subscribers"
)

// A reader's calendar contains the dates of what was sent to this reader alone, with two
// alarms, in their language; it follows changes under the same UID, and is private.
func TestOwnCalendar(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		mux := http.NewServeMux()
		feeds := &site.Web{Store: w.articles, Cache: &web.Cache{}, SiteName: "邸报", BaseURL: "http://127.0.0.1:8080", Zone: time.UTC, Logger: quiet}
		(&agenda.Web{DB: db, Readers: w.readers, Feeds: feeds, Logger: quiet}).Register(mux)
		(&subscribers.Web{Store: w.readers, SiteName: "邸报", BaseURL: "http://127.0.0.1:8080", Logger: quiet, Send: func(subscribers.Confirmation) {}}).Register(mux)
		get := func(path, etag string) *httptest.ResponseRecorder {
			r := httptest.NewRequest("GET", path, nil)
			if etag != "" {
				r.Header.Set("If-None-Match", etag)
			}
			res := httptest.NewRecorder()
			mux.ServeHTTP(res, r)
			return res
		}
		l := w.list("weekly", subscribers.Query{})
		id := must[int64](t)(w.readers.AddConfirmed(t.Context(), "en@test.example", "en", []subscribers.List{l}, "test"))
		token := w.readers.Keys().CalendarToken(id, "en@test.example")
		path := "/preferences/" + token + "/calendar.ics"
		w.call("样例省厅关于组织申报样例技改项目的通知", policy.Date{Year: 2026, Month: 12, Day: 20}, "51", "各有关企业：", "请申报单位于2026年12月20日前登录http://apply.example/a填报。")
		w.amend("P1", nil)
		if n := strings.Count(get(path, "").Body.String(), "BEGIN:VEVENT"); n != 0 {
			t.Errorf("%d events before anything was sent", n)
		}
		w.week()
		w.composeDue()
		w.deliver()
		w.call("未寄送的征集通知", policy.Date{Year: 2026, Month: 12, Day: 22}, "51", "请各企业于2026年12月22日前报送。")
		event := func() string {
			t.Helper()
			body := get(path, "").Body.String()
			first, err := ics.ParseCalendar(strings.NewReader(body))
			second, err2 := ical.NewDecoder(strings.NewReader(body)).Decode()
			if err != nil || err2 != nil || len(first.Events()) != 1 || len(second.Events()) != 1 {
				t.Fatalf("%v, %v:\n%s", err, err2, body)
			}
			e := second.Events()[0]
			text := fmt.Sprint(e.Props.Get(ical.PropUID).Value, " ", e.Props.Get(ical.PropDateTimeStart).Value, " ", e.Props.Get(ical.PropStatus).Value)
			for _, a := range e.Children {
				text += " " + a.Name + " " + a.Props.Get(ical.PropTrigger).Value
			}
			return text + " " + e.Props.Get(ical.PropSequence).Value
		}
		res := get(path, "")
		if res.Code != 200 || res.Header().Get("Cache-Control") != "private, no-cache" || res.Header().Get("X-Robots-Tag") != "noindex" || res.Header().Get("Content-Type") != "text/calendar; charset=utf-8" {
			t.Errorf("%d %v", res.Code, res.Header())
		}
		if again := get(path, res.Header().Get("ETag")); again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("the same calendar again: %d", again.Code)
		}
		if !strings.Contains(res.Body.String(), "Your calendar") {
			t.Errorf("not in the reader's language:\n%s", res.Body)
		}
		uid := "article-1-deadline@127.0.0.1 "
		if got := event(); got != uid+"20261220 CONFIRMED VALARM -P7D VALARM -P1D 1" {
			t.Errorf("first: %s", got)
		}
		w.article("关于延长样例技改项目申报时间的通知")
		w.amend("P1", &call.Change{Kind: call.ChangeMoved, Until: policy.Date{Year: 2026, Month: 12, Day: 30}, Evidence: "延长至12月30日。"})
		if got := event(); got != uid+"20261230 CONFIRMED VALARM -P7D VALARM -P1D 2" {
			t.Errorf("moved: %s", got)
		}
		if again := get(path, res.Header().Get("ETag")); again.Code != 200 {
			t.Errorf("the changed calendar: %d", again.Code)
		}
		w.article("关于取消样例技改项目申报的公告")
		w.amend("P1", &call.Change{Kind: call.ChangeCanceled, Evidence: "取消。"})
		if got := event(); got != uid+"20261230 CANCELLED 3" {
			t.Errorf("canceled: %s", got)
		}
		for path, want := range map[string]int{
			"/preferences/" + w.readers.Keys().PreferencesToken(id, "en@test.example") + "/calendar.ics": 200,
			"/preferences/" + token:                    404, // it opens only the calendar
			"/preferences/" + token + "x/calendar.ics": 404,
			"/preferences/" + w.readers.Keys().CalendarToken(id, "other@test.example") + "/calendar.ics": 410,
			"/preferences/" + w.readers.Keys().CalendarToken(id+1, "en@test.example") + "/calendar.ics":  404,
		} {
			if got := get(path, "").Code; got != want {
				t.Errorf("%s: %d, want %d", path, got, want)
			}
		}
		if page := get("/preferences/"+w.readers.Keys().PreferencesToken(id, "en@test.example")+"?lang=en", "").Body.String(); !strings.Contains(page, `href="webcal://127.0.0.1:8080`+path) || !strings.Contains(page, `href="http://127.0.0.1:8080`+path) {
			t.Errorf("the preferences do not link the calendar:\n%s", page)
		}
	})
}
