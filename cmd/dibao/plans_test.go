package main

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	neturl "net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dibao/cmd/dibao/demo/mailbox"
	"dibao/internal/database/databasetest"
	"dibao/internal/trust"
	"dibao/internal/web"
	"dibao/subscribers"
)

// bigTables are the tables that grow for as long as dibao runs.
var bigTables = []string{"articles", "carriers", "documents", "relations", "matches", "deliveries", "consents", "subscribers", "subscriptions", "revisions", "variants"}

// fillBig makes each table large enough for PostgreSQL to prefer an index that serves the
// query.
const fillBig = `
INSERT INTO sources (url, kind, name, next_at, created_at) SELECT 'http://s' || n || '.example/', 'feed', '样例源' || n, now() + interval '1 day', now() FROM generate_series(1, 200) n;
INSERT INTO articles (source, guid, url, title, kind, facts, page_state, published_on, collected_at, updated_at, placed)
	SELECT (SELECT MIN(id) FROM sources) + n % 200, n, 'http://s.example/' || n, '样例市关于第' || n || '件事项的通知', 'document', '{"title":"x","kind":"document"}', 'complete',
	(date '2020-01-01' + n % 2500)::text, now() - n * interval '10 minutes', now() - n * interval '10 minutes', 1 FROM generate_series(1, 30000) n;
INSERT INTO documents (key, title, created_at, updated_at) SELECT 'k' || n, '样例' || n, now(), now() FROM generate_series(1, 30000) n;
INSERT INTO carriers (article, document, standing) SELECT a.id, d.id, 1 FROM (SELECT id, row_number() OVER (ORDER BY id) n FROM articles) a JOIN (SELECT id, row_number() OVER (ORDER BY id) n FROM documents) d USING (n);
UPDATE documents SET article = (SELECT article FROM carriers WHERE document = documents.id);
INSERT INTO relations (article, kind, target_number, target_title, said_in, since) SELECT id, 'cites', '样发〔2020〕' || id || '号', '样例', 'text', now() FROM articles;
INSERT INTO revisions (article, title, paragraphs, replaced_at) SELECT id, '样例', '[]', now() FROM articles;
INSERT INTO matches (list, article, matched_at) SELECT (SELECT MAX(id) FROM lists), id, now() FROM articles WHERE id % 2 = 0;
INSERT INTO issues (list, number, due_at, last_seq, created_at) SELECT MAX(id), 1, now() - interval '7 days', (SELECT MAX(seq) FROM matches), now() FROM lists;
INSERT INTO subscribers (address, address_key, created_at) SELECT 'r' || n || '@x' || n % 50 || '.example', 'r' || n || '@x' || n % 50 || '.example', now() - n * interval '1 minute' FROM generate_series(1, 30000) n;
INSERT INTO subscriptions (subscriber, list, state, created_at) SELECT s.id, (SELECT MIN(id) FROM lists), CASE WHEN s.id % 100 = 0 THEN 'confirmed' ELSE 'unsubscribed' END, now() FROM subscribers s;
INSERT INTO consents (subscriber, list, event, at) SELECT s.id, (SELECT MIN(id) FROM lists), 'confirmed', now() - s.id * interval '1 hour' FROM subscribers s, generate_series(1, 2);
INSERT INTO mailings (due_at, state, created_at, done_at) SELECT now() - n * interval '7 days', 'done', now() - n * interval '7 days', now() - n * interval '7 days' FROM generate_series(1, 50) n;
INSERT INTO variants (mailing, key, language, issues) SELECT m.id, 'k' || n, 'zh', '[]' FROM mailings m, generate_series(1, 100) n;
INSERT INTO deliveries (mailing, subscriber, variant, state, done_at) SELECT m.id, s.id, (SELECT MIN(id) FROM variants v WHERE v.mailing = m.id), 'sent', m.done_at FROM (SELECT id, done_at FROM mailings LIMIT 4) m, subscribers s;
`

// TestNoQueryReadsABigTableWhole does everything that dibao does on PostgreSQL with large
// tables, and reads the plan of every statement.
func TestNoQueryReadsABigTableWhole(t *testing.T) {
	if os.Getenv("DIBAO_LONG") == "" {
		t.Skip("fills large tables; set DIBAO_LONG=1")
	}
	t.Parallel()
	url, _ := databasetest.PostgresOfItsOwn(t)
	ctx := t.Context()
	box := mailbox.New(mailbox.Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go box.Run(ctx, l)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	settings := map[string]string{"DIBAO_DATABASE_URL": url, "DIBAO_MAIL_FROM": "dibao@test.example", "DIBAO_MAIL_HOST": "127.0.0.1", "DIBAO_MAIL_PORT": port, "DIBAO_MAIL_TLS": "none"}
	a := openTestApp(t, settings)
	for _, l := range []subscribers.List{{Slug: "weekly", Title: "样例周报", Query: subscribers.Query{Any: []string{"养老"}}}, {Slug: "old", Title: "样例旧报", Query: subscribers.Query{Any: []string{"没有的词"}}}} {
		if _, err := a.subscribers.CreateList(ctx, l); err != nil {
			t.Fatal(err)
		}
	}
	run := func(query string) {
		t.Helper()
		if err := a.db.Write(ctx, func(tx *sql.Tx) error { _, err := tx.ExecContext(ctx, query); return err }); err != nil {
			t.Fatal(err)
		}
	}
	for statement := range strings.SplitSeq(fillBig, ";\n") {
		if strings.TrimSpace(statement) != "" {
			run(statement)
		}
	}
	for _, setting := range []string{"session_preload_libraries = auto_explain", "auto_explain.log_min_duration = 0", "random_page_cost = 1.1"} {
		run("ALTER DATABASE template_dibao SET " + setting)
	}
	run("ANALYZE")
	useAll(ctx, t, openTestApp(t, settings)) // its connections log their plans
	parsed, err := neturl.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(filepath.Join(parsed.Query().Get("host"), "log"))
	if err != nil {
		t.Fatal(err)
	}
	plans := strings.Split(string(log), "Query Text: ")[1:]
	if len(plans) < 200 {
		t.Fatalf("%d plans were logged", len(plans))
	}
	seen := make(map[string]bool)
	for _, plan := range plans {
		for _, scan := range seqScan.FindAllStringSubmatch(plan, -1) {
			query := strings.Join(strings.Fields(plan[:strings.Index(plan, "(cost=")]), " ")
			if slices.ContainsFunc(readWhole, func(part string) bool { return strings.Contains(query, part) }) || !slices.Contains(bigTables, scan[1]) || seen[query] {
				continue
			}
			seen[query] = true
			t.Errorf("%s is read whole by %s", scan[1], query)
		}
	}
	trust.Report(t, "sequential scans of large tables", "%d of %d statements", len(seen), len(plans))
}

var seqScan = regexp.MustCompile(`Seq Scan on (\w+)`)

// readWhole are parts of the statements that may read a whole table: they run at night, or
// count rows for dibao status, at most every ten seconds.
var readWhole = []string{
	"SELECT u.id, u.address, COUNT(x.ended_at)",                // readers to prune
	"SELECT s.state, COUNT(*) FROM subscriptions s",            // status
	"SELECT state, COUNT(*) FROM subscriptions WHERE list",     // list show
	"SELECT d.state, COUNT(*) FROM deliveries d JOIN mailings", // status
	"SELECT COUNT(*) FROM articles",                            // status
	"(SELECT COUNT(*) FROM articles) -",                        // whether all are indexed
	"SELECT id FROM articles WHERE collected_at >= $2",         // an edited list
	"INSERT INTO", "UPDATE documents SET article =", // statements of this test
}

// useAll does what readers, the daemon and admins do.
func useAll(ctx context.Context, t *testing.T, a *app) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	collectSample(t, a)
	must(a.digest.Match(ctx))
	_, err := a.articles.DueSources(ctx)
	must(err)
	list, err := a.subscribers.ListBySlug(ctx, "weekly")
	must(err)
	_, err = a.subscribers.AddConfirmed(ctx, "new@x.example", "zh", []subscribers.List{list}, "test")
	must(err)
	_, err = a.digest.ComposeDue(ctx)
	must(err)
	made, err := a.digest.ComposeNow(ctx, []subscribers.List{list})
	must(err)
	d, err := a.deliverer()
	must(err)
	_, err = d.Deliver(ctx)
	must(err)
	must(a.remindHeld(ctx))
	_, err = a.node().Read(ctx)
	must(err)
	_, err = a.digest.ReportOf(ctx, made.Mailing)
	must(err)
	_, err = a.articles.Rebuild(ctx)
	must(err)
	_, err = a.prune(ctx)
	must(err)
	mux := http.NewServeMux()
	a.register(mux, &web.Cache{}, func(subscribers.Confirmation) {})
	get := func(h http.Handler, paths ...string) {
		t.Helper()
		for _, path := range paths {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1"+path, nil))
			if w.Code != http.StatusOK {
				t.Errorf("%s: %d", path, w.Code)
			}
		}
	}
	get(mux, "/", "/feed.xml", "/feed.json", "/calendar.ics", "/lists/", "/lists/weekly/", "/lists/weekly/issues/", "/lists/weekly/issues/1", "/lists/weekly/calendar.ics",
		"/search?q=%E6%A0%B7%E4%BE%8B", "/articles/77", "/articles/77/changes", "/sitemap.xml", "/api/v1/articles", "/api/v1/documents", "/api/v1/issues?list=weekly", "/api/v1/lists")
	get(a.adminHandler(), "/", "/sources", "/sources/3", "/lists", "/lists/weekly", "/mailings", fmt.Sprintf("/mailings/%d", made.Mailing), "/metrics")
}
