package adminsite

import (
	"bytes"
	"database/sql"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"dibao/feed"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/web"
	"dibao/subscribers"
)

// serve serves the pages at a real address, as the daemon does.
func (w *world) serve() (base string) {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	mux := http.NewServeMux()
	w.site.Register(mux)
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(w.t.Context(), l, web.Options{Handler: mux, Logger: w.site.Node.Log}) }()
	w.t.Cleanup(func() { <-ended })
	return "http://" + l.Addr().String()
}

func (w *world) get(address string, header ...string) (status int, body string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), "GET", address, nil)
	w.must(err)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	res, err := http.DefaultClient.Do(r)
	w.must(err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	w.must(err)
	if res.StatusCode == 200 && !strings.Contains(res.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		w.t.Errorf("%s has the policy %q", address, res.Header.Get("Content-Security-Policy"))
	}
	return res.StatusCode, string(b)
}

// words returns the text that a page shows, with single spaces.
func words(t *testing.T, page string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			b.WriteString(n.Data + " ")
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(root)
	return strings.Join(strings.Fields(b.String()), " ")
}

func (w *world) shows(address string, all ...string) string {
	w.t.Helper()
	status, body := w.get(address)
	text := words(w.t, body)
	if status != 200 {
		w.t.Fatalf("%s: %d %s", address, status, text)
	}
	for _, want := range all {
		if !strings.Contains(text, want) {
			w.t.Errorf("%s does not show %q:\n%s", address, want, text)
		}
	}
	for _, secret := range []string{"geheim", "reader1", "%!"} {
		if strings.Contains(body, secret) {
			w.t.Errorf("%s holds %q", address, secret)
		}
	}
	if strings.Contains(text, "admin.") {
		w.t.Errorf("%s shows a key: %s", address, text)
	}
	return body
}

func TestOverviewAndSources(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		base := w.serve()
		w.shows(base+"/?lang=en", "All is well", "There are no lists yet.")
		w.exec(`INSERT INTO send_pauses (name, tries, since, next_try_at, reply) VALUES ('relay.example:25', 1, $1, $1, 'server answered 535 no (auth)')`, w.at)
		w.shows(base+"/?lang=en", "relay.example:25 refuses our mail before we name a recipient", "server answered 535 no (auth)", "dibao mail doctor", "dibao issue send")
		w.shows(base+"/mailings?lang=zh", "relay.example:25 在收件人命令之前就拒收我方邮件", "服务器返回 535 no（auth）")
		w.exec(`DELETE FROM send_pauses`)
		w.shows(base+"/sources", "还没有来源。")
		w.collectors(8)

		w.shows(base+"/?lang=zh", "民政部 通知公告：被拒", "dibao source test 3", "正常的来源 3", "共 6 个")
		w.shows(base+"/?lang=en", "样例县 信息公开: failing", "no such host: gov.sample.example")
		body := w.shows(base+"/sources?lang=en", "blocked 1", "Last success", "样例市人民政府", "6 d", "40 min", "dibao source list")
		if at, last := strings.Index(body, "民政部 通知公告"), strings.Index(body, "国务院 政策"); at < 0 || at > last {
			t.Error("the blocked source does not come before those that are well")
		}
		// The calendar: nine days with three collections, one of them today; four blocked
		// days.
		w.shows(base+"/sources/3?lang=en", "Recorded days: 9; without a failure: 5", "2026-11-30 blocked 1 1", "2026-11-27 blocked 3 3", "token=")
		w.shows(base+"/sources/6?lang=zh", "有失败的日子", "会自动重试")
		if status, _ := w.get(base + "/sources/99"); status != 404 {
			t.Errorf("a source that does not exist: %d", status)
		}
		if status, _ := w.get(base+"/", "Host", "evil.example"); status != http.StatusMisdirectedRequest {
			t.Errorf("a stranger's name: %d", status)
		}
		for _, host := range []string{"127.0.0.1:9090", "[::1]", "localhost", "dibao:9090"} {
			if status, _ := w.get(base+"/", "Host", host); status != 200 {
				t.Errorf("%s: %d", host, status)
			}
		}
	})
}

// The records of a source's days are deleted after ninety days; a day keeps its worst
// state.
func TestSourceDaysAreKeptFor90Days(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		src, err := w.site.Node.Articles.AddSource(t.Context(), feed.Source{URL: "https://a.example/", Kind: "feed", Name: "样例"})
		w.must(err)
		for i, states := range [][]feed.State{{feed.StateOK}, {feed.StateOK, feed.StateBlocked, feed.StateFailing, feed.StateOK}, {feed.StateQuiet, feed.StateOK}} {
			for _, s := range states {
				src.State, src.CheckedAt, src.Failures = s, end.AddDate(0, 0, -90+i*45), 0
				if s != feed.StateOK && s != feed.StateQuiet {
					src.Failures = 1
				}
				w.must(w.site.Node.Articles.SaveCollection(t.Context(), src))
			}
		}
		days, err := w.site.Node.Articles.SourceDays(t.Context(), src.ID, "2000-01-01")
		w.must(err)
		want := []feed.SourceDay{{Source: src.ID, Day: "2026-10-16", State: feed.StateBlocked, Collections: 4, Failures: 2}, {Source: src.ID, Day: "2026-11-30", State: feed.StateQuiet, Collections: 2}}
		if len(days) != 2 || days[0] != want[0] || days[1] != want[1] {
			t.Errorf("got %+v, want %+v", days, want)
		}
	})
}

func TestMailings(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		base := w.serve()
		w.shows(base+"/mailings?lang=en", "There are no mailings yet.", "There is no data for this period.")
		w.readers()
		w.collectors(2)
		w.mail()
		// 24 readers, of whom three unsubscribed, one of them from all lists.
		w.shows(base+"/mailings?lang=zh", "发送中", "地址不存在", "邮箱已满", "dibao bounce list")
		w.shows(base+"/mailings/1?lang=en", "邸报周刊 No. 1, 养老政策 No. 1 · Mailing 1", "Accepted 18 of 22", "Delivered or failed: 20, in 5 min.", "Deferred", "452 4.2.2 mailbox is full, try again later full.example", "550 5.1.1 <…@corp2.example>: no such user here corp2.example", "weekly", "sending")
		w.shows(base+"/?lang=zh", "近 7 天投递失败 2", "邸报周刊 weekly")
		if status, _ := w.get(base + "/mailings/2"); status != 404 {
			t.Errorf("a mailing that does not exist: %d", status)
		}
		var file bytes.Buffer
		w.must(w.site.WriteMailing(t.Context(), &file, 1, "zh"))
		text := words(t, file.String())
		for _, want := range []string{"投递曲线", "按域名", "full.example"} {
			if !strings.Contains(text, want) {
				t.Errorf("the file does not show %q: %s", want, text)
			}
		}
		for _, foreign := range []string{"href=", "src=", "@full.example", "reader1"} {
			if strings.Contains(strings.ReplaceAll(file.String(), `href="#main"`, ""), foreign) {
				t.Errorf("the file holds %q", foreign)
			}
		}
	})
}

func TestLists(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		base := w.serve()
		w.shows(base+"/lists?lang=en", "There are no lists yet.")
		w.readers()
		w.collectors(2)
		// 24 joined one list and 12 of them another, over 160 days; three left the first
		// one.
		w.shows(base+"/lists?lang=en", "Weeks: 26; joined: 36; left: 3.", "邸报周刊 weekly", "21", "dibao list preview NAME")
		w.shows(base+"/lists/weekly?lang=zh", "第 1 期将有的内容", "国务院关于做好第", "来源", "已确认的读者 21", "近 26 周加入 24 人次，退订 3 人次")
		w.mail()
		w.shows(base+"/lists/weekly?lang=en", "Contents of the next issue (No. 2)", "Nothing is new now", "in an earlier issue", "No. 1 2026-11-30 08:00")
		if status, _ := w.get(base + "/lists/none"); status != 404 {
			t.Errorf("a list that does not exist: %d", status)
		}
		// A reader who leaves and returns counts each time; deleted readers do not count.
		w.must(db.Write(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), `DELETE FROM subscribers WHERE address LIKE 'reader4@%'`)
			return err
		}))
		w.shows(base+"/lists/weekly?lang=en", "joined: 23; left: 2.")
	})
}

// Articles that arrive in the evening in UTC belong to the next day in Shanghai.
func TestDaysAreThoseOfTheZone(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.at = end.AddDate(0, 0, -10)
		l, err := w.site.Node.Subscribers.CreateList(t.Context(), subscribers.List{Slug: "weekly"})
		w.must(err)
		w.at = time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC)
		_, err = w.site.Node.Subscribers.AddConfirmed(t.Context(), "a@test.example", "zh", []subscribers.List{l}, "by the test")
		w.must(err)
		w.exec(`INSERT INTO feedback (kind, class, code, text, at) VALUES ('bounce', 'full', 552, 'x', $1)`, w.at)
		for zone, day := range map[*time.Location]string{time.UTC: "2026-11-28", w.site.Node.Zone: "2026-11-29"} {
			since := end.AddDate(0, 0, -9).In(zone)
			moved, err := w.site.Node.Subscribers.Movements(t.Context(), since)
			w.must(err)
			reports, err := w.site.Node.Digest.ReportsByDay(t.Context(), since)
			w.must(err)
			if len(moved) != 1 || moved[0].Day != day || len(reports) != 1 || reports[0].Day != day {
				t.Errorf("%s: got %+v and %+v, want both on %s", zone, moved, reports, day)
			}
		}
	})
}
