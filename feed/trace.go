package feed

import (
	"context"
	"time"

	"dibao/internal/trace"
)

// KeepTrace stores the span of a collection that began at begun, so that the mailing of the
// articles that it stored continues its trace. It does nothing for the nil span.
func (st *Store) KeepTrace(ctx context.Context, span *trace.Span, source int64, begun time.Time) error {
	return span.Keep(ctx, st.db, trace.Source, source, begun, st.Now())
}
