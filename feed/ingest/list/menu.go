package list

import (
	"net/url"
	"strings"

	"dibao/feed/ingest/filelink"
	"dibao/internal/lazyregexp"
	"dibao/policy/when"
)

// withoutMenu returns the rows of a list. It says so if none has a date, and returns
// nothing if they look like a menu in addition.
func (found *Found) withoutMenu() []Row {
	hrefs := make([]string, len(found.Rows))
	for i, r := range found.Rows {
		if _, ok := when.InAddress(r.Href); ok || !r.Date.On.IsZero() {
			return found.Rows
		}
		hrefs[i] = r.Href
	}
	if len(hrefs) == 0 {
		return nil
	}
	if isMenu(hrefs) {
		for _, r := range found.Rows {
			found.Dropped.Add(MenuOnly, "", r.Title)
		}
		return nil
	}
	found.Dropped.Add(Undated, "", found.Rows[0].Title)
	return found.Rows
}

// isMenu reports whether at least half of the addresses lead to columns or sites, not to articles.
func isMenu(hrefs []string) bool {
	columns := 0
	for _, h := range hrefs {
		if leadsToColumn(h) {
			columns++
		}
	}
	return columns*2 >= len(hrefs)
}

const (
	minSlug       = 3  // separators in the name of a page that consists of the words of a title
	maxColumnName = 20 // bytes of the name of a column; longer ones are keys of articles
)

// ofArticle finds a folder that is the number of an article; columns have shorter numbers, or letters before them.
var ofArticle = lazyregexp.New(`/\d{5,}/index\.\w+$`)

// leadsToColumn reports whether an address has nothing that identifies an article: a
// number in its last part or its query, the words of a title, or the name of a file.
func leadsToColumn(href string) bool {
	u, err := url.Parse(href)
	if err != nil || strings.ContainsAny(u.RawQuery+u.Fragment, "0123456789") {
		return false
	}
	path := strings.TrimSuffix(u.Path, "/")
	name := path[strings.LastIndexByte(path, '/')+1:]
	numbered := name
	if path != u.Path { // a folder
		numbered = path
	}
	if strings.ContainsAny(numbered, "0123456789") || strings.HasPrefix(name, "index.") && ofArticle.MatchString(path) {
		return false
	}
	return len(name) <= maxColumnName && strings.Count(name, "-")+strings.Count(name, "_") < minSlug && filelink.TypeOfName(name) == ""
}
