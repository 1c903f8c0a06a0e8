package pager

import (
	"strconv"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"

	"dibao/feed/ingest/list"
	"dibao/feed/ingest/plain"
	"dibao/internal/lazyregexp"
)

// bySelect reads a select element with pages.
func (r *pagerReader) bySelect() string {
	var next string
	goquery.NewDocumentFromNode(r.root).Find("select").EachWithBreak(func(_ int, s *goquery.Selection) bool {
		options := s.Find("option")
		at := 0
		addresses := 0
		options.Each(func(i int, o *goquery.Selection) {
			if _, isSelected := o.Attr("selected"); isSelected {
				at = i
			}
			if strings.Contains(o.AttrOr("value", ""), ".") || strings.Contains(o.AttrOr("value", ""), "?") {
				if _, err := strconv.Atoi(strings.Trim(plain.Collapse(o.Text()), "第页 ")); err == nil {
					addresses++
				}
			}
		})
		if addresses == options.Length() && at+1 < addresses {
			next = options.Eq(at+1).AttrOr("value", "")
		}
		return next == ""
	})
	return next
}

// Limits on the groups of page numbers that are examined.
const (
	maxGroups     = 20
	maxGroupNodes = 400
)

// byNumbers follows the number after that of this page, if a pager has only
// numbers.
func (r *pagerReader) byNumbers() string {
	seen := make(map[*html.Node]bool)
	for i, a := range r.links {
		if len(r.texts[i]) > 10 {
			continue
		}
		if len(seen) > maxGroups {
			break
		}
		n, ok := numberOfPage(a)
		if !ok || n != 1 && n != 2 || a.Parent == nil {
			continue
		}
		group := a.Parent
		if group.FirstChild == group.LastChild || onlyChild(a) {
			group = group.Parent
		}
		if group == nil || seen[group] {
			continue
		}
		seen[group] = true
		if next := r.afterCurrent(group); next != "" {
			return next
		}
	}
	return ""
}

func onlyChild(n *html.Node) bool {
	for _, s := range []*html.Node{n.PrevSibling, n.NextSibling} {
		if s != nil && (s.Type == html.ElementNode || strings.TrimSpace(s.Data) != "") {
			return false
		}
	}
	return true
}

// numberOfPage returns the number of an element that contains only a page number.
func numberOfPage(n *html.Node) (int, bool) {
	text := linkText(n)
	if len(text) > 10 {
		return 0, false
	}
	v, err := strconv.Atoi(strings.Trim(text, "[]第页 "))
	return v, err == nil && v > 0
}

// afterCurrent returns the address of the number after the current one in a
// group of page numbers.
func (r *pagerReader) afterCurrent(group *html.Node) string {
	links, calls := make(map[int]string), make(map[int]string)
	current, seen := 0, 0
	for n := range group.Descendants() {
		if seen++; seen > maxGroupNodes {
			break
		}
		if n.Type != html.ElementNode {
			continue
		}
		v, ok := numberOfPage(n)
		if !ok {
			continue
		}
		to := ""
		if n.Data == "a" {
			to = list.Address(n)
		}
		call := CallOf(n)
		switch {
		case isCurrent(n) || isCurrent(n.Parent) && n.Parent != group:
			current = v
		case r.resolve(to) != "":
			if links[v] == "" {
				links[v] = to
			}
		case call != "":
			if calls[v] == "" {
				calls[v] = call
			}
		case n.FirstChild != nil && n.FirstChild.Type == html.TextNode && current == 0:
			current = v // a number without a link, or with a link to this page
		}
	}
	if current == 0 && len(links)+len(calls) > 1 && links[1] == "" && calls[1] == "" {
		current = 1
	}
	if current == 0 {
		return ""
	}
	to, call := links[current+1], calls[current+1]
	if to != "" || call == "" {
		return to
	}
	if to = r.call(call); to == "" && r.unknown == "" {
		r.note(strconv.Itoa(current+1), call)
	}
	return to
}

var currentName = lazyregexp.New(`(?i)(?:^|[\s_-])(?:cur|curr|current|on|active|select|selected|now|this|thisclass|hover)(?:$|[\s_-])`)

func isCurrent(n *html.Node) bool {
	return n != nil && n.Type == html.ElementNode && (currentName.MatchString(attribute(n, "class")) || attribute(n, "aria-current") != "")
}
