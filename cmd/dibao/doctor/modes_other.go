//go:build !unix

package doctor

import "os"

// othersMayRead is not known on this system.
func othersMayRead(os.FileInfo) bool { return false }
