//go:build !unix

package doctor

import "os"

// OthersMayRead returns false: this system has no file modes.
func OthersMayRead(os.FileInfo) bool { return false }
