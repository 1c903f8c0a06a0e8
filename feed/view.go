package feed

import (
	"context"
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
func (a Article) changes(ctx context.Context, revisions []Revision) ([]templates.TextChange, error) {
	var all []templates.TextChange
	next := Revision{Title: a.Title(), Paragraphs: a.Facts.Paragraphs}
	for i, r := range slices.Backward(revisions) {
		change := templates.TextChange{TooLong: true}
		if len(revisions)-i <= maxShownRevisions {
			var err error
			change, err = textChange(ctx, append([]string{r.Title}, r.Paragraphs...), append([]string{next.Title}, next.Paragraphs...))
			if err != nil {
				return nil, err
			}
		}
		change.Seen = r.ReplacedAt.In(a.zone()).Format(time.DateOnly)
		all = append(all, change)
		next = r
	}
	return all, nil
}

const (
	// maxShownRevisions bounds the revisions that one page compares.
	maxShownRevisions = 30
	// maxDiff bounds the steps of one comparison that a page shows: about 0.2 s.
	maxDiff = 20 << 20
)

// comparing bounds the comparisons that pages make at the same time.
var comparing = make(chan struct{}, 2)

// textChange compares two texts for a page, or says that they are too long or too
// different for it.
func textChange(ctx context.Context, before, after []string) (templates.TextChange, error) {
	select {
	case comparing <- struct{}{}:
	case <-ctx.Done():
		return templates.TextChange{}, ctx.Err()
	}
	defer func() { <-comparing }()
	changes, ok := policy.DiffWithin(before, after, maxDiff)
	return templates.TextChange{Paragraphs: ChangedParagraphs(changes), TooLong: !ok}, nil
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
