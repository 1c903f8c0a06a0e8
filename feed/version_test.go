package feed_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"dibao/feed"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/policy"
)

// Everything that pages and feeds show changes the version; nothing else does.
func TestStamp(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		st := feed.NewStore(db, clock)
		last := ""
		for _, x := range []struct {
			what, query string
			moves       bool
		}{
			{"a source", `INSERT INTO sources (id, url, kind, name, next_at, created_at) VALUES (1, 'https://a.example/', 'feed', 'a', $1, $1)`, true},
			{"a collection without news", `UPDATE sources SET checked_at = $1, next_at = $1, failures = 1`, false},
			{"a source's name", `UPDATE sources SET name = 'b' WHERE created_at = $1`, true},
			{"an article", `INSERT INTO articles (id, source, guid, url, title, theme, region, issuers, document_number, facts, page_state, collected_at, updated_at)
				VALUES (1, 1, 'g', 'https://a.example/1', 't', '民政、扶贫、救灾\优抚', '440304', '["国务院", "民政部"]', '国发〔2026〕1号', '{"citations":[{"number":"国发〔2025〕9号"},{"title":"x"}]}', 'complete', $1, $1)`, true},
			{"a page that is asked for again", `UPDATE articles SET page_tries = 2, page_next_at = $1`, false},
			{"a correction", `UPDATE articles SET facts = '{"theme":"x"}' WHERE collected_at = $1`, true},
			{"a withdrawal", `UPDATE articles SET withdrawn_at = $1, updated_at = $1`, true},
			{"a list", `INSERT INTO lists (id, slug, title, created_at, updated_at) VALUES (1, 'l', 'l', $1, $1)`, true},
			{"a match", `INSERT INTO matches (list, article, matched_at) VALUES (1, 1, $1)`, true},
			{"an issue", `INSERT INTO issues (list, number, due_at, last_seq, created_at) VALUES (1, 1, $1, 1, $1)`, true},
			{"a note", `UPDATE issues SET note = 'n' WHERE due_at = $1`, true},
			{"a reader", `INSERT INTO subscribers (address, address_key, created_at) VALUES ('a@b.example', 'a@b.example', $1)`, false},
		} {
			err := db.Write(t.Context(), func(tx *sql.Tx) error {
				_, err := tx.ExecContext(t.Context(), x.query, clock())
				return err
			})
			if err != nil {
				t.Fatalf("%s: %v", x.what, err)
			}
			stamp, _, err := st.Version(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if moved := stamp != last; moved != x.moves {
				t.Errorf("%s: the stamp went from %q to %q", x.what, last, stamp)
			}
			last = stamp
		}
		if _, modified, _ := st.Version(t.Context()); !modified.Equal(clock()) {
			t.Errorf("modified %s, want %s", modified, clock())
		}
	})
}

// An article has a place in every feed that contains it, and moves when its facts change.
func TestArticleFeeds(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		exec := func(query string) {
			t.Helper()
			err := db.Write(t.Context(), func(tx *sql.Tx) error {
				_, err := tx.ExecContext(t.Context(), query, clock())
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		feeds := func() map[string]bool {
			t.Helper()
			got := make(map[string]bool)
			err := db.Read(t.Context(), func(tx *sql.Tx) error {
				all, err := database.Collect(t.Context(), tx, database.ScanOne[string], `SELECT feed FROM article_feeds WHERE article = 1`)
				for _, f := range all {
					got[f] = true
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		same := func(got map[string]bool, want ...string) {
			t.Helper()
			for _, w := range want {
				if !got[w] {
					t.Errorf("%s is missing from %v", w, got)
				}
			}
			if len(got) != len(want) {
				t.Errorf("%v, want %q", got, want)
			}
		}
		exec(`INSERT INTO sources (id, url, kind, name, next_at, created_at) VALUES (1, 'https://a.example/', 'feed', 'a', $1, $1)`)
		exec(`INSERT INTO articles (id, source, guid, url, title, theme, region, issuers, document_number, facts, page_state, collected_at, updated_at)
			VALUES (1, 1, 'g', 'https://a.example/1', 't', '民政、扶贫、救灾\优抚', '440304', '["国务院", "民政部"]', '国发〔2026〕1号',
			'{"citations":[{"number":"国发〔2025〕9号"},{"title":"x"},{"number":"国发〔2025〕9号"}]}', 'complete', $1, $1)`)
		same(feeds(), "source/1", `theme/民政、扶贫、救灾\优抚`, "theme/民政、扶贫、救灾", "region/44", "region/4403", "region/440304",
			"issuer/国务院", "issuer/民政部", "number/国发〔2026〕1号", "number/国发〔2025〕9号")
		exec(`UPDATE articles SET theme = '国防', region = '', issuers = '[]', document_number = '', facts = '{}' WHERE collected_at = $1`)
		same(feeds(), "source/1", "theme/国防")
	})
}

// The rule that says in which feeds an article is exists twice: in Go for new articles, many at a
// time, and in triggers for those that change or are stored in other ways. Both must agree.
func TestFeedsOfTriggersAndStore(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		st := feed.NewStore(db, clock)
		src, err := st.AddSource(ctx, feed.Source{URL: "https://a.example/", Kind: "feed", Name: "a"})
		if err != nil {
			t.Fatal(err)
		}
		var all []feed.Incoming
		add := func(f policy.Facts) {
			guid := fmt.Sprint("g", len(all))
			f.Title = guid
			all = append(all, feed.Incoming{New: true, Article: feed.Article{
				SourceID: src.ID, GUID: guid, URL: src.URL + guid, Facts: f, PageState: feed.PageComplete, CollectedAt: clock(),
			}})
		}
		for _, theme := range []string{"", "国防", `民政、扶贫、救灾\优抚`, `\优抚`, `民政\优抚\其他`, `民政\`} {
			for _, region := range []string{"", "11", "440", "4403", "440304", "4403040", "440304001002"} {
				add(policy.Facts{Theme: theme, Region: region})
			}
		}
		for _, issuers := range [][]string{nil, {""}, {"国务院"}, {"国务院", "民政部", "国务院"}} {
			for _, number := range []string{"", "国发〔2026〕1号"} {
				for _, cited := range [][]policy.Citation{nil, {{Number: ""}}, {{Number: "国发〔2025〕9号"}, {Number: "国发〔2025〕9号"}, {Number: number}}} {
					add(policy.Facts{Issuers: issuers, DocumentNumber: number, Citations: cited})
				}
			}
		}
		if added, err := st.NewIntake().Store(ctx, all, clock()); err != nil || added != len(all) {
			t.Fatal(added, err)
		}
		feeds := func(query string) map[string]string {
			t.Helper()
			got := make(map[string]string)
			err := db.Write(ctx, func(tx *sql.Tx) error {
				if _, err := tx.ExecContext(ctx, query); err != nil {
					return err
				}
				rows, err := database.Collect(ctx, tx, func(r database.Row) (row [2]string, err error) {
					err = r.Scan(&row[0], &row[1])
					return row, err
				}, `SELECT a.guid, f.feed FROM articles a JOIN article_feeds f ON f.article = a.id ORDER BY a.guid, f.feed`)
				for _, r := range rows {
					got[r[0]] += r[1] + "\n"
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		want := feeds(`UPDATE articles SET updated_at = updated_at`) // as the store has them
		if len(want) != len(all) {
			t.Fatalf("%d of %d articles are in feeds", len(want), len(all))
		}
		same := func(what string, got map[string]string, prefix string) {
			t.Helper()
			for i, a := range all {
				if got[prefix+a.GUID] != want[a.GUID] {
					t.Errorf("%s, article %d (%+v):\n%sthe store has\n%s", what, i, a.Facts, got[prefix+a.GUID], want[a.GUID])
				}
			}
		}
		same("changed", feeds(`UPDATE articles SET theme = theme`), "")
		same("inserted", feeds(`INSERT INTO articles (source, guid, url, title, theme, region, issuers, document_number, facts, page_state, collected_at, updated_at)
			SELECT source, 'again ' || guid, url, title, theme, region, issuers, document_number, facts, page_state, collected_at, updated_at FROM articles`), "again ")
	})
}

// clock does not move.
func clock() time.Time { return time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC) }
