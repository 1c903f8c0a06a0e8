// Package asks describes what a call asks and offers, in the words of pages and emails.
package asks

import (
	"slices"
	"strconv"
	"strings"

	"dibao/policy/call"
	"dibao/templates"
)

// Rows returns the facts of a call as a page shows them, each value with the sentence that
// it comes from. What the text does not say has no row.
func Rows(c call.Call, language string) (rows []templates.CallRow) {
	w := In(language)
	add := func(key string, lines ...templates.CallLine) {
		if len(lines) > 0 {
			rows = append(rows, templates.CallRow{Key: key, Lines: joined(lines, w.say("comma"))})
		}
	}
	if c.Subject.Value != "" {
		add("what", templates.CallLine{Text: c.Subject.Value, Note: w.say("call.kind." + string(c.Kind))})
	}
	add("who", append(w.said(c.Who.Entities, w.Entity), w.said(c.Who.Unknown, w.Unknown)...)...)
	add("regions", w.said(c.Who.Regions, same)...)
	add("industries", w.said(c.Who.Industries, w.Industry)...)
	add("sizes", w.said(c.Who.Sizes, same)...)
	add("qualifications", w.said(c.Who.Qualifications, same)...)
	var thresholds, benefits []templates.CallLine
	for i, t := range c.Who.Thresholds {
		if slices.ContainsFunc(c.Who.Thresholds[:i], func(x call.Threshold) bool { return x.Text == t.Text }) {
			continue // one clause with two numbers
		}
		thresholds = append(thresholds, templates.CallLine{Text: t.Text, Quote: t.Evidence, File: t.In})
	}
	add("thresholds", thresholds...)
	for _, b := range c.Benefits {
		benefits = append(benefits, templates.CallLine{Text: w.Benefit(b), Quote: b.Evidence, File: b.In})
	}
	add("brings", benefits...)
	add("steps", w.steps(c.Steps)...)
	add("others", w.steps(c.ByOthers)...)
	add("materials", w.said(c.Materials, same)...)
	platforms := w.said(c.Platforms, same)
	for i := range platforms {
		platforms[i].URL = address(platforms[i].Text)
	}
	add("platforms", platforms...)
	add("addresses", w.said(c.Addresses, same)...)
	var contacts []templates.CallLine
	for _, x := range c.Contacts {
		contacts = append(contacts, templates.CallLine{Text: strings.Join(strings.Fields(x.Office+" "+x.Telephone+" "+x.Email), " "), Quote: x.Evidence, File: x.In})
	}
	add("contacts", contacts...)
	if c.Buyer.Value != "" {
		add("buyer", w.said([]call.Said{c.Buyer}, same)...)
	}
	var plans []templates.CallLine
	for _, p := range c.Plans {
		plans = append(plans, templates.CallLine{Text: w.plan(p), Quote: p.Evidence, File: p.In})
	}
	add("plans", plans...)
	return rows
}

// joined puts values that come from one sentence into one line. Values with an address or a
// note of their own stay separate.
func joined(lines []templates.CallLine, comma string) (all []templates.CallLine) {
	for _, l := range lines {
		n := len(all)
		if n > 0 && l.URL == "" && l.Note == "" && all[n-1].URL == "" && all[n-1].Note == "" && l.Quote != "" && all[n-1].Quote == l.Quote && all[n-1].File == l.File {
			all[n-1].Text += comma + l.Text
			continue
		}
		all = append(all, l)
	}
	for i := range all {
		if all[i].Quote == all[i].Text { // a document to submit: its name is its sentence
			all[i].Quote = ""
		}
	}
	return all
}

// address returns the address of a platform as a link; "" if it is not a web address.
func address(s string) string {
	switch {
	case strings.HasPrefix(s, "http://"), strings.HasPrefix(s, "https://"):
		return s
	case strings.HasPrefix(s, "www."):
		return "http://" + s
	}
	return ""
}

func same(s string) string { return s }

// In returns the Words for a language, zh or en.
func In(language string) Words { return Words{language} }

// Words describes parts of calls in a language.
type Words struct{ language string }

func (w Words) say(key string, args ...any) string { return templates.Words(w.language, key, args...) }

func (w Words) said(all []call.Said, name func(string) string) (lines []templates.CallLine) {
	for _, s := range all {
		lines = append(lines, templates.CallLine{Text: name(s.Value), Quote: s.Evidence, File: s.In})
	}
	return lines
}

// Entity names a kind of applicant.
func (w Words) Entity(name string) string { return w.say("entity." + name) }

// Unknown says that a call names those who may apply with words that are not understood.
func (w Words) Unknown(name string) string { return w.say("call.unknown", name) }

// Industry names a section or division of GB/T 4754-2017.
func (w Words) Industry(code string) string { return w.say("industry." + code) }

// Benefit describes money that a call offers: 每个项目最高20万元.
func (w Words) Benefit(b call.Benefit) string {
	text := ""
	switch {
	case b.Percent > 0:
		text = w.say("call.percent", strconv.FormatFloat(b.Percent, 'f', -1, 64))
	case b.Cap > 0:
		text = w.say("call.money.cap", w.figure(b.Cap))
	case b.UpTo > 0:
		text = w.say("call.money.span", w.figure(b.Yuan), w.figure(b.UpTo))
	default:
		text = w.say("call.money", w.figure(b.Yuan))
	}
	if b.Per != "" {
		return w.say("call.per", w.per(b.Per), text)
	}
	return text
}

// plan describes something that a body plans to buy: 样例设备采购（预算20万元，计划2026-07采购）.
func (w Words) plan(p call.Plan) string {
	var about []string
	if p.Yuan > 0 {
		about = append(about, w.say("call.plan.budget", w.figure(p.Yuan)))
	}
	if p.Month != "" {
		about = append(about, w.say("call.plan.month", p.Month))
	}
	if len(about) == 0 {
		return p.What
	}
	return w.say("call.plan", p.What, strings.Join(about, w.say("comma")))
}

// units are the units for which money is offered, by the word that calls use.
var units = []struct{ word, key string }{
	{"人每月", "person-month"}, {"人每年", "person-year"}, {"人", "person"}, {"企业", "enterprise"}, {"家", "enterprise"}, {"户", "household"},
	{"项目", "project"}, {"中心", "center"}, {"平台", "platform"}, {"单位", "unit"}, {"课题", "project"}, {"活动", "event"}, {"件", "piece"}, {"名", "person"}, {"位", "person"},
	{"亩", "mu"}, {"年", "year"}, {"平方米", "square-meter"}, {"套", "set"}, {"台", "machine"}, {"项", "item"}, {"个", "item"}, {"吨", "ton"}, {"月", "month"},
}

// per says for which unit money is offered: 每个项目. A unit without an English word stays in
// Chinese.
func (w Words) per(written string) string {
	if w.language == "zh" {
		return written
	}
	for _, u := range units {
		if strings.HasSuffix(written, u.word) {
			return w.say("per." + u.key)
		}
	}
	return written
}

// figure writes an amount in yuan in the style of the language: 20万, 1500 or 200,000.
func (w Words) figure(yuan int64) string {
	if w.language == "zh" {
		for _, unit := range []struct {
			yuan int64
			name string
		}{{1e8, "亿"}, {1e4, "万"}} {
			if yuan >= unit.yuan && yuan%(unit.yuan/1e4) == 0 {
				return strconv.FormatFloat(float64(yuan)/float64(unit.yuan), 'f', -1, 64) + unit.name
			}
		}
		return strconv.FormatInt(yuan, 10)
	}
	s := strconv.FormatInt(yuan, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func (w Words) steps(all []call.Step) (lines []templates.CallLine) {
	for _, s := range all {
		lines = append(lines, templates.CallLine{Text: w.Step(s), Note: w.moved(s), Quote: s.Evidence, File: s.In})
	}
	return lines
}

func (w Words) moved(s call.Step) string {
	if s.Moved {
		return w.say("call.moved")
	}
	return ""
}

// Step describes what to do and until when: 网上填报：2026-06-05截止.
func (w Words) Step(s call.Step) string {
	last := strings.TrimSpace(s.Last.String() + " " + s.Time)
	when := w.say("call.until", last)
	if !s.First.IsZero() && s.First != s.Last {
		when = w.say("call.span", s.First.String(), last)
	}
	what := w.say("step." + s.What)
	if s.By != "" {
		what = w.say("call.by", what, s.By)
	}
	return what + w.say("colon") + when
}
