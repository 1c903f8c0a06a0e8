package feed

import (
	"slices"
	"time"

	"dibao/feed/ingest"
	"dibao/policy"
	"dibao/policy/call"
	"dibao/policy/warn"
)

// aheadOfUs is how far the clock or zone of a site may be ahead of ours.
const aheadOfUs = 24 * time.Hour

// Judge has package policy evaluate an item of a source.
func Judge(src Source, it ingest.Item, now time.Time) Article {
	it.Shorten()
	facts, call := understand(it.Evidence, now)
	return Article{
		SourceID: src.ID, Licence: src.Licence, GUID: it.GUID, URL: it.URL, Facts: facts, Content: it.HTML,
		Evidence: it.Evidence, Attachments: it.Attachments,
		Warnings: append(slices.Clone(it.Warnings), facts.Warnings...),
		TextHash: hashText(facts), Call: call,
	}
}

// understand returns the facts of a text, and what it asks of its readers.
func understand(e policy.Evidence, now time.Time) (policy.Facts, *call.Call) {
	f := policy.Understand(e)
	dropFuture(&f, now)
	return f, policy.CallOf(&f, e)
}

// dropFuture removes a publication date in the future: it is an error, or an attempt to be
// first in every list. The article is then dated by its collection.
func dropFuture(f *policy.Facts, now time.Time) {
	limit := now.Add(aheadOfUs)
	if f.PublishedAt.IsZero() {
		if f.PublishedOn.IsZero() || !policy.DateOf(limit).Before(f.PublishedOn) {
			return
		}
	} else if !f.PublishedAt.After(limit) {
		return
	}
	f.Warnings = append(f.Warnings, warn.New("published-in-future", f.PublishedOn))
	f.PublishedOn, f.PublishedAt, f.PublishedFrom, f.LateDays = policy.Date{}, time.Time{}, "", 0
}
