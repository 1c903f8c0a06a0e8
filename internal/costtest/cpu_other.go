//go:build !linux

package costtest

import "time"

var began = time.Now()

// processorTime returns the time of the clock on systems where the CPU time of a thread is
// unknown.
func processorTime() time.Duration { return time.Since(began) }
