package ingest

import (
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/net/html"

	"dibao/feed/ingest/register"
	"dibao/feed/ingest/textblock"
	"dibao/internal/lazyregexp"
	"dibao/internal/markup"
	"dibao/policy/label"
	"dibao/policy/words"
)

// line is a displayed line of a page: a paragraph, a heading, a cell, a piece between two
// br elements.
type line struct {
	text  string       // whitespace collapsed
	raw   string       // with label.Boundary between elements
	node  *html.Node   // the block that contains it
	nodes []*html.Node // its text nodes, in order
	size  int          // characters
	link  int          // characters in links
	prose int          // characters in sentences; 0 for headings, labels, menus
	aside aside
	part  *html.Node // the element for which it is marked as an aside

	inRegister bool // part of a document's register
	inCard     bool // the line is in a card that announces another article
}

// mass is the amount of text in an element.
type mass struct{ size, link, prose int }

// view is a page as lines, with the amount of text in each element.
type view struct {
	lines   []line
	weights map[*html.Node]mass
	links   map[string]bool            // texts, without whitespace, of lines that are only a link
	ends    map[*html.Node]span        // the lines under each element
	bare    bool                       // the page has no text except readers' comments
	boxes   map[*html.Node]bool        // parts about other articles within the text, which continues below them
	before  struct{ lines, prose int } // the lines that isStream has read, and the length of their sentences
}

// span is a range of lines: from up to but not including to.
type span struct{ from, to int }

// lookAt reads the lines of a page.
func lookAt(root *html.Node) *view {
	v := &view{weights: make(map[*html.Node]mass), links: make(map[string]bool), ends: make(map[*html.Node]span), boxes: make(map[*html.Node]bool)}
	b := lineWriter{view: v}
	b.walk(root, root, false)
	b.flush()
	v.dropImprints()
	v.weigh(root)
	v.markAsides(root)
	v.markStreams(root)
	return v
}

type lineWriter struct {
	view  *view
	block *html.Node
	raw   strings.Builder
	nodes []*html.Node
	link  int
}

func (b *lineWriter) flush() {
	raw := strings.Join(strings.FieldsFunc(b.raw.String(), isPadding), " ")
	text := collapse(strings.ReplaceAll(raw, string(label.Boundary), ""))
	if text != "" && len(b.view.lines) < textblock.Max {
		l := line{text: text, raw: raw, node: b.block, nodes: b.nodes, size: utf8.RuneCountInString(text), link: b.link}
		l.link = min(l.link, l.size)
		l.prose = proseOf(text, l.size, l.link)
		if l.link*10 >= l.size*9 && l.size < 60 {
			b.view.links[squeeze(text)] = true
		}
		b.view.lines = append(b.view.lines, l)
	}
	b.raw.Reset()
	b.nodes, b.link = nil, 0
}

// isPadding reports whether a character of the source only formats the markup.
func isPadding(r rune) bool { return r <= ' ' && r != label.Boundary }

// walk reads the lines under n; block is the innermost block around it.
func (b *lineWriter) walk(n, block *html.Node, inLink bool) {
	switch {
	case n.Type == html.TextNode:
		if len(b.nodes) == 0 {
			b.block = block
		}
		b.nodes = append(b.nodes, n)
		b.raw.WriteString(markGaps(n.Data))
		if inLink {
			b.link += utf8.RuneCountInString(collapse(n.Data))
		}
		return
	case n.Type == html.ElementNode && (markup.Unseen[n.Data] || isHidden(n)):
		return
	}
	isBlock := n.Type == html.ElementNode && (markup.Blocks[n.Data] || isCell(n))
	if isBlock {
		b.flush()
		if n.Data != "br" && n.Data != "hr" {
			block = n
		}
	} else {
		b.raw.WriteRune(label.Boundary)
	}
	from := len(b.view.lines)
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.walk(c, block, inLink || n.Data == "a")
	}
	if isBlock {
		b.flush()
	} else {
		b.raw.WriteRune(label.Boundary)
	}
	if n.Type == html.ElementNode {
		b.view.ends[n] = span{from, len(b.view.lines)}
		if len(b.view.lines) > from && register.Is(n) {
			for i := range b.view.lines[from:] {
				b.view.lines[from+i].inRegister, b.view.lines[from+i].prose = true, 0
			}
		}
	}
}

// markGaps turns whitespace that a page displays as a gap (two or more U+00A0,
// or U+3000) into a boundary, like that between elements.
func markGaps(s string) string {
	if !strings.ContainsAny(s, "\u00a0\u3000\u2003") {
		return s
	}
	var b strings.Builder
	narrow := 0
	for _, r := range s {
		if r == '\u00a0' {
			if narrow++; narrow == 2 {
				b.WriteRune(label.Boundary)
			}
			b.WriteByte(' ')
			continue
		}
		narrow = 0
		if r == '\u3000' || r == '\u2003' {
			b.WriteRune(label.Boundary)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// The minimum number of characters of a line of prose: with a full stop or
// comma, and without.
const (
	minProse     = 10
	minBareProse = 50
)

// imprint matches a line about who runs the site.
var imprint = words.New(`版权所有|(?i:ICP备|All Rights Reserved)|公网安备|网站标识码|^(?:主办|承办|协办|技术支持)(?:单位)?[:：].{0,60}$|^网站(?:管理|维护|保留)|^地\s?址[:：].{0,50}(?:邮编|电话)`)

// maxImprint is the maximum number of characters of such a line; a longer one
// that mentions copyright is a text about it.
const maxImprint = 400

// proseOf returns the number of characters of a line that are running text.
func proseOf(text string, size, link int) int {
	plain := size - link
	if plain < minProse || link*2 > size || size <= maxImprint && imprint.MatchString(text) {
		return 0
	}
	if strings.ContainsAny(text, "。，；！？、：") || strings.Contains(text, ". ") || strings.Contains(text, ", ") || strings.HasSuffix(text, ".") && plain > 30 {
		return plain
	}
	if plain >= minBareProse {
		return plain / 2
	}
	return 0
}

// copyright matches the copyright line of a site.
var copyright = words.New(`版权所有|(?i:copyright|All Rights Reserved)`)

// dropImprints marks the lines that share a small block with an imprint, such as address and
// phone number, as not prose.
func (v *view) dropImprints() {
	for i, l := range v.lines {
		if l.size > maxImprint || !textLevel[l.node.Data] && l.node.Data != "div" && l.node.Data != "td" || !copyright.MatchString(l.text) || !imprint.MatchString(l.text) {
			continue
		}
		for _, step := range []int{-1, 1} {
			for j := i + step; j >= 0 && j < len(v.lines) && j-i <= maxImprintLines && i-j <= maxImprintLines && v.lines[j].node == l.node && v.lines[j].size <= maxImprint/2; j += step {
				v.lines[j].prose = 0
			}
		}
	}
}

// maxImprintLines is the number of lines on either side of an imprint line that belong to
// it.
const maxImprintLines = 4

// weigh adds up the text of lines by element.
func (v *view) weigh(root *html.Node) {
	own := make(map[*html.Node]mass)
	for _, l := range v.lines {
		w := own[l.node]
		own[l.node] = mass{w.size + l.size, w.link + l.link, w.prose + l.prose}
	}
	var sum func(n *html.Node) mass
	sum = func(n *html.Node) mass {
		total := own[n]
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if c.Type == html.ElementNode && !markup.Unseen[c.Data] {
				w := sum(c)
				total = mass{total.size + w.size, total.link + w.link, total.prose + w.prose}
			}
		}
		if total.size > 0 {
			v.weights[n] = total
		}
		return total
	}
	sum(root)
}

func (v *view) under(n *html.Node) span {
	if s, ok := v.ends[n]; ok {
		return s
	}
	return span{}
}

// minRows is the number of links with dates that make a page without text a list.
const minRows = 5

// isList reports whether a page shows links to other articles with their dates.
func (v *view) isList() bool {
	rows := 0
	for i, l := range v.lines {
		if (l.aside != elsewhere || l.inCard) && l.link*2 > l.size && l.link >= 2*minTitle && (label.FindDate(l.text) != nil || i+1 < len(v.lines) && clockLine.MatchString(v.lines[i+1].text)) {
			rows++
		}
	}
	return rows >= minRows
}

// The minimum and maximum length, in characters, of a prompt, which is recognized by its
// repetition.
const minPrompt, maxPrompt = 15, 50

// repeats returns a function that reports whether a line occurs more than once among
// others.
func (v *view) repeats(s span) func(i int) bool {
	isPrompt := func(l line) bool { return l.size >= minPrompt && l.size <= maxPrompt }
	times := sync.OnceValue(func() map[string]int {
		times := make(map[string]int)
		for _, l := range v.lines[s.from:s.to] {
			if isPrompt(l) {
				times[l.text]++
			}
		}
		return times
	})
	return func(i int) bool { return isPrompt(v.lines[i]) && times()[v.lines[i].text] > 1 }
}

// noFiles matches a heading of files that is used even if there are none.
var noFiles = lazyregexp.New(`^(?:相关)?(?:附件|文件)(?:下载|列表)?\s*[:：]?$`)
