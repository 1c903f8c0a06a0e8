//go:build !unix

package main

import "os"

// keepFilesPrivate does nothing: this system has no modes.
func keepFilesPrivate() {}

// publishFiles does nothing, either.
func publishFiles() {}

// othersMayRead is not known on this system.
func othersMayRead(os.FileInfo) bool { return false }
