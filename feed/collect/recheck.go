package collect

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"dibao/feed"
	"dibao/internal/fetch"
	"dibao/policy/warn"
)

// If manyGone pages disappear at once and none remains, the site has moved them, and
// nothing is withdrawn.
const manyGone = 5

// recheckPages reads the pages of stored articles again when they are due: an
// edited text becomes a revision, and an article is marked as withdrawn when
// its page stays missing. Neither is ever deleted.
func (c *Collector) recheckPages(ctx context.Context, src *feed.Source, due []feed.Article, out *Collection) error {
	failed, there := 0, 0
	var gone []feed.Article
	for _, stored := range due {
		if failed >= giveUpAfter {
			break
		}
		a, err := c.readPage(ctx, src, stored.Item(), out)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var status *fetch.StatusError
		switch {
		case errors.As(err, &status) && (status.Status == http.StatusNotFound || status.Status == http.StatusGone):
			gone, err = append(gone, stored), nil
		case err != nil:
			failed++
			out.Warnings = append(out.Warnings, warn.New("article-unread-again", stored.URL, err))
			err = c.Store.PageNotRead(ctx, stored.ID, stored.PageTries+1)
		default:
			there++
			if a.TextHash != stored.TextHash {
				a.PageState, a.PageTries = feed.PageComplete, stored.PageTries+1
				err = c.save(ctx, []feed.Incoming{{Article: a, PageNext: feed.RecheckAt(a.PageTries, c.Store.Now())}}, out)
			}
			err = errors.Join(err, c.Store.PageRead(ctx, stored.ID, stored.PageTries+1))
		}
		if err != nil {
			return err
		}
	}
	if len(gone) >= manyGone && there == 0 {
		out.Warnings = append(out.Warnings, warn.New("pages-moved", len(gone)))
		for _, stored := range gone {
			if err := c.Store.PageNotRead(ctx, stored.ID, stored.PageTries+1); err != nil {
				return err
			}
		}
		return nil
	}
	for _, stored := range gone {
		isWithdrawn, err := c.Store.PageGone(ctx, stored.ID)
		if err != nil {
			return err
		}
		if isWithdrawn {
			out.Withdrawn++
		}
	}
	return nil
}

// Reread fetches the page of a stored article and stores what its source's present settings
// find there. That is not a revision, because the site did not change its text.
func (c *Collector) Reread(ctx context.Context, id int64) error {
	stored, err := c.Store.Article(ctx, id)
	if err != nil {
		return err
	}
	src, err := c.Store.SourceByRef(ctx, strconv.FormatInt(stored.SourceID, 10))
	if err != nil {
		return err
	}
	var out Collection
	defer out.release()
	a, err := c.readPage(ctx, &src, stored.Item(), &out)
	if err != nil {
		return fmt.Errorf("article %d at %s: %w", id, stored.URL, err)
	}
	switch {
	case behindLogin(a):
		return fmt.Errorf("article %d at %s: the page now shows only the beginning of the text", id, stored.URL)
	case len(a.Facts.Paragraphs) == 0 && len(stored.Facts.Paragraphs) > 0:
		return fmt.Errorf("article %d at %s: no text was found on the page; check the selector of the source for texts", id, stored.URL)
	}
	a.ID, a.PageState = stored.ID, feed.PageComplete
	if err := c.save(ctx, []feed.Incoming{{Article: a, ReadHash: stored.TextHash}}, &out); err != nil {
		return err
	}
	return c.Store.PageRead(ctx, id, 0)
}
