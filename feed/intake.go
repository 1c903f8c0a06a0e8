package feed

import (
	"context"
	"time"
)

// Incoming is an article to be stored.
type Incoming struct {
	Article
	New      bool      // not stored yet
	PageNext time.Time // when to read its page again; zero means never
	ReadHash string    // if ID is set: the text's hash of the stored article, which this one replaces without a revision
}

// Intake stores the articles of one collection. It compares each pair of texts
// only once, within a budget.
type Intake struct {
	st       *Store
	compared *comparisons
}

// NewIntake returns an intake for one collection. Its calls must not overlap.
func (st *Store) NewIntake() *Intake { return &Intake{st, newComparisons()} }

// Store stores articles and updates everything that depends on them, and returns how many
// were new. Storing them twice changes nothing.
func (in *Intake) Store(ctx context.Context, articles []Incoming, now time.Time) (added int, err error) {
	all := make([]*batchArticle, len(articles))
	for i, a := range articles {
		a.isNew = a.New
		all[i] = &batchArticle{Article: a.Article, pageNext: a.PageNext, readHash: a.ReadHash}
	}
	return in.st.store(ctx, all, storing{now: now, compared: in.compared})
}
