package publish

import (
	"encoding/json"
	"io"
	"time"

	"github.com/gorilla/feeds"
)

// jsonDocument writes items even if there are none: the format requires it.
type jsonDocument struct {
	feeds.JSONFeed
	Items []jsonItem `json:"items"`
}

// jsonItem has the keys that the format requires for attachments; the library uses others.
type jsonItem struct {
	feeds.JSONItem
	Attachments []jsonAttachment `json:"attachments,omitempty"`
}

type jsonAttachment struct {
	URL   string `json:"url"`
	Type  string `json:"mime_type"`
	Bytes int64  `json:"size_in_bytes,omitempty"`
}

func writeJSON(w io.Writer, f Feed) error {
	if err := missing(f); err != nil {
		return err
	}
	f = clean(f)
	doc := jsonDocument{JSONFeed: feeds.JSONFeed{
		Version: "https://jsonfeed.org/version/1.1", Title: f.Title, Language: f.Language,
		HomePageUrl: f.Link, FeedUrl: f.Self, NextUrl: f.Older,
	}, Items: []jsonItem{}}
	if f.Description != f.Title {
		doc.Description = f.Description
	}
	if f.Hub != "" {
		doc.Hubs = []*feeds.JSONHub{{Type: "WebSub", Url: f.Hub}}
	}
	for _, it := range f.Items {
		item := jsonItem{JSONItem: feeds.JSONItem{
			Id: it.ID, Url: it.Link, Title: it.Title, Summary: it.Summary, ContentHTML: it.HTML,
			PublishedDate: jsonTime(it.Published), ModifiedDate: jsonTime(it.Updated),
		}}
		if it.HTML == "" {
			item.ContentText = firstOf(it.Summary, it.Title)
		}
		if it.Author != "" {
			item.Authors = []*feeds.JSONAuthor{{Name: it.Author}}
		}
		for _, c := range it.Categories {
			item.Tags = append(item.Tags, c.Term)
		}
		for _, e := range it.Enclosures {
			item.Attachments = append(item.Attachments, jsonAttachment{e.URL, e.Type, e.Length})
		}
		doc.Items = append(doc.Items, item)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(doc)
}

func jsonTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
