package view

import (
	"time"

	"dibao/cmd/dibao/cli"
	"dibao/digest"
	"dibao/digest/channel"
	"dibao/digest/delivery"
	"dibao/subscribers"
)

// List is a list in JSON.
type List struct {
	ID          int64             `json:"id"`
	Slug        string            `json:"slug"` // the name in commands and addresses
	Title       string            `json:"title"`
	Description *string           `json:"description"`
	Query       subscribers.Query `json:"query"` // conditions that articles must meet; {}: none
	Cron        string            `json:"cron"`  // when it is due, in its zone
	Zone        string            `json:"zone"`
	Sender      *string           `json:"sender"`
	Language    string            `json:"language"`
	MaxItems    int               `json:"max_items"`
	Visibility  string            `json:"visibility"` // public, hidden or invitation
	Address     string            `json:"address"`    // address of its page; secret if the list is not public
	AsItHappens bool              `json:"as_it_happens"`
	MinGap      *string           `json:"min_gap"`      // minimum time between issues, if it is sent as it happens
	WorkingDays bool              `json:"working_days"` // whether issues are due on working days only
	Welcome     bool              `json:"welcome"`      // new readers get the newest issue
	Hold        bool              `json:"hold"`         // issues wait until an admin releases them
	Subscribers map[string]int    `json:"subscribers"`  // their number by state
	NextDue     *time.Time        `json:"next_due_at"`  // null if it is sent as it happens
}

// OfList returns the view of a list: its numbers of subscribers by state, the next due
// time (nil if it is sent as it happens), and the address of its page.
func OfList(l subscribers.List, counts map[string]int, due *time.Time, address string) List {
	gap := ""
	if l.MinGap > 0 {
		gap = l.MinGap.String()
	}
	return List{
		ID: l.ID, Slug: l.Slug, Title: l.Title, Description: cli.Null(l.Description), Query: l.Query, Cron: l.Cron, Zone: l.Zone,
		Sender: cli.Null(l.Sender), Language: l.Language, MaxItems: l.MaxItems, Visibility: string(l.Visibility), NextDue: due, Address: address,
		AsItHappens: l.AsItHappens, MinGap: cli.Null(gap), WorkingDays: l.WorkingDays, Welcome: l.Welcome, Hold: l.Hold, Subscribers: counts,
	}
}

// Item is an article of an issue in JSON.
type Item struct {
	Article int64    `json:"article"`
	Section string   `json:"section"`
	Title   string   `json:"title"`
	URL     string   `json:"url"`
	Why     []string `json:"why"`
}

// OfItem returns the view of an article of an issue.
func OfItem(it digest.IssueItem) Item {
	v := Item{Article: it.Article.ID, Section: it.Section, Title: it.Article.Title(), URL: it.Article.URL, Why: []string{}}
	for _, w := range it.Why {
		v.Why = append(v.Why, w.Field+": "+w.Value)
	}
	return v
}

// Preview is what the next issue of a list would contain, in JSON.
type Preview struct {
	List    string     `json:"list"`
	Due     *time.Time `json:"due_at"`
	Items   []Item     `json:"items"`
	LeftOut []LeftOut  `json:"left_out"`
}

// LeftOut is an article that the next issue would not contain.
type LeftOut struct {
	Article int64   `json:"article"`
	Title   string  `json:"title"`
	Why     string  `json:"why"`
	Has     *string `json:"has"`
}

// Issue is an issue in JSON.
type Issue struct {
	List    string    `json:"list"`
	Number  int64     `json:"number"`
	DueAt   time.Time `json:"due_at"`
	Mailing *int64    `json:"mailing"`
	Count   int       `json:"articles"`
	Held    bool      `json:"held"`   // waits until an admin runs: dibao issue send LIST
	Emails  *int      `json:"emails"` // number of emails of its mailing; null if there is no mailing

	Skipped *delivery.Skipped `json:"skipped"` // readers who get no email of its mailing; null if they are not counted
}

// Mailing is a mailing in JSON, with its domains if one mailing was requested.
type Mailing struct {
	delivery.MailingReport
	Domains  []delivery.DomainReport `json:"domains,omitempty"`
	Channels []channel.Row           `json:"channels,omitempty"` // the state of its issues in channels
}
