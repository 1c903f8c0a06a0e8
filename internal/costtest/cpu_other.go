//go:build !linux

package costtest

import "time"

var began = time.Now()

// processorTime is the time of the clock, where that of the thread is not known.
func processorTime() time.Duration { return time.Since(began) }
