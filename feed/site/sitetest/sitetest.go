// Package sitetest provides, for tests, the public pages over a database that a test fills.
package sitetest

import (
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"time"

	"dibao/feed"
	"dibao/feed/publish/feedtest"
	"dibao/feed/site"
	"dibao/internal/database"
	"dibao/internal/lazyregexp"
	"dibao/internal/web"
)

// BaseURL is the base address of the site, without a trailing slash.
const BaseURL = "https://policy.example"

// Site is a site with feeds over a database that a test fills.
type Site struct {
	*testing.T
	db    *database.DB
	Store *feed.Store
	Mux   *http.ServeMux
	Now   time.Time // the clock of the store
}

// New opens a site with two sources: source 1 is official; of source 2 only links may be
// shown.
func New(t *testing.T, db *database.DB) *Site {
	s := &Site{T: t, db: db, Now: Clock()}
	s.Restart()
	s.Exec(`INSERT INTO sources (id, url, kind, name, licence, next_at, created_at) VALUES (1, 'https://a.example/', 'feed', '甲', 'official', $1, $1), (2, 'https://b.example/', 'feed', '乙', 'link-only', $1, $1)`, Clock())
	return s
}

// Restart clears all memory, as if the node had been restarted.
func (s *Site) Restart() {
	s.Mux, s.Store = http.NewServeMux(), feed.NewStore(s.db, func() time.Time { return s.Now })
	h := &site.Web{Store: s.Store, Cache: &web.Cache{}, SiteName: "邸报", BaseURL: BaseURL, Zone: time.UTC, Logger: slog.New(slog.DiscardHandler)}
	h.Register(s.Mux)
}

func (s *Site) Exec(query string, args ...any) {
	s.Helper()
	err := s.db.Write(s.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(s.Context(), query, args...)
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
}

// Add stores articles with the ids from..to; place returns the theme and source
// of each.
func (s *Site) Add(from, to int, place func(id int) (source int, theme string)) {
	s.Helper()
	err := s.db.Write(s.Context(), func(tx *sql.Tx) error {
		for id := from; id <= to; id++ {
			source, theme := place(id)
			facts := fmt.Sprintf(`{"title":"第%d号通知","summary":"摘要","kind":"document","theme":%q,"published_on":"2026-11-20"}`, id, theme)
			if _, err := tx.ExecContext(s.Context(), `INSERT INTO articles (id, source, guid, url, title, theme, facts, content, page_state, collected_at, updated_at)
				VALUES ($1, $2, $3, $3, $4, $5, $6, '<p>正文</p>', 'complete', $7, $7)`,
				id, source, fmt.Sprintf("https://a.example/%d", id), "通知", theme, facts, s.Now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.Fatal(err)
	}
}

// Get returns the response to a GET; header has names and values in turn.
func (s *Site) Get(path string, header ...string) *http.Response {
	s.Helper()
	r := httptest.NewRequest("GET", path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.Mux.ServeHTTP(w, r)
	return w.Result()
}

// Read returns the body of a response with status 200.
func (s *Site) Read(path string, header ...string) string {
	s.Helper()
	res := s.Get(path, header...)
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		s.Fatalf("%s: %d, %v", path, res.StatusCode, err)
	}
	return string(b)
}

var articleNumber = lazyregexp.New(`/articles/(\d+)</link>`)

// Walk reads a feed and all its archive documents. It returns how often each article occurs
// in them, and the documents by path.
func (s *Site) Walk(path string) (items map[string]int, documents map[string]string) {
	s.Helper()
	items, documents = make(map[string]int), make(map[string]string)
	for next := path; next != ""; {
		body := s.Read(next)
		if p := feedtest.Validate("rss", BaseURL+next, []byte(body)); len(p) > 0 {
			s.Fatalf("%s: %v", next, p)
		}
		documents[next] = body
		for _, m := range articleNumber.FindAllStringSubmatch(body, -1) {
			items[m[1]]++
		}
		m := regexp.MustCompile(`href="` + BaseURL + `([^"]*)" rel="prev-archive"`).FindStringSubmatch(body)
		if next = ""; m != nil {
			next = m[1]
		}
	}
	return items, documents
}

// Clock is the time at which a test begins.
func Clock() time.Time { return time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC) }
