package main

import (
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"dibao/cmd/dibao/demo/mailbox"
	"dibao/feed"
	"dibao/internal/config"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/trust"
)

// crowd counts how many requests each host of a test answers at the same time.
type crowd struct {
	mu         sync.Mutex
	now, worst map[string]int
	asked      map[string]int // by address
}

func (c *crowd) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.now[r.Host]++
		c.worst[r.Host] = max(c.worst[r.Host], c.now[r.Host])
		c.asked[r.Host+r.URL.Path]++
		c.mu.Unlock()
		next.ServeHTTP(w, r)
		time.Sleep(20 * time.Millisecond)
		c.mu.Lock()
		c.now[r.Host]--
		c.mu.Unlock()
	})
}

// uncollectedSources counts sources that were never collected.
func uncollectedSources(t *testing.T, db *database.DB) (n int) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM sources WHERE succeeded_at IS NULL`).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// mostInAMinute is how many emails came in the fullest minute.
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

// Four nodes collect and send while one after another is killed and replaced, PostgreSQL is
// restarted twice and one node is stopped until its part of the limits is others': nobody is
// lost, copies are those under way at the kills, every source is collected, each host answers
// one request at a time, and no minute has more emails than the nodes may send together.
func TestNodesInChaos(t *testing.T) {
	if os.Getenv("DIBAO_LONG") == "" {
		t.Skip("takes minutes; set DIBAO_LONG=1")
	}
	const (
		count, readers, rate = 4, 20_000, 6000
		sources, hosts       = 300, 20
	)
	url, restart := databasetest.PostgresOfItsOwn(t)
	r := newSlowRun(t, url, readers, 5*time.Millisecond)
	asked := &crowd{now: make(map[string]int), worst: make(map[string]int), asked: make(map[string]int)}
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	site := &http.Server{Handler: asked.count(feedsHandler(time.Now()))}
	go site.Serve(l)
	t.Cleanup(func() { site.Close() })
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Load("", func(k string) string { return map[string]string{"DIBAO_DATABASE_URL": url}[k] })
	if err != nil {
		t.Fatal(err)
	}
	a, err := openApp(t.Context(), c, slog.New(slog.NewTextHandler(io.Discard, nil)), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for i := range sources {
		s := feed.Source{URL: fmt.Sprintf("http://127.0.0.%d:%s/%c.xml", 2+i%hosts, port, '一'+i), Kind: "feed"}
		s.PermitPrivate()
		if _, err := a.articles.AddSource(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	a.close()
	start := func() *exec.Cmd {
		one := *r
		one.env = append(slices.Clone(r.env), "DIBAO_SERVER_ADMIN_ADDR=127.0.0.1:0", "DIBAO_SERVER_ADDR=127.0.0.1:0", fmt.Sprintf("DIBAO_MAIL_RATE=%d", rate))
		return one.start(t, "serve")
	}
	var running [count]*exec.Cmd
	for i := range running {
		running[i] = start()
	}
	kills, restarts := 0, 0
	for begun := time.Now(); r.box.Count() < readers*95/100 && time.Since(begun) < 20*time.Minute; kills++ {
		time.Sleep(time.Duration(4+rand.IntN(12)) * time.Second)
		i := rand.IntN(count)
		running[i].Process.Signal(syscall.SIGKILL)
		running[i].Wait() // a killed program's status says nothing
		switch {
		case restarts < 2 && r.box.Count() > readers*(1+restarts)/4:
			restart()
			restarts++
		case kills == 5:
			stopped := running[(i+1)%count]
			stopped.Process.Signal(syscall.SIGSTOP)
			time.Sleep(45 * time.Second)
			stopped.Process.Signal(syscall.SIGCONT)
		}
		running[i] = start()
	}
	r.finish(t, 15*time.Minute)
	uncollected := func() (n int) {
		db, err := database.Open(t.Context(), url, database.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		return uncollectedSources(t, db)
	}
	for begun := time.Now(); uncollected() > 0 && time.Since(begun) < 10*time.Minute; time.Sleep(time.Second) {
	}
	for _, cmd := range running {
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("a node that was stopped: %v", err)
		}
	}
	lost, duplicates := r.copies(t)
	worst, left, fullest := 0, uncollected(), mostInAMinute(r.box.Messages())
	for host, n := range asked.worst {
		if worst = max(worst, n); n > 1 && strings.HasPrefix(host, "127.") {
			t.Logf("%s answered %d requests at once", host, n)
		}
	}
	trust.Report(t, "four nodes in chaos", "%d kills, %d restarts of PostgreSQL, one stopped for 45 s, %d emails: %d lost, %d twice; %d of %d sources not collected; at most %d requests to a host at once; %d emails in the busiest minute, limit %d",
		kills, restarts, readers, lost, duplicates, left, sources, worst, fullest, rate)
	if most := (kills + restarts*count) * killConnections; lost > 0 || duplicates > most || left > 0 || fullest > rate*105/100 {
		t.Errorf("%d lost, %d duplicates of at most %d, %d sources not collected, %d emails in a minute of %d", lost, duplicates, most, left, fullest, rate)
	}
}
