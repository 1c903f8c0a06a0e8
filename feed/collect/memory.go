package collect

import (
	"context"
	"log/slog"
	"net/http"

	"dibao/feed"
	"dibao/feed/ingest"
	"dibao/feed/ingest/answer"
	"dibao/internal/budget"
	"dibao/internal/trace"
)

// Untrusted input is parsed only here, each piece when there is memory for it. A test
// searches for parsers elsewhere.

func read(ctx context.Context, kind string, page ingest.Page, src *feed.Source) (l ingest.List, err error) {
	ctx, span := trace.Start(ctx, "parse", slog.String("source.kind", kind), slog.Int("bytes", len(page.Body)))
	defer func() { span.End(err) }()
	return budget.Within(ctx, len(page.Body), func() (ingest.List, error) { return ingest.ReadKind(kind, page, src.Ingest()) })
}

func readArticle(ctx context.Context, page ingest.Page, src *feed.Source, it ingest.Item) (out ingest.Item, err error) {
	ctx, span := trace.Start(ctx, "parse", slog.String("source.kind", "article"), slog.Int("bytes", len(page.Body)))
	defer func() { span.End(err) }()
	return budget.Within(ctx, len(page.Body), func() (ingest.Item, error) { return ingest.ReadArticle(page, src.Ingest(), it) })
}

func nextPart(ctx context.Context, page ingest.Page, src *feed.Source) (string, error) {
	return budget.Within(ctx, len(page.Body), func() (string, error) { return ingest.NextPart(page, src.Ingest()), nil })
}

// noList describes a page without a list.
func noList(ctx context.Context, page ingest.Page, src *feed.Source) (*answer.Error, error) {
	return budget.Within(ctx, len(page.Body), func() (*answer.Error, error) { return ingest.NoList(page, src.Ingest().Settings), nil })
}

// findWall returns an *answer.Error if a page without usable content is a wall.
func findWall(ctx context.Context, page ingest.Page, src *feed.Source) error {
	_, err := budget.Within(ctx, len(page.Body), func() (bool, error) {
		if a := ingest.Answered(page, http.StatusOK, src.Settings.Charset); a.Kind == answer.Wall {
			return true, &answer.Error{Answer: a, URL: page.URL}
		}
		return false, nil
	})
	return err
}

// isWall returns an *answer.Error if a page with a short text is a wall. A page that shows
// its title from the list is not a wall: it may be a notice about 安全验证.
func isWall(ctx context.Context, page ingest.Page, src *feed.Source, listed string) error {
	shown, err := budget.Within(ctx, len(page.Body), func() (bool, error) { return showsTitle(page, src.Settings.Charset, listed), nil })
	if err != nil || shown {
		return err
	}
	return findWall(ctx, page, src)
}

// hold waits until there is memory for an input, and reserves it until the next call or the
// end of the collection. The previous input has been stored by then.
func (out *Collection) hold(ctx context.Context, bytes int) (err error) {
	out.release()
	out.held, err = budget.Keep(ctx, bytes)
	return err
}

func (out *Collection) release() {
	if out.held != nil {
		out.held()
		out.held = nil
	}
}
