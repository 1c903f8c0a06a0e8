// Package ingest turns the bytes of a feed, a list page or an article page into items. Each
// kind of source has one [Reader]; all are in the table [Kinds].
//
// Input is what internal/fetch fetched; output text is UTF-8, HTML is
// sanitized, addresses are absolute. A reader reports its findings as
// [policy.Evidence] and leaves judgments to package policy. It does not use the
// database and makes no requests.
package ingest

import (
	"fmt"
	"regexp"
	"time"

	"dibao/feed/ingest/decode"
	"dibao/policy/warn"

	"github.com/andybalholm/cascadia"

	"dibao/policy"
)

// Page is the result of a fetch: the bytes as served, after content decoding.
type Page struct {
	URL         string // final address, after redirects
	ContentType string // header value, "" if none
	Body        []byte
	FetchedAt   time.Time // the time from which 昨天 and 11-27 are counted; zero means that such dates are unknown
}

// Source contains what a reader needs to know about a source.
type Source struct {
	URL      string
	Name     string
	Zone     string // IANA name; "" is Asia/Shanghai
	Issuer   string // the organization that runs it; "" if unknown
	Region   string // GB/T 2260 code; "" if unknown
	Settings Settings
}

// Settings are the selectors of a page source; all are optional CSS selectors. They are
// stored with the source as JSON. With the zero value the reader finds everything by
// structure.
type Settings struct {
	Item        string `json:"item,omitempty"`         // selector of a row of the list
	Link        string `json:"link,omitempty"`         // selector within the row; default: its first a[href]
	Title       string `json:"title,omitempty"`        // selector within the row; default: the link's text
	Date        string `json:"date,omitempty"`         // selector within the row; default: the first date in its text
	DatePattern string `json:"date_pattern,omitempty"` // RE2 with one group, applied to the text of the date
	Content     string `json:"content,omitempty"`      // container of the text on the article's page
	Charset     string `json:"charset,omitempty"`      // overrides everything that states a character set
	Pages       int    `json:"pages,omitempty"`        // number of pages of the list to read for a new source; 0 means 1
	Render      bool   `json:"render,omitempty"`       // a browser renders the page before it is read
}

// Check returns an error if, for a source of this kind, a selector or name is invalid.
func (s Settings) Check(kind string) error {
	if kind != "json" { // settings of JSON sources are paths
		if _, err := newRowReader(Source{Settings: s}, nil); err != nil {
			return err
		}
	}
	if _, err := cascadia.ParseGroup(s.Content); s.Content != "" && err != nil {
		return fmt.Errorf("content selector %q of the source is not a CSS selector; write one such as div.content", s.Content)
	}
	if s.DatePattern != "" {
		if _, err := regexp.Compile(s.DatePattern); err != nil {
			return fmt.Errorf("date pattern of the source: %w", err)
		}
	}
	if e, _ := decode.Lookup(s.Charset); s.Charset != "" && e == nil {
		return fmt.Errorf("character set %q of the source is unknown; use a name such as gb18030", s.Charset)
	}
	return nil
}

// Item is what a source says about one article, before or after the article's own page was
// read.
type Item struct {
	GUID        string // stable identity within the source; the URL if the source gives none
	URL         string // absolute address of the article
	Title       string // as the list or feed gives it, with whitespace collapsed
	HTML        string // sanitized content, "" if the source gives none
	Attachments []Attachment
	Evidence    policy.Evidence
	DateFrom    string         // what stated the date of a list's row: a label, a column, an element; "" if nothing did
	AddressDate policy.Date    // the date in the address, if the list prints no dates
	NeedsPage   bool           // the text is on the article's own page: fetch URL, then call ReadArticle
	Warnings    []warn.Warning // anything unusual

	// Frame is the address of a frame of the same site that the page shows instead of a
	// text; "" if the page has a text. Fetch it and call ReadFrame.
	Frame string
}

// Attachment is a file or medium that belongs to an article.
type Attachment struct {
	URL   string `json:"url"`
	Title string `json:"title,omitempty"`
	Type  string `json:"type,omitempty"`   // media type, "" if unknown
	Bytes int64  `json:"length,omitempty"` // 0 if unknown
}

// Reader turns the bytes at a source's address into items, newest first if the source
// orders them so. It must not keep or change the Page. It returns an error only if nothing
// can be read; anything unusual but readable is a warning on the item.
type Reader interface {
	Read(Page, Source) ([]Item, error)
}
