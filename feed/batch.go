package feed

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"dibao/feed/amend"
	"dibao/feed/search"
	"dibao/internal/database"
	"dibao/policy"
	"dibao/policy/division"
)

// batchArticle is an article that is being stored.
type batchArticle struct {
	Article
	pageNext time.Time // when to read its page again; zero means never
	document int64     // the document that it contains; 0 means none
	titleKey string
	said     []Relation     // cached result of relations
	titles   *policy.Names  // cached result of title
	waiting  search.Waiting // what the index will hold, if the article waits for the index
	readHash string         // for a stored article that is judged again: the hash of its text when it was read

	// results of prepare
	sketch     []int64
	columns    largeColumns
	columnsErr error
	amends     amend.StoredArticle

	unfinished bool // it was not compared with all articles that may have the same text
}

// candidate is a known document, with which identities and citations are compared.
type candidate struct {
	id                          int64
	number, title, region, work string
	subject                     string // set if it was stored in this batch
	level                       division.Level
	issuers                     []string
	issuedOn                    policy.Date
	on                          policy.Date // date of issue, else of publication
}

// batch is the state of storing several articles together. It knows all documents that have
// a name which the articles use.
type batch struct {
	st        *Store
	tx        *sql.Tx
	now       time.Time
	articles  []*batchArticle
	named     map[string][]*candidate // by name
	inner     map[string]bool         // name + "\n" + id: names that are not the document's own title
	loaded    map[string]bool         // names that were looked up
	byID      map[int64]*candidate
	fresh     []string           // names that documents got in this batch
	created   []*candidate       // new documents
	changed   []*candidate       // documents whose relations are determined again
	leftWorks []work             // works that a document no longer belongs to: their versions are ordered again
	separated []int64            // articles whose cluster was split
	extends   []int64            // documents whose term of validity others extend, or no longer extend
	regrouped map[int64]bool     // clusters that were split or merged again
	clusters  map[int64]int64    // current clusters of the articles that were asked for; 0 means none
	keys      map[int64]textRef  // texts of the articles with which those of the batch are compared
	merged    map[int64]bool     // clusters whose original is to be chosen
	adopted   map[int64][]string // by document: the pages that it took over
	compared  *comparisons
	waiting   []implementer // cached result of waitingTitles
	hasRead   bool          // waiting is set
}

func (b *batch) ids() []int64 {
	ids := make([]int64, len(b.articles))
	for i, a := range b.articles {
		ids[i] = a.ID
	}
	return ids
}

// load looks up the documents that have these names.
func (b *batch) load(ctx context.Context, names []string) error {
	names = slices.DeleteFunc(names, func(n string) bool { return n == "" || b.loaded[n] })
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	names = slices.Compact(names)
	for _, n := range names {
		b.loaded[n] = true
	}
	list, err := json.Marshal(names)
	if err != nil {
		return err
	}
	type found struct {
		name, kind string
		candidate
	}
	all, err := database.Collect(ctx, b.tx, func(row database.Row) (found, error) {
		var f found
		var issuers string
		err := row.Scan(&f.name, &f.kind, &f.id, &f.number, &f.title, &f.region, &f.work, &f.level, &issuers, &f.issuedOn)
		if err != nil {
			return f, err
		}
		return f, json.Unmarshal([]byte(issuers), &f.issuers)
	}, b.st.db.Dialect().Pick(namedSQLite, namedPostgres), string(list), maxNamed)
	if err != nil {
		return fmt.Errorf("look up documents: %w", err)
	}
	for _, f := range all {
		c := b.byID[f.id]
		if c == nil {
			c = &f.candidate
			b.byID[f.id] = c
		}
		b.addName(name{f.name, f.kind}, c)
	}
	return nil
}

// maxNamed limits the documents that are considered for one name. Only a meaningless name
// is shared by more, or one that somebody uses to slow us down.
const maxNamed = 50

const (
	namedColumns = `SELECT n.name, n.kind, d.id, d.number, d.title, d.region, d.work, d.level, d.issuers, d.issued_on `
	namedSQLite  = namedColumns + `FROM json_each($1) q, json_each((SELECT json_group_array(document) FROM
			(SELECT document FROM document_names WHERE name = q.value ORDER BY document LIMIT $2))) j
		JOIN document_names n ON n.name = q.value AND n.document = j.value JOIN documents d ON d.id = n.document ORDER BY d.id`
	namedPostgres = namedColumns + `FROM jsonb_array_elements_text($1::jsonb) q (value) CROSS JOIN LATERAL
			(SELECT name, document, kind FROM document_names WHERE name = q.value ORDER BY document LIMIT $2) n JOIN documents d ON d.id = n.document ORDER BY d.id`
)

func (b *batch) addName(n name, c *candidate) {
	if !slices.Contains(b.named[n.name], c) {
		b.named[n.name] = append(b.named[n.name], c)
		if n.kind == "inner" {
			b.inner[fmt.Sprint(n.name, "\n", c.id)] = true
		}
	}
}

func sortedKeys[T any](m map[int64]T) []int64 {
	keys := make([]int64, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
