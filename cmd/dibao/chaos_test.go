package main

import (
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"dibao/cmd/dibao/demo/mailbox"
	"dibao/feed"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/nodes"
	"dibao/internal/trust"
	"dibao/subscribers"
)

// crowd counts how many requests each host of a test answers at the same time, and records
// when each address was requested.
type crowd struct {
	mu         sync.Mutex
	now, worst map[string]int
	asked      map[string][]time.Time // by address
}

func newCrowd() *crowd {
	return &crowd{now: make(map[string]int), worst: make(map[string]int), asked: make(map[string][]time.Time)}
}

func (c *crowd) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.now[r.Host]++
		c.worst[r.Host] = max(c.worst[r.Host], c.now[r.Host])
		c.asked[r.Host+r.URL.Path] = append(c.asked[r.Host+r.URL.Path], time.Now())
		c.mu.Unlock()
		next.ServeHTTP(w, r)
		time.Sleep(20 * time.Millisecond)
		c.mu.Lock()
		c.now[r.Host]--
		c.mu.Unlock()
	})
}

// worstOf returns the maximum number of concurrent requests to one host.
func (c *crowd) worstOf() (worst int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.worst {
		worst = max(worst, n)
	}
	return worst
}

// gaps returns the longest times in which each of the addresses was not requested, and the number
// of requests.
func (c *crowd) gaps(addresses []string, from, to time.Time) (gaps []time.Duration, requests int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range addresses {
		last, longest := from, time.Duration(0)
		for _, at := range c.asked[a] {
			if at.Before(to) {
				longest, last = max(longest, at.Sub(last)), at
				requests++
			}
		}
		gaps = append(gaps, max(longest, to.Sub(last)))
	}
	slices.Sort(gaps)
	return gaps, requests
}

// mostInAMinute returns the maximum number of emails that arrived within a minute.
func mostInAMinute(mails []mailbox.Message) (most int) {
	times := make([]time.Time, len(mails))
	for i, m := range mails {
		times[i] = m.ReceivedAt
	}
	slices.SortFunc(times, time.Time.Compare)
	for i, j := 0, 0; i < len(times); i++ {
		for times[i].Sub(times[j]) >= time.Minute {
			j++
		}
		most = max(most, i-j+1)
	}
	return most
}

// tcpToPostgres returns the URL of a database through a proxy that can cut the connections
// to it. The tests' servers listen only on Unix sockets.
func tcpToPostgres(t *testing.T, address string) (*toxiproxy.Proxy, string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	socket := filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432")
	go forward(l, func() (net.Conn, error) { return net.Dial("unix", socket) })
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	p := toxiproxy.NewProxy(server, "postgres", "127.0.0.1:0", l.Addr().String())
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p, "postgres://dibao@" + p.Listen + u.Path + "?sslmode=disable"
}

// chaos contains the settings and the state of TestNodesInChaos.
type chaos struct {
	*killRun
	sources, hosts int
	interval       time.Duration // time between two collections of a source
	lasts          time.Duration

	site      *crowd
	addresses []string // addresses of the sources, as crowd records them
	restart   func()   // restarts PostgreSQL
	proxy     *toxiproxy.Proxy
	direct    string // the URL of the database
	viaProxy  string // the URL of the same database through the proxy, for the first node
	settings  string // configuration file
	nodes     [4]*exec.Cmd
	away      map[int]time.Time // stopped or disconnected nodes, and until when

	kills, restarts, stops, cuts int
}

// newChaos returns the sizes that the environment sets, or else the full ones: a machine with two cores
// sends 200,000 emails in 10 minutes only if it does nothing else.
func newChaos(t *testing.T) *chaos {
	t.Helper()
	size := func(name string, full int) int {
		n, err := strconv.Atoi(os.Getenv(name))
		if os.Getenv(name) == "" {
			return full
		}
		if err != nil || n < 1 {
			t.Fatalf("%s is a number, not %q", name, os.Getenv(name))
		}
		return n
	}
	readers := size("DIBAO_CHAOS_MAILS", 200_000)
	c := &chaos{
		killRun: &killRun{readers: readers, limited: readers / 400}, interval: 4 * time.Minute, site: newCrowd(), away: make(map[int]time.Time),
		sources: size("DIBAO_CHAOS_SOURCES", 2000), lasts: time.Duration(size("DIBAO_CHAOS_MINUTES", 10)) * time.Minute,
	}
	c.hosts = max(c.sources/10, 1)
	return c
}

// chaosLimit is the maximum number of emails per minute that the nodes together may send to
// limitedDomain.
const chaosLimit = 300

// prepareAll creates the mailing, the sources, and a list that is due every five minutes.
func (c *chaos) prepareAll(t *testing.T) (often subscribers.List) {
	t.Helper()
	c.direct, c.restart = databasetest.PostgresOfItsOwn(t)
	c.proxy, c.viaProxy = tcpToPostgres(t, c.direct)
	c.prepare(t, c.direct, mailbox.Options{Reject: thinks(5 * time.Millisecond), EnvelopesOnly: true})
	c.settings = filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(c.settings, fmt.Appendf(nil, "[mail.limits.%q]\nconnections = 4\nper_minute = %d\n", limitedDomain, chaosLimit), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	site := &http.Server{Handler: c.site.count(newsHandler(c.interval))}
	go site.Serve(l)
	t.Cleanup(func() { site.Close() })
	a := openTestApp(t, map[string]string{"DIBAO_DATABASE_URL": c.direct})
	for i := range c.sources {
		address := fmt.Sprintf("127.0.%d.%d:%d/%d.xml", 1+i%c.hosts/200, 2+i%c.hosts%200, l.Addr().(*net.TCPAddr).Port, i)
		c.addresses = append(c.addresses, address)
		s := feed.Source{URL: "http://" + address, Kind: "feed", Interval: c.interval}
		s.PermitPrivate()
		if _, err := a.articles.AddSource(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	often, err = a.subscribers.CreateList(t.Context(), subscribers.List{Slug: "often", Cron: "*/5 * * * *"})
	if err == nil {
		_, err = a.subscribers.AddConfirmed(t.Context(), "often@often.example", "zh", []subscribers.List{often}, "test")
	}
	if err != nil {
		t.Fatal(err)
	}
	return often
}

// newsHandler serves feeds at /NUMBER.xml. Every tenth feed has a new article after each
// interval.
func newsHandler(interval time.Duration) http.Handler {
	begun := time.Now()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, isFeed := strings.CutSuffix(r.URL.Path, ".xml")
		if !isFeed {
			http.NotFound(w, r)
			return
		}
		newest := 0
		if strings.HasSuffix(name, "0") {
			newest = int(time.Since(begun) / interval)
		}
		w.Header().Set("Content-Type", "application/rss+xml")
		fmt.Fprintf(w, `<rss version="2.0"><channel><title>%[1]s</title><link>http://%[2]s%[1]s</link><description>d</description>`, name, r.Host)
		for i := range newest + 1 {
			h := fnv.New64a()
			fmt.Fprint(h, name, i)
			fmt.Fprintf(w, `<item><title>关于%[1]d号事项的通知</title><link>http://%[2]s%[3]s/%[4]d</link><guid>%[1]d</guid><pubDate>%[5]s</pubDate><description>%[6]s</description></item>`,
				h.Sum64(), r.Host, name, i, begun.Format(time.RFC1123Z), strings.Repeat(fmt.Sprintf("第%d号事项自公布之日起办理。", h.Sum64()), 20))
		}
		fmt.Fprint(w, `</channel></rss>`)
	})
}

// begin starts node i; the first node reaches the database through the proxy.
func (c *chaos) begin(t *testing.T, i int) {
	t.Helper()
	one := *c.killRun
	one.env = append(slices.Clone(c.env), "DIBAO_SERVER_ADMIN_ADDR=127.0.0.1:0", "DIBAO_SERVER_ADDR=127.0.0.1:0", "DIBAO_LOG_LEVEL=warn")
	if i == 0 {
		one.env = append(one.env, "DIBAO_DATABASE_URL="+c.viaProxy)
	}
	c.nodes[i] = one.start(t, "serve", "--config", c.settings)
}

// kill kills a node that is not stopped or disconnected, and starts another in its place.
func (c *chaos) kill(t *testing.T) {
	t.Helper()
	i := rand.IntN(len(c.nodes))
	if _, isAway := c.away[i]; isAway {
		return
	}
	c.nodes[i].Process.Signal(syscall.SIGKILL)
	c.nodes[i].Wait() // its status is checked below
	if how, ok := c.nodes[i].ProcessState.Sys().(syscall.WaitStatus); ok && how.Signal() != syscall.SIGKILL {
		t.Errorf("a node ended before it was killed: %v", c.nodes[i].ProcessState)
	}
	c.kills++
	c.begin(t, i)
}

const (
	stopFor = 75 * time.Second // longer than the time for which a node counts as alive or keeps a turn at a host
	cutFor  = 45 * time.Second // longer than a node counts as alive
)

// disturb causes the disturbances that are due at a point of the run: PostgreSQL restarts after a fifth and after three fifths, a node is
// stopped after two fifths, and the first node is disconnected after half.
func (c *chaos) disturb(t *testing.T, part float64) {
	t.Helper()
	for i, until := range c.away {
		if time.Now().Before(until) {
			continue
		}
		delete(c.away, i)
		if i > 0 {
			c.nodes[i].Process.Signal(syscall.SIGCONT)
			continue
		}
		for _, stream := range []string{"upstream", "downstream"} {
			if err := c.proxy.Toxics.RemoveToxic(t.Context(), stream); err != nil {
				t.Fatal(err)
			}
		}
	}
	switch {
	case c.restarts == 0 && part > 0.2, c.restarts == 1 && part > 0.6:
		c.restart()
		c.restarts++
	case c.stops == 0 && part > 0.4:
		i := 1 + rand.IntN(len(c.nodes)-1)
		c.nodes[i].Process.Signal(syscall.SIGSTOP)
		c.away[i] = time.Now().Add(stopFor)
		c.stops++
	case c.cuts == 0 && part > 0.5: // all packets are lost, and no connection ends
		for _, stream := range []string{"upstream", "downstream"} {
			if _, err := c.proxy.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"name": %q, "type": "timeout", "stream": %[1]q, "attributes": {"timeout": 0}}`, stream))); err != nil {
				t.Fatal(err)
			}
		}
		c.away[0] = time.Now().Add(cutFor)
		c.cuts++
	}
}

// Four nodes collect and send while one after another is killed and replaced, PostgreSQL is
// restarted twice, one node is stopped until others have its share of the limits, and another
// loses its connection to the database: every reader gets the email, only emails that were being
// sent at the time arrive twice, every source is collected in time, no due time of a list is
// skipped, each host answers one request at a time, and no minute has more emails to a domain
// than the nodes may send together.
func TestNodesInChaos(t *testing.T) {
	if os.Getenv("DIBAO_LONG") == "" {
		t.Skip("takes minutes; set DIBAO_LONG=1, and less work with DIBAO_CHAOS_MAILS, DIBAO_CHAOS_SOURCES and DIBAO_CHAOS_MINUTES")
	}
	c := newChaos(t)
	often := c.prepareAll(t)
	begun := time.Now()
	for i := range c.nodes {
		c.begin(t, i)
	}
	for time.Since(begun) < c.lasts || len(c.away) > 0 {
		time.Sleep(time.Duration(2+rand.IntN(5)) * time.Second)
		c.kill(t)
		c.disturb(t, float64(time.Since(begun))/float64(c.lasts))
	}
	sent, ended := c.box.Count(), time.Now()
	c.finish(t, time.Hour)
	c.awaitNodes(t)
	for _, cmd := range c.nodes {
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("a node that was stopped: %v", err)
		}
	}
	lost, duplicates := c.copies(t)
	gaps, requests := c.site.gaps(c.addresses, begun, ended)
	gap, worst, skipped := gaps[len(gaps)-1], c.site.worstOf(), c.skippedDueTimes(t, often, begun, ended)
	mails := c.box.Messages()
	limited := slices.DeleteFunc(slices.Clone(mails), func(m mailbox.Message) bool { return !strings.HasSuffix(m.To, "@"+limitedDomain) })
	fullest := mostInAMinute(limited)
	trust.Report(t, "four nodes in chaos", "%s, %d kills, %d restarts of PostgreSQL, a node stopped for %s, another cut off for %s; %d of %d emails sent meanwhile, all after %s: %d lost, %d twice; %d sources collected %d times, half of them at least every %s, each at least every %s (interval %s); at most %d requests to a host at once; %d due times skipped; %d emails to a domain in the busiest minute, limit %d",
		ended.Sub(begun).Round(time.Second), c.kills, c.restarts, stopFor, cutFor, sent, c.readers, time.Since(begun).Round(time.Second), lost, duplicates,
		c.sources, requests, gaps[len(gaps)/2].Round(time.Second), gap.Round(time.Second), c.interval, worst, skipped, fullest, chaosLimit)
	most := (c.kills + c.stops + c.cuts + c.restarts*len(c.nodes)) * killConnections
	if lost > 0 || duplicates > most || gap > 2*c.interval || worst > 1 || skipped > 0 || fullest > chaosLimit*105/100 {
		t.Errorf("%d lost, %d duplicates of at most %d, a source not collected for %s, %d requests at once, %d due times skipped, %d emails in a minute of %d",
			lost, duplicates, most, gap, worst, skipped, fullest, chaosLimit)
	}
}

// awaitNodes waits until all nodes run: a starting one does not handle signals yet.
func (c *chaos) awaitNodes(t *testing.T) {
	t.Helper()
	a := openTestApp(t, map[string]string{"DIBAO_DATABASE_URL": c.direct})
	for begun := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		ids, err := nodes.Living(t.Context(), a.db)
		if err == nil && len(ids) == len(c.nodes) {
			return
		}
		if time.Since(begun) > time.Minute {
			t.Fatalf("%d nodes run, %v", len(ids), err)
		}
	}
}

// skippedDueTimes counts the due times of a list for which there is no issue, not even an empty one. The key of the
// table prevents a second one.
func (c *chaos) skippedDueTimes(t *testing.T, list subscribers.List, from, to time.Time) (skipped int) {
	t.Helper()
	var due []time.Time
	a := openTestApp(t, map[string]string{"DIBAO_DATABASE_URL": c.direct})
	err := a.db.Read(t.Context(), func(tx *sql.Tx) (err error) {
		due, err = database.Collect(t.Context(), tx, database.ScanOne[time.Time], `SELECT due_at FROM issues WHERE list = $1`, list.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for at := from.Truncate(5 * time.Minute).Add(5 * time.Minute); at.Before(to.Add(-2 * time.Minute)); at = at.Add(5 * time.Minute) {
		if !slices.ContainsFunc(due, at.Equal) {
			t.Logf("no issue is due at %s; there are %v", at, due)
			skipped++
		}
	}
	return skipped
}

// A node that starts while its database can't be reached waits for it and says so; if its database does
// not exist, it ends at once.
func TestServeWaitsForPostgres(t *testing.T) {
	t.Parallel()
	proxy, address := tcpToPostgres(t, databasetest.Postgres(t))
	proxy.Stop()
	said, site := &words{}, freeAddress(t)
	r := &killRun{stderr: said, env: append(os.Environ(), asProgram+"=1", "DIBAO_DATABASE_URL="+address, "DIBAO_SERVER_ADDR="+site, "DIBAO_SERVER_ADMIN_ADDR=127.0.0.1:0")}
	serve := r.start(t, "serve")
	const waits = "this node tries again for a minute"
	for begun := time.Now(); !strings.Contains(said.String(), waits); time.Sleep(50 * time.Millisecond) {
		if time.Since(begun) > 30*time.Second {
			t.Fatalf("the node says %q", said.String())
		}
	}
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	awaitAnswer(t, "http://"+site+"/readyz")
	if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := serve.Wait(); err != nil || !strings.Contains(said.String(), "the database can be reached again") {
		t.Errorf("the node ended with %v and said %s", err, said.String())
	}
	said = &words{}
	r.stderr, r.env = said, append(r.env, "DIBAO_DATABASE_URL="+strings.Replace(address, "/test_", "/absent_", 1))
	if err := r.start(t, "serve").Wait(); err == nil || strings.Contains(said.String(), waits) || !strings.Contains(said.String(), "does not exist") {
		t.Errorf("without its database the node ended with %v and said %s", err, said.String())
	}
}

// A collection during which the database can't be reached says nothing about its source: neither that it failed
// nor that it ended the process.
func TestOutageIsNotTheSourcesFault(t *testing.T) {
	t.Parallel()
	proxy, address := tcpToPostgres(t, databasetest.Postgres(t))
	a := openTestApp(t, map[string]string{"DIBAO_DATABASE_URL": address, "DIBAO_FETCH_TIMEOUT": "1s"}) // a turn at a host that is not returned lasts longer than this
	cut := true
	feeds := newsHandler(time.Hour)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if cut && strings.HasSuffix(r.URL.Path, ".xml") {
			cut = false
			proxy.Stop()
			time.AfterFunc(3*time.Second, func() {
				if err := proxy.Start(); err != nil {
					t.Error(err)
				}
			})
		}
		feeds.ServeHTTP(w, r)
	}))
	t.Cleanup(site.Close)
	s := feed.Source{URL: site.URL + "/1.xml", Kind: "feed"}
	s.PermitPrivate()
	s, err := a.articles.AddSource(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.collector.Collect(t.Context(), s.ID); !errors.Is(err, database.ErrUnreachable) {
		t.Fatalf("collected without a database: %v", err)
	}
	if s, err = a.articles.SourceByID(t.Context(), s.ID); err != nil || s.Failures > 0 || s.LastError != "" || !s.BegunAt.IsZero() {
		t.Errorf("after the outage: %d failures, %q, begun at %s; %v", s.Failures, s.LastError, s.BegunAt, err)
	}
	if out, err := a.collector.Collect(t.Context(), s.ID); err != nil || out.New != 1 || out.Source.Crashes > 0 {
		t.Errorf("collected again: %d new, %d crashes, %v", out.New, out.Source.Crashes, err)
	}
}
