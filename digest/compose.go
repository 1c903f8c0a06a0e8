package digest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"dibao/feed"
	"dibao/internal/database"
	"dibao/internal/jobs"
	"dibao/policy"
	"dibao/subscribers"
)

// Composed says what one due time brought.
type Composed struct {
	Mailing    int64 // 0: nothing was new, nothing is sent
	DueAt      time.Time
	Issues     []Issue
	Deliveries int
}

// ComposeDue composes everything that is due now: for each list at most one
// issue, at the latest due time that passed since its last one, so that a node
// that slept through several makes one. Running it again, or on two nodes at
// once, makes nothing twice.
func (s *Service) ComposeDue(ctx context.Context) ([]Composed, error) {
	lists, err := s.subscribers.Lists(ctx)
	if err != nil {
		return nil, err
	}
	due := make(map[time.Time][]subscribers.List)
	for _, l := range lists {
		at, ok, err := s.dueAt(ctx, l)
		if err != nil {
			return nil, fmt.Errorf("schedule of list %s: %w", l.Slug, err)
		}
		if ok {
			due[at] = append(due[at], l)
		}
	}
	if len(due) == 0 {
		return nil, nil
	}
	if err := s.Match(ctx); err != nil {
		return nil, err
	}
	times := make([]time.Time, 0, len(due))
	for at := range due {
		times = append(times, at)
	}
	slices.SortFunc(times, time.Time.Compare)
	var all []Composed
	for _, at := range times {
		c, err := s.compose(ctx, at, due[at])
		if err != nil {
			return all, fmt.Errorf("compose what is due at %s: %w", at.Format(time.RFC3339), err)
		}
		all = append(all, c)
	}
	return all, nil
}

// ComposeNow composes an issue of the given lists outside their schedule.
func (s *Service) ComposeNow(ctx context.Context, lists []subscribers.List) (Composed, error) {
	if err := s.Match(ctx); err != nil {
		return Composed{}, err
	}
	return s.compose(ctx, s.now(), lists)
}

// NextDue returns when the next issue of l is due.
func (s *Service) NextDue(l subscribers.List) (time.Time, error) {
	schedule, err := listSchedule(l)
	if err != nil {
		return time.Time{}, err
	}
	return schedule.Next(s.now()).UTC(), nil
}

func listSchedule(l subscribers.List) (interface{ Next(time.Time) time.Time }, error) {
	zone, err := time.LoadLocation(l.Zone)
	if err != nil {
		return nil, fmt.Errorf("unknown time zone %q; use a name such as Asia/Shanghai", l.Zone)
	}
	return jobs.ParseSchedule(l.Cron, zone)
}

// dueAt returns the latest due time of l that has passed since its last issue.
func (s *Service) dueAt(ctx context.Context, l subscribers.List) (time.Time, bool, error) {
	schedule, err := listSchedule(l)
	if err != nil {
		return time.Time{}, false, err
	}
	after := l.CreatedAt
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		var last sql.Null[time.Time]
		err := tx.QueryRowContext(ctx,
			`SELECT due_at FROM issues WHERE list = $1 ORDER BY due_at DESC LIMIT 1`, l.ID).Scan(&last)
		if last.Valid && last.V.After(after) {
			after = last.V
		}
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return time.Time{}, false, err
	}
	at, ok := jobs.LastDue(schedule, after, s.now())
	return at.UTC(), ok, nil
}

// compose makes the issues of lists at one due time, and the mailing that
// brings them, in one transaction.
func (s *Service) compose(ctx context.Context, due time.Time, lists []subscribers.List) (Composed, error) {
	slices.SortFunc(lists, func(a, b subscribers.List) int { return cmp.Compare(a.ID, b.ID) })
	out := Composed{DueAt: due}
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		out = Composed{DueAt: due}
		var fresh []Issue
		for _, l := range lists {
			issue, err := s.composeIssue(ctx, tx, l, due)
			if err != nil {
				return fmt.Errorf("list %s: %w", l.Slug, err)
			}
			if issue.Number > 0 {
				fresh = append(fresh, issue)
			}
		}
		if len(fresh) == 0 {
			return nil
		}
		mailing, err := insertMailing(ctx, tx, due, s.now())
		if err != nil {
			return err
		}
		out.Mailing, out.Issues = mailing, fresh
		for _, issue := range fresh {
			if _, err := tx.ExecContext(ctx, `UPDATE issues SET mailing = $2 WHERE id = $1`, issue.ID, mailing); err != nil {
				return err
			}
		}
		out.Deliveries, err = s.addDeliveries(ctx, tx, mailing, fresh)
		return err
	})
	if err != nil {
		return Composed{}, err
	}
	if out.Mailing != 0 {
		s.opts.Logger.Info("mailing composed", "mailing_id", out.Mailing, "due_at", due, "issues", len(out.Issues), "deliveries", out.Deliveries)
	}
	return out, nil
}

// insertMailing makes the mailing of a due time. Where one is there already (a
// list came due a moment after the others were composed) the new one is a
// microsecond later: a mailing that may be on its way is never changed.
func insertMailing(ctx context.Context, tx *sql.Tx, due, now time.Time) (id int64, err error) {
	for at := due; ; at = at.Add(time.Microsecond) {
		err = tx.QueryRowContext(ctx, `
			INSERT INTO mailings (due_at, state, created_at) VALUES ($1, 'sending', $2)
			ON CONFLICT (due_at) DO NOTHING RETURNING id`, at, now).Scan(&id)
		if !errors.Is(err, sql.ErrNoRows) {
			return id, err
		}
	}
}

// composeIssue makes the issue of one list at a due time from the matches that
// came after its last issue. Where there are none it stores issue 0, which only
// remembers that the due time was seen. An issue that is there already comes
// back with Number 0.
func (s *Service) composeIssue(ctx context.Context, tx *sql.Tx, l subscribers.List, due time.Time) (Issue, error) {
	if err := lockList(ctx, tx, l.ID); err != nil {
		return Issue{}, err
	}
	var number, lastSeq int64
	err := tx.QueryRowContext(ctx,
		`SELECT COALESCE(MAX(number), 0), COALESCE(MAX(last_seq), 0) FROM issues WHERE list = $1`, l.ID).Scan(&number, &lastSeq)
	if err != nil {
		return Issue{}, err
	}
	items, err := s.candidates(ctx, tx, l, lastSeq)
	if err != nil {
		return Issue{}, err
	}
	issue := Issue{List: l, DueAt: due}
	if len(items) > 0 {
		issue.Number = number + 1
		lastSeq = slices.MaxFunc(items, func(a, b matched) int { return cmp.Compare(a.seq, b.seq) }).seq
	}
	err = tx.QueryRowContext(ctx, `
		INSERT INTO issues (list, number, due_at, last_seq, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (list, due_at) DO NOTHING RETURNING id`,
		l.ID, issue.Number, due, lastSeq, s.now()).Scan(&issue.ID)
	if errors.Is(err, sql.ErrNoRows) { // composed already, here or on another node
		return Issue{}, nil
	}
	if err != nil {
		return Issue{}, err
	}
	sortMatched(items)
	for i, m := range items {
		if _, err := tx.ExecContext(ctx, `INSERT INTO issue_items (issue, position, article, section, why) VALUES ($1, $2, $3, $4, $5)`,
			issue.ID, i+1, m.article.ID, sectionOf(m.article), m.why); err != nil {
			return Issue{}, err
		}
		issue.Articles = append(issue.Articles, m.article.ID)
	}
	return issue, nil
}

// matched is a match with its article.
type matched struct {
	seq     int64
	why     string // JSON
	article feed.Article
}

// candidates returns the matches of l after a sequence number, the oldest
// first, at most as many as an issue holds: the rest waits for the next one.
func (s *Service) candidates(ctx context.Context, tx *sql.Tx, l subscribers.List, after int64) ([]matched, error) {
	ids := []int64{}
	all, err := database.Collect(ctx, tx, func(r database.Row) (matched, error) {
		var m matched
		err := r.Scan(&m.seq, &m.article.ID, &m.why)
		ids = append(ids, m.article.ID)
		return m, err
	}, `SELECT seq, article, why FROM matches WHERE list = $1 AND seq > $2 ORDER BY seq LIMIT $3`, l.ID, after, l.MaxItems)
	if err != nil {
		return nil, err
	}
	articles, err := s.articles.ArticlesByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i := range all {
		a, ok := articles[all[i].article.ID]
		if !ok {
			return nil, fmt.Errorf("article %d of a match is not there", all[i].article.ID)
		}
		all[i].article = a
	}
	return all, nil
}

// sections of an issue in reading order: what has a deadline first.
var sections = []string{"consultations", "documents", "interpretations", "signed", "news", "other"}

// sectionOf says under which heading an article stands.
func sectionOf(a feed.Article) string {
	switch a.Facts.Kind {
	case policy.KindConsultation:
		return "consultations"
	case policy.KindDocument:
		return "documents"
	case policy.KindInterpretation:
		return "interpretations"
	case policy.KindSignedArticle:
		return "signed"
	case policy.KindNews:
		return "news"
	}
	return "other"
}

// sortMatched puts matches in reading order.
func sortMatched(m []matched) { slices.SortStableFunc(m, byReadingOrder) }

// byReadingOrder sorts by section; among consultations the nearest deadline
// first, else the newest first.
func byReadingOrder(x, y matched) int {
	a, b := x.article, y.article
	sa, sb := sectionOf(a), sectionOf(b)
	if c := cmp.Compare(slices.Index(sections, sa), slices.Index(sections, sb)); c != 0 {
		return c
	}
	if sa == "consultations" {
		if c := cmp.Compare(orLast(a.Facts.DeadlineOn), orLast(b.Facts.DeadlineOn)); c != 0 {
			return c
		}
	}
	if c := b.PublishedIn(time.UTC).Compare(a.PublishedIn(time.UTC)); c != 0 {
		return c
	}
	return cmp.Compare(a.ID, b.ID)
}

func orLast(d policy.Date) string {
	if d.IsZero() {
		return "9999"
	}
	return d.String()
}

// readerPage is how many readers are composed for at a time.
const readerPage = 1000

// addDeliveries gives every reader of the issues one delivery with the articles
// that are new to that reader; a reader for whom nothing is left gets none.
func (s *Service) addDeliveries(ctx context.Context, tx *sql.Tx, mailing int64, issues []Issue) (n int, err error) {
	lists := make([]int64, len(issues))
	byList := make(map[int64]Issue, len(issues))
	var articles []int64
	for i, issue := range issues {
		lists[i] = issue.List.ID
		byList[issue.List.ID] = issue
		articles = append(articles, issue.Articles...)
	}
	sentBefore, err := s.sentBefore(ctx, tx, mailing, articles)
	if err != nil {
		return 0, err
	}
	variants := variantSet{service: s, tx: tx, mailing: mailing, ids: make(map[string]int64)}
	insert, err := tx.PrepareContext(ctx, `
		INSERT INTO deliveries (mailing, subscriber, variant, state, next_at) VALUES ($1, $2, $3, 'waiting', $4)
		ON CONFLICT (mailing, subscriber) DO NOTHING`)
	if err != nil {
		return 0, err
	}
	defer insert.Close()
	now := s.now()
	for after := int64(0); ; {
		readers, err := s.subscribers.ForMailing(ctx, lists, after, readerPage)
		if err != nil {
			return n, err
		}
		for _, r := range readers {
			after = r.ID
			contents := contentsFor(r, byList, sentBefore[r.ID])
			if len(contents) == 0 {
				continue
			}
			variant, err := variants.id(ctx, r.Language, contents)
			if err != nil {
				return n, err
			}
			if _, err := insert.ExecContext(ctx, mailing, r.ID, variant, now); err != nil {
				return n, err
			}
			n++
		}
		if len(readers) < readerPage {
			return n, nil
		}
	}
}

// sentBefore returns, by reader, which of the articles went out to them in
// earlier mailings, through whatever list.
func (s *Service) sentBefore(ctx context.Context, tx *sql.Tx, mailing int64, articles []int64) (map[int64]map[int64]bool, error) {
	sent := make(map[int64]map[int64]bool)
	rows, err := tx.QueryContext(ctx, `
		SELECT d.subscriber, i.article FROM variant_items i JOIN deliveries d ON d.variant = i.variant
		WHERE i.article IN (`+s.db.Dialect().IDs("$1")+`) AND d.mailing <> $2 AND d.state NOT IN ('failed', 'suppressed')`,
		toJSON(articles), mailing)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var subscriber, article int64
		if err := rows.Scan(&subscriber, &article); err != nil {
			return nil, err
		}
		if sent[subscriber] == nil {
			sent[subscriber] = make(map[int64]bool)
		}
		sent[subscriber][article] = true
	}
	return sent, rows.Err()
}

// content is one article of a reader's mail and the issue it came through.
type content struct{ article, issue int64 }

// contentsFor merges the issues of a reader's lists: each article once, through
// the first list that has it, without what the reader already got.
func contentsFor(r subscribers.Reader, issues map[int64]Issue, sent map[int64]bool) []content {
	var out []content
	seen := make(map[int64]bool)
	lists := slices.Sorted(slices.Values(r.Lists))
	for _, list := range lists {
		for _, a := range issues[list].Articles {
			if !seen[a] && !sent[a] {
				seen[a] = true
				out = append(out, content{a, issues[list].ID})
			}
		}
	}
	return out
}

// variantSet stores each different content of a mailing once.
type variantSet struct {
	service *Service
	tx      *sql.Tx
	mailing int64
	ids     map[string]int64
}

func (v *variantSet) id(ctx context.Context, language string, contents []content) (int64, error) {
	h := sha256.New()
	fmt.Fprintln(h, language)
	var issues []int64
	for _, c := range contents {
		fmt.Fprintln(h, c.article, c.issue)
		if !slices.Contains(issues, c.issue) {
			issues = append(issues, c.issue)
		}
	}
	key := hex.EncodeToString(h.Sum(nil)[:16])
	if id, ok := v.ids[key]; ok {
		return id, nil
	}
	var id int64
	err := v.tx.QueryRowContext(ctx, `INSERT INTO variants (mailing, key, language, issues) VALUES ($1, $2, $3, $4) RETURNING id`,
		v.mailing, key, language, toJSON(issues)).Scan(&id)
	if err != nil {
		return 0, err
	}
	for i, c := range contents {
		if _, err := v.tx.ExecContext(ctx, `INSERT INTO variant_items (variant, position, article, issue) VALUES ($1, $2, $3, $4)`,
			id, i+1, c.article, c.issue); err != nil {
			return 0, err
		}
	}
	v.ids[key] = id
	return id, nil
}
