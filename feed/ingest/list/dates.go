package list

import (
	"slices"
	"strings"

	"golang.org/x/net/html"

	"dibao/internal/lazyregexp"
	"dibao/internal/markup"
	"dibao/policy/when"
)

// datesOf returns the dates in a row: outside its link, or else in the link, or else in a
// list or table inside the row.
func (f *finder) datesOf(row, link *html.Node) []when.When {
	if found, ok := f.dates[row]; ok {
		return found
	}
	var own, nested strings.Builder
	if row != link {
		f.rowText(row, link, &own, &nested)
	}
	found := when.Find(own.String(), f.clock)
	if outside := hasDate(found); !outside || !hasAlone(found) {
		if inLink := when.Find(f.linkRest(link), f.clock); hasDate(inLink) && (!outside || hasAlone(inLink)) {
			found = inLink // dates outside the link may belong to an abstract
		}
	}
	if !hasDate(found) {
		for _, w := range when.Find(titleOf(link), f.clock) {
			if w.Role == when.RolePublished && w.Label != "" {
				found = append(found, w)
			}
		}
	}
	if !hasDate(found) && nested.Len() > 0 {
		for _, w := range when.Find(nested.String(), f.clock) {
			if w.Role == when.RolePublished || w.Role == when.RoleUnknown && w.Alone && !w.Weak && !w.IsPartial() && f.isLine(row, link) {
				found = append(found, w)
			}
		}
	}
	if f.dates != nil {
		f.dates[row] = found
	}
	return found
}

// hasAlone reports whether one of the dates is the whole text of its element.
func hasAlone(all []when.When) bool {
	return slices.ContainsFunc(all, func(w when.When) bool { return w.Alone })
}

// titleOf returns the title attribute of a link, whose lines may be labeled.
func titleOf(link *html.Node) string {
	if link == nil {
		return ""
	}
	return short(strings.ReplaceAll(markup.Attr(link, "title"), "\n", string(rune(when.Border))))
}

// maxLine is the maximum length, in characters, of a list inside a row that gives the
// article's publication date, column and number of views.
const maxLine = 60

// isLine reports whether a nested element of a row is short and does not link to other
// articles: the line below a headline, marked up as a list.
func (f *finder) isLine(row, link *html.Node) bool {
	for n := range row.Descendants() {
		if n.Type == html.ElementNode && isNested(n) && !holds(n, link) {
			if in := f.seen[n]; in == nil || in.total > 0 || in.runes > maxLine {
				return false
			}
		}
	}
	return true
}

// rowText returns the text of a row without that of its link and without lists or tables
// inside it.
func (f *finder) rowText(n, link *html.Node, own, nested *strings.Builder) {
	for c := n.FirstChild; c != nil && own.Len() < 4000; c = c.NextSibling {
		switch {
		case c == link:
			own.WriteByte(when.Border)
		case c.Type == html.TextNode:
			own.WriteString(short(c.Data))
		case c.Type != html.ElementNode || isUnseen(c):
		case isNested(c) && !holds(c, link):
			if nested.Len() < 4000 {
				nested.WriteByte(when.Border)
				nested.WriteString(textOf(c, 4000, when.Border))
			}
		default:
			own.WriteByte(when.Border)
			if at := f.hiddenDate(c); at != "" {
				own.WriteString(at)
				own.WriteByte(when.Border)
				continue
			}
			if c.Data == "time" && updatedName.MatchString(markup.Attr(c, "class")) {
				own.WriteString("更新时间：")
			}
			f.rowText(c, link, own, nested)
			own.WriteByte(when.Border)
		}
	}
}

// updatedName matches the class of the time of the last change, which WordPress prints
// after the publication time.
var updatedName = lazyregexp.New(`(?:^|[\s_-])(?:updated|modified)(?:$|[\s_-])`)

// dateAttributes are attributes with a date that a script writes into the page, or with the
// complete form of a date that the page prints in short form.
var dateAttributes = []string{"datetime", "title", "data-val", "data-time", "data-date", "data-datetime", "data-timestamp", "data-pubdate", "data-ts"}

// hiddenDate returns the date in an attribute of an element if the element's text has none,
// one without a year, or a relative one. A date in seconds since 1970 counts if it is the
// whole text. It returns "" if the text says more.
func (f *finder) hiddenDate(n *html.Node) string {
	in := f.seen[n]
	if in == nil || in.any || in.runes > maxNear {
		return ""
	}
	if in.runes == 10 || in.runes == 13 {
		if on := f.ofSeconds(textOf(n, 40, ' ')); on != "" {
			return on
		}
	}
	stated := ""
	for _, key := range dateAttributes {
		if value := markup.Attr(n, key); value != "" && (in.runes == 0 || aYear.MatchString(value)) {
			if w, ok := when.Read(value, f.clock); ok {
				stated = w.On.String()
				break
			}
		}
	}
	if stated == "" || in.runes == 0 {
		return stated
	}
	text := textOf(n, 100, ' ')
	if all := when.Find(text, f.clock); len(all) != 1 || aYear.MatchString(text) || letters(strings.Replace(text, all[0].Text, "", 1)) > 0 {
		return ""
	}
	return stated
}

// settle completes the dates with the help of each other. If the rows print their dates in a
// separate place, it replaces dates in running text by those in that place, unless only those
// are in the future, and discards them if there is none.
func (f *finder) settle(found *Found) {
	separate, dated, alone := 0, 0, 0
	for _, r := range found.Rows {
		if r.alone.Alone {
			separate++
		}
		if r.From != "" {
			dated++
		}
	}
	dates := make([]when.When, len(found.Rows))
	for i := range found.Rows {
		r := &found.Rows[i]
		if separate*2 > dated && !r.Date.Alone && r.alone.Alone && !saysPublished(r.Date) && (!f.clock.IsFuture(r.alone.On) || f.clock.IsFuture(r.Date.On)) {
			r.Date, r.From = r.alone, f.from(r.Node, r.alone)
		}
		if r.From != "" && r.Date.Alone {
			alone++
		}
		dates[i] = r.Date
	}
	when.Series(dates, f.clock)
	for i := range found.Rows {
		r := &found.Rows[i]
		r.Date = dates[i]
		if r.Date.On.IsZero() || !r.Date.Alone && alone*2 > dated && r.From != "" {
			r.Date, r.From = when.When{}, ""
		}
	}
}

// saysPublished reports whether the label of a date says that it is the publication date, and
// not only 时间, which an abstract gives for an event.
func saysPublished(w when.When) bool {
	return w.Label != "" && w.Label != "时间" && w.Label != "日期" && w.Role == when.RolePublished
}

// sayUnread records rows that state a year outside their titles, if the list has no dates
// and most of its rows state a year.
func (f *finder) sayUnread(found *Found) {
	var unread []string
	for _, r := range found.Rows {
		if !r.Date.On.IsZero() || r.Node == r.Link {
			return
		}
		var own, nested strings.Builder
		f.rowText(r.Node, r.Link, &own, &nested)
		if text := own.String(); statesYear.MatchString(text) {
			unread = append(unread, strings.Join(strings.FieldsFunc(text, func(c rune) bool { return c == when.Border || c == ' ' }), " "))
		}
	}
	if len(unread)*2 < len(found.Rows) {
		return
	}
	for _, text := range unread {
		found.Dropped.Add(UnreadDate, "", text)
	}
}

// statesYear matches a year of the Gregorian calendar or of the Buddhist one, which Thai
// sites use.
var statesYear = lazyregexp.New(`(?:^|[^\d])(?:(?:19|20)\d{2}|25[5-9]\d)(?:$|[^\d])`)

// aYear matches a year with four digits.
var aYear = lazyregexp.New(`(?:19|20)\d{2}`)

// ofSeconds matches a text that is only a number of seconds or milliseconds since 1970.
func (f *finder) ofSeconds(text string) string {
	if len(text) != 10 && len(text) != 13 || strings.Trim(text, "0123456789") != "" {
		return ""
	}
	w, ok := when.Read(text, f.clock)
	if !ok {
		return ""
	}
	return w.On.String()
}

// maxProse is the number of bytes of one piece of a row that are searched for dates: an
// abstract may be long, with the date after it.
const maxProse = 600

// short truncates a text that is too long to be a date with its label.
func short(s string) string {
	if len(s) <= maxProse {
		return s
	}
	at := maxProse
	for s[at]&0xC0 == 0x80 {
		at--
	}
	return s[:at]
}

// isNested reports whether an element is a list or table inside a row.
func isNested(n *html.Node) bool {
	switch n.Data {
	case "ul", "ol", "dl", "table":
		return true
	}
	return false
}

// longLink is the number of characters above which a link contains an abstract,
// or the whole article; then each piece of its text is searched, up to
// maxProse.
const longLink = 300

// linkRest returns the text of a link by its elements, without the title; it includes a
// date that is separated from the title only by a space.
func (f *finder) linkRest(link *html.Node) string {
	if link == nil {
		return ""
	}
	text := textOf(link, 1200, when.Border)
	if in := f.seen[link]; in != nil && in.runes > longLink {
		var own, nested strings.Builder
		f.rowText(link, nil, &own, &nested)
		text = own.String() + string(rune(when.Border)) + nested.String()
	}
	title := titleIn(strings.Split(text, string(rune(when.Border))))
	var b strings.Builder
	for part := range strings.SplitSeq(text, string(rune(when.Border))) {
		switch on := f.ofSeconds(part); {
		case on != "":
			b.WriteString(on)
		case part != title:
			b.WriteString(short(part))
		}
		b.WriteByte(when.Border)
	}
	if _, date := cutDate(title, f.clock); date != "" {
		b.WriteString(date)
	}
	return b.String()
}

// inFigures matches a date without 年 and 月: in brackets after a title it is the date of the
// row, while （2026年11月27日） is part of the title.
var inFigures = lazyregexp.New(`^[\d./-]+$`)

// hasBorder reports whether whitespace or a sign separates a title from a date.
func hasBorder(title string) bool {
	for _, r := range title {
		switch r {
		case ' ', '(', ')', '[', ']', '（', '）', '【', '】', '—', '–', '-', ':', '：':
			return true
		}
	}
	return false
}

// cutDate removes a date from the end or the beginning of a title, if white
// space or a bracket separates them.
func cutDate(title string, c when.Clock) (rest, date string) {
	title = strings.TrimSpace(title)
	if !hasBorder(title) {
		return title, ""
	}
	for _, w := range when.Find(title, c) {
		if w.IsPartial() && (w.Month == 0 || w.Day == 0) || w.Weak {
			continue
		}
		at := strings.LastIndex(title, w.Text)
		if at < 0 {
			continue
		}
		before, after := title[:at], title[at+len(w.Text):]
		open := strings.TrimRight(before, " ([（【")
		isClosed := len(open) < len(before) && strings.TrimSpace(after) != ""
		if strings.Trim(after, " )]）】") == "" && (strings.HasSuffix(before, " ") || strings.HasSuffix(before, "[") || strings.HasSuffix(before, "【") || isClosed && inFigures.MatchString(w.Text) || strings.HasSuffix(open, " ")) && letters(open) >= minTitle {
			return strings.TrimSpace(open), w.Text
		}
		rest := strings.TrimLeft(after, " )]）】—–-:：")
		if strings.Trim(before, " ([（【") == "" && len(rest) < len(after) && letters(rest) >= minTitle {
			return strings.TrimSpace(rest), w.Text
		}
	}
	return title, ""
}
