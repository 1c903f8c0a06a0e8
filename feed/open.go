package feed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"dibao/feed/ingest"
	"dibao/feed/ingest/answer"
	"dibao/feed/visit"
	"dibao/internal/fetch"
)

// ErrNoBrowser is the error of a source that is to be drawn on a node without a
// browser.
var ErrNoBrowser = errors.New("a browser is to draw the pages of this source, and none is set up; set browser in [fetch] to the path of a Chromium")

// Visitor returns who asks for the pages of a source.
func (c *Collector) Visitor(s Source) (*visit.Visitor, error) { return c.visitor(&s) }

func (c *Collector) visitor(src *Source) (*visit.Visitor, error) {
	v := &visit.Visitor{Client: c.Client, Base: src.Request(src.URL, true), Charset: src.Settings.Charset, Now: c.Store.Now}
	if src.Settings.Render {
		if c.Browser == nil {
			return nil, ErrNoBrowser
		}
		v.Browser = c.Browser
	}
	return v, nil
}

func hashOf(sum [sha256.Size]byte) string { return hex.EncodeToString(sum[:]) }

// readList reads the list of a source from what its address answered with. hash is
// that of the page that holds the list.
func (c *Collector) readList(ctx context.Context, src *Source, v *visit.Visitor, resp *fetch.Response) (l ingest.List, hash string, err error) {
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
		src.Private = "" // the list is another host's
	}
	return found.List, hashOf(found.Hash()), nil
}

// articlePage fetches the page of an article, or the one that it sends browsers
// on to.
func (c *Collector) articlePage(ctx context.Context, src *Source, address string) (*fetch.Response, error) {
	v, err := c.visitor(src)
	if err != nil {
		return nil, err
	}
	v.Base = src.Request(src.URL, true)
	resp, err := v.Get(ctx, src.Request(address, true))
	if err != nil {
		return nil, err
	}
	return v.Article(ctx, resp)
}

// ReadArticle reads the page of an item of a source as a collection does, and
// stores nothing.
func (c *Collector) ReadArticle(ctx context.Context, s Source, it ingest.Item) (Article, error) {
	if !it.NeedsPage {
		return c.judge(&s, it), nil
	}
	var out Collection
	defer out.release()
	return c.readPage(ctx, &s, it, &out)
}
