//go:build unix

package delivery

import (
	"errors"
	"os"
	"syscall"
)

// lockFile locks a file for this process until it is closed: errAlive if another
// process has locked it.
func lockFile(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errAlive
	}
	return err
}
