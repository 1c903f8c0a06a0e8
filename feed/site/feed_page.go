package site

import (
	"bytes"
	"net/http"
	"strings"
	"time"

	"dibao/feed/publish"
	"dibao/internal/web"
	"dibao/templates"
)

// isOpened reports whether a person opened a feed in a browser. Only browsers say so, and
// not in requests of scripts or feed readers (W3C Fetch Metadata §2.1); Accept does not
// distinguish them, because feed readers also accept text/html.
func isOpened(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Dest") == "document" && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// feedPage shows a feed to a person: what it is, the address to copy, its contents. It is
// at the feed's own address, so that the address bar shows the address to copy, and must
// not be in a shared cache: feed readers must always get the feed.
func (h *Web) feedPage(w http.ResponseWriter, r *http.Request, ask feedRequest, version string) error {
	p := templates.Page{Language: web.Language(r), Chosen: web.LanguageChosen(r), SiteName: h.SiteName, NoIndex: true}
	key := ask.key() + " page " + p.Language
	if p.Chosen {
		key += "!"
	}
	return h.Cache.Serve(w, r, key, version, func() (web.Document, error) {
		doc, _, err := h.fillFeed(r.Context(), ask)
		if err != nil {
			return web.Document{}, err
		}
		p.Title, p.Description, p.Older, p.Feeds = doc.Title, doc.Description, doc.Older, FeedLinks(h.BaseURL, ask.path, doc.Title)
		for i := range p.Feeds {
			p.Feeds[i].URL += ask.query
		}
		view := templates.FeedPage{Page: p, Name: doc.Title, Address: doc.Self, Home: doc.Link, Archive: doc.Current != "", Items: feedItems(doc.Items)}
		if view.Archive {
			view.Address, view.Newest = doc.Current, doc.Current
		}
		var buf bytes.Buffer
		header := http.Header{"Vary": {feedVary + ", Accept, Accept-Language"}, "Cache-Control": {"private, no-cache"}}
		err = view.Render(&buf)
		return web.Document{Body: buf.Bytes(), MediaType: "text/html; charset=utf-8", Modified: doc.Updated, Header: header}, err
	})
}

func feedItems(items []publish.Item) []templates.FeedItem {
	views := make([]templates.FeedItem, len(items))
	for i, it := range items {
		views[i] = templates.FeedItem{Title: it.Title, URL: it.Link, Date: it.Published.Format(time.DateOnly), Author: it.Author, Source: it.Credit, Summary: it.Summary}
	}
	return views
}
