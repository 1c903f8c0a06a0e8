package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dibao/feed"
	"dibao/internal/database/databasetest"
	"dibao/internal/trust"
)

// TestFullDiskKeepsWhatIsCollected collects a feed and writes a backup while the disk is
// full: both report it, nothing is stored or written in part, and nothing is missing once
// there is space again.
func TestFullDiskKeepsWhatIsCollected(t *testing.T) {
	dir := databasetest.SmallDisk(t)
	if dir == "" {
		return
	}
	path := filepath.Join(dir, "dibao.db")
	node := openRun(t, &killRun{env: []string{"DIBAO_DATABASE_URL=sqlite:" + path}})
	items := 20
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		always("application/feed+json", jsonFeed(items, func(i int) (string, string) {
			return fmt.Sprintf("样例市关于事项%d的通知", i), strings.Repeat(fmt.Sprintf("<p>第%d项工作由第%d组负责。", i, i), 500)
		}))(w, r)
	}))
	defer site.Close()
	source := feed.Source{URL: site.URL + "/feed.json", Kind: "feed", Name: "样例"}
	source.PermitPrivate()
	source, err := node.articles.AddSource(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	collect := func() error {
		_, err := node.collector.Collect(t.Context(), source.ID)
		return err
	}
	if err := collect(); err != nil {
		t.Fatal(err)
	}
	items = 200
	times, half := 0, 0
	for n := range 3 { // the first time, the log has reserved space
		times++
		if err := node.db.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		free := databasetest.Fill(t, dir)
		if err := collect(); err == nil || !strings.Contains(err.Error(), "disk is full") {
			t.Errorf("time %d: collecting on a full disk: %v", n, err)
		}
		backup := filepath.Join(dir, "full.backup")
		var stdout, stderr bytes.Buffer
		if status := run([]string{"--database", "sqlite:" + path, "backup", backup}, strings.NewReader(""), &stdout, &stderr); status == 0 || !strings.Contains(stderr.String(), "no space left") {
			t.Errorf("time %d: a backup on a full disk: status %d, %s", n, status, stderr.String())
		}
		for _, pattern := range []string{"*backup*", ".dibao-backup*"} {
			left, err := filepath.Glob(filepath.Join(dir, pattern))
			if half += len(left); err != nil || len(left) > 0 {
				t.Errorf("a backup that failed left %v, %v", left, err)
			}
		}
		free()
	}
	if err := collect(); err != nil {
		t.Errorf("with space again: %v", err)
	}
	all, err := node.articles.ArticlesWithText(t.Context(), feed.Selection{Limit: 2000})
	if err != nil || len(all) != items {
		t.Errorf("%d articles, %v; want %d", len(all), err, items)
	}
	for _, a := range all {
		if len(a.Facts.Paragraphs) < 500 {
			t.Errorf("%s has %d paragraphs", a.Title(), len(a.Facts.Paragraphs))
		}
	}
	backup := filepath.Join(dir, "good.backup")
	var stdout, stderr bytes.Buffer
	if status := run([]string{"--database", "sqlite:" + path, "backup", backup}, strings.NewReader(""), &stdout, &stderr); status != 0 {
		t.Errorf("a backup with space again: %s", stderr.String())
	}
	if info, err := os.Stat(backup); err != nil || info.Size() == 0 {
		t.Errorf("the backup: %v", err)
	}
	trust.Report(t, "disk full while collecting and backing up", "%d times: %d of %d articles afterwards, %d half files", times, len(all), items, half)
}
