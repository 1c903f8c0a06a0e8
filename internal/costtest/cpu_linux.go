package costtest

import (
	"syscall"
	"time"
)

// rusageThread is RUSAGE_THREAD of getrusage(2).
const rusageThread = 1

// processorTime returns the CPU time of this thread.
func processorTime() time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(rusageThread, &use); err != nil {
		panic(err) // it can't fail with these arguments
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
