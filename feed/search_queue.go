package feed

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"dibao/internal/database"
)

// An index is cheapest to write in large pieces, and articles come in small ones.
// So what a collection stores waits in the table search_pending, written in the
// same transaction, and goes into the index by the thousand, in transactions of its
// own that stay short: when there are that many, when the first has waited for a second, or when the
// last collection that runs has ended. A crash in between loses nothing: what
// waits is found again by whoever indexes next.

const (
	// indexBatch is how many articles are indexed at once.
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
	for _, a := range articles {
		if !a.Hidden {
			a.waiting.row = a.searchRow(st.matcher())
		}
	}
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
		if n, err := st.indexSome(ctx); err != nil || n == 0 {
			return err
		}
	}
}

// indexSome indexes articles that wait, at most indexBatch, and returns how many it
// found waiting.
func (st *Store) indexSome(ctx context.Context) (n int, err error) {
	var all []waitingArticle
	err = st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		all, err = database.Collect(ctx, tx, scanWaiting, `SELECT article, stamp FROM search_pending ORDER BY article LIMIT $1`, indexBatch)
		return err
	})
	for page := range slices.Chunk(all, readAtOnce) {
		if err == nil {
			err = st.indexPage(ctx, page)
		}
	}
	if err != nil {
		return 0, fmt.Errorf("index what waits: %w", err)
	}
	q := &st.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range all {
		if q.rows[w.article].stamp == w.stamp {
			delete(q.rows, w.article)
		}
	}
	q.since = time.Now()
	return len(all), nil
}

type waitingArticle struct{ article, stamp int64 }

func scanWaiting(row database.Row) (w waitingArticle, err error) {
	err = row.Scan(&w.article, &w.stamp)
	return w, err
}

// readAtOnce is how many articles that another process stored are read at once.
const readAtOnce = 50

// indexPage indexes some articles that wait, in transactions that stay short.
func (st *Store) indexPage(ctx context.Context, page []waitingArticle) error {
	rows, err := st.waitingRows(ctx, page)
	if err != nil {
		return err
	}
	for len(page) > 0 {
		n, size := 0, 0
		for most := st.indexPieces.size() << 10; n < len(page) && (n == 0 || size+rows[page[n].article].size() <= most); n++ {
			size += rows[page[n].article].size()
		}
		var began time.Time
		err := st.db.Write(ctx, func(tx *sql.Tx) error {
			began = time.Now()
			return st.indexPiece(ctx, tx, page[:n], rows)
		})
		if err != nil {
			return err
		}
		st.indexPieces.took(size>>10, time.Since(began))
		page = page[n:]
	}
	return nil
}

// indexPiece indexes articles that still wait as they did when their rows were made.
func (st *Store) indexPiece(ctx context.Context, tx *sql.Tx, piece []waitingArticle, rows map[int64]searchRow) error {
	if err := st.beginStoring(ctx, tx); err != nil { // searches change
		return err
	}
	ids := make([]int64, len(piece))
	for i, w := range piece {
		ids[i] = w.article
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	waiting, err := database.Collect(ctx, tx, scanWaiting, `SELECT article, stamp FROM search_pending WHERE article IN (`+st.db.Dialect().IDs("$1")+`)`, string(list))
	if err != nil {
		return err
	}
	ids = ids[:0]
	var take []searchRow
	for _, w := range waiting {
		if !slices.Contains(piece, w) {
			continue // it was stored again meanwhile
		}
		ids = append(ids, w.article)
		if r := rows[w.article]; r.article != 0 { // else it is hidden
			take = append(take, r)
		}
	}
	if list, err = json.Marshal(ids); err != nil {
		return err
	}
	if err := st.index(ctx, tx, ids, take); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM search_pending WHERE article IN (`+st.db.Dialect().IDs("$1")+`)`, string(list))
	return err
}

// waitingRows returns what the index is to hold of articles that wait, by article:
// as this process knows it, or read from the store.
func (st *Store) waitingRows(ctx context.Context, page []waitingArticle) (map[int64]searchRow, error) {
	rows := make(map[int64]searchRow, len(page))
	var unread []int64
	st.queue.mu.Lock()
	for _, w := range page {
		if known, ok := st.queue.rows[w.article]; ok && known.stamp == w.stamp {
			rows[w.article] = known.row
		} else {
			unread = append(unread, w.article)
		}
	}
	st.queue.mu.Unlock()
	if len(unread) == 0 {
		return rows, nil
	}
	err := st.db.Read(ctx, func(tx *sql.Tx) error {
		more, err := st.readRows(ctx, tx, unread)
		for _, r := range more {
			rows[r.article] = r
		}
		return err
	})
	return rows, err
}

func (r searchRow) size() int { return len(r.head) + len(r.body) + len(r.fields) }

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

// wait has the articles wait for the index; those that are hidden leave it at once.
func (b *batch) wait(ctx context.Context) error {
	rows := make([][]any, 0, len(b.articles))
	var hidden []int64
	for _, a := range b.articles {
		a.waiting = queuedRow{stamp: rand.Int64N(1<<52) + 1} // exact in JSON
		if a.Hidden && !a.isNew {
			hidden = append(hidden, a.ID)
		}
		rows = append(rows, []any{a.ID, a.waiting.stamp})
	}
	if err := b.st.unindex(ctx, b.tx, hidden); err != nil {
		return err
	}
	return b.insert(ctx, insertWaiting, rows)
}
