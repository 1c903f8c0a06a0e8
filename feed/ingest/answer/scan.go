package answer

import (
	"cmp"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/publicsuffix"
)

// Limits on how much of a page is examined: its beginning shows whether it is a wall, a
// shell or an error page. Beyond that, text is counted until there is enough for a page,
// because long scripts and styles may precede it.
const (
	maxLooked  = 256 << 10 // bytes
	maxCounted = 2 << 20   // bytes
	maxScripts = 20        // addresses of scripts
	maxLines   = 200
)

// scan is the content of the beginning of a page, read without a tree and in linear time.
type scan struct {
	base     *url.URL
	raw      string   // the bytes that were examined
	title    string   // title of the page
	lines    []string // lines of text outside links
	noscript string   // what browsers without scripts show
	prose    int      // characters of text outside links
	linked   int      // characters of text in links
	links    int
	scripts  string   // the scripts in the page
	sources  []string // addresses of other scripts
	refresh  string   // target of a meta refresh, if there is one
	delay    int      // delay of the refresh, in seconds
	frames   []frame
	root     bool // has an element in which an app renders its pages
	password bool // has a field for a password
	field    bool // has a field for text
	sets     []frameSet
	hollow   []frame // frames whose address a script sets
	before   string  // the text before the current one
	dates    int     // lines with the date of an article or of a row
	days     int     // lines with a day without a year
}

// seen returns the number of characters of visible text.
func (s *scan) seen() int { return s.prose + s.linked }

// rawText are the elements whose content is not visible text.
var rawText = map[string]bool{"script": true, "style": true, "textarea": true, "title": true, "iframe": true, "noembed": true, "noframes": true, "xmp": true, "noscript": true, "template": true, "svg": true, "select": true}

// scanPage reads the beginning of a page.
func scanPage(address, text string) *scan {
	s := &scan{raw: text[:min(len(text), maxLooked)], base: &url.URL{}}
	if u, err := url.Parse(address); err == nil {
		s.base = u
	}
	z := html.NewTokenizer(strings.NewReader(text[:min(len(text), maxCounted)]))
	z.SetMaxBuf(maxCounted)
	in, inLink, at := "", false, 0
	for at < maxLooked || s.seen() <= maxTitle {
		kind := z.Next()
		at += len(z.Raw())
		switch kind {
		case html.ErrorToken:
			s.takeWritten()
			return s
		case html.TextToken:
			s.takeText(in, inLink, string(z.Text()))
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			tag := string(name)
			attrs := attributes(z, more)
			s.takeTag(tag, attrs)
			if tag == "a" {
				inLink = true
			}
			if in == "" && rawText[tag] && kind == html.StartTagToken {
				in = tag
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if string(name) == in {
				in = ""
			}
			switch string(name) {
			case "a":
				inLink = false
			case "frameset":
				s.sets = s.sets[:max(0, len(s.sets)-1)]
			}
		}
	}
	s.takeWritten()
	return s
}

// maxAttributes limits the attributes that are read of one tag.
const maxAttributes = 64

func attributes(z *html.Tokenizer, more bool) map[string]string {
	all := make(map[string]string)
	for n := 0; more && n < maxAttributes; n++ {
		var key, value []byte
		key, value, more = z.TagAttr()
		if _, ok := all[string(key)]; !ok {
			all[string(key)] = string(value)
		}
	}
	return all
}

func (s *scan) takeText(in string, inLink bool, text string) {
	switch in {
	case "script":
		if left := maxLooked - len(s.scripts); left > 0 {
			s.scripts += text[:min(len(text), left)] + "\n"
		}
		return
	case "title":
		s.title += squeeze(text)
		return
	case "noscript":
		s.noscript += strings.Join(strings.Fields(withoutTags(html.UnescapeString(text))), " ")
		return
	case "":
	default:
		return
	}
	text = strings.Join(strings.Fields(html.UnescapeString(text)), " ")
	n := utf8.RuneCountInString(text)
	s.noteDate(text)
	switch {
	case n == 0:
	case inLink:
		s.linked += n
	default:
		s.prose += n
		if len(s.lines) < maxLines {
			s.lines = append(s.lines, text)
		}
	}
}

func (s *scan) takeTag(tag string, attrs map[string]string) {
	switch tag {
	case "base":
		if u, err := s.base.Parse(strings.TrimSpace(attrs["href"])); err == nil && attrs["href"] != "" {
			s.base = u
		}
	case "meta":
		s.noteMeta(cmp.Or(attrs["name"], attrs["property"]), attrs["content"])
		if strings.EqualFold(attrs["http-equiv"], "refresh") && s.refresh == "" {
			s.delay, s.refresh = s.readRefresh(attrs["content"])
		}
	case "a":
		s.links++
	case "script":
		if src := s.resolve(attrs["src"]); src != "" && len(s.sources) < maxScripts {
			s.sources = append(s.sources, src)
		}
	case "iframe", "frame":
		s.takeFrame(tag, attrs)
	case "frameset":
		s.sets = append(s.sets, frameSet{sizes(attrs["cols"]), sizes(attrs["rows"])})
	case "input":
		s.password = s.password || strings.EqualFold(attrs["type"], "password")
		s.field = s.field || attrs["type"] == "" || strings.EqualFold(attrs["type"], "text")
	case "body":
		if onload := attrs["onload"]; onload != "" {
			s.scripts += onload + "\n"
		}
	case "app-root":
		s.root = true
	case "div", "main", "section":
		s.root = s.root || appRoots[strings.ToLower(attrs["id"])]
	}
}

// appRoots are the ids of the elements into which Vue, React, Nuxt, Next,
// uni-app and similar frameworks render.
var appRoots = map[string]bool{"app": true, "root": true, "__nuxt": true, "__next": true, "__layout": true, "___gatsby": true, "svelte": true, "react-root": true, "vue-app": true, "main-app": true, "app-root": true, "q-app": true, "ice-container": true, "icestark-container": true, "subapp-viewport": true, "container-app": true, "appmain": true}

func (s *scan) readRefresh(content string) (delay int, to string) {
	m := refreshTo.FindStringSubmatch(content)
	if m == nil {
		return 0, ""
	}
	delay, _ = strconv.Atoi(m[1])
	target := firstOf(m[2], m[3], m[4])
	return delay, s.resolve(html.UnescapeString(target))
}

// resolve returns an address on a page as an absolute one; "" if no browser would fetch it.
func (s *scan) resolve(to string) string {
	to = strings.TrimSpace(to)
	if to == "" || strings.HasPrefix(to, "#") {
		return ""
	}
	u, err := s.base.Parse(to)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	u.Fragment = ""
	return u.String()
}

// SameSite reports whether an address belongs to the site of the page.
func (s *scan) SameSite(address string) bool {
	return SameSite(s.base.String(), address)
}

// SameSite reports whether two addresses have the same host, or hosts of one
// registered domain.
func SameSite(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	if errX != nil || errY != nil {
		return false
	}
	if x.Host == y.Host {
		return true
	}
	site, errX := publicsuffix.EffectiveTLDPlusOne(x.Hostname())
	other, errY := publicsuffix.EffectiveTLDPlusOne(y.Hostname())
	return errX == nil && errY == nil && site == other && x.Port() == y.Port()
}
