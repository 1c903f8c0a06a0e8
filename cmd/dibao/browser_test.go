package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"dibao/cmd/dibao/demo"
	"dibao/cmd/dibao/demo/mailbox"
	"dibao/feed"
	"dibao/policy"
	"dibao/subscribers"
	"dibao/templates/templatestest"
)

// TestPagesInABrowser opens the pages and the mail of a demo in a real browser, narrow and
// wide, light and dark: no error on the console, nothing wider than the window, no request
// to another host, readable text. If DIBAO_SCREENSHOTS is set to a folder, a picture of
// every page is stored there; with DIBAO_PICTURES=1 the pictures in the documentation are
// created again.
func TestPagesInABrowser(t *testing.T) {
	ctx := templatestest.Browser(t)
	o := demo.Options{AfterSteps: func(d *demo.Demo) { lookAt(ctx, t, d) }}
	if _, err := demoOnce(t, o, ""); err != nil {
		t.Fatal(err)
	}
}

func lookAt(ctx context.Context, t *testing.T, d *demo.Demo) {
	var mu sync.Mutex
	var complaints []string
	complain := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		complaints = append(complaints, fmt.Sprintf(format, args...))
	}
	err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			complain("exception: %s", e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.ConsoleAPICalledTypeError {
				complain("console error")
			}
		case *log.EventEntryAdded:
			if e.Entry.Level == log.EntryLevelError {
				complain("console: %s (%s)", e.Entry.Text, e.Entry.URL)
			}
		case *network.EventRequestWillBeSent:
			if u, err := url.Parse(e.Request.URL); err == nil && u.Host != "" && u.Hostname() != "127.0.0.1" {
				complain("request to another host: %s", e.Request.URL)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	axe := templatestest.Axe(t)
	for _, p := range sights(t, d) {
		mu.Lock()
		complaints = nil
		mu.Unlock()
		look, stop := context.WithTimeout(ctx, time.Minute)
		for _, complaint := range visitPage(look, t, p, axe) {
			t.Errorf("%s: %s", p.name, complaint)
		}
		stop()
		mu.Lock()
		for _, c := range complaints {
			if p.missing && strings.Contains(c, "404") {
				continue // the checked page is the error page
			}
			t.Errorf("%s: %s", p.name, c)
		}
		mu.Unlock()
	}
}

// sight is a page to check.
type sight struct {
	name, address string
	widths        []int64 // nil means narrow, middle and wide
	missing       bool    // it answers 404
	foreign       bool    // not a page of ours: an email, or the demo's own mailbox
}

// sights returns all pages of a finished demo. Pages that depend on what the demo
// understood are found by the links to them.
func sights(t *testing.T, d *demo.Demo) []sight {
	base := d.Config.Server.BaseURL
	box := strings.TrimSuffix(d.BoxURL, "/")
	wide := []int64{360, 1280}
	all := []sight{
		{name: "mail", address: fmt.Sprintf("%s/%d/html", box, d.Box.Count()), widths: []int64{360, 640}, foreign: true},
		{name: "mailbox", address: box + "/", widths: wide, foreign: true},
	}
	for _, p := range []struct{ name, path string }{
		{"home", "/"}, {"list", "/lists/weekly/"}, {"archive", "/lists/weekly/issues/"}, {"issue", "/lists/weekly/issues/1"},
		{"subscribe", "/subscribe"}, {"themes", "/themes/"}, {"issuers", "/issuers/"}, {"regions", "/regions/"}, {"sources", "/sources/"}, {"source", "/sources/1/"}, {"lists", "/lists/"}, {"feed", "/feed.xml"},
		{"calls", "/calls/"}, {"search", "/search"}, {"found", "/search?q=养老"}, {"narrowed", "/search?q=养老&kind=document"}, {"number", "/search?q=样政发[2026]12号"}, {"nothing", "/search?q=无此词语"},
		{"notfound", "/no/such/page"},
	} {
		missing, mark := p.name == "notfound", "?"
		if strings.Contains(p.path, "?") {
			mark = "&"
		}
		all = append(all, sight{name: p.name, address: base + p.path + mark + "lang=zh", missing: missing},
			sight{name: p.name + "-en", address: base + p.path + mark + "lang=en", widths: wide, missing: missing})
	}
	articles, err := d.Articles.Articles(t.Context(), feed.Selection{Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	// The pages of readers have the links of their emails, except for the reader who
	// unsubscribed and whose confirmation link is gone.
	gone, err := d.Subscribers.Subscribers(t.Context(), subscribers.Selection{State: subscribers.StateUnsubscribed})
	if err != nil {
		t.Fatal(err)
	}
	mails := slices.DeleteFunc(d.Box.Messages(), func(m mailbox.Message) bool {
		return slices.ContainsFunc(gone, func(s subscribers.Subscriber) bool { return s.Address == m.To })
	})
	tokens := regexp.MustCompile(regexp.QuoteMeta(base) + `/(preferences|u|confirm)/[A-Za-z0-9_-]+`)
	found := make(map[string]bool)
	for i := len(mails) - 1; i >= 0; i-- {
		for _, m := range tokens.FindAllStringSubmatch(mails[i].Text+" "+mails[i].Unsubscribe, -1) {
			if !found[m[1]] {
				found[m[1]] = true
				all = append(all, sight{name: m[1], address: m[0] + "?lang=zh"}, sight{name: m[1] + "-en", address: m[0] + "?lang=en", widths: wide})
			}
		}
	}
	for _, name := range []string{"preferences", "u", "confirm"} {
		if !found[name] {
			t.Errorf("no mail has a link to /%s/", name)
		}
	}
	documents, err := d.Articles.Documents(t.Context(), feed.DocumentSelection{Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	longest := 0
	for _, doc := range documents {
		chain, err := d.Articles.Chain(t.Context(), doc.ID)
		if err != nil {
			t.Fatal(err)
		}
		page := base + "/documents/" + url.PathEscape(doc.Number)
		if len(chain.Steps) > longest {
			longest = len(chain.Steps)
			all = append(all, sight{name: "document-chained", address: page + "?lang=zh"}, sight{name: "document-chained-en", address: page + "?lang=en", widths: wide},
				sight{name: "chain", address: page + "/chain?lang=zh"}, sight{name: "chain-en", address: page + "/chain?lang=en", widths: wide})
		}
		if doc.RepealedBy != 0 {
			all = append(all, sight{name: "document-repealed", address: page + "?lang=zh"})
		}
	}
	if longest == 0 {
		t.Error("the demo has no document that another implements")
	}
	seen := make(map[policy.Kind]bool)
	for _, a := range articles { // one of each kind
		if !seen[a.Facts.Kind] {
			seen[a.Facts.Kind] = true
			all = append(all, sight{name: "article-" + string(a.Facts.Kind), address: fmt.Sprintf("%s/articles/%d?lang=zh", base, a.ID)},
				sight{name: "article-" + string(a.Facts.Kind) + "-en", address: fmt.Sprintf("%s/articles/%d?lang=en", base, a.ID), widths: wide},
				sight{name: "changes-" + string(a.Facts.Kind), address: fmt.Sprintf("%s/articles/%d/changes?lang=zh", base, a.ID), widths: wide})
		}
	}
	return all
}

// visitPage opens a page and checks it in windows of all its widths, light and dark, and
// reports what is wrong with it.
func visitPage(ctx context.Context, t *testing.T, p sight, axe string) (wrong []string) {
	t.Helper()
	run := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", p.address, err)
		}
	}
	widths := p.widths
	if widths == nil {
		widths = []int64{360, 768, 1280}
	}
	run(chromedp.Do(ctx, chromedp.Navigate(p.address)))
	if axe != "" && !p.foreign {
		// The debugger runs it, so the page's policy against scripts does not apply.
		run(chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](axe+";0")))
	}
	for _, width := range widths {
		for _, scheme := range []string{"light", "dark"} {
			where := fmt.Sprintf("%d-%s", width, scheme)
			_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1})
			run(err)
			_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			})
			run(err)
			overflow, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
			run(err)
			if overflow > 0 {
				wrong = append(wrong, fmt.Sprintf("%s: %d pixels wider than the window", where, overflow))
			}
			if dir := os.Getenv("DIBAO_SCREENSHOTS"); dir != "" {
				picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
				run(err)
				run(os.WriteFile(filepath.Join(dir, p.name+"-"+where+".png"), picture, 0o644))
			}
			if p.foreign { // the sandbox of an email does not run scripts
				ink, err := chromedp.Run(ctx, chromedp.Evaluate[string](`getComputedStyle(document.querySelector('h1')).color`))
				run(err)
				paper, err := chromedp.Run(ctx, chromedp.Evaluate[string](`(function(e){for(;e;e=e.parentElement){
					const c=getComputedStyle(e).backgroundColor;if(c!=='rgba(0, 0, 0, 0)')return c}return 'rgb(255, 255, 255)'})(document.querySelector('h1'))`))
				run(err)
				if c := contrast(ink, paper); c < 4.5 {
					wrong = append(wrong, fmt.Sprintf("%s: the heading has contrast %.1f (%s on %s), want 4.5", where, c, ink, paper))
				}
				continue
			}
			if axe == "" {
				continue
			}
			violations, err := templatestest.Violations(ctx)
			run(err)
			for _, v := range violations {
				wrong = append(wrong, where+": axe: "+v)
			}
		}
	}
	if pic, ok := pictures[p.name]; ok && os.Getenv("DIBAO_PICTURES") != "" {
		run(take(ctx, pic))
	}
	return wrong
}

// contrast returns the contrast ratio of two colors as browsers format them (WCAG 2.2
// §1.4.3).
func contrast(a, b string) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func luminance(color string) float64 {
	var r, g, b float64
	if _, err := fmt.Sscanf(strings.NewReplacer("rgba", "rgb", ",", " ").Replace(color), "rgb(%f %f %f", &r, &g, &b); err != nil {
		return 0.5 // an unknown color: the check fails
	}
	linear := func(c float64) float64 {
		c /= 255
		if c <= 0.04045 {
			return c / 12.92
		}
		x := (c + 0.055) / 1.055
		return x * x * (0.6 + 0.4*x) // close enough to the power of 2.4
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}
