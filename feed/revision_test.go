package feed_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"dibao/feed"
	"dibao/feed/ingest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/policy/diff"
)

// TestRecheck edits one page silently, removes another and puts a wall before a third.
func TestRecheck(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		all := paths(s, "a", 3, articlePage)
		s.set("/list", list(all...), 0)
		src := r.add(feed.Source{URL: s.URL + "/list", Kind: "page"})
		if done, err := r.collect(src.ID); err != nil || done.New != 3 {
			t.Fatalf("%+v, %v", done, err)
		}
		byURL := make(map[string]int64)
		stored, err := r.Store.Articles(t.Context(), feed.Selection{})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range stored {
			byURL[strings.TrimPrefix(a.URL, s.URL)] = a.ID
		}
		if asked := s.asked(all[0]); asked != 1 {
			t.Errorf("the page was asked for %d times", asked)
		}
		// Before an hour has passed nothing is requested again.
		r.at = r.at.Add(30 * time.Minute)
		if _, err := r.collect(src.ID); err != nil || s.asked(all[0]) != 1 {
			t.Errorf("asked %d times, %v", s.asked(all[0]), err)
		}
		s.set(all[0], strings.Replace(fmt.Sprintf(articlePage, "a事项0", 1), "年底前", "明年六月底前", 1), 0)
		s.set(all[1], "", http.StatusNotFound)
		s.set(all[2], `<html><body><div id=zoom>您的访问被拦截，请联系管理员，谢谢您的理解与支持，请完成验证后继续访问本网站的内容，感谢。</div></body></html>`, 0)
		r.at = r.at.Add(time.Hour)
		done, err := r.collect(src.ID)
		if err != nil || done.Changed != 1 || done.Withdrawn != 0 || len(done.Warnings) != 1 {
			t.Fatalf("changed %d, withdrawn %d, warnings %q, %v", done.Changed, done.Withdrawn, done.Warnings, err)
		}
		get := func(path string) feed.Article {
			a, err := r.Store.Article(t.Context(), byURL[path])
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		revisions, err := r.Store.Revisions(t.Context(), byURL[all[0]])
		if err != nil || len(revisions) != 1 {
			t.Fatalf("%d revisions, %v", len(revisions), err)
		}
		var changes []diff.Change
		for _, c := range diff.Between(revisions[0].Paragraphs, get(all[0]).Facts.Paragraphs) {
			if c.Op != diff.Kept {
				changes = append(changes, c)
			}
		}
		if len(changes) != 1 || changes[0].Op != diff.Rewritten || !strings.Contains(changes[0].Old, "年底前") || !strings.Contains(changes[0].New, "明年六月底前") {
			t.Errorf("changes %+v", changes)
		}
		if a := get(all[1]); !a.WithdrawnAt.IsZero() {
			t.Error("an article is withdrawn whose page was missing once")
		}
		asked := s.asked(all[0])
		r.at = r.at.Add(49 * time.Hour)
		if done, err := r.collect(src.ID); err != nil || done.Withdrawn != 1 {
			t.Errorf("two days later: %d withdrawn, %v", done.Withdrawn, err)
		}
		if a := get(all[1]); a.WithdrawnAt.IsZero() || len(a.Facts.Paragraphs) == 0 {
			t.Errorf("the withdrawn article: %v, %q", a.WithdrawnAt, a.Facts.Paragraphs)
		}
		if a := get(all[2]); !a.WithdrawnAt.IsZero() || strings.Contains(strings.Join(a.Facts.Paragraphs, ""), "拦截") {
			t.Errorf("a wall was taken for a new text: %q", a.Facts.Paragraphs)
		}
		// The intervals grow, and the schedule ends.
		for range 60 {
			r.at = r.at.Add(24 * time.Hour)
			if _, err := r.collect(src.ID); err != nil {
				t.Fatal(err)
			}
		}
		if n := s.asked(all[0]) - asked; n != 3 {
			t.Errorf("asked %d times more in two months, want 3", n)
		}
	})
}

// The pages of stored articles are read again with another selector; nothing on the site has changed.
func TestRereadWithAnotherSelector(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		all := paths(s, "a", 2, `<html><body><h1>%s</h1><div class="hint"><p>`+strings.Repeat("提示：本站内容以正式印发的文本为准。", 5)+`</p></div><div id="zoom"><p>`+
			strings.Repeat("请各单位于年底前完成工作。", 9)+`%d</p></div></body></html>`)
		s.set("/list", list(all...), 0)
		src := r.add(feed.Source{URL: s.URL + "/list", Kind: "page", Settings: ingest.Settings{Content: ".hint"}})
		if done, err := r.collect(src.ID); err != nil || done.New != 2 {
			t.Fatalf("%+v, %v", done, err)
		}
		src.Settings.Content = "#zoom"
		if err := r.Store.UpdateSource(t.Context(), src); err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{"请各单位", "提示"} {
			id := int64(i + 1)
			if id == 2 { // a page that can't be read leaves its article as it is
				s.set(all[0], "", http.StatusNotFound)
				s.set(all[1], "", http.StatusNotFound)
			}
			if err := r.Collector.Reread(t.Context(), id); (err == nil) != (id == 1) {
				t.Errorf("article %d: %v", id, err)
			}
			a, err := r.Store.Article(t.Context(), id)
			if err != nil || !strings.Contains(strings.Join(a.Facts.Paragraphs, ""), want) {
				t.Errorf("article %d: %q, %v", id, a.Facts.Paragraphs, err)
			}
			if revisions, err := r.Store.Revisions(t.Context(), id); err != nil || len(revisions) > 0 {
				t.Errorf("article %d: %d revisions, %v", id, len(revisions), err)
			}
		}
	})
}

// TestMovedPages removes all pages at once, as when a site is redesigned.
func TestMovedPages(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		all := paths(s, "a", 6, articlePage)
		s.set("/list", list(all...), 0)
		src := r.add(feed.Source{URL: s.URL + "/list", Kind: "page"})
		if done, err := r.collect(src.ID); err != nil || done.New != 6 {
			t.Fatalf("%+v, %v", done, err)
		}
		for _, p := range all {
			s.set(p, "", http.StatusNotFound)
		}
		for range 4 {
			r.at = r.at.Add(49 * time.Hour)
			if done, err := r.collect(src.ID); err != nil || done.Withdrawn != 0 {
				t.Errorf("%d withdrawn, %v", done.Withdrawn, err)
			}
		}
	})
}
