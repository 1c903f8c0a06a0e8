package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/mmcdole/gofeed"

	"dibao/feed"
	"dibao/feed/collect"
	"dibao/internal/fetch"
)

// CollectFigures are the costs of collecting; times are in seconds.
type CollectFigures struct {
	Feeds         int     `json:"feeds"`
	Entries       int     `json:"entries"`
	FirstCPU      float64 `json:"first_cpu_s"`
	FirstWall     float64 `json:"first_wall_s"`
	NotModified   float64 `json:"not_modified_cpu_s"`
	SameBody      float64 `json:"same_body_cpu_s"`
	PeakRSS       float64 `json:"peak_rss_mb"`
	BaselineParse float64 `json:"baseline_parse_cpu_s"`
}

// Collect collects generated feeds, or lists with their article pages: the first time, with
// 304 responses, and with the same bytes again.
func Collect(ctx context.Context, open Open, feeds, items int, pages bool) (CollectFigures, error) {
	out := CollectFigures{Feeds: feeds}
	path, kind := "f", "feed"
	if pages {
		path, kind = "l", "page"
	}
	addr, stop, err := startHelper(ctx, "feeds", "--feeds", strconv.Itoa(feeds), "--items", strconv.Itoa(items))
	if err != nil {
		return out, err
	}
	defer stop()
	a, closeApp, err := open(ctx, map[string]string{})
	if err != nil {
		return out, err
	}
	defer closeApp()
	// All sources are on one host here, so the pause between requests to a host would
	// dominate.
	a.Collector.Client = fetch.New(fetch.Options{AllowPrivate: true, PerHost: Collectors})
	ids := make([]int64, feeds)
	for i := range ids {
		s, err := a.Articles.AddSource(ctx, feed.Source{URL: fmt.Sprintf("http://%s/%s/%d", addr, path, i), Kind: kind})
		if err != nil {
			return out, err
		}
		ids[i] = s.ID
	}
	if out.FirstCPU, out.FirstWall, err = measure(func() (err error) {
		out.Entries, err = CollectAll(ctx, a.Collector, ids)
		return err
	}); err != nil {
		return out, err
	}
	if out.Entries != feeds*items {
		return out, fmt.Errorf("%d entries were stored, not %d", out.Entries, feeds*items)
	}
	again := func() error {
		n, err := CollectAll(ctx, a.Collector, ids)
		if err == nil && n > 0 {
			err = fmt.Errorf("%d entries were new the second time", n)
		}
		return err
	}
	if out.NotModified, _, err = measure(again); err != nil {
		return out, err
	}
	if _, err := http.Get("http://" + addr + "/plain"); err != nil {
		return out, err
	}
	if out.SameBody, _, err = measure(again); err != nil {
		return out, err
	}
	out.PeakRSS = peakRSS()
	generated := newSite(feeds, items)
	texts, parse := func(n int) [][]byte { return [][]byte{generated.body(n)} }, parseFeed
	if pages {
		texts, parse = generated.pages, parsePage
	}
	out.BaselineParse, err = parseAll(feeds, texts, parse)
	return out, err
}

// Collectors is the number of sources that are collected at the same time.
const Collectors = 4

// CollectAll collects sources and returns how many articles were new.
func CollectAll(ctx context.Context, c *collect.Collector, ids []int64) (int, error) {
	var added atomic.Int64
	var mu sync.Mutex
	var failed error
	work := make(chan int64)
	var wg sync.WaitGroup
	for range Collectors {
		wg.Go(func() {
			for id := range work {
				done, err := c.Collect(ctx, id)
				added.Add(int64(done.New))
				if err != nil {
					mu.Lock()
					failed = errors.Join(failed, err)
					mu.Unlock()
				}
			}
		})
	}
	for _, id := range ids {
		work <- id
	}
	close(work)
	wg.Wait()
	return int(added.Load()), failed
}

// parseAll is the baseline: only a library, on the same bytes, which are generated before.
func parseAll(feeds int, texts func(n int) [][]byte, parse func(text io.Reader) error) (cpu float64, err error) {
	for n := range feeds {
		all := texts(n)
		took, _, err := measureOnly(func() error {
			for _, text := range all {
				if err := parse(bytes.NewReader(text)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return cpu, err
		}
		cpu += took
	}
	return cpu, nil
}

func parseFeed(text io.Reader) error {
	_, err := gofeed.NewParser().Parse(text)
	return err
}

func parsePage(text io.Reader) error {
	_, err := goquery.NewDocumentFromReader(text)
	return err
}

// measureOnly is like measure, but does not collect garbage first.
func measureOnly(f func() error) (cpu, wall float64, err error) {
	c, w := cpuTime(), time.Now()
	err = f()
	return (cpuTime() - c).Seconds(), time.Since(w).Seconds(), err
}

// site serves feeds of invented notices, and the same notices as lists and pages.
type site struct {
	feeds, items     int
	menu, paragraphs string      // contained in all pages or notices
	plain            atomic.Bool // answers have no validators
}

func newSite(feeds, items int) *site {
	return &site{
		feeds: feeds, items: items,
		menu: `<div class="nav"><ul>` + strings.Repeat(`<li class="item"><a href="/channel/index.html" target="_blank" title="样例栏目">样例栏目</a></li>`, 75) + `</ul></div>`,
		paragraphs: strings.Repeat(`<p>一、总体要求。坚持以人民为中心，按照有关规定，结合本市实际，统筹推进各项工作，着力解决群众关心的问题，努力提高服务水平。</p>`+
			`<p>二、主要任务。各部门要按照《样例市工作方案》（样政办发〔2025〕3号）的要求，明确责任分工，完善工作机制，确保各项措施落到实处。</p>`, 2) +
			`<p>本通知自2026年12月1日起施行，有效期五年。</p><p>样例市人民政府</p><p>2026年11月20日</p>`,
	}
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/plain" {
		s.plain.Store(true)
		return
	}
	kind, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	feed, item, _ := strings.Cut(strings.TrimSuffix(rest, ".html"), "/")
	n, err := strconv.Atoi(feed)
	if err != nil || n < 0 || n >= s.feeds {
		http.NotFound(w, r)
		return
	}
	contentType, body := "text/html; charset=utf-8", []byte(nil)
	switch kind {
	case "f":
		contentType, body = "application/rss+xml", s.body(n)
	case "l":
		body = s.list(n)
	default:
		i, _ := strconv.Atoi(item)
		body = s.page(n, i)
	}
	w.Header().Set("Content-Type", contentType)
	if !s.plain.Load() {
		sum := sha256.Sum256(body)
		etag := `"` + hex.EncodeToString(sum[:8]) + `"`
		w.Header().Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	w.Write(body)
}

// list returns the nth list of pages.
func (s *site) list(n int) []byte {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE html><html><head><title>通知公告_样例市人民政府</title></head><body>` + s.menu + `<ul class="list">`)
	for i := range s.items {
		fmt.Fprintf(&b, `<li><a href="/a/%d/%d.html">%s</a><span>%s</span></li>`, n, i, noticeTitle(n, i), dayOf(i))
	}
	b.WriteString(`</ul>` + s.menu + `</body></html>`)
	return []byte(b.String())
}

// pages returns the nth list and the pages of its items.
func (s *site) pages(n int) [][]byte {
	all := [][]byte{s.list(n)}
	for i := range s.items {
		all = append(all, s.page(n, i))
	}
	return all
}

// page returns the page of an item of the nth list, about 20 kB.
func (s *site) page(n, i int) []byte {
	return fmt.Appendf(nil, `<!DOCTYPE html><html><head><title>%[1]s_样例市人民政府</title></head><body>%[2]s<div class="article"><h1>%[1]s</h1>`+
		`<p class="info">发布日期：%[3]s 来源：样例市人民政府</p><div class="content"><p>样政发〔2026〕%[4]d号</p><p>各县（市、区）人民政府，市政府各部门、各直属机构：</p>%[5]s</div></div>%[2]s</body></html>`,
		noticeTitle(n, i), s.menu, dayOf(i), n*s.items+i+1, s.paragraphs)
}

func noticeTitle(n, i int) string {
	return fmt.Sprintf("样例市人民政府关于第%d号第%d件事项的通知", n, i)
}

func dayOf(i int) string { return time.Now().AddDate(0, 0, -i).Format(time.DateOnly) }

// body returns the nth feed; each item is a notice of a few paragraphs.
func (s *site) body(n int) []byte {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>样例源</title><link>http://bench.example/</link><description>样例</description>` + "\n")
	day := time.Now().Truncate(24 * time.Hour)
	for i := range s.items {
		fmt.Fprintf(&b, `<item><title>%s</title><link>http://bench.example/%d/%d.html</link><guid>http://bench.example/%d/%d.html</guid><pubDate>%s</pubDate>`,
			noticeTitle(n, i), n, i, n, i, day.Add(-time.Duration(i)*time.Hour).Format(time.RFC1123Z))
		b.WriteString(`<content:encoded><![CDATA[`)
		fmt.Fprintf(&b, "<p>样政发〔2026〕%d号</p><p>各县（市、区）人民政府，市政府各部门、各直属机构：</p>", n*s.items+i+1)
		b.WriteString(s.paragraphs)
		b.WriteString(`]]></content:encoded></item>` + "\n")
	}
	b.WriteString(`</channel></rss>`)
	return []byte(b.String())
}
