package policy

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"dibao/policy/when"
	"dibao/policy/words"
	"dibao/policy/workday"
)

// Date is a calendar date without a time of day or zone (成文日期, 施行日期 …).
// The zero Date means that no date is known.
type Date = when.Date

// DateOf returns the calendar date of t in t's own location.
func DateOf(t time.Time) Date { return when.DateOf(t) }

// ParseDate reads YYYY-MM-DD. Days that the calendar does not have are refused.
func ParseDate(s string) (Date, error) { return when.ParseDate(s) }

const (
	digitsOrHan = `(?:\d{1,2}|[一二三四五六七八九十]{1,3})`
	yearOrHan   = `(?:(?:19|20)\d{2}|[一二][〇○ＯO零一二三四五六七八九]{3})`
	gap         = `[\s\x{3000}\x{a0}]*`
)

var (
	// The line under a document that contains only the date of the signature.
	signatureDate = words.New(`^` + gap + `(` + yearOrHan + `)` + gap + `年` + gap + `(` + digitsOrHan + `)` + gap + `月` + gap + `(` + digitsOrHan + `)` + gap + `日` + gap + `$`)
)

// moment is a date, with a time of day if there is one.
type moment struct {
	on Date
	at time.Time // zero means no time of day
}

// readMoment finds the first date in a short text, in zone.
func readMoment(s string, zone *time.Location) (moment, bool) {
	w, ok := when.First(s, when.Clock{Zone: zone})
	return moment{w.On, w.At}, ok
}

func dateOfParts(year, month, day string) Date {
	y, ok1 := number(year)
	m, ok2 := number(month)
	d, ok3 := number(day)
	if !ok1 || !ok2 || !ok3 {
		return Date{}
	}
	return when.MakeDate(y, m, d)
}

// readSignature reads a line that contains only a date.
func readSignature(line string) (Date, bool) {
	m := signatureDate.FindStringSubmatch(strings.ReplaceAll(fold(line), "Ｏ", "〇"))
	if m == nil {
		return Date{}, false
	}
	d := dateOfParts(m[1], m[2], m[3])
	return d, !d.IsZero()
}

// publishedMeta are the names of meta elements with the publication date, that of the
// standard first, without punctuation and in lower case.
var publishedMeta = []string{"pubdate", "firstpublishedtime", "publishdate", "articlepublishedtime", "ogarticlepublishedtime", "ogpublishedtime", "ogtime", "apubtime", "publishtime", "pubtime", "publisheddate", "publicationdate", "releasedate", "lddatepublished", "ldpubdate", "weiboarticlecreateat"}

// MetaOfScript is the name of the evidence for a publication time that only a
// script of the page states.
const MetaOfScript = "script"

// metaName returns a name in the form of the names above: og:published_time, publish-date.
func metaName(s string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s))
}

// maxListGap is the maximum number of days between the date in the list and that in the
// address; if they are further apart, a migration of the site changed one of them.
const maxListGap = 7 * 24 * time.Hour

// published applies the order of precedence: meta element, label (one with a time of day
// first), list page, address, feed.
func (u *understanding) published() {
	set := func(m moment, from string) {
		u.PublishedOn, u.PublishedAt, u.PublishedFrom = m.on, m.at, from
	}
	for _, name := range publishedMeta {
		for _, p := range u.e.Meta {
			if metaName(p.Name) != name {
				continue
			}
			if m, ok := readMoment(p.Content, u.zone); ok {
				if at := u.timeOn(m.on); !at.IsZero() { // the time that readers see
					m.at = at
				}
				if seen, l := u.seenFirst(); l != nil && (m.on.In(time.UTC).Sub(seen.on.In(time.UTC)) > maxListGap || seen.on.Before(m.on) && u.generated(p.Content)) { // the site set a new date: see generated
					set(seen, strings.TrimSpace(l.Element+" "+l.Name))
					u.warn("meta-redated", m.on, seen.on)
					return
				}
				set(m, "meta[name="+p.Name+"]")
				return
			}
		}
	}
	var best, updated *Label
	var bestMoment, updatedMoment moment
	created := false
	for i, l := range u.e.Labels {
		m, ok := readMoment(l.Value, u.zone)
		role := when.RoleOf(l.Name)
		isCreated := strings.HasPrefix(l.Name, "创建") // when the entry was created, before it was changed
		if ok && !created && (isCreated || role == when.RoleUpdated && updated == nil) {
			updated, updatedMoment, created = &u.e.Labels[i], m, isCreated
		}
		if !ok || l.Name != "" && role != when.RolePublished {
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
	for _, p := range u.e.Meta {
		if m, ok := readMoment(p.Content, u.zone); ok && p.Name == MetaOfScript {
			set(m, p.Name)
			return
		}
	}
	u.publishedOutside(set, updated, updatedMoment)
}

// publishedOutside sets the publication date from its list, its address or its feed, or
// from its last change if the page states nothing else.
func (u *understanding) publishedOutside(set func(moment, string), updated *Label, updatedMoment moment) {
	list, hasList := readMoment(u.e.ListDate, u.zone)
	inURL, hasURL := when.InAddress(u.e.URL)
	switch {
	case hasList && hasURL && abs(list.on.In(time.UTC).Sub(inURL.In(time.UTC))) > maxListGap:
		// A migration has changed one of the two; the earlier one that is not
		// before the document itself is right.
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
		u.warn("redated", list.on, inURL)
	case hasList:
		set(list, "list page")
	case hasURL:
		set(moment{on: inURL}, "url")
	case updated != nil && u.e.FeedPublished == nil: // the only date of the page
		set(updatedMoment, strings.TrimSpace(updated.Element+" "+updated.Name))
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

// generated reports whether a date is the day on which the page was generated: one of
// the common systems repeats that day in a separate meta element.
func (u *understanding) generated(date string) bool {
	return slices.ContainsFunc(u.e.Meta, func(p Pair) bool { return p.Name == "others" && p.Content == "页面生成时间 "+date })
}

// seenFirst returns the first publication date in the page's head, with a label
// or a time.
func (u *understanding) seenFirst() (first moment, by *Label) {
	for i, l := range u.e.Labels {
		m, ok := readMoment(l.Value, u.zone)
		if ok && (l.Name == "" && !m.at.IsZero() || l.Name != "" && when.RoleOf(l.Name) == when.RolePublished) && !m.on.Before(u.IssuedOn) && (by == nil || m.on.Before(first.on)) {
			first, by = m, &u.e.Labels[i]
		}
	}
	return first, by
}

// timeOn returns the time of day in a publication label, for a meta element
// that gives only the day or another time; zero if there is none.
func (u *understanding) timeOn(day Date) time.Time {
	for _, l := range u.e.Labels {
		if m, ok := readMoment(l.Value, u.zone); ok && m.on == day && !m.at.IsZero() && (l.Name == "" || when.RoleOf(l.Name) == when.RolePublished) {
			return m.at
		}
	}
	return time.Time{}
}

func abs(d time.Duration) time.Duration {
	if d < 0 {
		return -d
	}
	return d
}

// issued reads 成文日期 from its label, or else from the line under the signature. A text that
// encloses another has two such lines; the first is its own.
func (u *understanding) issued() {
	for _, l := range u.e.Labels {
		switch squeeze(l.Name) {
		case "成文日期", "成文时间", "生成日期", "生成时间", "发文日期", "发文时间", "印发日期", "印发时间", "签发日期", "制发日期":
			if m, ok := readMoment(l.Value, u.zone); ok {
				u.IssuedOn, u.IssuedFrom = m.on, l.Element+" "+l.Name
				return
			}
		}
	}
	if _, d := signature(u.Paragraphs); !d.IsZero() {
		u.IssuedOn, u.IssuedFrom = d, "落款"
	}
}

// signature finds the first line that consists of a date, or of issuers
// followed by one.
func signature(paragraphs []string) (at int, on Date) {
	for i, p := range paragraphs {
		if d, ok := readSignature(p); ok && i > 0 {
			return i, d
		}
		if issuers, d := signedLine(p); issuers != "" && i > 0 {
			return i, d
		}
	}
	return 0, Date{}
}

var signedOn = words.New(`^(\p{Han}[\p{Han}\s、\x{3000}\x{a0}]{2,60}?)` + gap + `(` + yearOrHan + gap + `年` + gap + digitsOrHan + gap + `月` + gap + digitsOrHan + gap + `日)` + gap + `$`)

// signedLine reads a line with organizations and the date of a signature: 样例市民政局 2024年3月1日.
func signedLine(line string) (issuers string, on Date) {
	if len(line) > maxSignature || !strings.HasSuffix(strings.TrimSpace(line), "日") {
		return "", Date{}
	}
	m := signedOn.FindStringSubmatch(strings.ReplaceAll(fold(line), "Ｏ", "〇"))
	if m == nil || !signs(m[1]) {
		return "", Date{}
	}
	d, _ := readSignature(m[2])
	if d.IsZero() {
		return "", d
	}
	return m[1], d
}

const (
	maxSignature  = 70 * 3 // bytes of a line under a text
	maxSigners    = 12     // organizations that sign one text
	longestIssuer = 30     // characters
)

// signs reports whether a line contains only organizations.
func signs(line string) bool {
	if line = strings.TrimSpace(line); line == "" || len(line) > maxSignature {
		return false
	}
	for _, issuer := range splitIssuers(line) {
		n := utf8.RuneCountInString(issuer)
		if n < 3 || n > longestIssuer || !namesIssuers(issuer) || !onlyHan(issuer) || strings.HasPrefix(issuer, "各") || containsAny(issuer, "关于", "的", "附件") {
			return false
		}
	}
	return true
}

// onlyHan reports whether s contains only characters of Chinese names.
func onlyHan(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.Is(unicode.Han, r) && r != '·' }) < 0
}

// signers returns the issuers that signed a text, from the lines above the date of
// the signature or from its own line; the first is the lead issuer.
func signers(paragraphs []string) []string {
	at, on := signature(paragraphs)
	if on.IsZero() {
		return nil
	}
	if issuers, _ := signedLine(paragraphs[at]); issuers != "" {
		return splitIssuers(issuers)
	}
	first := at
	for first > 1 && at-first < maxSigners && signs(fold(paragraphs[first-1])) {
		first--
	}
	var all []string
	for _, p := range paragraphs[first:at] {
		all = append(all, splitIssuers(strings.TrimSpace(fold(p)))...)
	}
	return all
}

const (
	latestDays = 20   // working days in which a document must be published (政府信息公开条例 第二十六条)
	openSince  = 2008 // the year in which the regulation came into force
)

// late counts the working days between issue and publication if they exceed the
// limit of the regulation, and the page itself states when it was published.
func (u *understanding) late() {
	said := u.PublishedFrom != "" && u.PublishedFrom != "url" && u.PublishedFrom != "feed" && u.PublishedFrom != "list page"
	if u.Kind != KindDocument || u.IssuedOn.IsZero() || u.PublishedOn.IsZero() || !said || u.IssuedOn.Year < openSince {
		return
	}
	if n, _ := workday.Between(u.IssuedOn, u.PublishedOn); n > latestDays {
		u.LateDays = n
	}
}
