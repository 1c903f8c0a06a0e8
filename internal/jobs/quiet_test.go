package jobs

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// What River tells of itself is for who looks for errors; its warnings are ours.
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
