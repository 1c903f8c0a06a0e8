package feed_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"dibao/feed"
	"dibao/feed/ingest/answer"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/fetch"
)

// TestCollectNamesWalls collects each wall of the shared cases, with its status.
func TestCollectNamesWalls(t *testing.T) {
	t.Parallel()
	walls, _ := filepath.Glob("../../shared/data/cases/walls/*-wall-*.html")
	if len(walls) == 0 {
		t.Skip("the shared test data are not beside the checkout")
	}
	inName := regexp.MustCompile(`-wall-(\d+)-`)
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		for i, name := range walls {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			status, _ := strconv.Atoi(inName.FindStringSubmatch(name)[1])
			for _, kind := range []string{"page", "feed"} {
				path := fmt.Sprintf("/%d/%s", i, kind)
				s.set(path, string(b), status)
				src := r.add(feed.Source{URL: s.URL + path, Kind: kind})
				done, err := r.collect(src.ID)
				var said *answer.Error
				if !errors.As(err, &said) || said.Kind != answer.Wall || done.Source.State != feed.StateBlocked {
					t.Errorf("%s as %s: state %s, %v", name, kind, done.Source.State, err)
					continue
				}
				stored, err := r.Store.SourceByRef(t.Context(), src.URL)
				if err != nil || stored.Advice() != said.Advice(strconv.FormatInt(src.ID, 10)) || !strings.Contains(stored.LastError, said.What) {
					t.Errorf("%s as %s: stored %q with advice %q, %v", name, kind, stored.LastError, stored.Advice(), err)
				}
			}
		}
	})
}

// TestCollectGoesOn follows redirects of browsers; a redirect loop is a wall, and the
// redirects are followed each time, even if the first page has not changed.
func TestCollectGoesOn(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		for name, first := range map[string]string{
			"refresh": `<meta http-equiv="Refresh" content="0; URL='./real/'">`,
			"script":  `<script>window.location.replace("real/")</script>`,
			"frame":   `<html><body><ul><li><a href="/a/">首页</a><li><a href="/b/">政务公开</a></ul><iframe src="/real/" width="100%" height="900"></iframe></body></html>`,
			"two":     `<script>location.href="/mid"</script>`,
		} {
			s, r := newSite(t), newRoom(t, db)
			s.set("/mid", `<html><frameset rows="60,*"><frame src="/top.html"><frame src="/real/" name="main"></frameset></html>`, 0)
			s.set("/", first, 0)
			s.set("/real/", list("/a/1.html", "/a/2.html", "/a/3.html"), 0)
			src := r.add(feed.Source{URL: s.URL + "/", Kind: "page"})
			if done, err := r.collect(src.ID); err != nil || done.New != 3 {
				t.Errorf("%s: %d new, %v", name, done.New, err)
			}
			if done, err := r.collect(src.ID); err != nil || !done.NotModified {
				t.Errorf("%s again: %+v, %v", name, done, err)
			}
			s.set("/real/", list("/a/4.html", "/a/1.html", "/a/2.html", "/a/3.html"), 0)
			if done, err := r.collect(src.ID); err != nil || done.New != 1 {
				t.Errorf("%s with news behind a page that stays the same: %d new, %v", name, done.New, err)
			}
		}
		s, r := newSite(t), newRoom(t, db)
		s.set("/c", `<script>location.href="/d"</script>`, 0)
		s.set("/d", `<script>location.href="/c"</script>`, 0)
		src := r.add(feed.Source{URL: s.URL + "/c", Kind: "page"})
		if done, err := r.collect(src.ID); err == nil || done.Source.State != feed.StateBlocked || s.asked("/c")+s.asked("/d") > 4 {
			t.Errorf("a circle: state %s, %v; %d requests", done.Source.State, err, s.asked("/c")+s.asked("/d"))
		}
	})
}

// TestHopsKeepToThePermission redirects a source in our own network to another host there,
// which no admin permitted.
func TestHopsKeepToThePermission(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		asked := 0
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked++
			fmt.Fprint(w, list("/a/1.html", "/a/2.html"))
		}))
		defer other.Close()
		for name, body := range map[string]string{
			"refresh": `<meta http-equiv="refresh" content="0;url=` + other.URL + `/">`,
			"script":  `<script>location.href="` + other.URL + `/"</script>`,
			"frame":   `<html><body><p>首页</p><iframe src="` + other.URL + `/"></iframe></body></html>`,
		} {
			s, r := newSite(t), newRoom(t, db)
			r.Client = fetch.New(fetch.Options{Timeout: 5 * time.Second})
			s.set("/", body, 0)
			src := feed.Source{URL: s.URL + "/", Kind: "page"}
			src.PermitPrivate()
			src = r.add(src)
			if done, err := r.collect(src.ID); err == nil || s.asked("/") != 1 || asked != 0 {
				t.Errorf("%s: state %s, %v; the source was asked %d times, the other host %d times", name, done.Source.State, err, s.asked("/"), asked)
			}
		}
	})
}

// TestCollectNamesShells reports how a shell renders its page and which addresses it
// requests.
func TestCollectNamesShells(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		s.set("/", `<!DOCTYPE html><html><head><title>政策库</title></head><body><div id="app"></div><script src="/js/vendor.js"></script><script src="/js/app.js"></script></body></html>`, 0)
		s.set("/js/vendor.js", `var a="/api/vendor/license"`, 0)
		s.set("/js/app.js", `e.exports={list:function(p){return n.get("/api/policy/list?page=1")},login:"/api/user/login",logo:"/img/logo.png"}`, 0)
		s.set("/api/policy/list", `{"data":{"list":[{"title":"关于印发养老服务实施方案的通知","url":"/a/1.html","date":"2026-11-20"},{"title":"关于促进数字经济发展的意见","url":"/a/2.html","date":"2026-11-19"},{"title":"关于公布政策清单的公告","url":"/a/3.html","date":"2026-11-18"}]}}`, 0)
		src := r.add(feed.Source{URL: s.URL + "/", Kind: "page"})
		done, err := r.collect(src.ID)
		var said *answer.Error
		if !errors.As(err, &said) || said.Kind != answer.Shell || said.Found != s.URL+"/api/policy/list?page=1" || done.Source.State != feed.StateChanged {
			t.Fatalf("state %s, %v", done.Source.State, err)
		}
		if advice := done.Source.Advice(); !strings.Contains(advice, "dibao source add '"+said.Found+"'") {
			t.Errorf("advice %q", advice)
		}
		s.set("/", `<html><head><title>404</title></head><body><p>您访问的页面不存在</p><a href="/">返回首页</a></body></html>`, 0)
		if done, err := r.collect(src.ID); err == nil || done.Source.State != feed.StateFailing || !strings.Contains(done.Source.LastError, "error page") {
			t.Errorf("an error page with status 200: state %s, %v", done.Source.State, err)
		}
	})
}

// TestListsBringOnlyRows collects all list pages of the shared cases together with the
// walls and an error page: only rows of lists are stored, and no menu entry, wall or error
// page.
func TestListsBringOnlyRows(t *testing.T) {
	t.Parallel()
	dir := "../../shared/data/cases/"
	b, err := os.ReadFile(dir + "lists/expected.json")
	if err != nil {
		t.Skip("the shared test data are not beside the checkout")
	}
	var lists []struct {
		File, URL string
		Items     []struct{ Title string }
	}
	if err := json.Unmarshal(b, &lists); err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), databasetest.SQLite(t), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, r := newSite(t), newRoom(t, db)
	r.at = time.Date(2026, 11, 29, 4, 0, 0, 0, time.UTC)
	rows, collected := map[string]bool{}, 0
	// The targets of the frame and the redirect of two pages.
	target, err := os.ReadFile(dir + "lists/070-plain-ul-in-div.html")
	if err != nil {
		t.Fatal(err)
	}
	s.set("/zwgk/frame/list.html", string(target), 0)
	add := func(path, file string, status int) (read bool) {
		body, err := os.ReadFile(dir + file)
		if err != nil {
			t.Fatal(err)
		}
		s.set(path, strings.ReplaceAll(string(body), "\\/", "/"), status)
		src := r.add(feed.Source{URL: s.URL + path, Kind: "page", Name: path})
		if _, err := r.collect(src.ID); err != nil {
			t.Logf("%s: %v", path, err)
			return false
		}
		collected++
		return true
	}
	for i, l := range lists {
		for _, it := range l.Items {
			rows[squeeze(it.Title)] = true
		}
		s.set(fmt.Sprintf("/%d/list.html", i), string(target), 0)
		if !add(fmt.Sprintf("/%d/%s", i, l.File), "lists/"+l.File, 0) {
			t.Errorf("%s was not read", l.File)
		}
	}
	add("/404", "articles/92-05-soft404.html", 0)
	for _, name := range []string{"81-wall-412-ruishu", "83-wall-200-acw", "85-wall-405-aliyun", "87-wall-200-enable-js", "89-wall-200-slider"} {
		add("/"+name, "walls/"+name+".html", 0)
	}
	all, err := r.Store.Articles(t.Context(), feed.Selection{Limit: 2000})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if !rows[squeeze(a.Title())] {
			t.Errorf("%s: %q is in no list", a.SourceName, a.Title())
		}
	}
	if collected != len(lists) || len(all) < 150 {
		t.Errorf("%d pages of %d were read and %d articles stored", collected, len(lists), len(all))
	}
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }
