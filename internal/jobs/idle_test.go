package jobs

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// River's information messages are only for debugging; its warnings are logged as ours.
func TestRiverIsQuiet(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := slog.New(quieter{slog.NewTextHandler(&out, nil)}).With("a", 1).WithGroup("g")
	l.Info("job counts")
	l.Warn("job lost", "id", 7)
	if got := out.String(); strings.Contains(got, "job counts") || !strings.Contains(got, `level=WARN msg="job lost" a=1 g.id=7`) {
		t.Errorf("logged %s", got)
	}
}

// The watch reports its results even if nothing reads them, and the newest one counts.
func TestReportNeverWaits(t *testing.T) {
	t.Parallel()
	w := newWatch(nil, nil, nil)
	for _, any := range []bool{true, false, true} {
		w.report(any)
	}
	if got := <-w.found; !got || len(w.found) != 0 {
		t.Errorf("got %v and %d more, want only the newest result", got, len(w.found))
	}
}
