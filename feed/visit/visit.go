// Package visit requests a page and follows redirects in it: refreshes, redirects by a
// script to a literal address, and frames of the same site. Package answer classifies the
// pages; every request obeys the guard and the rules of package fetch.
package visit

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"dibao/feed/ingest"
	"dibao/feed/ingest/answer"
	"dibao/feed/ingest/literal"
	"dibao/internal/budget"
	"dibao/internal/fetch"
)

const (
	maxHops     = 4 // redirects from one page to the next
	maxFrames   = 2 // frames of a page that are examined
	maxScripts  = 3 // scripts of a shell that are searched for addresses of data
	maxEndpoint = 3 // addresses that are requested to see whether they return a list
)

// Browser renders pages: it runs the scripts of a fetched page and returns the
// result.
type Browser interface {
	Render(ctx context.Context, req fetch.Request, page *fetch.Response) (*fetch.Response, error)
}

// Visitor visits pages on behalf of one source.
type Visitor struct {
	Client  *fetch.Client
	Browser Browser       // nil means that pages are read as they are served
	Base    fetch.Request // with the proxy, user agent and permission of the source
	Charset string        // overrides what pages declare; "" for none
	Now     func() time.Time
}

// Hop is a step from one page to the next.
type Hop struct {
	By string `json:"by"` // "a meta refresh", "a script", "a frame", "a permanent redirect", "a search for a feed"
	To string `json:"to"`
}

// Visit is the page that was found at an address.
type Visit struct {
	Response *fetch.Response // for the page that was read; its body is the rendered one if a browser rendered it
	Page     ingest.Page
	List     ingest.List
	Hops     []Hop
	Rendered bool
}

// Reader reads the list of a page.
type Reader func(context.Context, ingest.Page) (ingest.List, error)

// request returns a request for a page of the source.
func (v *Visitor) request(address string) fetch.Request {
	req := v.Base
	req.URL, req.Page = address, true
	return req
}

// Get fetches a page. A wall, with any status, is an *answer.Error.
func (v *Visitor) Get(ctx context.Context, req fetch.Request) (*fetch.Response, error) {
	res, err := v.Client.Get(ctx, req)
	if err != nil {
		return nil, explain(ctx, err)
	}
	return res, nil
}

// answered classifies a page when there is memory to read it.
func answered(ctx context.Context, page ingest.Page, status int, charset string) (answer.Answer, error) {
	return budget.Within(ctx, len(page.Body), func() (answer.Answer, error) { return ingest.Answered(page, status, charset), nil })
}

// explain returns an *answer.Error for a response whose status or page shows
// that the site refuses us, or that says why the site fails. Other errors are
// returned unchanged.
func explain(ctx context.Context, err error) error {
	var status *fetch.StatusError
	if !errors.As(err, &status) {
		return err
	}
	a, waitErr := answered(ctx, ingest.Page{URL: status.URL, Body: status.Body}, status.Status, "")
	if waitErr != nil {
		return errors.Join(err, waitErr)
	}
	if a.Kind == answer.ErrorPage && status.Status >= http.StatusInternalServerError {
		return &answer.Error{Answer: a, URL: status.URL, Status: status.Status, Err: err}
	}
	if a.Kind != answer.Wall {
		if !answer.IsRefusal(status.Status) {
			return err
		}
		a = answer.Answer{Kind: answer.Wall, Cause: answer.Refused, What: "a refusal without a reason"}
		if status.Status == http.StatusUnauthorized {
			a.Cause, a.What = answer.Login, "a request for a name and a password"
		}
	}
	return &answer.Error{Answer: a, URL: status.URL, Status: status.Status, Err: err}
}

// page returns a response as a page.
func (v *Visitor) page(res *fetch.Response) ingest.Page {
	return ingest.Page{URL: res.URL, ContentType: res.Header.Get("Content-Type"), Body: res.Body, FetchedAt: v.Now()}
}

// step is a page with the hops that led to it.
type step struct {
	res  *fetch.Response
	hops []Hop
}

// Article follows redirects of an article's page, and renders a page that needs
// scripts if the source has a browser.
func (v *Visitor) Article(ctx context.Context, res *fetch.Response) (*fetch.Response, error) {
	at := step{res: res}
	for {
		a, err := answered(ctx, v.page(at.res), at.res.Status, v.Charset)
		switch {
		case err != nil:
			return nil, err
		case a.Kind == answer.Redirect && len(at.hops) < maxHops:
			next, err := v.follow(ctx, at, Hop{a.What, a.To})
			if err != nil {
				return nil, err
			}
			at = next
		case a.Kind == answer.Shell && v.Browser != nil:
			return v.Browser.Render(ctx, v.request(at.res.URL), at.res)
		default:
			return at.res, nil
		}
	}
}

// follow fetches the next page. The permission for our own network ends when a
// redirect leaves its host.
func (v *Visitor) follow(ctx context.Context, from step, hop Hop) (step, error) {
	if fetch.Origin(from.res.URL) != v.Base.Private {
		v.Base.Private = ""
	}
	if hop.To == from.res.URL || slices.ContainsFunc(from.hops, func(h Hop) bool { return h.To == hop.To }) {
		a := answer.Answer{Kind: answer.Wall, Cause: answer.Script, What: "redirects in a circle"}
		return step{}, &answer.Error{Answer: a, URL: from.res.URL}
	}
	res, err := v.Get(ctx, v.request(hop.To))
	if err != nil {
		return step{}, fmt.Errorf("%s redirects browsers by %s: %w", from.res.URL, hop.By, err)
	}
	return step{res, append(slices.Clip(from.hops), hop)}, nil
}

// Open reads the list of a fetched page, of the page to which it redirects browsers, or of
// a frame in it. If it finds no list, it returns an *answer.Error that says what the page is
// instead: an error page, a wall, or a page without a list.
func (v *Visitor) Open(ctx context.Context, res *fetch.Response, read Reader) (Visit, error) {
	return v.open(ctx, step{res: res}, read)
}

func (v *Visitor) open(ctx context.Context, at step, read Reader) (Visit, error) {
	out := Visit{Response: at.res, Page: v.page(at.res), Hops: at.hops}
	a, err := answered(ctx, out.Page, at.res.Status, v.Charset)
	if err != nil {
		return out, err
	}
	if a.Kind == answer.Redirect && len(at.hops) < maxHops {
		next, err := v.follow(ctx, at, Hop{a.What, a.To})
		if err != nil {
			return out, err
		}
		return v.open(ctx, next, read)
	}
	if v.Browser != nil && a.Kind != answer.Wall && a.Kind != answer.ErrorPage && !literal.IsJSON(out.Page.Body) {
		drawn, err := v.Browser.Render(ctx, v.request(at.res.URL), at.res)
		if err != nil {
			return out, fmt.Errorf("render %s in the browser: %w", at.res.URL, err)
		}
		out.Response, out.Page, out.Rendered = drawn, v.page(drawn), true
		if a, err = answered(ctx, out.Page, drawn.Status, v.Charset); err != nil {
			return out, err
		}
	}
	if a.Sure && (a.Kind == answer.Wall || a.Kind == answer.ErrorPage) {
		return out, &answer.Error{Answer: a, URL: at.res.URL}
	}
	if out.List, err = read(ctx, out.Page); ctx.Err() != nil {
		return out, ctx.Err()
	}
	if err == nil && out.List.HasDates() {
		return out, nil
	}
	if framed, ok := v.openFrames(ctx, at, a, read, len(out.List.Items) == 0); ok {
		return framed, nil
	}
	if err == nil && len(out.List.Items) > 0 {
		return out, nil
	}
	if a.Kind == answer.Page && err != nil {
		return out, err
	}
	return out, v.nothing(ctx, out, a)
}

// openFrames reads the frames of a page that has no dated list itself.
func (v *Visitor) openFrames(ctx context.Context, at step, a answer.Answer, read Reader, any bool) (Visit, bool) {
	if len(at.hops) >= maxHops {
		return Visit{}, false
	}
	for _, to := range a.Frames[:min(len(a.Frames), maxFrames)] {
		next, err := v.follow(ctx, at, Hop{"a frame", to})
		if err != nil {
			continue
		}
		if framed, err := v.open(ctx, next, read); err == nil && (framed.List.HasDates() || any && len(framed.List.Items) > 0) {
			return framed, true
		}
	}
	return Visit{}, false
}

// nothing is the error for a page without a list. For a page that needs scripts
// it names what they call.
func (v *Visitor) nothing(ctx context.Context, out Visit, a answer.Answer) error {
	page := out.Page
	if _, err := budget.Within(ctx, len(page.Body), func() (bool, error) { a.FindEndpoints(); return true, nil }); err != nil {
		return err
	}
	e := &answer.Error{Answer: a, URL: page.URL, Menu: out.List.Menu()}
	if a.Kind != answer.Shell && a.Kind != answer.Page {
		return e
	}
	if v.Browser == nil {
		v.findEndpoints(ctx, page, e)
	}
	return e
}

// findEndpoints searches the scripts of a page for addresses that they request, and
// requests these to see whether they return a list.
func (v *Visitor) findEndpoints(ctx context.Context, page ingest.Page, e *answer.Error) {
	if fetch.Origin(page.URL) != v.Base.Private {
		v.Base.Private = ""
	}
	// An app's own scripts come last; those before are libraries.
	for i, script := range slices.Backward(e.Scripts) {
		if len(e.Endpoints) > 0 || len(e.Scripts)-i > maxScripts {
			break
		}
		res, err := v.Client.Get(ctx, v.request(script))
		if err != nil {
			continue
		}
		e.Endpoints, err = budget.Within(ctx, len(res.Body), func() ([]string, error) { return answer.Endpoints(page.URL, string(res.Body)), nil })
		if err != nil {
			return
		}
	}
	for _, address := range e.Endpoints[:min(len(e.Endpoints), maxEndpoint)] {
		res, err := v.Client.Get(ctx, v.request(address))
		if err != nil {
			continue
		}
		l, err := budget.Within(ctx, len(res.Body), func() (l ingest.List, err error) {
			if literal.IsJSON(v.page(res).Body) {
				l, err = ingest.ReadList(v.page(res), ingest.Source{URL: address})
			}
			return l, err
		})
		if err == nil && len(l.Items) > 1 {
			e.Found = address
			return
		}
	}
}

// Hash returns the hash of the page that was read, for the source's body hash.
func (v Visit) Hash() [sha256.Size]byte { return sha256.Sum256(v.Response.Body) }
