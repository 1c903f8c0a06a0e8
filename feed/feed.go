// Package feed owns sources and articles: their types and SQL, which sources
// are due, how articles are stored, and the queries of pages and feeds.
//
// A [Store] stores what feed/collect collects; storing it again changes nothing
// (articles are unique by source and GUID). Times are UTC instants truncated to
// microseconds; dates are [policy.Date]. The package knows neither readers nor
// mail.
package feed

import (
	"slices"
	"time"

	"dibao/feed/ingest"
	"dibao/feed/search"
	"dibao/internal/database"
	"dibao/internal/fault"
	"dibao/policy"
	"dibao/policy/call"
	"dibao/policy/warn"
)

// ErrNotFound says that there is no such source or article.
var ErrNotFound = fault.ErrNotFound

// State is how a source is doing, as its admin should read it.
type State string

// The states of a source that this version distinguishes.
const (
	StateNew     State = "new"     // never collected
	StateOK      State = "ok"      // the last collection succeeded
	StateFailing State = "failing" // the last collection failed; it is tried again ever more rarely
	StateBlocked State = "blocked" // the site refuses us; never taken for "nothing new"
	StateChanged State = "changed" // the page was read and nothing was found on it
	StateQuiet   State = "quiet"   // it works and had nothing new for half a year
	StateFlood   State = "flood"   // an archive came at once; it is held back until released
	StateGone    State = "gone"    // 410: not asked again
	StatePaused  State = "paused"  // by an admin
	StateRemoved State = "removed" // kept for its articles, not asked and not listed
)

// States are all states of a source that is listed.
var States = []State{StateNew, StateOK, StateFailing, StateBlocked, StateChanged, StateQuiet, StateFlood, StateGone, StatePaused}

// Severity orders states: the state that an admin should look at first is the
// highest. Zero needs no attention.
func (s State) Severity() int {
	return slices.Index([]State{StateQuiet, StateFlood, StateFailing, StateChanged, StateGone, StateBlocked}, s) + 1
}

// Licence says how much of a source's articles may be shown (著作权法 第五条).
type Licence string

// The licences of a source.
const (
	LicenceOfficial  Licence = "official"  // full text of official documents, else a summary
	LicenceLinkOnly  Licence = "link-only" // title, summary and link
	LicencePermitted Licence = "permitted" // full text, by permission
	LicenceOwn       Licence = "own"       // full text, our own
)

// Licences are all of them.
var Licences = []Licence{LicenceOfficial, LicenceLinkOnly, LicencePermitted, LicenceOwn}

// Source is where articles come from.
type Source struct {
	ID           int64
	URL          string
	Kind         string // a key of ingest.Kinds
	Name         string
	Zone         string // IANA name
	Issuer       string // the organ that runs it
	Region       string // GB/T 2260 code
	Theme        string // folder, "" if none
	Licence      Licence
	Settings     ingest.Settings
	Interval     time.Duration // between collections that succeed, at least
	ChangeEvery  time.Duration // mean time between collections with news; 0: not known
	Hints        ingest.Hints  // what the source says of how to read it
	Proxy        string        // to go through, "" if none
	UserAgent    string        // "" is the node's
	Private      string        // host and port of its address that may be in our own network, "" if none; see PermitPrivate
	State        State
	ETag         string
	LastModified string
	BodyHash     string // SHA-256 of the last body, hexadecimal
	Failures     int    // in a row
	LastError    string
	UsualItems   int       // that its list has
	MovedTo      string    // where permanent redirects lead
	Moves        int       // seen in a row
	CheckedAt    time.Time // zero: never
	SucceededAt  time.Time // zero: never
	NewsAt       time.Time // of its newest article; zero: none yet
	NextAt       time.Time
	CreatedAt    time.Time

	LastAdvice string    // on its last error, "" for that of its state; see [Source.Advice]
	BegunAt    time.Time // of the collection that has not ended; zero: none
	Crashes    int       // collections that ended with the process, since the last success
}

// PageState says whether an article's own page has been read.
type PageState string

// The states of an article's page.
const (
	PageComplete PageState = "complete" // everything the source gives was read
	PageWanted   PageState = "wanted"   // not read yet, or not as a whole; it will be asked for again
	PageMissing  PageState = "missing"  // gone: the article is what its list says of it, or the page shows a beginning only
)

// Article is a stored unit: what a source gave, and what policy judged of it.
type Article struct {
	ID          int64
	SourceID    int64
	SourceName  string
	SourceURL   string
	Licence     Licence
	GUID        string
	URL         string
	Facts       policy.Facts // Paragraphs only where the method says so
	Content     string       // sanitized HTML; only where the method says so
	Evidence    policy.Evidence
	Attachments []ingest.Attachment
	Warnings    []warn.Warning // of reading and of judging
	Touches     []Touch        // only where the method says so
	Call        *call.Call     // what it asks of readers, nil for nothing; read together with Paragraphs
	PageState   PageState
	PageTries   int
	Pinned      bool // by an admin: first in its issue
	Hidden      bool // by an admin: shown nowhere
	Held        bool // came in a flood: no list takes it until it is released
	TextHash    string
	CollectedAt time.Time
	UpdatedAt   time.Time // when the text last changed
	WithdrawnAt time.Time // when its page was found gone; zero: it is there
	isNew       bool      // nothing is stored of it yet
}

// Title returns the judged title, or the address where there is none.
func (a Article) Title() string {
	if a.Facts.Title != "" {
		return a.Facts.Title
	}
	return a.URL
}

// PublishedIn returns when the article was published, for a feed that needs an
// instant: its time of day if known, else the first instant of its date in loc,
// else the time of collection.
func (a Article) PublishedIn(loc *time.Location) time.Time {
	switch {
	case !a.Facts.PublishedAt.IsZero():
		return a.Facts.PublishedAt
	case !a.Facts.PublishedOn.IsZero():
		return a.Facts.PublishedOn.In(loc)
	}
	return a.CollectedAt
}

// MayShowText reports whether the full text may be shown to readers: official
// documents are free of copyright, everything else only by the source's
// license.
func (a Article) MayShowText() bool {
	switch a.Licence {
	case LicenceOwn, LicencePermitted:
		return true
	case LicenceOfficial:
		return a.Facts.Kind == policy.KindDocument || a.Facts.Kind == policy.KindConsultation
	}
	return false
}

// Store keeps sources and articles.
type Store struct {
	db *database.DB
	// Now returns the time; the constructor sets it to the clock it was given.
	Now func() time.Time

	// Index finds articles by their words.
	Index *search.Index

	versions versions
	pieces   *database.Pieces // of articles
}

// NewStore returns a store on a migrated database; now is its clock.
func NewStore(db *database.DB, now func() time.Time) *Store {
	st := &Store{db: db, Now: func() time.Time { return now().UTC().Truncate(time.Microsecond) }, pieces: database.NewPieces(16, 4, 100)}
	st.Index = search.New(db, st.indexSource())
	return st
}

// DB is the database, for packages that have tables of their own in it.
func (st *Store) DB() *database.DB { return st.db }
