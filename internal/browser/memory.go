package browser

import (
	"context"
	"os"
	"time"

	"github.com/prometheus/procfs"
)

// watchMemory returns true when a process and its descendants use more than most bytes of
// memory, false when ctx ends. It works only on systems with /proc.
func watchMemory(ctx context.Context, pid int, most int64) bool {
	ticker := time.NewTicker(300 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
			if memoryOf(pid) > most {
				return true
			}
		}
	}
}

// memoryOf returns the private memory of a process and its descendants, in bytes.
func memoryOf(pid int) int64 {
	processes, _ := procfs.AllProcs()
	parents := make(map[int]int, len(processes))
	for _, p := range processes {
		if stat, err := p.Stat(); err == nil {
			parents[p.PID] = stat.PPID
		}
	}
	total := int64(0)
	for id := range parents {
		for at, steps := id, 0; at > 1 && steps < 20; at, steps = parents[at], steps+1 {
			if at == pid {
				total += residentOf(id)
				break
			}
		}
	}
	return total
}

// residentOf returns the memory of one process that it does not share with others, in
// bytes.
func residentOf(pid int) int64 {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return 0
	}
	pages, err := p.Statm()
	if err != nil || pages.Resident < pages.Shared {
		return 0
	}
	return int64(pages.Resident-pages.Shared) * int64(os.Getpagesize())
}
