package policy

import (
	"strconv"
	"time"

	"dibao/policy/cut"
	"dibao/policy/when"
	"dibao/policy/words"
	"dibao/policy/workday"
)

// RelativeDate is a day, or a range of days, that a text gives relative to the day of its
// publication: it is derived, not stated.
type RelativeDate struct {
	Text      string `json:"text"`
	On        Date   `json:"on"`          // the day, or the first day of a range
	To        Date   `json:"to,omitzero"` // the last day of a range (上月, 去年底) or term (自印发之日起30日内)
	Paragraph int    `json:"paragraph"`   // index of the paragraph, from 0
}

var relativeDay = words.New(`^(?:(今年|本年|去年|明年|前年|上年)\s*(?:(\d{1,2})\s*月\s*(?:(\d{1,2})\s*日|(?:份|底|初|中旬|上旬|下旬)?)|(底|年底|年初|初|末|上半年|下半年))|` +
	`(本月|上月|下月|上个月|下个月)(?:\s*(\d{1,2})\s*日)?|(上周|本周|下周)([一二三四五六日天])?|(昨天|昨日|今天|今日|明天|明日))`)

// relativeWords are words, one of which every relative date contains.
var relativeWords = []string{"今年", "本年", "去年", "明年", "前年", "上年", "本月", "上月", "下月", "上个月", "下个月", "上周", "本周", "下周", "昨天", "昨日", "今天", "今日", "明天", "明日"}

// termFrom matches a term that begins on a day of the document: 自印发之日起30日内.
var termFrom = words.New(`自(?:本\p{Han}{2,6}?)?(印发|下发|发布|公布|施行|实施|生效)之日起\s*` + amount + `\s*(个工作日|个月|日|天|年)(?:之|以)?内`)

var relativeFinder = words.NewFinder(relativeWords...)

const (
	maxRelative   = 50 // maximum number kept of one text
	relativeWidth = 16 // maximum length in characters
)

// terms resolves terms that begin on the day of issuing, publication or entry into force:
// from the first to the last day that counts.
func (u *understanding) terms(p string, paragraph int) {
	for _, m := range termFrom.FindAllStringSubmatch(p, maxRelative) {
		from := u.IssuedOn
		switch m[1] {
		case "发布", "公布":
			from = u.PublishedOn
			if from.IsZero() || !u.IssuedOn.IsZero() && u.IssuedOn.AddDays(366).Before(from) { // put online much later
				from = u.IssuedOn
			}
		case "施行", "实施", "生效":
			from = u.EffectiveOn
		}
		n, ok := number(m[2])
		if from.IsZero() || !ok || n == 0 || len(u.RelativeDates) >= maxRelative {
			continue
		}
		unit := m[3]
		if unit == "年" {
			n, unit = 12*n, "个月"
		}
		to, exact := after(from, n, unit)
		text := m[0]
		if !exact {
			text += "（节假日安排未公布，按周末估算）"
		}
		u.RelativeDates = append(u.RelativeDates, RelativeDate{text, from, to, paragraph})
	}
}

// relativeDates resolves words such as 今年2月19日 and 去年底 relative to the day of publication,
// or else of issue. Without either, nothing is resolved; 近日 and 日前 never are.
func (u *understanding) relativeDates() {
	base := u.PublishedOn
	if base.IsZero() {
		base = u.IssuedOn
	}
	if base.IsZero() {
		return
	}
	for i, p := range u.Paragraphs {
		if u.hinted(i, hintFromDay) {
			u.terms(fold(p), i)
		}
		if !u.hinted(i, hintRelative) {
			continue
		}
		p = fold(p)
		for at := relativeFinder.Next(p, 0); at >= 0 && len(u.RelativeDates) < maxRelative; {
			end := at + len("去")
			if m := relativeDay.FindStringSubmatch(cut.First(p[at:], relativeWidth)); m != nil {
				end = at + len(m[0])
				if on, to := resolve(m, base); !on.IsZero() {
					u.RelativeDates = append(u.RelativeDates, RelativeDate{m[0], on, to, i})
				}
			}
			at = relativeFinder.Next(p, end)
		}
	}
}

var (
	yearsAway  = map[string]int{"去年": -1, "上年": -1, "前年": -2, "明年": 1}
	monthsAway = map[string]int{"上月": -1, "上个月": -1, "下月": 1, "下个月": 1}
	daysAway   = map[string]int{"昨天": -1, "昨日": -1, "明天": 1, "明日": 1}
	weeksAway  = map[string]int{"上周": -1, "下周": 1}
	weekdays   = map[string]int{"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6}
)

// resolve reads a match of relativeDay; to is zero for a single day.
func resolve(m []string, base Date) (on, to Date) {
	switch {
	case m[1] != "":
		return resolveYear(base.Year+yearsAway[m[1]], m[2], m[3], m[4])
	case m[5] != "":
		first := firstOfMonth(base, monthsAway[m[5]])
		if m[6] == "" {
			return first, firstOfMonth(first, 1).AddDays(-1)
		}
		day, _ := strconv.Atoi(m[6])
		return when.MakeDate(first.Year, int(first.Month), day), Date{}
	case m[7] != "":
		monday := base.AddDays(-(int(base.In(time.UTC).Weekday())+6)%7 + 7*weeksAway[m[7]])
		if m[8] != "" {
			return monday.AddDays(weekdays[m[8]]), Date{}
		}
		return monday, monday.AddDays(6)
	}
	return base.AddDays(daysAway[m[9]]), Date{}
}

func resolveYear(year int, month, day, part string) (on, to Date) {
	switch part {
	case "":
		n, _ := strconv.Atoi(month)
		if day != "" {
			d, _ := strconv.Atoi(day)
			return when.MakeDate(year, n, d), Date{}
		}
		if on = when.MakeDate(year, n, 1); on.IsZero() {
			return on, to
		}
		return on, firstOfMonth(on, 1).AddDays(-1)
	case "上半年":
		return when.MakeDate(year, 1, 1), when.MakeDate(year, 6, 30)
	case "下半年":
		return when.MakeDate(year, 7, 1), when.MakeDate(year, 12, 31)
	case "初", "年初":
		return when.MakeDate(year, 1, 1), when.MakeDate(year, 1, 31)
	}
	return when.MakeDate(year, 12, 1), when.MakeDate(year, 12, 31)
}

// firstOfMonth returns the first day of the month that is n months away.
func firstOfMonth(d Date, n int) Date {
	month := int(d.Month) - 1 + n
	return when.MakeDate(d.Year+(month+1200)/12-100, (month+1200)%12+1, 1)
}

// after returns the date n days, working days or months after a date; the first day does
// not count (民法典 第二百零一条). exact is false if the calendar does not reach that far.
func after(d Date, n int, unit string) (end Date, exact bool) {
	switch unit {
	case "个工作日":
		return workday.Add(d, n)
	case "个月":
		month := int(d.Month) - 1 + n
		for day := d.Day; day > 0; day-- { // 31 January plus a month is 28 February
			if end = when.MakeDate(d.Year+month/12, month%12+1, day); !end.IsZero() {
				return end, true
			}
		}
	}
	return d.AddDays(n), true
}
