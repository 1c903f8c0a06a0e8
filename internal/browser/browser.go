// Package browser renders pages in the admin's Chromium: it runs the scripts of a fetched page
// and returns the resulting markup.
//
// The browser has no network of its own. Each request of a page is intercepted and answered by
// internal/fetch, with the same guard, rate limits and robots.txt as all others; everything
// else (web sockets, workers, the browser's own services) goes to a proxy that refuses it. The
// browser keeps no cookies and does not bypass walls.
package browser

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/browser"
	cdpfetch "github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"dibao/internal/fetch"
)

// Limits on one page.
const (
	defaultDeadline = 30 * time.Second
	quietFor        = 700 * time.Millisecond // time without a request after which a page counts as rendered
	look            = 100 * time.Millisecond
	maxRequests     = 150
	maxBytes        = 20 << 20  // total size of all responses
	maxMarkup       = 5 << 20   // bytes of the rendered markup
	maxMemory       = 768 << 20 // bytes, for all processes of the browser
	maxHeap         = 256       // megabytes, for a page's scripts
)

// Browser renders one page at a time, each in a separate browser process. It is safe for
// concurrent use.
type Browser struct {
	Path     string // path of Chromium
	Client   *fetch.Client
	Deadline time.Duration // for one page; 0 is 30 s

	turn sync.Mutex
}

// New returns a browser. It starts no process until a page must be rendered.
func New(path string, client *fetch.Client) *Browser { return &Browser{Path: path, Client: client} }

// Render runs the scripts of a page that was fetched by req, and returns the
// response with the resulting markup. It ends when the page requests nothing
// more, or at the deadline with what is there.
func (b *Browser) Render(ctx context.Context, req fetch.Request, res *fetch.Response) (*fetch.Response, error) {
	b.turn.Lock()
	defer b.turn.Unlock()
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(b.Deadline, defaultDeadline))
	defer cancel()
	wall, err := newRefusingProxy()
	if err != nil {
		return nil, err
	}
	defer wall.Close()
	dir, err := os.MkdirTemp("", "dibao-browser-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var started *exec.Cmd
	alloc, stop := chromedp.NewExecAllocator(ctx, b.flags(dir, wall.Addr().String(), req.UserAgent, &started)...)
	defer stop()
	tab, closeTab := chromedp.NewContext(alloc)
	defer closeTab()
	d := &drawing{client: b.Client, req: req, page: res, asked: time.Now()}
	if err := d.start(tab); err != nil {
		return nil, fmt.Errorf("start the browser %s: %w", b.Path, err)
	}
	var tooMuch bool
	if started != nil && started.Process != nil {
		watched, end := context.WithCancel(tab)
		defer end()
		go func() {
			if watchMemory(watched, started.Process.Pid, maxMemory) {
				d.mu.Lock()
				tooMuch = true
				d.mu.Unlock()
				cancel()
			}
		}()
	}
	html, address, err := d.draw(tab)
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case tooMuch:
		return nil, fmt.Errorf("the page takes more than %d MB in the browser", maxMemory>>20)
	case err != nil:
		return nil, err
	}
	drawn := *res
	drawn.Body, drawn.URL, drawn.ETag, drawn.LastModified = []byte(html), cmp.Or(address, res.URL), "", ""
	drawn.Header = http.Header{"Content-Type": {"text/html; charset=utf-8"}}
	drawn.Hash = sha256.Sum256(drawn.Body)
	return &drawn, nil
}

// newRefusingProxy starts a proxy that refuses everything.
func newRefusingProxy() (net.Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	return l, nil
}

func (b *Browser) flags(dir, proxy, userAgent string, started **exec.Cmd) []chromedp.ExecAllocatorOption {
	flags := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(b.Path), chromedp.UserDataDir(dir),
		chromedp.Flag("disable-gpu", true),
		chromedp.ProxyServer("http://"+proxy),
		chromedp.Flag("proxy-bypass-list", "<-loopback>"),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
		chromedp.Flag("force-webrtc-ip-handling-policy", "disable_non_proxied_udp"),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-domain-reliability", true),
		chromedp.Flag("dns-prefetch-disable", true),
		chromedp.Flag("no-pings", true),
		chromedp.Flag("disable-popup-blocking", false),
		chromedp.Flag("renderer-process-limit", "1"),
		chromedp.Flag("js-flags", fmt.Sprintf("--max-old-space-size=%d", maxHeap)),
		chromedp.Flag("blink-settings", "imagesEnabled=false"),
		chromedp.ModifyCmdFunc(func(cmd *exec.Cmd) { *started = cmd }),
	)
	if userAgent != "" {
		flags = append(flags, chromedp.UserAgent(userAgent))
	}
	if os.Geteuid() == 0 {
		flags = append(flags, chromedp.NoSandbox) // Chromium can create a sandbox only for other users
	}
	return flags
}

// drawing is a page that is being rendered.
type drawing struct {
	client *fetch.Client
	req    fetch.Request // for the page; requests for what it loads are derived from it
	page   *fetch.Response

	mu       sync.Mutex
	open     int       // requests that are being answered
	requests int       // total number
	bytes    int       // total size of the responses
	asked    time.Time // time of the last request or answer
	served   bool      // the page itself was served
}

// start opens a tab whose requests are intercepted.
func (d *drawing) start(tab context.Context) error {
	paused := make(chan *cdpfetch.EventRequestPaused, 2*maxRequests)
	dialogs := make(chan struct{}, 10)
	err := chromedp.Listen(tab, func(event any) {
		switch e := event.(type) {
		case *cdpfetch.EventRequestPaused:
			d.note(+1)
			select {
			case paused <- e:
			default: // too many requests; this one waits until the end
			}
		case *page.EventJavascriptDialogOpening:
			select {
			case dialogs <- struct{}{}:
			default:
			}
		}
	})
	if err != nil {
		return err
	}
	for range 3 {
		go d.answerAll(tab, paused)
	}
	go func() {
		for {
			select {
			case <-dialogs:
				_, _ = chromedp.Call(tab, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{})
			case <-tab.Done():
				return
			}
		}
	}()
	deny := browser.SetDownloadBehaviorParams{Behavior: browser.SetDownloadBehaviorBehavior("deny")}
	if _, err := chromedp.CallBrowser(tab, browser.SetDownloadBehavior, deny); err != nil {
		return err
	}
	_, err = chromedp.Call(tab, cdpfetch.Enable, cdpfetch.EnableParams{})
	return err
}

// note counts the start (+1) or the end (-1) of a request.
func (d *drawing) note(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open += n
	d.requests += max(n, 0)
	d.asked = time.Now()
}

// draw loads the page and waits until it requests nothing more.
func (d *drawing) draw(tab context.Context) (html, address string, err error) {
	if _, err := chromedp.Call(tab, page.Navigate, page.NavigateParams{URL: d.page.URL}); err != nil && tab.Err() == nil {
		return "", "", fmt.Errorf("the browser did not open the page: %w", err)
	}
	deadline, _ := tab.Deadline()
	for time.Until(deadline) > 2*time.Second && !d.isQuiet() {
		select {
		case <-time.After(look):
		case <-tab.Done():
			return "", "", errors.Join(errors.New("the browser ended while rendering the page"), tab.Err())
		}
	}
	markup := fmt.Sprintf(`document.documentElement.outerHTML.slice(0, %d)`, maxMarkup)
	if html, err = chromedp.Run(tab, chromedp.Evaluate[string](markup)); err != nil {
		return "", "", fmt.Errorf("the rendered page could not be read from the browser: %w", err)
	}
	address, err = chromedp.Run(tab, chromedp.Evaluate[string](`location.href.split("#")[0]`))
	if err != nil || !strings.HasPrefix(address, "http") {
		address = ""
	}
	return "<!DOCTYPE html>" + html, address, nil
}

func (d *drawing) isQuiet() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.served && d.open <= 0 && time.Since(d.asked) > quietFor
}
