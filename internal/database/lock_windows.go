package database

import (
	"errors"
	"math"
	"os"

	"golang.org/x/sys/windows"
)

// LockFile locks a file for this process until it is closed; it returns ErrLocked if
// another process has locked it. Windows denies access to locked bytes, so the lock is on a
// byte that no journal reaches.
func LockFile(f *os.File) error {
	at := &windows.Overlapped{OffsetHigh: math.MaxInt32}
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return ErrLocked
	}
	return err
}
