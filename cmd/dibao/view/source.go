package view

import (
	"time"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/inspect"
	"dibao/feed"
	"dibao/feed/catalog"
	"dibao/feed/collect"
	"dibao/feed/ingest"
	"dibao/internal/redact"
)

// Source is a source in JSON.
type Source struct {
	ID              int64           `json:"id"`
	Name            string          `json:"name"`
	URL             string          `json:"url"`
	Kind            string          `json:"kind"`  // feed, json, mail, page or sitemap
	State           feed.State      `json:"state"` // ok, quiet, flood, failing, changed, blocked, gone, paused or new
	Zone            string          `json:"zone"`  // time zone of dates that state none
	Issuer          *string         `json:"issuer"`
	Region          *string         `json:"region"`
	Licence         feed.Licence    `json:"licence"`
	IntervalSeconds int64           `json:"interval_seconds"` // interval that is set; the current one is pace_seconds
	Settings        ingest.Settings `json:"settings"`         // selectors and other settings
	Failures        int             `json:"failures"`         // number of consecutive collections that failed
	LastError       *string         `json:"last_error"`
	Advice          *string         `json:"advice"` // what an admin should do
	Theme           *string         `json:"theme"`
	UsualItems      int             `json:"usual_items"`  // usual number of rows of its list
	NewsAt          *time.Time      `json:"news_at"`      // when the last new item arrived
	CheckedAt       *time.Time      `json:"checked_at"`   // time of the last collection
	SucceededAt     *time.Time      `json:"succeeded_at"` // time of the last successful collection
	NextAt          time.Time       `json:"next_at"`
	PaceSeconds     int64           `json:"pace_seconds"`       // current time between collections
	NewsEvery       *int64          `json:"news_every_seconds"` // mean time between collections with news
	Hints           ingest.Hints    `json:"hints"`              // what the feed says about itself: when to collect it again, its hub
	Proxy           *string         `json:"proxy"`
	UserAgent       *string         `json:"user_agent"`
	Private         *string         `json:"private"`        // host and port that may be in our own network
	ItemsPerWeek    float64         `json:"items_per_week"` // average of the last four weeks
	UnreadPages     int             `json:"unread_pages"`   // articles whose page could not be read completely
	Warnings        []string        `json:"warnings"`       // what was unusual when its list was last read
}

// OfSource returns the view of a source without passwords.
func OfSource(s feed.Source) Source {
	return Source{
		ID: s.ID, Name: s.Name, URL: redact.URL(s.URL), Kind: s.Kind, State: s.State, Zone: s.Zone, Issuer: cli.Null(s.Issuer), Region: cli.Null(s.Region),
		Licence: s.Licence, IntervalSeconds: int64(s.Interval / time.Second), Settings: s.Settings, Failures: s.Failures,
		LastError: cli.Null(redact.Text(s.LastError)), Advice: cli.Null(s.Advice()), Theme: cli.Null(s.Theme), UsualItems: s.UsualItems, NewsAt: cli.Null(s.NewsAt), CheckedAt: cli.Null(s.CheckedAt), SucceededAt: cli.Null(s.SucceededAt), NextAt: s.NextAt,
		PaceSeconds: int64(collect.Interval(s) / time.Second), NewsEvery: cli.Null(int64(s.ChangeEvery / time.Second)), Hints: s.Hints,
		Proxy: cli.Null(redact.URL(s.Proxy)), UserAgent: cli.Null(s.UserAgent), Private: cli.Null(s.Private),
		Warnings: inspect.Sentences(s.Warnings, "en"),
	}
}

// Entry is an entry of the catalog in JSON.
type Entry struct {
	Name     string           `json:"name"`
	NameEN   string           `json:"name_en"`
	Level    catalog.Level    `json:"level"`
	Region   *string          `json:"region"`
	Issuer   string           `json:"issuer"`
	Lists    catalog.Lists    `json:"lists"`
	Kind     string           `json:"kind"`
	URL      string           `json:"url"`
	Checked  *string          `json:"checked"`
	Evidence catalog.Evidence `json:"evidence"`
	SeenIn   string           `json:"seen_in"`
}

// OfEntry returns the view of an entry of the catalog.
func OfEntry(e catalog.Entry) Entry {
	return Entry{
		Name: e.Source.Name, NameEN: e.NameEN, Level: e.Level, Region: cli.Null(e.Source.Region), Issuer: e.Source.Issuer, Lists: e.Lists,
		Kind: e.Source.Kind, URL: e.Source.URL, Checked: cli.Null(e.Checked), Evidence: e.Evidence, SeenIn: e.SeenIn,
	}
}
