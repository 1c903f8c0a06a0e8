package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"dibao/cmd/dibao/demo/mailbox"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/trust"
)

// previousRelease builds the last release: the last tag, or if no release has a tag, the
// commit that added the latest version to the changelog. It skips the test if neither is
// reachable, as in a shallow clone.
func previousRelease(t *testing.T) (program, version string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	git := func(args ...string) string {
		out, _ := exec.Command("git", append([]string{"-C", root}, args...)...).Output() // without a repository there is none
		return strings.TrimSpace(string(out))
	}
	version = git("describe", "--tags", "--abbrev=0", "--match", "v*", "HEAD^")
	commit := version
	if version == "" {
		changes, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
		if err != nil {
			t.Fatal(err)
		}
		version = string(regexp.MustCompile(`(?m)^## \d\S+`).Find(changes))
		commits := strings.Fields(git("log", "--format=%H", "-S"+version, "--", "CHANGELOG.md"))
		if len(commits) == 0 || git("rev-parse", "--is-shallow-repository") == "true" {
			t.Skip("no release is reachable: clone the repository with its history and tags")
		}
		commit = commits[len(commits)-1]
	}
	dir := t.TempDir()
	archive := exec.Command("git", "-C", root, "archive", "--format=tar", "--output", filepath.Join(dir, "source.tar"), commit)
	for _, cmd := range []*exec.Cmd{archive, exec.Command("tar", "-xf", "source.tar"), exec.Command("go", "build", "-o", "dibao", "./cmd/dibao")} {
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, out)
		}
	}
	return filepath.Join(dir, "dibao"), strings.TrimPrefix(version, "## ")
}

// emptied removes the schema from a test's database.
func emptied(t *testing.T, url string) {
	t.Helper()
	db, err := database.Open(t.Context(), url, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `DROP SCHEMA public CASCADE; CREATE SCHEMA public`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

const feedItems = 4

// upgradeTitle is the headline of an item of a feed.
func upgradeTitle(feed string, i int) string {
	return fmt.Sprintf("关于印发%s类第%d批试点工作方案的通知", feed, i)
}

// upgradeText returns a different text for each headline, because similar texts count as
// reposts.
func upgradeText(title string) string {
	h := fnv.New64a()
	h.Write([]byte(title))
	random := rand.New(rand.NewPCG(h.Sum64(), 0))
	var text strings.Builder
	for i := range 400 {
		text.WriteRune('一' + random.Int32N(0x4000))
		if i%20 == 19 {
			text.WriteString("。")
		}
	}
	return text.String()
}

// countTitles counts the emails of each reader with each headline.
func countTitles(mails []mailbox.Message) map[string]map[string]int {
	counts := make(map[string]map[string]int)
	for _, m := range mails {
		titles := upgradeTitles.FindAllString(m.Text, -1)
		slices.Sort(titles)
		for _, title := range slices.Compact(titles) {
			if counts[title] == nil {
				counts[title] = make(map[string]int)
			}
			counts[title][m.To]++
		}
	}
	return counts
}

var upgradeTitles = regexp.MustCompile(`关于印发.类第\d批试点工作方案的通知`)

// missing counts the articles that readers lack.
func missing(mails []mailbox.Message, readers int, titles []string) (n int) {
	counts := countTitles(mails)
	for _, title := range titles {
		n += readers - len(counts[title])
	}
	return n
}

// feedsHandler serves a feed of new articles at /NAME.xml for every name.
func feedsHandler(begun time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		base, name := "http://"+r.Host, strings.Trim(strings.TrimSuffix(r.URL.Path, ".xml"), "/")
		if !strings.HasSuffix(r.URL.Path, ".xml") {
			fmt.Fprintf(w, `<html><head><title>%[1]s</title></head><body><h1>%[1]s</h1><p>%[2]s</p></body></html>`, name, upgradeText(name))
			return
		}
		w.Header().Set("Content-Type", "application/rss+xml")
		fmt.Fprintf(w, `<rss version="2.0"><channel><title>%s</title><link>%s/</link><description>d</description>`, name, base)
		for i := range feedItems {
			title := upgradeTitle(name, i)
			fmt.Fprintf(w, `<item><title>%[1]s</title><link>%[2]s/%[1]s</link><guid>%[2]s/%[1]s</guid><pubDate>%[3]s</pubDate><description>%[1]s。%[4]s</description></item>`,
				title, base, begun.Format(time.RFC1123Z), upgradeText(title))
		}
		fmt.Fprint(w, `</channel></rss>`)
	})
}

// The last release and this one use one schema: after this release has migrated it, the last
// release continues to collect, compose and deliver by itself, then next to a node of this
// release, and then this release continues alone. Every reader gets every article once.
func TestUpgradeNodeByNode(t *testing.T) {
	if os.Getenv("DIBAO_LONG") == "" {
		t.Skip("builds another release, and waits for minutes; set DIBAO_LONG=1")
	}
	const readers = 300
	old, version := previousRelease(t)
	current, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	url, feeds := databasetest.Postgres(t), httptest.NewServer(feedsHandler(time.Now()))
	t.Cleanup(feeds.Close)
	emptied(t, url)
	box, port := newMailbox(t, 20*time.Millisecond)
	dir := t.TempDir()
	command := func(program string, args ...string) *exec.Cmd {
		cmd := exec.Command(program, args...)
		cmd.Dir, cmd.Stderr = t.TempDir(), os.Stderr
		cmd.Env = append(os.Environ(), asProgram+"=1", "DIBAO_DATABASE_URL="+url, "DIBAO_MAIL_HOST=127.0.0.1", "DIBAO_MAIL_PORT="+port, "DIBAO_MAIL_TLS=none",
			"DIBAO_MAIL_FROM=dibao@test.example", "DIBAO_SERVER_ADDR=127.0.0.1:0", "DIBAO_SERVER_ADMIN_ADDR=127.0.0.1:0", "DIBAO_SERVER_BASE_URL=http://127.0.0.1:1")
		return cmd
	}
	run := func(program string, args ...string) {
		t.Helper()
		cmd := command(program, args...)
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := cmd.Run(); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, said.String())
		}
	}
	serve := func(program string) (stop func()) {
		t.Helper()
		cmd := command(program, "serve")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill() }) // it has ended unless the test failed
		return func() {
			t.Helper()
			cmd.Process.Signal(syscall.SIGTERM)
			if err := cmd.Wait(); err != nil {
				t.Errorf("a node that was stopped: %v", err)
			}
		}
	}
	var addresses strings.Builder
	for i := range readers {
		fmt.Fprintf(&addresses, "reader%d@test.example\n", i)
	}
	file := filepath.Join(dir, "readers.csv")
	if err := os.WriteFile(file, []byte(addresses.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	var sent []string // titles
	// round adds a source, and waits until each reader has an email with its articles; begun is
	// called when the first reader has.
	round := func(program, name string, begun func()) {
		t.Helper()
		before := box.Count()
		run(program, "source", "add", feeds.URL+"/"+name+".xml", "--private", "--yes", "--name", name)
		for i := range feedItems {
			sent = append(sent, upgradeTitle(name, i))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		if err := box.Wait(ctx, before+1); err != nil {
			t.Fatalf("round %s: no mail: %v", name, err)
		}
		begun()
		for missing(box.Messages(), readers, sent) > 0 {
			if ctx.Err() != nil {
				t.Fatalf("round %s: %d readers lack an article", name, missing(box.Messages(), readers, sent))
			}
			time.Sleep(200 * time.Millisecond)
		}
	}
	run(old, "list", "create", "minutely", "--cron", "* * * * *")
	run(old, "subscriber", "import", file, "--list", "minutely", "--consent", "a form of this test", "--apply")
	stopOld := serve(old)
	nothing := func() {}
	round(old, "甲", nothing)
	run(current, "migrate")
	round(current, "乙", nothing) // only the last release runs
	stopCurrent := serve(current)
	round(current, "丙", nothing)
	round(current, "丁", stopOld) // in the middle of a mailing
	round(current, "戊", nothing)
	stopCurrent()
	compareCounts(t, url)
	lost, twice := 0, 0
	for title, counts := range countTitles(box.Messages()) {
		if !slices.Contains(sent, title) {
			t.Errorf("an email has %q, which no feed had", title)
		}
		for _, n := range counts {
			twice += n - 1
		}
	}
	lost = missing(box.Messages(), readers, sent)
	trust.Report(t, "the last release beside this one", "%s and this one on one schema, %d emails: %d lost, %d twice", version, box.Count(), lost, twice)
	if lost+twice > 0 {
		t.Errorf("%d readers lack an article, %d articles came twice", lost, twice)
	}
}
