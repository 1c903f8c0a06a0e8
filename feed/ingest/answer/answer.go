// Package answer classifies what a site answered with: a page, a wall, an error
// page, an empty shell that scripts render, or a page that redirects browsers.
// It is the only place that does, for lists and articles, when a source is
// added, tested and collected. It makes no requests.
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

// Kind is what a page is.
type Kind string

// The kinds.
const (
	Page   Kind = "page"
	Wall   Kind = "wall"   // a challenge, a refusal or a login
	Fault  Kind = "fault"  // an error page, with whatever status
	Onward Kind = "onward" // it redirects browsers to To
	Shell  Kind = "shell"  // scripts draw it
	Empty  Kind = "empty"
)

// Answer is what a page is.
type Answer struct {
	Kind      Kind
	What      string   // in words: which wall, what the error page says, how browsers are sent on
	Cause     Cause    // of a Wall
	Sure      bool     // its title, or that it has no text of its own, says so: whatever is found on it is not a list
	To        string   // where browsers are sent on to
	Frames    []string // of the same site that may hold the list, the largest first
	Scripts   []string // addresses of scripts of the same site
	Endpoints []string // that scripts call for data, the likeliest first; see FindEndpoints

	address, inline string // of the page, and the scripts in it
}

// FindEndpoints searches the scripts in a page without a list for what they call.
func (a *Answer) FindEndpoints() {
	if a.Kind == Page || a.Kind == Shell {
		a.Endpoints = Endpoints(a.address, a.inline)
	}
}

// Most text, in characters, of a page that is not what it was asked for.
const (
	maxShell = 400  // of a page that leaves everything to scripts, or redirects browsers
	maxBare  = 200  // of a page that is known by the traces in its scripts
	maxWall  = 700  // outside links, of a wall that says so
	maxLinks = 20   // of a wall
	maxFault = 400  // outside links, of an error page
	maxTitle = 1500 // outside links, of a page whose title says that it is none
)

// Read classifies a page that was served at address with this status, as UTF-8
// text.
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
	if a, ok := s.onward(); ok {
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

// maxTraces is how many bytes of the beginning of a page, and half as many of
// its end, are searched for traces.
const maxTraces = 32 << 10

// wall looks for a page that keeps programs out. A page with the date of an
// article or of rows does not, whatever it writes about 验证码 or 访问受限.
func (s *scan) wall(status int) (Answer, bool) {
	if s.isDated() && status < http.StatusBadRequest {
		return Answer{}, false
	}
	found := func(c Cause, what string, sure bool) (Answer, bool) {
		return Answer{Kind: Wall, What: what, Cause: c, Sure: sure}, true
	}
	app := s.root && len(s.sources) > 0 // an app may hold a puzzle for its visitors
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
		if w.cause == Login || s.prose > maxTitle || s.links > maxLinks || app || s.isDocument() || !w.words.MatchString(s.title) {
			continue
		}
		if w.cause == Script && s.lineOf(Human, false) != "" {
			w.cause = Human // "访问验证" over a picture with a code
		}
		return found(w.cause, fmt.Sprintf("a page headed %q", clip(s.title)), true)
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

// sign finds the system that serves a page with hardly any text, by its traces.
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

// lineOf finds the line in which a page with little text says that it is a wall
// with this cause.
func (s *scan) lineOf(c Cause, app bool) string {
	if s.links > maxLinks || s.prose > maxWall || s.isDocument() {
		return ""
	}
	lines := s.lines
	if !app && s.seen() <= maxBare {
		lines = append(slices.Clip(lines), s.noscript)
	}
	for _, w := range says {
		if w.cause != c {
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

// fault looks for an error page.
func (s *scan) fault() (Answer, bool) {
	if faultIn(s.title) != "" && s.prose <= maxTitle && !s.isDocument() && !s.isDated() {
		return Answer{Kind: Fault, What: clip(s.title), Sure: true}, true
	}
	all := strings.Join(s.lines, "\n")
	if t := StackTrace.FindAllString(all, 2); len(t) == 2 || len(t) == 1 && s.prose <= maxFault {
		return Answer{Kind: Fault, What: clip(t[0]), Sure: true}, true
	}
	if s.prose > maxFault || s.isDated() || s.isDocument() {
		return Answer{}, false
	}
	for _, line := range s.lines[:min(len(s.lines), 12)] {
		if faultIn(line) != "" {
			return Answer{Kind: Fault, What: clip(line), Sure: s.seen() <= maxBare}, true
		}
	}
	return Answer{}, false
}

// faultIn returns the part of a text that shows that it replaces a page, "" if
// there is none.
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

// IsRefusal reports whether a status alone shows that a site refuses us: there
// is no page that would say more (RFC 9110 §15.5; 521 is used by 加速乐 and
// Cloudflare).
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

// clip cuts what is quoted of a page.
func clip(s string) string {
	s = strings.ToValidUTF8(s, "")
	if utf8.RuneCountInString(s) <= 60 {
		return s
	}
	return string([]rune(s)[:60]) + "…"
}
