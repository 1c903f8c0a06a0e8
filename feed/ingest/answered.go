package ingest

import (
	"dibao/feed/ingest/answer"
	"dibao/feed/ingest/decode"
	"dibao/feed/ingest/list"
)

// Answered classifies a page with this status.
func Answered(p Page, status int, charset string) answer.Answer {
	text, _ := decode.Text(p.Body, p.ContentType, charset)
	return answer.Read(p.URL, status, text)
}

// NoList is the error for a page without a list of articles: it says what the page is, or
// which selector of the source found none, and what can help.
func NoList(p Page, set Settings) *answer.Error {
	a := Answered(p, 200, set.Charset)
	a.FindEndpoints()
	return &answer.Error{Answer: a, URL: p.URL, Item: set.Item}
}

// HasDates reports whether a row of the list has a date: a menu has none.
func (l List) HasDates() bool {
	for _, it := range l.Items {
		if it.Evidence.ListDate != "" || it.Evidence.FeedPublished != nil || !it.AddressDate.IsZero() {
			return true
		}
	}
	return false
}

// Menu returns a row of the menu that was found in place of a list, "" for none.
func (l List) Menu() string {
	for _, d := range l.Dropped {
		if d.Code == list.MenuOnly {
			return d.Example
		}
	}
	return ""
}
