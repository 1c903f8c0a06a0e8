package subscribers

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"

	"dibao/internal/database"
	"dibao/internal/jobs"
)

// Visibility says who may see a list.
type Visibility string

// The visibilities of a list.
const (
	Public Visibility = "public"
	Hidden Visibility = "hidden" // not on the home page and the form; subscribed by an admin
)

// The schedule of a list that names none: Monday morning.
const (
	DefaultCron     = "0 8 * * 1"
	DefaultZone     = "Asia/Shanghai"
	DefaultMaxItems = 60
)

// Query says which articles a list takes; digest gives it its meaning. Within a
// field one value is enough, all fields that are set must agree.
type Query struct {
	Themes  []string `json:"themes,omitempty"`
	Regions []string `json:"regions,omitempty"` // GB/T 2260 codes, children included
	Issuers []string `json:"issuers,omitempty"`
	Kinds   []string `json:"kinds,omitempty"`
	Sources []int64  `json:"sources,omitempty"`
	Any     []string `json:"any,omitempty"` // words
	All     []string `json:"all,omitempty"`
	None    []string `json:"none,omitempty"`
}

// List is what a reader subscribes to: a saved query, a schedule, a sender and
// a language.
type List struct {
	ID          int64
	Slug        string // in addresses and in List-Id
	Title       string
	Description string
	Query       Query
	Cron        string // five fields, times of day in Zone
	Zone        string // IANA name
	Sender      string // an address with an optional name; "" is the node's
	Language    string // zh or en
	MaxItems    int    // of an issue
	Visibility  Visibility
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

var slugPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// check fills in defaults and refuses what cannot work, in one sentence.
func (l *List) check() error {
	if !slugPattern.MatchString(l.Slug) {
		return fmt.Errorf("name %q of the list: use small letters, digits and hyphens, such as weekly", l.Slug)
	}
	if strings.ContainsFunc(l.Title+l.Description+l.Sender, func(r rune) bool { return r < ' ' && r != '\t' }) {
		return errors.New("title, description and sender of a list are one line each")
	}
	if l.Title == "" {
		l.Title = l.Slug
	}
	if l.Cron == "" {
		l.Cron = DefaultCron
	}
	if l.Zone == "" {
		l.Zone = DefaultZone
	}
	if l.Language == "" {
		l.Language = "zh"
	}
	if l.MaxItems == 0 {
		l.MaxItems = DefaultMaxItems
	}
	if l.Visibility == "" {
		l.Visibility = Public
	}
	zone, err := time.LoadLocation(l.Zone)
	if err != nil {
		return fmt.Errorf("unknown time zone %q; use a name such as Asia/Shanghai", l.Zone)
	}
	if _, err := jobs.ParseSchedule(l.Cron, zone); err != nil {
		return err
	}
	if l.Sender != "" {
		if _, err := mail.ParseAddress(l.Sender); err != nil {
			return fmt.Errorf("sender %q is no address; write it as 名称 <name@example.org>", l.Sender)
		}
	}
	if !slices.Contains([]string{"zh", "en"}, l.Language) {
		return fmt.Errorf("language %q is not zh or en", l.Language)
	}
	if l.MaxItems < 0 || l.MaxItems > 500 {
		return fmt.Errorf("an issue holds 1 to 500 articles, not %d", l.MaxItems)
	}
	return nil
}

const listColumns = `id, slug, title, description, query, cron, zone, sender, language, max_items, visibility, created_at, updated_at`

func scanList(r database.Row) (List, error) {
	var l List
	var query string
	err := r.Scan(&l.ID, &l.Slug, &l.Title, &l.Description, &query, &l.Cron, &l.Zone, &l.Sender, &l.Language,
		&l.MaxItems, &l.Visibility, &l.CreatedAt, &l.UpdatedAt)
	if err != nil {
		return List{}, err
	}
	if err := json.Unmarshal([]byte(query), &l.Query); err != nil {
		return List{}, fmt.Errorf("query of list %s: %w", l.Slug, err)
	}
	return l, nil
}

// CreateList stores a new list and returns it with its id.
func (s *Store) CreateList(ctx context.Context, l List) (List, error) {
	if err := l.check(); err != nil {
		return List{}, err
	}
	now := s.now()
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		var err error
		row := tx.QueryRowContext(ctx, `
			INSERT INTO lists (slug, title, description, query, cron, zone, sender, language, max_items, visibility, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11) RETURNING `+listColumns,
			l.Slug, l.Title, l.Description, toJSON(l.Query), l.Cron, l.Zone, l.Sender, l.Language, l.MaxItems, l.Visibility, now)
		l, err = scanList(row)
		return err
	})
	if database.IsUniqueViolation(err) {
		return List{}, fmt.Errorf("a list %q is there already; choose another name", l.Slug)
	}
	return l, err
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

// ListBySlug returns the list of this name.
func (s *Store) ListBySlug(ctx context.Context, slug string) (List, error) {
	var l List
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		l, err = scanList(tx.QueryRowContext(ctx, `SELECT `+listColumns+` FROM lists WHERE slug = $1 AND removed_at IS NULL`, slug))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return List{}, fmt.Errorf("no list %q; see them with: dibao list show: %w", slug, ErrNotFound)
	}
	return l, err
}

var weekdays = map[string][]string{
	"zh": {"日", "一", "二", "三", "四", "五", "六"},
	"en": {"Sundays", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays"},
}

var simpleCron = regexp.MustCompile(`^([0-5]?\d) ([01]?\d|2[0-3]) \* \* ([0-6*])$`)

// ScheduleText says a cron expression in words of the language, zh or en, or
// returns it as it is where there are no simple words for it.
func ScheduleText(cron, language string) string {
	m := simpleCron.FindStringSubmatch(cron)
	if m == nil {
		return cron
	}
	clock := fmt.Sprintf("%02s:%02s", m[2], m[1])
	if m[3] == "*" {
		if language == "zh" {
			return "每天 " + clock
		}
		return "daily at " + clock
	}
	if language == "zh" {
		return "每周" + weekdays["zh"][m[3][0]-'0'] + " " + clock
	}
	return weekdays["en"][m[3][0]-'0'] + " at " + clock
}
