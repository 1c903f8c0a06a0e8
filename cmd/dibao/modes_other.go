//go:build !unix

package main

// keepFilesPrivate does nothing: this system has no modes.
func keepFilesPrivate() {}

// publishFiles does nothing, either.
func publishFiles() {}
