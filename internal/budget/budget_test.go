package budget

import (
	"context"
	"errors"
	"runtime/debug"
	"testing"
)

// TestReserve checks that small inputs are parsed at the same time and a large one alone.
func TestReserve(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { Set(Standard); debug.SetMemoryLimit(before) })
	t.Setenv("GOMEMLIMIT", "")
	Set(64 << 20)
	if got := debug.SetMemoryLimit(-1); got != 36<<20 {
		t.Errorf("the memory limit is %d", got)
	}
	small, err := Reserve(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	if other, err := Reserve(t.Context(), 1000); err != nil {
		t.Error(err)
	} else {
		other()
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Reserve(ended, 100<<20); !errors.Is(err, context.Canceled) {
		t.Errorf("a large input beside another: %v", err)
	}
	small()
	large, err := Reserve(t.Context(), 100<<20)
	if err != nil {
		t.Fatal(err)
	}
	large()
}

// TestEnvironmentCountsFirst checks that Set does not change the limit of GOMEMLIMIT.
func TestEnvironmentCountsFirst(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { Set(Standard); debug.SetMemoryLimit(before) })
	debug.SetMemoryLimit(before)
	t.Setenv("GOMEMLIMIT", "1GiB")
	Set(64 << 20)
	if got := debug.SetMemoryLimit(-1); got != before {
		t.Errorf("the memory limit is %d, was %d", got, before)
	}
}
