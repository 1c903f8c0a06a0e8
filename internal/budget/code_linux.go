package budget

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// ReleaseCode releases the memory of the program's code and constants. Most of it is used
// only while the program starts, and counts as memory of the process until the system needs
// it. What is used later is read again from the file, which is usually in the cache of the
// system.
func ReleaseCode() error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return fmt.Errorf("release code: %w", err)
	}
	for _, m := range unchanged(maps, program) {
		if _, _, e := unix.Syscall(unix.SYS_MADVISE, m.from, m.to-m.from, unix.MADV_DONTNEED); e != 0 {
			return fmt.Errorf("release code: %w", e)
		}
	}
	return nil
}

// memory is a range of addresses.
type memory struct{ from, to uintptr }

// unchanged returns the parts of a file in memory that can't be written and that contain no
// changed page; the linker changes some pages (proc_pid_smaps(5)).
func unchanged(maps []byte, file string) (all []memory) {
	var m memory
	wanted := false
	for line := range bytes.Lines(maps) {
		var perms, device, path string
		var offset, inode, kB uint64
		text := strings.TrimSpace(string(line))
		if n, _ := fmt.Sscanf(text, "%x-%x %4s %x %s %d %s", &m.from, &m.to, &perms, &offset, &device, &inode, &path); n >= 6 {
			wanted = path == file && !strings.Contains(perms, "w") && strings.HasSuffix(perms, "p")
			if wanted {
				all = append(all, m)
			}
			continue
		}
		for _, own := range []string{"Anonymous:", "Swap:"} {
			if n, _ := fmt.Sscanf(text, own+" %d kB", &kB); n == 1 && kB > 0 && wanted {
				all, wanted = all[:len(all)-1], false
			}
		}
	}
	return all
}
