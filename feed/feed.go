// Package feed owns sources and articles: their types and SQL, which sources
// are due, how articles are stored, and the queries of pages and feeds.
//
// A [Store] stores what feed/collect collects; storing it again changes nothing (articles
// are unique by source and GUID). Times are UTC instants truncated to microseconds; dates
// are [policy.Date]. The package does not deal with readers or mail.
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

// ErrNotFound says that a source or article does not exist.
var ErrNotFound = fault.ErrNotFound

// State is the state of a source, as an admin sees it.
type State string

// The states of a source.
const (
	StateNew     State = "new"     // never collected
	StateOK      State = "ok"      // the last collection succeeded
	StateFailing State = "failing" // the last collection failed; it is tried again ever more rarely
	StateBlocked State = "blocked" // the site refuses our requests; not the same as having nothing new
	StateChanged State = "changed" // the page was read and no list was found on it
	StateQuiet   State = "quiet"   // it works but had nothing new for half a year
	StateFlood   State = "flood"   // an archive arrived at once; its articles are held until an admin releases them
	StateGone    State = "gone"    // the site answered 410: not requested any more
	StatePaused  State = "paused"  // stopped by an admin
	StateRemoved State = "removed" // kept for its articles; not requested and not listed
)

// States are all states of listed sources.
var States = []State{StateNew, StateOK, StateFailing, StateBlocked, StateChanged, StateQuiet, StateFlood, StateGone, StatePaused}

// Severity orders states: the state that most needs an admin's attention has the highest
// value. Zero needs no attention.
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

// Licences contains all of them.
var Licences = []Licence{LicenceOfficial, LicenceLinkOnly, LicencePermitted, LicenceOwn}

// Source is an address from which articles are collected.
type Source struct {
	ID           int64
	URL          string
	Kind         string // a key of ingest.Kinds
	Name         string
	Zone         string // IANA name
	Issuer       string // the organization that runs it
	Region       string // GB/T 2260 code; "" if unknown
	Theme        string // folder, "" if none
	Licence      Licence
	Settings     ingest.Settings
	Interval     time.Duration // minimum time between successful collections
	ChangeEvery  time.Duration // mean time between collections with news; 0 means unknown
	Hints        ingest.Hints  // what the source says about how to read it
	Proxy        string        // proxy for requests, "" for none
	UserAgent    string        // "" means that of the node
	Private      string        // host and port of its address that may be in our own network; "" for none; see PermitPrivate
	State        State
	ETag         string
	LastModified string
	BodyHash     string // SHA-256 of the last body, hexadecimal
	Failures     int    // in a row
	LastError    string
	Warnings     []warn.Warning // warnings about its list, from the last collection
	UsualItems   int            // usual number of items in its list
	MovedTo      string         // target of its permanent redirects
	Moves        int            // number of redirects there in a row
	CheckedAt    time.Time      // zero means never
	SucceededAt  time.Time      // zero means never
	NewsAt       time.Time      // when its newest article arrived; zero means none yet
	NextAt       time.Time
	CreatedAt    time.Time

	LastAdvice string    // advice on its last error; "" means the advice on its state; see [Source.Advice]
	BegunAt    time.Time // start of the collection that has not ended; zero means none
	Crashes    int       // collections since the last success during which the process ended
}

// PageState says whether an article's own page has been read.
type PageState string

// The states of an article's page.
const (
	PageComplete PageState = "complete" // everything that the source offers was read
	PageWanted   PageState = "wanted"   // not read yet, or not completely; it is requested again
	PageMissing  PageState = "missing"  // gone, or only its beginning is public: the article has what the list gave
)

// Article is a stored unit: what a source offered, and what package policy understood of
// it.
type Article struct {
	ID          int64
	SourceID    int64
	SourceName  string
	SourceURL   string
	Licence     Licence
	GUID        string
	URL         string
	Facts       policy.Facts // Paragraphs are set only by methods that say so
	Content     string       // sanitized HTML; set only by methods that say so
	Evidence    policy.Evidence
	Attachments []ingest.Attachment
	Warnings    []warn.Warning    // warnings about reading and understanding the page
	Related     []RelatedDocument // set only by methods that say so
	Call        *call.Call        // what it asks of readers; nil means nothing; set together with Paragraphs
	PageState   PageState
	PageTries   int
	Pinned      bool // pinned by an admin: first in its issue
	Hidden      bool // hidden by an admin: not shown anywhere
	Held        bool // part of a flood: not in lists until an admin releases it
	TextHash    string
	CollectedAt time.Time
	UpdatedAt   time.Time // when the text last changed
	WithdrawnAt time.Time // when its page was found to be removed; zero means that it is there
	isNew       bool      // not stored yet
}

// Title returns the title, or the address if there is none.
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

// MayShowText reports whether the full text may be shown to readers: official documents are
// free of copyright; for everything else the source's license decides.
func (a Article) MayShowText() bool {
	switch a.Licence {
	case LicenceOwn, LicencePermitted:
		return true
	case LicenceOfficial:
		return a.Facts.Kind == policy.KindDocument || a.Facts.Kind == policy.KindConsultation
	}
	return false
}

// Store stores sources and articles.
type Store struct {
	db *database.DB
	// Now returns the current time, by the clock that was passed to NewStore.
	Now func() time.Time

	// Index is the full-text index of articles.
	Index *search.Index

	versions versions
	pieces   *database.Pieces // sizes of pieces, in articles
	shared   sharedStoring
}

// NewStore returns a store for a migrated database; now is its clock.
func NewStore(db *database.DB, now func() time.Time) *Store {
	st := &Store{db: db, Now: func() time.Time { return now().UTC().Truncate(time.Microsecond) }, pieces: database.NewPieces(16, 4, 100)}
	if db.Dialect() == database.Postgres { // where only storing waits for a piece
		st.pieces = database.NewPieces(16, 8, 100)
	}
	st.Index = search.New(db, st.indexSource())
	return st
}

// DB is the database, for packages with tables of their own in it.
func (st *Store) DB() *database.DB { return st.db }
