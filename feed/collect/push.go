package collect

import (
	"context"
	"errors"
	"fmt"

	"dibao/feed"
	"dibao/feed/ingest"
	"dibao/internal/database"
)

// Push stores the items that a hub pushed, which may be only a part of the source's feed.
func (c *Collector) Push(ctx context.Context, id int64, page ingest.Page) (Collection, error) {
	ctx = database.Background(ctx)
	src, err := c.Store.SourceByID(ctx, id)
	if err != nil {
		return Collection{}, err
	}
	out := Collection{Source: src}
	if src.State == feed.StatePaused || src.State == feed.StateRemoved {
		return out, nil
	}
	defer func() { out.release() }()
	if err := out.hold(ctx, len(page.Body)); err != nil {
		return out, err
	}
	l, err := read(ctx, src.Kind, page, &src)
	if err != nil {
		return out, fmt.Errorf("read the push of %s: %w", src.URL, err)
	}
	out.Items = len(l.Items)
	c.Store.Index.Begin()
	_, err = c.storeItems(ctx, &src, l.Items, &out)
	if err = errors.Join(err, c.Store.Index.End(ctx)); err != nil || out.New == 0 {
		return out, err
	}
	noteNews(&src, c.Store.Now())
	if _, err := c.Store.HoldFlood(ctx, src.ID); err != nil {
		return out, err
	}
	return out, c.Store.SaveNews(ctx, src)
}
