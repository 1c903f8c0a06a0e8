// Package docs contains the handbook for admins and the reference pages, so
// that the program can print and serve them.
package docs

import (
	"embed"
	"io/fs"
	"strings"
)

// HandbookZH and HandbookEN are the handbook in Chinese and in English, in Markdown.
var (
	//go:embed zh/handbook.md
	HandbookZH string
	//go:embed en/handbook.md
	HandbookEN string
)

//go:embed reference/*.md
var reference embed.FS

// Chapters returns the chapters of the handbook.
func Chapters(handbook string) (all []string) {
	for _, chapter := range strings.Split(handbook, "\n## ")[1:] {
		all = append(all, "## "+strings.TrimRight(chapter, "\n")+"\n")
	}
	return all
}

// Reference returns a reference page in Markdown: cli, configuration, json or
// metrics. language is zh, or else en.
func Reference(name, language string) (text string, ok bool) {
	for _, file := range []string{name + "." + language + ".md", name + ".md"} {
		if b, err := fs.ReadFile(reference, "reference/"+file); err == nil {
			_, text, _ = strings.Cut(string(b), "-->\n") // after the comment on how it was generated
			return strings.TrimLeft(text, "\n"), true
		}
	}
	return "", false
}
