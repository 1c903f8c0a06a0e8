package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"dibao/cmd/dibao/demo/mailbox"
	"dibao/cmd/dibao/demo/samplesite"
	"dibao/feed"
	"dibao/internal/config"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/trust"
	"dibao/internal/web"
	"dibao/subscribers"
)

// killRun is a mailing that waits to be sent by a program that is killed.
type killRun struct {
	env     []string
	box     *mailbox.Mailbox
	readers int
	limited int       // number of the first readers, who are at a separate domain
	stderr  io.Writer // output of the program
	peak    int64     // maximum memory, in bytes, of the last command that says ran
}

// limitedDomain is the domain of the first readers, for which a run may set limits.
const limitedDomain = "limited.example"

func (r *killRun) address(i int) string {
	if i < r.limited {
		return fmt.Sprintf("reader%d@%s", i, limitedDomain)
	}
	return fmt.Sprintf("reader%d@test.example", i)
}

const killConnections = 4

// newKillRun composes a mailing for this many readers.
func newKillRun(t *testing.T, url string, readers int) *killRun {
	return newSlowRun(t, url, readers, 0)
}

// newSlowRun is newKillRun with a mail server that waits for each reader.
func newSlowRun(t *testing.T, url string, readers int, latency time.Duration) *killRun {
	t.Helper()
	run := &killRun{readers: readers}
	run.prepare(t, url, mailbox.Options{Reject: thinks(latency)})
	return run
}

// prepare composes a mailing for the readers of the run.
func (r *killRun) prepare(t *testing.T, url string, options mailbox.Options) {
	t.Helper()
	ctx := t.Context()
	box, port := newMailboxWith(t, options)
	settings := map[string]string{
		"DIBAO_DATABASE_URL": url, "DIBAO_MAIL_HOST": "127.0.0.1", "DIBAO_MAIL_PORT": port, "DIBAO_MAIL_TLS": "none",
		"DIBAO_MAIL_FROM": "dibao@test.example", "DIBAO_MAIL_CONNECTIONS": fmt.Sprint(killConnections),
		asProgram: "1",
	}
	r.box, r.env, r.stderr = box, os.Environ(), os.Stderr
	for k, v := range settings {
		r.env = append(r.env, k+"="+v)
	}
	c, err := config.Load("", func(k string) string { return settings[k] })
	if err != nil {
		t.Fatal(err)
	}
	a, err := openApp(ctx, c, slog.New(slog.NewTextHandler(io.Discard, nil)), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	collectSample(t, a)
	list, err := a.subscribers.CreateList(ctx, subscribers.List{Slug: "weekly"})
	if err != nil {
		t.Fatal(err)
	}
	addresses := make([]string, r.readers)
	for i := range addresses {
		addresses[i] = r.address(i)
	}
	addReaders(t, a.db, list, addresses)
	made, err := a.digest.ComposeNow(ctx, []subscribers.List{list})
	if err != nil || made.Deliveries != r.readers {
		t.Fatalf("%d deliveries composed (%v), want %d", made.Deliveries, err, r.readers)
	}
}

// addReaders stores confirmed readers of a list, many at a time.
func addReaders(t *testing.T, db *database.DB, list subscribers.List, addresses []string) {
	t.Helper()
	all, now := db.Dialect().Pick(`SELECT value FROM json_each($1)`, `SELECT jsonb_array_elements_text($1::jsonb) AS value`), time.Now().UTC().Truncate(time.Microsecond)
	err := db.Write(t.Context(), func(tx *sql.Tx) error {
		for some := range slices.Chunk(addresses, 100_000) {
			_, err := tx.ExecContext(t.Context(), `
				INSERT INTO subscribers (address, address_key, language, created_at) SELECT value, value, 'zh', $2 FROM (`+all+`) AS a`, string(database.JSON(some)), now)
			if err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(t.Context(), `
			INSERT INTO subscriptions (subscriber, list, state, created_at, confirmed_at)
			SELECT id, $1, 'confirmed', $2, $2 FROM subscribers WHERE NOT EXISTS (SELECT 1 FROM subscriptions WHERE subscriber = subscribers.id)`, list.ID, now)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// thinks makes a mail server wait for each reader.
func thinks(latency time.Duration) func(from, to string) *smtp.SMTPError {
	return func(string, string) *smtp.SMTPError { time.Sleep(latency); return nil }
}

// newMailbox runs a mail server that waits for each reader.
func newMailbox(t *testing.T, latency time.Duration) (box *mailbox.Mailbox, port string) {
	t.Helper()
	return newMailboxWith(t, mailbox.Options{Reject: thinks(latency)})
}

func newMailboxWith(t *testing.T, options mailbox.Options) (box *mailbox.Mailbox, port string) {
	t.Helper()
	box = mailbox.New(options)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	boxCtx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- box.Run(boxCtx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("mailbox: %v", err)
		}
	})
	_, port, err = net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return box, port
}

// collectSample collects the sample site's feed of interpretations.
func collectSample(t *testing.T, a *app) {
	t.Helper()
	site, err := samplesite.Embedded(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- web.ServePlain(ctx, l, site.Handler) }()
	defer func() { stop(); <-ended }()
	source := feed.Source{URL: "http://" + l.Addr().String() + "/jiedu/feed.atom", Kind: "feed"}
	source.PermitPrivate()
	s, err := a.articles.AddSource(ctx, source)
	if err != nil {
		t.Fatal(err)
	}
	if done, err := a.collector.Collect(ctx, s.ID); err != nil || done.New != 6 {
		t.Fatalf("%d articles collected (%v), want 6", done.New, err)
	}
}

// send starts "dibao issue send".
func (r *killRun) send(t *testing.T) *exec.Cmd {
	t.Helper()
	return r.start(t, "issue", "send")
}

// interrupt sends a signal in the middle of a delivery, some messages from now.
func (r *killRun) interrupt(t *testing.T, signal syscall.Signal, after int) {
	t.Helper()
	cmd := r.send(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := r.box.Wait(ctx, r.box.Count()+after); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() // the status of a killed program does not matter
}

// compareCounts compares the database's counts of deliveries with its rows.
func compareCounts(t *testing.T, url string) {
	t.Helper()
	db, err := database.Open(t.Context(), url, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var differ []string
	err = db.Read(t.Context(), func(tx *sql.Tx) (err error) {
		differ, err = database.Collect(t.Context(), tx, database.ScanOne[string], `SELECT mailing || ' ' || state || ' ' || SUM(n) FROM (
			SELECT mailing, state, -count AS n FROM mailing_counts UNION ALL SELECT mailing, 'all', 1 FROM deliveries
			UNION ALL SELECT mailing, state, 1 FROM deliveries WHERE state NOT IN ('waiting', 'claimed')) AS x GROUP BY mailing, state HAVING SUM(n) <> 0`)
		return err
	})
	if err != nil || len(differ) > 0 {
		t.Errorf("counts that differ from the rows: %v, %v", differ, err)
	}
}

// settingsIn returns the settings of dibao in an environment.
func settingsIn(env []string) map[string]string {
	settings := make(map[string]string)
	for _, v := range env {
		if name, value, ok := strings.Cut(v, "="); ok && strings.HasPrefix(name, "DIBAO_") {
			settings[name] = value
		}
	}
	return settings
}

// copies returns how many readers got no email, and how many extra copies there are.
func (r *killRun) copies(t *testing.T) (lost, duplicates int) {
	t.Helper()
	compareCounts(t, settingsIn(r.env)["DIBAO_DATABASE_URL"])
	got := make(map[string][]string)
	for _, m := range r.box.Messages() {
		got[m.To] = append(got[m.To], m.MessageID)
	}
	for i := range r.readers {
		ids := got[r.address(i)]
		if len(slices.Compact(ids)) > 1 {
			t.Errorf("the second copy to reader %d has another Message-ID", i)
		}
		switch n := len(ids); {
		case n == 0:
			lost++
		case n > 2:
			t.Errorf("reader %d got %d copies", i, n)
			fallthrough
		default:
			duplicates += n - 1
		}
	}
	return lost, duplicates
}

// Killed ten times in the middle of a delivery of 2,000 (with DIBAO_LONG=1: 200 times, of
// 5,000), the program delivers to every reader, to none more than twice, and only emails
// that were being sent arrive twice.
func TestKilledDeliveryLosesNobody(t *testing.T) {
	if testing.Short() {
		t.Skip("sends 2,000 messages")
	}
	kills, readers, after := 10, 2000, 100
	if os.Getenv("DIBAO_LONG") != "" {
		kills, readers, after = 200, 5000, 12
	}
	databasetest.EachURL(t, func(t *testing.T, url string) {
		r := newKillRun(t, url, readers)
		for range kills {
			r.interrupt(t, syscall.SIGKILL, after/2+rand.IntN(after))
		}
		if err := r.send(t).Wait(); err != nil {
			t.Fatalf("the last run: %v", err)
		}
		lost, duplicates := r.copies(t)
		trust.Report(t, "kill -9 during delivery, "+path.Base(t.Name()), "%d kills: %d lost, %d twice, none three times", kills, lost, duplicates)
		if lost > 0 || duplicates > kills*killConnections {
			t.Fatalf("%d lost and %d duplicates; want none and at most %d", lost, duplicates, kills*killConnections)
		}
	})
}

// Stopped by SIGTERM three times in a delivery of 500 (with DIBAO_LONG=1: 200 times, of
// 10,000), the program finishes what it is sending, and nobody gets two copies.
func TestStoppedDeliveryRepeatsNothing(t *testing.T) {
	stops, readers, after := 3, 500, 100
	if os.Getenv("DIBAO_LONG") != "" {
		stops, readers, after = 200, 10_000, 12
	}
	r := newKillRun(t, "sqlite:"+filepath.Join(t.TempDir(), "stop.db"), readers)
	for n := range stops {
		if r.box.Count()+2*after > readers { // a busy machine sends many before it handles the signal
			t.Logf("all was sent after %d stops", n)
			break
		}
		r.interrupt(t, syscall.SIGTERM, after/2+rand.IntN(after/2))
	}
	if err := r.send(t).Wait(); err != nil {
		t.Fatalf("the last run: %v", err)
	}
	lost, duplicates := r.copies(t)
	trust.Report(t, "SIGTERM during delivery", "%d stops: %d lost, %d twice", stops, lost, duplicates)
	if lost+duplicates > 0 {
		t.Fatalf("%d lost and %d duplicates, want none", lost, duplicates)
	}
}

// words is the output of a process; it can be read while the process writes.
type words struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *words) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(b)
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}
