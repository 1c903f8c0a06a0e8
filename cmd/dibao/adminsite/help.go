package adminsite

import (
	"cmp"
	"context"
	"html/template"
	"net/http"
	"path"
	"strconv"
	"strings"
	"unicode"

	"dibao/docs"
	"dibao/feed"
	"dibao/templates"
)

// help shows the handbook or a reference page.
func (s *Site) help(_ context.Context, r *http.Request, p templates.AdminPage) (page, error) {
	name := r.PathValue("page")
	source := docs.HandbookEN
	if p.Language == "zh" {
		source = docs.HandbookZH
	}
	if name != "" {
		var ok bool
		if source, ok = docs.Reference(name, p.Language); !ok {
			return nil, feed.ErrNotFound
		}
	}
	out := templates.AdminHelp{AdminPage: p, Handbook: name == ""}
	out.Section = "help"
	suffix := ""
	if p.Chosen {
		suffix = "?lang=" + p.Language
	}
	out.Title, out.Contents, out.Text = helpPage(source, name == "", suffix)
	return out, nil
}

// helpPage renders a page: its title, its second-level headings and its text without the title.
// Numbered headings have ids that are the same in both languages; links to
// other pages end in suffix.
func helpPage(source string, numbered bool, suffix string) (title string, contents []templates.FeedLink, body template.HTML) {
	section, used := 0, make(map[string]int)
	m := &markdown{
		heading: func(level int, text string) string {
			if level == 1 {
				title = text // the page template writes it
				return ""
			}
			id := headingID(text)
			if used[id]++; used[id] > 1 {
				id += "-" + strconv.Itoa(used[id]-1)
			}
			if level == 2 {
				if section++; numbered {
					id = "s" + strconv.Itoa(section)
				}
				contents = append(contents, templates.FeedLink{Title: text, URL: "#" + id})
			}
			return id
		},
		link: func(address string) string {
			file, ok := strings.CutSuffix(address, ".md") // in this folder
			if !ok {
				return address
			}
			name, _, _ := strings.Cut(path.Base(file), ".")
			return "/help/" + name + suffix
		},
	}
	m.blocks(strings.Split(source, "\n"), false)
	return title, contents, template.HTML(m.String()) // our own text, without HTML of its own
}

// headingID returns the lowercase letters and digits of a heading, joined by hyphens.
func headingID(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return cmp.Or(strings.Join(words, "-"), "section")
}
