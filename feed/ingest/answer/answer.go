// Package answer classifies what a site answered with: a page, a wall, an error page, an
// empty shell that scripts render, or a page that redirects browsers. All classification
// happens here, for lists and articles, when a source is added, tested or collected. The
// package does not make requests.
package answer

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"

	"dibao/internal/lazyregexp"
)

// Kind is the kind of a response.
type Kind string

// The kinds of responses.
const (
	Page      Kind = "page"
	Wall      Kind = "wall"   // a challenge, a refusal or a login
	ErrorPage Kind = "fault"  // an error page, with any status
	Redirect  Kind = "onward" // a page that redirects browsers to To
	Shell     Kind = "shell"  // scripts render it
	Empty     Kind = "empty"
)

// Answer is the classification of a page.
type Answer struct {
	Kind      Kind
	What      string   // in words: which wall, what the error page says, or how browsers are redirected
	Cause     Cause    // set for a Wall
	Sure      bool     // its title, or the lack of other text, makes it certain: nothing on the page is a list
	To        string   // where browsers are redirected
	Frames    []string // frames of the same site that may contain the list, largest first
	Scripts   []string // addresses of scripts of the same site
	Endpoints []string // addresses that scripts request data from, most likely first; see FindEndpoints

	address, inline string // address of the page, and the scripts in it
}

// FindEndpoints searches the scripts in a page without a list for the addresses that they
// request data from.
func (a *Answer) FindEndpoints() {
	if a.Kind == Page || a.Kind == Shell {
		a.Endpoints = Endpoints(a.address, a.inline)
	}
}

// The maximum text, in characters, of pages that are not the requested content.
const (
	maxShell = 400  // a page that consists of scripts, or redirects browsers
	maxBare  = 200  // a page that is recognized by traces in its scripts
	maxWall  = 700  // a wall that says so, outside links
	maxLinks = 20   // links on a wall
	maxFault = 400  // an error page, outside links
	maxTitle = 1500 // a page whose title says that it is a wall or an error, outside links
)

// Read classifies a page with this address and status; the page is UTF-8 text.
func Read(address string, status int, text string) Answer {
	if trimmed := strings.TrimSpace(text); trimmed != "" && (trimmed[0] == '{' || trimmed[0] == '[') && !strings.Contains(trimmed[:min(len(trimmed), 1<<10)], "<html") {
		return readJSON(trimmed)
	}
	s := scanPage(address, text)
	a := s.kind(status)
	if a.Kind == Page || a.Kind == Shell {
		a.Frames = s.framesBySize()
		a.address, a.inline = s.base.String(), s.scripts
		a.Scripts = s.ownScripts()
	}
	return a
}

func (s *scan) kind(status int) Answer {
	if a, ok := s.wall(status); ok {
		return a
	}
	if a, ok := s.fault(); ok {
		return a
	}
	if a, ok := s.redirect(); ok {
		return a
	}
	scripted := s.scripts != "" || len(s.sources) > 0
	switch {
	case s.seen() >= maxShell || len(s.frames) > 0 || s.isDated() || s.seen() > 0 && s.isDocument():
	case s.root && len(s.sources) > 0, len(s.sources) > 0 && s.links < 3:
		return Answer{Kind: Shell, What: "an app that scripts render in the browser", Sure: s.seen() < maxBare}
	case s.seen() == 0 && importsApp.MatchString(s.scripts):
		return Answer{Kind: Shell, What: "an app that scripts render in the browser", Sure: true}
	case s.seen() == 0 && scripted && !s.root:
		return Answer{Kind: Wall, What: "a page that contains only scripts", Cause: Script, Sure: true}
	case scripted && s.seen() > 0 && s.links < 3:
		return Answer{Kind: Shell, What: "a page that scripts fill in the browser"}
	case s.seen() == 0 && !scripted:
		return Answer{Kind: Empty, Sure: true}
	}
	return Answer{Kind: Page}
}

// importsApp matches a script that loads the modules of an app.
var importsApp = lazyregexp.New(`\bimport\(\s*['"]`)

// maxTraces is the number of bytes at the beginning of a page that are searched for traces; at its
// end, half as many are.
const maxTraces = 32 << 10

// wall recognizes a page that refuses access to programs. A page with the date of an
// article or of rows is not a wall, whatever it says about 验证码 or 访问受限.
func (s *scan) wall(status int) (Answer, bool) {
	if s.isDated() && status < http.StatusBadRequest {
		return Answer{}, false
	}
	found := func(c Cause, what string, sure bool) (Answer, bool) {
		return Answer{Kind: Wall, What: what, Cause: c, Sure: sure}, true
	}
	app := s.root && len(s.sources) > 0 // an app may contain a CAPTCHA for its own forms
	if g, ok := s.sign(app, status); ok {
		what := fmt.Sprintf(systems[g.cause], g.system)
		if line := s.lineOf(g.cause, false); g.cause == Refused && line != "" {
			what = fmt.Sprintf("%s, which says %q", what, line)
		}
		return found(g.cause, what, s.seen() <= maxBare)
	}
	if s.seen() <= maxBare && !app && setsCookie.MatchString(s.scripts) && reloads.MatchString(s.scripts) && s.target() == "" {
		return found(Script, "a script that sets a cookie and loads the page again", true)
	}
	for _, w := range says {
		if w.cause == Login || w.field || s.prose > maxTitle || s.links > maxLinks || app || s.isDocument() || !w.words.MatchString(s.title) {
			continue
		}
		if w.cause == Script && s.lineOf(Puzzle, false) != "" {
			w.cause = Puzzle // "访问验证" above a picture with a code
		}
		return found(w.cause, fmt.Sprintf("a page with the title %q", clip(s.title)), true)
	}
	for _, w := range says {
		if line := s.lineOf(w.cause, app); line != "" {
			return found(w.cause, fmt.Sprintf("a page that says %q", line), false)
		}
	}
	if s.password && s.prose <= maxWall && s.links <= maxLinks || s.titleSaysLogin() && s.seen() <= maxWall {
		return found(Login, "a login page", true)
	}
	if s.seen() == 0 && !app && status >= http.StatusBadRequest && (s.scripts != "" || len(s.sources) > 0) {
		return found(Script, "a page that contains only scripts", true)
	}
	return Answer{}, false
}

// sign recognizes, by its traces, the system that serves a page with hardly any text.
func (s *scan) sign(app bool, status int) (sign, bool) {
	isRefused := status >= http.StatusBadRequest
	if s.links > maxLinks || s.prose > maxWall || app && !isRefused {
		return sign{}, false
	}
	traces := s.raw[:min(len(s.raw), maxTraces)] + s.raw[max(min(len(s.raw), maxTraces), len(s.raw)-maxTraces/2):]
	for _, g := range signs {
		if g.trace.MatchString(traces) && (s.seen() <= maxBare || isRefused || s.saysWall()) {
			return g, true
		}
	}
	return sign{}, false
}

func (s *scan) titleSaysLogin() bool {
	return says[len(says)-1].words.MatchString(strings.TrimSpace(s.title))
}

// saysWall reports whether a line of the page says that it is a wall.
func (s *scan) saysWall() bool {
	return slices.ContainsFunc(says, func(w wording) bool { return s.lineOf(w.cause, false) != "" })
}

// lineOf returns the line in which a page with little text says that it is a wall with this
// cause.
func (s *scan) lineOf(c Cause, app bool) string {
	if s.links > maxLinks || s.prose > maxWall || s.isDocument() {
		return ""
	}
	lines := s.lines
	if !app && s.seen() <= maxBare {
		lines = append(slices.Clip(lines), s.noscript)
	}
	for _, w := range says {
		if w.cause != c || w.field && !s.field {
			continue
		}
		for _, line := range lines {
			if w.words.MatchString(line) {
				return clip(line)
			}
		}
	}
	return ""
}

// fault recognizes an error page.
func (s *scan) fault() (Answer, bool) {
	if faultIn(s.title) != "" && s.prose <= maxTitle && !s.isDocument() && !s.isDated() {
		return Answer{Kind: ErrorPage, What: clip(s.title), Sure: true}, true
	}
	all := strings.Join(s.lines, "\n")
	if t := StackTrace.FindAllString(all, 2); len(t) == 2 || len(t) == 1 && s.prose <= maxFault {
		return Answer{Kind: ErrorPage, What: clip(t[0]), Sure: true}, true
	}
	if s.prose > maxFault || s.isDated() || s.isDocument() {
		return Answer{}, false
	}
	for _, line := range s.lines[:min(len(s.lines), 12)] {
		if faultIn(line) != "" {
			return Answer{Kind: ErrorPage, What: clip(line), Sure: s.seen() <= maxBare}, true
		}
	}
	return Answer{}, false
}

// faultIn returns the part of a text that shows that it replaces a page, "" if none does.
func faultIn(text string) string {
	m := cmp.Or(FaultText.FindString(text), noSite.FindString(text), maintained.FindString(text))
	if emptyList.MatchString(m) {
		return ""
	}
	return m
}

func (s *scan) framesBySize() []string {
	slices.SortStableFunc(s.frames, func(a, b frame) int { return b.area - a.area })
	var all []string
	for _, f := range s.frames {
		if !slices.Contains(all, f.address) {
			all = append(all, f.address)
		}
	}
	return all
}

func (s *scan) ownScripts() []string {
	var own []string
	for _, src := range s.sources {
		if s.SameSite(src) {
			own = append(own, src)
		}
	}
	return own
}

// IsRefusal reports whether a status alone shows that a site refuses our requests, so that
// the page does not matter (RFC 9110 §15.5; 521 is used by 加速乐 and Cloudflare).
func IsRefusal(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusPreconditionFailed, http.StatusUnavailableForLegalReasons, 521:
		return true
	}
	return false
}

func firstOf(all ...string) string { return cmp.Or(all...) }

var tag = lazyregexp.New(`<[^>]*>`)

func withoutTags(s string) string { return tag.ReplaceAllString(s, " ") }

func squeeze(s string) string { return strings.Join(strings.Fields(html.UnescapeString(s)), " ") }

// clip shortens quotes from a page.
func clip(s string) string {
	s = strings.ToValidUTF8(s, "")
	if utf8.RuneCountInString(s) <= 60 {
		return s
	}
	return string([]rune(s)[:60]) + "…"
}
