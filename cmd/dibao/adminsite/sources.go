package adminsite

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/inspect"
	"dibao/feed"
	"dibao/feed/collect"
	"dibao/internal/redact"
	"dibao/templates"
)

const (
	weeksShown = 13 // weeks of published articles that are shown
	shownLags  = 20 // maximum number of issuers
	shownRows  = 30 // days on which collections of a source failed
)

func sourcePath(id int64) string { return fmt.Sprintf("/sources/%d", id) }

// span is the range of days that a calendar shows, ending today.
type span struct {
	days  []string // YYYY-MM-DD
	index map[string]int
}

func spanOf(now time.Time, zone *time.Location, n int) span {
	sp := span{index: make(map[string]int, n)}
	today := now.In(zone)
	for i := range n {
		day := today.AddDate(0, 0, i+1-n).Format(time.DateOnly)
		sp.days = append(sp.days, day)
		sp.index[day] = i
	}
	return sp
}

// months returns the labels above the days: at the first of each month.
func (sp span) months() (ticks []templates.ChainTick) {
	for i, day := range sp.days {
		if day[8:] == "01" && i < len(sp.days)-4 {
			ticks = append(ticks, templates.ChainTick{At: i * 1000 / len(sp.days), Label: day[:7]})
		}
	}
	return ticks
}

// weeks is a number of weeks that end today.
type weeks struct {
	labels []string // first day of each week
	ticks  []templates.Tick
	week   map[string]int // index of the week, by day
}

func weeksUntil(now time.Time, zone *time.Location, n int) weeks {
	w := weeks{week: make(map[string]int, 7*n)}
	sp := spanOf(now, zone, 7*n)
	for i, day := range sp.days {
		if i%7 == 0 {
			w.labels = append(w.labels, day)
		}
		w.week[day] = i / 7
	}
	for i := 0; i < n; i += (n + 3) / 4 {
		w.ticks = append(w.ticks, templates.Tick{At: i, Text: w.labels[i][len("2026-"):]})
	}
	return w
}

func (w weeks) of(day string) (int, bool) {
	i, ok := w.week[day]
	return i, ok
}

// history is what is known about the past days of sources.
type history struct {
	span
	days  map[int64][]feed.SourceDay // by source
	first string                     // the first day with records; "" means none
	weeks                            // in which articles are counted
	count map[int64][]int            // number of articles by source, for each week
	rates map[int64]float64          // articles per week by source, as in dibao source list
}

// history reads the history of a source, or of all sources if source is 0.
func (s *Site) history(ctx context.Context, source int64) (history, error) {
	now := s.Node.Articles.Now().In(s.Node.Zone)
	h := history{span: spanOf(now, s.Node.Zone, feed.KeptDays), days: make(map[int64][]feed.SourceDay), weeks: weeksUntil(now, s.Node.Zone, weeksShown), count: make(map[int64][]int)}
	all, err := s.Node.Articles.SourceDays(ctx, source, h.span.days[0])
	if err != nil {
		return h, err
	}
	for _, d := range all {
		if h.first == "" {
			h.first = d.Day
		}
		h.days[d.Source] = append(h.days[d.Source], d)
	}
	if h.rates, err = s.Node.Articles.ItemsPerWeek(ctx); err != nil {
		return h, err
	}
	counts, err := s.Node.Articles.PublishedByDay(ctx, source, now.AddDate(0, 0, -7*weeksShown))
	if err != nil {
		return h, err
	}
	for _, c := range counts {
		week, ok := h.of(c.Day)
		if !ok { // a future day
			continue
		}
		if h.count[c.Source] == nil {
			h.count[c.Source] = make([]int, weeksShown)
		}
		h.count[c.Source][week] += c.Articles
	}
	return h, nil
}

// dayClass returns the color class for a day of a source.
func dayClass(d feed.SourceDay) string {
	switch {
	case d.Failures == d.Collections:
		return "bad"
	case d.Failures > 0 || d.State.Severity() > 0:
		return "wait"
	}
	return "good"
}

// sources shows all sources with their history.
func (s *Site) sources(ctx context.Context, _ *http.Request, p templates.AdminPage) (page, error) {
	st, err := s.Node.Read(ctx)
	if err != nil {
		return nil, err
	}
	h, err := s.history(ctx, 0)
	if err != nil {
		return nil, err
	}
	v := s.voice(p)
	p.Section, p.Title = "sources", v.say("sources")
	out := templates.AdminSources{AdminPage: p, Ticks: h.months(), Since: h.first, Days: len(h.span.days)}
	for _, state := range slices.Backward(feed.States) {
		if n := st.Feed.Sources[state]; n > 0 {
			out.Counts = append(out.Counts, templates.AdminCount{Name: v.code("State", string(state)), Class: class(state), Count: n})
		}
	}
	slices.SortStableFunc(out.Counts, func(a, b templates.AdminCount) int { return b.Count - a.Count })
	for _, src := range st.Sources {
		out.Rows = append(out.Rows, v.source(src, h))
	}
	lags, cut, err := s.Node.Articles.Lags(ctx, s.Node.Articles.Now().AddDate(0, 0, -feed.KeptDays))
	if err != nil {
		return nil, err
	}
	out.LagsCut = cut
	lags = lags[:min(len(lags), shownLags)]
	longest := 0
	for _, l := range lags {
		longest = max(longest, l.IssueDays)
	}
	for _, l := range lags {
		row := templates.AdminLag{Issuer: l.Issuer, Published: l.Published, Collected: l.Collected}
		if l.Published > 0 {
			row.Issue, row.Share = v.say("days", l.IssueDays), l.IssueDays*100/max(longest, 1)
		}
		if l.Collected > 0 {
			row.Collect = v.duration(l.CollectTime)
		}
		out.Lags = append(out.Lags, row)
	}
	return out, nil
}

// duration formats a time in its largest unit.
func (v voice) duration(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return v.say("seconds", int(d.Round(time.Second).Seconds()))
	case d < 2*time.Hour:
		return v.say("minutes", int(d.Round(time.Minute).Minutes()))
	case d < 48*time.Hour:
		return v.say("hours", strconv.FormatFloat(d.Hours(), 'f', 1, 64))
	}
	return v.say("days", int(d.Hours()/24+0.5))
}

// source returns a source with its history.
func (v voice) source(src feed.Source, h history) templates.AdminSource {
	out := templates.AdminSource{
		ID: src.ID, Name: src.Name, URL: sourcePath(src.ID), State: v.code("State", string(src.State)), Class: class(src.State),
		Last: cli.ShortTime(src.SucceededAt, v.Node.Zone), Error: v.sentence(redact.Text(src.LastError)), Advice: v.sentence(src.Advice()),
		Warnings: inspect.Sentences(src.Warnings, v.language),
	}
	var known, well int
	out.Days, known, well = v.runs(h.days[src.ID], h.span)
	if out.DaysText = v.say("health.nothing"); known > 0 {
		out.DaysText = v.say("health.text", known, well)
	}
	out.Weeks = h.count[src.ID]
	most := 1
	for _, n := range out.Weeks {
		most = max(most, n)
	}
	for _, n := range out.Weeks {
		out.Tops = append(out.Tops, strconv.FormatFloat(20-float64(n)*20/float64(most), 'f', 1, 64))
	}
	out.PerWeek = strconv.FormatFloat(h.rates[src.ID], 'f', -1, 64)
	return out
}

// runs joins consecutive days with the same outcome.
func (v voice) runs(days []feed.SourceDay, sp span) (runs []templates.AdminRun, known, well int) {
	percent := func(days int) string {
		return strconv.FormatFloat(float64(days)*100/float64(len(sp.days)), 'f', 3, 64)
	}
	for i := 0; i < len(days); {
		at, ok := sp.index[days[i].Day]
		if !ok { // the source is in a time zone whose date is ahead of ours
			i++
			continue
		}
		end := i + 1
		for end < len(days) && dayClass(days[end]) == dayClass(days[i]) && days[end].State == days[i].State && sp.index[days[end].Day] == at+end-i {
			end++
		}
		known += end - i
		label := days[i].Day + " " + v.code("State", string(days[i].State))
		if end-i > 1 {
			label = v.say("health.run", days[i].Day, days[end-1].Day, v.code("State", string(days[i].State)))
		}
		if dayClass(days[i]) == "good" {
			well += end - i
		}
		runs = append(runs, templates.AdminRun{X: percent(at), W: percent(end - i), Class: dayClass(days[i]), Label: label})
		i = end
	}
	return runs, known, well
}

// source shows one source.
func (s *Site) source(ctx context.Context, r *http.Request, p templates.AdminPage) (page, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return nil, feed.ErrNotFound
	}
	src, err := s.Node.Articles.SourceByID(ctx, id)
	if err != nil {
		return nil, err
	}
	h, err := s.history(ctx, id)
	if err != nil {
		return nil, err
	}
	v := s.voice(p)
	p.Section, p.Title = "sources", src.Name
	out := templates.AdminSourcePage{AdminPage: p, Source: v.source(src, h), Ticks: h.months(), Facts: v.sourceFacts(src)}
	for _, d := range slices.Backward(h.days[id]) {
		if c := dayClass(d); c != "good" && len(out.Bad) < shownRows {
			out.Bad = append(out.Bad, templates.AdminDay{Day: d.Day, State: v.code("State", string(d.State)), Class: class(d.State), Collections: d.Collections, Failures: d.Failures})
		}
	}
	out.Weeks = templates.Chart{
		ID: "plot-weeks", Title: v.say("weeks"), Step: v.say("week"), Labels: h.labels, Ticks: h.ticks,
		Series: []templates.Series{{Name: v.say("weeks.series"), Class: "good", Values: make([]float64, weeksShown)}},
	}
	sum := 0
	for i, n := range out.Source.Weeks {
		sum += n
		out.Weeks.Series[0].Values[i] = float64(n)
	}
	out.Weeks.Note = v.say("weeks.note", weeksShown, sum)
	return out, nil
}

func (v voice) sourceFacts(src feed.Source) (facts []templates.Fact) {
	add := func(key, value string) {
		if value != "" {
			facts = append(facts, templates.Fact{Key: key, Values: []templates.FactValue{{Text: value}}})
		}
	}
	zone := v.Node.Zone
	add("address", redact.Text(src.URL))
	add("kind", v.code("Kind", src.Kind))
	add("issuer", src.Issuer)
	add("last", cli.ShortTime(src.SucceededAt, zone))
	add("checked", cli.ShortTime(src.CheckedAt, zone))
	if src.State != feed.StatePaused {
		add("next", cli.ShortTime(src.NextAt, zone))
	}
	add("every", v.duration(collect.Interval(src)))
	if src.Failures > 0 {
		add("failures", strconv.Itoa(src.Failures))
	}
	add("added", cli.ShortTime(src.CreatedAt, zone))
	return facts
}
