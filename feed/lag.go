package feed

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"dibao/internal/database"
	"dibao/policy"
)

// Lag says how long the articles of an issuer take to appear and to be collected.
type Lag struct {
	Issuer      string
	Published   int           // articles with a known date of issue and of publication
	IssueDays   int           // median from issue to publication, in days; valid only if Published is not 0
	Collected   int           // articles with a known time of publication
	CollectTime time.Duration // median from publication to collection; valid only if Collected is not 0

	days  []int
	waits []time.Duration
}

// lagRows is the number of articles from which the lags of issuers are computed.
const lagRows = 10_000

// Lags returns how long articles that were collected since a time took to appear, by lead
// issuer, those with the most articles first. Articles that were published before their
// source was added do not count, nor do archives. Only the newest 10,000 articles are read;
// cut reports that there are more.
func (st *Store) Lags(ctx context.Context, since time.Time) (lags []*Lag, cut bool, err error) {
	byIssuer := make(map[string]*Lag)
	rows := 0
	from := policy.DateOf(since)
	err = st.db.Read(ctx, func(tx *sql.Tx) error {
		_, err := database.Collect(ctx, tx, func(r database.Row) (struct{}, error) {
			var text string
			var issued, published policy.Date
			var at sql.Null[time.Time]
			var collected, added time.Time
			if err := r.Scan(&text, &issued, &published, &at, &collected, &added); err != nil {
				return struct{}{}, err
			}
			var issuers []string
			if err := json.Unmarshal([]byte(text), &issuers); err != nil || len(issuers) == 0 {
				return struct{}{}, err
			}
			if rows++; rows > lagRows {
				return struct{}{}, nil
			}
			l := byIssuer[issuers[0]]
			if l == nil {
				l = &Lag{Issuer: issuers[0]}
				byIssuer[l.Issuer] = l
			}
			if !issued.IsZero() && !published.Before(issued) && !published.Before(from) {
				l.days = append(l.days, issued.DaysUntil(published))
			}
			if at.Valid && at.V.After(added) && !collected.Before(at.V) {
				l.waits = append(l.waits, collected.Sub(at.V))
			}
			return struct{}{}, nil
		}, `SELECT a.issuers, a.issued_on, a.published_on, a.published_at, a.collected_at, s.created_at FROM articles a JOIN sources s ON s.id = a.source
			WHERE a.collected_at >= $1 AND a.issuers <> '[]' AND a.published_on IS NOT NULL ORDER BY a.collected_at DESC LIMIT $2`, since, lagRows+1)
		return err
	})
	for _, l := range slices.SortedFunc(maps.Values(byIssuer), func(a, b *Lag) int {
		return cmp.Or(cmp.Compare(len(b.days)+len(b.waits), len(a.days)+len(a.waits)), cmp.Compare(a.Issuer, b.Issuer))
	}) {
		if l.Published, l.Collected = len(l.days), len(l.waits); l.Published+l.Collected == 0 {
			continue
		}
		l.IssueDays, l.CollectTime = median(l.days), median(l.waits)
		lags = append(lags, l)
	}
	return lags, rows > lagRows, err
}

// median returns the middle value, or the lower one of two; zero if there are no values.
func median[T cmp.Ordered](all []T) (m T) {
	if len(all) == 0 {
		return m
	}
	slices.Sort(all)
	return all[(len(all)-1)/2]
}
