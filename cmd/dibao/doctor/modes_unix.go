//go:build unix

package doctor

import (
	"os"
	"syscall"
)

// OthersMayRead reports whether the mode of a file lets users read it who need
// not: everybody, or the group where the file is ours. A file of root's that our
// group reads is how services are given secrets.
func OthersMayRead(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	isOurs := ok && int(stat.Uid) == os.Getuid()
	return info.Mode()&0o007 != 0 || isOurs && info.Mode()&0o070 != 0
}
