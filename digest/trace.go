package digest

import (
	"cmp"
	"context"
	"log/slog"
	"slices"

	"dibao/internal/trace"
)

// maxLinks is the maximum number of collections to which a span of composing links.
const maxLinks = 32

// traceComposed ends the span in which issues were composed, if there are any. The span
// joins the trace of the collection whose article came last, and links to the others; the
// emails continue that trace.
func (s *Service) traceComposed(ctx context.Context, span *trace.Span, out Composed, failed error) {
	if span == nil || len(out.Issues)+len(out.Held) == 0 {
		return
	}
	parents, err := s.collectionTraces(ctx, append(slices.Clone(out.Issues), out.Held...))
	for i, parent := range parents {
		if i == 0 {
			span.Move(parent)
		} else {
			span.Link(parent)
		}
	}
	articles := 0
	for _, issue := range append(slices.Clone(out.Issues), out.Held...) {
		articles += len(issue.Articles)
	}
	span.Set(slog.Int64("mailing.id", out.Mailing), slog.Int("issues", len(out.Issues)), slog.Int("issues.held", len(out.Held)),
		slog.Int("articles", articles), slog.Int("deliveries", out.Deliveries))
	if err == nil && out.Mailing != 0 {
		err = s.keepTrace(ctx, span, out.Mailing)
	}
	if err != nil {
		s.opts.Logger.Warn("trace not stored", "mailing_id", out.Mailing, "err", err)
	}
	span.End(failed)
}

// collectionTraces returns the spans of the collections in which the articles of issues
// arrived, the last one first.
func (s *Service) collectionTraces(ctx context.Context, issues []Issue) (parents []string, err error) {
	var items []IssueItem
	for _, issue := range issues {
		some, err := s.IssueItems(ctx, issue.ID)
		if err != nil {
			return nil, err
		}
		items = append(items, some...)
	}
	slices.SortFunc(items, func(a, b IssueItem) int {
		return cmp.Compare(b.Article.CollectedAt.UnixNano(), a.Article.CollectedAt.UnixNano())
	})
	for _, it := range items {
		parent, err := trace.Find(ctx, s.db, trace.Source, it.Article.SourceID, it.Article.CollectedAt)
		if err != nil {
			return parents, err
		}
		if parent != "" && !slices.Contains(parents, parent) {
			parents = append(parents, parent)
		}
		if len(parents) > maxLinks {
			break
		}
	}
	return parents, nil
}

// keepTrace lets the deliveries of a mailing continue the trace of a span, on any node.
func (s *Service) keepTrace(ctx context.Context, span *trace.Span, mailing int64) error {
	return span.Keep(ctx, s.db, trace.Mailing, mailing, s.now(), s.now().Add(trace.Kept))
}
