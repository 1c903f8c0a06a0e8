package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/temoto/robotstxt"
)

// robots caches the robots.txt of each site.
type robots struct {
	mu     sync.Mutex
	bySite map[string]robotsRules
}

type robotsRules struct {
	group *robotstxt.Group // the group that applies to us; nil allows everything
	until time.Time
}

const (
	robotsFor   = 24 * time.Hour   // RFC 9309 §2.4
	maxRobots   = 1000             // cached sites
	robotsBytes = 500 << 10        // bytes of a file that are read, RFC 9309 §2.5
	maxDelay    = 30 * time.Second // maximum Crawl-delay that is obeyed
	maxPattern  = 2000             // bytes of a path with wildcards, which becomes a regular expression
	maxStars    = 10               // wildcards of such a path
)

// allowedByRobots checks a page against the site's robots.txt. A site without one, or that
// refuses to show it, allows everything; one that can't be reached or answers 5xx forbids
// everything for now (RFC 9309 §2.3.1). It returns the pause that the site requests between
// two requests (Crawl-delay, which no RFC defines).
func (c *Client) allowedByRobots(ctx context.Context, u *url.URL, via Request) (delay time.Duration, err error) {
	site := u.Scheme + "://" + u.Host
	now := c.opts.Now()
	c.robots.mu.Lock()
	rules, ok := c.robots.bySite[site]
	c.robots.mu.Unlock()
	if !ok || now.After(rules.until) {
		data, err := c.fetchRobots(ctx, site, via)
		if err != nil {
			return 0, err
		}
		rules = robotsRules{until: now.Add(robotsFor)}
		if data != nil {
			rules.group = data.FindGroup(c.opts.UserAgent)
		}
		c.robots.mu.Lock()
		if c.robots.bySite == nil || len(c.robots.bySite) >= maxRobots {
			c.robots.bySite = make(map[string]robotsRules)
		}
		c.robots.bySite[site] = rules
		c.robots.mu.Unlock()
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	if rules.group == nil {
		return 0, nil
	}
	if !rules.group.Test(path) {
		return 0, &BlockedError{URL: u.String(), Reason: "the site's robots.txt forbids it"}
	}
	return min(max(rules.group.CrawlDelay, 0), maxDelay), nil
}

// Robots checks the page of a request against the site's robots.txt, and returns the pause
// that the site requests between two requests. A forbidden page is a *BlockedError.
func (c *Client) Robots(ctx context.Context, req Request) (delay time.Duration, err error) {
	u, err := c.check(req.URL, req.Private)
	if err != nil {
		return 0, err
	}
	if origin(u) != req.Private {
		req.Private = ""
	}
	return c.allowedByRobots(ctx, u, req)
}

func (c *Client) fetchRobots(ctx context.Context, site string, via Request) (*robotstxt.RobotsData, error) {
	res, err := c.Get(ctx, Request{URL: site + "/robots.txt", Accept: "text/plain, */*;q=0.5", Private: via.Private, Proxy: via.Proxy, UserAgent: via.UserAgent})
	var status *StatusError
	switch {
	case errors.As(err, &status) && status.Status < http.StatusInternalServerError:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return parseRobots(res.Body), nil
}

// parseRobots reads rules; nil means none. Only lines that state rules reach the parser: it
// ignores all rules if one line of another kind is invalid, such as a Crawl-delay in words,
// and RFC 9309 §2.2 allows ignoring such lines. It reads at most robotsBytes.
func parseRobots(text []byte) *robotstxt.RobotsData {
	var rules []byte
	text = text[:min(len(text), robotsBytes)]
	for line := range bytes.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		line, _, _ = bytes.Cut(line, []byte("#"))
		key, value, ok := bytes.Cut(bytes.TrimPrefix(line, []byte("\uFEFF")), []byte(":"))
		switch key = bytes.ToLower(bytes.TrimSpace(key)); string(key) {
		case "crawl-delay":
			if _, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 10, 16); err != nil {
				continue
			}
			fallthrough
		case "user-agent", "allow", "disallow":
			value, whole := bounded(bytes.TrimSpace(value))
			if ok && (whole || string(key) == "disallow") {
				rules = fmt.Appendf(rules, "%s: %s\n", key, value)
			}
		}
	}
	data, err := robotstxt.FromBytes(rules)
	if err != nil {
		return nil
	}
	return data
}

// bounded returns a path with so few wildcards that matching it is cheap. A shortened path
// forbids more than the original, so it must not be used for an Allow rule.
func bounded(path []byte) (short []byte, whole bool) {
	for bytes.Contains(path, []byte("**")) {
		path = bytes.ReplaceAll(path, []byte("**"), []byte("*"))
	}
	stars := 0
	for i, c := range path {
		if c == '*' {
			stars++
		}
		if stars > maxStars || stars > 0 && i >= maxPattern {
			return path[:i], false
		}
	}
	return path, true
}
