package feed

import (
	"context"
	"time"

	"dibao/internal/trace"
)

// KeepTrace lets the mailing of what a collection stored since begun go on in the trace of
// its span. It does nothing for the nil span.
func (st *Store) KeepTrace(ctx context.Context, span *trace.Span, source int64, begun time.Time) error {
	return span.Keep(ctx, st.db, trace.Source, source, begun, st.Now())
}
