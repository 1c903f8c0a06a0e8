package bench

import (
	"time"

	"golang.org/x/sys/windows"
)

// cpuTime returns the CPU time that the process has used so far.
func cpuTime() time.Duration {
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(windows.CurrentProcess(), &created, &exited, &kernel, &user); err != nil {
		return 0
	}
	ticks := func(t windows.Filetime) int64 { return int64(t.HighDateTime)<<32 | int64(t.LowDateTime) } // a tick is 100 ns
	return time.Duration(ticks(kernel)+ticks(user)) * 100
}

// peakRSS returns 0: it is not measured on Windows.
func peakRSS() float64 { return 0 }
