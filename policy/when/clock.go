package when

import (
	"strconv"
	"strings"
	"time"
)

// hour is a time of day, with its zone if the text states one.
type hour struct {
	h, m, s, nano int
	zone          *time.Location // nil means not stated
}

// clockAt reads a time of day at i, and the zone after it: 09:30, 9:30:05.123
// PM, 15时30分, 02:54:55 MST, 00:00:00 GMT+0000 (…).
func (sc *scanner) clockAt(i int) (token, bool) {
	t := token{kind: clock, start: i}
	n, end, ok := sc.value(i)
	if !ok || n > 24 {
		return t, false
	}
	t.time.h = n
	steps := []struct {
		colon, han string
		to         *int
	}{{":", "时", &t.time.m}, {":", "分", &t.time.s}}
	for step, x := range steps {
		next := end
		switch rest := sc.s[end:]; {
		case strings.HasPrefix(rest, x.colon):
			next += len(x.colon)
		case strings.HasPrefix(rest, x.han):
			next += len(x.han)
		case step == 0 && strings.HasPrefix(rest, "点"):
			next += len("点")
		default:
			next = -1
		}
		if next < 0 {
			break
		}
		v, at, ok := sc.value(next)
		if !ok || v > 59 || !isDigit(sc.s[at-1]) {
			if sc.s[next-1] == ':' {
				return t, false
			}
			end = next // 15时
			break
		}
		*x.to, end = v, at
	}
	for _, unit := range []string{"秒", "分"} {
		end += len(unit) * btoi(strings.HasPrefix(sc.s[end:], unit))
	}
	end = sc.fraction(&t, end)
	end = sc.half(&t, end)
	t.end = sc.zoneAt(&t, end)
	return t, t.time.h < 24 || t.time.h == 24 && t.time.m == 0 && t.time.s == 0
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// fraction reads the decimals of a second.
func (sc *scanner) fraction(t *token, i int) int {
	if i+1 >= len(sc.s) || sc.s[i] != '.' || !isDigit(sc.s[i+1]) {
		return i
	}
	end := i + 1
	for end < len(sc.s) && isDigit(sc.s[end]) {
		end++
	}
	digits := (sc.s[i+1:end] + "000000000")[:9]
	t.time.nano, _ = strconv.Atoi(digits)
	return end
}

// half reads AM or PM after a time, or 上午 or 下午 before it.
func (sc *scanner) half(t *token, i int) int {
	at := sc.spaces(i)
	afternoon, morning := false, false
	if rest := sc.s[at:]; len(rest) >= 2 && (len(rest) == 2 || !isLetter(rest[2])) {
		afternoon, morning = strings.EqualFold(rest[:2], "pm"), strings.EqualFold(rest[:2], "am")
		if afternoon || morning {
			i = at + 2
		}
	}
	before := strings.TrimRight(sc.s[:t.start], " ")
	for _, word := range []string{"下午", "晚上", "晚"} {
		if strings.HasSuffix(before, word) {
			afternoon, t.start = true, len(before)-len(word)
			break
		}
	}
	for _, word := range []string{"上午", "早上", "中午", "凌晨"} {
		if strings.HasSuffix(before, word) {
			t.start = len(before) - len(word)
		}
	}
	switch {
	case afternoon && t.time.h < 12:
		t.time.h += 12
	case morning && t.time.h == 12:
		t.time.h = 0
	}
	return i
}

// zones are the names of zones in feeds, in minutes east of Greenwich (RFC 822 §5.1). CST
// is that of China: feeds from Chicago say -0600.
var zones = map[string]int{
	"z": 0, "gmt": 0, "utc": 0, "ut": 0, "cst": 480, "bjt": 480, "hkt": 480, "sgt": 480, "jst": 540, "kst": 540,
	"est": -300, "edt": -240, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420,
	"cet": 60, "cest": 120, "bst": 60, "wet": 0, "west": 60, "eet": 120, "eest": 180, "msk": 180,
}

// zoneAt reads the zone at i: Z, +08:00, GMT+0800 (…), MST.
func (sc *scanner) zoneAt(t *token, i int) int {
	at := sc.spaces(i)
	end := at
	for end < len(sc.s) && isLetter(sc.s[end]) {
		end++
	}
	minutes, known := 0, false
	if end > at {
		if minutes, known = zones[strings.ToLower(sc.s[at:end])]; !known {
			return i
		}
	}
	if end < len(sc.s) && (sc.s[end] == '+' || sc.s[end] == '-') {
		if offset, stop, ok := sc.offset(end); ok {
			minutes, end, known = minutes+offset, stop, true
		}
	}
	if !known {
		return i
	}
	t.time.zone = time.FixedZone(sc.s[at:end], minutes*60)
	if at := sc.spaces(end); at < len(sc.s) && sc.s[at] == '(' {
		if stop := strings.IndexByte(sc.s[at:min(len(sc.s), at+60)], ')'); stop > 0 {
			end = at + stop + 1
		}
	}
	return end
}

// offset reads +0800, +08:00 or +8 at i, in minutes.
func (sc *scanner) offset(i int) (minutes, end int, ok bool) {
	end = i + 1
	var digits []byte
	for end < len(sc.s) && (isDigit(sc.s[end]) || sc.s[end] == ':' && end+1 < len(sc.s) && isDigit(sc.s[end+1])) && len(digits) < 5 {
		if sc.s[end] != ':' {
			digits = append(digits, sc.s[end])
		}
		end++
	}
	n, err := strconv.Atoi(string(digits))
	switch {
	case err != nil || len(digits) == 5:
		return 0, i, false
	case len(digits) <= 2:
		minutes = n * 60
	default:
		minutes = n/100*60 + n%100
	}
	if sc.s[i] == '-' {
		minutes = -minutes
	}
	return minutes, end, minutes >= -14*60 && minutes <= 14*60
}
