//go:build !unix

package doctor

import "os"

// OthersMayRead is not known on this system.
func OthersMayRead(os.FileInfo) bool { return false }
