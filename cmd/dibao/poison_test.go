package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"dibao/cmd/dibao/demo"
	"dibao/internal/trust"
)

// TestRequestsDoNotNameOurSite sends requests with another Host and with headers of
// proxies, from a peer that is not a trusted proxy: no page, feed, redirect or email
// repeats it, and the next reader gets the right page from the cache.
func TestRequestsDoNotNameOurSite(t *testing.T) {
	var p poisoner
	if _, err := demoOnce(t, demo.Options{AfterSteps: func(d *demo.Demo) { p.all(t, d) }}, ""); err != nil {
		t.Fatal(err)
	}
	trust.Report(t, "answers that repeat a host of a request", "%d of %d answers and %d of %d emails", p.poisoned, p.answers, p.poisonedMails, p.mails)
}

// evilHeader contains headers that name another site.
const evilHeader = "X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: evil\r\nX-Forwarded-Port: 666\r\nX-Forwarded-Prefix: /evil.example\r\n" +
	"X-Host: evil.example\r\nX-Original-URL: /evil.example\r\nX-Rewrite-URL: /evil.example\r\nForwarded: host=evil.example;proto=evil\r\n" +
	"X-Forwarded-For: evil.example\r\nX-HTTP-Method-Override: POST\r\nOrigin: https://evil.example\r\nReferer: https://evil.example/\r\n"

// ask sends a GET exactly as written and returns the whole answer.
func ask(t *testing.T, addr, target, host, header string) (res *http.Response, body string) {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n", target, host, header)
	if res, err = http.ReadResponse(bufio.NewReader(c), nil); err != nil {
		t.Fatalf("%s: %v", target, err)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s: %v", target, err)
	}
	return res, string(b)
}

// poisoner counts responses and emails, and those of them that repeat a host.
type poisoner struct{ answers, poisoned, mails, poisonedMails int }

func (p *poisoner) all(t *testing.T, d *demo.Demo) {
	base, err := url.Parse(d.Config.Server.BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	targets := []string{
		"/", "/feed.xml", "/feed.atom", "/feed.json", "/lists", "/lists/weekly", "/lists/weekly/", "/lists/weekly/feed.xml", "/articles/1", "/search?q=a", "/subscribe",
		"/opml", "/sitemap.xml", "/robots.txt", "/.well-known/security.txt", "/calendar.ics", "/documents/", "/nothing", "/static/style.css",
		"//evil.example/", "//evil.example/..", "/%2fevil.example", "/\\evil.example/", "/./evil.example/../lists/weekly", "http://evil.example/feed.xml",
	}
	for _, target := range targets {
		before, plain := ask(t, base.Host, target, base.Host, "")
		res, body := ask(t, base.Host, target, "evil.example", evilHeader)
		after, again := ask(t, base.Host, target, base.Host, "")
		p.answers++
		switch {
		case res.StatusCode >= 500:
			t.Errorf("%s: %s", target, res.Status)
		case !strings.Contains(target, "evil") && strings.Contains(body+fmt.Sprint(res.Header), "evil"):
			p.poisoned++
			t.Errorf("%s repeats what the request named: %v\n%s", target, res.Header, body)
		case demo.StartedField.ReplaceAllString(plain, "") != demo.StartedField.ReplaceAllString(again, "") || before.StatusCode != after.StatusCode:
			t.Errorf("%s is another page after a request with another host", target)
		}
		if to, err := url.Parse(res.Header.Get("Location")); err != nil || to.Host != "" && to.Host != base.Host || strings.HasPrefix(to.Path, "//") || strings.HasPrefix(to.Path, `/\`) {
			t.Errorf("%s redirects to %q", target, res.Header.Get("Location"))
		}
	}
	traverse(t, base.Host)
	p.form(t, d)
}

// traverse requests files that the server must not serve, by path traversal.
func traverse(t *testing.T, addr string) {
	for _, file := range []string{"../../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "..%5c..%5cetc%5cpasswd", "....//....//etc/passwd", "%2fetc%2fpasswd", "style.css%00.html", "../config.toml", "..%c0%af..%c0%afetc%c0%afpasswd", "%252e%252e%252fetc/passwd"} {
		for _, folder := range []string{"/static/", "/lists/weekly/", "/articles/", "/sources/", "/.well-known/"} {
			res, body := ask(t, addr, folder+file, addr, "")
			if res.StatusCode == http.StatusOK || res.StatusCode >= 500 || strings.Contains(body, "root:") {
				t.Errorf("%s%s: %s\n%.200s", folder, file, res.Status, body)
			}
		}
	}
}

// form subscribes with another Host: the email leads to our own site.
func (p *poisoner) form(t *testing.T, d *demo.Demo) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	already := d.Box.Count()
	page, err := d.Get(ctx, d.Config.Server.BaseURL+"/subscribe?list=weekly")
	if err != nil {
		t.Fatal(err)
	}
	stamp := demo.StartedField.FindSubmatch(page)
	if stamp == nil {
		t.Fatal("the form has no time stamp")
	}
	time.Sleep(demo.FormPause)
	form := url.Values{"address": {"poisoned@demo.example"}, "list": {"weekly"}, "started": {string(stamp[1])}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.Config.Server.BaseURL+"/subscribe", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "evil.example"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Forwarded-Host", "evil.example")
	if _, err := d.Do(r); err != nil {
		t.Fatal(err)
	}
	if err := d.Box.Wait(ctx, already+1); err != nil {
		t.Fatal(err)
	}
	for _, m := range d.Box.Messages() {
		p.mails++
		if strings.Contains(string(m.Raw)+m.Text+m.HTML, "evil.example") {
			p.poisonedMails++
			t.Errorf("an email to %s names another site:\n%s", m.To, m.Text)
		}
	}
}
