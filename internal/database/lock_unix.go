//go:build unix

package database

import (
	"errors"
	"os"
	"syscall"
)

// LockFile locks a file for this process until it is closed; it returns ErrLocked if
// another process has locked it.
func LockFile(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrLocked
	}
	return err
}
