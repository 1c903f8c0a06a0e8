package subscribers

import (
	"fmt"
	"strings"

	"dibao/internal/lazyregexp"
)

// simpleCron matches expressions with plain words: a minute and an hour, and every day, a
// day of the month, or days of the week.
var simpleCron = lazyregexp.New(`^([0-5]?\d) ([01]?\d|2[0-3]) (?:\* \* (\*|1-5|[0-6](?:,[0-6])*)|([1-9]|[12]\d|3[01]) \* \*)$`)

// ScheduleText returns when a list has issues, in words of the language (zh, otherwise English).
func (l List) ScheduleText(language string) string {
	say := func(english, chinese string) string {
		if language == "zh" {
			return chinese
		}
		return english
	}
	text := cronText(l.Cron, language)
	if l.AsItHappens {
		text = say("as it happens, at least %s apart", "随到随发，至少间隔%s")
		unit, n := say("minutes", "分钟"), int(l.MinGap.Minutes())
		if n%60 == 0 {
			n, unit = n/60, say("hours", "小时")
		}
		if n == 1 {
			unit = strings.TrimSuffix(unit, "s")
		}
		text = fmt.Sprintf(text, say(fmt.Sprintf("%d %s", n, unit), fmt.Sprintf(" %d %s", n, unit)))
	}
	switch {
	case !l.WorkingDays:
		return text
	case l.AsItHappens:
		return text + say("; on working days", "；仅在工作日")
	}
	return text + say("; after days off, on the next working day", "；遇休息日顺延")
}

// cronText returns a cron expression in words of the language, or unchanged if there are
// no plain words for it.
func cronText(cron, language string) string {
	m := simpleCron.FindStringSubmatch(cron)
	if m == nil {
		return cron
	}
	clock := fmt.Sprintf("%02s:%02s", m[2], m[1])
	days, dayOfMonth := m[3], m[4]
	if language == "zh" {
		return chineseDays(days, dayOfMonth) + " " + clock
	}
	return englishDays(days, dayOfMonth) + " at " + clock
}

func chineseDays(days, dayOfMonth string) string {
	switch {
	case dayOfMonth != "":
		return "每月 " + dayOfMonth + " 日"
	case days == "*":
		return "每天"
	case days == "1-5":
		return "周一至周五"
	}
	names := []string{"日", "一", "二", "三", "四", "五", "六"}
	return "每周" + joinDays(days, names, "、", "、")
}

func englishDays(days, dayOfMonth string) string {
	switch {
	case dayOfMonth != "":
		return "day " + dayOfMonth + " of every month"
	case days == "*":
		return "daily"
	case days == "1-5":
		return "Monday to Friday"
	}
	names := []string{"Sundays", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays"}
	return joinDays(days, names, ", ", " and ")
}

// joinDays returns the names of days, given as digits with commas.
func joinDays(days string, names []string, comma, and string) string {
	var out strings.Builder
	digits := strings.Split(days, ",")
	for i, d := range digits {
		switch {
		case i > 0 && i == len(digits)-1:
			out.WriteString(and)
		case i > 0:
			out.WriteString(comma)
		}
		out.WriteString(names[d[0]-'0'])
	}
	return out.String()
}
