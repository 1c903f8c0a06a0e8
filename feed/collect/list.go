package collect

import (
	"context"
	"fmt"

	"dibao/policy/warn"

	"dibao/feed"
	"dibao/feed/ingest"
	"dibao/feed/ingest/answer"
	"dibao/feed/ingest/pager"
	"dibao/feed/visit"
	"dibao/internal/fetch"
)

// readList reads the list of a source from the response of its address. hash is
// the hash of the page that contains the list.
func (c *Collector) readList(ctx context.Context, src *feed.Source, v *visit.Visitor, resp *fetch.Response) (l ingest.List, hash string, err error) {
	page := c.pageOf(resp)
	if src.Kind != "page" {
		l, err = read(ctx, src.Kind, page, src)
		if err != nil || len(l.Items) == 0 && src.Kind != "feed" {
			said, waitErr := noList(ctx, page, src)
			if waitErr != nil {
				return l, "", waitErr
			}
			if err == nil || said.Kind != answer.Page {
				return l, "", said
			}
			return l, "", fmt.Errorf("read %s: %w", src.URL, err)
		}
		return l, hashOf(resp.Hash), nil
	}
	found, err := v.Open(ctx, resp, func(ctx context.Context, p ingest.Page) (ingest.List, error) {
		return read(ctx, src.Kind, p, src)
	})
	if err != nil {
		return l, "", fmt.Errorf("read %s: %w", src.URL, err)
	}
	if src.Private != fetch.Origin(found.Page.URL) {
		src.Private = "" // the list is on another host
	}
	return found.List, hashOf(found.Hash()), nil
}

// readMore reads more pages of a list while everything on a page is new, so that no
// article since the last collection is missed. For a new source it reads as many pages as
// the admin requested. size is the size in bytes of the page from which l was read.
func (c *Collector) readMore(ctx context.Context, src *feed.Source, l ingest.List, size int, out *Collection) ([]ingest.Item, error) {
	most, asked, items := feed.MaxListPages, 0, l.Items
	if src.SucceededAt.IsZero() {
		asked = src.Settings.Pages
		most = max(asked, 1)
	}
	if src.Kind != "page" {
		most = 1
	}
	listed := make(map[string]bool, len(items))
	for _, it := range items {
		listed[it.GUID] = true
	}
	for n := 1; n < most; n++ {
		guids := make([]string, len(l.Items))
		for i, it := range l.Items {
			guids[i] = it.GUID
		}
		known, err := c.Store.KnownArticles(ctx, src.ID, guids)
		if err != nil || len(known) > 0 {
			return items, err
		}
		if l.Next == "" {
			out.notePager(l.Pager, n, asked)
			return items, nil
		}
		resp, err := c.Client.Get(ctx, src.Request(l.Next, true))
		if err != nil {
			if ctx.Err() != nil {
				return items, ctx.Err()
			}
			c.Logger.Info("the next page of a list was not read", "source_id", src.ID, "url", l.Next, "err", err)
			out.Warnings = append(out.Warnings, warn.New("list-page-unread", n+1, err))
			return items, nil
		}
		size += len(resp.Body)
		if err := out.hold(ctx, size); err != nil {
			return items, err
		}
		next := l.Next
		if l, err = read(ctx, src.Kind, c.pageOf(resp), src); err != nil || len(l.Items) == 0 {
			out.Warnings = append(out.Warnings, warn.New("list-page-empty", n+1, next))
			return items, nil // a bad page after a good one is not a failure of the source
		}
		before := len(items)
		for _, it := range l.Items {
			if !listed[it.GUID] {
				listed[it.GUID] = true
				items = append(items, it)
			}
		}
		if len(items) == before {
			return items, nil
		}
	}
	return items, nil
}

// notePager warns if fewer pages of a list were reached than requested.
func (out *Collection) notePager(p pager.Pager, reached, asked int) {
	if asked > reached {
		out.Warnings = append(out.Warnings, warn.New("list-pages-fewer", reached, asked, p.Say(false), p.Say(true)))
	}
}
