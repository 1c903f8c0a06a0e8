package call

import (
	"slices"
	"strings"

	"dibao/policy/cut"
	"dibao/policy/warn"
	"dibao/policy/when"
)

// IsOfOthers reports whether a day applies only to bodies, or leaves unclear to whom it applies.
func (c Call) IsOfOthers(day when.Date) (bodies, unclear bool) {
	on := func(s Step) bool { return s.Last == day }
	if slices.ContainsFunc(c.Steps, on) {
		return false, false
	}
	return slices.ContainsFunc(c.ByOthers, on), slices.ContainsFunc(c.Unclear, func(u Said) bool { return u.Value == day.String() })
}

// OwnAmong returns the one of several last days that is for readers, with its sentence. It returns
// the zero Date if several are, or if the call does not have one of the days.
func (c Call) OwnAmong(days []when.Date) (own when.Date, evidence string) {
	for _, d := range days {
		if bodies, unclear := c.IsOfOthers(d); bodies || unclear {
			continue
		}
		i := slices.IndexFunc(c.Steps, func(s Step) bool { return s.Last == d })
		if i < 0 || !own.IsZero() {
			return when.Date{}, ""
		}
		own, evidence = d, c.Steps[i].Evidence
	}
	return own, evidence
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
func (c Call) Warnings() []warn.Warning {
	if len(c.Unclear) == 0 {
		return nil
	}
	var sentences []string
	for _, u := range c.Unclear {
		if s := cut.First(u.Evidence, longestQuote); !slices.Contains(sentences, s) {
			sentences = append(sentences, s)
		}
	}
	return []warn.Warning{warn.New("days-unclear", len(c.Unclear), strings.Join(sentences, " / "))}
}
