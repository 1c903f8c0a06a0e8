//go:build linux || darwin || freebsd

package status

import "syscall"

// FreeSpace returns the number of bytes that can be written in a folder.
func FreeSpace(dir string) (uint64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return uint64(st.Bavail) * uint64(st.Bsize), nil
}
