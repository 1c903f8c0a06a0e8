package feed

import (
	"context"

	"dibao/feed/ingest"
	"dibao/internal/budget"
)

// within runs f, which parses a page, as soon as there is memory for it.
func within[T any](ctx context.Context, page ingest.Page, f func() (T, error)) (result T, err error) {
	done, err := budget.Reserve(ctx, len(page.Body))
	if err != nil {
		return result, err
	}
	defer done()
	return f()
}

func read(ctx context.Context, kind string, page ingest.Page, src *Source) (ingest.List, error) {
	return within(ctx, page, func() (ingest.List, error) { return ingest.ReadKind(kind, page, src.Ingest()) })
}

func readArticle(ctx context.Context, page ingest.Page, src *Source, it ingest.Item) (ingest.Item, error) {
	return within(ctx, page, func() (ingest.Item, error) { return ingest.ReadArticle(page, src.Ingest(), it) })
}

// hold waits until there is memory for what is read of an input, until the next one
// is held or the collection ends. What was held before is stored.
func (out *Collection) hold(ctx context.Context, bytes int) (err error) {
	out.release()
	out.held, err = budget.Hold(ctx, bytes)
	return err
}

func (out *Collection) release() {
	if out.held != nil {
		out.held()
		out.held = nil
	}
}
