package browser

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	cdpfetch "github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"dibao/internal/fetch"
)

// errRefused is the error of a request that a page is not allowed to send.
var errRefused = errors.New("a rendered page may not request this")

// maxPost is the maximum size of a form or query that a page can post, in bytes.
const maxPost = 64 << 10

// answerAll answers the requests of the page until the tab closes.
func (d *drawing) answerAll(tab context.Context, paused <-chan *cdpfetch.EventRequestPaused) {
	for {
		select {
		case e := <-paused:
			res, err := d.answer(tab, e)
			if err != nil {
				_, _ = chromedp.Call(tab, cdpfetch.FailRequest, cdpfetch.FailRequestParams{RequestID: e.RequestID, ErrorReason: "BlockedByClient"})
			} else {
				_, _ = chromedp.Call(tab, cdpfetch.FulfillRequest, cdpfetch.FulfillRequestParams{
					RequestID: e.RequestID, ResponseCode: int64(res.Status), ResponseHeaders: headers(res), Body: res.Body,
				})
			}
			d.note(-1)
		case <-tab.Done():
			return
		}
	}
}

// answer answers the requests of a page. The first one is for the page itself,
// which was fetched already.
func (d *drawing) answer(ctx context.Context, e *cdpfetch.EventRequestPaused) (*fetch.Response, error) {
	d.mu.Lock()
	first := !d.served && e.Request.URL == d.page.URL
	d.served = d.served || first
	tooMuch := d.requests > maxRequests || d.bytes > maxBytes
	d.mu.Unlock()
	if first {
		return d.page, nil
	}
	if tooMuch {
		return nil, errRefused
	}
	req, err := d.request(e)
	if err != nil {
		return nil, err
	}
	res, err := d.client.Get(ctx, req)
	var status *fetch.StatusError
	if errors.As(err, &status) {
		res, err = &fetch.Response{URL: status.URL, Status: status.Status, Body: status.Body, Header: http.Header{}}, nil
	}
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.bytes += len(res.Body)
	d.mu.Unlock()
	return res, nil
}

// request turns a request of a page into one of its source: for documents, scripts and
// data, not for pictures, styles and the like.
func (d *drawing) request(e *cdpfetch.EventRequestPaused) (fetch.Request, error) {
	req := d.req
	req.URL, req.Page, req.ETag, req.LastModified = e.Request.URL, true, "", ""
	if fetch.Origin(d.page.URL) != req.Private {
		req.Private = ""
	}
	switch string(e.ResourceType) {
	case "Document", "Script":
	case "XHR", "Fetch":
		req.Accept = "application/json, text/plain, */*"
		req.Header = http.Header{"X-Requested-With": {"XMLHttpRequest"}, "Referer": {d.page.URL}}
	default:
		return req, errRefused
	}
	switch e.Request.Method {
	case http.MethodGet:
	case http.MethodPost:
		if string(e.ResourceType) == "Document" || fetch.Origin(e.Request.URL) != fetch.Origin(d.page.URL) {
			return req, errRefused
		}
		req.Body, req.ContentType = posted(e.Request), header(e.Request, "content-type")
		if len(req.Body) > maxPost {
			return req, errRefused
		}
	default:
		return req, errRefused
	}
	return req, nil
}

// posted returns the body that a page posts.
func posted(r *network.Request) []byte {
	body := []byte{}
	for _, entry := range r.PostDataEntries {
		part, err := base64.StdEncoding.DecodeString(string(entry.Bytes))
		if err != nil {
			part = []byte(entry.Bytes)
		}
		body = append(body, part...)
	}
	return body
}

func header(r *network.Request, name string) string {
	for key, value := range r.Headers {
		if text, ok := any(value).(string); ok && strings.EqualFold(key, name) {
			return text
		}
	}
	return ""
}

// headers returns the headers of a response that a page needs, without cookies.
func headers(res *fetch.Response) []*cdpfetch.HeaderEntry {
	var all []*cdpfetch.HeaderEntry
	for name, values := range res.Header {
		switch low := strings.ToLower(name); {
		case low == "content-type", strings.HasPrefix(low, "access-control-"), low == "x-frame-options", low == "content-security-policy":
			for _, v := range values {
				all = append(all, &cdpfetch.HeaderEntry{Name: name, Value: v})
			}
		}
	}
	return all
}
