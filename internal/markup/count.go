package markup

import (
	"slices"

	"golang.org/x/net/html"
)

const (
	maxHeld  = 8   // blocks that one end tag of a formatting element can close
	rootCost = 100 // cost, in moves (see maxMoves), of copying an attribute of html or body
	sameKept = 3   // equal formatting elements that are rebuilt (the Noah's Ark clause)
)

var (
	// formatting elements are rebuilt in each block until they are closed (HTML
	// Standard, 13.2.4.3 The list of active formatting elements).
	formatting = set("a b big code em font i nobr s small strike strong tt u")
	// inline elements do not close other elements.
	inline = set("span img br wbr label sub sup ins del abbr acronym cite q var kbd samp mark time script style link meta " +
		"base title area embed source track param iframe textarea noscript bdi bdo data ruby o:p")
	// barriers prevent an end tag from closing elements outside of them.
	barriers = set("table caption td th object applet marquee select")
	// rows begin or end where a cell has ended.
	rows = set("td th tr tbody thead tfoot")
)

// counter computes an upper bound of the cost of a tree. It follows the tree
// builder in opening and closing formatting elements, and assumes the more
// expensive way in case of doubt.
type counter struct {
	nodes, moves int
	blocks       int     // number of tags so far that began a block
	scopes       []scope // the last one is the innermost
	again        int     // nodes that one block has to rebuild
	same         map[string]int
	rootAttrs    int
}

// scope contains the open elements between one barrier and the next inner one.
type scope struct {
	name string
	open []entry
}

// entry is an open formatting element.
type entry struct {
	name, key  string // equal elements have the same key
	nodes      int    // computed number of nodes
	at, blocks int    // c.nodes and c.blocks when it began
}

func newCounter() *counter {
	return &counter{scopes: make([]scope, 1), same: make(map[string]int)}
}

func (c *counter) count(kind html.TokenType, t *tokens) {
	c.nodes++
	c.nodes += t.attrs / 2
	switch kind {
	case html.StartTagToken, html.SelfClosingTagToken:
		c.begin(t)
	case html.EndTagToken:
		c.end(t.name)
	}
}

func (c *counter) begin(t *tokens) {
	name := t.name
	switch {
	case formatting[name]:
		if name == "a" || name == "nobr" { // these elements can't be nested
			if at := c.find(name); at >= 0 {
				c.nodes += c.again
				c.close(at)
			}
		}
		c.push(entry{name, t.text[t.start:t.at], 1 + t.attrs/2, c.nodes, c.blocks})
	case inline[name]:
	case name == "html" || name == "body":
		c.rootAttrs += t.attrs
		c.moves += rootCost * c.rootAttrs // each such tag is compared with all earlier ones
	default:
		c.blocks++
		c.nodes += c.again
		if c.inCell() && rows[name] {
			c.leave()
		}
		if barriers[name] {
			c.scopes = append(c.scopes, scope{name: name})
		}
	}
}

func (c *counter) end(name string) {
	if formatting[name] {
		at := c.find(name)
		if at < 0 {
			c.nodes += c.again
			return
		}
		if at < len(c.scopes[len(c.scopes)-1].open)-1 {
			c.nodes += c.again
		}
		c.close(at)
		return
	}
	c.nodes += c.again
	inner := c.scopes[len(c.scopes)-1].name
	switch {
	case name == "table":
		c.leaveTable()
	case barriers[name] && inner == name, c.inCell() && name != "td" && name != "th" && rows[name]:
		c.leave()
	}
}

// find returns the index of the last open element with a name in the innermost scope, -1 if
// there is none.
func (c *counter) find(name string) int {
	open := c.scopes[len(c.scopes)-1].open
	for i := len(open) - 1; i >= 0; i-- {
		c.moves++
		if open[i].name == name {
			return i
		}
	}
	return -1
}

// close closes an element of the innermost scope. Everything built since it
// began may get another parent, one block at a time (the adoption agency
// algorithm).
func (c *counter) close(at int) {
	s := &c.scopes[len(c.scopes)-1]
	e := s.open[at]
	c.moves += c.nodes - e.at
	if c.blocks-e.blocks >= maxHeld {
		return // with so many blocks in it, a part of the element stays open
	}
	s.open = slices.Delete(s.open, at, at+1)
	c.drop(e)
}

func isLink(e entry) bool { return e.name == "a" }

func (c *counter) drop(e entry) {
	if c.same[e.key]--; c.same[e.key] < sameKept {
		c.again -= e.nodes
	}
}

func (c *counter) push(e entry) {
	s := &c.scopes[len(c.scopes)-1]
	s.open = append(s.open, e)
	if c.same[e.key]++; c.same[e.key] <= sameKept {
		c.again += e.nodes
	}
}

func (c *counter) inCell() bool {
	name := c.scopes[len(c.scopes)-1].name
	return name == "td" || name == "th"
}

// leave closes the innermost scope. Its open elements continue to count outside, because
// the tree builder ignores a cell outside of a table.
func (c *counter) leave() {
	last := len(c.scopes) - 1
	inner := c.scopes[last]
	c.scopes = c.scopes[:last]
	outer := &c.scopes[last-1]
	links := slices.ContainsFunc(outer.open, isLink)
	for _, e := range inner.open {
		c.moves++
		if links && isLink(e) && c.blocks-e.blocks < maxHeld {
			c.drop(e) // links can't be nested, inside of a cell or not
			continue
		}
		links = links || isLink(e)
		outer.open = append(outer.open, e)
	}
}

// leaveTable closes the innermost table, if only its cells are open in it.
func (c *counter) leaveTable() {
	for i := len(c.scopes) - 1; i > 0; i-- {
		switch c.scopes[i].name {
		case "table":
			for len(c.scopes) > i {
				c.leave()
			}
			return
		case "td", "th", "caption":
		default:
			return
		}
	}
}
