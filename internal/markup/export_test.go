package markup

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// CheckCount compares the nodes of a tree with the computed bound. A token implies at most
// two more elements: a cell, its row and its group.
func CheckCount(t *testing.T, text string) {
	t.Helper()
	cut, ok := checkTokens(text, HasForeign(text))
	if !ok && isCheap(text) && !HasForeign(text) {
		t.Errorf("a text is too expensive, and passes for a cheap one: %.2000q", text)
	}
	if !ok && len(text) > 100_000 {
		return
	}
	c, count := newCounter(), 0
	for tok := newTokens(cut); ; count++ {
		kind := tok.next()
		if kind == html.ErrorToken {
			break
		}
		c.count(kind, tok)
	}
	if c.nodes > 10*maxNodes {
		return
	}
	root, err := html.ParseWithOptions(strings.NewReader(cut), html.ParseOptionEnableScripting(false))
	if err != nil {
		return
	}
	nodes := 0
	for range root.Descendants() {
		nodes++
	}
	if most := c.nodes + 2*count + 10; nodes > most {
		t.Errorf("a tree has %d nodes, counted were %d: %.2000q", nodes, most, text)
	}
}
