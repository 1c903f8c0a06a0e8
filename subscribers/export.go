package subscribers

import (
	"context"
	"database/sql"
	"encoding/csv"
	"io"
	"strings"
	"time"

	"dibao/internal/database"
	"dibao/policy/match"
)

// exportHeader contains the columns of an export; Import reads all of them. It refuses
// rows with a reason in "suppressed", so that a list that moves does not mail dead addresses.
var exportHeader = []string{"address", "language", "format", "list", "state", "confirmed_at", "consent", "themes", "regions", "frequency",
	"profile_entities", "profile_regions", "profile_industries", "profile_size", "profile_qualifications", "profile_topics", "suppressed"}

// consentOf selects how a subscription began.
const consentOf = `COALESCE((SELECT c.detail FROM consents c WHERE c.subscriber = x.subscriber AND c.list = x.list
	AND c.event IN ('added', 'confirmed', 'imported', 'imported as unsubscribed') ORDER BY c.id DESC LIMIT 1), '')`

// Export writes a line for each subscription as CSV, in the order of readers and
// lists; list 0 is all. A field that a spreadsheet would run as a formula begins
// with an apostrophe.
func (s *Store) Export(ctx context.Context, w io.Writer, list int64) (readers int, err error) {
	out := csv.NewWriter(w)
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		if err := out.Write(exportHeader); err != nil {
			return err
		}
		suppressed, err := database.CollectMap(ctx, tx, database.ScanPair[string, string], `SELECT address_hash, reason FROM suppressions`)
		if err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `
			SELECT u.id, u.address, u.language, u.format, l.slug, x.state, x.confirmed_at, x.ended_at, x.themes, x.regions, x.frequency, u.profile, `+consentOf+`
			FROM subscribers u JOIN subscriptions x ON x.subscriber = u.id JOIN lists l ON l.id = x.list
			WHERE l.removed_at IS NULL AND ($1 = 0 OR x.list = $1) ORDER BY u.id, x.list`, list)
		if err != nil {
			return err
		}
		defer rows.Close()
		for last := int64(0); rows.Next(); {
			var id int64
			var at, ended sql.Null[time.Time]
			var address, language, format, slug, state, consent, profile string
			var c storedChoice
			if err := rows.Scan(&id, &address, &language, &format, &slug, &state, &at, &ended, &c.themes, &c.regions, &c.frequency, &profile, &consent); err != nil {
				return err
			}
			choice, err := c.choice()
			if err != nil {
				return err
			}
			if id != last {
				readers, last = readers+1, id
			}
			since := ""
			if !at.Valid {
				at = ended
			}
			if at.Valid {
				since = at.V.UTC().Format(time.RFC3339Nano)
			}
			record := []string{address, language, format, slug, state, since, consent, strings.Join(choice.Themes, "|"), strings.Join(choice.Regions, "|"), string(choice.Frequency)}
			own, err := profileRecord(profile)
			if err != nil {
				return err
			}
			record = append(append(record, own...), suppressed[s.addressHash(address)])
			for i, field := range record {
				record[i] = Guard(field)
			}
			if err := out.Write(record); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	out.Flush()
	if err == nil {
		err = out.Error()
	}
	return readers, err
}

// Person is all data about one reader, with the names that the database uses.
type Person struct {
	Address       string               `json:"address"`
	Language      string               `json:"language"`
	Format        Format               `json:"format"`
	PausedUntil   *string              `json:"paused_until"`
	CreatedAt     time.Time            `json:"created_at"`
	Suppressed    *string              `json:"suppressed"`
	Profile       *match.Profile       `json:"profile"` // what the reader says about themselves; null if nothing
	Subscriptions []PersonSubscription `json:"subscriptions"`
	Consents      []ConsentEvent       `json:"consents"`
	History       []HistoryEvent       `json:"history"` // emails and the reports about them
	Stars         []Starred            `json:"stars"`   // calls that the reader starred
}

// PersonSubscription is a subscription with what the reader chose.
type PersonSubscription struct {
	List        string     `json:"list"`
	State       State      `json:"state"`
	Since       time.Time  `json:"since"`
	ConfirmedAt *time.Time `json:"confirmed_at"`
	EndedAt     *time.Time `json:"ended_at"`
	Themes      []string   `json:"themes"`
	Regions     []string   `json:"regions"`
	Frequency   Frequency  `json:"frequency"`
}

// ConsentEvent is an entry of the consent log.
type ConsentEvent struct {
	At          time.Time `json:"at"`
	List        *string   `json:"list"` // null if the event concerns the reader as a whole
	Event       string    `json:"event"`
	Network     *string   `json:"network"`
	TextVersion *string   `json:"text_version"`
	Detail      *string   `json:"detail"`
}

// Starred is a call that a reader starred.
type Starred struct {
	Article  int64     `json:"article"`
	Title    string    `json:"title"` // empty if the article is hidden
	Last     *string   `json:"last"`  // the current last day; null if unknown
	Canceled bool      `json:"canceled"`
	Remind   bool      `json:"remind"` // reminders by email before the last day
	At       time.Time `json:"at"`     // when the reader starred it
}

// HistoryEvent is an event about a reader's emails.
type HistoryEvent struct {
	At     time.Time  `json:"at"`
	Event  string     `json:"event"`
	Detail *string    `json:"detail"`
	NextAt *time.Time `json:"next_at"` // the next try to send an email that waits
}

// Person returns all data about a reader.
func (s *Store) Person(ctx context.Context, subscriber int64) (Person, error) {
	x, err := s.subscriberByID(ctx, subscriber)
	if err != nil {
		return Person{}, err
	}
	prefs, err := s.Preferences(ctx, subscriber)
	if err != nil {
		return Person{}, err
	}
	p := Person{
		Address: x.Address, Language: x.Language, Format: prefs.Format, PausedUntil: orNull(prefs.PausedUntil.String()), CreatedAt: x.CreatedAt,
		Suppressed: orNull(x.Suppressed), Subscriptions: []PersonSubscription{}, History: []HistoryEvent{}, Stars: []Starred{},
	}
	if !prefs.Profile.IsZero() {
		p.Profile = &prefs.Profile
	}
	if p.Consents, err = s.ConsentLog(ctx, subscriber); err != nil {
		return Person{}, err
	}
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		subs, err := database.Collect(ctx, tx, func(r database.Row) (PersonSubscription, error) {
			var sub PersonSubscription
			var c storedChoice
			var confirmed, ended sql.Null[time.Time]
			if err := r.Scan(&sub.List, &sub.State, &sub.Since, &confirmed, &ended, &c.themes, &c.regions, &c.frequency); err != nil {
				return sub, err
			}
			choice, err := c.choice()
			sub.List = shownSlug(sub.List)
			sub.ConfirmedAt, sub.EndedAt, sub.Frequency = timeOrNull(confirmed), timeOrNull(ended), c.frequency
			sub.Themes, sub.Regions = append([]string{}, choice.Themes...), append([]string{}, choice.Regions...)
			return sub, err
		}, `SELECT l.slug, x.state, x.created_at, x.confirmed_at, x.ended_at, x.themes, x.regions, x.frequency
			FROM subscriptions x JOIN lists l ON l.id = x.list WHERE x.subscriber = $1 ORDER BY l.id`, subscriber)
		if err != nil {
			return err
		}
		p.Subscriptions = append(p.Subscriptions, subs...)
		return nil
	})
	return p, err
}

// ConsentLog returns the consent events of a reader, oldest first.
func (s *Store) ConsentLog(ctx context.Context, subscriber int64) ([]ConsentEvent, error) {
	events := []ConsentEvent{}
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		all, err := database.Collect(ctx, tx, func(r database.Row) (ConsentEvent, error) {
			var e ConsentEvent
			var list sql.Null[string]
			var network, version, detail string
			err := r.Scan(&e.At, &list, &e.Event, &network, &version, &detail)
			e.List, e.Network, e.TextVersion, e.Detail = orNull(shownSlug(list.V)), orNull(network), orNull(version), orNull(detail)
			return e, err
		}, `SELECT c.at, l.slug, c.event, c.network, c.text_version, c.detail
			FROM consents c LEFT JOIN lists l ON l.id = c.list WHERE c.subscriber = $1 ORDER BY c.id`, subscriber)
		events = append(events, all...)
		return err
	})
	return events, err
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func timeOrNull(t sql.Null[time.Time]) *time.Time {
	if !t.Valid {
		return nil
	}
	return &t.V
}
