package list

import (
	"strings"

	"golang.org/x/net/html"

	"dibao/policy/when"
)

// datesOf returns the dates that a row states: beside its link, else in the link,
// else in a list or table inside the row.
func (f *finder) datesOf(row, link *html.Node) []when.When {
	if found, ok := f.dates[row]; ok {
		return found
	}
	var own, nested strings.Builder
	if row != link {
		f.rowText(row, link, &own, &nested)
	}
	found := when.Find(own.String(), f.clock)
	if !hasDate(found) {
		if inLink := when.Find(f.linkRest(link), f.clock); hasDate(inLink) {
			found = inLink
		}
	}
	if !hasDate(found) && nested.Len() > 0 {
		for _, w := range when.Find(nested.String(), f.clock) {
			if w.Role == when.RolePublished {
				found = append(found, w)
			}
		}
	}
	if f.dates != nil {
		f.dates[row] = found
	}
	return found
}

// rowText gathers the text of a row without that of its link; what stands in a
// list or table inside it is another matter.
func (f *finder) rowText(n, link *html.Node, own, nested *strings.Builder) {
	for c := n.FirstChild; c != nil && own.Len() < 4000; c = c.NextSibling {
		switch {
		case c == link:
			own.WriteByte(when.Border)
		case c.Type == html.TextNode:
			own.WriteString(c.Data)
		case c.Type != html.ElementNode || isUnseen(c):
		case isNested(c) && !holds(c, link):
			if nested.Len() < 4000 {
				nested.WriteByte(when.Border)
				nested.WriteString(textOf(c, 4000, when.Border))
			}
		default:
			own.WriteByte(when.Border)
			if at := attr(c, "datetime"); at != "" && f.seen[c] != nil && f.seen[c].runes == 0 {
				own.WriteString(at) // a script would write it
			}
			f.rowText(c, link, own, nested)
			own.WriteByte(when.Border)
		}
	}
}

// isNested reports whether an element is a list or table of its own.
func isNested(n *html.Node) bool {
	switch n.Data {
	case "ul", "ol", "dl", "table":
		return true
	}
	return false
}

// linkRest returns the text of a link by its elements, without the one that is the
// title; the date that stands behind a title with nothing but a space between
// counts, too.
func (f *finder) linkRest(link *html.Node) string {
	if link == nil {
		return ""
	}
	text := textOf(link, 1200, when.Border)
	title := titleIn(strings.Split(text, string(rune(when.Border))))
	var b strings.Builder
	for part := range strings.SplitSeq(text, string(rune(when.Border))) {
		if part != title {
			b.WriteString(part)
		}
		b.WriteByte(when.Border)
	}
	if _, date := cutDate(title, f.clock); date != "" {
		b.WriteString(date)
	}
	return b.String()
}

// cutDate cuts a date off the end or the beginning of a title, where white space or
// a square bracket parts them.
func cutDate(title string, c when.Clock) (rest, date string) {
	title = strings.TrimSpace(title)
	for _, w := range when.Find(title, c) {
		if w.IsPartial() && (w.Month == 0 || w.Day == 0) || w.Weak {
			continue
		}
		at := strings.LastIndex(title, w.Text)
		if at < 0 {
			continue
		}
		before, behind := title[:at], title[at+len(w.Text):]
		open := strings.TrimRight(before, " ([（【")
		if strings.Trim(behind, " )]）】") == "" && (strings.HasSuffix(before, " ") || strings.HasSuffix(before, "[") || strings.HasSuffix(before, "【") || strings.HasSuffix(open, " ")) && letters(open) >= minTitle {
			return strings.TrimSpace(open), w.Text
		}
		rest := strings.TrimLeft(behind, " )]）】")
		if strings.Trim(before, " ([（【") == "" && len(rest) < len(behind) && letters(rest) >= minTitle {
			return strings.TrimSpace(rest), w.Text
		}
	}
	return title, ""
}
