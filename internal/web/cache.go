package web

import (
	"bytes"
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Document is a response: built once, then only copied.
type Document struct {
	Body      []byte
	MediaType string    // the Content-Type
	Modified  time.Time // zero means unknown
	// Dated says that Modified changes with every change of the content,
	// including hidden or corrected articles. Otherwise the bytes count as
	// changed when they are first built.
	Dated bool
	// Header is added to the response, and overrides the cache's fields; if it has no Vary,
	// that is Accept-Encoding, Accept-Language.
	Header http.Header
}

// Cache caches documents as bytes, plain and compressed, by key and version. A document
// that is requested several times at once is built once. The zero Cache is ready and keeps
// 32 MiB.
type Cache struct {
	MaxBytes int64

	mu      sync.Mutex
	entries map[string]*list.Element
	recent  list.List // elements are *Entry, most recently served first
	bytes   int64
	builds  map[string]*building
}

// building is a document that is being built.
type building struct {
	version string
	done    chan struct{} // closed when entry and err are set
	entry   *Entry
	err     error
}

// Serve answers GET or HEAD with the document of a key. While version stays the
// same, build is not called again. It returns an error of build without
// answering.
func (c *Cache) Serve(w http.ResponseWriter, r *http.Request, key, version string, build func() (Document, error)) error {
	entry, err := c.Get(r.Context(), key, version, build)
	if err != nil {
		return err
	}
	entry.Serve(w, r)
	return nil
}

// Get returns the document of a key in the form in which it is served. It returns an error
// of build, and caches nothing in that case.
func (c *Cache) Get(ctx context.Context, key, version string, build func() (Document, error)) (*Entry, error) {
	for {
		c.mu.Lock()
		var old *Entry
		if at, ok := c.entries[key]; ok {
			if old = at.Value.(*Entry); old.version == version {
				c.recent.MoveToFront(at)
				c.mu.Unlock()
				return old, nil
			}
		}
		b, running := c.builds[key]
		if !running || b.version != version {
			b = &building{version: version, done: make(chan struct{})}
			if c.builds == nil {
				c.builds = make(map[string]*building)
			}
			c.builds[key] = b
			c.mu.Unlock()
			c.build(b, key, old, build)
			return b.entry, b.err
		}
		c.mu.Unlock()
		select {
		case <-b.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		// The client for which it was built may have disconnected; then build it again.
		if !errors.Is(b.err, context.Canceled) {
			return b.entry, b.err
		}
	}
}

// errBroken is the error for requests that waited for a build that panicked.
var errBroken = errors.New("the page could not be built")

func (c *Cache) build(b *building, key string, old *Entry, build func() (Document, error)) {
	b.err = errBroken
	defer func() {
		c.mu.Lock()
		if c.builds[key] == b {
			delete(c.builds, key)
		}
		if b.err == nil {
			c.put(b.entry)
		}
		c.mu.Unlock()
		close(b.done)
	}()
	doc, err := build()
	if err == nil {
		b.entry = newEntry(c, key, b.version, doc, old)
	}
	b.err = err
}

// put stores an entry in place of the one with the same key; c.mu is held.
func (c *Cache) put(e *Entry) {
	if c.entries == nil {
		c.entries = make(map[string]*list.Element)
	}
	if old, ok := c.entries[e.key]; ok {
		c.drop(old)
	}
	c.entries[e.key] = c.recent.PushFront(e)
	c.bytes += e.size
	c.evict()
}

func (c *Cache) evict() {
	limit := c.MaxBytes
	if limit <= 0 {
		limit = 32 << 20
	}
	for c.bytes > limit && c.recent.Len() > 1 {
		c.drop(c.recent.Back())
	}
}

func (c *Cache) drop(at *list.Element) {
	e := c.recent.Remove(at).(*Entry)
	delete(c.entries, e.key)
	c.bytes -= e.size
}

// grew records that an entry takes more memory.
func (c *Cache) grew(e *Entry, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.size += int64(n)
	if at, ok := c.entries[e.key]; ok && at.Value.(*Entry) == e {
		c.bytes += int64(n)
		c.evict()
	}
}

// Size returns the number of cached documents, and their bytes.
func (c *Cache) Size() (documents int, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.recent.Len(), c.bytes
}

// Entry is a document in the form in which it is served: with its validators,
// and compressed after the first request for that coding.
type Entry struct {
	cache        *Cache
	key, version string
	doc          Document
	digest       string // hash of the plain bytes, with which all of its ETags begin
	size         int64  // guarded by cache.mu
	forms        *[len(codings)]form
	modified     []string // Last-Modified, nil if unknown
}

// form is a document in one content coding.
type form struct {
	once   sync.Once
	body   []byte   // nil if compressing does not make it smaller
	etag   []string // with its quotes
	length []string
}

// newEntry returns the entry of a document. If the bytes are those of the previous entry,
// it keeps the validators and compressed forms of that entry.
func newEntry(c *Cache, key, version string, doc Document, old *Entry) *Entry {
	sum := sha256.Sum256(doc.Body)
	e := &Entry{cache: c, key: key, version: version, doc: doc, digest: hex.EncodeToString(sum[:12])}
	e.size = int64(len(doc.Body) + 1024)
	switch {
	case old != nil && old.digest == e.digest && old.doc.MediaType == doc.MediaType:
		e.doc.Modified, e.forms, e.size = old.doc.Modified, old.forms, old.size
	default:
		e.forms = new([len(codings)]form)
		// Clients that validate only by time must see that the bytes changed,
		// although the articles in them may be older, for example when a list
		// is renamed.
		if !doc.Modified.IsZero() {
			if !doc.Dated || old != nil && !doc.Modified.Truncate(time.Second).After(old.doc.Modified) {
				e.doc.Modified = time.Now()
			}
			if old != nil && !e.doc.Modified.Truncate(time.Second).After(old.doc.Modified) {
				e.doc.Modified = old.doc.Modified.Truncate(time.Second).Add(time.Second)
			}
		}
	}
	if !e.doc.Modified.IsZero() {
		e.modified = []string{e.doc.Modified.UTC().Format(http.TimeFormat)}
	}
	return e
}

// Document returns the document of the entry; its bytes must not be changed.
func (e *Entry) Document() Document { return e.doc }

// in returns the document in the nth coding, compressing it the first time.
func (e *Entry) in(n int) *form {
	f := &e.forms[n]
	f.once.Do(func() {
		f.body = e.doc.Body
		suffix := ""
		if compress := codings[n].compress; compress != nil {
			suffix = "-" + codings[n].name
			if f.body = nil; len(e.doc.Body) >= smallest {
				var buf bytes.Buffer
				compress(&buf, e.doc.Body)
				if buf.Len() < len(e.doc.Body)*9/10 {
					f.body = bytes.Clone(buf.Bytes())
				}
			}
			e.cache.grew(e, len(f.body))
		}
		f.etag = []string{`"` + e.digest + suffix + `"`}
		f.length = []string{strconv.Itoa(len(f.body))}
	})
	return f
}

var (
	cacheControl = []string{"public, max-age=60"}
	vary         = []string{"Accept-Encoding, Accept-Language"}
)

// Serve writes the document with its validators (RFC 9110 §8.8); each coding has a separate
// ETag, because its bytes differ.
func (e *Entry) Serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Cache-Control"], h["Vary"] = cacheControl, vary
	for name, values := range e.doc.Header {
		h[name] = values
	}
	n := chooseCoding(r.Header.Get("Accept-Encoding"))
	f := e.in(n)
	if f.body == nil {
		n, f = 0, e.in(0)
	}
	h["Etag"] = f.etag
	if e.modified != nil {
		h["Last-Modified"] = e.modified
	}
	if e.known(r) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", e.doc.MediaType)
	h["Content-Length"] = f.length
	if n > 0 {
		h["Content-Encoding"] = codings[n].header
	}
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(f.body) // the client may have disconnected
	}
}

// known reports whether the client has this document already: by ETag, in any coding, or by
// time, but only if no ETag is given (RFC 9110 §13.2.2).
func (e *Entry) known(r *http.Request) bool {
	if tags := r.Header["If-None-Match"]; len(tags) > 0 {
		for _, line := range tags {
			for part := range strings.SplitSeq(line, ",") {
				if part = strings.TrimSpace(part); part == "*" || Tag(part) == e.digest {
					return true
				}
			}
		}
		return false
	}
	since, err := http.ParseTime(r.Header.Get("If-Modified-Since"))
	return err == nil && e.modified != nil && !e.doc.Modified.Truncate(time.Second).After(since)
}

// Tag returns the hash in the ETag of an [Entry], without its coding; "" if it is not such
// an ETag.
func Tag(etag string) string {
	tag, opened := strings.CutPrefix(strings.TrimPrefix(etag, "W/"), `"`)
	tag, closed := strings.CutSuffix(tag, `"`)
	if !opened || !closed {
		return ""
	}
	tag, _, _ = strings.Cut(tag, "-")
	return tag
}
