package feed

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"dibao/policy/same"
	"dibao/policy/warn"

	"dibao/internal/budget"
	"dibao/internal/database"
	"dibao/policy"
)

// Comparing two long texts takes longer than storing them, so a transaction only looks up the
// results of earlier comparisons. It compares a few short texts itself: those of articles that
// other transactions stored in the meantime. Otherwise it would be restarted again and again
// while many sources publish the same text.

// errUncompared says that a transaction needs the result of a comparison that was not made
// yet.
var errUncompared = errors.New("texts have not been compared yet")

const (
	// maxCompared limits the steps that one collection spends on comparing texts: about
	// five seconds. Texts beyond that are not compared, and their articles get a warning.
	maxCompared = 1 << 29
	// stepsOfByte is the cost of loading and preparing a byte of text.
	stepsOfByte = 8
	// maxKept limits the prepared texts that are kept during a comparison, and keptBetween
	// those kept until the next one, in bytes of text.
	maxKept, keptBetween = 2 << 20, 64 << 10
	// A transaction compares texts of at most maxShort bytes each, maxAllShort together, and
	// begins no comparison after maxShortSteps, about 20 ms. One comparison takes at most 50 ms.
	maxShort, maxAllShort, maxShortSteps = 8 << 10, 128 << 10, 2 << 20
)

// uncompared is the warning for an article that was not compared with every
// article that may have the same text.
var uncompared = warn.New("not-compared")

// textKey identifies the text of an article for comparisons.
type textKey struct {
	hash, title, number string
	issued, published   policy.Date
}

func (a *batchArticle) textKey() textKey {
	return textKey{a.TextHash, a.Title(), a.Facts.DocumentNumber, a.Facts.IssuedOn, a.Facts.PublishedOn}
}

// pairOf returns the key of two texts; it is the same in either order.
func pairOf(a, b textKey) [2]textKey {
	less := a.hash < b.hash
	if a.hash == b.hash {
		less = a.title+a.number+a.issued.String()+a.published.String() < b.title+b.number+b.issued.String()+b.published.String()
	}
	if less {
		return [2]textKey{a, b}
	}
	return [2]textKey{b, a}
}

// textRef is a text's key and the article that stores it.
type textRef struct {
	key textKey
	id  int64
}

// comparisons remembers the results of comparisons. It is used by one storing operation at
// a time.
type comparisons struct {
	known    map[[2]textKey]same.Result
	prepared map[textKey]*same.Text
	kept     int // size of the prepared texts, in bytes of text
	left     int // remaining steps
	unknown  [][2]textRef
	last     bool           // no more comparisons: unknown results stay unknown
	others   []*comparisons // known results of others count, too
}

func newComparisons() *comparisons {
	return &comparisons{known: make(map[[2]textKey]same.Result), prepared: make(map[textKey]*same.Text), left: maxCompared}
}

// sameness returns the known result for two texts. If there is none, the pair
// is compared after the transaction.
func (c *comparisons) sameness(a, b textRef) same.Result {
	pair := pairOf(a.key, b.key)
	if s, ok := c.known[pair]; ok {
		return s
	}
	for _, other := range c.others {
		if s, ok := other.known[pair]; ok {
			return s
		}
	}
	if c.last {
		return same.Result{Unfinished: true}
	}
	c.unknown = append(c.unknown, [2]textRef{a, b})
	return same.Result{}
}

// text returns a text, prepared for comparison.
func (c *comparisons) text(key textKey, facts policy.Facts) *same.Text {
	if t := c.prepared[key]; t != nil {
		return t
	}
	size := 0
	for _, p := range facts.Paragraphs {
		size += len(p)
	}
	c.forget(maxKept - size)
	c.kept += size
	c.left -= stepsOfByte * size
	t := policy.TextOf(facts)
	c.prepared[key] = t
	return t
}

// forget drops the prepared texts if they exceed a number of bytes.
func (c *comparisons) forget(most int) {
	if c.kept > most {
		clear(c.prepared)
		c.kept = 0
	}
}

// compare compares two texts.
func (c *comparisons) compare(key [2]textKey, a, b *same.Text) {
	s := a.Compare(b)
	c.left -= s.Steps
	c.known[key] = s
}

// compareAhead compares the articles with stored ones that share a part of their sketch, or
// that seem to contain the same document: most of the pairs that the transaction needs.
func (st *Store) compareAhead(ctx context.Context, articles []*batchArticle, c *comparisons) error {
	sketches := make(map[*batchArticle][]int64)
	for _, a := range articles {
		if a.PageState != PageWanted && len(a.sketch) > 0 {
			sketches[a] = a.sketch
		}
	}
	c.unknown, c.last = nil, false
	err := st.db.Read(ctx, func(tx *sql.Tx) error {
		b := newBatch(st, tx, articles, storing{compared: c})
		alike, err := b.withSharedSketch(ctx, sketches)
		if err != nil {
			return err
		}
		if err := b.addLikelyArticles(ctx, alike); err != nil {
			return err
		}
		keys, err := b.textsByID(ctx, slices.Concat(slices.Collect(maps.Values(alike))...))
		if err != nil {
			return err
		}
		for a, ids := range alike {
			slices.Sort(ids)
			for _, id := range slices.Compact(ids) {
				if other, ok := keys[id]; ok && id != a.ID {
					c.sameness(textRef{a.textKey(), a.ID}, other)
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return st.compareUnknown(ctx, articles, c)
}

// addLikelyArticles adds to found, for each article, some that contain the document stored
// under its names. Articles of the batch that seem to contain the same new document are also
// compared with each other.
func (b *batch) addLikelyArticles(ctx context.Context, found map[*batchArticle][]int64) error {
	var names []string
	for _, a := range b.articles {
		if a.containsDocument() {
			for _, n := range a.names() {
				names = append(names, n.name)
			}
		}
	}
	if err := b.load(ctx, names); err != nil {
		return err
	}
	stored, own := make(map[int64][]int64), make(map[string][]*batchArticle)
	for _, a := range b.articles {
		if !a.containsDocument() {
			continue
		}
		if all := own[documentKey(a)]; len(all) < maxAlike {
			own[documentKey(a)] = append(all, a)
		}
		if c := b.identify(a); c != nil {
			if stored[c.id] == nil {
				var err error
				if stored[c.id], err = b.articlesOf(ctx, c.id); err != nil {
					return err
				}
			}
			found[a] = append(found[a], stored[c.id]...)
		}
	}
	for _, a := range b.articles {
		for _, other := range own[documentKey(a)] {
			if other != a && a.containsDocument() {
				b.compared.sameness(textRef{a.textKey(), a.ID}, textRef{other.textKey(), other.ID})
			}
		}
	}
	return nil
}

// compareUnknown compares the pairs whose results a transaction needed.
func (st *Store) compareUnknown(ctx context.Context, articles []*batchArticle, c *comparisons) error {
	if len(c.unknown) == 0 {
		return nil
	}
	own, size := make(map[textKey]policy.Facts), 0
	for _, a := range articles {
		own[a.textKey()] = a.Facts
		size += 2 * a.weight() // twice, for the stored texts that they are compared with
	}
	done, err := budget.Reserve(ctx, min(size, maxKept))
	if err != nil {
		return err
	}
	defer done()
	defer c.forget(keptBetween)
	for _, pair := range c.unknown {
		key := pairOf(pair[0].key, pair[1].key)
		if _, ok := c.known[key]; ok {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if c.left <= 0 {
			c.known[key] = same.Result{Unfinished: true}
			continue
		}
		var texts [2]*same.Text
		for i, ref := range pair {
			var err error
			if texts[i], err = st.textOf(ctx, ref, own, c); err != nil {
				return err
			}
		}
		if texts[0] != nil && texts[1] != nil { // otherwise one has changed in the meantime, and the new pair is requested again
			if key[0] != pair[0].key {
				texts[0], texts[1] = texts[1], texts[0]
			}
			c.compare(key, texts[0], texts[1])
		}
	}
	c.unknown = nil
	return nil
}

// compareShort compares the pairs whose results the transaction needs, in the transaction. It
// returns errUncompared if that would take long.
func (b *batch) compareShort(ctx context.Context) error {
	c := b.compared
	texts := make(map[int64]*batchArticle)
	for _, a := range b.articles {
		texts[a.ID] = a
	}
	asked := make(map[int64]bool)
	for _, pair := range c.unknown {
		asked[pair[0].id], asked[pair[1].id] = true, true
	}
	ids, sum, longest := sortedKeys(asked), 0, 0
	length := b.st.db.Dialect().Pick("length(CAST(paragraphs AS BLOB))", "octet_length(paragraphs)")
	if err := b.tx.QueryRowContext(ctx, `SELECT COALESCE(SUM(`+length+`), 0), COALESCE(MAX(`+length+`), 0) FROM articles WHERE id IN (`+b.st.db.Dialect().IDs("$1")+`)`, database.JSON(ids)).Scan(&sum, &longest); err != nil {
		return err
	}
	if sum > maxAllShort || longest > maxShort {
		return errUncompared
	}
	all, err := b.st.loadForStoring(ctx, b.tx, slices.DeleteFunc(ids, func(id int64) bool { return texts[id] != nil }))
	if err != nil {
		return err
	}
	for _, a := range all {
		texts[a.ID] = a
	}
	defer c.forget(keptBetween)
	before := c.left
	for _, pair := range c.unknown {
		if c.left <= 0 || before-c.left > maxShortSteps {
			return errUncompared
		}
		key := pairOf(pair[0].key, pair[1].key)
		if _, ok := c.known[key]; ok {
			continue
		}
		if key[0] != pair[0].key {
			pair[0], pair[1] = pair[1], pair[0]
		}
		c.compare(key, c.text(key[0], texts[pair[0].id].Facts), c.text(key[1], texts[pair[1].id].Facts))
	}
	c.unknown = nil
	return nil
}

// textOf returns a prepared text; nil if it is no longer stored.
func (st *Store) textOf(ctx context.Context, ref textRef, own map[textKey]policy.Facts, c *comparisons) (*same.Text, error) {
	if t := c.prepared[ref.key]; t != nil {
		return t, nil
	}
	if facts, ok := own[ref.key]; ok {
		return c.text(ref.key, facts), nil
	}
	stored, err := st.Article(ctx, ref.id)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if a := (&batchArticle{Article: stored}); a.textKey() != ref.key {
		return nil, nil
	}
	return c.text(ref.key, stored.Facts), nil
}

// textsByID returns the keys of stored texts, by article.
func (b *batch) textsByID(ctx context.Context, ids []int64) (map[int64]textRef, error) {
	all, err := b.textKeys(ctx, ids)
	keys := make(map[int64]textRef, len(all))
	for _, k := range all {
		keys[k.id] = k
	}
	return keys, err
}

// textKeys returns the keys of stored texts.
func (b *batch) textKeys(ctx context.Context, ids []int64) ([]textRef, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	return database.Collect(ctx, b.tx, func(row database.Row) (r textRef, err error) {
		err = row.Scan(&r.id, &r.key.hash, &r.key.title, &r.key.number, &r.key.issued, &r.key.published)
		return r, err
	}, `SELECT id, text_hash, title, document_number, issued_on, published_on FROM articles WHERE id IN (`+b.st.db.Dialect().IDs("$1")+`) ORDER BY id`, string(list))
}
