package feed

import (
	"context"
	"time"
)

// Incoming is an article on its way into the store.
type Incoming struct {
	Article
	New      bool      // nothing is stored of it yet
	PageNext time.Time // when its page is to be read again; zero: never
}

// Intake stores the articles of one collection. It compares each pair of texts
// only once, within a budget.
type Intake struct {
	st       *Store
	compared *comparisons
}

// NewIntake returns an intake for one collection. It serves one call at a time.
func (st *Store) NewIntake() *Intake { return &Intake{st, newComparisons()} }

// Store stores articles with all that follows from them, and returns how many were
// new. Storing them twice changes nothing.
func (in *Intake) Store(ctx context.Context, articles []Incoming, now time.Time) (added int, err error) {
	arrivals := make([]*arrival, len(articles))
	for i, a := range articles {
		a.isNew = a.New
		arrivals[i] = &arrival{Article: a.Article, pageNext: a.PageNext}
	}
	return in.st.store(ctx, arrivals, storing{now: now, compared: in.compared})
}
