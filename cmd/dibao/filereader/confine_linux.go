package filereader

import (
	"os"
	"syscall"
	"time"
)

const (
	// childAddresses limits the address space of a child process, in bytes. Go reserves
	// 2 GB of it and uses little of that.
	childAddresses = 3 << 30
	// oomFirst makes the kernel end this process before any other.
	oomFirst = "1000"
)

// confine limits the resources of this process: address space and processor time. If
// memory still runs out, the kernel ends it first, not the daemon.
func confine(processor time.Duration) error {
	if err := os.WriteFile("/proc/self/oom_score_adj", []byte(oomFirst), 0); err != nil && !os.IsNotExist(err) && !os.IsPermission(err) {
		return os.NewSyscallError("oom_score_adj", err)
	}
	seconds := uint64(processor / time.Second)
	if err := syscall.Setrlimit(syscall.RLIMIT_CPU, &syscall.Rlimit{Cur: seconds, Max: seconds}); err != nil {
		return os.NewSyscallError("setrlimit", err)
	}
	return os.NewSyscallError("setrlimit", syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: childAddresses, Max: childAddresses}))
}
