package subscribers

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"dibao/policy"
	"dibao/policy/match"
)

// Format is the format of a reader's emails.
type Format string

// The formats of an email.
const (
	HTML Format = "html" // with a text part
	Text Format = "text" // only the text part
)

// Frequency says how many of a list's issues a reader gets. The next email contains the
// articles of the omitted issues, so that nothing is lost.
type Frequency string

// The frequencies.
const (
	EveryIssue Frequency = "issue"
	Weekly     Frequency = "weekly"  // at most one email in seven days
	Monthly    Frequency = "monthly" // at most one email in a calendar month
)

// Choice is what a reader chose for one list. The zero value means no restriction.
type Choice struct {
	Themes    []string  // only articles with one of these; nil means all
	Regions   []string  // only articles of one of these or of a region in it, GB/T 2260 codes; nil means all
	Frequency Frequency // "" means EveryIssue
}

// IsDefault reports whether the reader gets the whole list.
func (c Choice) IsDefault() bool {
	return len(c.Themes) == 0 && len(c.Regions) == 0 && (c.Frequency == "" || c.Frequency == EveryIssue)
}

// storedChoice is a choice as the columns of a subscription.
type storedChoice struct {
	themes, regions string // JSON arrays
	frequency       Frequency
}

func (s storedChoice) choice() (c Choice, err error) {
	if s.frequency != EveryIssue {
		c.Frequency = s.frequency
	}
	for _, field := range []struct {
		text string
		into *[]string
	}{{s.themes, &c.Themes}, {s.regions, &c.Regions}} {
		if field.text == "[]" { // the usual case: a mailing reads a million of them
			continue
		}
		if err := json.Unmarshal([]byte(field.text), field.into); err != nil {
			return Choice{}, fmt.Errorf("%q is not a JSON array of strings", field.text)
		}
	}
	return c, nil
}

// The maximum number of values that a reader may choose for one list.
const maxChosen = 100

// check returns an error if a choice is invalid.
func (c Choice) check() error {
	switch {
	case c.Frequency != "" && c.Frequency != EveryIssue && c.Frequency != Weekly && c.Frequency != Monthly:
		return fmt.Errorf("frequency %q is not issue, weekly or monthly", c.Frequency)
	case len(c.Themes) > maxChosen || len(c.Regions) > maxChosen:
		return fmt.Errorf("choose at most %d themes and %d regions for one list, or take all of them", maxChosen, maxChosen)
	}
	return nil
}

// Preferences are what a reader chooses on the page behind their token.
type Preferences struct {
	Language    string // zh or en
	Format      Format // "" means HTML
	PausedUntil policy.Date
	WantsEmpty  bool
	Lists       map[int64]Choice // the lists to subscribe to; all other subscriptions end
	Profile     match.Profile
}

// Preferences returns the preferences of a reader.
func (s *Store) Preferences(ctx context.Context, subscriber int64) (Preferences, error) {
	readers, err := s.Readers(ctx, []int64{subscriber})
	if err != nil {
		return Preferences{}, err
	}
	r, ok := readers[subscriber]
	if !ok {
		return Preferences{}, ErrNotFound
	}
	p := Preferences{Language: r.Language, Format: r.Format, PausedUntil: r.PausedUntil, WantsEmpty: r.WantsEmpty, Lists: make(map[int64]Choice, len(r.Lists))}
	for _, l := range r.Lists {
		p.Lists[l] = r.Choices[l]
	}
	if r.Profile != nil {
		p.Profile = *r.Profile
	}
	return p, nil
}

// SetPreferences stores a reader's preferences: the lists, with the reader's choices for
// each, and the format of emails. New lists need no confirmation email, because the reader
// has the token that was mailed to the address.
func (s *Store) SetPreferences(ctx context.Context, subscriber int64, p Preferences, network netip.Prefix) error {
	p.Format = cmp.Or(p.Format, HTML)
	if p.Format != HTML && p.Format != Text {
		return fmt.Errorf("format %q is not html or text", p.Format)
	}
	for _, c := range p.Lists {
		if err := c.check(); err != nil {
			return err
		}
	}
	if err := p.Profile.Check(); err != nil {
		return err
	}
	lists := slices.Sorted(maps.Keys(p.Lists))
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		// This comes first, so that other changes of this reader wait, too.
		if _, err := tx.ExecContext(ctx, `UPDATE subscribers SET language = $2, format = $3, paused_until = $4, wants_empty = $5, profile = $6 WHERE id = $1`,
			subscriber, language(p.Language), p.Format, sql.Null[string]{V: p.PausedUntil.String(), Valid: !p.PausedUntil.IsZero()}, flag(p.WantsEmpty), encodeProfile(p.Profile)); err != nil {
			return err
		}
		if err := s.setLists(ctx, tx, subscriber, lists, network); err != nil {
			return err
		}
		for _, l := range lists {
			if err := setChoice(ctx, tx, subscriber, l, p.Lists[l]); err != nil {
				return err
			}
		}
		return nil
	})
}

func setChoice(ctx context.Context, tx *sql.Tx, subscriber, list int64, c Choice) error {
	_, err := tx.ExecContext(ctx, `UPDATE subscriptions SET themes = $3, regions = $4, frequency = $5 WHERE subscriber = $1 AND list = $2`,
		subscriber, list, jsonArray(c.Themes), jsonArray(c.Regions), cmp.Or(c.Frequency, EveryIssue))
	return err
}
