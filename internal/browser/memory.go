package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// watchMemory returns true when a process and those that it started take more
// than most bytes of memory, false when ctx ends. It knows only of systems with
// /proc.
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

// memoryOf is what a process and those that it started hold for themselves, in
// bytes.
func memoryOf(pid int) int64 {
	parents := make(map[int]int)
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		b, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		// pid (name) state ppid …; the name may hold anything.
		_, rest, _ := strings.Cut(string(b), ")")
		if i := strings.LastIndexByte(string(b), ')'); i >= 0 {
			rest = string(b[i+1:])
		}
		id, _ := strconv.Atoi(strings.Split(name, "/")[2])
		if fields := strings.Fields(rest); len(fields) > 1 {
			parents[id], _ = strconv.Atoi(fields[1])
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

// residentOf is the memory of one process that it shares with no other.
func residentOf(pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	fields := strings.Fields(string(b))
	if err != nil || len(fields) < 3 {
		return 0
	}
	resident, _ := strconv.ParseInt(fields[1], 10, 64)
	shared, _ := strconv.ParseInt(fields[2], 10, 64)
	return (resident - shared) * int64(os.Getpagesize())
}
