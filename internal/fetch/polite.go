package fetch

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/temoto/robotstxt"
)

// hosts lets one request at a time go to each host.
type hosts struct {
	mu sync.Mutex
	by map[string]*host
}

type host struct {
	turn chan struct{} // holds one token
	last time.Time     // when the last request ended
	uses int           // who has it or waits
}

// enter waits for the host's turn and for the pause since the last request.
func (h *hosts) enter(ctx context.Context, name string, pause time.Duration) (release func(), err error) {
	h.mu.Lock()
	if h.by == nil {
		h.by = make(map[string]*host)
	}
	x := h.by[name]
	if x == nil {
		x = &host{turn: make(chan struct{}, 1)}
		h.by[name] = x
	}
	x.uses++
	h.mu.Unlock()
	leave := func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		// Kept for its last time if there is a pause to keep, else forgotten.
		if x.uses--; x.uses == 0 && pause == 0 {
			delete(h.by, name)
		}
	}
	select {
	case x.turn <- struct{}{}:
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
	if wait := pause - time.Since(x.last); pause > 0 && wait > 0 {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			<-x.turn
			leave()
			return nil, ctx.Err()
		}
	}
	return func() {
		x.last = time.Now()
		<-x.turn
		leave()
	}, nil
}

// robots keeps what robots.txt of each site says.
type robots struct {
	mu   sync.Mutex
	site map[string]robotsEntry
}

type robotsEntry struct {
	data  *robotstxt.RobotsData
	until time.Time
}

const (
	robotsFor  = 24 * time.Hour // RFC 9309 §2.4
	robotsMost = 2000           // sites kept
)

// allowedByRobots asks the site's robots.txt about a page. A site without one,
// or one that can't be asked, allows everything but a 5xx, which forbids for
// the moment (RFC 9309 §2.3.1).
func (c *Client) allowedByRobots(ctx context.Context, u *url.URL) error {
	site := u.Scheme + "://" + u.Host
	now := c.opts.Now()
	c.robots.mu.Lock()
	entry, ok := c.robots.site[site]
	c.robots.mu.Unlock()
	if !ok || now.After(entry.until) {
		data, err := c.fetchRobots(ctx, site)
		if err != nil {
			return err
		}
		entry = robotsEntry{data, now.Add(robotsFor)}
		c.robots.mu.Lock()
		if c.robots.site == nil || len(c.robots.site) >= robotsMost {
			c.robots.site = make(map[string]robotsEntry)
		}
		c.robots.site[site] = entry
		c.robots.mu.Unlock()
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	if entry.data != nil && !entry.data.TestAgent(path, c.opts.UserAgent) {
		return &BlockedError{u.String(), "the site's robots.txt forbids it"}
	}
	return nil
}

func (c *Client) fetchRobots(ctx context.Context, site string) (*robotstxt.RobotsData, error) {
	u, err := c.check(site + "/robots.txt")
	if err != nil {
		return nil, err
	}
	release, err := c.hosts.enter(ctx, u.Host, 0)
	if err != nil {
		return nil, err
	}
	defer release()
	res, err := c.get(ctx, u, Request{URL: u.String()})
	var status *StatusError
	switch {
	case err == nil:
		data, err := robotstxt.FromBytes(res.Body)
		if err != nil {
			return nil, nil // unreadable: no rules
		}
		return data, nil
	case errors.As(err, &status) && status.Status >= http.StatusInternalServerError:
		return nil, err
	case errors.As(err, &status):
		return nil, nil
	}
	return nil, err
}
