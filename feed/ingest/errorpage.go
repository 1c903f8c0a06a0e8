package ingest

import (
	"errors"
	"fmt"
	"strings"

	"dibao/feed/ingest/answer"
)

// The maximum number of characters of running text on an error page, without and with an
// article's head.
const (
	maxErrorText = 400
	errorHead    = 12 // first lines of a page that are searched for the words of an error page
)

// errNoArticle is the error for a page that exists but is not an article.
type errNoArticle struct{ says string }

func (e *errNoArticle) Error() string {
	return fmt.Sprintf("the page is not an article: it says %q", e.says)
}

var errShell = errors.New("the page is an empty shell: a script renders its text in the browser")

// errorPage returns an error if the page is a system message instead of an article,
// whatever its status. A page with the headline from the list, or with labels for date and
// source, is an article.
func (v *view) errorPage(title, listed string) error {
	var text []string
	prose := 0
	for _, l := range v.lines {
		if l.aside != elsewhere {
			text = append(text, l.text)
			prose += l.prose
		}
	}
	all := strings.Join(text, "\n")
	if traces := answer.StackTrace.FindAllString(clip(all, 20000), 4); len(traces) >= 2 || len(traces) == 1 && prose < maxErrorText {
		return &errNoArticle{clip(collapse(traces[0]), 60)}
	}
	if prose > maxErrorText || listed != "" && strings.Contains(letters(all), letters(listed)) {
		return nil
	}
	found := answer.FaultText.FindString(title)
	for _, line := range text[:min(len(text), errorHead)] {
		if found == "" && runes(line) <= 200 {
			found = answer.FaultText.FindString(line)
		}
	}
	if found == "" {
		return nil
	}
	for _, l := range v.lines {
		if len(headerLabels(l)) > 0 && l.aside != elsewhere {
			return nil
		}
	}
	return &errNoArticle{found}
}
