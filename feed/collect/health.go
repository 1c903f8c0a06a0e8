package collect

import (
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"strings"
	"time"

	"dibao/feed"
	"dibao/feed/ingest"
	"dibao/feed/ingest/answer"
	"dibao/feed/ingest/decode"
	"dibao/internal/fetch"
	"dibao/internal/markup"
)

// These distinguish a healthy source from one that only seems healthy.
const (
	suspectFrom   = 10                   // usual number of items of a list from which a much shorter list is suspect
	suspectShare  = 4                    // a list is suspect with less than a quarter of them
	movesToFollow = 3                    // permanent redirects in a row after which the new address replaces the old one
	quietAfter    = 180 * 24 * time.Hour // period without a new article
)

// titleStart is the length of the part of a title that distinguishes articles, in
// characters.
const titleStart = 8

// showsTitle reports whether the text of a page contains the title under which
// it is listed.
func showsTitle(p ingest.Page, charset, listed string) bool {
	start := []rune(strings.Join(strings.Fields(listed), ""))
	if len(start) < titleStart {
		return false
	}
	text, _ := decode.Text(p.Body, p.ContentType, charset)
	var shown strings.Builder
	for _, line := range markup.Lines(text) {
		for word := range strings.FieldsSeq(line) {
			shown.WriteString(word)
		}
	}
	return strings.Contains(shown.String(), string(start[:titleStart]))
}

// shrunkError says that a list is far shorter than it used to be.
type shrunkError struct{ have, usual int }

func (e *shrunkError) Error() string {
	return fmt.Sprintf("the list has %d items where it usually has %d; its items were stored; look at the page and set the selectors", e.have, e.usual)
}

// stateAfter returns the state of a source after an error.
func stateAfter(err error) feed.State {
	var answered *answer.Error
	var status *fetch.StatusError
	var suspect *shrunkError
	switch {
	case errors.As(err, &answered) && answered.Kind == answer.Wall:
		return feed.StateBlocked
	case errors.As(err, &answered) && answered.Kind != answer.ErrorPage, errors.As(err, &suspect):
		return feed.StateChanged
	case errors.As(err, &status) && status.Status == http.StatusGone:
		return feed.StateGone
	}
	return feed.StateFailing
}

// noteItems compares the number of items in a list with the usual number. The usual number
// follows a shrinking list slowly, so that a redesigned site is reported until an admin looks
// at it, or for about ten collections.
func noteItems(src *feed.Source, items int) error {
	usual := src.UsualItems
	src.UsualItems = max(items, usual-max(1, usual/10))
	if usual >= suspectFrom && items*suspectShare < usual {
		return &shrunkError{items, usual}
	}
	return nil
}

// noteMove follows a permanent redirect after it was seen three times in a row:
// a single one may be a mistake (RFC 9110 §15.4.2).
func noteMove(src *feed.Source, resp *fetch.Response) (moved bool) {
	if !resp.Permanent || resp.URL == src.URL {
		src.MovedTo, src.Moves = "", 0
		return false
	}
	if resp.URL != src.MovedTo {
		src.MovedTo, src.Moves = resp.URL, 0
	}
	src.Moves++
	return src.Moves >= movesToFollow
}

// spread shifts a source's next collection by up to a tenth of its interval,
// depending on its address, so that sources that were added together don't all
// start at once.
func spread(src feed.Source, interval time.Duration) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(src.URL))
	return interval + interval/10*time.Duration(h.Sum32()%1000)/1000
}
