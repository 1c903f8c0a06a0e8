package subscribers

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
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

func setChoice(ctx context.Context, tx *sql.Tx, subscriber, list int64, c Choice) error {
	_, err := tx.ExecContext(ctx, `UPDATE subscriptions SET themes = $3, regions = $4, frequency = $5 WHERE subscriber = $1 AND list = $2`,
		subscriber, list, jsonArray(c.Themes), jsonArray(c.Regions), cmp.Or(c.Frequency, EveryIssue))
	return err
}
