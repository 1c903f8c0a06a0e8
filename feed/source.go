package feed

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"dibao/feed/ingest"
	"dibao/internal/database"
	"dibao/internal/fault"
	"dibao/internal/fetch"
	"dibao/internal/redact"
	"dibao/policy/division"
	"dibao/policy/theme"
)

// The maximum length of the address and the name of a source, in bytes.
const (
	maxSourceURL  = 4000
	maxSourceName = 1000
)

const (
	// MaxListPages is the maximum number of pages of a list that are read to reach known
	// articles.
	MaxListPages = 10
	// MaildirScheme is the prefix of the address of a mailbox folder:
	// maildir:///var/mail/policy.
	MaildirScheme = "maildir://"
)

// The default and the minimum interval between collections.
const (
	DefaultInterval = time.Hour
	MinInterval     = time.Minute
)

const sourceColumns = `id, url, kind, name, zone, issuer, region, licence, settings, interval_seconds,
	state, etag, last_modified, body_hash, failures, last_error, checked_at, succeeded_at, next_at, created_at, theme, usual_items, moved_to, moves, news_at,
	change_seconds, hints, proxy, user_agent, private, advice, begun_at, crashes, warnings`

func scanSource(row database.Row) (Source, error) {
	var s Source
	var settings, hints string
	var seconds, change int64
	var checked, succeeded, news, begun sql.Null[time.Time]
	var warnings sql.Null[string]
	err := row.Scan(&s.ID, &s.URL, &s.Kind, &s.Name, &s.Zone, &s.Issuer, &s.Region, &s.Licence, &settings, &seconds,
		&s.State, &s.ETag, &s.LastModified, &s.BodyHash, &s.Failures, &s.LastError, &checked, &succeeded, &s.NextAt, &s.CreatedAt,
		&s.Theme, &s.UsualItems, &s.MovedTo, &s.Moves, &news,
		&change, &hints, &s.Proxy, &s.UserAgent, &s.Private, &s.LastAdvice, &begun, &s.Crashes, &warnings)
	if err != nil {
		return Source{}, err
	}
	s.Interval, s.ChangeEvery = time.Duration(seconds)*time.Second, time.Duration(change)*time.Second
	s.CheckedAt, s.SucceededAt, s.NewsAt, s.BegunAt = checked.V, succeeded.V, news.V, begun.V
	if err := errors.Join(json.Unmarshal([]byte(settings), &s.Settings), json.Unmarshal([]byte(hints), &s.Hints)); err != nil {
		return Source{}, fmt.Errorf("settings of source %d: %w", s.ID, err)
	}
	if warnings.Valid {
		if err := json.Unmarshal([]byte(warnings.V), &s.Warnings); err != nil {
			return Source{}, fmt.Errorf("warnings of source %d: %w", s.ID, err)
		}
	}
	return s, nil
}

// Request returns a GET request on behalf of the source. A source that moved to another
// host has lost its permission for private addresses.
func (s Source) Request(address string, isPage bool) fetch.Request {
	req := fetch.Request{URL: address, Page: isPage, Proxy: s.Proxy, UserAgent: s.UserAgent}
	if s.Private != "" && s.Private == fetch.Origin(s.URL) {
		req.Private = s.Private
	}
	return req
}

// Ingest returns what a reader needs to know about the source.
func (s Source) Ingest() ingest.Source {
	return ingest.Source{URL: s.URL, Name: s.Name, Zone: s.Zone, Issuer: s.Issuer, Region: s.Region, Settings: s.Settings}
}

// NeedsTrust lists what storing the source would allow that a file from an untrusted source must not
// decide by itself. It returns nothing for a public feed or page of which only links are
// shown.
func (s Source) NeedsTrust() (powers []string) {
	if dir, ok := strings.CutPrefix(s.URL, MaildirScheme); ok {
		powers = append(powers, "reads and publishes the mail in "+dir)
	}
	if s.Proxy != "" {
		powers = append(powers, "is fetched through the proxy "+redact.URL(s.Proxy))
	}
	if s.UserAgent != "" {
		powers = append(powers, fmt.Sprintf("gets requests with the User-Agent %q", s.UserAgent))
	}
	if s.Settings.Render {
		powers = append(powers, "runs the scripts of its pages in your browser")
	}
	if s.Private != "" {
		powers = append(powers, "may be in your own network, at "+s.Private)
	}
	if s.Licence != "" && s.Licence != LicenceLinkOnly {
		powers = append(powers, fmt.Sprintf("shows its texts in full, as %s", s.Licence))
	}
	return powers
}

// Check sets the defaults of a new source and returns an error if it can't work.
func (s *Source) Check() error {
	if len(s.URL) > maxSourceURL || len(s.Name) > maxSourceName {
		return fmt.Errorf("the address of a source has at most %d bytes and its name %d", maxSourceURL, maxSourceName)
	}
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		dir, isMaildir := strings.CutPrefix(s.URL, MaildirScheme)
		if !isMaildir || !filepath.IsAbs(dir) {
			return fmt.Errorf("source address %q is not an http or https address, nor maildir:///ABSOLUTE/FOLDER", redact.Text(s.URL))
		}
		s.Kind = "mail"
	} else if s.Kind == "mail" {
		return fmt.Errorf("the address of a source of kind mail is a folder: write maildir:///ABSOLUTE/FOLDER")
	}
	if u != nil && u.User != nil {
		return fmt.Errorf("source address %q contains a user name or password, which is not sent; remove it", redact.URL(s.URL))
	}
	if strings.Contains(s.Proxy, ":"+redact.Mark+"@") {
		return fmt.Errorf("the address of proxy %s lacks its password; add it", s.Proxy)
	}
	if s.Proxy != "" {
		if err := fetch.CheckProxy(s.Proxy); err != nil {
			return err
		}
	}
	if s.Private != "" && s.Private != fetch.Origin(s.URL) {
		return fmt.Errorf("the permission for %s does not cover %s; specify --private again for the new address, or --private=false", s.Private, s.URL)
	}
	if _, ok := ingest.Kinds[s.Kind]; !ok {
		return fmt.Errorf("unknown kind of source %q; use one of %s", s.Kind, strings.Join(ingest.KindNames(), ", "))
	}
	if s.Name == "" {
		s.Name = cmp.Or(u.Hostname(), filepath.Base(u.Path)) // a Maildir is named after its folder
		if readable, err := idna.Display.ToUnicode(s.Name); err == nil {
			s.Name = readable
		}
	}
	if s.Region != "" && division.TrimCode(s.Region) != "" { // 100000 is the whole country
		code := division.Code(s.Region)
		if code == "" {
			return fmt.Errorf("region %q is unknown; specify its code or its name, such as 51 or 四川省", s.Region)
		}
		if s.Region[0] > '9' {
			s.Region = code
		}
	}
	s.Theme = theme.Named(s.Theme)
	if err := s.Settings.Check(s.Kind); err != nil {
		return err
	}
	if s.Settings.Pages < 0 || s.Settings.Pages > MaxListPages {
		return fmt.Errorf("--pages must be from 1 to %d, not %d", MaxListPages, s.Settings.Pages)
	}
	if s.Zone == "" {
		s.Zone = "Asia/Shanghai"
	}
	if _, err := time.LoadLocation(s.Zone); err != nil {
		return fmt.Errorf("unknown time zone %q; use a name such as Asia/Shanghai", s.Zone)
	}
	if s.Licence == "" {
		s.Licence = LicenceLinkOnly
	}
	if !slices.Contains(Licences, s.Licence) {
		return fmt.Errorf("licence %q is unknown; use one of %s", s.Licence, fault.Choices(Licences))
	}
	if s.Interval == 0 {
		s.Interval = DefaultInterval
	}
	if s.Interval < MinInterval {
		return fmt.Errorf("interval %s is too short; use at least %s", s.Interval, MinInterval)
	}
	return nil
}

// PermitPrivate allows the source's address to be in our own network: only its present host
// and port, not other addresses that it redirects or links to, nor an address to which it
// moves.
func (s *Source) PermitPrivate() { s.Private = fetch.Origin(s.URL) }

// AddSource stores a new source, due at once, and returns it with its id. A removed source
// is restored with its articles. If the address exists already, it returns an error.
func (st *Store) AddSource(ctx context.Context, s Source) (Source, error) {
	if err := s.Check(); err != nil {
		return Source{}, fault.InvalidError{Err: err}
	}
	settings, err := json.Marshal(s.Settings)
	if err != nil {
		return Source{}, fmt.Errorf("settings of %s: %w", s.URL, err)
	}
	now := st.Now()
	var added Source
	err = st.db.Write(ctx, func(tx *sql.Tx) error {
		row := tx.QueryRowContext(ctx, `
			INSERT INTO sources (url, kind, name, zone, issuer, region, licence, settings, interval_seconds, theme, proxy, user_agent, private, state, next_at, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $11, $12, $13, $14, 'new', $10, $10)
			ON CONFLICT (url) DO UPDATE SET
				kind = excluded.kind, name = excluded.name, zone = excluded.zone, issuer = excluded.issuer,
				region = excluded.region, licence = excluded.licence, settings = excluded.settings,
				interval_seconds = excluded.interval_seconds, theme = excluded.theme, proxy = excluded.proxy, user_agent = excluded.user_agent, private = excluded.private,
				change_seconds = 0, hints = '{}', usual_items = 0, state = 'new', next_at = excluded.next_at,
				etag = '', last_modified = '', body_hash = '', failures = 0, last_error = '', warnings = NULL
			WHERE sources.state = 'removed'
			RETURNING `+sourceColumns,
			s.URL, s.Kind, s.Name, s.Zone, s.Issuer, s.Region, s.Licence, string(settings), int64(s.Interval/time.Second), now, s.Theme, s.Proxy, s.UserAgent, s.Private)
		added, err = scanSource(row)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("source %s already exists; see it with: dibao source show %s", s.URL, s.URL)
		}
		return err
	})
	return added, err
}

// Sources returns all sources that were not removed, by id.
func (st *Store) Sources(ctx context.Context) ([]Source, error) {
	var all []Source
	err := st.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		all, err = database.Collect(ctx, tx, scanSource,
			`SELECT `+sourceColumns+` FROM sources WHERE state <> 'removed' ORDER BY id`)
		return err
	})
	return all, err
}

// SourceByRef returns the source with this id, address or name.
func (st *Store) SourceByRef(ctx context.Context, ref string) (Source, error) {
	id, err := strconv.ParseInt(ref, 10, 64)
	if err != nil {
		id = -1
	}
	var found []Source
	err = st.db.Read(ctx, func(tx *sql.Tx) error {
		found, err = database.Collect(ctx, tx, scanSource,
			`SELECT `+sourceColumns+` FROM sources
			 WHERE state <> 'removed' AND (id = $1 OR url = $2 OR name = $2) ORDER BY id`, id, ref)
		return err
	})
	switch {
	case err != nil:
		return Source{}, err
	case len(found) == 0:
		return Source{}, fault.Missing("no source %q; list them with: dibao source list", ref)
	case len(found) > 1:
		return Source{}, fmt.Errorf("%d sources are called %q; specify one by its number", len(found), ref)
	}
	return found[0], nil
}

// UpdateSource stores an admin's changes to a source: name, kind, selectors, interval and
// others. It is then due at once, and read again even if it has not changed.
func (st *Store) UpdateSource(ctx context.Context, s Source) error {
	if err := s.Check(); err != nil {
		return fault.InvalidError{Err: err}
	}
	settings, err := json.Marshal(s.Settings)
	if err != nil {
		return fmt.Errorf("settings of %s: %w", s.URL, err)
	}
	err = st.db.Write(ctx, func(tx *sql.Tx) error {
		return oneRow(tx.ExecContext(ctx, `
			UPDATE sources SET url = $2, kind = $3, name = $4, zone = $5, issuer = $6, region = $7, licence = $8, settings = $9,
				interval_seconds = $10, theme = $11, usual_items = 0, proxy = $13, user_agent = $14, private = $15,
				etag = '', last_modified = '', body_hash = '', next_at = $12
			WHERE id = $1 AND state <> 'removed'`,
			s.ID, s.URL, s.Kind, s.Name, s.Zone, s.Issuer, s.Region, s.Licence, string(settings), int64(s.Interval/time.Second), s.Theme, st.Now(),
			s.Proxy, s.UserAgent, s.Private))
	})
	if database.IsUniqueViolation(err) {
		return fmt.Errorf("another source has the address %s, or had it before it was removed; see: dibao source list", s.URL)
	}
	return err
}

// RemoveSource stops collecting a source and removes it from the list. Its
// articles stay.
func (st *Store) RemoveSource(ctx context.Context, id int64) error {
	return st.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE sources SET state = 'removed' WHERE id = $1 AND state <> 'removed'`, id)
		return oneRow(res, err)
	})
}

// DueSources returns the ids of the sources to collect now, longest overdue first.
func (st *Store) DueSources(ctx context.Context) ([]int64, error) {
	var ids []int64
	err := st.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		ids, err = database.Collect(ctx, tx, database.ScanOne[int64],
			`SELECT id FROM sources WHERE next_at <= $1 AND state NOT IN ('gone', 'paused', 'removed') ORDER BY next_at, id`, st.Now())
		return err
	})
	return ids, err
}

// ratedDays is the number of days that ItemsPerWeek considers.
const ratedDays = 28

// ItemsPerWeek returns how many articles each source published per week over
// the last four; sources without any are missing. Articles without a date count
// on the day of their collection, and the archive of a new source does not
// count.
func (st *Store) ItemsPerWeek(ctx context.Context) (map[int64]float64, error) {
	since := st.Now().Add(-ratedDays * 24 * time.Hour)
	var rates map[int64]float64
	err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		// With +source, SQLite does not read the rows in the order of another index.
		rates, err = database.CollectMap(ctx, tx, database.ScanPair[int64, float64], `SELECT +source, COUNT(*) FROM articles
			WHERE collected_at >= $1 AND (published_on IS NULL OR published_on = '' OR published_on >= $2) GROUP BY +source`,
			since, since.Format(time.DateOnly))
		return err
	})
	for source, articles := range rates {
		rates[source] = articles * 7 / ratedDays
	}
	return rates, err
}

// UnreadPages counts, for each source, the articles whose own page was not read completely.
func (st *Store) UnreadPages(ctx context.Context) (unread map[int64]int, err error) {
	err = st.db.Read(ctx, func(tx *sql.Tx) error {
		unread, err = database.CollectMap(ctx, tx, database.ScanPair[int64, int], `SELECT source, COUNT(*) FROM articles WHERE page_state <> 'complete' GROUP BY source`)
		return err
	})
	return unread, err
}

// SourceByID returns a source, even if it was removed; otherwise it returns ErrNotFound.
func (st *Store) SourceByID(ctx context.Context, id int64) (Source, error) {
	var s Source
	err := st.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		s, err = scanSource(tx.QueryRowContext(ctx, `SELECT `+sourceColumns+` FROM sources WHERE id = $1`, id))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Source{}, fmt.Errorf("source %d: %w", id, ErrNotFound)
	}
	return s, err
}

func oneRow(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}
