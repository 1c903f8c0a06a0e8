package subscribers

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

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

// cronText returns the due times of a cron expression in words of the language.
func cronText(expr, language string) string {
	schedule, err := cron.ParseStandard(expr)
	spec, ok := schedule.(*cron.SpecSchedule)
	if err != nil || !ok {
		return expr
	}
	say, join := func(_, chinese string) string { return chinese }, joinChinese
	if language != "zh" {
		say, join = func(english, _ string) string { return english }, joinEnglish
	}
	number := func(n int) string { return fmt.Sprint(n) }
	var on []string
	if spec.Dom&cronStar == 0 {
		days := valuesOf(spec.Dom, number)
		word := "day "
		if len(days) > 1 {
			word = "days "
		}
		on = append(on, say(word+join(days), " "+join(days)+" 日"))
	}
	if spec.Dow&cronStar == 0 {
		on = append(on, say(join(valuesOf(spec.Dow, func(n int) string { return time.Weekday(n).String() + "s" })),
			"每周"+join(valuesOf(spec.Dow, func(n int) string { return chineseWeekdays[n] }))))
		if spec.Dow == 0b111110 {
			on[len(on)-1] = say("Monday to Friday", "周一至周五")
		}
	}
	text := cmp.Or(strings.Join(on, say(" and ", "及")), say("daily", "每天"))
	if months := valuesOf(spec.Month, number); len(months) < 12 {
		text = say(text+" in "+join(valuesOf(spec.Month, func(n int) string { return time.Month(n).String() })), "每年 "+join(months)+" 月"+text)
	} else if spec.Dom&cronStar == 0 {
		text = say(text+" of every month", "每月"+text)
	}
	var clocks []string
	for _, hour := range valuesOf(spec.Hour, number) {
		for _, minute := range valuesOf(spec.Minute, number) {
			clocks = append(clocks, fmt.Sprintf("%02s:%02s", hour, minute))
		}
	}
	if len(clocks) > 6 {
		return text + say(", several times a day", "多次")
	}
	return text + say(" at ", " ") + join(clocks)
}

// cronStar is the bit with which cron marks a field without a limit.
const cronStar = 1 << 63

var chineseWeekdays = []string{"日", "一", "二", "三", "四", "五", "六"}

// valuesOf names the values of a field of a cron expression.
func valuesOf(field uint64, name func(n int) string) (values []string) {
	for n := range 60 {
		if field&(1<<n) != 0 {
			values = append(values, name(n))
		}
	}
	return values
}

func joinChinese(words []string) string { return strings.Join(words, "、") }

func joinEnglish(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
