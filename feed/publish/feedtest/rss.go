package feedtest

import (
	"net/mail"
	"regexp"
	"strings"
	"time"
)

var rssChannelElements = "title link description language copyright managingEditor webMaster pubDate lastBuildDate category generator docs cloud ttl image rating textInput skipHours skipDays item atom:link dc:creator dc:date fh:archive"
var rssItemElements = "title link description author category comments enclosure guid pubDate source content:encoded dc:creator dc:date atom:link"

func (v *validator) rss(root *element) {
	channel := root.first("channel")
	if root.name.Local != "rss" || root.attr["version"] != "2.0" || channel == nil {
		v.add("rss.root", "the document is not a <rss version=\"2.0\"> with a <channel>")
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
	v.notHTML("rss.channel.title", channel.value("title"))
	v.notHTML("rss.channel.description", channel.value("description"))
	v.history(channel)
	if l := channel.first("language"); l != nil && !languageTag.MatchString(l.text) {
		v.add("rss.language", "%q is not a language", l.text)
	}
	v.rssDate("rss.lastBuildDate", channel.first("lastBuildDate"))
	self := ""
	for _, l := range channel.all("atom:link") {
		if l.attr["rel"] == "self" {
			self = l.attr["href"]
		}
		v.absolute("rss.atomlink", l.attr["href"])
		v.linkType(l)
	}
	v.isSelf(self)
	guids := make(map[string]bool)
	for _, item := range channel.all("item") {
		v.rssItem(item, guids)
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
	v.notHTML("rss.item.title", item.value("title"))
	v.rssDate("rss.pubDate", item.first("pubDate"))
	if item.first("pubDate") != nil && item.first("dc:date") != nil || item.first("author") != nil && item.first("dc:creator") != nil {
		v.add("rss.item.semantics", "an item says one thing in two ways")
	}
	for _, c := range item.all("category") {
		v.notHTML("rss.category", c.text)
	}
	if a := item.first("author"); a != nil {
		if _, err := mail.ParseAddress(a.text); err != nil {
			v.add("rss.author", "<author> %q is not a mail address; names belong in dc:creator", a.text)
		}
	}
	if e := item.first("enclosure"); e != nil {
		v.absolute("rss.enclosure.url", e.attr["url"])
		if !regexp.MustCompile(`^\d+$`).MatchString(e.attr["length"]) || !mediaType.MatchString(e.attr["type"]) {
			v.add("rss.enclosure", "an enclosure has length %q and type %q", e.attr["length"], e.attr["type"])
		}
	}
	if s := item.first("source"); s != nil {
		v.absolute("rss.source.url", s.attr["url"])
		v.notHTML("rss.source", s.text)
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
			v.plausible(rule, t)
			return
		}
	}
	v.add(rule, "%q is not a date of RFC 822 with a weekday that fits", e.text)
}
