package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// TestPagesInABrowser opens the pages and the mail of a demo in a real browser,
// narrow and wide, light and dark: no error on the console, nothing wider than
// the window, no request to another host, text that can be read. With
// DIBAO_SCREENSHOTS set to a folder the pictures are kept there.
func TestPagesInABrowser(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("chromium is not installed")
		}
		t.Skip("chromium is not installed; install the package chromium to see the pages in a browser")
	}
	o := demoOptions{afterWalk: func(d *demo) { lookAt(t, d, chromium) }}
	if _, err := demoOnce(t, o, ""); err != nil {
		t.Fatal(err)
	}
}

func lookAt(t *testing.T, d *demo, chromium string) {
	flags := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("lang", "zh-CN"),
		chromedp.Flag("hide-scrollbars", true), chromedp.Env("LANGUAGE=zh_CN"))
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	ctx, cancel = chromedp.NewExecAllocator(ctx, flags...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()

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
	base := d.config.Server.BaseURL
	box := strings.TrimSuffix(d.boxURL, "/")
	mail := fmt.Sprintf("%s/%d/html", box, d.box.Count())
	pages := []struct {
		name, address string
		widths        []int64
	}{
		{"home", base + "/?lang=zh", []int64{360, 1280}},
		{"list", base + "/lists/weekly/?lang=zh", []int64{360, 1280}},
		{"issue", base + "/lists/weekly/issues/1?lang=zh", []int64{360, 1280}},
		{"issue-en", base + "/lists/weekly/issues/1?lang=en", []int64{1280}},
		{"article", base + "/articles/15?lang=zh", []int64{360, 1280}},
		{"subscribe", base + "/subscribe?lang=zh", []int64{360, 1280}},
		{"mail", mail, []int64{360, 640}},
		{"mailbox", box + "/", []int64{360, 1280}},
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		for _, width := range p.widths {
			for _, scheme := range []string{"light", "dark"} {
				name := fmt.Sprintf("%s-%d-%s", p.name, width, scheme)
				mu.Lock()
				complaints = nil
				mu.Unlock()
				v := visit(ctx, t, p.address, width, scheme)
				if v.overflow > 0 {
					t.Errorf("%s is %d pixels wider than the window", name, v.overflow)
				}
				if c := contrast(v.ink, v.paper); c < 4.5 {
					t.Errorf("%s: the heading has contrast %.1f (%s on %s), want 4.5", name, c, v.ink, v.paper)
				}
				mu.Lock()
				for _, c := range complaints {
					t.Errorf("%s: %s", name, c)
				}
				mu.Unlock()
				if dir := os.Getenv("DIBAO_SCREENSHOTS"); dir != "" {
					if err := os.WriteFile(filepath.Join(dir, name+".png"), v.picture, 0o644); err != nil {
						t.Error(err)
					}
				}
			}
		}
	}
}

// visited is what a browser says of a page.
type visited struct {
	overflow   int // pixels wider than the window
	ink, paper string
	picture    []byte
}

// visit opens a page in a window of a width with a colour scheme.
func visit(ctx context.Context, t *testing.T, address string, width int64, scheme string) (v visited) {
	t.Helper()
	run := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s at %d, %s: %v", address, width, scheme, err)
		}
	}
	_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1})
	run(err)
	_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	run(err)
	run(chromedp.Do(ctx, chromedp.Navigate(address)))
	v.overflow, err = chromedp.Run(ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
	run(err)
	v.ink, err = chromedp.Run(ctx, chromedp.Evaluate[string](`getComputedStyle(document.querySelector('h1')).color`))
	run(err)
	v.paper, err = chromedp.Run(ctx, chromedp.Evaluate[string](`(function(e){for(;e;e=e.parentElement){
		const c=getComputedStyle(e).backgroundColor;if(c!=='rgba(0, 0, 0, 0)')return c}return 'rgb(255, 255, 255)'})(document.querySelector('h1'))`))
	run(err)
	v.picture, err = chromedp.Run(ctx, chromedp.FullScreenshot(100))
	run(err)
	return v
}

// contrast is the contrast ratio of two colours as browsers write them (WCAG 2.2 §1.4.3).
func contrast(a, b string) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func luminance(colour string) float64 {
	var r, g, b float64
	if _, err := fmt.Sscanf(strings.NewReplacer("rgba", "rgb", ",", " ").Replace(colour), "rgb(%f %f %f", &r, &g, &b); err != nil {
		return 0.5 // no colour that we know: the check fails
	}
	linear := func(c float64) float64 {
		c /= 255
		if c <= 0.04045 {
			return c / 12.92
		}
		x := (c + 0.055) / 1.055
		return x * x * (0.6 + 0.4*x) // near enough to the power of 2.4
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}
