package site

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"dibao/feed"
	"dibao/feed/publish"
	"dibao/internal/web"
	"dibao/policy"
)

// dayWords begin the titles of events.
var dayWords = map[feed.DayKind]string{feed.DayEffective: "施行", feed.DayExpires: "有效期止", feed.DayRepealed: "废止", feed.DayDeadline: "截止"}

// agendaPast is how many months back a calendar reaches: programs forget what a
// calendar no longer holds.
const agendaPast = 12

// remind is how many days before a deadline a calendar reminds.
const remind = 3

// uidOf names a day for ever: RFC 7986 wants it globally unique and to say nothing.
func uidOf(d feed.Day, host string) string {
	thing := "document"
	if d.Kind == feed.DayDeadline {
		thing = "article"
	}
	return fmt.Sprintf("%s-%d-%s@%s", thing, d.ID, d.Kind, host)
}

// registerCalendars puts the calendars of articles on mux.
func (h *Web) registerCalendars(mux *http.ServeMux) {
	mux.HandleFunc("GET /calendar.ics", func(w http.ResponseWriter, r *http.Request) {
		h.ServeCalendar(w, r, "/", func(context.Context) (publish.Calendar, feed.Agenda, error) {
			return publish.Calendar{Name: h.SiteName, Description: "施行、截止、到期日"}, feed.Agenda{}, nil
		})
	})
	for _, x := range []struct {
		prefix, value string
		spec          func(string) spec
	}{
		{"/themes/", "theme", h.ofTheme},
		{"/regions/", "code", h.ofRegion},
		{"/issuers/", "name", h.ofIssuer},
		{"/documents/", "number", h.ofDocument},
	} {
		path := pathOf(x.prefix, x.value)
		mux.HandleFunc("GET "+x.prefix+"{"+x.value+"}/calendar.ics", func(w http.ResponseWriter, r *http.Request) {
			h.ServeCalendar(w, r, path(r), func(ctx context.Context) (publish.Calendar, feed.Agenda, error) {
				s, err := x.spec(r.PathValue(x.value))(ctx)
				if err == nil {
					_, err = s.Shelf.Page(ctx, 0) // what is not there has no calendar either
				}
				return publish.Calendar{Name: s.Title, Description: s.Description}, feed.Agenda{Feed: s.Feed}, err
			})
		})
	}
}

// ServeCalendar answers with the calendar of the page at path, which ends in a
// slash. find says what it is called and holds.
func (h *Web) ServeCalendar(w http.ResponseWriter, r *http.Request, path string, find func(context.Context) (publish.Calendar, feed.Agenda, error)) {
	stamp, _, err := h.Store.Stamp(r.Context())
	if err != nil {
		h.fail(w, r, err)
		return
	}
	today := h.Today()
	from := policy.DateOf(time.Date(today.Year, today.Month-agendaPast, 1, 0, 0, 0, 0, time.UTC))
	err = h.Cache.Serve(w, r, path+"calendar.ics", stamp+" "+from.String(), func() (web.Document, error) {
		c, ask, err := find(r.Context())
		if err != nil {
			return web.Document{}, err
		}
		days, err := h.Store.Days(r.Context(), ask, from)
		if err != nil {
			return web.Document{}, err
		}
		c.URL, c.Self, c.Language = h.BaseURL+path, h.BaseURL+path+"calendar.ics", "zh-CN"
		modified := feedEpoch
		for _, d := range days {
			c.Events = append(c.Events, h.event(d))
			modified = later(modified, d.At)
		}
		var buf bytes.Buffer
		if err := publish.WriteCalendar(&buf, c); err != nil {
			return web.Document{}, err
		}
		return web.Document{Body: buf.Bytes(), MediaType: publish.CalendarType, Modified: modified, Header: http.Header{
			"Access-Control-Allow-Origin": {"*"}, "Vary": {"Accept-Encoding"}, "Content-Disposition": {`inline; filename="dibao.ics"`},
		}}, nil
	})
	if err != nil {
		h.fail(w, r, err)
	}
}

func (h *Web) event(d feed.Day) publish.Event {
	e := publish.Event{
		UID: uidOf(d, hostOf(h.BaseURL)), On: d.On.String(), Summary: dayWords[d.Kind] + "：" + d.Title, Description: d.Number,
		Categories: []string{dayWords[d.Kind]}, Sequence: d.Changes, Stamp: d.At,
	}
	if d.Article > 0 {
		e.URL = feed.ArticleURL(h.BaseURL, d.Article)
		if e.Description != "" {
			e.Description += "\n"
		}
		e.Description += e.URL // some programs show no address
	}
	if d.Kind == feed.DayDeadline {
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
