// Package markup parses untrusted HTML within limits. The cost of the tree
// builder of HTML5 is not linear: it rebuilds unclosed formatting elements in
// every block, so that 46 kB can take 2 GB. [Parse] reads the tokens first,
// computes an upper bound of the cost of the tree, and reads the text without
// markup if that is too high.
//
// No other package may call an HTML parser; a test checks this.
package markup

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// MaxDepth is the maximum nesting depth of the trees that Parse returns, in elements. Code
// that walks a tree is recursive.
const MaxDepth = 512

// Parse returns the tree of a page or of a piece of markup; it is never nil. Foreign
// elements (svg, math) and templates are removed, because they are not needed for reading.
//
// If the tree would be too expensive, plain is true and the tree contains only the title
// and the text, each block as a paragraph. The caller has to report that.
func Parse(text string) (root *html.Node, plain bool) {
	cut, ok := check(text)
	if !ok {
		return plainTree(text), true
	}
	root, err := html.ParseWithOptions(strings.NewReader(cut), html.ParseOptionEnableScripting(false))
	if err != nil || tooDeep(root, 0) {
		return plainTree(text), true
	}
	return root, false
}

func tooDeep(n *html.Node, at int) bool {
	if at >= MaxDepth {
		return true
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if tooDeep(c, at+1) {
			return true
		}
	}
	return false
}

// plainTree returns the tree of a page that contains only its title and its text.
func plainTree(text string) *html.Node {
	title, lines := readLines(text)
	root := &html.Node{Type: html.DocumentNode}
	page := add(root, atom.Html)
	head, body := add(page, atom.Head), add(page, atom.Body)
	if title != "" {
		add(head, atom.Title).AppendChild(&html.Node{Type: html.TextNode, Data: title})
	}
	for _, line := range lines[:min(len(lines), maxNodes/4)] {
		add(body, atom.P).AppendChild(&html.Node{Type: html.TextNode, Data: line})
	}
	return root
}

func add(parent *html.Node, name atom.Atom) *html.Node {
	n := &html.Node{Type: html.ElementNode, DataAtom: name, Data: name.String()}
	parent.AppendChild(n)
	return n
}
