// Package forreader decides from a reader's profile which calls concern the reader, and
// what an email says about each: why it may concern the reader, what the reader has to
// check, what it offers and what to do next.
package forreader

import (
	"context"
	"slices"
	"strings"

	"dibao/feed"
	"dibao/feed/asks"
	"dibao/policy"
	"dibao/policy/call"
	"dibao/policy/division"
	"dibao/policy/match"
	"dibao/policy/theme"
	"dibao/templates"
)

// Notices are the calls among some articles, by article.
type Notices map[int64]match.Notice

// Load reads the calls of those articles that have one.
func Load(ctx context.Context, st *feed.Store, articles []feed.Article) (Notices, error) {
	ids := make([]int64, len(articles))
	for i, a := range articles {
		ids[i] = a.ID
	}
	calls, err := st.CallsOf(ctx, ids)
	if err != nil || len(calls) == 0 {
		return nil, err
	}
	n := make(Notices, len(calls))
	for _, a := range articles {
		if c, ok := calls[a.ID]; ok {
			n[a.ID] = match.Notice{Call: c, Region: a.Facts.Region, Theme: a.Facts.Theme}
		}
	}
	return n, nil
}

// Result says how the conditions of a call match a reader's profile.
type Result = match.Result

// Concern is a call that may concern a reader.
type Concern struct {
	Call call.Call
	Result
}

// Concern returns the call of an article with the result of Match for a reader; nil if
// there is none.
func (n Notices) Concern(article int64, r *Result) *Concern {
	notice, ok := n[article]
	if r == nil || !ok {
		return nil
	}
	return &Concern{notice.Call, *r}
}

// Match compares the call of an article with a reader's profile; nil if the article is
// not a call, if the call is over, or if it contradicts the profile.
func (n Notices) Match(p *match.Profile, a feed.Article, today policy.Date) *Result {
	notice, ok := n[a.ID]
	if p == nil || !ok || !IsOpen(notice.Call, a.Facts.DeadlineOn, today) {
		return nil
	}
	if r := match.Match(*p, notice); r.Fits() {
		return &r
	}
	return nil
}

// IsOpen reports whether there is still time: by the deadline of the article or, if it
// has none, by the days of the call. A call without days is open.
func IsOpen(c call.Call, deadline, today policy.Date) bool {
	if !deadline.IsZero() {
		return !deadline.Before(today)
	}
	return !c.IsOver(today)
}

// maxListed limits how many values of a kind an email lists.
const maxListed = 6

// View returns what an email says about a call.
func View(language string, a feed.Article, x Concern, today policy.Date) *templates.ForReader {
	c := x.Call
	v := &templates.ForReader{Why: conditions(language, x.Why), Check: conditions(language, x.Check)}
	if len(v.Why)+len(v.Check) == 0 {
		v.Why = []string{templates.Words(language, "forreader.open")}
	}
	words := asks.In(language)
	for _, b := range c.Benefits[:min(len(c.Benefits), maxListed/2)] {
		v.Benefits = append(v.Benefits, words.Benefit(b))
	}
	v.Next, v.NextURL = templates.Words(language, "forreader.read"), a.URL
	if next, ok := nextStep(c, today); ok {
		v.Next = templates.Words(language, "step."+next.What)
		// The email already shows the deadline of the article; if the call's day is later,
		// it was moved.
		if deadline := a.Facts.DeadlineOn; deadline.IsZero() || next.Last.Before(deadline) {
			v.Next = words.Step(next)
		}
	}
	if i := slices.IndexFunc(c.Platforms, func(p call.Said) bool { return strings.HasPrefix(p.Value, "http") }); i >= 0 {
		v.NextURL = c.Platforms[i].Value
	}
	return v
}

// nextStep returns the first step that readers can still take.
func nextStep(c call.Call, today policy.Date) (next call.Step, ok bool) {
	for _, s := range c.Steps {
		if !s.Last.Before(today) && (!ok || s.Last.Before(next.Last)) {
			next, ok = s, true
		}
	}
	return next, ok
}

func conditions(language string, all []match.Condition) (texts []string) {
	words := asks.In(language)
	for _, c := range all[:min(len(all), maxListed)] {
		text := c.Value
		switch c.Field {
		case match.FieldEntity:
			text = words.Entity(c.Value)
		case match.FieldUnknown:
			text = words.Unknown(c.Value)
		case match.FieldIndustry:
			text = words.Industry(c.Value)
		case match.FieldPlace:
			text = templates.Words(language, "forreader.place", division.NameIn(c.Value, language))
		case match.FieldTopic:
			text = templates.Words(language, "forreader.topic", theme.NameIn(c.Value, language))
		}
		texts = append(texts, text)
	}
	if more := len(all) - maxListed; more > 0 {
		texts = append(texts, templates.Words(language, "forreader.more", more))
	}
	return texts
}
