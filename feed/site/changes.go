package site

import (
	"context"
	"slices"
	"strings"
	"time"

	"dibao/feed"
	"dibao/policy/diff"
	"dibao/templates"
)

// changesOf sets the revisions that the article's page shows, newest first.
func changesOf(ctx context.Context, a feed.Article, revisions []feed.Revision) ([]templates.TextChange, error) {
	var all []templates.TextChange
	next := feed.Revision{Title: a.Title(), Paragraphs: a.Facts.Paragraphs}
	for i, r := range slices.Backward(revisions) {
		change := templates.TextChange{TooLong: true}
		if len(revisions)-i <= maxShownRevisions {
			var err error
			change, err = textChange(ctx, append([]string{r.Title}, r.Paragraphs...), append([]string{next.Title}, next.Paragraphs...))
			if err != nil {
				return nil, err
			}
		}
		change.Seen = r.ReplacedAt.In(a.Location()).Format(time.DateOnly)
		all = append(all, change)
		next = r
	}
	return all, nil
}

const (
	// maxShownRevisions limits the revisions that one page compares.
	maxShownRevisions = 30
	// maxDiff limits the steps of one comparison on a page: about 0.2 s.
	maxDiff = 20 << 20
)

// comparing limits the number of pages that compare texts at the same time.
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
	changes, ok := diff.Within(before, after, maxDiff)
	return templates.TextChange{Paragraphs: changedParagraphs(changes), TooLong: !ok}, nil
}

// changedParagraphs sets the paragraphs of a comparison that changed.
func changedParagraphs(changes []diff.Change) []templates.ChangedParagraph {
	var all []templates.ChangedParagraph
	for _, c := range changes {
		p := templates.ChangedParagraph{Article: c.Article}
		switch c.Op {
		case diff.Kept:
			continue
		case diff.Removed:
			p.Pieces = []templates.ChangedPiece{{Op: "-", Text: c.Old}}
		case diff.Added:
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
