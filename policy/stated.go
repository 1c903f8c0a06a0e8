package policy

import (
	"slices"
	"strings"
	"unicode/utf8"

	"dibao/policy/cut"
	"dibao/policy/division"
	"dibao/policy/hans"
	"dibao/policy/words"
)

// personsName matches a name in Chinese, or one of at least two words.
var personsName = words.New(`^(?:\p{Han}{2,4}|[A-Z][\p{L}.'’-]+(?: [A-Z][\p{L}.'’-]+){1,3})$`)

// statedAuthors returns authors that only linked data, meta elements and feeds name:
// persons, but not sites, accounts, or the page's editor.
func (u *understanding) statedAuthors() []candidate {
	var all []candidate
	for _, m := range u.e.Meta {
		switch name := strings.ToLower(m.Name); name {
		case "ld:author", "og:article:author", "author":
			if personsName.MatchString(m.Content) && !medium.MatchString(m.Content) && (name != "author" || isPerson(m.Content) && (utf8.RuneCountInString(m.Content) > 2 || u.shows(m.Content))) && !u.edited(m.Content) {
				all = append(all, candidate{value: m.Content, at: -1, weight: byMeta})
			}
		}
	}
	if office, name := namedFirst(u.Title); name != "" && !u.speaksOf(name) {
		all = append(all, candidate{value: Credit{Persons: []string{name}, Office: office}.Author(), at: -1, weight: byMeta})
	}
	if u.e.FeedAuthor != "" {
		all = append(all, candidate{value: u.e.FeedAuthor, at: -1, weight: byFeed})
	}
	return all
}

// speaksOf reports whether a text mentions a person or begins like a report: then a title
// with the name before a colon quotes a speaker and does not name the author.
func (u *understanding) speaksOf(name string) bool {
	if len(u.Paragraphs) < 2 || slices.ContainsFunc(u.Paragraphs, func(p string) bool { return strings.Contains(squeeze(p), name) }) {
		return true
	}
	first := hans.Simplify(cut.First(u.Paragraphs[0], contextChars))
	return newsDay.MatchString(first) || dateline.MatchString(first)
}

// quotes reports whether a text says that a person speaks.
func (u *understanding) quotes(name string) bool {
	return slices.ContainsFunc(u.Paragraphs, func(p string) bool {
		for rest := squeeze(p); ; {
			_, after, found := strings.Cut(rest, name)
			if !found {
				return false
			}
			if speaks.MatchString(cut.First(after, 8)) {
				return true
			}
			rest = after
		}
	})
}

// speaks matches the words after the name of a person who is quoted.
var speaks = words.New(`^\p{Han}{0,4}(?:说|表示|指出|强调|认为|介绍|称|告诉|谈到|要求|透露|坦言)`)

// shows reports whether the text or labels also name a person: a short name in a meta
// element alone usually belongs to whoever published the page.
func (u *understanding) shows(name string) bool {
	if slices.ContainsFunc(u.e.Labels, func(l Label) bool { return strings.Contains(l.Value, name) }) {
		return true
	}
	n := len(u.e.Paragraphs)
	edges := slices.Concat(u.e.Paragraphs[:min(n, bylineLines)], u.e.Paragraphs[max(0, n-bylineLines):])
	return slices.ContainsFunc(edges, func(p string) bool { return strings.Contains(p, name) })
}

// namedFirst returns the person named before a colon in a title, and the office
// before the name: 某院副院长 王样：论样例.
func namedFirst(title string) (office, name string) {
	m := authorFirst.FindStringSubmatch(title)
	if m == nil || !isPerson(m[2]) || m[1] != "" && !isOffice(m[1]) {
		return "", ""
	}
	return m[1], m[2]
}

// nameFirst separates a name from the office directly after it, if the office begins with a
// place: 方样北京大学教授.
func nameFirst(s string) (name, office string) {
	for _, n := range []int{2, 3} {
		name, office = cut.First(s, n), strings.TrimPrefix(s, cut.First(s, n))
		if place := cut.First(office, 2); isPerson(name) && (division.IsProvince(place) || place == "中国" || place == "国家" || place == "中央" || place == "全国") && isOffice(office) {
			return name, office
		}
	}
	return "", ""
}
