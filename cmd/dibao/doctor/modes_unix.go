//go:build unix

package doctor

import (
	"os"
	"syscall"
)

// OthersMayRead reports whether the mode of a file gives access to users who do
// not need it: everybody, or the group if the file is ours. A file of root that
// our group may read is the usual way to give secrets to services.
func OthersMayRead(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	isOurs := ok && int(stat.Uid) == os.Getuid()
	return info.Mode()&0o007 != 0 || isOurs && info.Mode()&0o070 != 0
}
