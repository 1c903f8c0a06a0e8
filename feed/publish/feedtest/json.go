package feedtest

import (
	"encoding/json"
	"strings"
	"time"
)

// jsonFeed contains the parts of JSON Feed 1.1 that are checked.
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
		v.add("json.language", "%q is not a language", f.Language)
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
			if d == nil {
				continue
			}
			if _, err := time.Parse(time.RFC3339, *d); err != nil {
				v.add("json.date", "%q is not a date of RFC 3339", *d)
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
