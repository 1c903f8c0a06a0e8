package feed

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"dibao/policy"
	"dibao/templates"
)

// ArticleURL returns the address of an article's page on this site; base has no trailing
// slash.
func ArticleURL(base string, id int64) string { return fmt.Sprintf("%s/articles/%d", base, id) }

// Path returns the path of the document's page: by its number, or else by our own id.
func (d Document) Path() string {
	if d.Number != "" {
		return "/documents/" + url.PathEscape(d.Number)
	}
	return "/documents/" + strconv.FormatInt(d.ID, 10)
}

// ItemView returns an article as pages and emails show it.
func ItemView(a Article, base string) templates.Item {
	f := a.Facts
	v := templates.Item{
		Title: a.Title(), URL: ArticleURL(base, a.ID), SourceURL: a.URL, Source: a.SourceName, Kind: string(f.Kind),
		Issuers: strings.Join(f.Issuers, "、"), Number: f.DocumentNumber, Author: f.Author, Summary: f.Summary,
	}
	if v.Author == "" {
		v.Author = f.AuthorOffice
	}
	for _, d := range []struct {
		key, from string
		on        policy.Date
	}{
		{"published", f.PublishedFrom, f.PublishedOn},
		{"issued", f.IssuedFrom, f.IssuedOn},
		{"effective", f.EffectiveFrom, f.EffectiveOn},
		{"expires", f.ExpiresFrom, f.ExpiresOn},
		{"deadline", f.DeadlineFrom, f.DeadlineOn},
	} {
		if !d.on.IsZero() {
			v.Dates = append(v.Dates, templates.DateFact{Key: d.key, Date: d.on.String(), Provenance: d.from})
		}
	}
	return v
}

// Location returns the time zone of the article's source, if it is known.
func (a Article) Location() *time.Location {
	if loc, err := time.LoadLocation(a.Evidence.Zone); err == nil && a.Evidence.Zone != "" {
		return loc
	}
	return time.FixedZone("CST", 8*60*60)
}
