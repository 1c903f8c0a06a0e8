// Package status reads a snapshot of a node: its sources, issues, mail and
// machine. The command status prints it, and /metrics exports it.
package status

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/text"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/inspect"
	"dibao/digest"
	"dibao/digest/channel"
	"dibao/digest/delivery"
	"dibao/feed"
	"dibao/internal/database"
	"dibao/internal/jobs"
	"dibao/internal/plural"
	"dibao/internal/redact"
	"dibao/subscribers"
)

// The size of the status screen: if there are more rows, their number is shown instead.
const (
	statusWidth   = 80
	statusSources = 5
	statusLists   = 8
	statusMails   = 3
)

// Node is the node whose snapshot is read. All fields are required.
type Node struct {
	DB          *database.DB
	Articles    *feed.Store
	Digest      *digest.Service
	Subscribers *subscribers.Store
	Zone        *time.Location // time zone of the printed times
	Log         *slog.Logger
}

// Snapshot is the state of everything at one time; /metrics serves the same figures.
type Snapshot struct {
	At            time.Time
	Zone          *time.Location // time zone of the printed times
	Feed          feed.Status
	Sources       []feed.Source // worst first
	Unread        map[int64]int // articles whose page could not be read completely, by source
	Digest        digest.Status
	Mailings      []delivery.MailingReport // latest first
	MailingLists  map[int64][]string       // the titles of the lists of each mailing
	Troubles      []delivery.Trouble       // what an admin should look into
	Posted        map[string]int           // issues in channels, by state
	Troubled      []channel.Row            // channels whose newest issue failed, is tried again or is uncertain
	Readers       int                      // readers with a confirmed subscription
	Subscriptions map[string]int           // by state
	Suppressions  map[string]int           // by reason
	Jobs          map[string]int           // by state
	ClockSkew     time.Duration            // how far the clock of the database server is ahead
	DiskFree      uint64                   // free bytes on the disk of the database; 0 means unknown
	Database      string                   // without its password
}

// Read reads a snapshot of everything.
func (a Node) Read(ctx context.Context) (Snapshot, error) {
	st, err := a.figures(ctx)
	if err == nil {
		st.Troubles, err = a.Digest.Troubles(ctx)
	}
	return st, err
}

// figures reads what costs little: /metrics is read often.
func (a Node) figures(ctx context.Context) (Snapshot, error) {
	st := Snapshot{At: a.Articles.Now(), Zone: a.Zone, Database: a.DB.String()}
	var err error
	if st.Feed, err = a.Articles.Status(ctx); err != nil {
		return st, err
	}
	if st.Sources, err = a.Articles.Sources(ctx); err != nil {
		return st, err
	}
	slices.SortStableFunc(st.Sources, func(x, y feed.Source) int {
		return cmp.Or(cmp.Compare(y.State.Severity(), x.State.Severity()), cmp.Compare(len(y.Warnings), len(x.Warnings)), x.SucceededAt.Compare(y.SucceededAt))
	})
	if st.Unread, err = a.Articles.UnreadPages(ctx); err != nil {
		return st, err
	}
	if st.Digest, err = a.Digest.Status(ctx); err != nil {
		return st, err
	}
	if st.Mailings, err = a.Digest.Report(ctx, statusMails); err != nil {
		return st, err
	}
	st.MailingLists = make(map[int64][]string)
	for _, m := range st.Mailings {
		issues, err := a.Digest.IssuesOfMailing(ctx, m.Mailing)
		if err != nil {
			return st, err
		}
		for _, i := range issues {
			st.MailingLists[m.Mailing] = append(st.MailingLists[m.Mailing], i.List.Title)
		}
	}
	if st.Posted, err = a.Digest.Channels.Count(ctx); err != nil {
		return st, err
	}
	if st.Troubled, err = a.Digest.Channels.Troubled(ctx); err != nil {
		return st, err
	}
	if st.Readers, err = a.Subscribers.CountReaders(ctx); err != nil {
		return st, err
	}
	if st.Subscriptions, err = a.Subscribers.CountSubscriptions(ctx); err != nil {
		return st, err
	}
	if st.Suppressions, err = a.Subscribers.CountSuppressions(ctx); err != nil {
		return st, err
	}
	if st.Jobs, err = jobs.Counts(ctx, a.DB); err != nil {
		return st, err
	}
	if st.ClockSkew, err = a.DB.ClockSkew(ctx); err != nil {
		return st, err
	}
	if a.DB.Dialect() == database.SQLite {
		if free, err := FreeSpace(filepath.Dir(a.DB.Path())); err == nil {
			st.DiskFree = free
		}
	}
	return st, nil
}

// screen writes a status in one language.
type screen struct {
	w       io.Writer
	chinese bool
	err     error
}

func (s *screen) text(english string, args ...any) string {
	if s.chinese {
		return cli.Say(english, args...)
	}
	return plural.English(fmt.Sprintf(english, args...))
}

// translate returns a text that was formatted in English in the language of the screen.
func (s *screen) translate(english string) string {
	if s.chinese {
		return cli.Chinese(english)
	}
	return plural.English(english)
}

// code translates a code, such as a state, under a heading.
func (s *screen) code(heading, code string) string {
	if s.chinese {
		return cli.Code(heading, code)
	}
	return code
}

// line writes a line, truncated to the width of the screen.
func (s *screen) line(line string) {
	if s.err == nil {
		_, s.err = fmt.Fprintln(s.w, text.Snip(line, statusWidth, "…"))
	}
}

func (s *screen) head(english string) { s.line(s.text("%s", english)) }

// item writes a line about one thing, in columns.
func (s *screen) item(cells ...string) { s.columns([]int{30, 16}, cells...) }

// columns is item with other widths of its columns.
func (s *screen) columns(widths []int, cells ...string) {
	line := " "
	for i, c := range cells {
		line += " "
		if i < len(cells)-1 && i < len(widths) {
			c = text.Pad(text.Snip(c, widths[i], "…"), widths[i], ' ')
		}
		line += c
	}
	s.line(line)
}

// detail writes a text that was formatted in English below an item, on as many lines as
// it needs.
func (s *screen) detail(english string) {
	for _, line := range strings.Split(text.WrapSoft(s.translate(english), statusWidth-4), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			s.item("  " + line)
		}
	}
}

// counts writes counts by code, largest first.
func (s *screen) counts(heading string, counts map[string]int) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	var parts []string
	for _, n := range names {
		if counts[n] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", s.code(heading, n), counts[n]))
		}
	}
	return cmp.Or(strings.Join(parts, map[bool]string{true: "，", false: ", "}[s.chinese]), "0")
}

// Print writes the screen, 80 columns wide.
func (st Snapshot) Print(w io.Writer, chinese bool) error {
	s := &screen{w: w, chinese: chinese}
	s.line(cli.VersionLine() + "  " + cli.ShortTime(st.At, st.Zone))
	st.printSources(s)
	st.printLists(s)
	st.printMailings(s)
	if len(st.Posted) > 0 {
		s.head("CHANNELS")
		s.item(s.counts("State", st.Posted))
		for _, r := range st.Troubled {
			s.columns([]int{6, 10, 10}, fmt.Sprint(r.Channel), s.code("Kind", r.Kind), s.code("State", r.State), s.translate(r.LastReply()))
		}
	}
	s.head("READERS")
	s.item(s.text("%d readers", st.Readers), s.text("subscriptions: %s", s.counts("State", st.Subscriptions)))
	if len(st.Suppressions) > 0 {
		s.item(s.text("suppressed addresses: %s", s.counts("Reason", st.Suppressions)))
	}
	s.head("SYSTEM")
	if st.DiskFree > 0 {
		s.item(s.text("database %s, %s of disk free", st.Database, humanize.Bytes(st.DiskFree)))
	} else {
		s.item(s.text("database %s", st.Database))
	}
	return s.err
}

func (st Snapshot) printSources(s *screen) {
	s.head("SOURCES")
	if len(st.Sources) == 0 {
		s.item(s.text("none; add one with: dibao source add URL"))
		return
	}
	s.item(s.counts("State", byText(st.Feed.Sources)))
	shown := 0
	for _, src := range st.Sources {
		if src.State.Severity() == 0 && len(src.Warnings) == 0 {
			continue
		}
		if shown++; shown > statusSources {
			continue
		}
		last := s.text("never succeeded")
		if !src.SucceededAt.IsZero() {
			last = s.text("last success %s", cli.ShortTime(src.SucceededAt, st.Zone))
		}
		s.item(src.Name, s.code("State", string(src.State)), last)
		for _, reason := range []string{redact.Text(src.LastError), src.Advice()} {
			s.detail(reason)
		}
		for _, w := range inspect.Sentences(src.Warnings, cli.Language(s.chinese)) {
			s.detail(w)
		}
	}
	if more := shown - statusSources; more > 0 {
		s.item(s.text("and %d more", more))
	}
	if !st.Feed.NewestAt.IsZero() {
		s.item(s.text("%d articles stored, the newest on %s", st.Feed.Articles, cli.ShortTime(st.Feed.NewestAt, st.Zone)))
	}
	if n := st.Feed.Unindexed; n > 0 {
		s.item(s.text("%d articles wait for the search index", n))
	}
	if n := st.Feed.Held; n > 0 {
		s.item(s.text("%d articles are held back until released", n))
	}
	if n := st.unread(); n > 0 {
		most := slices.MaxFunc(st.Sources, func(x, y feed.Source) int { return cmp.Compare(st.Unread[x.ID], st.Unread[y.ID]) })
		s.item(s.text("%d pages could not be read completely, %d of them from %s", n, st.Unread[most.ID], most.Name))
	}
}

// unread counts the pages of all sources that could not be read completely.
func (st Snapshot) unread() (n int) {
	for _, src := range st.Sources { // without removed ones
		n += st.Unread[src.ID]
	}
	return n
}

// Unhealthy counts the sources that an admin should look at.
func (st Snapshot) Unhealthy() (n int) {
	for state, count := range st.Feed.Sources {
		if state.Severity() > 0 {
			n += count
		}
	}
	return n
}

func (st Snapshot) printLists(s *screen) {
	s.head("NEXT ISSUES")
	if len(st.Digest.Lists) == 0 {
		s.item(s.text("none; create one with: dibao list create NAME"))
	}
	lists := st.ListsByTime()
	for i, l := range lists {
		if i == statusLists {
			s.item(s.text("and %d more", len(lists)-i))
			break
		}
		when := cli.ShortTime(l.NextAt, st.Zone)
		switch {
		case l.NextAt.IsZero():
			when = s.text("as it happens")
		case !l.OverdueSince.IsZero():
			when = s.text("OVERDUE since %s", cli.ShortTime(l.OverdueSince, st.Zone))
		}
		matched := s.text("not matched yet")
		if l.Matched != nil {
			matched = s.text("%d articles match", *l.Matched)
		}
		s.columns([]int{26, 30}, l.List.Slug, when, matched)
	}
	if n := st.Digest.HeldIssues; n > 0 {
		s.item(s.text("%d issues are held; see: dibao issue list", n))
	}
}

// ListsByTime returns the lists in the order of their next issues; overdue lists come
// first.
func (st Snapshot) ListsByTime() []digest.ListStatus {
	return slices.SortedStableFunc(slices.Values(st.Digest.Lists), func(a, b digest.ListStatus) int {
		if a.OverdueSince.IsZero() != b.OverdueSince.IsZero() {
			return cmp.Compare(b.OverdueSince.Unix(), a.OverdueSince.Unix())
		}
		return a.NextAt.Compare(b.NextAt)
	})
}

// JSON returns the snapshot as a value with stable keys.
func (st Snapshot) JSON() any {
	type source struct {
		ID          int64      `json:"id"`
		Name        string     `json:"name"`
		State       string     `json:"state"`
		SucceededAt *time.Time `json:"succeeded_at"`
		Error       *string    `json:"error"`
		Warnings    []string   `json:"warnings"` // what was unusual when its list was last read
	}
	type list struct {
		Slug         string     `json:"slug"`
		NextAt       *time.Time `json:"next_at"` // null if the list is sent as it happens
		OverdueSince *time.Time `json:"overdue_since"`
		Matched      *int       `json:"matched"` // null if articles have not been matched with the list's query yet
	}
	version, revision := cli.BuiltFrom()
	out := struct {
		At            time.Time                `json:"at"`
		Version       string                   `json:"version"`
		Revision      string                   `json:"revision"`
		Database      string                   `json:"database"`
		DiskFree      *uint64                  `json:"disk_free_bytes"` // null if unknown
		Sources       map[feed.State]int       `json:"sources"`
		Unhealthy     []source                 `json:"unwell_sources"`
		Articles      int64                    `json:"articles"`
		NewestArticle *time.Time               `json:"newest_article_at"`
		Unindexed     int64                    `json:"unindexed_articles"`
		Held          int64                    `json:"held_articles"`
		UnreadPages   int                      `json:"unread_pages"`
		Lists         []list                   `json:"lists"`
		HeldIssues    int                      `json:"held_issues"`
		Mailings      []delivery.MailingReport `json:"mailings"`
		Deliveries    map[string]int           `json:"deliveries_7_days"`
		OldestWaiting *time.Time               `json:"oldest_waiting_at"`
		Paused        []delivery.Pause         `json:"paused_servers"`
		Troubles      []delivery.Trouble       `json:"mail_troubles"`
		Reports       map[string]int           `json:"reports_7_days"`
		Pending       int                      `json:"pending_suppressions"`
		Posted        map[string]int           `json:"channel_deliveries"`
		Troubled      []channel.Row            `json:"troubled_channels"`
		Readers       int                      `json:"readers"`
		Subscriptions map[string]int           `json:"subscriptions"`
		Suppressions  map[string]int           `json:"suppressions"`
		Jobs          map[string]int           `json:"jobs"`
		ClockSkew     float64                  `json:"clock_skew_seconds"`
	}{
		At: st.At.UTC(), Version: version, Revision: revision, Database: st.Database, DiskFree: cli.Null(st.DiskFree),
		Sources: st.Feed.Sources, Unhealthy: []source{}, Articles: st.Feed.Articles, NewestArticle: cli.Null(st.Feed.NewestAt), Unindexed: st.Feed.Unindexed, Held: st.Feed.Held, UnreadPages: st.unread(),
		Lists: []list{}, HeldIssues: st.Digest.HeldIssues, Mailings: append([]delivery.MailingReport{}, st.Mailings...), Deliveries: st.Digest.Deliveries, OldestWaiting: cli.Null(st.Digest.OldestWaiting),
		Paused: append([]delivery.Pause{}, st.Digest.Paused...), Troubles: append([]delivery.Trouble{}, st.Troubles...), Reports: st.Digest.Reports, Pending: st.Digest.Pending, Posted: st.Posted, Troubled: append([]channel.Row{}, st.Troubled...), Readers: st.Readers, Subscriptions: st.Subscriptions, Suppressions: st.Suppressions,
		Jobs: st.Jobs, ClockSkew: st.ClockSkew.Seconds(),
	}
	for _, src := range st.Sources {
		if src.State.Severity() > 0 || len(src.Warnings) > 0 {
			out.Unhealthy = append(out.Unhealthy, source{src.ID, src.Name, string(src.State), cli.Null(src.SucceededAt), cli.Null(src.LastError), inspect.Sentences(src.Warnings, "en")})
		}
	}
	for _, l := range st.Digest.Lists {
		out.Lists = append(out.Lists, list{l.List.Slug, cli.Null(l.NextAt), cli.Null(l.OverdueSince), l.Matched})
	}
	return out
}

func byText[K ~string](counts map[K]int) map[string]int {
	out := make(map[string]int, len(counts))
	for k, n := range counts {
		out[string(k)] = n
	}
	return out
}
