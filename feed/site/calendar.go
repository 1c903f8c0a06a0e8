package site

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"dibao/feed"
	"dibao/feed/amend"
	"dibao/feed/publish"
	"dibao/internal/database"
	"dibao/internal/web"
	"dibao/policy"
	"dibao/templates"
)

// DayKind is what happens on a day.
type DayKind string

// The kinds of days.
const (
	DayEffective DayKind = "effective" // 施行日
	DayExpires   DayKind = "expires"   // the last day in force, 到期日
	DayRepealed  DayKind = "repealed"  // 废止日
	DayDeadline  DayKind = "deadline"  // the last day to act, 截止日
)

// Day is a date that a document or an article states.
type Day struct {
	Kind    DayKind
	On      policy.Date
	ID      int64 // id of the article for deadlines, or else of the document
	Article int64 // the article that shows it, 0 means none
	Title   string
	Number  string
	Changes int       // how often the day or the title has changed
	Ended   bool      // the call was canceled
	At      time.Time // when the text that states it was last stored or changed
}

// Agenda selects days; the zero Agenda selects all.
type Agenda struct {
	Feed string // key of a feed in article_feeds
	List int64  // only articles that match this list

	Calls bool // only the deadlines of calls

	Articles []int64 // only these articles, if not nil
	Remind   []int   // how many days before each day to remind the reader; nil means only before deadlines, as in other calendars
}

// maxDays is the maximum number of days in an agenda.
const maxDays = 1000

// The articles of an agenda: all, those in a feed, or those that match a list.
const agendaArticles = ` (SELECT a.id FROM articles a
		WHERE $2 = '' AND $3 = 0 AND a.id = w.article
		UNION ALL SELECT f.article FROM article_feeds f WHERE $2 <> '' AND f.feed = $2 AND f.article = w.article
		UNION ALL SELECT m.article FROM matches m WHERE $3 > 0 AND m.list = $3 AND m.article = w.article)`

// dayQueries find the days of each kind. A text on several sites counts once: as its document,
// or as the first article of its cluster.
var dayQueries = map[DayKind]string{
	DayEffective: dayOfDocument("effective_on"),
	DayExpires:   dayOfDocument("expires_on"),
	DayRepealed:  dayOfDocument("repealed_on"),
	DayDeadline:  dayOfDeadline(""),
}

// callQueries are dayQueries for calls alone.
var callQueries = map[DayKind]string{DayDeadline: dayOfDeadline(" AND a.call <> ''")}

func dayOfDeadline(and string) string {
	// The day of a call is that of the latest notice; a notice itself has none.
	const columns = `, a.id AS article, a.title, a.document_number AS number, a.date_changes + COALESCE(s.changes, 0) AS changes, COALESCE(s.kind, '') = 'canceled' AS ended, a.updated_at, s.at FROM articles a LEFT JOIN clusters c ON c.article = a.id `
	where := ` AND a.hidden = 0 AND a.withdrawn_at IS NULL AND COALESCE(c.first, 1) = 1` + and
	return `SELECT w.deadline_on, w.article, w.article, w.title, w.number, w.changes, w.ended, w.updated_at, w.at FROM (
			SELECT a.deadline_on` + columns + `LEFT JOIN call_states s ON s.article = a.id
			WHERE a.deadline_on IS NOT NULL AND a.deadline_on <> '' AND a.deadline_on >= $1 AND s.until_on IS NULL
				AND NOT EXISTS (SELECT 1 FROM call_notices n WHERE n.article = a.id AND n.target IS NOT NULL)` + where + `
			UNION ALL SELECT s.until_on` + columns + `JOIN call_states s ON s.article = a.id WHERE s.until_on >= $1` + where + `) AS w
		WHERE EXISTS` + agendaArticles + ` ORDER BY w.deadline_on DESC, w.article DESC LIMIT $4`
}

// dayOfDocument returns the query for one column of documents.
func dayOfDocument(column string) string {
	return `SELECT d.` + column + `, d.id, COALESCE(d.article, 0), d.title, d.number, d.date_changes, 0 = 1, d.updated_at, d.updated_at FROM documents d
		WHERE d.` + column + ` IS NOT NULL AND d.` + column + ` <> '' AND d.` + column + ` >= $1 AND d.article IS NOT NULL
		AND EXISTS (SELECT 1 FROM carriers w WHERE w.document = d.id AND EXISTS` + agendaArticles + `)
		ORDER BY d.` + column + ` DESC, d.id DESC LIMIT $4`
}

// daysOf returns the days of an agenda from a day on, at most maxDays, in order.
func daysOf(ctx context.Context, st *feed.Store, ask Agenda, from policy.Date) ([]Day, error) {
	queries, of := dayQueries, ask.Feed
	if ask.Calls {
		queries = callQueries
	}
	own := "(w.article IN (" + st.DB().Dialect().IDs("$2") + ") AND $3 = 0)"
	if ask.Articles != nil {
		of = database.JSON(ask.Articles)
	}
	var all []Day
	err := st.DB().Read(ctx, func(tx *sql.Tx) error {
		all = nil
		for kind, query := range queries {
			if ask.Articles != nil {
				query = strings.ReplaceAll(query, "EXISTS"+agendaArticles, own)
			}
			days, err := database.Collect(ctx, tx, func(r database.Row) (Day, error) {
				d := Day{Kind: kind}
				var changed sql.Null[time.Time]
				err := r.Scan(&d.On, &d.ID, &d.Article, &d.Title, &d.Number, &d.Changes, &d.Ended, &d.At, &changed)
				d.At = later(d.At, changed.V)
				return d, err
			}, query, from, of, ask.List, maxDays)
			if err != nil {
				return err
			}
			all = append(all, days...)
		}
		return nil
	})
	slices.SortFunc(all, func(a, b Day) int {
		return cmp.Or(a.On.Compare(b.On), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
	})
	return all[max(len(all)-maxDays, 0):], err
}

// agendaPast is how many months back a calendar goes: programs delete events that a
// calendar no longer contains.
const agendaPast = 12

// remind is how many days before a deadline a calendar reminds the reader.
var remind = []int{3}

// uidOf returns the permanent id of a day: RFC 7986 asks for globally unique ids that
// reveal nothing.
func uidOf(d Day, host string) string {
	thing := "document"
	if d.Kind == DayDeadline {
		thing = "article"
	}
	return fmt.Sprintf("%s-%d-%s@%s", thing, d.ID, d.Kind, host)
}

// registerCalendars registers the calendars of articles on mux.
func (h *Web) registerCalendars(mux *http.ServeMux) {
	mux.HandleFunc("GET /calendar.ics", func(w http.ResponseWriter, r *http.Request) {
		h.ServeCalendar(w, r, "/", func(context.Context) (publish.Calendar, Agenda, error) {
			return publish.Calendar{Name: h.SiteName, Description: templates.Words("zh", "calendar.description")}, Agenda{}, nil
		})
	})
	for _, x := range []struct {
		prefix, value string
		spec          func(string) findFeed
	}{
		{"/themes/", "theme", h.ofTheme},
		{"/regions/", "code", h.ofRegion},
		{"/issuers/", "name", h.ofIssuer},
		{"/documents/", "number", h.ofDocument},
	} {
		path := pathOf(x.prefix, x.value)
		mux.HandleFunc("GET "+x.prefix+"{"+x.value+"}/calendar.ics", func(w http.ResponseWriter, r *http.Request) {
			h.ServeCalendar(w, r, path(r), func(ctx context.Context) (publish.Calendar, Agenda, error) {
				s, err := x.spec(r.PathValue(x.value))(ctx)
				if err == nil {
					_, err = s.Entries.Page(ctx, 0) // a feed that does not exist has no calendar, either
				}
				return publish.Calendar{Name: s.Title, Description: s.Description}, Agenda{Feed: s.Feed}, err
			})
		})
	}
}

// ServeCalendar answers with the calendar of the page at path, which ends in a
// slash. find returns its title and content.
func (h *Web) ServeCalendar(w http.ResponseWriter, r *http.Request, path string, find func(context.Context) (publish.Calendar, Agenda, error)) {
	h.serveCalendar(w, r, path, "", h.agendaFrom(), find)
}

// serveCalendar is ServeCalendar with the query of the page, which begins with a
// question mark, and with the first day of the calendar.
func (h *Web) serveCalendar(w http.ResponseWriter, r *http.Request, path, query string, from policy.Date, find func(context.Context) (publish.Calendar, Agenda, error)) {
	version, _, err := h.Store.Version(r.Context())
	if err != nil {
		h.fail(w, r, err)
		return
	}
	err = h.Cache.Serve(w, r, path+"calendar.ics"+query, version+" "+cmp.Or(dayOf(h, query), from.String()), func() (web.Document, error) {
		c, ask, err := find(r.Context())
		if err != nil {
			return web.Document{}, err
		}
		c.URL, c.Self = h.BaseURL+path+query, h.BaseURL+path+"calendar.ics"+query
		body, modified, err := h.calendar(r.Context(), c, ask, from)
		if err != nil {
			return web.Document{}, err
		}
		return web.Document{Body: body, MediaType: publish.CalendarType, Modified: modified, Header: http.Header{
			"Access-Control-Allow-Origin": {"*"}, "Vary": {"Accept-Encoding"}, "Content-Disposition": {`inline; filename="dibao.ics"`},
		}}, nil
	})
	if err != nil {
		h.fail(w, r, err)
	}
}

// agendaFrom returns the first day in a calendar.
func (h *Web) agendaFrom() policy.Date {
	today := h.Today()
	return policy.DateOf(time.Date(today.Year, today.Month-agendaPast, 1, 0, 0, 0, 0, time.UTC))
}

// calendar writes the days of an agenda, and returns when they last changed.
func (h *Web) calendar(ctx context.Context, c publish.Calendar, ask Agenda, from policy.Date) (body []byte, modified time.Time, err error) {
	days, err := daysOf(ctx, h.Store, ask, from)
	if err != nil {
		return nil, time.Time{}, err
	}
	language := cmp.Or(c.Language, "zh")
	c.Language, modified = languageTag(language), feedEpoch
	for _, d := range days {
		e := h.event(d, language)
		if ask.Remind != nil {
			e.RemindDays = ask.Remind
		}
		c.Events = append(c.Events, e)
		modified = later(modified, d.At)
	}
	var buf bytes.Buffer
	err = publish.WriteCalendar(&buf, c)
	return buf.Bytes(), modified, err
}

// OwnCalendar writes a calendar of articles: their deadlines, and the days of the
// documents that they contain. For a repost it has the day of the original; for a
// notice that changes a call, the day of the call.
func (h *Web) OwnCalendar(ctx context.Context, c publish.Calendar, articles []int64, remind []int) ([]byte, error) {
	ids := slices.Clone(articles)
	clusters, err := h.Store.Clusters(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range articles {
		if first := clusters[id].First; first != 0 {
			ids = append(ids, first)
		}
	}
	changed, err := amend.Targets(ctx, h.Store.DB(), articles)
	if err != nil {
		return nil, err
	}
	body, _, err := h.calendar(ctx, c, Agenda{Articles: append(ids, changed...), Remind: remind}, h.agendaFrom())
	return body, err
}

func (h *Web) event(d Day, language string) publish.Event {
	kind := templates.Words(language, "day."+string(d.Kind))
	e := publish.Event{
		UID: uidOf(d, hostOf(h.BaseURL)), On: d.On.String(), Summary: kind + templates.Words(language, "colon") + d.Title, Description: d.Number,
		Categories: []string{kind}, Sequence: d.Changes, Stamp: d.At, Canceled: d.Ended,
	}
	if d.Article > 0 {
		e.URL = feed.ArticleURL(h.BaseURL, d.Article)
		if e.Description != "" {
			e.Description += "\n"
		}
		e.Description += e.URL // some programs do not show the URL property
	}
	if d.Ended {
		e.Summary = templates.Words(language, "change.canceled") + templates.Words(language, "colon") + e.Summary
	}
	if d.Kind == DayDeadline {
		e.RemindDays = remind
	}
	return e
}

// hostOf returns the name of the host in an address.
func hostOf(base string) string {
	if u, err := url.Parse(base); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return base
}
