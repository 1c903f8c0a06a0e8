//go:build unix

package main

import (
	"os"
	"sync"
	"syscall"
)

// usual is the mode mask that we were started with.
var usual = sync.OnceValue(func() int { return syscall.Umask(0o077) })

// keepFilesPrivate makes every file and folder that this process makes its
// owner's alone, whatever makes it: databases and their logs, keys, backups.
func keepFilesPrivate() { usual() }

// publishFiles makes files as the user's mask says, for what others should read.
func publishFiles() { syscall.Umask(usual()) }

// othersMayRead reports whether the mode of a file lets users read it who need
// not: everybody, or the group where the file is ours. A file of root's that our
// group reads is how services are given secrets.
func othersMayRead(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	isOurs := ok && int(stat.Uid) == os.Getuid()
	return info.Mode()&0o007 != 0 || isOurs && info.Mode()&0o070 != 0
}
