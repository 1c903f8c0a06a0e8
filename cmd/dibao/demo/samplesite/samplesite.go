// Package samplesite is the site that the demo collects: a small one of
// invented agencies that ships with the program, similar to the sites that
// dibao is made for (list pages without a feed, one of them in GB2312, an RSS
// and an Atom feed), or saved pages from a folder.
package samplesite

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"dibao/feed/ingest"
	"dibao/feed/ingest/literal"
)

// Site is a site for the demo to serve and collect from.
type Site struct {
	Now     time.Time // when its pages are new: the clock of the demo starts at this time
	Sources []Source
	Handler http.Handler

	mu     sync.Mutex
	pages  map[string]page
	broken map[string]int
}

// Source is a source of the site.
type Source struct {
	URLPath  string
	Kind     string // as in feed/ingest
	Name     string
	Issuer   string
	Region   string
	Licence  string // as in feed
	Settings ingest.Settings
}

type page struct {
	contentType string
	body        []byte
	etag        string
}

func newSite(now time.Time) *Site {
	s := &Site{Now: now, pages: make(map[string]page), broken: make(map[string]int)}
	s.Handler = http.HandlerFunc(s.serve)
	return s
}

// Break makes a path answer with a status; "" means every path.
func (s *Site) Break(path string, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken[path] = status
}

func (s *Site) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	status := max(s.broken[r.URL.Path], s.broken[""])
	p, ok := s.pages[r.URL.Path]
	s.mu.Unlock()
	switch {
	case status != 0:
		http.Error(w, http.StatusText(status), status)
	case !ok:
		http.NotFound(w, r)
	case p.etag != "" && r.Header.Get("If-None-Match") == p.etag:
		w.Header().Set("ETag", p.etag)
		w.WriteHeader(http.StatusNotModified)
	default:
		// Old sites don't send their character set in the header.
		w.Header()["Content-Type"] = []string{p.contentType}
		if p.etag != "" {
			w.Header().Set("ETag", p.etag)
		}
		w.Write(p.body)
	}
}

// saved is the file site.json in a folder of saved pages.
type saved struct {
	Now         time.Time         `json:"now"`
	List        string            `json:"list"`
	Lists       []string          `json:"lists"` // more list pages
	ContentType string            `json:"content_type"`
	Pages       map[string]string `json:"pages"`
}

// Limits on what is read from a folder.
const (
	maxPages     = 10_000
	maxPageBytes = 10 << 20
)

// Open reads a folder of saved pages: its site.json names the list pages, maps
// paths to files, and gives the time at which the pages were news.
func Open(dir string) (*Site, error) {
	name := filepath.Join(dir, "site.json")
	b, err := readFile(name)
	if err != nil {
		return nil, fmt.Errorf("%w; a folder of saved pages needs a site.json that names the list page and maps paths to files", err)
	}
	var conf saved
	if err := json.Unmarshal(b, &conf); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	switch {
	case conf.Now.IsZero():
		return nil, fmt.Errorf("%s: \"now\" is missing; write the time at which the pages were news, such as 2011-06-24T09:00:00+08:00", name)
	case conf.Pages[conf.List] == "":
		return nil, fmt.Errorf("%s: \"list\" is %q, which \"pages\" maps to no file", name, conf.List)
	case slices.ContainsFunc(conf.Lists, func(path string) bool { return conf.Pages[path] == "" }):
		return nil, fmt.Errorf("%s: \"pages\" does not map all paths in \"lists\" to files", name)
	case len(conf.Pages) > maxPages:
		return nil, fmt.Errorf("%s: more than %d pages", name, maxPages)
	}
	if conf.ContentType == "" {
		conf.ContentType = "text/html"
	}
	s := newSite(conf.Now)
	for path, file := range conf.Pages {
		if !strings.HasPrefix(path, "/") || !filepath.IsLocal(file) {
			return nil, fmt.Errorf("%s: %q → %q is not allowed; paths begin with a slash, files are in the folder", name, path, file)
		}
		body, err := readFile(filepath.Join(dir, file))
		if err != nil {
			return nil, fmt.Errorf("%s: page %s: %w", name, path, err)
		}
		s.pages[path] = page{contentType: conf.ContentType, body: body}
	}
	for i, path := range append([]string{conf.List}, conf.Lists...) {
		l := Source{URLPath: path, Kind: "page", Name: filepath.Base(filepath.Clean(dir))}
		if i > 0 {
			l.Name += " " + path
		}
		if literal.IsJSON(s.pages[path].body) {
			l.Kind = "json"
		}
		s.Sources = append(s.Sources, l)
	}
	return s, nil
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPageBytes+1))
	if err == nil && len(b) > maxPageBytes {
		err = fmt.Errorf("%s is larger than %d MB", name, maxPageBytes>>20)
	}
	return b, err
}
