package feed_test

import (
	"database/sql"
	"fmt"
	"sync"
	"testing"

	"dibao/feed"
	"dibao/feed/ingest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

// waiting returns the number of articles that wait for the index.
func (r *room) waiting(db *database.DB) (n int) {
	r.t.Helper()
	err := db.Read(r.t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRowContext(r.t.Context(), `SELECT COUNT(*) FROM search_pending`).Scan(&n)
	})
	r.check(err)
	return n
}

// Articles that a process stored but did not index before it ended are indexed by the next
// one, with their text at that time.
func TestIndexWaiting(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRoom(t, db)
		src := gazette(r, "http://example.org/list", "样例公报", "", "")
		r.put(src, library...)
		want := guids(r.search("养老", 50))
		if n := r.waiting(db); n != 0 {
			t.Fatalf("%d articles wait after a collection", n)
		}
		err := db.Write(t.Context(), func(tx *sql.Tx) error { // as if it had ended before the index was written
			for _, query := range []string{
				db.Dialect().Pick("INSERT INTO article_search (article_search) VALUES ('delete-all')", "DELETE FROM article_search"),
				"DELETE FROM search_keys", "INSERT INTO search_pending (article, stamp) SELECT id, 0 FROM articles",
			} {
				if _, err := tx.ExecContext(t.Context(), query); err != nil {
					return err
				}
			}
			return nil
		})
		r.check(err)
		if got := guids(r.search("养老", 50)); got != "" {
			t.Errorf("found %q without an index", got)
		}
		next := feed.NewStore(db, clock)
		r.check(next.Index.Flush(t.Context()))
		if got := guids(r.search("养老", 50)); got != want {
			t.Errorf("found %q, want %q", got, want)
		}
		if got := guids(r.search("issuer:四川 养老", 50)); got != "c" {
			t.Errorf("found %q by issuer, want c", got)
		}
		if n := r.waiting(db); n != 0 {
			t.Errorf("%d articles still wait", n)
		}
		if n, err := next.Rebuild(t.Context()); err != nil || n != 0 {
			t.Errorf("%d were made anew, %v", n, err)
		}
	})
}

// Collections that run at the same time leave nothing waiting, and a text that changed is
// found only by its new words.
func TestIndexTogether(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRoom(t, db)
		const sources, rounds = 4, 3
		var ids []int64
		for i := range sources {
			ids = append(ids, gazette(r, fmt.Sprintf("http://example.org/%d", i), fmt.Sprintf("样例公报%d", i), "", ""))
		}
		var all sync.WaitGroup
		for i, id := range ids {
			all.Go(func() {
				for round := range rounds {
					x := text{guid: fmt.Sprint(i), title: fmt.Sprintf("关于第%d件事项的通知", i), paragraphs: []string{"旧词在此。"}}
					if round == rounds-1 {
						x.paragraphs = []string{"新语在此。"}
					}
					if _, err := r.Add(t.Context(), id, []ingest.Item{x.item()}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if n := r.waiting(db); n != 0 {
			t.Errorf("%d articles wait", n)
		}
		if got := r.search("新语", 50).Total; got != sources {
			t.Errorf("%d texts have the new words, want %d", got, sources)
		}
		if got := r.search("旧词", 50).Total; got != 0 {
			t.Errorf("%d texts have the old words", got)
		}
	})
}
