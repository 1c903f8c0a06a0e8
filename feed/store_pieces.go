package feed

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"dibao/feed/search"
	"dibao/internal/database"
	"dibao/policy/same"
)

// SQLite has one writer, and while it stores the items of a source, no reader can
// unsubscribe and no delivery can be recorded. So articles are stored in pieces that take
// some tens of milliseconds each, and everything possible is computed or compared
// beforehand.

// maxPieceBytes is the maximum size of a piece: the texts of its articles,
// unless one alone is larger.
const maxPieceBytes = 512 << 10

// storing contains options for storing articles.
type storing struct {
	now        time.Time
	compared   *comparisons
	judgedOnly bool                   // they are already stored; only update what depends on them
	before     func(tx *sql.Tx) error // called first in the transaction of each piece
	after      func(tx *sql.Tx) error // called last in that transaction
}

// store stores articles, a piece at a time, and then updates what depends on them. It
// returns how many are new.
func (st *Store) store(ctx context.Context, articles []*batchArticle, how storing) (added int, err error) {
	if how.compared == nil {
		how.compared = newComparisons()
	}
	for len(articles) > 0 {
		n := pieceOf(articles, st.pieces.Size())
		for _, a := range articles[:n] {
			a.prepare()
		}
		stored, err := st.storeChunk(ctx, articles[:n], how)
		if err != nil {
			return added, err
		}
		for _, a := range stored {
			if a.isNew {
				added++
			}
		}
		if err := st.queue(ctx, stored); err != nil {
			return added, err
		}
		articles = articles[n:]
	}
	return added, st.finish(ctx)
}

// pieceOf returns how many of the articles one transaction stores.
func pieceOf(articles []*batchArticle, most int) int {
	size := 0
	for n, a := range articles {
		if size += a.weight(); n == most || n > 0 && size > maxPieceBytes {
			return n
		}
	}
	return len(articles)
}

// weight returns the approximate size of an article, in bytes.
func (a *batchArticle) weight() int {
	n := len(a.Content)
	for _, p := range a.Facts.Paragraphs {
		n += len(p)
	}
	return n
}

// prepare computes what the transaction needs to know about an article.
func (a *batchArticle) prepare() {
	a.titleKey = a.title().Key
	a.relations()
	a.sketch = same.Sketch(a.Facts.Paragraphs)
	a.sketch = a.sketch[:min(len(a.sketch), sketchSize)]
	a.columns, a.columnsErr = newColumns(a.Article)
	a.amends = a.amending()
}

// errChanged says that another process stored an article since it was read.
var errChanged = errors.New("the article has changed in the meantime; run the command again")

// unchanged refuses to replace articles that changed since they were read.
func (st *Store) unchanged(ctx context.Context, tx *sql.Tx, articles []*batchArticle) error {
	was := make(map[int64]string)
	for _, a := range articles {
		if a.ID != 0 {
			was[a.ID] = a.readHash
		}
	}
	if len(was) == 0 {
		return nil
	}
	list, err := json.Marshal(sortedKeys(was))
	if err != nil {
		return err
	}
	is, err := database.CollectMap(ctx, tx, database.ScanPair[int64, string],
		`SELECT id, text_hash FROM articles WHERE id IN (`+st.db.Dialect().IDs("$1")+`)`, string(list))
	for id, hash := range is {
		if was[id] != hash {
			return errChanged
		}
	}
	return err
}

// finish does the work that transactions left to do because it would have made them long.
func (st *Store) finish(ctx context.Context) error {
	if err := st.settleWaiting(ctx); err != nil {
		return err
	}
	return st.rejudgeWaiting(ctx)
}

// rejudgeWaiting evaluates the articles of split clusters again.
func (st *Store) rejudgeWaiting(ctx context.Context) error {
	for range 100 { // each may split another cluster
		var ids []int64
		err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
			ids, err = database.Collect(ctx, tx, database.ScanOne[int64], `SELECT article FROM judge_pending ORDER BY article LIMIT $1`, rereadPage)
			return err
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		list, err := json.Marshal(ids)
		if err != nil {
			return err
		}
		// Clusters that split during this evaluation are queued after the deletion.
		err = st.db.Write(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `DELETE FROM judge_pending WHERE article IN (`+st.db.Dialect().IDs("$1")+`)`, string(list))
			return err
		})
		if err != nil {
			return err
		}
		if _, err := st.reread(ctx, ids, storing{now: st.Now(), compared: newComparisons()}); err != nil {
			return err
		}
	}
	return nil
}

// settlePage is the number of relations that one transaction resolves.
const settlePage = 300

// settleWaiting resolves relations that the storing transaction left for later, because too
// many texts mention the document.
func (st *Store) settleWaiting(ctx context.Context) error {
	for {
		var any bool
		err := st.db.Read(ctx, func(tx *sql.Tx) error {
			return tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM settle_pending)`).Scan(&any)
		})
		if err != nil || !any {
			return err
		}
		if err := st.db.Write(ctx, func(tx *sql.Tx) error { return st.settleSome(ctx, tx) }); err != nil {
			return fmt.Errorf("resolve relations: %w", err)
		}
	}
}

func (st *Store) settleSome(ctx context.Context, tx *sql.Tx) error {
	if err := st.beginStoring(ctx, tx); err != nil {
		return err
	}
	var id, after int64
	var names string
	err := tx.QueryRowContext(ctx, `SELECT id, names, after FROM settle_pending ORDER BY id LIMIT 1`).Scan(&id, &names, &after)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	b := newBatch(st, tx, nil, storing{now: st.Now(), compared: newComparisons()})
	resolved, last, err := b.settlePage(ctx, names, after)
	if err != nil {
		return err
	}
	if err := b.applyRelations(ctx, resolved, make(map[int64]bool)); err != nil {
		return err
	}
	if last == 0 {
		_, err = tx.ExecContext(ctx, `DELETE FROM settle_pending WHERE id = $1`, id)
	} else {
		_, err = tx.ExecContext(ctx, `UPDATE settle_pending SET after = $2 WHERE id = $1`, id, last)
	}
	return err
}

// IndexAll completes a database that was copied or restored without its search index, and does
// what Rebuild does. It returns the number of articles that lacked data.
func (st *Store) IndexAll(ctx context.Context) (int, error) {
	var lacking []int64
	err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		lacking, err = database.Collect(ctx, tx, database.ScanOne[int64], `SELECT a.id FROM articles a
			WHERE a.hidden = 0 AND NOT EXISTS (SELECT 1 FROM search_keys k WHERE k.article = a.id) ORDER BY a.id`)
		return err
	})
	if err != nil {
		return 0, err
	}
	for page := range slices.Chunk(lacking, search.Batch) {
		err := st.db.Write(ctx, func(tx *sql.Tx) error {
			_, err := st.Index.Wait(ctx, tx, page, nil)
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	more, err := st.Rebuild(ctx)
	return len(lacking) + more, err
}

// Rebuild recreates derived data of articles that lack it, for example after an upgrade from a
// version without the data. It completes what a crash left incomplete, changes nothing else and returns how many
// articles lacked data.
func (st *Store) Rebuild(ctx context.Context) (int, error) {
	ctx = database.Background(ctx)
	if err := st.finish(ctx); err != nil {
		return 0, err
	}
	if err := st.keyCalls(ctx); err != nil {
		return 0, err
	}
	if err := st.Index.Flush(ctx); err != nil {
		return 0, err
	}
	var lacking bool
	err := st.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM articles) - (SELECT COUNT(*) FROM articles WHERE hidden = 1) > (SELECT COUNT(*) FROM search_keys)`).Scan(&lacking)
	})
	if err != nil || !lacking {
		return 0, err
	}
	total := 0
	for after := int64(0); ; {
		var page []int64
		var all []*batchArticle
		err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
			page, err = database.Collect(ctx, tx, database.ScanOne[int64], `SELECT a.id FROM articles a
				WHERE a.id > $1 AND a.hidden = 0 AND NOT EXISTS (SELECT 1 FROM search_keys k WHERE k.article = a.id) ORDER BY a.id LIMIT $2`, after, rereadPage)
			if err == nil && len(page) > 0 {
				all, err = st.loadForStoring(ctx, tx, page)
			}
			return err
		})
		if err != nil {
			return total, err
		}
		if len(page) == 0 {
			return total, st.Index.Flush(ctx)
		}
		if _, err := st.store(ctx, all, storing{now: st.Now(), judgedOnly: true}); err != nil {
			return total, err
		}
		total, after = total+len(page), slices.Max(page)
	}
}
