package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"dibao/cmd/dibao/demo"
	"dibao/feed"
	"dibao/internal/trust"
	"dibao/templates"
)

const (
	hostilePatience = 20 * time.Minute // time in which all sources must be collected once
	hostileMemory   = 300 << 20        // maximum memory of serve
	fileMemoryLimit = 250 << 20        // maximum memory of the process that reads one file
	// readerPatience is three times the limit in the document: the machine may be busy.
	readerPatience = 3 * time.Second
)

// quickKinds are the names of the sources that took most memory; they take a few seconds.
var quickKinds = []string{
	"300 long titles", "numbers of documents", "gzip bomb", "list: many rows", "list: links that are not closed", "items: pictures",
}

// TestCostOfHostileSources is the short form of TestHostileSourcesHarmNoReader: a few
// sources, and no time limit.
func TestCostOfHostileSources(t *testing.T) {
	collectHostile(t, func(name string) bool { return slices.Contains(quickKinds, name) })
}

// TestHostileSourcesHarmNoReader runs the daemon with sources of every hostile kind and
// sends it readers' requests every 100 ms: it stays within its memory, answers in time,
// does not end, and has collected each source or says why not.
func TestHostileSourcesHarmNoReader(t *testing.T) {
	if os.Getenv("DIBAO_LONG") == "" {
		t.Skip("collects a hundred hostile sources, minutes in all; set DIBAO_LONG=1")
	}
	only := os.Getenv("DIBAO_HOSTILE") // tests only the kinds whose names contain this
	began := time.Now()
	alone, reader, sources, readers := collectHostile(t, func(name string) bool { return strings.Contains(name, only) })
	slowest := readers.check(t)
	trust.Report(t, "memory of serve with hostile sources", "%d MB; %d MB of its file reader; %d sources in %s", alone>>20, reader>>20, sources, time.Since(began).Round(time.Second))
	trust.Report(t, "slowest answer to a reader meanwhile", "%d ms of %d requests, 0 restarts", slowest.Milliseconds(), readers.asked)
}

// collectHostile collects the sources with these names. It returns the maximum memory, in
// bytes, of the daemon and of the process that reads files.
func collectHostile(t *testing.T, wanted func(name string) bool) (alone, reader, sources int, readers *readersLoad) {
	t.Helper()
	run := newKillRun(t, "sqlite:"+filepath.Join(t.TempDir(), "hostile.db"), 3000)
	node := openRun(t, run)
	names := addHostileSources(t, node, wanted)
	address := freeAddress(t)
	run.env = append(run.env, "DIBAO_SERVER_ADDR="+address, "DIBAO_SERVER_ADMIN_ADDR=127.0.0.1:0", "DIBAO_SERVER_BASE_URL=http://"+address,
		"DIBAO_SERVER_TRUSTED_PROXIES=127.0.0.0/8")
	var said words
	run.stderr = &said
	serve := run.start(t, "serve")
	awaitAnswer(t, "http://"+address+"/readyz")
	memory := watchMemory(t, serve.Process.Pid)
	readers = newReaders(t, node, "http://"+address)
	began := time.Now()
	left := len(names)
	uncollected := readers.askUntil(func() []feed.Source {
		now := unchecked(t, node)
		if len(now) < left {
			left = len(now)
			t.Logf("%v: %d sources are left, %d MB", time.Since(began).Round(time.Second), left, statusField(serve.Process.Pid, "VmHWM")>>20)
		}
		return now
	})
	for _, s := range uncollected {
		t.Errorf("%s was not collected within %v", names[s.ID], hostilePatience)
	}
	alone, reader = memory()
	if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("the daemon has ended: %v\n%s", err, said.String())
	}
	if err := serve.Wait(); err != nil {
		t.Errorf("the daemon ended with %v", err)
	}
	if text := said.String(); strings.Contains(text, "panic") || strings.Contains(text, "request failed") {
		t.Errorf("the daemon says:\n%s", text)
	}
	reportStates(t, node, names)
	for answer, n := range readers.wrong {
		t.Errorf("%s, %d times", answer, n)
	}
	t.Logf("%d MB, %d MB of the process that reads files; %d sources", alone>>20, reader>>20, len(names))
	if alone > hostileMemory || reader > fileMemoryLimit {
		t.Errorf("the daemon took %d MB and the process that reads files %d MB; want at most %d and %d", alone>>20, reader>>20, hostileMemory>>20, fileMemoryLimit>>20)
	}
	return alone, reader, len(names), readers
}

// openRun opens the run's database next to the daemon.
func openRun(t *testing.T, run *killRun) *app {
	t.Helper()
	return openTestApp(t, settingsIn(run.env))
}

// addHostileSources stores each source, served from a separate address so that none waits
// for another's turn, and returns their names.
func addHostileSources(t *testing.T, a *app, wanted func(name string) bool) map[int64]string {
	t.Helper()
	names := make(map[int64]string)
	for i, h := range hostileSources(t) {
		if !wanted(h.name) {
			continue
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.%d.%d:0", 1+i/200, 1+i%200))
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: h.serve}
		go server.Serve(l)
		t.Cleanup(func() { server.Close() })
		s := feed.Source{URL: "http://" + l.Addr().String() + "/", Kind: h.kind, Name: h.name, Issuer: "国务院", Licence: feed.LicenceOfficial}
		s.PermitPrivate()
		if s, err = a.articles.AddSource(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		names[s.ID] = h.name
	}
	return names
}

func unchecked(t *testing.T, a *app) (left []feed.Source) {
	sources, err := a.articles.Sources(t.Context())
	if err != nil {
		t.Error(err)
	}
	return slices.DeleteFunc(sources, func(s feed.Source) bool { return !s.CheckedAt.IsZero() })
}

// reportStates logs the state of each source, with the reason for failures.
func reportStates(t *testing.T, a *app, names map[int64]string) {
	t.Helper()
	sources, err := a.articles.Sources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sources {
		if names[s.ID] == "" {
			continue
		}
		t.Logf("%s: %s %s", names[s.ID], s.State, s.LastError)
		if s.SucceededAt.IsZero() && s.LastError == "" {
			t.Errorf("%s failed and does not say why", names[s.ID])
		}
	}
}

// watchMemory samples the resident memory of a process and its children until the returned
// function is called, which returns the maximum of the process and of one child, in bytes.
func watchMemory(t *testing.T, pid int) (stop func() (alone, child int)) {
	t.Helper()
	ended, done, most := make(chan bool), make(chan bool), 0
	go func() {
		defer close(done)
		for {
			select {
			case <-ended:
				return
			case <-time.After(20 * time.Millisecond):
				for _, child := range children(pid) {
					most = max(most, statusField(child, "VmHWM"))
				}
			}
		}
	}()
	return func() (int, int) {
		close(ended)
		<-done
		alone := statusField(pid, "VmHWM")
		if alone == 0 {
			t.Error("the daemon is gone")
		}
		return alone, most
	}
}

// statusField reads a size in bytes from proc_pid_status(5); 0 if the process has ended.
func statusField(pid int, field string) int {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			kB, _ := strconv.Atoi(strings.Fields(value)[0])
			return kB << 10
		}
	}
	return 0
}

func children(pid int) (pids []int) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, file := range files {
		list, _ := os.ReadFile(file) // a thread that has ended has no list
		for field := range strings.FieldsSeq(string(list)) {
			if child, err := strconv.Atoi(field); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

// readersLoad contains the requests of readers.
type readersLoad struct {
	site   string
	form   url.Values // for /subscribe
	leave  []string   // addresses for one-click unsubscribing
	client *http.Client
	asked  int

	mu      sync.Mutex
	slowest map[string]time.Duration
	wrong   map[string]int // answers by path and status
}

func newReaders(t *testing.T, a *app, site string) *readersLoad {
	t.Helper()
	load := &readersLoad{site: site, client: &http.Client{Timeout: time.Minute}, slowest: make(map[string]time.Duration), wrong: make(map[string]int), form: url.Values{}}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(awaitAnswer(t, site+"/subscribe")))
	if err != nil {
		t.Fatal(err)
	}
	doc.Find("main form input[type=hidden]").Each(func(_ int, in *goquery.Selection) { load.form.Set(in.AttrOr("name", ""), in.AttrOr("value", "")) })
	lists, err := a.subscribers.Lists(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	load.form.Set("list", lists[0].Slug)
	for id := range int64(2000) {
		load.leave = append(load.leave, "/u/"+a.subscribers.Keys().UnsubscribeToken(id+1, lists[0].ID))
	}
	time.Sleep(demo.FormPause) // faster requests look like those of a program
	return load
}

// askUntil sends a request every 100 ms until nothing is left to collect, and returns what
// is left when the time is up.
func (l *readersLoad) askUntil(left func() []feed.Source) (uncollected []feed.Source) {
	paths := []string{"/", "/articles/1", "/feed.xml", "/lists/", "LEAVE", "/feed.json", "/search?q=%E9%80%9A%E7%9F%A5", "/lists/weekly/", "LEAVE", "/documents/", templates.StaticPath("style.css"), "SUBSCRIBE"}
	deadline := time.Now().Add(hostilePatience)
	var requests sync.WaitGroup
	defer requests.Wait()
	for tick := time.NewTicker(100 * time.Millisecond); ; <-tick.C {
		l.asked++
		path := paths[l.asked%len(paths)]
		n := l.asked
		requests.Go(func() { l.ask(path, n) })
		if l.asked%20 != 0 {
			continue
		}
		if uncollected = left(); len(uncollected) == 0 || time.Now().After(deadline) {
			return uncollected
		}
	}
}

func (l *readersLoad) ask(path string, n int) {
	method, target, form := http.MethodGet, path, url.Values(nil)
	switch path {
	case "LEAVE":
		method, target, form = http.MethodPost, l.leave[n%len(l.leave)], url.Values{"List-Unsubscribe": {"One-Click"}}
	case "SUBSCRIBE":
		form = url.Values{"address": {fmt.Sprintf("new%d@new%d.example", n, n)}}
		for k, v := range l.form {
			form[k] = v
		}
		method, target = http.MethodPost, "/subscribe"
	}
	req, err := http.NewRequest(method, l.site+target, strings.NewReader(form.Encode()))
	if err != nil {
		panic(err) // the addresses are valid
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Forwarded-For", fmt.Sprintf("203.%d.%d.7", n/200%200, n%200))
	began := time.Now()
	status := "no answer"
	if res, err := l.client.Do(req); err == nil {
		_, err = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if err == nil {
			status = strconv.Itoa(res.StatusCode)
		}
	} else {
		status = err.Error()
	}
	took := time.Since(began)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.slowest[path] = max(l.slowest[path], took)
	// After many other requests, one without a proof is asked for one.
	if status != "200" && !(path == "SUBSCRIBE" && status == "429") {
		l.wrong[path+" "+status]++
	}
}

// check fails the test on late responses and returns the longest time.
func (l *readersLoad) check(t *testing.T) (slowest time.Duration) {
	t.Helper()
	for path, took := range l.slowest {
		t.Logf("%s took %v at most", path, took)
		if took > readerPatience {
			t.Errorf("%s took %v", path, took)
		}
		slowest = max(slowest, took)
	}
	return slowest
}
