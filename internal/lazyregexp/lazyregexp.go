// Package lazyregexp compiles regular expressions when they are first used. The
// program has several hundred, and a command that uses none of them should not
// spend a tenth of a second on compiling them.
package lazyregexp

import (
	"regexp"
	"sync"
	"testing"
)

// Regexp is a regular expression that is compiled on its first use. Its methods are
// those of regexp.Regexp, and like them safe for concurrent use.
type Regexp struct {
	pattern string
	build   func() string // returns the pattern, where it is not known yet
	once    sync.Once
	re      *regexp.Regexp
}

// New returns the regular expression of a valid pattern. Under go test it is compiled at
// once, so that any test finds an error in it.
func New(pattern string) *Regexp {
	r := &Regexp{pattern: pattern}
	if testing.Testing() {
		r.Get()
	}
	return r
}

// NewFunc is New for a pattern that is put together when it is first used.
func NewFunc(build func() string) *Regexp {
	r := &Regexp{build: build}
	if testing.Testing() {
		r.Get()
	}
	return r
}

// Get returns the compiled expression. It panics if the pattern is invalid.
func (r *Regexp) Get() *regexp.Regexp {
	r.once.Do(func() { r.re = regexp.MustCompile(r.String()) })
	return r.re
}

// MatchString is Regexp.MatchString of the standard library.
func (r *Regexp) MatchString(s string) bool { return r.Get().MatchString(s) }

// Match is Regexp.Match of the standard library.
func (r *Regexp) Match(b []byte) bool { return r.Get().Match(b) }

// FindString is Regexp.FindString of the standard library.
func (r *Regexp) FindString(s string) string { return r.Get().FindString(s) }

// FindStringIndex is Regexp.FindStringIndex of the standard library.
func (r *Regexp) FindStringIndex(s string) []int { return r.Get().FindStringIndex(s) }

// FindStringSubmatch is Regexp.FindStringSubmatch of the standard library.
func (r *Regexp) FindStringSubmatch(s string) []string { return r.Get().FindStringSubmatch(s) }

// FindStringSubmatchIndex is Regexp.FindStringSubmatchIndex of the standard library.
func (r *Regexp) FindStringSubmatchIndex(s string) []int { return r.Get().FindStringSubmatchIndex(s) }

// FindAllString is Regexp.FindAllString of the standard library.
func (r *Regexp) FindAllString(s string, n int) []string { return r.Get().FindAllString(s, n) }

// FindAllStringIndex is Regexp.FindAllStringIndex of the standard library.
func (r *Regexp) FindAllStringIndex(s string, n int) [][]int { return r.Get().FindAllStringIndex(s, n) }

// FindAllStringSubmatch is Regexp.FindAllStringSubmatch of the standard library.
func (r *Regexp) FindAllStringSubmatch(s string, n int) [][]string {
	return r.Get().FindAllStringSubmatch(s, n)
}

// FindAllStringSubmatchIndex is Regexp.FindAllStringSubmatchIndex of the standard library.
func (r *Regexp) FindAllStringSubmatchIndex(s string, n int) [][]int {
	return r.Get().FindAllStringSubmatchIndex(s, n)
}

// FindSubmatch is Regexp.FindSubmatch of the standard library.
func (r *Regexp) FindSubmatch(b []byte) [][]byte { return r.Get().FindSubmatch(b) }

// FindIndex is Regexp.FindIndex of the standard library.
func (r *Regexp) FindIndex(b []byte) []int { return r.Get().FindIndex(b) }

// ReplaceAllString is Regexp.ReplaceAllString of the standard library.
func (r *Regexp) ReplaceAllString(src, repl string) string {
	return r.Get().ReplaceAllString(src, repl)
}

// ReplaceAll is Regexp.ReplaceAll of the standard library.
func (r *Regexp) ReplaceAll(src, repl []byte) []byte { return r.Get().ReplaceAll(src, repl) }

// ReplaceAllStringFunc is Regexp.ReplaceAllStringFunc of the standard library.
func (r *Regexp) ReplaceAllStringFunc(src string, repl func(string) string) string {
	return r.Get().ReplaceAllStringFunc(src, repl)
}

// Split is Regexp.Split of the standard library.
func (r *Regexp) Split(s string, n int) []string { return r.Get().Split(s, n) }

// String returns the pattern.
func (r *Regexp) String() string {
	if r.build != nil {
		return r.build()
	}
	return r.pattern
}
