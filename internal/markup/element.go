package markup

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// Attr returns the value of an element's attribute, "" if it has none.
func Attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// NextElement returns the next sibling that is an element, nil after the last.
func NextElement(n *html.Node) *html.Node {
	for n = n.NextSibling; n != nil; n = n.NextSibling {
		if n.Type == html.ElementNode {
			return n
		}
	}
	return nil
}

// ClassWords returns the words of an element's id and classes, in lower case: those of
// relatedNews and post_comment-list are related, news, post, comment, list.
func ClassWords(n *html.Node) []string {
	var all []string
	for _, a := range n.Attr {
		if a.Key != "id" && a.Key != "class" || len(a.Val) > 500 {
			continue
		}
		start, before := 0, rune(0)
		for i, r := range a.Val {
			upper := unicode.IsUpper(r) && unicode.IsLower(before)
			if letter := unicode.IsLetter(r); !letter || upper {
				if i > start {
					all = append(all, strings.ToLower(a.Val[start:i]))
				}
				start = i
				if !letter {
					start = i + utf8.RuneLen(r)
				}
			}
			before = r
		}
		if start < len(a.Val) {
			all = append(all, strings.ToLower(a.Val[start:]))
		}
	}
	return all
}
