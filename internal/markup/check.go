package markup

import (
	"strings"

	"golang.org/x/net/html"
)

// Limits on the tree of one text.
const (
	maxNodes = 400_000    // nodes of about 112 bytes; two attributes count as one
	anyNodes = 4_096      // nodes that a text may have in addition to one for each of its bytes
	maxMoves = 20_000_000 // moves of a node to another parent, or steps of a search
)

// foreign elements are removed with their content: they change how the following tokens are
// parsed, and are not needed for reading.
var foreign = []string{"svg", "math", "template"}

// HasForeign reports whether a text may contain a foreign element or a template.
func HasForeign(text string) bool {
	for {
		at := strings.IndexByte(text, '<')
		if at < 0 {
			return false
		}
		text = text[at+1:]
		for _, name := range foreign {
			if len(text) >= len(name) && strings.EqualFold(text[:len(name)], name) {
				return true
			}
		}
	}
}

// integration elements of foreign content contain HTML, which does not end that content
// (HTML Standard, 13.2.6).
var integration = set("annotation-xml desc foreignobject mi mn mo ms mtext title")

// breakouts end foreign content (HTML Standard, 13.2.6.5).
var breakouts = set("b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing " +
	"menu meta nobr ol p pre ruby s small span strong strike sub sup table tt u ul var")

// check returns the text without foreign elements and templates, and whether
// its tree is cheap enough to build.
func check(text string) (cut string, ok bool) {
	rewrite := HasForeign(text)
	if !rewrite && isCheap(text) {
		return text, true
	}
	return checkTokens(text, rewrite)
}

// isCheap reports whether the tree of a text can't cost more than check permits, however its
// tags are nested. It only counts characters: most items of feeds are short and simple, and
// reading their tokens would cost half as much as building their trees.
func isCheap(text string) bool {
	if len(text) >= maxToken {
		return false
	}
	tags, formatted, attrs := 0, 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '<':
			tags++
			if i+1 < len(text) && formattingLetters[text[i+1]] {
				formatted++
			}
		case ' ', '\t', '\n', '\f', '\r', '/', '"', '\'': // precede each attribute
			attrs++
		}
	}
	again := formatted + attrs/2                           // nodes that the parser may create again for one tag
	nodes := 2*tags + 1 + attrs/2 + tags*again             // with the texts between the tags
	moves := tags * (nodes + 2*formatted + rootCost*attrs) // each tag can move all nodes
	return attrs <= maxAttrs && nodes <= min(maxNodes, anyNodes+len(text)) && moves <= maxMoves
}

// formattingLetters are the first letters of formatting elements.
var formattingLetters = func() (all [256]bool) {
	for name := range formatting {
		all[name[0]], all[name[0]-'a'+'A'] = true, true
	}
	return all
}()

// checkTokens is like check, but reads the tokens of a text; rewrite says that the text may
// contain elements to remove.
func checkTokens(text string, rewrite bool) (cut string, ok bool) {
	c := newCounter()
	var kept strings.Builder
	var hole cutter
	most := min(maxNodes, anyNodes+len(text))
	for t := newTokens(text); ; {
		kind := t.next()
		if kind == html.ErrorToken {
			break
		}
		if t.attrs > maxAttrs || t.broken {
			return "", false
		}
		if rewrite && hole.covers(kind, t.name) {
			continue
		}
		if rewrite {
			kept.WriteString(hole.mark())
			kept.WriteString(t.text[t.start:t.at])
		}
		c.count(kind, t)
		if c.nodes > most || c.moves > maxMoves {
			return "", false
		}
	}
	if rewrite {
		return kept.String(), true
	}
	return text, true
}

// cutter tracks which tokens are in a foreign element or a template.
type cutter struct {
	name string // name of the element that is being removed
	html bool   // HTML in it belongs to it
	deep int    // number of open elements with that name
	left bool   // something was removed since the last mark
}

// mark replaces removed text: without it, the text before and after could form one tag.
func (c *cutter) mark() string {
	if c.left {
		c.left = false
		return "<!---->"
	}
	return ""
}

func (c *cutter) covers(kind html.TokenType, name string) bool {
	begins := kind == html.StartTagToken
	switch {
	case c.deep == 0 && (begins || kind == html.SelfClosingTagToken) && (name == "svg" || name == "math" || name == "template"):
		c.name, c.left, c.html = name, true, name == "template"
		if begins || name == "template" {
			c.deep = 1
		}
		return true
	case c.deep == 0:
		return kind == html.EndTagToken && (name == "svg" || name == "math" || name == "template")
	case begins && name == c.name:
		c.deep++
	case kind == html.EndTagToken && name == c.name:
		c.deep--
	case begins && integration[name]:
		c.html = true
	case !c.html && (begins || kind == html.SelfClosingTagToken) && breakouts[name]:
		c.deep = 0
		return false
	}
	return true
}
