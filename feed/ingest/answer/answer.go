// Package answer classifies what a site answered with: a page, a wall, an error
// page, an empty shell that scripts render, or a page that redirects browsers.
// It is the only place that does, for lists and articles, when a source is
// added, tested and collected. It makes no requests.
package answer

import (
	"cmp"
	"net/http"
	"regexp"
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
	s := scanPage(address, text)
	if trimmed := strings.TrimSpace(text); trimmed != "" && trimmed[0] != '<' && s.links == 0 && s.scripts == "" && (trimmed[0] == '{' || trimmed[0] == '[') {
		return Answer{Kind: Page} // JSON
	}
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
	case s.seen() >= maxShell || len(s.frames) > 0:
	case s.root && len(s.sources) > 0, len(s.sources) > 0 && s.links < 3:
		return Answer{Kind: Shell, What: "an app that scripts render in the browser", Sure: s.seen() < maxBare}
	case s.seen() == 0 && scripted && !s.root:
		return Answer{Kind: Wall, What: "a page that contains only a script", Cause: Script, Sure: true}
	case scripted && s.seen() > 0 && s.links < 3:
		return Answer{Kind: Shell, What: "a page that scripts fill in the browser"}
	case s.seen() == 0 && !scripted:
		return Answer{Kind: Empty, What: "an empty page", Sure: true}
	}
	return Answer{Kind: Page}
}

// maxTraces is how many bytes of the beginning of a page, and half as many of
// its end, are searched for traces.
const maxTraces = 32 << 10

// wall looks for a page that keeps programs out.
func (s *scan) wall(status int) (Answer, bool) {
	found := func(g sign, what string, sure bool) (Answer, bool) {
		return Answer{Kind: Wall, What: cmp.Or(g.name, what), Cause: g.cause, Sure: sure}, true
	}
	app := s.root && len(s.sources) > 0 // an app may hold a puzzle for its visitors
	if s.links <= maxLinks && s.prose <= maxWall && !app {
		traces := s.raw[:min(len(s.raw), maxTraces)] + s.raw[max(min(len(s.raw), maxTraces), len(s.raw)-maxTraces/2):]
		for _, g := range signs {
			if g.trace.MatchString(traces) && (s.seen() <= maxBare || s.saysWall() != "" || status >= 400) {
				if what := s.saysWall(); g.cause == Refused && what != "" {
					g.name += " that says \"" + what + "\""
				}
				return found(g, "", s.seen() <= maxBare)
			}
		}
	}
	if s.seen() <= maxBare && !app && setsCookie.MatchString(s.scripts) && reloads.MatchString(s.scripts) && s.target() == "" {
		return found(sign{cause: Script}, "a script that sets a cookie and loads the page again", true)
	}
	for _, g := range says {
		if g.cause == Login {
			continue
		}
		if m := g.trace.FindString(s.title); m != "" && s.prose <= maxTitle && s.links <= maxLinks && !app {
			if _, said := s.wallLine(app); g.cause == Script && said.cause == Human {
				g.cause = Human // "访问验证" over a picture with a code
			}
			return found(g, "a page headed \""+clip(s.title)+"\"", true)
		}
	}
	if line, g := s.wallLine(app); line != "" {
		return found(g, "a page that says \""+line+"\"", false)
	}
	if s.password && s.prose <= maxWall && s.links <= maxLinks || s.titleSaysLogin() && s.seen() <= maxWall {
		return found(sign{cause: Login}, "a login page", true)
	}
	if s.seen() == 0 && !app && status >= 400 && (s.scripts != "" || len(s.sources) > 0) {
		return found(sign{cause: Script}, "a page of nothing but scripts", true)
	}
	return Answer{}, false
}

func (s *scan) titleSaysLogin() bool {
	login := says[len(says)-1]
	return login.trace.MatchString(strings.TrimSpace(s.title))
}

// saysWall returns the line in which the page says that it is a wall.
func (s *scan) saysWall() string {
	line, _ := s.wallLine(false)
	return line
}

// wallLine finds the line in which a page with little text shows that it is a
// wall.
func (s *scan) wallLine(app bool) (string, sign) {
	if s.links > maxLinks || s.prose > maxWall {
		return "", sign{}
	}
	lines := s.lines
	if !app && s.seen() <= maxBare {
		lines = append(slices.Clip(lines), s.noscript)
	}
	for _, g := range says {
		for _, line := range lines {
			if g.trace.MatchString(line) {
				return clip(line), g
			}
		}
	}
	return "", sign{}
}

// fault looks for an error page.
func (s *scan) fault() (Answer, bool) {
	if faultIn(s.title) != "" && s.prose <= maxTitle {
		return Answer{Kind: Fault, What: clip(s.title), Sure: true}, true
	}
	all := strings.Join(s.lines, "\n")
	if t := StackTrace.FindAllString(all, 2); len(t) == 2 || len(t) == 1 && s.prose <= maxFault {
		return Answer{Kind: Fault, What: clip(t[0]), Sure: true}, true
	}
	if s.prose > maxFault {
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
	m := cmp.Or(FaultText.FindString(text), noSite.FindString(text))
	if emptyList.MatchString(m) {
		return ""
	}
	return m
}

var (
	refreshTo  = lazyregexp.New(`(?i)^\s*(\d*)(?:\.\d*)?\s*[;,]?\s*url\s*=\s*(?:'([^']+)|"([^"]+)|([^\s'"]+))`)
	setsCookie = lazyregexp.New(`document\s*(?:\.\s*cookie|\[\s*['"]cookie['"]\s*\])\s*=|setCookie\s*\(`)
	reloads    = lazyregexp.New(`location\s*(?:\.\s*(?:href|reload|replace|assign)|\[\s*['"](?:href|reload|replace)['"]\s*\]|=)`)
	goesTo     = lazyregexp.New(`(?:^|[^\w.$])(?:(?:window|document|top|self|parent|this)\s*\.\s*)*location(?:\s*\.\s*href)?\s*=\s*(?:['"]([^'"\n]+)['"]\s*(?:[;)}"',\n<]|$)|([A-Za-z_$][\w$]*)\s*(?:[;)}\n<]|$))` +
		`|location\s*\.\s*(?:replace|assign)\s*\(\s*(?:['"]([^'"\n]+)['"]|([A-Za-z_$][\w$]*))\s*\)|(?:window\.)?open\(\s*['"]([^'"\n]+)['"]\s*,\s*['"]_(?:self|top|parent)['"]`)
	ifMobile = lazyregexp.New(`(?i)userAgent|isMobile|ipad|screen\.width|navigator\.platform`)
)

// maxRedirect is how many bytes of a page's scripts are searched for a
// redirect: a page that does nothing else is short.
const maxRedirect = 16 << 10

// longestDelay is the longest delay, in seconds, of a refresh that is a
// redirect; news pages reload themselves after minutes.
const longestDelay = 15

// onward looks for a page that does nothing but send browsers on.
func (s *scan) onward() (Answer, bool) {
	if s.refresh != "" && s.delay <= longestDelay && s.seen() < maxShell && s.refresh != s.base.String() {
		return Answer{Kind: Onward, What: "a meta refresh", To: s.refresh, Sure: true}, true
	}
	if s.seen() >= maxBare || s.root && len(s.sources) > 0 {
		return Answer{}, false
	}
	if to := s.target(); to != "" && to != s.base.String() {
		return Answer{Kind: Onward, What: "a script", To: to, Sure: true}, true
	}
	return Answer{}, false
}

// target is the literal address to which a script sends browsers; "" if it is
// computed, or depends on the browser.
func (s *scan) target() string {
	scripts := s.scripts[:min(len(s.scripts), maxRedirect)]
	for _, m := range goesTo.FindAllStringSubmatchIndex(scripts, 8) {
		part := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return scripts[m[2*i]:m[2*i+1]]
		}
		if ifMobile.MatchString(scripts[max(0, m[0]-300):m[0]]) || waits(scripts, min(m[0]+1, m[1])) {
			continue
		}
		to := firstOf(part(1), part(3), part(5))
		if name := firstOf(part(2), part(4)); to == "" && name != "" {
			set := regexp.MustCompile(`\b` + regexp.QuoteMeta(name) + `\s*=\s*['"]([^'"\n]+)['"]\s*[;,\n]`).FindStringSubmatch(scripts)
			if set != nil {
				to = set[1]
			}
		}
		if to := s.resolve(strings.ReplaceAll(html.UnescapeString(to), `\/`, "/")); to != "" {
			return to
		}
	}
	return ""
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

var namedFunction = lazyregexp.New(`function\s+([A-Za-z_$][\w$]*)\s*\(|([A-Za-z_$][\w$]*)\s*=\s*function\b`)

// waits reports whether a place in the scripts is in the body of a named
// function that nothing calls: a link or button calls it when somebody clicks.
func waits(scripts string, at int) bool {
	before := scripts[max(0, at-2000):at]
	all := namedFunction.FindAllStringSubmatchIndex(before, -1)
	if len(all) == 0 {
		return false
	}
	m := all[len(all)-1]
	body := before[m[1]:]
	if strings.Count(body, "{") <= strings.Count(body, "}") {
		return false // it has ended
	}
	from, to := m[2], m[3]
	if from < 0 {
		from, to = m[4], m[5]
	}
	name := before[from:to]
	return !strings.HasPrefix(name, "onload") && strings.Count(scripts, name+"(") < 2 && !strings.Contains(scripts, "("+name+")") && !strings.Contains(scripts, "="+name) && !strings.Contains(scripts, "("+name+",")
}
