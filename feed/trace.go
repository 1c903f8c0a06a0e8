package feed

import (
	"context"
	"time"

	"dibao/internal/trace"
)

// KeepTrace continues the trace of a collection's span in the mailing of what the
// collection stored since begun. It does nothing for the nil span.
func (st *Store) KeepTrace(ctx context.Context, span *trace.Span, source int64, begun time.Time) error {
	return span.Keep(ctx, st.db, trace.Source, source, begun, st.Now())
}
