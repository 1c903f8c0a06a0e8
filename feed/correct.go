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
	"unicode/utf8"

	"dibao/internal/fault"
	"dibao/internal/lazyregexp"
	"dibao/policy/division"
	"dibao/policy/warn"

	"dibao/internal/database"
	"dibao/policy"
	"dibao/policy/theme"
)

// Correction is a fact of an article that an admin set. It overrides the result of package
// policy each time the article is stored.
type Correction struct {
	Field string
	Value *string // nil removes the correction
	Note  string
	At    time.Time
}

// correctable are the fields that can be corrected, and how each is set.
var correctable = map[string]func(f *policy.Facts, value string) error{
	"title":   correctTitle,
	"summary": func(f *policy.Facts, v string) error { f.Summary = v; return nil },
	"type":    func(f *policy.Facts, v string) error { f.Type = v; return nil },
	"kind":    correctKind,
	"number":  correctNumber,
	"issuer":  func(f *policy.Facts, v string) error { f.Issuers = splitWords(v); return nil },
	"theme":   correctTheme,
	"region":  correctRegion,
	"published": correctDate(func(f *policy.Facts) (*policy.Date, *string) {
		f.PublishedAt = time.Time{}
		return &f.PublishedOn, &f.PublishedFrom
	}),
	"issued":    correctDate(func(f *policy.Facts) (*policy.Date, *string) { return &f.IssuedOn, &f.IssuedFrom }),
	"effective": correctDate(func(f *policy.Facts) (*policy.Date, *string) { return &f.EffectiveOn, &f.EffectiveFrom }),
	"expires":   correctDate(func(f *policy.Facts) (*policy.Date, *string) { return &f.ExpiresOn, &f.ExpiresFrom }),
	"deadline":  correctDate(func(f *policy.Facts) (*policy.Date, *string) { return &f.DeadlineOn, &f.DeadlineFrom }),
	"opens":     correctDate(func(f *policy.Facts) (*policy.Date, *string) { return &f.OpensOn, &f.OpensFrom }),
	"author":    func(f *policy.Facts, v string) error { f.Author = v; return nil },
	"office":    func(f *policy.Facts, v string) error { f.AuthorOffice = v; return nil },
	"body":      func(f *policy.Facts, v string) error { f.AuthorBody = v; return nil },
	"credit":    func(f *policy.Facts, v string) error { f.Credit = v; return nil },
	"index":     func(f *policy.Facts, v string) error { f.IndexNumber = v; return nil },
	"level":     correctLevel,
	"audience":  correctAudience,
	fieldPinned: nil,
	fieldHidden: nil,
}

const (
	fieldPinned = "pinned"
	fieldHidden = "hidden"
	// byHand is the provenance of a fact that an admin set.
	byHand = "人工更正"
)

// CorrectableFields returns the fields that Correct takes, sorted.
func CorrectableFields() []string {
	var all []string
	for f := range correctable {
		all = append(all, f)
	}
	slices.Sort(all)
	return all
}

func correctTitle(f *policy.Facts, v string) error {
	if strings.TrimSpace(v) == "" {
		return errors.New("an article without a title can't be shown; specify one, or undo the correction with --undo title")
	}
	f.Title = v
	return nil
}

func correctTheme(f *policy.Facts, v string) error {
	if err := CheckTheme(v); v != "" && err != nil {
		return err
	}
	f.Theme, f.ThemeFrom = theme.Named(v), byHand
	return nil
}

// otherTheme is the class of the 主题分类 that no words lead to.
const otherTheme = "其他"

// CheckTheme returns an error unless a theme is in the 主题分类 or part of one (民政 of 民政、扶贫、救灾,
// or a second level after a backslash). The error names the themes in the language of the name.
func CheckTheme(name string) error {
	if name == otherTheme || theme.Main(name) != "" {
		return nil
	}
	language := "zh"
	if name != "" && name[0] < utf8.RuneSelf {
		language = "en"
	}
	var known []string
	for _, t := range theme.Names {
		known = append(known, theme.NameIn(t, language))
	}
	return fmt.Errorf("theme %q is not in the classification of the State Council: %s", name, strings.Join(append(known, otherTheme), "；"))
}

func correctKind(f *policy.Facts, v string) error {
	if v != "" && !slices.Contains(policy.Kinds, policy.Kind(v)) {
		return fmt.Errorf("kind %q is unknown; use one of %s", v, fault.Choices(policy.Kinds))
	}
	f.Kind = policy.Kind(v)
	return nil
}

func correctLevel(f *policy.Facts, v string) error {
	if v != "" && !slices.Contains(levels, division.Level(v)) {
		return fault.Invalid("level %q is unknown; use one of %s", v, fault.Choices(levels))
	}
	f.Level = division.Level(v)
	return nil
}

func correctAudience(f *policy.Facts, v string) error {
	f.Audiences = splitWords(v)
	for _, a := range f.Audiences {
		known := false
		for _, x := range policy.Audiences {
			known = known || x.Name == a
		}
		if !known {
			return fault.Invalid("audience %q is unknown; specify one such as 企业 or 老年人", a)
		}
	}
	return nil
}

func correctNumber(f *policy.Facts, v string) error {
	n, ok := policy.ParseNumber(v)
	if v != "" && !ok {
		return fmt.Errorf("%q is not a document number; write it as 国办发〔2023〕15号", v)
	}
	f.DocumentNumber = n
	return nil
}

func correctRegion(f *policy.Facts, v string) error {
	code := division.Code(v)
	if v != "" && code == "" && division.TrimCode(v) != "" {
		return fmt.Errorf("region %q is unknown; specify its code or its name, such as 51 or 四川省", v)
	}
	f.Region = code
	return nil
}

// writtenDay matches a day as people write it: 2026年12月20日, 2026/12/20.
var writtenDay = lazyregexp.New(`^\s*\d{4}\s*[年/.-]\s*\d{1,2}\s*[月/.-]\s*\d{1,2}\s*日?\s*$`)

// plainDay returns a day that writtenDay matches as YYYY-MM-DD.
func plainDay(v string) string {
	n := strings.FieldsFunc(v, func(r rune) bool { return r < '0' || r > '9' })
	return fmt.Sprintf("%s-%02s-%02s", n[0], n[1], n[2])
}

func correctDate(field func(*policy.Facts) (*policy.Date, *string)) func(*policy.Facts, string) error {
	return func(f *policy.Facts, v string) error {
		var d policy.Date
		if err := d.UnmarshalText([]byte(writtenDay.ReplaceAllStringFunc(v, plainDay))); err != nil {
			return err
		}
		on, from := field(f)
		*on, *from = d, byHand
		if d.IsZero() {
			*from = ""
		}
		return nil
	}
}

func splitWords(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '、' || r == ',' || r == '，' })
}

// Correct sets facts of an article as an admin wants them. It evaluates and stores the
// article again, and updates the document that it contains and the search index.
func (st *Store) Correct(ctx context.Context, article int64, corrections []Correction) error {
	for _, c := range corrections {
		apply, ok := correctable[c.Field]
		if !ok {
			return fault.Invalid("field %q can't be corrected; the fields are %s", c.Field, strings.Join(CorrectableFields(), ", "))
		}
		if c.Value == nil {
			continue
		}
		if apply == nil {
			if *c.Value != "0" && *c.Value != "1" {
				return fault.Invalid("%s must be 0 or 1, not %q", c.Field, *c.Value)
			}
		} else if err := apply(&policy.Facts{}, *c.Value); err != nil {
			return fault.InvalidError{Err: err}
		}
	}
	now := st.Now()
	how := storing{now: now, compared: newComparisons(), before: func(tx *sql.Tx) error {
		for _, c := range corrections {
			if _, err := tx.ExecContext(ctx, `INSERT INTO corrections (article, field, value, note, at) VALUES ($1, $2, $3, $4, $5)`,
				article, c.Field, c.Value, c.Note, now); err != nil {
				return err
			}
		}
		return nil
	}, after: func(tx *sql.Tx) error { return checkLife(ctx, tx, article, corrections) }}
	n, err := st.reread(ctx, []int64{article}, how)
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("article %d: %w", article, ErrNotFound)
	}
	return st.Index.Flush(ctx)
}

// checkLife refuses corrections that would make a text expire before it takes
// effect.
func checkLife(ctx context.Context, tx *sql.Tx, article int64, corrections []Correction) error {
	if !slices.ContainsFunc(corrections, func(c Correction) bool { return c.Field == "effective" || c.Field == "expires" }) {
		return nil
	}
	var effective, expires string
	err := tx.QueryRowContext(ctx, `SELECT COALESCE(effective_on, ''), COALESCE(expires_on, '') FROM articles WHERE id = $1`, article).Scan(&effective, &expires)
	if err == nil && effective != "" && expires != "" && expires < effective {
		return fault.Invalid("the article would expire on %s, before it is in force on %s; correct the other date, too", expires, effective)
	}
	return err
}

// Corrections returns the corrections of an article, oldest first.
func (st *Store) Corrections(ctx context.Context, article int64) ([]Correction, error) {
	var all []Correction
	err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		all, err = database.Collect(ctx, tx, func(row database.Row) (Correction, error) {
			var c Correction
			err := row.Scan(&c.Field, &c.Value, &c.Note, &c.At)
			return c, err
		}, `SELECT field, value, note, at FROM corrections WHERE article = $1 ORDER BY id`, article)
		return err
	})
	return all, err
}

// applyCorrections overrides the facts of known articles with their corrections.
func (st *Store) applyCorrections(ctx context.Context, tx *sql.Tx, articles []*batchArticle) error {
	type key struct {
		source int64
		guid   string
	}
	known := make(map[key]*batchArticle)
	var guids []string
	for _, a := range articles {
		if !a.isNew {
			known[key{a.SourceID, a.GUID}] = a
			guids = append(guids, a.GUID)
		}
	}
	if len(guids) == 0 {
		return nil
	}
	list, err := json.Marshal(guids)
	if err != nil {
		return err
	}
	type set struct {
		key
		hidden, pinned bool
		field, value   *string
	}
	all, err := database.Collect(ctx, tx, func(row database.Row) (set, error) {
		var s set
		err := row.Scan(&s.source, &s.guid, &s.hidden, &s.pinned, &s.field, &s.value)
		return s, err
	}, `SELECT a.source, a.guid, a.hidden = 1, a.pinned = 1, c.field, c.value FROM articles a
		LEFT JOIN corrections c ON c.article = a.id AND c.id = (SELECT MAX(l.id) FROM corrections l WHERE l.article = c.article AND l.field = c.field)
		WHERE a.guid IN (`+st.db.Dialect().Texts("$1")+`) AND a.source IN (`+st.db.Dialect().IDs("$2")+`)`, string(list), sourcesOf(articles))
	if err != nil {
		return fmt.Errorf("read corrections: %w", err)
	}
	var errs []error
	for _, s := range all {
		a := known[s.key]
		if a == nil {
			continue
		}
		a.Hidden, a.Pinned = s.hidden, s.pinned
		if s.field == nil || s.value == nil || correctable[*s.field] == nil {
			continue
		}
		errs = append(errs, correctable[*s.field](&a.Facts, *s.value))
		a.said, a.titles = nil, nil // derived from the facts before the correction
	}
	for _, s := range all { // flags have columns of their own
		a := known[s.key]
		if a == nil || s.field == nil {
			continue
		}
		on := s.value != nil && *s.value == "1"
		switch *s.field {
		case fieldHidden:
			a.Hidden = on
		case fieldPinned:
			a.Pinned = on
		default:
			continue
		}
		_, err := tx.ExecContext(ctx, `UPDATE articles SET hidden = $3, pinned = $4 WHERE source = $1 AND guid = $2`, a.SourceID, a.GUID, oneIf(a.Hidden), oneIf(a.Pinned))
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func sourcesOf(articles []*batchArticle) string {
	var ids []int64
	for _, a := range articles {
		if !slices.Contains(ids, a.SourceID) {
			ids = append(ids, a.SourceID)
		}
	}
	list, _ := json.Marshal(ids) // integers always marshal
	return string(list)
}

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
}

// rereadPage is the number of articles that are evaluated again in one transaction.
const rereadPage = 100

// Reread evaluates stored articles again by the current rules, without fetching; no ids
// means all. It returns their number. If progress is set, it is called after every page
// with the number so far.
func (st *Store) Reread(ctx context.Context, ids []int64, progress func(done int)) (int, error) {
	ctx = database.Background(ctx)
	total := 0
	one := func(page []int64) error {
		n, err := st.reread(ctx, page, storing{now: st.Now(), compared: newComparisons()})
		total += n
		if err == nil && progress != nil {
			progress(total)
		}
		return err
	}
	if len(ids) > 0 {
		for page := range slices.Chunk(ids, rereadPage) {
			if err := one(page); err != nil {
				return total, err
			}
		}
		return total, st.Index.Flush(ctx)
	}
	for after := int64(0); ; {
		var page []int64
		err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
			page, err = database.Collect(ctx, tx, database.ScanOne[int64], `SELECT id FROM articles WHERE id > $1 ORDER BY id LIMIT $2`, after, rereadPage)
			return err
		})
		if err != nil {
			return total, err
		}
		if len(page) == 0 {
			return total, st.Index.Flush(ctx)
		}
		if err := one(page); err != nil {
			return total, err
		}
		after = page[len(page)-1]
	}
}

// reread evaluates stored articles again and returns their number. If another process
// stored one in the meantime, it is read once more.
func (st *Store) reread(ctx context.Context, ids []int64, how storing) (int, error) {
	for try := 1; ; try++ {
		var all []*batchArticle
		err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
			all, err = st.loadForStoring(ctx, tx, ids)
			return err
		})
		if err != nil {
			return 0, err
		}
		for _, a := range all {
			a.rejudge()
		}
		if _, err = st.store(ctx, all, how); !errors.Is(err, errChanged) || try == 5 {
			return len(all), err
		}
	}
}

// rejudge evaluates a stored article by the current rules.
func (a *batchArticle) rejudge() {
	read := readingWarnings(a.Warnings, append(a.Facts.Warnings, uncompared))
	a.Facts, a.Call = understand(a.Evidence, a.CollectedAt)
	a.Warnings = append(read, a.Facts.Warnings...)
	a.TextHash = hashText(a.Facts)
}

// loadForStoring reads stored articles so that they can be stored again.
func (st *Store) loadForStoring(ctx context.Context, tx *sql.Tx, ids []int64) ([]*batchArticle, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	return database.Collect(ctx, tx, func(row database.Row) (*batchArticle, error) {
		var a batchArticle
		var next sql.Null[time.Time]
		var err error
		if a.Article, err = scanFullArticle(withNext{row, &next}); err != nil {
			return nil, err
		}
		a.pageNext, a.readHash = next.V, a.TextHash
		return &a, nil
	}, `SELECT `+articleColumns+textColumns+`, a.page_next_at FROM articles a JOIN sources s ON s.id = a.source
		WHERE a.id IN (`+st.db.Dialect().IDs("$1")+`) ORDER BY a.id`, string(list))
}

// readingWarnings returns the warnings about reading the page: all except those of the
// earlier evaluation.
func readingWarnings(all, judged []warn.Warning) []warn.Warning {
	return slices.DeleteFunc(slices.Clone(all), func(w warn.Warning) bool { return slices.ContainsFunc(judged, w.Equal) })
}

// withNext scans one more column than the function that uses it knows of.
type withNext struct {
	database.Row
	next *sql.Null[time.Time]
}

func (w withNext) Scan(dest ...any) error { return w.Row.Scan(append(dest, w.next)...) }
