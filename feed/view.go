package feed

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dibao/policy"
	"dibao/templates"
)

// ArticleURL returns our page of an article; base has no slash at its end.
func ArticleURL(base string, id int64) string { return fmt.Sprintf("%s/articles/%d", base, id) }

// ItemView fills what pages and mails show of an article.
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

// zone is the time zone of the article's source, as far as it is known.
func (a Article) zone() *time.Location {
	if loc, err := time.LoadLocation(a.Evidence.Zone); err == nil && a.Evidence.Zone != "" {
		return loc
	}
	return time.FixedZone("CST", 8*60*60)
}

// changes fills what the article's page shows of its revisions, the newest first.
func (a Article) changes(revisions []Revision) []templates.TextChange {
	var all []templates.TextChange
	next := Revision{Title: a.Title(), Paragraphs: a.Facts.Paragraphs}
	for _, r := range slices.Backward(revisions) {
		change := templates.TextChange{Seen: r.ReplacedAt.In(a.zone()).Format(time.DateOnly)}
		change.Paragraphs = ChangedParagraphs(policy.Diff(append([]string{r.Title}, r.Paragraphs...), append([]string{next.Title}, next.Paragraphs...)))
		all = append(all, change)
		next = r
	}
	return all
}

// ChangedParagraphs fills what a page shows of a comparison: all but what stayed.
func ChangedParagraphs(changes []policy.Change) []templates.ChangedParagraph {
	var all []templates.ChangedParagraph
	for _, c := range changes {
		p := templates.ChangedParagraph{Article: c.Article}
		switch c.Op {
		case policy.Kept:
			continue
		case policy.Removed:
			p.Pieces = []templates.ChangedPiece{{Op: "-", Text: c.Old}}
		case policy.Added:
			p.Pieces = []templates.ChangedPiece{{Op: "+", Text: c.New}}
		default:
			for _, s := range c.Spans {
				p.Pieces = append(p.Pieces, templates.ChangedPiece{Op: strings.TrimSpace(string(s.Op)), Text: s.Text})
			}
		}
		all = append(all, p)
	}
	return all
}
