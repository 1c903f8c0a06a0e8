package web

import (
	"bytes"
	"container/list"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

// Document is what is served: built once, then only copied.
type Document struct {
	Body      []byte
	MediaType string    // the Content-Type
	Modified  time.Time // zero: unknown
}

// Cache keeps documents as bytes, plain and compressed, by key and version. The
// zero Cache is ready and keeps 64 MiB.
type Cache struct {
	MaxBytes int64

	mu      sync.Mutex
	entries map[string]*list.Element
	recent  list.List // of *cached, the most recently served first
	bytes   int64
}

type cached struct {
	key, version string
	doc          Document
	zipped       []byte // nil where it would not be smaller
	etag         string // of the plain bytes, without quotes
}

func (c *cached) size() int64 { return int64(len(c.doc.Body) + len(c.zipped) + 512) }

// Serve answers GET or HEAD with the document of a key. While version stays the
// same, build is not called again. An error of build comes back unanswered.
func (c *Cache) Serve(w http.ResponseWriter, r *http.Request, key, version string, build func() (Document, error)) error {
	entry := c.get(key, version)
	if entry == nil {
		doc, err := build()
		if err != nil {
			return err
		}
		entry = newCached(key, version, doc)
		c.put(entry)
	}
	entry.serve(w, r)
	return nil
}

func newCached(key, version string, doc Document) *cached {
	sum := sha256.Sum256(doc.Body)
	e := &cached{key: key, version: version, doc: doc, etag: hex.EncodeToString(sum[:12])}
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	z.Write(doc.Body) // into memory: it can't fail
	z.Close()
	if buf.Len() < len(doc.Body)*9/10 {
		e.zipped = buf.Bytes()
	}
	return e
}

func (c *Cache) get(key, version string) *cached {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.entries[key]
	if !ok || at.Value.(*cached).version != version {
		return nil
	}
	c.recent.MoveToFront(at)
	return at.Value.(*cached)
}

func (c *Cache) put(e *cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.entries = make(map[string]*list.Element)
	}
	if old, ok := c.entries[e.key]; ok {
		c.drop(old)
	}
	c.entries[e.key] = c.recent.PushFront(e)
	c.bytes += e.size()
	limit := c.MaxBytes
	if limit <= 0 {
		limit = 64 << 20
	}
	for c.bytes > limit && c.recent.Len() > 1 {
		c.drop(c.recent.Back())
	}
}

func (c *Cache) drop(at *list.Element) {
	e := c.recent.Remove(at).(*cached)
	delete(c.entries, e.key)
	c.bytes -= e.size()
}

// serve writes the document with its validators (RFC 9110 §8.8); the compressed
// form has an ETag of its own, as it has other bytes.
func (e *cached) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", e.doc.MediaType)
	h.Set("Cache-Control", "public, max-age=60")
	h.Set("Vary", "Accept-Encoding, Accept-Language")
	body, etag := e.doc.Body, `"`+e.etag+`"`
	if e.zipped != nil && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body, etag = e.zipped, `"`+e.etag+`-gz"`
	}
	h.Set("ETag", etag)
	if h.Get("Content-Encoding") != "" {
		// ServeContent leaves out the length of encoded bodies, and would serve
		// ranges of them; both are ours to say.
		r = withoutRange(r)
	}
	http.ServeContent(w, r, "", e.doc.Modified, bytes.NewReader(body))
}

func withoutRange(r *http.Request) *http.Request {
	if r.Header.Get("Range") == "" {
		return r
	}
	r = r.Clone(r.Context())
	r.Header.Del("Range")
	return r
}

// acceptsGzip reads Accept-Encoding (RFC 9110 §12.5.3).
func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(part, ";")
		if c := strings.TrimSpace(coding); !strings.EqualFold(c, "gzip") && c != "*" {
			continue
		}
		q := strings.ReplaceAll(params, " ", "")
		return q != "q=0" && !strings.HasPrefix(q, "q=0.000") && q != "q=0.0" && q != "q=0.00"
	}
	return false
}
