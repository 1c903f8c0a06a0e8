// Package feedtest checks feeds by the rules that the public feed validator
// applies: RFC 4287 for Atom, the RSS 2.0 specification with the RSS Advisory
// Board's profile, and JSON Feed 1.1. It is for tests.
package feedtest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// Problem is a rule that a feed breaks. Warnings are what the public validator
// tells without refusing the feed; we want none of either.
type Problem struct {
	Rule    string // such as "rss.guid.missing"
	Message string
}

// Validate checks a feed in the format rss, atom or json, served at self.
func Validate(format, self string, body []byte) []Problem {
	v := &validator{self: self}
	switch format {
	case "rss":
		if root := v.parse(body); root != nil {
			v.rss(root)
		}
	case "atom":
		if root := v.parse(body); root != nil {
			v.atom(root)
		}
	case "json":
		v.json(body)
	default:
		v.add("format", "unknown format %q", format)
	}
	return v.problems
}

type validator struct {
	self     string
	problems []Problem
}

func (v *validator) add(rule, format string, args ...any) {
	v.problems = append(v.problems, Problem{rule, fmt.Sprintf(format, args...)})
}

// element is a node of XML.
type element struct {
	name     xml.Name
	attr     map[string]string
	text     string
	children []*element
}

func (e *element) all(name string) (found []*element) {
	for _, c := range e.children {
		if qualified(c.name) == name {
			found = append(found, c)
		}
	}
	return found
}

func (e *element) first(name string) *element {
	if all := e.all(name); len(all) > 0 {
		return all[0]
	}
	return nil
}

func (e *element) value(name string) string {
	if c := e.first(name); c != nil {
		return strings.TrimSpace(c.text)
	}
	return ""
}

const (
	nsAtom    = "http://www.w3.org/2005/Atom"
	nsContent = "http://purl.org/rss/1.0/modules/content/"
	nsDC      = "http://purl.org/dc/elements/1.1/"
)

// qualified names an element with a short prefix for the spaces we know.
func qualified(n xml.Name) string {
	switch n.Space {
	case "":
		return n.Local
	case nsAtom:
		return "atom:" + n.Local
	case nsContent:
		return "content:" + n.Local
	case nsDC:
		return "dc:" + n.Local
	}
	return "{" + n.Space + "}" + n.Local
}

func (v *validator) parse(body []byte) *element {
	if !bytes.HasPrefix(body, []byte("<?xml")) {
		v.add("xml.declaration", "the document has no XML declaration")
	}
	d := xml.NewDecoder(bytes.NewReader(body))
	var stack []*element
	var root *element
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			v.add("xml.wellformed", "%v", err)
			return nil
		}
		switch t := token.(type) {
		case xml.StartElement:
			e := &element{name: t.Name, attr: make(map[string]string)}
			for _, a := range t.Attr {
				e.attr[a.Name.Local] = a.Value
			}
			if len(stack) > 0 {
				parent := stack[len(stack)-1]
				parent.children = append(parent.children, e)
			} else {
				root = e
			}
			stack = append(stack, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 0 {
				stack[len(stack)-1].text += string(t)
			}
		}
	}
	return root
}

var languageTag = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

func (v *validator) absolute(rule, address string) {
	u, err := url.Parse(address)
	if err != nil || !u.IsAbs() || (u.Scheme == "http" || u.Scheme == "https") && u.Host == "" || strings.ContainsAny(address, " \t\n") {
		v.add(rule, "%q is no absolute address", address)
	}
}

func (v *validator) once(e *element, names ...string) {
	for _, n := range names {
		if count := len(e.all(n)); count > 1 {
			v.add("element.duplicate", "<%s> has %d <%s>", e.name.Local, count, n)
		}
	}
}

var rssChannelElements = "title link description language copyright managingEditor webMaster pubDate lastBuildDate category generator docs cloud ttl image rating textInput skipHours skipDays item atom:link dc:creator dc:date"
var rssItemElements = "title link description author category comments enclosure guid pubDate source content:encoded dc:creator dc:date atom:link"

func (v *validator) known(e *element, names string) {
	for _, c := range e.children {
		if !strings.Contains(" "+names+" ", " "+qualified(c.name)+" ") {
			v.add("element.unknown", "<%s> has the unknown <%s>", e.name.Local, qualified(c.name))
		}
	}
}

func (v *validator) rss(root *element) {
	channel := root.first("channel")
	if root.name.Local != "rss" || root.attr["version"] != "2.0" || channel == nil {
		v.add("rss.root", "the document is no <rss version=\"2.0\"> with a <channel>")
		return
	}
	v.known(channel, rssChannelElements)
	v.once(channel, "title", "link", "description", "language", "lastBuildDate", "pubDate", "generator", "docs", "ttl")
	for _, name := range []string{"title", "link", "description"} {
		if channel.value(name) == "" {
			v.add("rss.channel."+name, "the channel has no %s", name)
		}
	}
	v.absolute("rss.channel.link", channel.value("link"))
	if l := channel.first("language"); l != nil && !languageTag.MatchString(l.text) {
		v.add("rss.language", "%q is no language", l.text)
	}
	v.rssDate("rss.lastBuildDate", channel.first("lastBuildDate"))
	self := ""
	for _, l := range channel.all("atom:link") {
		if l.attr["rel"] == "self" {
			self = l.attr["href"]
		}
		v.absolute("rss.atomlink", l.attr["href"])
	}
	v.isSelf(self)
	guids := make(map[string]bool)
	for _, item := range channel.all("item") {
		v.rssItem(item, guids)
	}
}

func (v *validator) isSelf(self string) {
	switch {
	case self == "":
		v.add("self.missing", "the feed does not say where it is (atom:link rel=self)")
	case self != v.self:
		v.add("self.mismatch", "the feed says it is at %s, it was served at %s", self, v.self)
	}
}

func (v *validator) rssItem(item *element, guids map[string]bool) {
	v.known(item, rssItemElements)
	v.once(item, "title", "link", "description", "guid", "pubDate", "enclosure", "source", "content:encoded")
	if item.value("title") == "" && item.value("description") == "" {
		v.add("rss.item.empty", "an item has neither title nor description")
	}
	guid := item.first("guid")
	switch {
	case guid == nil || strings.TrimSpace(guid.text) == "":
		v.add("rss.guid.missing", "an item has no guid")
	case guids[guid.text]:
		v.add("rss.guid.duplicate", "the guid %q stands twice", guid.text)
	case guid.attr["isPermaLink"] != "false":
		v.absolute("rss.guid.permalink", guid.text)
	}
	if guid != nil {
		guids[guid.text] = true
	}
	if l := item.first("link"); l != nil {
		v.absolute("rss.item.link", strings.TrimSpace(l.text))
	}
	v.rssDate("rss.pubDate", item.first("pubDate"))
	if a := item.first("author"); a != nil {
		if _, err := mail.ParseAddress(a.text); err != nil {
			v.add("rss.author", "<author> %q is no mail address; names belong in dc:creator", a.text)
		}
	}
	if e := item.first("enclosure"); e != nil {
		v.absolute("rss.enclosure.url", e.attr["url"])
		if !regexp.MustCompile(`^\d+$`).MatchString(e.attr["length"]) || !strings.Contains(e.attr["type"], "/") {
			v.add("rss.enclosure", "an enclosure has length %q and type %q", e.attr["length"], e.attr["type"])
		}
	}
	if s := item.first("source"); s != nil {
		v.absolute("rss.source.url", s.attr["url"])
	}
	v.markup("rss.content", item.value("content:encoded"))
	if d := item.value("description"); strings.Contains(d, "<script") {
		v.add("rss.description", "the description holds a script")
	}
}

func (v *validator) rssDate(rule string, e *element) {
	if e == nil {
		return
	}
	for _, form := range []string{"Mon, 02 Jan 2006 15:04:05 -0700", "Mon, 02 Jan 2006 15:04:05 MST"} {
		if t, err := time.Parse(form, e.text); err == nil && t.Year() >= 1000 {
			return
		}
	}
	v.add(rule, "%q is no date of RFC 822 with a weekday that fits", e.text)
}

// markup checks HTML in a feed as the validator does: nothing that runs, no
// styles, no relative addresses.
func (v *validator) markup(rule, text string) {
	if text == "" {
		return
	}
	z := html.NewTokenizer(strings.NewReader(text))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			switch t.Data {
			case "script", "iframe", "object", "embed", "style", "form", "input", "meta", "link", "base", "frame":
				v.add(rule+".tag", "the content holds <%s>", t.Data)
			}
			for _, a := range t.Attr {
				switch {
				case a.Key == "style" || strings.HasPrefix(a.Key, "on"):
					v.add(rule+".attribute", "the content holds the attribute %s", a.Key)
				case a.Key == "href" || a.Key == "src":
					v.absolute(rule+".relative", a.Val)
				}
			}
		}
	}
}

const (
	atomFeedElements  = "atom:author atom:category atom:contributor atom:generator atom:icon atom:id atom:link atom:logo atom:rights atom:subtitle atom:title atom:updated atom:entry"
	atomEntryElements = "atom:author atom:category atom:content atom:contributor atom:id atom:link atom:published atom:rights atom:source atom:summary atom:title atom:updated"
)

func (v *validator) atom(root *element) {
	if qualified(root.name) != "atom:feed" {
		v.add("atom.root", "the document is no atom:feed")
		return
	}
	v.known(root, atomFeedElements)
	v.once(root, "atom:id", "atom:title", "atom:updated", "atom:subtitle", "atom:generator")
	v.atomCommon(root, "feed")
	self, alternate := "", 0
	for _, l := range root.all("atom:link") {
		switch l.attr["rel"] {
		case "self":
			self = l.attr["href"]
		case "alternate", "":
			alternate++
		}
		v.absolute("atom.link", l.attr["href"])
	}
	v.isSelf(self)
	if alternate != 1 {
		v.add("atom.alternate", "the feed has %d alternate links", alternate)
	}
	if lang := root.attr["lang"]; lang != "" && !languageTag.MatchString(lang) {
		v.add("atom.language", "%q is no language", lang)
	}
	feedAuthor := root.first("atom:author") != nil
	ids := make(map[string]bool)
	for _, e := range root.all("atom:entry") {
		v.atomEntry(e, feedAuthor)
		id := e.value("atom:id")
		if ids[id] {
			v.add("atom.id.duplicate", "the id %q stands twice", id)
		}
		ids[id] = true
	}
}

func (v *validator) atomCommon(e *element, what string) {
	for _, name := range []string{"atom:id", "atom:title", "atom:updated"} {
		if e.value(name) == "" {
			v.add("atom."+what+"."+name, "a %s has no %s", what, name)
		}
	}
	if id := e.value("atom:id"); id != "" {
		v.absolute("atom.id", id)
	}
	v.atomDate(e.first("atom:updated"))
	for _, a := range e.all("atom:author") {
		if a.value("atom:name") == "" {
			v.add("atom.author", "an author has no name")
		}
	}
}

func (v *validator) atomEntry(e *element, feedAuthor bool) {
	v.known(e, atomEntryElements)
	v.once(e, "atom:id", "atom:title", "atom:updated", "atom:published", "atom:summary", "atom:content", "atom:source")
	v.atomCommon(e, "entry")
	v.atomDate(e.first("atom:published"))
	if !feedAuthor && e.first("atom:author") == nil {
		v.add("atom.author.missing", "neither the entry nor the feed has an author")
	}
	alternate := false
	for _, l := range e.all("atom:link") {
		v.absolute("atom.link", l.attr["href"])
		alternate = alternate || l.attr["rel"] == "alternate" || l.attr["rel"] == ""
		if l.attr["rel"] == "enclosure" && !strings.Contains(l.attr["type"], "/") {
			v.add("atom.enclosure", "an enclosure has type %q", l.attr["type"])
		}
	}
	content := e.first("atom:content")
	if content == nil && !alternate {
		v.add("atom.content.missing", "an entry has neither content nor an alternate link")
	}
	if content != nil {
		switch content.attr["type"] {
		case "html":
			v.markup("atom.content", content.text)
		case "text", "":
		default:
			v.add("atom.content.type", "content of type %q", content.attr["type"])
		}
	}
	for _, c := range e.all("atom:category") {
		if c.attr["term"] == "" {
			v.add("atom.category", "a category has no term")
		}
		if s := c.attr["scheme"]; s != "" {
			v.absolute("atom.category.scheme", s)
		}
	}
	if s := e.first("atom:source"); s != nil {
		v.atomCommon(s, "source")
	}
}

func (v *validator) atomDate(e *element) {
	if e == nil {
		return
	}
	t, err := time.Parse(time.RFC3339, strings.TrimSpace(e.text))
	if err != nil || t.Year() < 1000 {
		v.add("atom.date", "%q is no date of RFC 3339", e.text)
	}
}

// jsonFeed is JSON Feed 1.1 as far as it is checked.
type jsonFeed struct {
	Version     string `json:"version"`
	Title       string `json:"title"`
	HomePageURL string `json:"home_page_url"`
	FeedURL     string `json:"feed_url"`
	NextURL     string `json:"next_url"`
	Language    string `json:"language"`
	Items       *[]struct {
		ID            any     `json:"id"`
		URL           string  `json:"url"`
		ContentHTML   *string `json:"content_html"`
		ContentText   *string `json:"content_text"`
		DatePublished *string `json:"date_published"`
		DateModified  *string `json:"date_modified"`
		Attachments   []struct {
			URL      string `json:"url"`
			MimeType string `json:"mime_type"`
		} `json:"attachments"`
	} `json:"items"`
}

func (v *validator) json(body []byte) {
	var f jsonFeed
	if err := json.Unmarshal(body, &f); err != nil {
		v.add("json.syntax", "%v", err)
		return
	}
	if f.Version != "https://jsonfeed.org/version/1.1" {
		v.add("json.version", "version %q", f.Version)
	}
	if f.Title == "" {
		v.add("json.title", "no title")
	}
	v.isSelf(f.FeedURL)
	v.absolute("json.home_page_url", f.HomePageURL)
	if f.Language != "" && !languageTag.MatchString(f.Language) {
		v.add("json.language", "%q is no language", f.Language)
	}
	if f.Items == nil {
		v.add("json.items", "no items; an empty list is needed")
		return
	}
	ids := make(map[string]bool)
	for _, it := range *f.Items {
		id, isText := it.ID.(string)
		switch {
		case !isText || id == "":
			v.add("json.id", "an item has no id")
		case ids[id]:
			v.add("json.id.duplicate", "the id %q stands twice", id)
		}
		ids[id] = true
		if it.ContentHTML == nil && it.ContentText == nil {
			v.add("json.content", "an item has no content")
		}
		if it.ContentHTML != nil {
			v.markup("json.content_html", *it.ContentHTML)
		}
		if it.URL != "" {
			v.absolute("json.url", it.URL)
		}
		for _, d := range []*string{it.DatePublished, it.DateModified} {
			if d != nil {
				v.atomDate(&element{text: *d})
			}
		}
		for _, a := range it.Attachments {
			v.absolute("json.attachment", a.URL)
			if !strings.Contains(a.MimeType, "/") {
				v.add("json.attachment.type", "an attachment has type %q", a.MimeType)
			}
		}
	}
}
