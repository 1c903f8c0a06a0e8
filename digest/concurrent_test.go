package digest_test

import (
	"database/sql"
	"fmt"
	"sync"
	"testing"

	"dibao/digest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/subscribers"
)

// crowd stores the readers from first to last, each confirmed for all lists.
func (w *world) crowd(first, last int, lists ...subscribers.List) {
	w.t.Helper()
	at := w.now().UTC()
	err := w.db.Write(w.t.Context(), func(tx *sql.Tx) error {
		for id := first; id <= last; id++ {
			if _, err := tx.ExecContext(w.t.Context(), `INSERT INTO subscribers (id, address, address_key, created_at) VALUES ($1, $2, $2, $3)`,
				id, fmt.Sprintf("r%d@test.example", id), at); err != nil {
				return err
			}
			for _, l := range lists {
				if _, err := tx.ExecContext(w.t.Context(), `INSERT INTO subscriptions (subscriber, list, state, created_at, confirmed_at, welcome_due) VALUES ($1, $2, 'confirmed', $3, $3, $4)`,
					id, l.ID, at, map[bool]int{true: 1}[l.Welcome]); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// countArticles counts how often each article is in the deliveries of a reader.
func (w *world) countArticles() (mails int, twice []string) {
	w.t.Helper()
	got := make(map[string]int)
	err := w.db.Read(w.t.Context(), func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(w.t.Context(), w.db.Dialect().Pick(
			`SELECT d.subscriber, x.value ->> 'a' FROM deliveries d JOIN variants v ON v.id = d.variant, json_each(v.items) x`,
			`SELECT d.subscriber, (x.value ->> 'a')::bigint FROM deliveries d JOIN variants v ON v.id = d.variant, jsonb_array_elements(v.items::jsonb) x`))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var reader, article int64
			if err := rows.Scan(&reader, &article); err != nil {
				return err
			}
			mails++
			key := fmt.Sprintf("reader %d, article %d", reader, article)
			if got[key]++; got[key] == 2 {
				twice = append(twice, key)
			}
		}
		return rows.Err()
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return mails, twice
}

// Lists with the same article are composed at the same time, by several nodes, while
// readers get welcome issues: every reader gets the article once.
func TestMailingsComposedAtOnceBringNothingTwice(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		const n = 5200 // more than a page
		w := newWorld(t, db)
		a, b := w.list("a", subscribers.Query{}), w.list("b", subscribers.Query{})
		c := must[subscribers.List](t)(w.readers.CreateList(t.Context(), subscribers.List{Slug: "c", Welcome: true}))
		w.article("同一通知")
		must[digest.Composed](t)(w.service.ComposeNow(t.Context(), []subscribers.List{c})) // the welcome issue of its readers
		w.crowd(1, 100, a, b, c)
		w.crowd(101, n, a, b)
		var all sync.WaitGroup
		for _, compose := range []func() error{
			func() error { _, err := w.service.ComposeNow(t.Context(), []subscribers.List{a}); return err },
			func() error { _, err := w.service.ComposeNow(t.Context(), []subscribers.List{b}); return err },
			func() error { _, err := w.service.ComposeDue(t.Context()); return err },
		} {
			all.Go(func() {
				if err := compose(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		mails, twice := w.countArticles()
		if len(twice) > 0 {
			t.Fatalf("%d readers got an article twice, such as %s", len(twice), twice[0])
		}
		if mails != n {
			t.Errorf("%d emails, want %d", mails, n)
		}
	})
}
