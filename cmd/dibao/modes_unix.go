//go:build unix

package main

import (
	"sync"
	"syscall"
)

// usual is the umask with which the process was started.
var usual = sync.OnceValue(func() int { return syscall.Umask(0o077) })

// keepFilesPrivate makes sure that only the owner can access the files and
// folders that this process creates: databases and their logs, keys, backups.
func keepFilesPrivate() { usual() }

// publishFiles restores the user's umask, for files that others should read.
func publishFiles() { syscall.Umask(usual()) }
