package feed

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// Storing transactions run one after another: on SQLite because it has one writer, on
// PostgreSQL because of beginStoring, and there each takes some twenty round trips, whether it
// stores the articles of one source or of many. So the collections of a process that wait for
// each other share a transaction.

// errNotShared says that a shared transaction failed: each of its collections stores its
// articles in a transaction of its own, so that only the one at fault fails.
var errNotShared = errors.New("the shared transaction failed")

// sharedStoring lets collections store their articles in shared transactions.
type sharedStoring struct {
	mu      sync.Mutex
	busy    bool     // one of them leads a transaction
	waiting []*share // in the order of arrival
}

// share is what one collection stores in a shared transaction.
type share struct {
	prepared, stored []*batchArticle
	how              storing
	err              error
	turn             chan bool // true: lead the next transaction; false: it is stored, or err is set
}

// store stores prepared articles in a transaction with those of other collections. Its error
// is errNotShared if that failed.
func (g *sharedStoring) store(ctx context.Context, st *Store, prepared []*batchArticle, how storing) ([]*batchArticle, error) {
	s := &share{prepared: prepared, how: how, turn: make(chan bool, 1)}
	if !g.join(s) {
		select {
		case lead := <-s.turn:
			if !lead {
				return s.stored, s.err
			}
		case <-ctx.Done():
			if g.withdraw(s) {
				return nil, ctx.Err()
			}
			if lead := <-s.turn; !lead {
				return s.stored, s.err
			}
		}
	}
	g.lead(ctx, st, s)
	return s.stored, s.err
}

// join reports whether s leads the next transaction; otherwise it waits.
func (g *sharedStoring) join(s *share) (leads bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.busy {
		g.busy = true
		return true
	}
	g.waiting = append(g.waiting, s)
	return false
}

// withdraw reports whether s still waited, and no longer does.
func (g *sharedStoring) withdraw(s *share) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, w := range g.waiting {
		if w == s {
			g.waiting = append(g.waiting[:i], g.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// take returns the first waiting shares that a piece has room for, after those in all. It takes
// none of a source that is in all: both may store the same article.
func (g *sharedStoring) take(all []*share, most int) []*share {
	var articles []*batchArticle
	for _, s := range all {
		articles = append(articles, s.prepared...)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.waiting) > 0 {
		next := g.waiting[0].prepared
		isTaken := slices.ContainsFunc(articles, func(a *batchArticle) bool { return a.SourceID == next[0].SourceID })
		articles = append(articles, next...)
		if isTaken || pieceOf(articles, most) < len(articles) {
			break
		}
		all, g.waiting = append(all, g.waiting[0]), g.waiting[1:]
	}
	return all
}

// lead stores the articles of s and of the collections that wait when its transaction can
// write, and lets the next one lead.
func (g *sharedStoring) lead(ctx context.Context, st *Store, s *share) {
	all := []*share{s}
	err := errNotShared // if storing panics; the collection at fault panics again in its own transaction
	defer func() {
		if p := recover(); p != nil {
			slog.Error("storing articles of several sources together failed; each is stored alone", "panic", p, "stack", string(debug.Stack()))
		}
		if err != nil {
			err = errNotShared
		}
		for _, s := range all {
			s.err = err
		}
		for _, s := range all[1:] {
			s.turn <- false
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.busy = len(g.waiting) > 0; g.busy {
			g.waiting[0].turn <- true
			g.waiting = g.waiting[1:]
		}
	}()
	err = st.db.Write(ctx, func(tx *sql.Tx) error {
		if err := st.beginStoring(ctx, tx); err != nil {
			return err
		}
		all = g.take(all, st.pieces.Size())
		return st.storeShares(ctx, tx, all)
	})
}

// storeShares stores the articles of all shares in a transaction.
func (st *Store) storeShares(ctx context.Context, tx *sql.Tx, all []*share) error {
	how := all[0].how
	if len(all) > 1 {
		how.compared = newComparisons()
	}
	how.compared.unknown = nil
	var articles []*batchArticle
	for _, s := range all {
		s.stored = copies(s.prepared) // fresh copies, because this may run again
		articles = append(articles, s.stored...)
		if len(all) > 1 {
			how.compared.others = append(how.compared.others, s.how.compared)
		}
	}
	began := time.Now()
	defer func() { st.pieces.Took(len(articles), time.Since(began)) }()
	return st.storeWithin(ctx, tx, articles, how)
}
