package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"dibao/cmd/dibao/mailer"
	"dibao/feed/hub"
	"dibao/feed/publish"
	"dibao/internal/certificates"
	"dibao/internal/fetch"
	"dibao/internal/redact"
	"dibao/internal/web"
	"dibao/subscribers"
	"dibao/subscribers/mailaddr"
)

// hub returns our WebSub hub for the feeds on a mux.
func (a *app) hub(mux *http.ServeMux) *hub.Hub {
	return &hub.Hub{
		Store: a.articles, Site: mux, BaseURL: a.config.Server.BaseURL, Logger: a.log,
		Others: a.config.Server.Hubs, Topics: a.hubTopics,
		// Requests to callbacks must not wait for sources, and their responses are short.
		Fetch:       fetch.Options{UserAgent: userAgent(a.config), Timeout: 10 * time.Second, MaxBytes: 64 << 10, PerHost: 4, Now: time.Now},
		HourlyBytes: int64(a.config.Server.HubRate) << 20,
		Limiter:     &web.Limiter{Burst: 30, Every: 2 * time.Second, Global: 20, Now: time.Now},
	}
}

// hubTopics returns the feeds whose changes are sent to other hubs: everything and each
// list.
func (a *app) hubTopics(ctx context.Context) ([]string, error) {
	lists, err := a.subscribers.Lists(ctx)
	paths := []string{"/"}
	for _, l := range lists {
		if l.Visibility == subscribers.Public {
			paths = append(paths, l.Path())
		}
	}
	var topics []string
	for _, p := range paths {
		for _, f := range publish.Formats {
			topics = append(topics, p+"feed"+f.Suffix)
		}
	}
	return topics, err
}

// registerSite registers the files that tell programs how to use this site.
func (a *app) registerSite(mux *http.ServeMux) {
	base, path := a.config.Server.BaseURL, web.BasePath(a.config.Server.BaseURL)
	mux.HandleFunc("GET /robots.txt", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "public, max-age=3600")
		fmt.Fprintf(w, "User-agent: *\nDisallow: %s%s\nDisallow: %[1]s/search\nDisallow: %[1]s/api/\n\nSitemap: %[3]s/sitemap.xml\n",
			path, strings.Join(redact.TokenPaths, "\nDisallow: "+path), base)
	})
	mux.HandleFunc("GET /.well-known/security.txt", func(w http.ResponseWriter, r *http.Request) {
		contact := a.contact()
		if contact == "" { // RFC 9116 requires a contact, and a wrong one is worse than no file
			web.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		// The date is less than a year ahead (RFC 9116 §2.5.5) and stays the same for a
		// month.
		now := time.Now().UTC()
		expires := time.Date(now.Year(), now.Month()+7, 1, 0, 0, 0, 0, time.UTC)
		fmt.Fprintf(w, "Contact: %s\nExpires: %s\nPreferred-Languages: zh, en\nCanonical: %s/.well-known/security.txt\n", contact, expires.Format(time.RFC3339), base)
	})
}

// contact returns the address for reports of vulnerabilities: the configured one, or else
// our sender, unless nobody reads its mail.
func (a *app) contact() string {
	if c := a.config.Server.Contact; c != "" {
		return c
	}
	from, err := mailer.Sender(a.config)
	if err != nil || a.config.Mail.From == "" || mailaddr.RoleOf(from.Address) == mailaddr.RoleMachine {
		return ""
	}
	return "mailto:" + from.Address
}

// tls returns the TLS settings of the public address; nil means that a proxy encrypts, or there is no
// encryption.
func (a *app) tls() (*tls.Config, error) {
	s := a.config.Server
	switch {
	case s.TLSCert == "" && s.TLSKey == "" && len(s.ACMEHosts) == 0:
		return nil, nil
	case (s.TLSCert != "" || s.TLSKey != "") && len(s.ACMEHosts) > 0:
		return nil, errors.New("tls_cert and acme_hosts in [server] are mutually exclusive; set one of them")
	case len(s.ACMEHosts) == 0:
		return certificate(s.TLSCert, s.TLSKey, "tls_cert and tls_key in [server]")
	}
	return web.TLSByACME(s.ACMEHosts, certificates.Cache(a.db, a.member.ID(), s.ACMEDir), s.ACMEDirectory), nil
}

// certificate reads the two files that the configuration names.
func certificate(cert, key, keys string) (*tls.Config, error) {
	if cert == "" || key == "" {
		return nil, fmt.Errorf("%s belong together; set both or neither", keys)
	}
	c, err := web.TLSFiles(cert, key)
	if err != nil {
		return nil, fmt.Errorf("%w; check %s", err, keys)
	}
	return c, nil
}

// isSecure reports whether readers reach us by HTTPS, directly or through a proxy.
func (a *app) isSecure() bool { return strings.HasPrefix(a.config.Server.BaseURL, "https://") }
