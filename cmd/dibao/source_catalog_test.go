package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"dibao/feed"
	"dibao/feed/catalog"
	"dibao/feed/ingest"
	"dibao/internal/database/databasetest"
)

const catalogList = `<html><body><ul class="menu"><li><a href="/a/">首页</a></li><li><a href="/b/">政务公开</a></li></ul><ul class="rows">
<li><a href="/c/202611/t20261120_1.html">关于印发某省数字经济促进行动方案的通知</a><span>2026-11-20</span></li>
<li><a href="/c/202611/t20261118_2.html">关于进一步做好稳就业工作的实施意见</a><span>2026-11-18</span></li>
<li><a href="/c/202611/t20261116_3.html">关于公布专精特新企业名单的通知</a><span>2026-11-16</span></li></ul></body></html>`

// catalogGroups is a response whose larger group is not the intended one.
const catalogGroups = `{"mine":[{"title":"关于印发某省数字经济促进行动方案的通知","url":"/m/1.html","time":"2026-11-20"},{"title":"关于进一步做好稳就业工作的实施意见","url":"/m/2.html","time":"2026-11-18"}],
"other":[{"title":"关于公布专精特新企业名单的通知","url":"/o/1.html","time":"2026-11-20"},{"title":"关于修改城镇燃气管理办法的决定","url":"/o/2.html","time":"2026-11-18"},{"title":"关于废止部分文件的决定","url":"/o/3.html","time":"2026-11-17"}]}`

// TestCatalogPrefersWhatReadsToday adds entries of a catalog from a site: by the structure
// of a list, by selectors that are needed, and by structure if the selectors find nothing
// any more; entries that can't be read are reported and not stored.
func TestCatalogPrefersWhatReadsToday(t *testing.T) {
	t.Parallel()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/list/":
			_, _ = io.WriteString(w, catalogList)
		case "/groups.json", "/redesigned.json":
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, catalogGroups)
		default:
			http.Error(w, "no", http.StatusForbidden)
		}
	}))
	t.Cleanup(site.Close)
	entry := func(name, kind, path string, set ingest.Settings) catalog.Entry {
		s := feed.Source{Name: name, Kind: kind, URL: site.URL + path, Settings: set, Licence: feed.LicenceOfficial}
		s.PermitPrivate()
		return catalog.Entry{Source: s, Checked: "2026-09", Evidence: catalog.Crawler, SeenIn: "a route"}
	}
	rows := func(item string) ingest.Settings { return ingest.Settings{Item: item, Title: "title", Date: "time"} }
	entries := []catalog.Entry{
		entry("页", "page", "/list/", ingest.Settings{}), entry("组", "json", "/groups.json", rows("mine[]")),
		entry("旧", "json", "/redesigned.json", rows("gone[]")), entry("墙", "page", "/wall/", ingest.Settings{}),
	}

	url := databasetest.SQLite(t)
	a := openTestApp(t, map[string]string{"DIBAO_DATABASE_URL": url})
	var talk bytes.Buffer
	cmd := &cobra.Command{}
	cmd.SetContext(t.Context())
	cmd.SetErr(&talk)
	cmd.SetOut(io.Discard)
	err := a.sourcesNode().AddEntries(program{&globals{}}, cmd, entries, false)
	if err == nil || !strings.Contains(err.Error(), "1 of 4 sources were not added") || !strings.Contains(err.Error(), "--anyway") {
		t.Errorf("%v", err)
	}
	for _, want := range []string{
		"页: 3 items are read by the structure of the list; a public crawler read the address as of 2026-09: a route",
		"组: 2 items are read by the selectors of the catalog, 3 by the structure",
		"旧: 3 items are read by the structure of the list; the selectors of the catalog find nothing",
		"墙 is not added: ", "3 sources added, 0 already existed",
	} {
		if !strings.Contains(talk.String(), want) {
			t.Errorf("no %q in\n%s", want, talk.String())
		}
	}
	stored := func() map[string]string {
		items := make(map[string]string)
		all, err := a.articles.Sources(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			items[s.Name] = s.Kind + " " + s.Settings.Item
		}
		return items
	}
	if got := stored(); len(got) != 3 || got["页"] != "page " || got["组"] != "json mine[]" || got["旧"] != "json other[]" {
		t.Errorf("%v", got)
	}
	talk.Reset()
	if err := a.sourcesNode().AddEntries(program{&globals{}}, cmd, entries, true); err != nil || !strings.Contains(talk.String(), "墙 is added although it cannot be read now") || !strings.Contains(talk.String(), "1 source added, 3 already existed") {
		t.Errorf("%v\n%s", err, talk.String())
	}
	if got := stored(); len(got) != 4 {
		t.Errorf("%v", got)
	}
}
