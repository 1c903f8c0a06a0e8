package feed

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dibao/internal/database"
	"dibao/policy"
	"dibao/policy/division"
)

// Document is an official text, identified by its number in its region (发文字号), or by title,
// date and issuer. Articles contain it; other texts mention it.
type Document struct {
	ID           int64
	Number       string   // canonical; "" if it has none
	Aliases      []string // other numbers and titles under which it is cited
	Title        string
	Issuers      []string // the first is the host
	Type         string   // 文种
	Level        division.Level
	Region       string // GB/T 2260 without trailing zeros; "" is national or unknown
	Theme        string
	IssuedOn     policy.Date
	PublishedOn  policy.Date
	EffectiveOn  policy.Date
	ExpiresOn    policy.Date // last day in force
	RepealedOn   policy.Date
	RepealedBy   int64 // the article that states the repeal; 0 means none
	SupersededOn policy.Date
	SupersededBy int64  // the document that is its next version; 0 means none
	Marker       string // what its page says about its status (已失效); "" if nothing
	Work         string // shared by all versions of a law or rule; "" for other documents
	Article      int64  // the article that shows it best; 0 means hidden or gone
	Withdrawn    bool   // every page that contained it was removed
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// Status returns the status of the document on a day.
func (d Document) Status(on policy.Date) policy.Status {
	facts := policy.Facts{Kind: policy.KindDocument, Marker: d.Marker, IssuedOn: d.IssuedOn, PublishedOn: d.PublishedOn, EffectiveOn: d.EffectiveOn, ExpiresOn: d.ExpiresOn}
	var events []policy.Event
	if d.RepealedBy != 0 {
		events = append(events, policy.Event{State: policy.StateRepealed, On: d.RepealedOn})
	}
	if d.SupersededBy != 0 {
		events = append(events, policy.Event{State: policy.StateSuperseded, On: d.SupersededOn})
	}
	if d.Withdrawn {
		events = append(events, policy.Event{State: policy.StateWithdrawn})
	}
	return policy.StatusOf(facts, events, on)
}

// StatusWord returns the key of the word for the status of the document on a day; see
// [policy.Status.Word]. A document that is known to be repealed later is "ending".
func (d Document) StatusWord(on policy.Date) string {
	word := d.Status(on).Word(on)
	if word == string(policy.StateExpiring) && d.RepealedBy != 0 {
		return "ending"
	}
	return word
}

// On returns the day of issue, or else of publication.
func (d Document) On() policy.Date {
	if d.IssuedOn.IsZero() {
		return d.PublishedOn
	}
	return d.IssuedOn
}

// documentColumns are the columns that scanDocument reads. Whether a document
// is withdrawn is a scalar query: PostgreSQL would evaluate NOT EXISTS for all
// documents at once, before the LIMIT.
const documentColumns = `d.id, d.number, d.title, d.issuers, d.type, d.level, d.region, d.theme, d.issued_on, d.published_on,
	d.effective_on, d.expires_on, d.repealed_on, COALESCE(d.repealed_by, 0), d.superseded_on, COALESCE(d.superseded_by, 0), d.marker, d.work, COALESCE(d.article, 0), d.created_at, d.updated_at,
	COALESCE((SELECT 0 FROM carriers c JOIN articles a ON a.id = c.article WHERE c.document = d.id AND a.withdrawn_at IS NULL LIMIT 1), 1) = 1`

func scanDocument(row database.Row) (Document, error) {
	var d Document
	var issuers string
	err := row.Scan(&d.ID, &d.Number, &d.Title, &issuers, &d.Type, &d.Level, &d.Region, &d.Theme, &d.IssuedOn, &d.PublishedOn,
		&d.EffectiveOn, &d.ExpiresOn, &d.RepealedOn, &d.RepealedBy, &d.SupersededOn, &d.SupersededBy, &d.Marker, &d.Work, &d.Article, &d.CreatedAt, &d.UpdatedAt, &d.Withdrawn)
	if err != nil {
		return d, err
	}
	return d, json.Unmarshal([]byte(issuers), &d.Issuers)
}

// Document returns one document with its aliases.
func (st *Store) Document(ctx context.Context, id int64) (Document, error) {
	var d Document
	err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		d, err = documentByID(ctx, tx, id)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return d, fmt.Errorf("document %d: %w", id, ErrNotFound)
	}
	return d, err
}

func documentByID(ctx context.Context, tx *sql.Tx, id int64) (Document, error) {
	d, err := scanDocument(tx.QueryRowContext(ctx, `SELECT `+documentColumns+` FROM documents d WHERE d.id = $1`, id))
	if err != nil {
		return d, err
	}
	names, err := database.Collect(ctx, tx, database.ScanOne[string],
		`SELECT name FROM document_names WHERE document = $1 AND kind = 'number' AND name <> $2 ORDER BY name`, id, d.Number)
	d.Aliases = names
	return d, err
}

// DocumentsByID returns documents by id, without their aliases; ids that do not
// exist are missing from the map.
func (st *Store) DocumentsByID(ctx context.Context, ids []int64) (map[int64]Document, error) {
	list, err := json.Marshal(orEmpty(ids))
	if err != nil {
		return nil, err
	}
	var found map[int64]Document
	err = st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		found, err = database.CollectMap(ctx, tx, func(r database.Row) (int64, Document, error) {
			d, err := scanDocument(r)
			return d.ID, d, err
		}, `SELECT `+documentColumns+` FROM documents d WHERE d.id IN (`+st.db.Dialect().IDs("$1")+`)`, string(list))
		return err
	})
	return found, err
}

// FindDocuments returns the documents with a number, in any form of its brackets, or with a
// title. Two governments may use the same number, so there may be several; the newest is
// first. Documents with only hidden pages are left out.
func (st *Store) FindDocuments(ctx context.Context, name string) ([]Document, error) {
	names := []string{policy.TitleKey(name)}
	if n, ok := policy.ParseNumber(name); ok {
		names = policy.NumberNames(n, "")
	}
	list, err := json.Marshal(names)
	if err != nil {
		return nil, err
	}
	var all []Document
	err = st.db.Read(ctx, func(tx *sql.Tx) error {
		ids, err := database.Collect(ctx, tx, database.ScanOne[int64], `
			SELECT DISTINCT d.id FROM document_names n JOIN documents d ON d.id = n.document
			WHERE n.name IN (`+st.db.Dialect().Texts("$1")+`) AND d.article IS NOT NULL LIMIT 100`, string(list))
		if err != nil {
			return err
		}
		for _, id := range ids {
			d, err := documentByID(ctx, tx, id)
			if err != nil {
				return err
			}
			all = append(all, d)
		}
		return nil
	})
	slices.SortFunc(all, func(a, b Document) int {
		if c := b.On().Compare(a.On()); c != 0 {
			return c
		}
		return int(a.ID - b.ID)
	})
	return all, err
}

// DocumentSelection says which documents to list; each field that is set narrows it.
type DocumentSelection struct {
	Region string // including the regions in it
	Level  division.Level
	Theme  string
	Type   string
	Issuer string
	Before int64 // a document id: only older ones, for paging
	Limit  int   // 0 means 50; at most MaxSelection
}

// Documents returns documents without their aliases, the most recently stored first.
func (st *Store) Documents(ctx context.Context, sel DocumentSelection) ([]Document, error) {
	if sel.Limit <= 0 {
		sel.Limit = 50
	}
	region := division.TrimCode(sel.Region)
	var all []Document
	err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		all, err = database.Collect(ctx, tx, scanDocument, `SELECT `+documentColumns+` FROM documents d
			WHERE ($1 = '' OR d.region LIKE $1 || '%') AND ($2 = '' OR d.level = $2) AND ($3 = '' OR d.theme LIKE '%' || $3 || '%')
				AND ($4 = '' OR d.type = $4) AND ($5 = '' OR d.issuers LIKE '%"' || $5 || '"%') AND ($6 = 0 OR d.id < $6) AND d.article IS NOT NULL
			ORDER BY d.id DESC LIMIT $7`,
			region, string(sel.Level), likeWord(sel.Theme), sel.Type, likeWord(sel.Issuer), sel.Before, min(sel.Limit, MaxSelection))
		return err
	})
	return all, err
}

// likeWord escapes the wildcards of LIKE in a word.
func likeWord(s string) string { return strings.NewReplacer("%", "", "_", "").Replace(s) }

// Versions returns all versions of the law or rule that a document is a version of, oldest
// first, including the document itself; nil if there are no others.
func (st *Store) Versions(ctx context.Context, id int64) ([]Document, error) {
	var all []Document
	err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		all, err = database.Collect(ctx, tx, scanDocument, `SELECT `+documentColumns+` FROM documents d
			JOIN documents me ON me.work = d.work AND me.region = d.region
			WHERE me.id = $1 AND me.work <> '' AND d.article IS NOT NULL ORDER BY COALESCE(d.issued_on, d.published_on, ''), d.id LIMIT 100`, id)
		return err
	})
	if len(all) < 2 {
		return nil, err
	}
	return all, err
}

// DocumentArticles returns the ids of the articles that contain a document, best rank first.
func (st *Store) DocumentArticles(ctx context.Context, id int64) ([]int64, error) {
	var all []int64
	err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		all, err = database.Collect(ctx, tx, database.ScanOne[int64], `
			SELECT c.article FROM carriers c JOIN articles a ON a.id = c.article WHERE c.document = $1 AND a.hidden = 0
			ORDER BY c.standing, COALESCE(a.published_on, '9999'), c.article LIMIT 1000`, id)
		return err
	})
	return all, err
}

// DocumentsOf returns the document that each article contains; articles that
// contain none are missing from the map.
func (st *Store) DocumentsOf(ctx context.Context, articles []int64) (map[int64]int64, error) {
	var found map[int64]int64
	err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		found, err = st.documentsOf(ctx, tx, articles)
		return err
	})
	return found, err
}

func (st *Store) documentsOf(ctx context.Context, tx *sql.Tx, articles []int64) (map[int64]int64, error) {
	if len(articles) == 0 {
		return map[int64]int64{}, nil
	}
	list, err := json.Marshal(articles)
	if err != nil {
		return nil, err
	}
	return database.CollectMap(ctx, tx, database.ScanPair[int64, int64],
		`SELECT article, document FROM carriers WHERE article IN (`+st.db.Dialect().IDs("$1")+`)`, string(list))
}
