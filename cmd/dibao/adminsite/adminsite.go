// Package adminsite serves the pages for admins on admin_addr: what dibao status shows, and
// the health of sources, mailings and lists. Pages are read-only, name the commands that
// change what they show, and do not contain addresses of readers.
package adminsite

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path"
	"strings"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/status"
	"dibao/digest"
	"dibao/feed"
	"dibao/internal/plural"
	"dibao/internal/web"
	"dibao/subscribers"
	"dibao/templates"
)

// Site serves the pages of a node. All fields are required.
type Site struct {
	Node     status.Node
	SiteName string
	BaseURL  string // base address of the public pages
}

// page is a page for admins.
type page interface{ Render(w io.Writer) error }

// Register registers the pages on the admin address.
func (s *Site) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", s.serve(s.overview))
	mux.HandleFunc("GET /sources", s.serve(s.sources))
	mux.HandleFunc("GET /sources/{id}", s.serve(s.source))
	mux.HandleFunc("GET /mailings", s.serve(s.mailings))
	mux.HandleFunc("GET /mailings/{n}", s.serve(s.mailing))
	mux.HandleFunc("GET /lists", s.serve(s.lists))
	mux.HandleFunc("GET /lists/{slug}", s.serve(s.list))
	mux.HandleFunc("GET /help/{$}", s.serve(s.help))
	mux.HandleFunc("GET /help/{page}", s.serve(s.help))
	missing := s.serve(func(context.Context, *http.Request, templates.AdminPage) (page, error) { return nil, feed.ErrNotFound })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { web.NoRoute(w, r, mux, missing) })
	mux.HandleFunc("GET /static/{name}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		body, ok := templates.Static(name)
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		if path.Ext(name) == ".svg" {
			w.Header().Set("Content-Type", "image/svg+xml")
		} else {
			w.Header().Set("Content-Type", "text/css; charset=utf-8")
		}
		w.Write(body)
	})
}

// serve answers with a page, which it builds for each request.
func (s *Site) serve(read func(ctx context.Context, r *http.Request, p templates.AdminPage) (page, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
		if !isOurs(r.Host) {
			http.Error(w, "These pages are served only for this server's own address; configure the proxy to send Host: 127.0.0.1, or use an SSH tunnel.\n"+
				"本页面只接受以服务器自身地址发来的请求；请让反向代理发送 Host: 127.0.0.1，或使用 SSH 隧道。", http.StatusMisdirectedRequest)
			return
		}
		p := s.page(web.Language(r))
		p.Chosen, p.Canonical = web.LanguageChosen(r), r.URL.EscapedPath()
		v, err := read(r.Context(), r, p)
		status := http.StatusOK
		switch {
		case errors.Is(err, feed.ErrNotFound), errors.Is(err, digest.ErrNotFound), errors.Is(err, subscribers.ErrNotFound):
			p.Title, status = s.voice(p).say("missing"), http.StatusNotFound
			v = templates.AdminMissing{AdminPage: p}
		case err != nil:
			s.Node.Log.Error("admin page not read", "url", r.URL.Path, "err", err)
			http.Error(w, "The figures could not be read; see the log.\n数据读取失败，详见日志。", http.StatusInternalServerError)
			return
		}
		var buf bytes.Buffer
		if err := v.Render(&buf); err != nil {
			s.Node.Log.Error("admin page not written", "url", r.URL.Path, "err", err)
			http.Error(w, "The page could not be written; see the log.\n页面生成失败，详见日志。", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		if _, err := buf.WriteTo(w); err != nil {
			s.Node.Log.Debug("response not written", "err", err) // the browser disconnected
		}
	}
}

// isOurs reports whether a request addresses this server as part of our own network: by an
// IP address, or by a name without dots. Somebody else's page whose host name resolves to our
// address (DNS rebinding) fails this check.
func isOurs(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	return host != "" && !strings.Contains(host, ".")
}

// page returns the common parts of all pages.
func (s *Site) page(language string) templates.AdminPage {
	return templates.AdminPage{
		Page: templates.Page{Language: language, SiteName: s.SiteName, NoIndex: true},
		At:   cli.ShortTime(s.Node.Articles.Now(), s.Node.Zone), Zone: s.Node.Zone.String(), Version: cli.VersionLine(),
	}
}

// voice formats values in the language of a page's reader.
type voice struct {
	language string
	*Site
}

func (s *Site) voice(p templates.AdminPage) voice { return voice{p.Language, s} }

func (v voice) say(key string, args ...any) string {
	return templates.Words(v.language, "admin."+key, args...)
}

// code translates a code, such as a state, given the heading under which dibao prints
// it.
func (v voice) code(heading, code string) string {
	if v.language == "zh" {
		return cli.Code(heading, code)
	}
	return code
}

// sentence translates a sentence of the program, such as an error, into the page's
// language.
func (v voice) sentence(english string) string {
	if v.language == "zh" && english != "" {
		return cli.Chinese(english)
	}
	return plural.English(english)
}

// class returns the color class for the state of a source.
func class(s feed.State) string {
	switch s {
	case feed.StateOK:
		return "good"
	case feed.StateQuiet, feed.StateFlood:
		return "wait"
	case feed.StateFailing, feed.StateChanged, feed.StateGone, feed.StateBlocked:
		return "bad"
	}
	return "plain"
}

// mailingClass returns the color class for the state of a mailing.
func mailingClass(state string) string {
	switch state {
	case "done":
		return "good"
	case "paused":
		return "wait"
	case "cancelled":
		return "bad"
	}
	return "plain"
}
