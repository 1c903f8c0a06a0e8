package site

import (
	"bytes"
	"context"
	"database/sql"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"dibao/feed"
	"dibao/internal/database"
	"dibao/internal/web"
	"dibao/policy"
	"dibao/policy/cut"
	"dibao/policy/match"
	"dibao/policy/theme"
	"dibao/templates"
)

// callFilter narrows the list of calls, its feed and its calendar. Every field has few
// possible values, so that caches hold few pages.
type callFilter struct {
	values map[string]string // by parameter name; without empty values
}

// withinDays are the numbers of days within which the calls end.
var withinDays = []string{"7", "14", "30", "90"}

// callFields are the fields of a filter, in the order of an address and of the form.
var callFields = []struct {
	name   string
	values []string
	title  func(language, value string) string
}{
	{"who", match.Entities, func(l, v string) string { return templates.Words(l, "entity."+v) }},
	{"industry", match.Industries, func(l, v string) string { return templates.Words(l, "industry."+v) }},
	{"size", match.Sizes, func(l, v string) string { return templates.Words(l, "size."+v) }},
	{"qualification", match.Qualifications, func(l, v string) string { return templates.Words(l, "qualification."+v) }},
	{"topic", theme.Names, func(language, v string) string { return theme.NameIn(v, language) }},
	{"within", withinDays, func(l, v string) string { return templates.Words(l, "calls.within.days", v) }},
	{"state", []string{"closed"}, func(l, v string) string { return templates.Words(l, "calls.state."+v) }},
}

// unknownValue is the error for a value that a field of a filter does not have.
type unknownValue struct {
	field int // index in callFields
	value string
}

func (e unknownValue) Error() string { return e.text("en") }

// longestValue is how many characters of an unknown value a message shows.
const longestValue = 40

// text says which values the field has.
func (e unknownValue) text(language string) string {
	x := callFields[e.field]
	var known []string
	for _, v := range x.values {
		if title := x.title(language, v); title != v {
			v = templates.Words(language, "calls.filter.value", v, title)
		}
		known = append(known, v)
	}
	return templates.Words(language, "message.unknown_value.text", cut.First(e.value, longestValue), x.name, strings.Join(known, templates.Words(language, "semicolon")))
}

// failUnknown answers with an unknown value of a filter, in the reader's language.
func (h *Web) failUnknown(w http.ResponseWriter, r *http.Request, e unknownValue) {
	l := web.Language(r)
	text := e.text(l)
	p := templates.MessagePage{
		Page: templates.Page{Language: l, Chosen: web.LanguageChosen(r), SiteName: h.SiteName, NoIndex: true, Title: templates.Words(l, "message.unknown_value.title")},
		Key:  "unknown_value", Text: text, Link: templates.FeedLink{Title: templates.Words(l, "message.unknown_value.back"), URL: "/calls/"},
	}
	var page bytes.Buffer
	if err := p.Render(&page); err != nil {
		h.fail(w, r, err)
		return
	}
	web.Invalid(w, r, text, page.Bytes())
}

// callFilterOf reads a filter from the parameters of an address; it returns unknownValue for a
// value that it does not know.
func callFilterOf(q url.Values) (f callFilter, err error) {
	f.values = make(map[string]string)
	for i, x := range callFields {
		v := q.Get(x.name)
		if v == "" {
			continue
		}
		if !slices.Contains(x.values, v) {
			return f, unknownValue{i, v}
		}
		f.values[x.name] = v
	}
	if f.values["state"] != "" {
		delete(f.values, "within") // closed calls have already ended
	}
	return f, nil
}

// query returns the filter as the query of an address, with its question mark; "" for
// no filter.
func (f callFilter) query() string {
	var parts []string
	for _, x := range callFields {
		if v := f.values[x.name]; v != "" {
			parts = append(parts, x.name+"="+url.QueryEscape(v))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "?" + strings.Join(parts, "&")
}

// dayOf returns today's date for a filter whose results depend on the day, else "".
func dayOf(h *Web, query string) string {
	if query == "" {
		return ""
	}
	return h.Today().String()
}

// ofLastDay are the fields about the last day of calls; all others are about the content of
// calls.
var ofLastDay = []string{"within", "state"}

// asksOfCalls reports whether the filter depends on the content of calls.
func (f callFilter) asksOfCalls() bool {
	for name := range f.values {
		if !slices.Contains(ofLastDay, name) {
			return true
		}
	}
	return false
}

// takes reports whether nothing in a call contradicts the filter. A qualification and a
// topic must be in the text of the call.
func (f callFilter) takes(n match.Notice) bool {
	one := func(name string) []string {
		if v := f.values[name]; v != "" {
			return []string{v}
		}
		return nil
	}
	p := match.Profile{Entities: one("who"), Industries: one("industry"), Size: f.values["size"], Qualifications: one("qualification"), Topics: one("topic")}
	r := match.Match(p, n)
	says := func(field match.Field) bool {
		return slices.ContainsFunc(r.Why, func(c match.Condition) bool { return c.Field == field })
	}
	return r.Fits() && (f.values["topic"] == "" || says(match.FieldTopic)) && (f.values["qualification"] == "" || says(match.FieldQualification))
}

// keep returns the articles whose calls match the filter, in their order.
func (f callFilter) keep(ctx context.Context, st *feed.Store, ids []int64) (kept []int64, err error) {
	if !f.asksOfCalls() || len(ids) == 0 {
		return ids, nil
	}
	calls, err := st.CallsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	articles, err := st.ArticlesByID(ctx, ids)
	for _, id := range ids {
		a := articles[id]
		if c, ok := calls[id]; ok && f.takes(match.Notice{Call: c, Region: a.Facts.Region, Theme: a.Facts.Theme}) {
			kept = append(kept, id)
		}
	}
	return kept, err
}

// maxFiltered is the maximum number of calls that a filter examines for one page or
// calendar.
const maxFiltered = 3000

// callIDs returns the calls on a page or in a calendar: those whose last day is not before
// from. If the filter asks for closed calls, it returns those that ended before today, the
// latest first. key is a feed of article_feeds, "" for all.
func (h *Web) callIDs(ctx context.Context, key string, f callFilter, from policy.Date) (ids []int64, err error) {
	to, order, notices := "9999", "", ` AND NOT EXISTS (SELECT 1 FROM call_notices n WHERE n.article = a.id AND n.target IS NOT NULL)`
	if days, err := strconv.Atoi(f.values["within"]); err == nil {
		to = h.Today().AddDays(days).String()
	}
	if f.values["state"] != "" {
		from, to, order = h.agendaFrom(), h.Today().AddDays(-1).String(), " DESC"
	}
	err = h.Store.DB().Read(ctx, func(tx *sql.Tx) (err error) {
		ids, err = database.Collect(ctx, tx, database.ScanOne[int64], `SELECT a.id FROM articles a LEFT JOIN call_states s ON s.article = a.id
			WHERE a.id IN (SELECT id FROM articles WHERE call <> '' AND deadline_on >= $1 UNION SELECT article FROM call_states WHERE until_on >= $1)
			AND COALESCE(s.until_on, a.deadline_on) >= $1 AND COALESCE(s.until_on, a.deadline_on) <= $4`+notices+`
			AND a.held = 0 AND a.hidden = 0 AND a.withdrawn_at IS NULL AND ($2 = '' OR EXISTS (SELECT 1 FROM article_feeds f WHERE f.feed = $2 AND f.article = a.id))
			ORDER BY COALESCE(s.until_on, a.deadline_on)`+order+`, a.id LIMIT $3`, from.String(), key, maxFiltered, to)
		return err
	})
	if err != nil {
		return nil, err
	}
	return f.keep(ctx, h.Store, ids)
}

// form returns the form of the filter for a page.
func (f callFilter) form(language, path string) *templates.CallFilter {
	v := &templates.CallFilter{Action: path, Active: len(f.values) > 0}
	for _, x := range callFields {
		field := templates.CallFilterField{Name: x.name, Chosen: f.values[x.name]}
		for _, value := range x.values {
			field.Choices = append(field.Choices, templates.Choice{Value: value, Title: x.title(language, value), Chosen: value == f.values[x.name]})
		}
		v.Fields = append(v.Fields, field)
	}
	return v
}

// filtered returns the entries that match the filter. It examines enough entries to fill
// one page of the feed, up to maxFiltered.
func (f callFilter) filtered(h *Web, e Entries) Entries {
	if len(f.values) == 0 {
		return e
	}
	all := e.Places
	e.Places = func(ctx context.Context, above, upTo int64, limit int) (out []Place, err error) {
		hasLastDay, err := h.lastDays(ctx, f)
		if err != nil {
			return nil, err
		}
		for looked := 0; len(out) < limit && looked < maxFiltered; {
			page, err := all(ctx, above, upTo, max(limit, 100))
			if err != nil || len(page) == 0 {
				return out, err
			}
			ids := make([]int64, len(page))
			for i, p := range page {
				ids[i] = p.Article
			}
			kept, err := f.keep(ctx, h.Store, ids)
			if err != nil {
				return nil, err
			}
			for _, p := range page {
				if len(out) < limit && slices.Contains(kept, p.Article) && hasLastDay(p.Article) {
					out = append(out, p)
				}
			}
			looked += len(page)
			upTo = page[len(page)-1].Number - 1
		}
		return out, nil
	}
	return e
}

// lastDays returns a function that reports whether the last day of an article's call
// matches the filter.
func (h *Web) lastDays(ctx context.Context, f callFilter) (takes func(article int64) bool, err error) {
	own := callFilter{make(map[string]string)}
	for _, name := range ofLastDay {
		if v := f.values[name]; v != "" {
			own.values[name] = v
		}
	}
	if len(own.values) == 0 {
		return func(int64) bool { return true }, nil
	}
	ids, err := h.callIDs(ctx, "", own, h.Today())
	slices.Sort(ids)
	return func(article int64) bool {
		_, ok := slices.BinarySearch(ids, article)
		return ok
	}, err
}
