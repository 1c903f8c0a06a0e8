// Package feedtest checks feeds by the rules that the public feed validator applies: RFC
// 4287 for Atom, the RSS 2.0 specification with the RSS Advisory Board's profile, and JSON
// Feed 1.1. It is used only in tests.
package feedtest

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// Problem is a rule that a feed breaks. Warnings are remarks of the public validator that
// do not make a feed invalid; our feeds must not have these, either.
type Problem struct {
	Rule    string // such as "rss.guid.missing"
	Message string
}

// Validate checks a feed in the format rss, atom or json with the address self.
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

// element is an XML element.
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
	nsAtom       = "http://www.w3.org/2005/Atom"
	nsContent    = "http://purl.org/rss/1.0/modules/content/"
	nsDC         = "http://purl.org/dc/elements/1.1/"
	nsHistory    = "http://purl.org/syndication/history/1.0"
	nsTombstones = "http://purl.org/atompub/tombstones/1.0"
)

// qualified returns the name of an element with a short prefix for known namespaces.
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
	case nsHistory:
		return "fh:" + n.Local
	case nsTombstones:
		return "at:" + n.Local
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
			if strings.ContainsFunc(string(t), isBadCharacter) {
				v.add("characters.bad", "the text holds control characters, or the sign that stands for a lost one")
			}
		}
	}
	return root
}

// isBadCharacter reports whether a character is a C1 control, usually Windows-1252 misread
// as Latin-1, or the replacement character of decoders.
func isBadCharacter(r rune) bool { return r >= 0x7F && r <= 0x9F || r == 0xFFFD }

var (
	tagURI      = regexp.MustCompile(`^tag:([a-z0-9._-]+@)?[a-z0-9.-]+,\d{4}(-\d{2}(-\d{2})?)?:[0-9a-zA-Z;/?:@&=+$.\-_!~*'()%,]*$`)
	plainURI    = regexp.MustCompile(`^[a-zA-Z][0-9a-zA-Z+.-]*:[0-9a-zA-Z;/?:@&=+$.\-_!~*'()%,#\[\]]+$`)
	badEscape   = regexp.MustCompile(`%([^0-9A-Fa-f]|[0-9A-Fa-f][^0-9A-Fa-f]|.?$)`)
	lowerEscape = regexp.MustCompile(`%([a-f].|.[a-f])`)
	htmlEnd     = regexp.MustCompile(`</\w+>`)
	htmlStart   = regexp.MustCompile(`(?i)<(script|meta|embed|object)[>\s]`)
	htmlEntity  = regexp.MustCompile(`&(#\w+|\w+);`)
	mediaType   = regexp.MustCompile(`^[^\s()<>,;:\\"/\[\]?=]+/[^\s()<>,;:\\"/\[\]?=]+(;.*)?$`)
)

// notHTML checks that text, such as a title, does not look like HTML.
func (v *validator) notHTML(rule, text string) {
	if htmlEnd.MatchString(text) || htmlStart.MatchString(text) || htmlEntity.MatchString(text) {
		v.add(rule+".html", "%.60q looks like HTML", text)
	}
}

// id checks an identifier: a tag URI by RFC 4151, canonical by RFC 3986 §6.
func (v *validator) id(rule, id string) {
	v.absolute(rule, id)
	if strings.HasPrefix(id, "tag:") && !tagURI.MatchString(id) {
		v.add(rule+".tag", "%q is not a tag URI", id)
	}
	if lowerEscape.MatchString(id) || badEscape.MatchString(id) {
		v.add(rule+".canonical", "%q is not in canonical form", id)
	}
}

// plausible checks an instant: not before feeds existed, not in the future.
func (v *validator) plausible(rule string, t time.Time) {
	if t.Year() < 1990 || t.After(time.Now().Add(3*time.Hour)) {
		v.add(rule+".implausible", "%s can hardly be", t)
	}
}

// history checks the links between the documents of a feed (RFC 5005).
func (v *validator) history(e *element) {
	if e.first("fh:archive") == nil {
		return
	}
	rels := make(map[string]bool)
	for _, l := range e.all("atom:link") {
		rels[l.attr["rel"]] = true
	}
	if !rels["current"] {
		v.add("archive.current", "an archive document does not say which feed it is of")
	}
	if !rels["prev-archive"] && !rels["next-archive"] {
		v.add("archive.alone", "an archive document leads to no other")
	}
}

var languageTag = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

func (v *validator) absolute(rule, address string) {
	u, err := url.Parse(address)
	if err != nil || !u.IsAbs() || (u.Scheme == "http" || u.Scheme == "https") && u.Host == "" || !plainURI.MatchString(address) || badEscape.MatchString(address) {
		v.add(rule, "%q is not an absolute address in ASCII", address)
	}
}

func (v *validator) once(e *element, names ...string) {
	for _, n := range names {
		if count := len(e.all(n)); count > 1 {
			v.add("element.duplicate", "<%s> has %d <%s>", e.name.Local, count, n)
		}
	}
}

func (v *validator) known(e *element, names string) {
	for _, c := range e.children {
		if !strings.Contains(" "+names+" ", " "+qualified(c.name)+" ") {
			v.add("element.unknown", "<%s> has the unknown <%s>", e.name.Local, qualified(c.name))
		}
	}
}

func (v *validator) linkType(l *element) {
	if t := l.attr["type"]; t != "" && !mediaType.MatchString(t) {
		v.add("link.type", "%q is not a media type", t)
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

// markup checks HTML in a feed as the validator does: nothing that runs, no styles, no
// relative addresses.
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
