// Package publish writes a [Feed] as RSS 2.0, Atom 1.0 or JSON Feed 1.1, valid
// by the rules of the public feed validator. gorilla/feeds builds the core;
// this package adds what validity and readers need.
//
// Input is UTF-8 text and sanitized HTML with absolute addresses; output is UTF-8. The
// package does not depend on where articles come from or on HTTP routing. Sources: RFC
// 4287, RFC 5005, RFC 6721, the RSS 2.0 specification of the RSS Advisory Board,
// jsonfeed.org/version/1.1, and for calendars RFC 5545 and 7986.
package publish

import (
	"io"
	"time"
)

// Feed is one feed, in any format.
type Feed struct {
	ID          string // tag URI (RFC 4151) that never changes
	Title       string
	Description string
	Link        string // the page with the same content
	Language    string // BCP 47
	Updated     time.Time
	Now         time.Time // when it is written: later dates are invalid; zero means not checked
	Self        string    // address of this document, with the format's suffix
	Hub         string    // WebSub hub, "" if none
	Older       string    // the archive document with the items before these (RFC 5005), "" if none
	Current     string    // for an archive document: the feed that it belongs to; else ""
	Stylesheet  string    // XSL for browsers, "" if none
	Items       []Item
	Removed     []Removal // items that readers should delete; only Atom can express this
}

// Removal is an item that is no longer published (RFC 6721).
type Removal struct {
	ID      string
	At      time.Time
	Comment string
}

// Item is one element of a feed.
type Item struct {
	ID         string // tag URI that never changes
	Link       string
	Title      string
	Summary    string // plain text
	HTML       string // full text, sanitized; "" if only the summary may be published
	Author     string
	Published  time.Time
	Updated    time.Time // when the text last changed; Published if it never did
	Categories []Category
	Enclosures []Enclosure
	Credit     string // name of the article's source
	CreditURL  string
}

// Category is a term in a scheme ("" for none).
type Category struct{ Term, Scheme, Label string }

// Enclosure is an attached file. A Length of 0 means that it is unknown.
type Enclosure struct {
	URL    string
	Type   string
	Length int64
}

// Format is a format of feeds. To add one, add a file and a line in Formats.
type Format struct {
	Name      string // rss, atom, json
	Suffix    string // suffix of the address: .xml, .atom, .json
	MediaType string // Content-Type, with a charset if the type has one
	Write     func(io.Writer, Feed) error
}
