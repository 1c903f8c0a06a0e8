package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"dibao/feed"
	"dibao/internal/fetch"
	"dibao/internal/web"
	"dibao/policy/theme"
	"dibao/subscribers"
)

// PublishFigures are the results of "bench publish". Requests per second are
// those of one client in another process, each kind in many short turns with
// the others, so that other load on the machine slows all of them.
type PublishFigures struct {
	Articles        int     `json:"articles"`
	FeedBytes       int     `json:"feed_bytes"`
	FeedRPS         float64 `json:"feed_rps"`
	NotModifiedRPS  float64 `json:"not_modified_rps"`
	FileRPS         float64 `json:"file_rps"`              // Go's file server, serving the bytes of the feed
	FileNotModified float64 `json:"file_not_modified_rps"` // the same for a 304
	FeedCPU         float64 `json:"feed_cpu_us"`           // server time per request
	NotModifiedCPU  float64 `json:"not_modified_cpu_us"`
	FileCPU         float64 `json:"file_cpu_us"`
	Pages           int     `json:"pages"`
	PageP50         float64 `json:"page_p50_ms"` // time to the first byte, for pages that were not requested before
	PageP99         float64 `json:"page_p99_ms"`
	ArchiveFirst    float64 `json:"archive_newest_ms"` // median for the newest archive documents
	ArchiveLast     float64 `json:"archive_oldest_ms"` // median for the oldest
	PeakRSS         float64 `json:"peak_rss_mb"`
}

// Publish serves feeds and pages, against Go's file server with the same bytes.
func Publish(ctx context.Context, open Open, articles int) (out PublishFigures, err error) {
	public, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return out, err
	}
	base := "http://" + public.Addr().String()
	a, closeApp, err := open(ctx, map[string]string{"DIBAO_SERVER_BASE_URL": base})
	if err != nil {
		public.Close()
		return out, err
	}
	defer closeApp()
	if out.Articles, err = fillArticles(ctx, a, articles); err != nil {
		public.Close()
		return out, err
	}
	if _, err := a.Subscribers.CreateList(ctx, subscribers.List{Slug: "weekly", Title: "样例周刊"}); err != nil {
		return out, err
	}
	if err := a.Digest.Match(ctx); err != nil {
		return out, err
	}
	mux := http.NewServeMux()
	a.Register(mux)
	served, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() { _ = web.Serve(served, public, web.Options{Handler: mux, Logger: a.Log}) })
	return out, measureServer(served, base, a, &out)
}

// measureServer measures a server that runs at base.
func measureServer(ctx context.Context, base string, a *Node, out *PublishFigures) error {
	load, stopLoad, err := startHelper(ctx, "load")
	if err != nil {
		return err
	}
	defer stopLoad()
	body, etag, err := getWhole(ctx, base+"/feed.xml")
	if err != nil {
		return err
	}
	out.FeedBytes = len(body)
	fileBase, modified, stopFiles, err := serveFile(ctx, body)
	if err != nil {
		return err
	}
	defer stopFiles()
	urls, archive, err := pagesToAsk(ctx, a, base)
	if err != nil {
		return err
	}
	// Pages come first, while they have not been requested yet.
	if err := measurePages(ctx, a, load, urls, archive, out); err != nil {
		return err
	}
	var unused float64
	kinds := []struct {
		figure, cpu *float64
		ask         loadRequest
	}{
		{&out.FileRPS, &out.FileCPU, loadRequest{URL: fileBase + "/feed.xml"}},
		{&out.FeedRPS, &out.FeedCPU, loadRequest{URL: base + "/feed.xml"}},
		{&out.FileNotModified, &unused, loadRequest{URL: fileBase + "/feed.xml", Header: map[string]string{"If-Modified-Since": modified}}},
		{&out.NotModifiedRPS, &out.NotModifiedCPU, loadRequest{URL: base + "/feed.xml", Header: map[string]string{"If-None-Match": etag}}},
	}
	rates, cpus := make([][]float64, len(kinds)), make([][]float64, len(kinds))
	for range loadTurns {
		for i, k := range kinds {
			var did loadAnswer
			before := cpuTime()
			if err := askLoad(ctx, load, "/run", k.ask, &did); err != nil {
				return err
			}
			rates[i] = append(rates[i], float64(did.Requests)/did.Seconds)
			cpus[i] = append(cpus[i], float64((cpuTime()-before).Microseconds())/float64(max(did.Requests, 1)))
		}
	}
	for i, k := range kinds {
		*k.figure, *k.cpu = median(rates[i][1:]), median(cpus[i][1:]) // the first turn is a warm-up
	}
	out.PeakRSS = peakRSS()
	return nil
}

const (
	loadTurns = 31
	loadTurn  = 100 * time.Millisecond
	loadConns = 4
)

// fillArticles collects invented articles, as a daemon does, and returns how many.
func fillArticles(ctx context.Context, a *Node, articles int) (int, error) {
	items := 20
	feeds := (articles + items - 1) / items
	addr, stop, err := startHelper(ctx, "feeds", "--feeds", strconv.Itoa(feeds), "--items", strconv.Itoa(items))
	if err != nil {
		return 0, err
	}
	defer stop()
	a.Collector.Client = fetch.New(fetch.Options{AllowPrivate: true, PerHost: Collectors})
	ids := make([]int64, feeds)
	for i := range ids {
		s, err := a.Articles.AddSource(ctx, feed.Source{URL: fmt.Sprintf("http://%s/f/%d", addr, i), Kind: "feed", Name: fmt.Sprintf("样例源 %d", i), Licence: feed.LicenceOfficial})
		if err != nil {
			return 0, err
		}
		ids[i] = s.ID
	}
	return CollectAll(ctx, a.Collector, ids)
}

// serveFile serves bytes with Go's plain file server.
func serveFile(ctx context.Context, body []byte) (base, modified string, stop func(), err error) {
	dir, err := os.MkdirTemp("", "dibao-bench-file-")
	if err != nil {
		return "", "", nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "feed.xml"), body, 0o600); err != nil {
		return "", "", nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { _ = web.ServePlain(ctx, l, http.FileServer(http.Dir(dir))) })
	return "http://" + l.Addr().String(), time.Now().UTC().Add(time.Minute).Format(http.TimeFormat),
		func() { cancel(); wg.Wait(); os.RemoveAll(dir) }, nil
}

func getWhole(ctx context.Context, address string) (body []byte, etag string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("Accept-Encoding", "identity")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %d", address, res.StatusCode)
	}
	return body, res.Header.Get("ETag"), err
}

// pagesToAsk returns pages of every kind, and separately archive documents from
// the newest to the oldest.
func pagesToAsk(ctx context.Context, a *Node, base string) (urls, archive []string, err error) {
	newest, err := a.Articles.Articles(ctx, feed.Selection{Limit: 1})
	if err != nil || len(newest) == 0 {
		return nil, nil, err
	}
	last := newest[0].ID
	suffixes := []string{"feed.xml", "feed.atom", "feed.json"}
	paths := []string{"/", "/lists/weekly/", "/sources/1/", fmt.Sprintf("/sources/%d/", max(last/20, 1))}
	for _, t := range theme.Names {
		paths = append(paths, "/themes/"+url.PathEscape(t)+"/")
	}
	for _, code := range []string{"11", "44", "4403"} {
		paths = append(paths, "/regions/"+code+"/")
	}
	for _, p := range paths {
		for _, s := range suffixes {
			urls = append(urls, base+p+s)
		}
	}
	urls = append(urls, base+"/?lang=en", base+"/lists/weekly/issues/", base+"/themes/", base+"/regions/", base+"/issuers/", base+"/search")
	for _, p := range paths {
		urls = append(urls, base+p, fmt.Sprintf("%s%s?before=%d", base, p, last/2+1))
	}
	documents, err := a.Articles.Documents(ctx, feed.DocumentSelection{Before: last / 2, Limit: 20})
	if err != nil {
		return nil, nil, err
	}
	for _, d := range documents {
		urls = append(urls, fmt.Sprintf("%s/documents/%d", base, d.ID))
	}
	for _, q := range []string{"养老", "通知", "管理办法", "无此词语"} {
		urls = append(urls, base+"/search?q="+url.QueryEscape(q))
	}
	for i := range int64(200) {
		urls = append(urls, fmt.Sprintf("%s/articles/%d", base, 1+i*max(last-1, 1)/200))
	}
	for i := range int64(40) {
		archive = append(archive, fmt.Sprintf("%s/feed.xml?page=%d", base, max(last-i*last/40, 1)))
	}
	return urls, archive, nil
}

// pageRounds is how often each page is requested, rebuilt each time; the fastest counts,
// because other load on the machine only adds time.
const pageRounds = 3

func measurePages(ctx context.Context, a *Node, load string, urls, archive []string, out *PublishFigures) error {
	all := append(slices.Clone(urls), archive...)
	best := make([]float64, len(all))
	for round := range pageRounds {
		err := a.DB.Write(ctx, func(tx *sql.Tx) error { // all cached pages become outdated
			_, err := tx.ExecContext(ctx, `UPDATE lists SET updated_at = $1`, time.Now().UTC().Truncate(time.Microsecond))
			return err
		})
		if err != nil {
			return err
		}
		var did loadAnswer
		if err := askLoad(ctx, load, "/pages", loadRequest{URLs: all}, &did); err != nil {
			return err
		}
		for i, ms := range did.FirstByte {
			if round == 0 || ms < best[i] {
				best[i] = ms
			}
		}
	}
	shelves := best[len(urls):]
	out.ArchiveFirst, out.ArchiveLast = median(shelves[:10]), median(shelves[30:])
	slices.Sort(best)
	out.Pages = len(best)
	out.PageP50, out.PageP99 = best[len(best)/2], best[len(best)*99/100]
	return nil
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// loadRequest describes what the client in the other process does.
type loadRequest struct {
	URL    string
	Header map[string]string
	URLs   []string // each requested once, one after the other
}

// loadAnswer is what the client measured.
type loadAnswer struct {
	Requests  int
	Seconds   float64
	FirstByte []float64 // ms
}

func askLoad(ctx context.Context, load, path string, ask loadRequest, answer *loadAnswer) error {
	b, err := json.Marshal(ask)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+load+path, strings.NewReader(string(b)))
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(io.LimitReader(res.Body, 1000))
		return fmt.Errorf("the benchmark's client: %s", why)
	}
	return json.NewDecoder(res.Body).Decode(answer)
}

// loadClient is the client of "bench publish" in the other process: it sends the given
// requests.
func loadClient() http.Handler {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: loadConns, DisableCompression: true}}
	mux := http.NewServeMux()
	answer := func(do func(context.Context, *http.Client, loadRequest) (loadAnswer, error)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			var ask loadRequest
			err := json.NewDecoder(r.Body).Decode(&ask)
			var did loadAnswer
			if err == nil {
				did, err = do(r.Context(), client, ask)
			}
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadGateway)
				return
			}
			_ = json.NewEncoder(w).Encode(did) // w leads to the parent process
		}
	}
	mux.HandleFunc("POST /run", answer(runLoad))
	mux.HandleFunc("POST /pages", answer(timePages))
	return mux
}

// runLoad requests one address over several connections for a while.
func runLoad(ctx context.Context, client *http.Client, ask loadRequest) (did loadAnswer, err error) {
	var count atomic.Int64
	var failed atomic.Pointer[error]
	start := time.Now()
	var wg sync.WaitGroup
	for range loadConns {
		wg.Go(func() {
			for time.Since(start) < loadTurn && failed.Load() == nil {
				if _, err := askOnce(ctx, client, ask.URL, ask.Header); err != nil {
					failed.Store(&err)
					return
				}
				count.Add(1)
			}
		})
	}
	wg.Wait()
	if e := failed.Load(); e != nil {
		return did, *e
	}
	return loadAnswer{Requests: int(count.Load()), Seconds: time.Since(start).Seconds()}, nil
}

func timePages(ctx context.Context, client *http.Client, ask loadRequest) (did loadAnswer, err error) {
	for _, u := range ask.URLs {
		first, err := askOnce(ctx, client, u, nil)
		if err != nil {
			return did, err
		}
		did.FirstByte = append(did.FirstByte, float64(first.Microseconds())/1000)
	}
	return did, nil
}

// askOnce requests an address and returns the time until the first byte.
func askOnce(ctx context.Context, client *http.Client, address string, header map[string]string) (first time.Duration, err error) {
	start := time.Now()
	if header == nil {
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotFirstResponseByte: func() { first = time.Since(start) }})
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return 0, err
	}
	if res.StatusCode >= 400 {
		return 0, fmt.Errorf("%s answered %d", address, res.StatusCode)
	}
	return first, nil
}
