package nodes

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
)

// machine identifies the scope in which process ids are unique: on Linux, one boot and PID
// namespace (pid_namespaces(7)); elsewhere a host. Two containers may have the same host
// name, and their processes the same id. "" means unknown.
var machine = sync.OnceValue(func() string {
	if runtime.GOOS != "linux" {
		host, err := os.Hostname()
		if err != nil {
			return ""
		}
		return host
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	space, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + " " + space
})

// isHere reports whether a node's process would be one of this machine.
func (n Node) isHere() bool { return n.Machine != "" && n.Machine == machine() }

// Ended reports whether a node of this machine ended without removing its row.
// Nothing is known about other machines.
func (n Node) Ended() bool {
	if !n.isHere() {
		return false
	}
	p, err := os.FindProcess(n.PID)
	if err != nil { // Windows looks for the process here, Unix only when a signal is sent
		return true
	}
	defer p.Release()
	return errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)
}
