package subscribers

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"dibao/internal/database"
	"dibao/internal/fault"
	"dibao/internal/jobs"
	"dibao/internal/lazyregexp"
	"dibao/policy"
	"dibao/policy/division"
	"dibao/policy/fold"
)

// Visibility says who may see a list.
type Visibility string

// The visibilities of a list.
const (
	Public     Visibility = "public"
	Hidden     Visibility = "hidden"     // only visible at its secret address; an admin adds readers
	Invitation Visibility = "invitation" // only visible at its secret address; readers need a link from an admin
)

// The default schedule of a list: Monday morning.
const (
	DefaultCron     = "0 8 * * 1"
	DefaultZone     = "Asia/Shanghai"
	DefaultMaxItems = 60
)

// Query says which articles a list contains; package digest applies it. Within a field one
// value is enough; all fields that are set must match.
type Query struct {
	Themes    []string `json:"themes,omitempty"`
	Regions   []string `json:"regions,omitempty"` // GB/T 2260 codes, including the regions in them
	Issuers   []string `json:"issuers,omitempty"`
	Kinds     []string `json:"kinds,omitempty"`
	Types     []string `json:"types,omitempty"` // type of official document (文种), such as 通知
	Sources   []int64  `json:"sources,omitempty"`
	Documents []string `json:"documents,omitempty"` // numbers of followed documents: articles that contain, change or explain them
	Chains    []string `json:"chains,omitempty"`    // numbers of documents; articles about their implementation by lower levels match
	Any       []string `json:"any,omitempty"`       // words and phrases
	All       []string `json:"all,omitempty"`
	None      []string `json:"none,omitempty"`
}

// List is what readers subscribe to: a saved query, a schedule, a sender and a
// language.
type List struct {
	ID          int64
	Slug        string // used in addresses and in List-Id
	Title       string
	Description string
	Query       Query
	Cron        string // five fields; times of day are in Zone
	Zone        string // IANA name
	Sender      string // an address with an optional name; "" means that of the node
	Language    string // zh or en
	MaxItems    int    // in one issue
	Visibility  Visibility
	PageKey     string // the secret in the address of a list that is not public; set by the store

	AsItHappens bool          // send an issue when there is something new, MinGap after the last one; Cron is ignored
	MinGap      time.Duration // minimum time between two issues, in whole seconds; 0 means none
	WorkingDays bool          // send nothing on weekends and holidays of policy's calendar: issues wait for the next working day
	Welcome     bool          // readers who confirm get the last issue at once
	Hold        bool          // issues wait for an admin to send them

	CreatedAt time.Time
	UpdatedAt time.Time
}

var slugPattern = lazyregexp.New(`^[a-z0-9][a-z0-9-]{0,62}$`)

// Limits on a list, because pages and emails show it as a whole.
const (
	maxTitle       = 200      // characters
	maxDescription = 2000     // characters
	maxQuery       = 64 << 10 // bytes of JSON
	maxMaxItems    = 500
)

// Limits on the time between two issues. With less than ten minutes, each article is an
// email, which readers consider spam.
const (
	minMinGap = 10 * time.Minute
	maxMinGap = 366 * 24 * time.Hour
)

// fill sets the defaults.
func (l *List) fill() {
	l.Title = cmp.Or(l.Title, l.Slug)
	l.Cron = cmp.Or(l.Cron, DefaultCron)
	l.Zone = cmp.Or(l.Zone, DefaultZone)
	l.Language = cmp.Or(l.Language, "zh")
	l.MaxItems = cmp.Or(l.MaxItems, DefaultMaxItems)
	l.Visibility = cmp.Or(l.Visibility, Public)
}

// check returns an error, in one sentence, for a list that can't work.
func (l *List) check() error {
	switch {
	case !slugPattern.MatchString(l.Slug):
		return fmt.Errorf("name %q of the list: use up to 63 lowercase letters, digits and hyphens, such as weekly", l.Slug)
	case l.Title == "":
		return errors.New("a list needs a title; it can be its name")
	case !utf8.ValidString(l.Title+l.Description+l.Sender) || strings.ContainsFunc(l.Title+l.Description+l.Sender, unicode.IsControl):
		return errors.New("title, description and sender of a list are one line of text each; remove line breaks and control characters")
	case utf8.RuneCountInString(l.Title) > maxTitle:
		return fmt.Errorf("title of the list is longer than %d characters; put the rest into the description", maxTitle)
	case utf8.RuneCountInString(l.Description) > maxDescription:
		return fmt.Errorf("description of the list is longer than %d characters; shorten it", maxDescription)
	case len(toJSON(l.Query)) > maxQuery:
		return fmt.Errorf("query of the list is longer than %d bytes; split it into several lists", maxQuery)
	case l.Language != "zh" && l.Language != "en":
		return fmt.Errorf("language %q must be zh or en", l.Language)
	case l.Visibility != Public && l.Visibility != Hidden && l.Visibility != Invitation:
		return fmt.Errorf("visibility %q must be public, hidden or invitation", l.Visibility)
	case l.MinGap < 0 || l.MinGap > maxMinGap || l.MinGap%time.Second != 0:
		return fmt.Errorf("the gap between two issues must be from 0 to %d days in whole seconds, not %s", maxMinGap/(24*time.Hour), l.MinGap)
	case l.AsItHappens && l.MinGap < minMinGap:
		return fmt.Errorf("--as-it-happens needs a --min-gap of at least %s, such as 1h", minMinGap)
	case l.MaxItems < 1 || l.MaxItems > maxMaxItems:
		return fmt.Errorf("an issue contains 1 to %d articles, not %d", maxMaxItems, l.MaxItems)
	}
	if l.Sender != "" {
		if _, err := mail.ParseAddress(l.Sender); err != nil {
			return fmt.Errorf("sender %q is not an address; write it as 名称 <name@example.org>", l.Sender)
		}
	}
	if err := l.Query.check(); err != nil {
		return err
	}
	return checkSchedule(l.Cron, l.Zone)
}

// check refuses conditions that can never match, and replaces names of regions by codes and
// numbers of documents by their canonical form.
func (q *Query) check() error {
	for _, field := range [][]string{q.Themes, q.Regions, q.Issuers, q.Kinds, q.Types, q.Documents, q.Chains, q.Any, q.All, q.None} {
		if slices.Contains(field, "") {
			return errors.New("an empty value in a condition of the list matches nothing; leave it out")
		}
	}
	for _, words := range [][]string{q.Any, q.All, q.None} {
		if i := slices.IndexFunc(words, func(w string) bool { return strings.TrimSpace(fold.Text(w)) == "" }); i >= 0 {
			return fmt.Errorf("the word %q has no visible character; leave it out", words[i])
		}
	}
	for i, r := range q.Regions {
		code := division.Code(r)
		if code == "" {
			return fmt.Errorf("region %q is unknown; specify its code or its name, such as 51 or 四川省", r)
		}
		if r[0] > '9' {
			q.Regions[i] = code
		}
	}
	for _, k := range q.Kinds {
		if !slices.Contains(policy.Kinds, policy.Kind(k)) {
			return fmt.Errorf("kind %q is unknown; use one of %s", k, fault.Choices(policy.Kinds))
		}
	}
	for _, numbers := range [][]string{q.Documents, q.Chains} {
		for i, n := range numbers {
			canonical, ok := policy.ParseNumber(n)
			if !ok {
				return fmt.Errorf("%q is not a document number; write it as 国办发〔2023〕15号", n)
			}
			numbers[i] = canonical
		}
	}
	return nil
}

// checkSchedule refuses invalid cron expressions, and those without distinct due times: a
// mailing is identified by its due time.
func checkSchedule(expr, zone string) error {
	location, err := time.LoadLocation(zone)
	if err != nil || zone == "" || zone == "Local" {
		return fmt.Errorf("unknown time zone %q; use a name such as Asia/Shanghai", zone)
	}
	if strings.Contains(expr, "TZ=") {
		return fmt.Errorf("cron expression %q names a time zone; set the zone of the list instead", expr)
	}
	if strings.HasPrefix(expr, "@every") {
		return fmt.Errorf("cron expression %q has no times of day; write minute hour day month weekday, such as 0 8 * * 1", expr)
	}
	schedule, err := jobs.ParseSchedule(expr, location)
	if err != nil {
		return err
	}
	// Any start is suitable: within five years every date occurs, even 29 February.
	if schedule.Next(time.Date(2000, 1, 1, 0, 0, 0, 0, location)).IsZero() {
		return fmt.Errorf("cron expression %q is never due, because no month has that day", expr)
	}
	return nil
}

const listColumns = `id, slug, title, description, query, cron, zone, sender, language, max_items, visibility,
	as_it_happens, min_gap_seconds, working_days, welcome, hold, page_key, created_at, updated_at`

func scanList(r database.Row) (List, error) {
	var l List
	var query string
	var gap int64
	err := r.Scan(&l.ID, &l.Slug, &l.Title, &l.Description, &query, &l.Cron, &l.Zone, &l.Sender, &l.Language, &l.MaxItems, &l.Visibility,
		&l.AsItHappens, &gap, &l.WorkingDays, &l.Welcome, &l.Hold, &l.PageKey, &l.CreatedAt, &l.UpdatedAt)
	if err != nil {
		return List{}, err
	}
	l.MinGap = time.Duration(gap) * time.Second
	if err := json.Unmarshal([]byte(query), &l.Query); err != nil {
		return List{}, fmt.Errorf("query of list %s: %w", l.Slug, err)
	}
	return l, nil
}

// values returns the columns of a list that an admin sets, beginning with slug.
func (l *List) values() []any {
	return []any{l.Slug, l.Title, l.Description, toJSON(l.Query), l.Cron, l.Zone, l.Sender, l.Language, l.MaxItems, l.Visibility,
		flag(l.AsItHappens), int64(l.MinGap / time.Second), flag(l.WorkingDays), flag(l.Welcome), flag(l.Hold)}
}

// flag returns a bool as both databases store it.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// CreateList stores a new list and returns it with its id.
func (s *Store) CreateList(ctx context.Context, l List) (List, error) {
	l.fill()
	return s.writeList(ctx, l, `
		INSERT INTO lists (slug, title, description, query, cron, zone, sender, language, max_items, visibility,
			as_it_happens, min_gap_seconds, working_days, welcome, hold, page_key, created_at, updated_at)
		VALUES ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $1, $1) RETURNING `, newPageKey())
}

// UpdateList stores all fields of the list with the ID of l except its times.
func (s *Store) UpdateList(ctx context.Context, l List) (List, error) {
	updated, err := s.writeList(ctx, l, `
		UPDATE lists SET slug = $2, title = $3, description = $4, query = $5, cron = $6, zone = $7, sender = $8, language = $9,
			max_items = $10, visibility = $11, as_it_happens = $12, min_gap_seconds = $13, working_days = $14, welcome = $15, hold = $16,
			updated_at = $1
		WHERE id = $17 AND removed_at IS NULL RETURNING `, l.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return List{}, fault.Missing("no list %q; to see all lists: dibao list show", l.Slug)
	}
	return updated, err
}

// writeList checks a list and writes it with a statement whose parameters are the
// time, the values of the list and one more value.
func (s *Store) writeList(ctx context.Context, l List, statement string, last any) (List, error) {
	if err := l.check(); err != nil {
		return List{}, fault.InvalidError{Err: err}
	}
	slug, values := l.Slug, append(append([]any{s.now()}, l.values()...), last)
	err := s.db.Write(ctx, func(tx *sql.Tx) (err error) {
		l, err = scanList(tx.QueryRowContext(ctx, statement+listColumns, values...))
		return err
	})
	if database.IsUniqueViolation(err) {
		return List{}, fmt.Errorf("a list %q already exists; choose another name", slug)
	}
	return l, err
}

// RemoveList ends all subscriptions to a list and removes it; its issues remain. Its slug
// is available for a new list.
func (s *Store) RemoveList(ctx context.Context, id int64) error {
	now := s.now()
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		// Slugs do not contain a tilde.
		res, err := tx.ExecContext(ctx, `UPDATE lists SET removed_at = $2, slug = slug || '~' || id WHERE id = $1 AND removed_at IS NULL`, id, now)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); n == 0 || err != nil {
			return cmp.Or(err, ErrNotFound)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO consents (subscriber, list, event, at, detail)
			SELECT subscriber, list, 'unsubscribed', $2, $3 FROM subscriptions
			WHERE list = $1 AND state <> 'unsubscribed' ORDER BY subscriber`, id, now, "the list was removed")
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE subscriptions SET state = 'unsubscribed', ended_at = $2 WHERE list = $1 AND state <> 'unsubscribed'`, id, now)
		return err
	})
}

// shownSlug returns a slug for display: RemoveList adds a suffix to that of a removed list,
// so that its name is available again.
func shownSlug(slug string) string {
	if name, _, removed := strings.Cut(slug, "~"); removed {
		return name + " (removed)"
	}
	return slug
}

// Lists returns all lists by id.
func (s *Store) Lists(ctx context.Context) ([]List, error) {
	var all []List
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		all, err = database.Collect(ctx, tx, scanList, `SELECT `+listColumns+` FROM lists WHERE removed_at IS NULL ORDER BY id`)
		return err
	})
	return all, err
}

// ListBySlug returns the list with this slug.
func (s *Store) ListBySlug(ctx context.Context, slug string) (List, error) {
	var l List
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		l, err = scanList(tx.QueryRowContext(ctx, `SELECT `+listColumns+` FROM lists WHERE slug = $1 AND removed_at IS NULL`, slug))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return List{}, fault.Missing("no list %q; to see all lists: dibao list show", slug)
	}
	return l, err
}

// CountStates returns the number of a list's subscriptions, by state. Confirmed ones of
// suppressed readers, who get no mail, are counted as "suppressed".
func (s *Store) CountStates(ctx context.Context, list int64) (map[string]int, error) {
	counts := map[string]int{string(StateConfirmed): 0, string(StatePending): 0, string(StateUnsubscribed): 0}
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		found, err := database.CollectMap(ctx, tx, database.ScanPair[string, int], `SELECT state, COUNT(*) FROM subscriptions WHERE list = $1 GROUP BY state`, list)
		if err != nil {
			return err
		}
		maps.Copy(counts, found)
		n, err := s.countSuppressed(ctx, tx, list)
		counts["suppressed"] = n
		counts[string(StateConfirmed)] -= n
		return err
	})
	return counts, err
}

// CountSubscriptions returns the number of subscriptions of all lists, by state. A reader
// of two lists counts twice.
func (s *Store) CountSubscriptions(ctx context.Context) (map[string]int, error) {
	return s.countBy(ctx, `SELECT s.state, COUNT(*) FROM subscriptions s JOIN lists l ON l.id = s.list WHERE l.removed_at IS NULL GROUP BY s.state`)
}

// CountReaders returns the number of people with a confirmed subscription: a reader of two
// lists counts once.
func (s *Store) CountReaders(ctx context.Context) (n int, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT COUNT(DISTINCT s.subscriber) FROM subscriptions s JOIN lists l ON l.id = s.list
			WHERE l.removed_at IS NULL AND s.state = 'confirmed'`).Scan(&n)
	})
	return n, err
}

// countBy returns the counts of a query, by name.
func (s *Store) countBy(ctx context.Context, query string) (counts map[string]int, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		counts, err = database.CollectMap(ctx, tx, database.ScanPair[string, int], query)
		return err
	})
	return counts, err
}

// countSuppressed counts the confirmed readers of a list who are suppressed,
// page by page: a suppression is identified by a hash, which SQL can't compute.
func (s *Store) countSuppressed(ctx context.Context, tx *sql.Tx, list int64) (n int, err error) {
	const page = 2000
	for after := int64(0); ; {
		readers, err := database.Collect(ctx, tx, scanReader, `SELECT `+readerColumns+` FROM subscribers WHERE id > $2 AND id IN (
			SELECT subscriber FROM subscriptions WHERE list = $1 AND state = 'confirmed') ORDER BY id LIMIT $3`, list, after, page)
		if err != nil {
			return n, err
		}
		if err := s.fillSuppressed(ctx, tx, readers); err != nil {
			return n, err
		}
		for _, r := range readers {
			after = r.ID
			if r.Suppressed {
				n++
			}
		}
		if len(readers) < page {
			return n, nil
		}
	}
}
