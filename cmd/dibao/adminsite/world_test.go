package adminsite

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net/mail"
	"net/netip"
	"strings"
	"testing"
	"time"

	"dibao/cmd/dibao/status"
	"dibao/digest"
	"dibao/feed"
	"dibao/feed/collect"
	"dibao/feed/ingest"
	"dibao/internal/database"
	"dibao/policy"
	"dibao/subscribers"
)

// world is a node with a history of ninety days: sources with good and bad days, lists
// whose readers joined and left, and mailings.
type world struct {
	t     *testing.T
	at    time.Time
	site  *Site
	db    *database.DB
	lists []subscribers.List
	crowd int // number of readers
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	w.must(w.db.Write(context.Background(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(context.Background(), query, args...)
		return err
	}))
}

var end = time.Date(2026, 11, 30, 1, 30, 0, 0, time.UTC) // a Monday, 09:30 in Shanghai

func newWorld(t *testing.T, db *database.DB) *world {
	t.Helper()
	w := &world{t: t, at: end.AddDate(0, 0, -95), db: db, crowd: 24}
	now := func() time.Time { return w.at }
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	readers, err := subscribers.New(t.Context(), db, now)
	w.must(err)
	articles := feed.NewStore(db, now)
	issues, err := digest.New(db, articles, readers, digest.Options{BaseURL: "https://dibao.example", From: mail.Address{Address: "news@dibao.example"}, Now: now, Logger: quiet})
	w.must(err)
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	w.must(err)
	w.site = &Site{SiteName: "邸报", Node: status.Node{DB: db, Articles: articles, Digest: issues, Subscribers: readers, Zone: shanghai, Log: quiet}}
	return w
}

// sample is a source of the world. bad says whether a collection on a day failed.
type sample struct {
	name, issuer string
	state        feed.State // state when it fails
	err          string
	daily        int
	delay        time.Duration // time from publication to collection
	issueDays    int
	bad          func(day, hour int) bool // by days before the end
}

var samples = []sample{
	{"样例市人民政府 政策文件", "样例市人民政府", feed.StateFailing, "https://s0.example/list answered 503 Service Unavailable", 3, 40 * time.Minute, 6, func(d, h int) bool { return d == 17 || d == 40 && h < 12 }},
	{"国务院 政策", "国务院", feed.StateOK, "", 2, 12 * time.Minute, 9, func(d, h int) bool { return false }},
	{"民政部 通知公告", "民政部", feed.StateBlocked, "the site returns the puzzle of 阿里云 Alibaba Cloud instead of its pages; it does not count as \"nothing new\"", 1, 3 * time.Hour, 14, func(d, h int) bool { return d < 4 }},
	{"样例省教育厅 公示公告（含义务教育、职业教育与高等教育）", "样例省教育厅", feed.StateChanged, "the list has 2 items where it usually has 25; its items were stored; look at the page and set the selectors", 2, 90 * time.Minute, 21, func(d, h int) bool { return d < 11 || d > 60 && d < 63 }},
	{"样例研究院 观点", "样例研究院", feed.StateOK, "", 1, 20 * time.Minute, 0, func(d, h int) bool { return false }},
	{"样例县 信息公开", "样例县人民政府", feed.StateFailing, "no such host: gov.sample.example", 1, time.Hour, 30, func(d, h int) bool { return d%9 == 0 }},
}

// collectors runs three collections of all samples a day for n days.
func (w *world) collectors(n int) {
	w.t.Helper()
	c := &collect.Collector{Store: w.site.Node.Articles, Logger: w.site.Node.Log}
	w.at = end.AddDate(0, 0, -n-5)
	var sources []feed.Source
	for i, s := range samples {
		src, err := w.site.Node.Articles.AddSource(w.t.Context(), feed.Source{URL: fmt.Sprintf("https://s%d.example/list?token=geheim%d", i, i), Kind: "page", Name: s.name, Issuer: s.issuer, Licence: feed.LicenceOfficial})
		w.must(err)
		sources = append(sources, src)
	}
	for d := n; d >= 0; d-- {
		for i, s := range samples {
			if i == 4 && d > 50 { // it was added later
				continue
			}
			for _, hour := range []int{0, 6, 12} {
				w.at = end.AddDate(0, 0, -d).Truncate(24 * time.Hour).Add(time.Duration(hour)*time.Hour + 30*time.Minute)
				if w.at.After(end) {
					continue
				}
				src := &sources[i]
				src.CheckedAt, src.NextAt = w.at, w.at.Add(6*time.Hour)
				if s.bad(d, hour) {
					src.State, src.LastError = s.state, s.err
					src.Failures++
				} else {
					src.State, src.LastError, src.Failures, src.SucceededAt = feed.StateOK, "", 0, w.at
				}
				w.must(w.site.Node.Articles.SaveCollection(w.t.Context(), *src))
				if src.Failures > 0 || hour != 6 {
					continue
				}
				var items []ingest.Item
				for k := range (s.daily*(d%5+1) + 2) / 3 {
					published := w.at.Add(-s.delay)
					made := published.AddDate(0, 0, -s.issueDays)
					url := fmt.Sprintf("https://s%d.example/%d-%d.html", i, d, k)
					e := policy.Evidence{URL: url, Title: fmt.Sprintf("%s关于做好第%d批养老服务工作的通知（%d）", s.issuer, d, k), Issuer: s.issuer, Paragraphs: []string{
						"各有关单位：", fmt.Sprintf("现就第%d批第%d项养老服务工作有关事项通知如下，请认真贯彻执行。", d, k), s.issuer, made.Format("2006年1月2日"),
					}, Labels: []policy.Label{{Element: "td", Name: "发布时间", Value: published.In(w.site.Node.Zone).Format("2006-01-02 15:04")}, {Element: "td", Name: "发布机构", Value: s.issuer}}}
					items = append(items, ingest.Item{GUID: url, URL: url, Title: e.Title, Evidence: e})
				}
				_, err := c.Add(w.t.Context(), src.ID, items)
				w.must(err)
			}
		}
	}
	w.at = end
}

// readers stores 480 readers in eleven domains: most joined over time, some left.
func (w *world) readers() {
	w.t.Helper()
	w.at = end.AddDate(0, 0, -175)
	store := w.site.Node.Subscribers
	for _, l := range []subscribers.List{{Slug: "weekly", Title: "邸报周刊"}, {Slug: "elderly", Title: "养老政策", Query: subscribers.Query{Any: []string{"养老"}}}} {
		made, err := store.CreateList(w.t.Context(), l)
		w.must(err)
		w.lists = append(w.lists, made)
	}
	domains := []string{"qq.example", "qq.example", "qq.example", "163.example", "163.example", "mail.example", "sample.gov.example", "corp1.example", "corp2.example", "corp3.example", "campus.example", "full.example"}
	for i := range w.crowd {
		w.at = end.AddDate(0, 0, -170+i*160/w.crowd)
		id, err := store.AddConfirmed(w.t.Context(), fmt.Sprintf("reader%d@%s", i, domains[i%len(domains)]), "zh", w.lists[:1+i%2], "by the form on paper")
		w.must(err)
		if i%9 == 4 {
			w.at = w.at.AddDate(0, 0, 9)
			_, err := store.Unsubscribe(w.t.Context(), id, w.lists[0].ID, "by the test", netip.Prefix{})
			w.must(err)
		}
	}
	w.at = end
}

// mail composes the issues that are due and stores the servers' responses: all but a few accept within
// minutes, one domain refuses permanently, another temporarily.
func (w *world) mail() {
	w.t.Helper()
	w.at = time.Date(2026, 11, 30, 0, 0, 30, 0, time.UTC)
	made, err := w.site.Node.Digest.ComposeDue(w.t.Context())
	w.must(err)
	if len(made) == 0 || made[0].Deliveries == 0 {
		w.t.Fatalf("nothing was composed: %+v", made)
	}
	type delivered struct {
		id      int64
		address string
	}
	var all []delivered
	w.must(w.db.Read(w.t.Context(), func(tx *sql.Tx) (err error) {
		all, err = database.Collect(w.t.Context(), tx, func(r database.Row) (d delivered, err error) { return d, r.Scan(&d.id, &d.address) },
			`SELECT d.id, u.address FROM deliveries d JOIN subscribers u ON u.id = d.subscriber ORDER BY d.id`)
		return err
	}))
	for i, d := range all {
		at := w.at.Add(time.Duration(i*i) * 6 * time.Minute / time.Duration(len(all)*len(all)))
		_, domain, _ := strings.Cut(d.address, "@")
		switch {
		case domain == "corp2.example":
			w.exec(`UPDATE deliveries SET state = 'failed', next_at = NULL, done_at = $2, attempts = 1, reply_code = 550, reply = $3 WHERE id = $1`, d.id, at, "5.1.1 <"+d.address+">: no such user here")
			w.exec(`INSERT INTO feedback (delivery, kind, class, code, text, at) VALUES ($1, 'reply', 'permanent', 550, 'no such user', $2)`, d.id, at)
		case domain == "full.example":
			w.exec(`UPDATE deliveries SET attempts = 1, next_at = $2, reply_code = 452, reply = '4.2.2 mailbox is full, try again later' WHERE id = $1`, d.id, end.Add(20*time.Minute))
		case i%97 == 50:
			w.exec(`UPDATE deliveries SET state = 'suppressed', next_at = NULL, done_at = $2, reply = 'suppressed' WHERE id = $1`, d.id, at)
		default:
			w.exec(`UPDATE deliveries SET state = 'sent', next_at = NULL, done_at = $2, attempts = 1, reply_code = 250, reply = 'ok' WHERE id = $1`, d.id, at)
		}
	}
	w.exec(`UPDATE mailings SET state = 'sending'`)
	for week := range 24 {
		for class, n := range map[string]int{"permanent": week % 4, "full": week % 3, "policy": week / 18, "unknown": (week + 1) % 2} {
			for range n {
				w.exec(`INSERT INTO feedback (kind, class, code, text, at) VALUES ('bounce', $1, 550, 'x', $2)`, class, end.AddDate(0, 0, -7*week-1))
			}
		}
		if week%8 == 3 {
			w.exec(`INSERT INTO feedback (kind, class, code, text, at) VALUES ('complaint', '', 0, 'x', $1)`, end.AddDate(0, 0, -7*week-1))
		}
	}
	w.at = end
}
