package feed

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dibao/internal/database"
)

// maxForesights is how often a transaction is restarted because it needed a pair of texts
// that was not compared yet. This is rare: candidates are compared beforehand.
const maxForesights = 4

// storeChunk stores articles in one transaction and updates everything that depends on
// them: documents, relations, clusters, events. It may be run again with the same articles,
// in any order, with the same result. New articles share a transaction with those of other
// collections that wait; if that transaction fails, and for articles that are judged again or
// stored with other changes, storeChunk uses a transaction of its own. Long texts are compared beforehand: if the transaction finds a pair that was not
// compared, it is rolled back and restarted. It returns the articles as they are stored.
func (st *Store) storeChunk(ctx context.Context, prepared []*batchArticle, how storing) ([]*batchArticle, error) {
	if err := st.compareAhead(ctx, prepared, how.compared); err != nil {
		return nil, err
	}
	isReread := slices.ContainsFunc(prepared, func(a *batchArticle) bool { return a.ID != 0 })
	if how.before == nil && how.after == nil && !isReread {
		if stored, err := st.shared.store(ctx, st, prepared, how); !errors.Is(err, errNotShared) {
			return stored, err
		}
	}
	for try := 1; ; try++ {
		if err := st.compareUnknown(ctx, prepared, how.compared); err != nil {
			return nil, err
		}
		how.compared.last = try == maxForesights
		alone := &share{prepared: prepared, how: how}
		err := st.db.Write(ctx, func(tx *sql.Tx) error {
			if err := st.beginStoring(ctx, tx); err != nil {
				return err
			}
			return st.storeShares(ctx, tx, []*share{alone})
		})
		if !errors.Is(err, errUncompared) {
			return alone.stored, err
		}
	}
}

func copies(all []*batchArticle) []*batchArticle {
	out := make([]*batchArticle, len(all))
	for i, a := range all {
		c := *a
		out[i] = &c
	}
	return out
}

// storeWithin is one attempt of storeChunk, in a transaction that beginStoring has begun.
func (st *Store) storeWithin(ctx context.Context, tx *sql.Tx, articles []*batchArticle, how storing) error {
	if how.before != nil {
		if err := how.before(tx); err != nil {
			return err
		}
	}
	b := newBatch(st, tx, articles, how)
	if !how.judgedOnly {
		if err := b.save(ctx); err != nil {
			return err
		}
	}
	if err := b.follow(ctx); err != nil {
		return err
	}
	if how.after != nil {
		return how.after(tx)
	}
	return nil
}

// save stores the articles themselves, and adds them to feeds.
func (b *batch) save(ctx context.Context) error {
	if err := b.st.unchanged(ctx, b.tx, b.articles); err != nil {
		return err
	}
	if err := b.st.applyCorrections(ctx, b.tx, b.articles); err != nil {
		return err
	}
	for _, a := range b.articles {
		if !a.isNew && a.ID == 0 { // not if it is only evaluated again
			if err := b.keepRevision(ctx, a); err != nil {
				return err
			}
		}
		wasStored := a.ID != 0
		isNew, err := saveArticle(ctx, b.tx, a, b.now)
		if err != nil {
			return err
		}
		a.isNew = isNew && !wasStored
	}
	if err := b.place(ctx); err != nil {
		return fmt.Errorf("store feeds: %w", err)
	}
	return nil
}

func newBatch(st *Store, tx *sql.Tx, articles []*batchArticle, how storing) *batch {
	return &batch{st: st, tx: tx, now: how.now, articles: articles, compared: how.compared, named: make(map[string][]*candidate), inner: make(map[string]bool),
		loaded: make(map[string]bool), byID: make(map[int64]*candidate), regrouped: make(map[int64]bool), clusters: make(map[int64]int64), merged: make(map[int64]bool), adopted: make(map[int64][]string)}
}

// follow updates everything that depends on stored articles.
func (b *batch) follow(ctx context.Context) error {
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"documents", b.storeDocuments}, {"clusters", b.storeClusters}, {"changes to calls", b.storeAmendments}, {"search index", b.queueForIndex}, {"relations", b.storeRelations}, {"split clusters", b.queueSeparated},
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("store %s: %w", step.name, err)
		}
	}
	return nil
}

// place adds new articles to their feeds, many at a time. For a known article that changes,
// a trigger updates its feeds.
func (b *batch) place(ctx context.Context) error {
	var rows [][]any
	for _, a := range b.articles {
		if a.isNew {
			for _, f := range a.feeds() {
				rows = append(rows, []any{f, a.ID})
			}
		}
	}
	return b.insert(ctx, insertFeeds, rows)
}

var insertFeeds = database.Insertion{
	Into: `INSERT INTO article_feeds (feed, article)`, Columns: 2, After: `ON CONFLICT DO NOTHING`,
	Postgres: `INSERT INTO article_feeds (feed, article) SELECT value ->> 0, (value ->> 1)::bigint FROM jsonb_array_elements($1::jsonb) ON CONFLICT DO NOTHING`,
}

// feeds returns the feeds that the article is in. The triggers articles_published and
// articles_judged (00006_publish.sql, 00024_storing.sql) have the same rule for articles that
// change; TestFeedsOfTriggersAndStore compares them.
func (a *batchArticle) feeds() []string {
	f := a.Facts
	all := []string{"source/" + strconv.FormatInt(a.SourceID, 10)}
	add := func(prefix, name string) {
		if name != "" {
			all = append(all, prefix+name)
		}
	}
	add("theme/", f.Theme)
	if main, _, ok := strings.Cut(f.Theme, `\`); ok {
		add("theme/", main)
	}
	add("region/", f.Region)
	for n := 2; n <= 6 && n < len(f.Region); n += 2 {
		add("region/", f.Region[:n])
	}
	for _, issuer := range f.Issuers {
		add("issuer/", issuer)
	}
	add("number/", f.DocumentNumber)
	for _, c := range f.Citations {
		add("number/", c.Number)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// beginStoring starts a transaction that stores articles or what follows from them. It
// serializes the writers of a PostgreSQL database, so that two of them do not create the
// same document twice, and events are numbered in the order in which they become visible.
func (st *Store) beginStoring(ctx context.Context, tx *sql.Tx) error {
	if st.db.Dialect() != database.Postgres {
		return touch(ctx, tx)
	}
	// All following lookups are by key. A database that was just filled has no statistics
	// yet, and would read whole tables for them. A node that is stopped or cut off in this
	// transaction must not block the other nodes until it continues.
	_, err := tx.ExecContext(ctx, `SET LOCAL enable_seqscan = off; SET LOCAL idle_in_transaction_session_timeout = '20s'; `+touchDocuments)
	return err
}

const touchDocuments = `INSERT INTO changes (topic, version) VALUES ('documents', 1) ON CONFLICT (topic) DO UPDATE SET version = changes.version + 1`

// touch records that content of pages or feeds has changed. It blocks other transactions
// that call it until this one commits.
func touch(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, touchDocuments)
	return err
}

func (b *batch) insert(ctx context.Context, in database.Insertion, rows [][]any) error {
	return in.Run(ctx, b.tx, b.st.db.Dialect(), rows)
}
