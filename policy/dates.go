package policy

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	digitsOrHan = `(?:\d{1,2}|[一二三四五六七八九十]{1,3})`
	yearOrHan   = `(?:(?:19|20)\d{2}|[一二][〇○ＯO零一二三四五六七八九]{3})`
	gap         = `[\s\x{3000}\x{a0}]*`
)

var (
	// 2011-06-21, 2011/6/21, 2011年6月21日, 二〇一一年六月二十一日, with a time behind it.
	dateInText = regexp.MustCompile(`(` + yearOrHan + `)` + gap + `(?:年|[-/.])` + gap + `(` + digitsOrHan + `)` + gap + `(?:月|[-/.])` + gap +
		`(` + digitsOrHan + `)(?:` + gap + `日)?(?:[\sT]*` + `(\d{1,2}):(\d{2})(?::(\d{2}))?)?`)
	compactDate = regexp.MustCompile(`^((?:19|20)\d{2})(\d{2})(\d{2})$`)
	// The line under a document: the signature's date stands alone.
	signatureDate = regexp.MustCompile(`^` + gap + `(` + yearOrHan + `)` + gap + `年` + gap + `(` + digitsOrHan + `)` + gap + `月` + gap + `(` + digitsOrHan + `)` + gap + `日` + gap + `$`)
	// Dates in addresses: /2018-12/06/, /20220528/, t20220528_, /2008/9/19/ …
	// A month alone (/202611/1100.html) is no day, so the parts are parted or
	// eight digits together.
	dateInURL  = regexp.MustCompile(`/((?:19|20)\d{2})[-/](0?[1-9]|1[0-2])[-/](0?[1-9]|[12]\d|3[01])(?:[/_.]|$)`)
	compactURL = regexp.MustCompile(`[/_t]((?:19|20)\d{2})(\d{2})(\d{2})(?:[/_.\d]|$)`)
)

// moment is a date, and a time of day where one is given.
type moment struct {
	on Date
	at time.Time // zero: no time of day
}

// makeDate returns the zero Date for days that the calendar lacks.
func makeDate(year, month, day int) Date {
	if year < 1900 || year > 2199 || month < 1 || month > 12 || day < 1 || day > 31 {
		return Date{}
	}
	d := Date{year, time.Month(month), day}
	if DateOf(d.In(time.UTC)) != d {
		return Date{}
	}
	return d
}

// readMoment finds the first date in a short text, in zone.
func readMoment(s string, zone *time.Location) (moment, bool) {
	s = fold(s)
	if len(s) > 500 {
		s = s[:500]
	}
	if m := compactDate.FindStringSubmatch(strings.TrimSpace(s)); m != nil {
		y, _ := number(m[1][:4])
		mo, _ := number(m[2])
		d, _ := number(m[3])
		on := makeDate(y, mo, d)
		return moment{on: on}, !on.IsZero()
	}
	m := dateInText.FindStringSubmatch(s)
	if m == nil {
		return moment{}, false
	}
	on := dateOfParts(m[1], m[2], m[3])
	if on.IsZero() {
		return moment{}, false
	}
	out := moment{on: on}
	if m[4] != "" {
		h, _ := number(m[4])
		min, _ := number(m[5])
		sec, _ := number(m[6])
		if h < 24 && min < 60 && sec < 60 {
			out.at = time.Date(on.Year, on.Month, on.Day, h, min, sec, 0, zone)
		}
	}
	return out, true
}

func dateOfParts(year, month, day string) Date {
	y, ok1 := number(year)
	m, ok2 := number(month)
	d, ok3 := number(day)
	if !ok1 || !ok2 || !ok3 {
		return Date{}
	}
	return makeDate(y, m, d)
}

// readSignature reads a line that is nothing but a date.
func readSignature(line string) (Date, bool) {
	m := signatureDate.FindStringSubmatch(strings.ReplaceAll(fold(line), "Ｏ", "〇"))
	if m == nil {
		return Date{}, false
	}
	d := dateOfParts(m[1], m[2], m[3])
	return d, !d.IsZero()
}

// readURLDate finds the day in an address, where the site puts one.
func readURLDate(url string) (Date, bool) {
	for _, re := range []*regexp.Regexp{compactURL, dateInURL} {
		if m := re.FindStringSubmatch(url); m != nil {
			if d := dateOfParts(m[1], m[2], m[3]); !d.IsZero() {
				return d, true
			}
		}
	}
	return Date{}, false
}

// publishedLabels are labels that say when a page was published; labels of other
// dates (成文, 印发, 施行, 失效, 更新 …) are never taken for it.
var publishedLabels = map[string]bool{
	"发布日期": true, "发布时间": true, "日期": true, "时间": true, "公布日期": true, "公开日期": true, "发稿时间": true,
}

// maxListGap is how far the date of a list and that of the address may lie apart
// before one of them is a re-dating (a migration of the site).
const maxListGap = 7 * 24 * time.Hour

// published applies the precedence of sources: meta, label (one with a clock time
// first), list page, address, feed.
func (u *understanding) published() {
	set := func(m moment, from string) {
		u.PublishedOn, u.PublishedAt, u.PublishedFrom = m.on, m.at, from
	}
	for _, p := range u.e.Meta {
		name := strings.ToLower(p.Name)
		if name == "pubdate" || name == "firstpublishedtime" || name == "publishdate" || name == "article:published_time" {
			if m, ok := readMoment(metaTime(p.Content), u.zone); ok {
				set(m, "meta "+p.Name)
				return
			}
		}
	}
	var best *Label
	var bestMoment moment
	for i, l := range u.e.Labels {
		m, ok := readMoment(l.Value, u.zone)
		if !ok || l.Name != "" && !publishedLabels[squeeze(l.Name)] {
			continue
		}
		if best == nil || best.Name == "" && l.Name != "" || bestMoment.at.IsZero() && !m.at.IsZero() && (l.Name != "" || best.Name == "") {
			best, bestMoment = &u.e.Labels[i], m
		}
	}
	if best != nil {
		set(bestMoment, strings.TrimSpace(best.Element+" "+best.Name))
		return
	}
	list, hasList := readMoment(u.e.ListDate, u.zone)
	inURL, hasURL := readURLDate(u.e.URL)
	switch {
	case hasList && hasURL && abs(list.on.In(time.UTC).Sub(inURL.In(time.UTC))) > maxListGap:
		// A migration re-dates one of the two; the earlier that is not before the
		// document itself is the true one.
		early, from := inURL, "url"
		if list.on.Before(inURL) {
			early, from = list.on, "list page"
		}
		if early.Before(u.IssuedOn) {
			if early, from = list.on, "list page"; list.on.Before(inURL) {
				early, from = inURL, "url"
			}
		}
		set(moment{on: early}, from)
		u.warn("redated: the list says " + list.on.String() + ", the address " + inURL.String())
	case hasList:
		set(list, "list page")
	case hasURL:
		set(moment{on: inURL}, "url")
	case u.e.FeedPublished != nil:
		at := u.e.FeedPublished.In(u.zone)
		m := moment{on: DateOf(at)}
		if h, min, s := at.Clock(); h+min+s > 0 {
			m.at = at
		}
		set(m, "feed")
	case u.e.FeedUpdated != nil:
		set(moment{on: DateOf(u.e.FeedUpdated.In(u.zone))}, "feed")
	}
}

// metaTime reads the form 2018-12-06-09:30:00 of gov.cn.
func metaTime(s string) string {
	if len(s) == len("2018-12-06-09:30:00") && s[10] == '-' {
		return s[:10] + " " + s[11:]
	}
	return s
}

func abs(d time.Duration) time.Duration {
	if d < 0 {
		return -d
	}
	return d
}

// issued takes 成文日期 from its label, else from the line under the signature. A
// text that encloses another has two such lines; the first is its own.
func (u *understanding) issued() {
	for _, l := range u.e.Labels {
		switch squeeze(l.Name) {
		case "成文日期", "成文时间", "生成日期", "发文日期":
			if m, ok := readMoment(l.Value, u.zone); ok {
				u.IssuedOn, u.IssuedFrom = m.on, l.Element+" "+l.Name
				return
			}
		}
	}
	for i, p := range u.Paragraphs {
		if d, ok := readSignature(p); ok && i > 0 {
			u.IssuedOn, u.IssuedFrom = d, "落款"
			return
		}
	}
}

const fullDate = `((?:19|20)\d{2})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日`

var (
	effectiveOn   = regexp.MustCompile(`自\s*` + fullDate + `\s*(?:零时|0时)?起\s*(?:正式|全面|开始)?(?:施行|实施|执行|生效|试行)`)
	effectiveFrom = regexp.MustCompile(`自\s*(公布|发布|印发|颁布|下发)之日起\s*(?:正式)?(?:施行|实施|执行|生效|试行)`)
	expiresAfter  = regexp.MustCompile(`有效期(?:限)?\s*(?:为|：)?\s*([0-9一二三四五六七八九十两]{1,3})\s*年`)
	expiresOn     = regexp.MustCompile(`有效期(?:限)?\s*(?:至|到|截至|截止|延长至)\s*` + fullDate)
	validFromTo   = regexp.MustCompile(`(?:执行|有效|实施)(?:时间|期限|期)\s*(?:为|自)?\s*` + fullDate + `\s*(?:至|到|—|-)\s*` + fullDate)
	itself        = regexp.MustCompile(`(?:本|该|现予)[^。；]{0,20}$`)
)

// lifecycle finds when a document takes effect and until when it holds. The last
// sentence that says so counts, and only if it speaks of the document itself.
func (u *understanding) lifecycle() {
	if u.Kind != KindDocument {
		return
	}
	text := fold(strings.Join(u.Paragraphs, "\n"))
	if m, _ := last(validFromTo, text, "执行时间", "执行期", "有效时间", "有效期", "实施时间", "实施期"); m != nil {
		u.EffectiveOn, u.EffectiveFrom = dateOfParts(m[1], m[2], m[3]), "正文“"+m[0]+"”"
		u.ExpiresOn, u.ExpiresFrom = dateOfParts(m[4], m[5], m[6]), u.EffectiveFrom
		return
	}
	if m, before := last(effectiveOn, text, "自"); m != nil && itself.MatchString(before) {
		on := dateOfParts(m[1], m[2], m[3])
		if u.IssuedOn.IsZero() || !on.Before(u.IssuedOn.AddDays(-400)) { // older: the first version's
			u.EffectiveOn, u.EffectiveFrom = on, "正文“"+m[0]+"”"
		}
	} else if m, before := last(effectiveFrom, text, "之日起"); m != nil && itself.MatchString(before) {
		quote := "正文“" + m[0] + "”"
		switch {
		case m[1] == "印发" || m[1] == "下发":
			u.EffectiveOn = u.IssuedOn
		case !u.PublishedOn.IsZero() && !u.PublishedOn.Before(u.IssuedOn) && u.PublishedOn.Before(u.IssuedOn.AddDays(366)):
			u.EffectiveOn = u.PublishedOn
		default:
			u.EffectiveOn = u.IssuedOn
		}
		if !u.EffectiveOn.IsZero() {
			u.EffectiveFrom = quote
		}
	}
	if m, _ := last(expiresOn, text, "有效期"); m != nil {
		u.ExpiresOn, u.ExpiresFrom = dateOfParts(m[1], m[2], m[3]), "正文“"+m[0]+"”"
	} else if m, _ := last(expiresAfter, text, "有效期"); m != nil && !u.EffectiveOn.IsZero() {
		if years, ok := number(m[1]); ok && years > 0 && years <= 50 {
			e := u.EffectiveOn
			u.ExpiresOn = makeDate(e.Year+years, int(e.Month), e.Day).AddDays(-1)
			u.ExpiresFrom = "正文“" + m[0] + "”"
		}
	}
}

// last returns the last match of re and what stands before it on its line, at
// most 24 characters. A text without any of the hints has no match, and need not
// be searched with an expression.
func last(re *regexp.Regexp, text string, hints ...string) (match []string, before string) {
	if !slices.ContainsFunc(hints, func(h string) bool { return strings.Contains(text, h) }) {
		return nil, ""
	}
	all := re.FindAllStringSubmatchIndex(text, -1)
	if len(all) == 0 {
		return nil, ""
	}
	at := all[len(all)-1]
	for i := 0; i < len(at); i += 2 {
		group := ""
		if at[i] >= 0 {
			group = text[at[i]:at[i+1]]
		}
		match = append(match, group)
	}
	line := text[:at[0]]
	return match, lastRunes(line[strings.LastIndexByte(line, '\n')+1:], 24)
}

var (
	deadlineBy     = regexp.MustCompile(`(?:截止|截至)(?:日期|时间|期限)?\s*(?:为|是|：|:|到|至)?\s*` + fullDate)
	deadlineBefore = regexp.MustCompile(fullDate + `\s*(?:之?前|以前|止)`)
	deadlineRange  = regexp.MustCompile(`(?:征求意见|征集|公告|公示)[^。；\n]{0,12}?(?:时间|期限|期)?\s*(?:为|：|自|从)*\s*` + fullDate + `\s*(?:起)?(?:至|到|—|-)\s*` + fullDate)
	asksFor        = regexp.MustCompile(`意见|反馈|报送|申报|提出|报名`)
)

// deadline finds until when comments or applications are taken. Two different
// ones are withheld.
func (u *understanding) deadline() {
	if u.Kind != KindConsultation && !asksFor.MatchString(u.Title) {
		return
	}
	found := make(map[Date]string)
	for _, p := range u.Paragraphs {
		if p = fold(p); !strings.Contains(p, "年") {
			continue // every form of a deadline names the year
		}
		for _, m := range deadlineRange.FindAllStringSubmatch(p, -1) {
			found[dateOfParts(m[4], m[5], m[6])] = m[0]
		}
		for _, m := range deadlineBy.FindAllStringSubmatch(p, -1) {
			found[dateOfParts(m[1], m[2], m[3])] = m[0]
		}
		for _, at := range deadlineBefore.FindAllStringSubmatchIndex(p, -1) {
			near := p[max(0, at[0]-90):min(len(p), at[1]+90)]
			if asksFor.MatchString(near) {
				found[dateOfParts(p[at[2]:at[3]], p[at[4]:at[5]], p[at[6]:at[7]])] = p[at[0]:at[1]]
			}
		}
	}
	delete(found, Date{})
	switch len(found) {
	case 0:
	case 1:
		for d, quote := range found {
			u.DeadlineOn, u.DeadlineFrom = d, "正文“"+quote+"”"
		}
	default:
		u.warn("the text names more than one deadline; none is shown")
	}
}
