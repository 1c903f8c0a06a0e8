package feed

import (
	"fmt"
	"html"
	"slices"
	"strings"
	"time"

	"dibao/policy/warn"

	"dibao/feed/ingest"
	"dibao/policy"
)

// aheadOfUs is how far a clock or zone of a site may be ahead of ours.
const aheadOfUs = 24 * time.Hour

// Judge has policy say what an item of a source is.
func Judge(src Source, it ingest.Item, now time.Time) Article {
	shorten(&it)
	facts := policy.Understand(it.Evidence)
	dropFuture(&facts, now)
	return Article{
		SourceID: src.ID, Licence: src.Licence, GUID: it.GUID, URL: it.URL, Facts: facts, Content: it.HTML,
		Evidence: it.Evidence, Attachments: it.Attachments,
		Warnings: append(slices.Clone(it.Warnings), facts.Warnings...),
		TextHash: hashText(facts),
	}
}

// dropFuture forgets a day of publication that has not come yet: it is a slip or
// bait for the top of every list. The article counts from when it was collected.
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

// maxText is how much of an article's text is kept, in bytes. The longest law, the
// Civil Code, has a third of that. Pages, feeds, searches and digests load texts by
// the dozen.
const maxText = 1 << 20

// shorten keeps the beginning of a text that is longer than anybody writes, as plain
// paragraphs. So it does where the markup is.
func shorten(it *ingest.Item) {
	all := it.Evidence.Paragraphs
	size := 0
	for _, p := range all {
		size += len(p)
	}
	if size <= maxText && len(it.HTML) <= 2*maxText {
		return
	}
	var kept []string
	var plain strings.Builder
	left := maxText
	for _, p := range all {
		p = strings.ToValidUTF8(p[:min(len(p), left)], "")
		left -= len(p)
		kept = append(kept, p)
		plain.WriteString("<p>" + html.EscapeString(p) + "</p>")
		if left < 4 { // less than a character
			break
		}
	}
	it.Evidence.Paragraphs, it.HTML = kept, plain.String()
	warning := warn.New("markup-left-out")
	if size > maxText {
		warning = warn.New("text-cut", fmt.Sprintf("%.1f", float64(size)/1e6), fmt.Sprintf("%.1f", float64(maxText-left)/1e6))
	}
	it.Warnings = append(slices.Clone(it.Warnings), warning)
}
