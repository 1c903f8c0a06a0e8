package search

import (
	"cmp"
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

// An index is written most efficiently in large batches, but articles arrive in small ones.
// So a collection queues its articles in the table search_pending, in the same transaction.
// They are indexed up to a thousand at a time, in short transactions: when a thousand are
// queued, when the first has waited for some time, or when the last running collection has
// ended. A crash in between loses nothing: Flush, of any process, indexes what the table has.

const (
	// Batch is the number of articles that are indexed at a time.
	Batch = 1000
	// flushWithin is how long an article waits at most while collections run, unless indexing
	// would take more than one part in flushShare of the time.
	flushWithin = time.Second
	flushShare  = 10
)

// queue contains the index entries of waiting articles that this process stored. The table
// lists all waiting articles; other entries are read from the store.
type queue struct {
	mu      sync.Mutex
	rows    map[int64]queuedRow // by article
	partial bool                // articles that this process stored may be missing from rows
	since   time.Time           // when the first of rows was added, or the last indexing ended
	took    time.Duration       // how long the last indexing took
	running int                 // running collections

	writing sync.Mutex // one index transaction at a time
}

// queuedRow is the future index entry of an article, valid while the article has this
// stamp.
type queuedRow struct {
	stamp int64
	row   row
}

// Begin records that a collection begins; End must follow it.
func (ix *Index) Begin() {
	ix.queue.mu.Lock()
	defer ix.queue.mu.Unlock()
	ix.queue.running++
}

// End records that a collection has ended. After the last one, everything that waits is
// indexed.
func (ix *Index) End(ctx context.Context) error {
	ix.queue.mu.Lock()
	ix.queue.running--
	last, any := ix.queue.running == 0, len(ix.queue.rows) > 0 || ix.queue.partial
	ix.queue.mu.Unlock()
	if !last || !any {
		return nil
	}
	return ix.Flush(ctx)
}

// Waiting is an article that has waited for the index since it was stored.
type Waiting struct {
	ID      int64
	stamp   int64
	Article *Article // nil means that it is hidden
}

// Queue adds articles whose transaction has been committed, with their entries. If indexing
// is due, it indexes what waits.
func (ix *Index) Queue(ctx context.Context, articles []Waiting) error {
	rows := make([]row, len(articles))
	for i, w := range articles {
		if w.Article != nil {
			rows[i] = ix.matcher().rowOf(*w.Article)
		}
	}
	q := &ix.queue
	q.mu.Lock()
	if q.rows == nil {
		q.rows = make(map[int64]queuedRow)
	}
	if len(q.rows) == 0 {
		q.since = time.Now()
	}
	for i, w := range articles {
		if w.stamp == 0 {
			continue
		}
		if len(q.rows) == 2*Batch || q.rows[w.ID].stamp != 0 { // too many, or it is not known which one is newer
			q.partial = true
			continue
		}
		q.rows[w.ID] = queuedRow{w.stamp, rows[i]}
	}
	due := len(q.rows) >= Batch || time.Since(q.since) > max(flushWithin, flushShare*q.took)
	q.mu.Unlock()
	if !due || !q.writing.TryLock() { // whoever holds the lock is indexing
		return nil
	}
	defer q.writing.Unlock()
	if all, complete := q.own(); complete {
		return ix.index(ctx, all)
	}
	_, err := ix.indexSome(ctx)
	return err
}

// own returns the waiting articles that this process stored, at most Batch, unless rows lacks
// some. Another process that collects indexes its own, and has their entries.
func (q *queue) own() (all []waitingArticle, complete bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.partial {
		return nil, false
	}
	all = make([]waitingArticle, 0, len(q.rows))
	for id, r := range q.rows {
		all = append(all, waitingArticle{id, r.stamp})
	}
	slices.SortFunc(all, func(a, b waitingArticle) int { return cmp.Compare(a.article, b.article) })
	return all[:min(len(all), Batch)], true
}

func (q *queue) setPartial(partial bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.partial = partial
}

// Flush indexes everything that waits, and returns when that is done. It can be called at
// any time.
func (ix *Index) Flush(ctx context.Context) error {
	var any bool
	err := ix.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM search_pending)`).Scan(&any)
	})
	if err != nil || !any {
		return err
	}
	ix.queue.writing.Lock()
	defer ix.queue.writing.Unlock()
	for {
		if n, err := ix.indexSome(ctx); err != nil || n == 0 {
			return err
		}
	}
}

// indexSome indexes articles that wait, at most Batch, and returns how many it
// found waiting.
func (ix *Index) indexSome(ctx context.Context) (n int, err error) {
	ix.queue.setPartial(false)
	defer func() {
		if err != nil {
			ix.queue.setPartial(true)
		}
	}()
	var all []waitingArticle
	err = ix.db.Read(ctx, func(tx *sql.Tx) (err error) {
		all, err = database.Collect(ctx, tx, scanWaiting, `SELECT article, stamp FROM search_pending ORDER BY article LIMIT $1`, Batch)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("index waiting articles: %w", err)
	}
	return len(all), ix.index(ctx, all)
}

// index indexes articles that wait.
func (ix *Index) index(ctx context.Context, all []waitingArticle) error {
	began := time.Now()
	for page := range slices.Chunk(all, readAtOnce) {
		if err := ix.indexPage(ctx, page); err != nil {
			return fmt.Errorf("index waiting articles: %w", err)
		}
	}
	if len(all) > 0 {
		if err := ix.cleanPending(ctx); err != nil {
			return fmt.Errorf("index waiting articles: %w", err)
		}
	}
	q := &ix.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range all {
		if q.rows[w.article].stamp == w.stamp {
			delete(q.rows, w.article)
		}
	}
	q.since, q.took = time.Now(), time.Since(began)
	return nil
}

// cleanPending moves the entries that PostgreSQL has collected to its indexes; otherwise every
// query would read their list. Once for all pieces: it takes longer than one of them.
func (ix *Index) cleanPending(ctx context.Context) error {
	if ix.db.Dialect() != database.Postgres {
		return nil
	}
	return ix.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `SELECT gin_clean_pending_list(i::regclass) FROM (VALUES ('article_search_head'), ('article_search_body')) AS v (i)`)
		return err
	})
}

type waitingArticle struct{ article, stamp int64 }

func scanWaiting(row database.Row) (w waitingArticle, err error) {
	err = row.Scan(&w.article, &w.stamp)
	return w, err
}

// readAtOnce is the number of articles stored by other processes that are read at a time.
const readAtOnce = 50

// indexPage indexes some waiting articles in short transactions.
func (ix *Index) indexPage(ctx context.Context, page []waitingArticle) error {
	rows, err := ix.waitingRows(ctx, page)
	if err != nil {
		return err
	}
	for len(page) > 0 {
		n, size := 0, 0
		for most := ix.pieces.Size() << 10; n < len(page) && (n == 0 || size+rows[page[n].article].size() <= most); n++ {
			size += rows[page[n].article].size()
		}
		var began time.Time
		err := ix.db.Write(ctx, func(tx *sql.Tx) error {
			began = time.Now()
			return ix.indexPiece(ctx, tx, page[:n], rows)
		})
		if err != nil {
			return err
		}
		ix.pieces.Took(size>>10, time.Since(began))
		page = page[n:]
	}
	return nil
}

// indexPiece indexes articles that have not changed since their entries were made.
func (ix *Index) indexPiece(ctx context.Context, tx *sql.Tx, piece []waitingArticle, rows map[int64]row) error {
	if err := ix.source.Begin(ctx, tx); err != nil { // search results change
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
	waiting, err := database.Collect(ctx, tx, scanWaiting, `SELECT article, stamp FROM search_pending WHERE article IN (`+ix.db.Dialect().IDs("$1")+`)`, string(list))
	if err != nil {
		return err
	}
	ids = ids[:0]
	var take []row
	for _, w := range waiting {
		if !slices.Contains(piece, w) {
			continue // it was stored again in the meantime
		}
		ids = append(ids, w.article)
		if r := rows[w.article]; r.article != 0 { // otherwise it is hidden
			take = append(take, r)
		}
	}
	if list, err = json.Marshal(ids); err != nil {
		return err
	}
	if err := ix.store(ctx, tx, ids, take); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM search_pending WHERE article IN (`+ix.db.Dialect().IDs("$1")+`)`, string(list))
	return err
}

// waitingRows returns the index entries of waiting articles, by article: from the memory of
// this process, or from the store.
func (ix *Index) waitingRows(ctx context.Context, page []waitingArticle) (map[int64]row, error) {
	rows := make(map[int64]row, len(page))
	var unread []int64
	ix.queue.mu.Lock()
	for _, w := range page {
		if known, ok := ix.queue.rows[w.article]; ok && known.stamp == w.stamp {
			rows[w.article] = known.row
		} else {
			unread = append(unread, w.article)
		}
	}
	ix.queue.mu.Unlock()
	if len(unread) == 0 {
		return rows, nil
	}
	err := ix.db.Read(ctx, func(tx *sql.Tx) error {
		more, err := ix.readRows(ctx, tx, unread)
		for _, r := range more {
			rows[r.article] = r
		}
		return err
	})
	return rows, err
}

func (r row) size() int { return len(r.head) + len(r.body) + len(r.fields) }

// readRows returns the index entries of stored articles; hidden ones have none.
func (ix *Index) readRows(ctx context.Context, tx *sql.Tx, ids []int64) ([]row, error) {
	all, err := ix.source.Articles(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	rows := make([]row, len(all))
	for i, a := range all {
		rows[i] = ix.matcher().rowOf(a)
	}
	return rows, nil
}

var insertWaiting = database.Insertion{
	Into: `INSERT INTO search_pending (article, stamp)`, Columns: 2,
	After: `ON CONFLICT (article) DO UPDATE SET stamp = excluded.stamp`,
	Postgres: `INSERT INTO search_pending (article, stamp) SELECT (value ->> 0)::bigint, (value ->> 1)::bigint
		FROM jsonb_array_elements($1::jsonb) ON CONFLICT (article) DO UPDATE SET stamp = excluded.stamp`,
}

// Wait queues articles for the index, in the transaction that stores them; articles that
// are also in hidden are removed from the index at once.
func (ix *Index) Wait(ctx context.Context, tx *sql.Tx, ids, hidden []int64) ([]Waiting, error) {
	all := make([]Waiting, len(ids))
	rows := make([][]any, len(ids))
	for i, id := range ids {
		all[i] = Waiting{ID: id, stamp: rand.Int64N(1<<52) + 1} // exact in JSON
		rows[i] = []any{id, all[i].stamp}
	}
	if err := ix.unindex(ctx, tx, hidden); err != nil {
		return nil, err
	}
	return all, insertWaiting.Run(ctx, tx, ix.db.Dialect(), rows)
}
