//go:build !(linux || darwin || freebsd)

package status

import "errors"

// FreeSpace returns 0, because the free space is unknown on this system.
func FreeSpace(string) (uint64, error) { return 0, errors.ErrUnsupported }
