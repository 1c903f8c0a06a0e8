package collect

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"dibao/policy/warn"

	"dibao/feed"
	"dibao/feed/ingest"
)

// readFile adds the text of the first readable attached file to an article
// whose page has hardly any text: many official documents are published only as
// a file. A file that can't be read is a warning: the page itself was read.
func (c *Collector) readFile(ctx context.Context, src *feed.Source, it ingest.Item, out *Collection) (ingest.Item, error) {
	if c.FileText == nil || utf8.RuneCountInString(strings.Join(it.Evidence.Paragraphs, "")) >= shortText {
		return it, nil
	}
	at := slices.IndexFunc(it.Attachments, ingest.Attachment.HasReadableText)
	if at < 0 {
		return it, nil
	}
	out.release() // reading files may wait, and other pages must not wait with it
	pages, size, err := c.textOf(ctx, src, it.Attachments[at].URL)
	if size > 0 {
		it.Attachments[at].Bytes = size
	}
	if ctx.Err() != nil {
		return it, ctx.Err()
	}
	if err != nil {
		it.Warnings = append(it.Warnings, warn.New("file-unread", err))
		return it, nil
	}
	if err := out.hold(ctx, len(it.HTML)+len(strings.Join(pages, ""))); err != nil {
		return it, err
	}
	before := len(it.Evidence.Paragraphs)
	it = ingest.AddFile(it, pages)
	if len(it.Evidence.Paragraphs) > before {
		it.Evidence.File, it.Evidence.FileFrom = it.Attachments[at].Name(), before
	}
	return it, nil
}

// textOf fetches an attached file and returns its text, page by page, and its size in
// bytes; 0 if there was no response.
func (c *Collector) textOf(ctx context.Context, src *feed.Source, address string) (pages []string, size int64, err error) {
	resp, err := c.Client.Get(ctx, src.Request(address, true))
	if err != nil {
		return nil, 0, err
	}
	pages, err = c.FileText(ctx, resp.Body)
	return pages, int64(len(resp.Body)), err
}

// readFrame adds the text of a frame to a page that has no text of its own. A frame that
// can't be read is a warning, as with files.
func (c *Collector) readFrame(ctx context.Context, src *feed.Source, it ingest.Item) (ingest.Item, error) {
	if it.Frame == "" {
		return it, nil
	}
	resp, err := c.Client.Get(ctx, src.Request(it.Frame, true))
	var frame ingest.Item
	if err == nil {
		frame, err = readArticle(ctx, c.pageOf(resp), src, ingest.Item{URL: it.Frame})
	}
	if ctx.Err() != nil {
		return it, ctx.Err()
	}
	if err != nil {
		it.Warnings = append(it.Warnings, warn.New("frame-unread", err))
		return it, nil
	}
	return ingest.AddFrame(it, frame), nil
}
