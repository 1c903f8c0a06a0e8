package feed

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"dibao/internal/database"
)

// An index is cheapest to write in large pieces, and articles come in small ones.
// So what a collection stores waits in the table search_pending, written in the
// same transaction, and goes into the index by the thousand in one of its own:
// when there are that many, when the first has waited for a second, or when the
// last collection that runs has ended. A crash in between loses nothing: what
// waits is found again by whoever indexes next.

const (
	// indexBatch is how many articles are indexed in one transaction.
	indexBatch = 1000
	// indexWithin is how long an article waits while collections go on.
	indexWithin = time.Second
)

// indexQueue has the index rows of articles that wait, as far as this process
// stored them: the table knows them all, and the rest is read from the store.
type indexQueue struct {
	mu      sync.Mutex
	rows    map[int64]queuedRow // by article
	since   time.Time           // when the first of rows came
	running int                 // collections

	writing sync.Mutex // one index transaction at a time
}

// queuedRow is what the index will hold of an article, if it still has this stamp.
type queuedRow struct {
	stamp int64
	row   searchRow
}

// collecting notes that a collection begins; collected must follow it.
func (st *Store) collecting() {
	st.queue.mu.Lock()
	defer st.queue.mu.Unlock()
	st.queue.running++
}

// collected notes that a collection has ended. The last indexes what waits.
func (st *Store) collected(ctx context.Context) error {
	st.queue.mu.Lock()
	st.queue.running--
	last, any := st.queue.running == 0, len(st.queue.rows) > 0
	st.queue.mu.Unlock()
	if !last || !any {
		return nil
	}
	return st.IndexWaiting(ctx)
}

// queued takes the index rows of articles whose transaction has been committed.
// It indexes what waits if that is due.
func (st *Store) queued(ctx context.Context, articles []*arrival) error {
	q := &st.queue
	q.mu.Lock()
	if q.rows == nil {
		q.rows = make(map[int64]queuedRow)
	}
	if len(q.rows) == 0 {
		q.since = time.Now()
	}
	for _, a := range articles {
		if a.waiting.stamp != 0 && len(q.rows) < 2*indexBatch { // others are read again
			q.rows[a.ID] = a.waiting
		}
	}
	due := len(q.rows) >= indexBatch || time.Since(q.since) > indexWithin
	q.mu.Unlock()
	if !due || !q.writing.TryLock() { // who has the lock is at it
		return nil
	}
	defer q.writing.Unlock()
	_, err := st.indexSome(ctx)
	return err
}

// IndexWaiting puts into the search index what was stored and waits for it. It
// may be called at any time.
func (st *Store) IndexWaiting(ctx context.Context) error {
	var any bool
	err := st.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM search_pending)`).Scan(&any)
	})
	if err != nil || !any {
		return err
	}
	st.queue.writing.Lock()
	defer st.queue.writing.Unlock()
	for {
		if n, err := st.indexSome(ctx); err != nil || n < indexBatch {
			return err
		}
	}
}

// indexSome indexes articles that wait, at most indexBatch, and returns how many.
func (st *Store) indexSome(ctx context.Context) (n int, err error) {
	var done []waitingArticle
	err = st.db.Write(ctx, func(tx *sql.Tx) (err error) {
		if err := st.beginStoring(ctx, tx); err != nil { // searches change
			return err
		}
		done, err = st.takeWaiting(ctx, tx, nil, indexBatch)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("index what waits: %w", err)
	}
	q := &st.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range done {
		if q.rows[w.article].stamp == w.stamp {
			delete(q.rows, w.article)
		}
	}
	if len(done) < indexBatch { // what else is here was indexed on the way by indexNow
		clear(q.rows)
	}
	q.since = time.Now()
	return len(done), nil
}

type waitingArticle struct{ article, stamp int64 }

// takeWaiting indexes articles that wait within a transaction, the oldest first.
// own are those of this transaction.
func (st *Store) takeWaiting(ctx context.Context, tx *sql.Tx, own []*arrival, limit int) ([]waitingArticle, error) {
	all, err := database.Collect(ctx, tx, func(row database.Row) (w waitingArticle, err error) {
		err = row.Scan(&w.article, &w.stamp)
		return w, err
	}, `SELECT article, stamp FROM search_pending ORDER BY article LIMIT $1`, limit)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	mine := make(map[int64]queuedRow, len(own))
	for _, a := range own {
		mine[a.ID] = a.waiting
	}
	ids := make([]int64, len(all))
	var rows []searchRow
	var unread []int64
	st.queue.mu.Lock()
	for i, w := range all {
		ids[i] = w.article
		known, ok := mine[w.article]
		if !ok {
			known, ok = st.queue.rows[w.article]
		}
		switch {
		case !ok || known.stamp != w.stamp:
			unread = append(unread, w.article)
		case known.row.article != 0: // else it is hidden
			rows = append(rows, known.row)
		}
	}
	st.queue.mu.Unlock()
	if len(unread) > 0 {
		more, err := st.readRows(ctx, tx, unread)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	if err := st.index(ctx, tx, ids, rows); err != nil {
		return nil, err
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM search_pending WHERE article IN (`+st.db.Dialect().IDs("$1")+`)`, string(list))
	return all, err
}

// readRows makes the index rows of stored articles; those that are hidden have none.
func (st *Store) readRows(ctx context.Context, tx *sql.Tx, ids []int64) ([]searchRow, error) {
	all, err := st.arrivals(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	carried := make(map[int64]int64)
	if err := st.carried(ctx, tx, ids, carried); err != nil {
		return nil, err
	}
	var rows []searchRow
	for _, a := range all {
		a.document, a.titleKey = carried[a.ID], a.title().Key
		if !a.Hidden {
			rows = append(rows, a.searchRow(st.matcher()))
		}
	}
	return rows, nil
}

var insertWaiting = insertion{
	into: `INSERT INTO search_pending (article, stamp)`, columns: 2,
	after: `ON CONFLICT (article) DO UPDATE SET stamp = excluded.stamp`,
	postgres: `INSERT INTO search_pending (article, stamp) SELECT (value ->> 0)::bigint, (value ->> 1)::bigint
		FROM jsonb_array_elements($1::jsonb) ON CONFLICT (article) DO UPDATE SET stamp = excluded.stamp`,
}

// wait has the articles wait for the index.
func (b *batch) wait(ctx context.Context) error {
	rows := make([][]any, 0, len(b.articles))
	for _, a := range b.articles {
		a.waiting = queuedRow{stamp: rand.Int64N(1<<52) + 1} // exact in JSON
		if !a.Hidden {
			a.waiting.row = a.searchRow(b.st.matcher())
		}
		rows = append(rows, []any{a.ID, a.waiting.stamp})
	}
	return b.insert(ctx, insertWaiting, rows)
}

// indexNow indexes all that waits, for who asks the index within a transaction.
func (b *batch) indexNow(ctx context.Context) error {
	if !b.later {
		return nil
	}
	b.later = false
	for {
		done, err := b.st.takeWaiting(ctx, b.tx, b.articles, indexBatch)
		if err != nil {
			return fmt.Errorf("index what waits: %w", err)
		}
		if len(done) < indexBatch {
			break
		}
	}
	for _, a := range b.articles {
		a.waiting = queuedRow{}
	}
	return nil
}
