// Package textblock reads the text of an element as a sequence of blocks:
// paragraphs, headings, list items and table rows, without the captions of
// pictures.
package textblock

import (
	"slices"
	"strings"
	"unicode/utf8"

	"dibao/feed/ingest/plain"
	"dibao/policy/warn"

	"golang.org/x/net/html"

	"dibao/internal/lazyregexp"
	"dibao/internal/markup"
)

// Max is the maximum number of blocks in one text; the longest known law has about 2,000.
const Max = 20000

// CutWarning is the warning for a text that reached the maximum number of
// blocks, nil for a shorter one.
func CutWarning(blocks int) []warn.Warning {
	if blocks < Max {
		return nil
	}
	return []warn.Warning{warn.New("lines-cut", Max)}
}

// OfMarkup returns the blocks of text in sanitized markup.
func OfMarkup(text string) []string {
	if text == "" {
		return nil
	}
	root, _ := markup.Parse(text)
	return Of(root)
}

// Of returns the blocks of text of an element, with whitespace
// collapsed: paragraphs, headings, list items, lines that end in br or are not
// in any element. The cells of a table row are one block.
func Of(n *html.Node) []string {
	plain, all := blockWriter{}, blockWriter{captions: true}
	plain.walk(n, false)
	plain.flush()
	if !plain.met {
		return plain.blocks
	}
	all.walk(n, false)
	if all.flush(); sizeOf(all.blocks) > 2*sizeOf(plain.blocks) { // a picture story
		return all.blocks
	}
	return plain.blocks
}

// sizeOf returns the number of bytes of all lines.
func sizeOf(lines []string) (n int) {
	for _, s := range lines {
		n += len(s)
	}
	return n
}

// maxFigcaption is the maximum length, in characters, of an element that its name makes a
// caption.
const maxFigcaption = 500

// maxCaption is the maximum length, in characters, of a line that its position makes a
// caption.
const maxCaption = 30

// isCaption reports whether an element is the caption of a picture: its name says so, or it
// is a short line after a picture that is centered, or that precedes the text on a page
// where all pictures have such a line.
func isCaption(n *html.Node) bool {
	if n.Data == "figcaption" || slices.Contains(markup.ClassWords(n), "caption") {
		_, short := UpTo(n, maxFigcaption)
		return short
	}
	if ofPicture(n) || isWithPicture(n) {
		return true
	}
	if n.Data != "p" && n.Data != "div" && n.Data != "section" || !isUnderPicture(n) {
		return false
	}
	if text, _ := UpTo(n, maxCaption); isCentered(n) && !strings.HasSuffix(text, "。") || sceneEnd.MatchString(text) {
		return true
	}
	run := 1
	for above := lineAbove(n); above != nil; above, run = lineAbove(above), run+1 {
		if run == maxRun || !isUnderPicture(above) {
			return false
		}
	}
	return run > 1 || isPicture(markup.NextElement(n))
}

// sceneEnd matches the end of a description of a picture: 签约仪式现场.
var sceneEnd = lazyregexp.New(`^[^。，；：！？]{2,}(?:现场|会场|场景|场面|合影|合照|留念|剪影|一角|全景|外景|实景|鸟瞰|画面|截图|示意图|效果图)$`)

// ofPicture reports whether an element is the only line in a block that otherwise contains
// only pictures: a cell below that of the picture, a span after it.
func ofPicture(n *html.Node) bool {
	if n.Data != "p" && n.Data != "div" && n.Data != "tr" && n.Data != "td" && n.Data != "span" || n.Parent == nil {
		return false
	}
	text, short := UpTo(n, maxCaption)
	if !short || text == "" || strings.ContainsAny(text, "。！？：") || Numbered.MatchString(text) || step.MatchString(text) || HoldsPicture(n) {
		return false
	}
	up := n.Parent
	if up.Data == "tbody" && up.Parent != nil {
		up = up.Parent
	}
	if up.Data != "div" && up.Data != "table" && up.Data != "figure" && up.Data != "center" {
		return false
	}
	parts := 0 // a long text is not examined for each of its lines
	for c := up.FirstChild; c != nil; c = c.NextSibling {
		if parts++; parts > maxRun {
			return false
		}
	}
	all, short := UpTo(up, maxCaption) // reads few elements; all are examined only if the text is short
	return short && all == text && HoldsPicture(up)
}

// isWithPicture reports whether an element is a picture with a short line below it, both
// centered.
func isWithPicture(n *html.Node) bool {
	if n.Data != "center" && (n.Data != "p" && n.Data != "div" || !isCentered(n)) || n.FirstChild == nil {
		return false
	}
	text, short := UpTo(n, maxCaption)
	if !short || text == "" || strings.ContainsAny(text, "。！？：") || Numbered.MatchString(text) || step.MatchString(text) {
		return false
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling { // the picture comes first
		if !IsEmpty(c) {
			return false
		}
		if HoldsPicture(c) {
			return true
		}
	}
	return false
}

// lineAbove returns what precedes the picture above a line, nil at the start.
func lineAbove(n *html.Node) *html.Node {
	for n = previousElement(previousElement(n)); n != nil && IsEmpty(n); {
		n = previousElement(n)
	}
	return n
}

// maxRun limits the pictures with captions, and the children of a block, that are examined
// to recognize a caption.
const maxRun = 20

// step matches the beginning of an instruction next to the picture that shows it.
var step = lazyregexp.New(`^(?:步骤|第[一二三四五六七八九十\d]{1,2}步|[（(]?\d{1,2}[）).、．]|[①-⑳]|点击|点选|选择|打开|进入|登录|扫|搜索|填写|输入|提交|下载|关注|确认|注[:：])`)

// isUnderPicture reports whether an element is a short line that follows a picture.
func isUnderPicture(n *html.Node) bool {
	if !isPicture(previousElement(n)) {
		return false
	}
	text, short := UpTo(n, maxCaption)
	return short && text != "" && !strings.HasSuffix(text, "：") && !Numbered.MatchString(text) && !step.MatchString(text)
}

func previousElement(n *html.Node) *html.Node {
	if n == nil {
		return nil
	}
	for n = n.PrevSibling; n != nil && n.Type != html.ElementNode; {
		n = n.PrevSibling
	}
	return n
}

// isPicture reports whether an element contains a picture and no text.
func isPicture(n *html.Node) bool {
	return n != nil && HoldsPicture(n) && IsEmpty(n)
}

var centered = lazyregexp.New(`(?i)text-align\s*:\s*center`)

// isCentered reports whether a line is centered.
func isCentered(n *html.Node) bool {
	return markup.Attr(n, "align") == "center" || centered.MatchString(markup.Attr(n, "style"))
}

type blockWriter struct {
	blocks   []string
	captions bool // include the captions of pictures
	met      bool // a caption was left out
	line     strings.Builder
}

func (b *blockWriter) flush() {
	if text := plain.Collapse(b.line.String()); text != "" && len(b.blocks) < Max {
		b.blocks = append(b.blocks, text)
	}
	b.line.Reset()
}

// walk reads an element; inRow says that it is in a table row, where blocks are separated
// only by a space.
func (b *blockWriter) walk(n *html.Node, inRow bool) {
	switch {
	case n.Type == html.TextNode:
		b.line.WriteString(n.Data)
		return
	case n.Type == html.ElementNode && markup.Unseen[n.Data]:
		return
	case n.Type == html.ElementNode && !b.captions && isCaption(n):
		b.flush()
		b.met = true
		return
	}
	isBlock := n.Type == html.ElementNode && (markup.Blocks[n.Data] || n.Data == "td" || n.Data == "th")
	end := func() {
		if isBlock && inRow {
			b.line.WriteByte(' ')
		} else if isBlock {
			b.flush()
		}
	}
	end()
	inRow = inRow || n.Data == "tr" && !isLayout(n)
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.walk(c, inRow)
	}
	end()
}

// isLayout reports whether a table row is used only for layout: one cell with paragraphs in
// it, as on old pages, next to empty cells.
func isLayout(row *html.Node) bool {
	cells, paragraphs := 0, 0
	var count func(n *html.Node)
	count = func(n *html.Node) {
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if c.Type != html.ElementNode {
				continue
			}
			if n == row && !IsEmpty(c) {
				cells++
			}
			if c.Data == "p" || c.Data == "table" || c.Data == "br" {
				paragraphs++
			}
			count(c)
		}
	}
	count(row)
	return cells == 1 && paragraphs > 1
}

// UpTo returns the text of an element, with whitespace collapsed, if it
// has no more than the given number of characters. It stops early: on a deeply
// nested page, reading every element whole would take quadratic time.
func UpTo(n *html.Node, limit int) (text string, ok bool) {
	var b strings.Builder
	nodes := 0
	var walk func(n *html.Node) bool
	walk = func(n *html.Node) bool {
		if nodes++; nodes > limit*16 {
			return false
		}
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
			if b.Len() > limit*16 { // much of it may be whitespace
				return false
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if !walk(c) {
				return false
			}
		}
		return true
	}
	if !walk(n) {
		return "", false
	}
	text = plain.Collapse(b.String())
	return text, utf8.RuneCountInString(text) <= limit
}

// IsEmpty reports whether an element has no visible text.
func IsEmpty(n *html.Node) bool {
	text, ok := UpTo(n, 1)
	return ok && text == ""
}

// HoldsPicture reports whether an element is a picture or contains one.
func HoldsPicture(n *html.Node) bool {
	if n.Data == "img" {
		return true
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if HoldsPicture(c) {
			return true
		}
	}
	return false
}

// Numbered matches the number at the beginning of a part's heading: 一、 or 第一章.
var Numbered = lazyregexp.New(`^(?:[（(]?[一二三四五六七八九十]{1,3}[）)、.．]|第[一二三四五六七八九十]{1,3}[章节部条])`)
