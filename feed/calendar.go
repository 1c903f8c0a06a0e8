package feed

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"dibao/internal/database"
	"dibao/policy"
)

// DayKind is what happens on a day.
type DayKind string

// The kinds of day.
const (
	DayEffective DayKind = "effective" // 施行日
	DayExpires   DayKind = "expires"   // the last day in force, 到期日
	DayRepealed  DayKind = "repealed"  // 废止日
	DayDeadline  DayKind = "deadline"  // the last day to act, 截止日
)

// Day is a date that a document or an article names.
type Day struct {
	Kind    DayKind
	On      policy.Date
	ID      int64 // of the article for deadlines, else of the document
	Article int64 // that shows it, 0: none
	Title   string
	Number  string
	Changes int       // how often the day or the title did
	At      time.Time // when what it is of was stored or changed last
}

// Agenda says which days are asked for; the zero Agenda is all of them.
type Agenda struct {
	Feed string // of article_feeds
	List int64  // that matched the article
}

// maxDays is how many days an agenda holds.
const maxDays = 1000

// The articles of an agenda: all, those in a feed, those that a list matched.
const agendaArticles = ` (SELECT a.id FROM articles a
		WHERE $2 = '' AND $3 = 0 AND a.id = w.article
		UNION ALL SELECT f.article FROM article_feeds f WHERE $2 <> '' AND f.feed = $2 AND f.article = w.article
		UNION ALL SELECT m.article FROM matches m WHERE $3 > 0 AND m.list = $3 AND m.article = w.article)`

// dayQueries find the days of each kind. A text that several sites carry is one:
// its document's, or the first of its cluster's.
var dayQueries = map[DayKind]string{
	DayEffective: dayOfDocument("effective_on"),
	DayExpires:   dayOfDocument("expires_on"),
	DayRepealed:  dayOfDocument("repealed_on"),
	DayDeadline: `SELECT w.deadline_on, w.article, w.article, w.title, w.number, w.date_changes, w.updated_at FROM (
			SELECT a.deadline_on, a.id AS article, a.title, a.document_number AS number, a.date_changes, a.updated_at FROM articles a
			LEFT JOIN clusters c ON c.article = a.id
			WHERE a.deadline_on IS NOT NULL AND a.deadline_on <> '' AND a.deadline_on >= $1 AND a.hidden = 0 AND a.withdrawn_at IS NULL AND COALESCE(c.first, 1) = 1) AS w
		WHERE EXISTS` + agendaArticles + ` ORDER BY w.deadline_on DESC, w.article DESC LIMIT $4`,
}

// dayOfDocument is the query of one column of documents.
func dayOfDocument(column string) string {
	return `SELECT d.` + column + `, d.id, COALESCE(d.article, 0), d.title, d.number, d.date_changes, d.updated_at FROM documents d
		WHERE d.` + column + ` IS NOT NULL AND d.` + column + ` <> '' AND d.` + column + ` >= $1 AND d.article IS NOT NULL
		AND EXISTS (SELECT 1 FROM carriers w WHERE w.document = d.id AND EXISTS` + agendaArticles + `)
		ORDER BY d.` + column + ` DESC, d.id DESC LIMIT $4`
}

// Days returns the days of an agenda from a day on, the nearest to its end last,
// at most a thousand.
func (st *Store) Days(ctx context.Context, ask Agenda, from policy.Date) ([]Day, error) {
	var all []Day
	err := st.db.Read(ctx, func(tx *sql.Tx) error {
		all = nil
		for kind, query := range dayQueries {
			days, err := database.Collect(ctx, tx, func(r database.Row) (Day, error) {
				d := Day{Kind: kind}
				err := r.Scan(&d.On, &d.ID, &d.Article, &d.Title, &d.Number, &d.Changes, &d.At)
				return d, err
			}, query, from, ask.Feed, ask.List, maxDays)
			if err != nil {
				return err
			}
			all = append(all, days...)
		}
		return nil
	})
	slices.SortFunc(all, func(a, b Day) int {
		return cmp.Or(a.On.Compare(b.On), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
	})
	return all[max(len(all)-maxDays, 0):], err
}
