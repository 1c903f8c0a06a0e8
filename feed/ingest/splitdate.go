package ingest

import (
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/html"

	"dibao/internal/lazyregexp"
	"dibao/policy"
	"dibao/policy/label"
	"dibao/policy/when"
)

var (
	dayAlone   = lazyregexp.New(`^(?:0?[1-9]|[12]\d|3[01])日?$`)
	monthAlone = lazyregexp.New(`^((?:19|20)\d{2})\s?[-/.年]\s?(0?[1-9]|1[0-2])月?$`)
	dateAlone  = lazyregexp.New(`^((?:19|20)\d{2}年\d{1,2}月\d{1,2}日)\s?(?:[（(]?星期[一二三四五六日][）)]?)?$`)
	timeAlone  = lazyregexp.New(`^(?:香港時間|香港时间)\s?(\d{1,2})\s?[時时:]\s?(\d{1,2})\s?分?$`)
)

// readSplitDate reads a date that is split over two lines, if no label gives one: a day
// above its month next to the headline, or a day and the time in Hong Kong below the text.
func (r *labelReader) readSplitDate(h headline, body span) {
	if h.lines.to == 0 || r.has(label.Date) || r.hasDate(label.Date) {
		return
	}
	lines := r.view.lines
	for i := max(0, h.lines.from-linesAbove); i+1 < body.from; i++ {
		a, b := lines[i], lines[i+1]
		if monthAlone.MatchString(a.text) {
			a, b = b, a
		}
		m := monthAlone.FindStringSubmatch(b.text)
		if m == nil || !dayAlone.MatchString(a.text) || !meet(a.node, b.node) || a.aside == elsewhere {
			continue
		}
		r.put(policy.Label{Element: elementName(a.node), Value: m[1] + "年" + m[2] + "月" + strings.TrimSuffix(a.text, "日") + "日"})
		return
	}
	for i := body.to; i+1 < min(len(lines), body.to+labelsAfter); i++ {
		day, clock := dateAlone.FindStringSubmatch(lines[i].text), timeAlone.FindStringSubmatch(lines[i+1].text)
		if day != nil && clock != nil {
			r.put(policy.Label{Element: elementName(lines[i].node), Value: day[1] + " " + clock[1] + ":" + clock[2]})
			return
		}
	}
}

// meet reports whether two elements are the same or have the same parent.
func meet(a, b *html.Node) bool {
	return a == b || a.Parent == b.Parent || a.Parent == b || a == b.Parent
}

// ofRepublic matches a date in the calendar of Taiwan: 115-11-27.
var ofRepublic = lazyregexp.New(`^(1[01]\d)(?:[-/.]\d{1,2}[-/.]\d{1,2}|年\d{1,2}月\d{1,2}日)(?:\s|$)`)

// dated completes a labeled date that has a year of the Republic of China
// calendar, or that is relative to the day on which the page was fetched
// (09-30, 昨天).
func (r *labelReader) dated(value string) string {
	if m := ofRepublic.FindStringSubmatch(value); m != nil {
		n, _ := strconv.Atoi(m[1]) // three digits
		return strconv.Itoa(n+1911) + strings.TrimPrefix(value, m[1])
	}
	if _, whole := when.First(value, when.Clock{}); whole || r.clock.Now.IsZero() {
		return value
	}
	found := when.Find(value, r.clock)
	if len(found) == 0 || !strings.HasPrefix(value, found[0].Text) {
		return value
	}
	switch w := found[0].Complete(when.Context{}, r.clock); {
	case w.On.IsZero():
		return value
	case w.At.IsZero():
		return w.On.String()
	default:
		return w.At.In(r.clock.Zone).Format(time.DateTime)
	}
}
