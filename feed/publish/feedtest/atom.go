package feedtest

import (
	"strings"
	"time"
)

const (
	atomFeedElements  = "atom:author atom:category atom:contributor atom:generator atom:icon atom:id atom:link atom:logo atom:rights atom:subtitle atom:title atom:updated atom:entry fh:archive at:deleted-entry"
	atomEntryElements = "atom:author atom:category atom:content atom:contributor atom:id atom:link atom:published atom:rights atom:source atom:summary atom:title atom:updated"
)

func (v *validator) atom(root *element) {
	if qualified(root.name) != "atom:feed" {
		v.add("atom.root", "the document is not an atom:feed")
		return
	}
	v.known(root, atomFeedElements)
	v.once(root, "atom:id", "atom:title", "atom:updated", "atom:subtitle", "atom:generator")
	v.atomCommon(root, "feed")
	v.history(root)
	v.tombstones(root)
	self, alternate := "", 0
	for _, l := range root.all("atom:link") {
		switch l.attr["rel"] {
		case "self":
			self = l.attr["href"]
		case "alternate", "":
			alternate++
		}
		v.absolute("atom.link", l.attr["href"])
		v.linkType(l)
	}
	v.isSelf(self)
	if alternate != 1 {
		v.add("atom.alternate", "the feed has %d alternate links", alternate)
	}
	if lang := root.attr["lang"]; lang != "" && !languageTag.MatchString(lang) {
		v.add("atom.language", "%q is not a language", lang)
	}
	feedAuthor := root.first("atom:author") != nil
	ids, updated := make(map[string]bool), make(map[string]bool)
	for _, e := range root.all("atom:entry") {
		v.atomEntry(e, feedAuthor)
		if at := e.value("atom:updated"); updated[at] {
			v.add("atom.updated.duplicate", "two entries were updated at %s", at)
		} else {
			updated[at] = true
		}
		id := e.value("atom:id")
		if ids[id] {
			v.add("atom.id.duplicate", "the id %q stands twice", id)
		}
		ids[id] = true
	}
}

// tombstones checks the elements for removed entries (RFC 6721).
func (v *validator) tombstones(root *element) {
	for _, d := range root.all("at:deleted-entry") {
		v.id("atom.deleted.ref", d.attr["ref"])
		v.atomDate(&element{text: d.attr["when"]})
		for _, e := range root.all("atom:entry") {
			if e.value("atom:id") == d.attr["ref"] {
				v.add("atom.deleted.present", "the entry %s is there and gone at once", d.attr["ref"])
			}
		}
	}
}

func (v *validator) atomCommon(e *element, what string) {
	for _, name := range []string{"atom:id", "atom:title", "atom:updated"} {
		if e.value(name) == "" {
			v.add("atom."+what+"."+name, "a %s has no %s", what, name)
		}
	}
	if id := e.value("atom:id"); id != "" {
		v.id("atom.id", id)
	}
	for _, name := range []string{"atom:title", "atom:subtitle", "atom:summary", "atom:rights"} {
		if t := e.first(name); t != nil && (t.attr["type"] == "" || t.attr["type"] == "text") {
			v.notHTML("atom."+strings.TrimPrefix(name, "atom:"), t.text)
			if strings.TrimSpace(t.text) == "" {
				v.add("atom.blank", "a %s has an empty %s", what, name)
			}
		}
	}
	v.atomDate(e.first("atom:updated"))
	for _, a := range e.all("atom:author") {
		if a.value("atom:name") == "" {
			v.add("atom.author", "an author has no name")
		}
		v.notHTML("atom.author", a.value("atom:name"))
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
		v.linkType(l)
		if l.attr["rel"] == "enclosure" && !strings.Contains(l.attr["type"], "/") {
			v.add("atom.enclosure", "an enclosure has type %q", l.attr["type"])
		}
	}
	content := e.first("atom:content")
	if content == nil && !alternate {
		v.add("atom.content.missing", "an entry has neither content nor an alternate link")
	}
	if content == nil && e.first("atom:summary") == nil {
		v.add("atom.text.missing", "an entry has neither content nor a summary")
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
		v.notHTML("atom.category", c.attr["label"])
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
		v.add("atom.date", "%q is not a date of RFC 3339", e.text)
		return
	}
	v.plausible("atom.date", t)
}
