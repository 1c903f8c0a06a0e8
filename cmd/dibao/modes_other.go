//go:build !unix

package main

// keepFilesPrivate does nothing: this system has no file modes.
func keepFilesPrivate() {}

// publishFiles also does nothing.
func publishFiles() {}
