package collect

import (
	"context"
	"strings"

	"dibao/feed"
	"dibao/feed/ingest"
	"dibao/internal/lazyregexp"
	"dibao/policy/call"
	"dibao/policy/warn"
)

// maxGuides limits the files that are read with a call.
const maxGuides = 2

// readGuides evaluates an article. If it is a call that does not state its deadline, its
// applicants or what they get, it first reads the attached files whose titles suggest a
// guide to the call. A file that can't be read is a warning.
func (c *Collector) readGuides(ctx context.Context, src *feed.Source, it ingest.Item, out *Collection) (feed.Article, error) {
	a := c.judge(src, it)
	if c.FileText == nil {
		return a, nil
	}
	var guides []ingest.Attachment
	for _, f := range it.Attachments {
		name := nameOf(f, it.Evidence.Paragraphs)
		if f.HasReadableText() && f.Name() != it.Evidence.File && call.IsGuide(name) && len(guides) < maxGuides {
			f.Title = name
			guides = append(guides, f)
		}
	}
	if f := a.Facts; len(guides) == 0 || !call.LacksGuide(f.Title, f.Paragraphs, call.MadeOn(f.IssuedOn, f.PublishedOn)) {
		return a, nil
	}
	out.release() // reading files may wait, and other pages must not wait with it
	size := len(it.HTML)
	for _, g := range guides {
		pages, _, err := c.textOf(ctx, src, g.URL)
		if ctx.Err() != nil {
			return a, ctx.Err()
		}
		if err != nil {
			it.Warnings = append(it.Warnings[:len(it.Warnings):len(it.Warnings)], warn.New("guide-unread", g.Name(), err))
			continue
		}
		size += len(strings.Join(pages, ""))
		it = ingest.AddGuide(it, g.Name(), pages)
	}
	if err := out.hold(ctx, size); err != nil {
		return a, err
	}
	return c.judge(src, it), nil
}

var (
	// numberOnly matches the title of an attachment whose name is only in the text.
	numberOnly = lazyregexp.New(`^附\s?件\s*(\d{0,2})(?:\.\p{Latin}{3,4})?$`)
	listed     = lazyregexp.New(`^(?:附\s?件\s*[:：]?\s*)?(\d{0,2})\s*[.．、:：]?\s*(\P{N}.{2,80})$`)
)

// nameOf returns the title of an attachment. For 附件1 it is the title in the text's list of
// attachments.
func nameOf(f ingest.Attachment, paragraphs []string) string {
	m := numberOnly.FindStringSubmatch(strings.TrimSpace(f.Name()))
	if m == nil {
		return f.Name()
	}
	begun := false
	for _, p := range paragraphs {
		p = strings.TrimSpace(p)
		begun = begun || strings.HasPrefix(p, "附件")
		if l := listed.FindStringSubmatch(p); begun && l != nil && l[1] == m[1] {
			return l[2]
		}
	}
	return f.Name()
}
