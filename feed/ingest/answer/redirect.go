package answer

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"

	"dibao/internal/lazyregexp"
)

var (
	refreshTo  = lazyregexp.New(`(?i)^\s*(\d*)(?:\.\d*)?\s*[;,]?\s*url\s*=\s*(?:'([^']+)|"([^"]+)|([^\s'"]+))`)
	setsCookie = lazyregexp.New(`document\s*(?:\.\s*cookie|\[\s*['"]cookie['"]\s*\])\s*=|setCookie\s*\(`)
	reloads    = lazyregexp.New(`location\s*(?:\.\s*(?:href|reload|replace|assign)|\[\s*['"](?:href|reload|replace)['"]\s*\]|=)`)
	goesTo     = lazyregexp.New(`(?:^|[^\w.$])(?:(?:window|document|top|self|parent|this)\s*\.\s*)*location(?:\s*\.\s*href)?\s*=\s*(?:['"]([^'"\n]+)['"]\s*(?:[;)}"',\n<]|$)|([A-Za-z_$][\w$]*)\s*(?:[;)}\n<]|$))` +
		`|location\s*\.\s*(?:replace|assign)\s*\(\s*(?:['"]([^'"\n]+)['"]|([A-Za-z_$][\w$]*))\s*\)|(?:window\.)?open\(\s*['"]([^'"\n]+)['"]\s*,\s*['"]_(?:self|top|parent)['"]`)
	ifMobile = lazyregexp.New(`(?i)userAgent|isMobile|ipad|screen\.width|navigator\.platform`)
)

// maxRedirect is how many bytes of a page's scripts are searched for a redirect: a page
// that only redirects is short.
const maxRedirect = 16 << 10

// longestDelay is the longest delay, in seconds, of a refresh that counts as a redirect;
// news pages reload themselves after minutes.
const longestDelay = 15

// redirect recognizes a page that only redirects browsers.
func (s *scan) redirect() (Answer, bool) {
	if s.refresh != "" && s.delay <= longestDelay && s.seen() < maxShell && s.refresh != s.base.String() {
		return Answer{Kind: Redirect, What: "a meta refresh", To: s.refresh, Sure: true}, true
	}
	if s.seen() >= maxBare || s.root && len(s.sources) > 0 {
		return Answer{}, false
	}
	if to := s.target(); to != "" && to != s.base.String() {
		return Answer{Kind: Redirect, What: "a script", To: to, Sure: true}, true
	}
	return Answer{}, false
}

// spellings are variants of what goesTo matches: a property in brackets, and a literal path
// combined with the page's own origin or query.
var spellings = []struct {
	other *lazyregexp.Regexp
	plain string
}{
	{lazyregexp.New(`\[\s*['"](location|href|replace|assign|origin)['"]\s*\]`), ".$1"},
	{lazyregexp.New("`\\$\\{(?:window\\.)?location\\.origin\\}(/[^`$'\"\n]*)`"), "'$1'"},
	{lazyregexp.New(`(?:(?:window|document|self|top|parent)\s*\.\s*)*location\s*\.\s*(?:origin|protocol\s*\+\s*['"]//['"]\s*\+\s*(?:(?:window|document|self|top|parent)\s*\.\s*)*location\s*\.\s*host(?:name)?)\s*\+\s*(['"])/`), "$1/"},
	{lazyregexp.New(`(['"])\s*\+\s*(?:(?:window|document|self|top|parent)\s*\.\s*)*location\s*\.\s*(?:search|hash)\b`), "$1"},
	{lazyregexp.New(`\$\(\s*(?:window\.)?location\s*\)\s*\.\s*(?:attr|prop)\s*\(\s*['"]href['"]\s*,\s*(['"][^'"\n]+['"])\s*\)`), "location.href=$1;"},
}

// target is the literal address to which a script sends browsers; "" if it is
// computed, or depends on the browser.
func (s *scan) target() string {
	scripts := s.scripts[:min(len(s.scripts), maxRedirect)]
	for _, sp := range spellings {
		scripts = sp.other.ReplaceAllString(scripts, sp.plain)
	}
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
