package call

import (
	"slices"
	"strings"

	"dibao/policy/cut"
	"dibao/policy/warn"
	"dibao/policy/when"
)

// tidy removes days that are before the day of the notice, if a later one exists: they belong to an
// earlier call, or to what is submitted. It also removes unclear days that another sentence explains.
// It withholds days with a label whose year is probably misprinted, and days that neither a label nor a verb
// explains if another day is explained.
func (c *Call) tidy(made when.Date) {
	isPast := func(s Step) bool { return s.Last.Before(made) }
	isComing := func(s Step) bool { return !isPast(s) }
	if slices.ContainsFunc(c.Steps, isComing) {
		c.Steps = slices.DeleteFunc(c.Steps, isPast)
		c.ByOthers = slices.DeleteFunc(c.ByOthers, isPast)
	} else if slices.ContainsFunc(c.ByOthers, isComing) {
		c.ByOthers = slices.DeleteFunc(c.ByOthers, isPast)
	}
	c.withhold(func(s Step) bool { return s.labeled && isPast(s) && isYearLate(s.Last, made) })
	if slices.ContainsFunc(c.Steps, func(s Step) bool { return !s.weak }) {
		c.withhold(func(s Step) bool { return s.weak })
	}
	c.Unclear = slices.DeleteFunc(c.Unclear, func(u Said) bool {
		return slices.ContainsFunc(slices.Concat(c.Steps, c.ByOthers), func(s Step) bool { return s.Last.String() == u.Value })
	})
}

// withhold moves the steps for which a condition holds to the unclear days.
func (c *Call) withhold(holds func(Step) bool) {
	for _, s := range c.Steps {
		if holds(s) {
			c.Unclear = append(c.Unclear, Said{s.Last.String(), s.Evidence, s.In})
		}
	}
	c.Steps = slices.DeleteFunc(c.Steps, holds)
}

// isYearLate reports whether a day before the day of the notice is soon after it if its year is
// replaced with the next one. Then the year is probably misprinted.
func isYearLate(day, made when.Date) bool {
	next := when.MakeDate(day.Year+1, int(day.Month), day.Day)
	return !next.IsZero() && !next.Before(made) && next.Before(made.AddDays(soon))
}

// soon is the maximum number of days between a notice and its last day for which isYearLate
// assumes a misprinted year.
const soon = 92

// IsOfOthers reports whether a day applies only to bodies, or leaves unclear to whom it applies.
func (c Call) IsOfOthers(day when.Date) (bodies, unclear bool) {
	on := func(s Step) bool { return s.Last == day }
	if slices.ContainsFunc(c.Steps, on) {
		return false, false
	}
	return slices.ContainsFunc(c.ByOthers, on), slices.ContainsFunc(c.Unclear, func(u Said) bool { return u.Value == day.String() })
}

// OwnAmong returns the step of the one of several last days that is for readers. It returns the zero
// Step if several are, or if the call does not have one of the days.
func (c Call) OwnAmong(days []when.Date) (own Step) {
	for _, d := range days {
		if bodies, unclear := c.IsOfOthers(d); bodies || unclear {
			continue
		}
		i := slices.IndexFunc(c.Steps, func(s Step) bool { return s.Last == d })
		if i < 0 || !own.Last.IsZero() {
			return Step{}
		}
		own = c.Steps[i]
	}
	return own
}

// IsOver reports whether everybody's last day is before a day; false for a call without
// days. The days of bodies count only if readers have none: a body that forwards
// applications accepts none after its own day. A notice of planned purchases is over
// after the last month for which one is planned.
func (c Call) IsOver(day when.Date) bool {
	var days []string
	for _, s := range c.Steps {
		days = append(days, s.Last.String())
	}
	if len(days) == 0 {
		for _, s := range c.ByOthers {
			days = append(days, s.Last.String())
		}
		for _, u := range c.Unclear {
			days = append(days, u.Value)
		}
	}
	for _, p := range c.Plans {
		if p.Month != "" {
			days = append(days, p.Month+"-31")
		}
	}
	return len(days) > 0 && slices.Max(days) < day.String()
}

// longestQuote is how many characters of each sentence a warning has.
const longestQuote = 80

// Warnings says what admins should know about how the call was read.
func (c Call) Warnings() (all []warn.Warning) {
	if len(c.Unclear) > 0 {
		all = append(all, warn.New("days-unclear", len(c.Unclear), quoted(c.Unclear)))
	}
	if len(c.Who.Unknown) > 0 {
		all = append(all, warn.New("applicants-unknown", len(c.Who.Unknown), quoted(c.Who.Unknown)))
	}
	if len(c.Unread) > 0 {
		all = append(all, warn.New("plans-unread", len(c.Unread), quoted(c.Unread)))
	}
	return all
}

// quoted joins the beginnings of the sentences that state some values.
func quoted(values []Said) string {
	var sentences []string
	for _, v := range values {
		if s := cut.First(v.Evidence, longestQuote); !slices.Contains(sentences, s) {
			sentences = append(sentences, s)
		}
	}
	return strings.Join(sentences, " / ")
}
