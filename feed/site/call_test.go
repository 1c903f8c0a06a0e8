package site_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-ical"

	"dibao/feed/amend"
	"dibao/feed/site/sitetest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/policy/call"
	"dibao/policy/when"
)

// storeCall stores what an article asks, as the store does.
func storeCall(s *sitetest.Site, id int64, title string, paragraphs ...string) {
	s.Helper()
	c, ok := call.Extract(title, paragraphs, when.MakeDate(2026, 11, 20))
	if !ok {
		s.Fatalf("%s asks for nothing", title)
	}
	b, err := json.Marshal(c)
	if err != nil {
		s.Fatal(err)
	}
	s.Exec(`UPDATE articles SET call = $1, deadline_on = '2026-12-15' WHERE id = $2`, string(b), id)
}

// The page of calls lists the open ones, the first to end first; it has a feed and a
// calendar, and so has each region.
func TestPageOfCalls(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := sitetest.New(t, db)
		s.Add(1, 4, func(int) (int, string) { return 1, "国防" })
		for id := int64(1); id <= 3; id++ {
			storeCall(s, id, "关于组织申报样例技改项目的通知", "各有关企业：", "请申报单位于2026年12月15日前登录http://a.example/b填报。")
		}
		s.Exec(`UPDATE articles SET deadline_on = '2020-01-01' WHERE id = 2`)
		s.Exec(`UPDATE articles SET deadline_on = '2026-12-10', region = '5101', facts = '{"title":"第3号通知","region":"5101"}' WHERE id = 3`)
		s.Exec(`UPDATE articles SET deadline_on = '2026-12-11' WHERE id = 4`)
		for path, want := range map[string]string{"/calls/": "3 1", "/calls/51/": "3", "/calls/44/": ""} {
			page := s.Read(path)
			var got []string
			for _, m := range regexp.MustCompile(`<h3>.*?/articles/(\d+)"`).FindAllStringSubmatch(page, -1) {
				got = append(got, m[1])
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s: %v, want %s", path, got, want)
			}
			if n := len(events(s, path+"calendar.ics")); n != len(strings.Fields(want)) {
				t.Errorf("%s: %d events in the calendar", path, n)
			}
		}
		if page := s.Read("/calls/"); !strings.Contains(page, `href="/calls/51/"`) || !strings.Contains(page, "calendar.ics") {
			t.Error("the page does not link its regions and its calendar")
		}
		items, _ := s.Walk("/calls/feed.xml")
		if len(items) != 3 || items["4"] != 0 {
			t.Errorf("the feed has %v", items)
		}
		if res := s.Get("/calls/99/"); res.StatusCode != 404 {
			t.Errorf("an unknown region: %d", res.StatusCode)
		}
	})
}

// The page of an article shows what it asks and offers, each fact with its sentence, in the
// reader's language; the API returns the same.
func TestCallOfArticle(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := sitetest.New(t, db)
		s.Add(1, 2, func(int) (int, string) { return 1, "国防" })
		storeCall(s, 1, "关于组织申报样例技改项目的通知", "各有关企业：", "一、申报条件：在样例市注册的制造业企业，营业收入2000万元以上。",
			"二、支持标准：每个项目给予最高不超过20万元补助。", "请申报单位于2026年12月15日前登录http://a.example/b?x=1&y=<2填报。", "联系电话：010-12345678")
		for language, want := range map[string][]string{
			"zh": {"申报要点", "申报单位", "申报（申报单位）：2026-12-15截止", "每个项目最高20万元", "企业", "制造业", "营业收入2000万元以上", "010-12345678", "原文：“", `href="http://a.example/b?x=1&amp;y="`},
			"en": {"What this notice asks and offers", "until 2026-12-15", "up to CNY 200,000", "manufacturing"},
		} {
			page := s.Read("/articles/1?lang=" + language)
			for _, w := range want {
				if !strings.Contains(page, w) {
					t.Errorf("%s: the page lacks %q", language, w)
				}
			}
			if strings.Contains(s.Read("/articles/2?lang="+language), want[0]) {
				t.Errorf("%s: an article that asks for nothing says %q", language, want[0])
			}
		}
		var answer struct{ Call *call.View }
		if err := json.Unmarshal([]byte(s.Read("/api/v1/articles/1")), &answer); err != nil || answer.Call == nil || *answer.Call.Benefits[0].Cap != 200000 || answer.Call.Steps[0].Last != "2026-12-15" {
			t.Errorf("%+v, %v", answer.Call, err)
		}
		if strings.Contains(s.Read("/api/v1/articles/2"), `"call"`) {
			t.Error("an article that asks for nothing has a call in the API")
		}
	})
}

// amended stores that article 2 changes the call of article 1.
func amended(s *sitetest.Site, db *database.DB, change call.Change) {
	s.Helper()
	err := db.Write(s.Context(), func(tx *sql.Tx) error {
		return amend.Store(s.Context(), tx, db.Dialect(), sitetest.Clock(), []amend.StoredArticle{
			{Article: 1, IsNew: true, Keys: []string{"project:1"}}, {Article: 2, Keys: []string{"project:1"}, Notice: &change}})
	})
	if err != nil {
		s.Fatal(err)
	}
	s.Exec(`INSERT INTO changes (topic, version) VALUES ('documents', 1) ON CONFLICT (topic) DO UPDATE SET version = changes.version + 1`)
}

// A call whose day was moved is in the list and in calendars with its new day; the notice
// has no event of its own; a cancellation ends the event. The two pages link to each other.
func TestChangedCall(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := sitetest.New(t, db)
		s.Add(1, 3, func(int) (int, string) { return 1, "国防" })
		for id := int64(1); id <= 3; id++ {
			storeCall(s, id, "关于组织申报样例技改项目的通知", "各有关企业：", "请申报单位于2026年12月15日前登录http://a.example/b填报。")
		}
		event := func() string {
			t.Helper()
			all := events(s, "/calls/calendar.ics")
			if len(all) != 2 {
				t.Fatalf("%d events, want those of two calls", len(all))
			}
			e := all["article-1-deadline@policy.example"]
			title, _ := e.Props.Text(ical.PropSummary)
			return fmt.Sprint(e.Props.Get(ical.PropDateTimeStart).Value, " ", e.Props.Get(ical.PropSequence).Value, " ", e.Props.Get(ical.PropStatus).Value, " ", len(e.Children), " ", strings.HasPrefix(title, "已取消"))
		}
		amended(s, db, call.Change{Kind: call.ChangeMoved, Until: when.MakeDate(2026, 12, 28), Evidence: "现延长至12月28日。"})
		first := event()
		if !strings.HasPrefix(first, "20261228 ") || !strings.HasSuffix(first, " CONFIRMED 1 false") {
			t.Errorf("moved: %s", first)
		}
		page := s.Read("/calls/")
		if !strings.Contains(page, "截止日期由2026-12-15延至2026-12-28") || strings.Contains(page, `<a href="/articles/2">第`) {
			t.Errorf("the list has\n%s", page)
		}
		for path, want := range map[string][]string{
			"/articles/1": {"后续变更", "截止日期由2026-12-15延至2026-12-28", `/articles/2"`, "现延长至12月28日。"}, "/articles/2": {"本文变更此前的事项", `/articles/1"`, "现延长至12月28日。"},
			"/articles/1?lang=en": {"Later changes", "deadline extended from 2026-12-15 to 2026-12-28"},
		} {
			page := s.Read(path)
			for _, text := range want {
				if !strings.Contains(page, text) {
					t.Errorf("%s: no %q", path, text)
				}
			}
		}
		var answer struct{ Changes []amend.ChangeView }
		err := json.Unmarshal([]byte(s.Read("/api/v1/articles/1")), &answer)
		if c := answer.Changes; err != nil || len(c) != 1 || c[0].Kind != "moved" || *c[0].Was != "2026-12-15" || *c[0].Until != "2026-12-28" || c[0].Notice != 2 || c[0].By != "project" || c[0].Evidence != "现延长至12月28日。" {
			t.Errorf("the API has the changes %+v, %v", c, err)
		}
		s.Exec(`INSERT INTO revisions (article, title, paragraphs, replaced_at, was_on, until_on) VALUES (1, 't', '[]', $1, '2026-12-28', '2026-12-31'), (1, 't', '[]', $1, NULL, NULL)`, time.Date(2027, 1, 2, 20, 0, 0, 0, time.UTC))
		s.Exec(`UPDATE changes SET version = version + 1 WHERE topic = 'documents'`)
		err = json.Unmarshal([]byte(s.Read("/api/v1/articles/1")), &answer)
		if c := answer.Changes; err != nil || len(c) != 2 || c[0].By != "project" || c[1].By != "edit" || c[1].Notice != 1 || *c[1].Was != "2026-12-28" || *c[1].Until != "2026-12-31" || *c[1].On != "2027-01-03" {
			t.Errorf("after an edit the API has the changes %+v, %v", c, err)
		}
		if strings.Contains(s.Read("/api/v1/articles/2"), `"changes"`) {
			t.Error("an article that no notice changes has changes in the API")
		}
		amended(s, db, call.Change{Kind: call.ChangeCanceled, Evidence: "现取消。"})
		if got := event(); !strings.HasSuffix(got, " CANCELLED 0 true") {
			t.Errorf("canceled: %s", got)
		}
		if page := s.Read("/calls/"); !strings.Contains(page, "已取消") {
			t.Error("the list does not say that the call was canceled")
		}
	})
}

// The list of calls, its feed and its calendar accept the same filters: a call that
// excludes the choice is left out, and qualifications and topics must be mentioned.
func TestCallFilters(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := sitetest.New(t, db)
		s.Add(1, 5, func(int) (int, string) { return 1, "国防" })
		storeCall(s, 1, "关于组织申报样例技改项目的通知", "各有关企业：", "一、申报条件：制造业企业，应为高新技术企业。", "请申报单位于2026年12月15日前登录http://a.example/b填报。")
		storeCall(s, 2, "关于组织申报样例实验室的通知", "各有关单位：", "一、申报条件：申报单位应为高等学校。", "请于2026年12月15日前报送。")
		storeCall(s, 3, "关于征集样例案例的通知", "请各单位于2026年12月15日前报送至a@b.example。")
		storeCall(s, 4, "关于组织申报样例旧项目的通知", "各有关企业：", "申报对象：各类企业。", "请申报单位于2026年12月15日前报送。")
		s.Exec(`UPDATE articles SET deadline_on = '2026-11-01' WHERE id = 4`)
		s.Exec(`UPDATE articles SET deadline_on = '2026-11-25' WHERE id = 3`)
		s.Exec(`UPDATE articles SET theme = '民政、扶贫、救灾', facts = '{"title":"第3号通知","theme":"民政、扶贫、救灾"}' WHERE id = 3`)
		for query, want := range map[string]struct {
			page string // the calendar has the same calls
			all  int    // including closed ones, which are in the feed
		}{
			"": {"3 1 2", 4}, "?who=enterprise": {"3 1", 3}, "?who=university": {"3 2", 2}, "?industry=C": {"3 1 2", 4}, "?industry=J": {"3 2", 3},
			"?qualification=high-tech": {"1", 1}, "?topic=" + url.QueryEscape("民政、扶贫、救灾"): {"3", 1}, "?within=7": {"3", 1}, "?who=enterprise&within=30": {"3 1", 2},
			"?state=closed": {"4", 1}, "?who=university&state=closed": {"", 0}, "?who=enterprise&industry=C&qualification=high-tech": {"1", 1},
		} {
			var got []string
			page := s.Read("/calls/" + query)
			for _, m := range regexp.MustCompile(`<h3>.*?/articles/(\d+)"`).FindAllStringSubmatch(page, -1) {
				got = append(got, m[1])
			}
			if strings.Join(got, " ") != want.page {
				t.Errorf("%s: %v, want %s", query, got, want.page)
			}
			if !strings.Contains(page, html.EscapeString("calendar.ics"+query)) || query != "" && !strings.Contains(page, "noindex") {
				t.Errorf("%s: the page does not link its calendar, or is to be found by others", query)
			}
			if items, _ := s.Walk("/calls/feed.xml" + query); len(items) != want.all {
				t.Errorf("%s: the feed has %v, want %d", query, items, want.all)
			}
			if n := len(events(s, "/calls/calendar.ics"+query)); n != len(got) {
				t.Errorf("%s: %d events in the calendar, %d calls on the page", query, n, len(got))
			}
		}
		for path, want := range map[string]string{
			"/calls/?who=nobody":                         "“nobody”不是筛选条件 who 的可选值。可选的值：enterprise（企业）；",
			"/calls/?within=8&lang=en":                   "&#34;8&#34; is not a value of &#34;within&#34;. Known values: 7 (within 7 days); 14 (within 14 days)",
			"/calls/feed.xml?size=huge":                  "“huge”不是筛选条件 size 的可选值。可选的值：micro",
			"/calls/calendar.ics?industry=Z":             "“Z”不是筛选条件 industry 的可选值",
			"/calls/?topic=" + strings.Repeat("x", 9999): "“" + strings.Repeat("x", 40) + "”不是筛选条件 topic 的可选值。可选的值：国务院组织",
		} {
			res := s.Get(path)
			body, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != 400 || !strings.Contains(string(body), want) || len(body) > 20_000 {
				t.Errorf("%.60s: %d %v, no %q in\n%s", path, res.StatusCode, err, want, body)
			}
		}
		if page := s.Read("/calls/?who=enterprise&lang=en"); !strings.Contains(page, `<option value="enterprise" selected>enterprises</option>`) || !strings.Contains(page, `<option value="财政、金融、审计">Finance, banking and auditing</option>`) || !strings.Contains(page, "Clear the filter") {
			t.Error("the form does not show what is chosen")
		}
	})
}
