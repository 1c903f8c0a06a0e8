package ingest

import (
	"bytes"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	readability "codeberg.org/readeck/go-readability/v2"
	"github.com/PuerkitoBio/goquery"
	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"

	"dibao/policy"
)

// containers are where the systems that government sites run on put the text,
// the more particular first.
var containers = []string{
	"#artcontent",                                     // 织梦 DedeCMS
	"#UCAP-CONTENT",                                   // gov.cn
	".TRS_Editor", ".trs_editor_view", ".TRS_UEDITOR", // TRS
	"#zoom", "#Zoom", // 大汉 jcms, TRS, many others
	"#ivs_content", ".pages_content", "#contentText", "#con_con", ".ccontent",
	".bt_content", ".easysite-news-text", ".article-content", ".article_content", ".articleContent",
	".viewbox .content", "#vsb_content", ".v_news_content", "#articleContent", "#content_body", ".news_content", ".detail-content",
	"article .content", "article", "#content", ".content", ".view", ".text",
}

// minText is the least text, in characters, that a container holds.
const minText = 50

// ReadArticle reads the page of an article into the item that its list gave.
// What stands outside the container of the text is not read, but for the
// headline, meta elements and labelled values before it. An error leaves it as
// it was.
func ReadArticle(p Page, src Source, it Item) (Item, error) {
	doc, err := parsePage(p, src.Settings.Charset)
	if err != nil {
		return it, err
	}
	e := it.Evidence // a copy; slices are made anew below
	e.URL = p.URL
	if it.URL != "" {
		e.URL = it.URL
	}
	e.SiteName, e.Zone, e.Issuer, e.Region = src.Name, src.Zone, src.Issuer, src.Region
	e.Language = doc.Find("html").AttrOr("lang", "")
	e.Meta = readMeta(doc)
	// What nobody sees on the page must not be read as if it stood there.
	doc.Find("script, style, noscript, template").Remove()
	dropComments(doc.Nodes[0])

	container, err := findContainer(doc, src.Settings.Content)
	if err != nil {
		return it, err
	}
	fallback := container.Length() == 0
	if fallback {
		if container, err = readable(doc, p.URL); err != nil {
			return it, err
		}
		it.Warnings = append(it.Warnings[:len(it.Warnings):len(it.Warnings)], "the text was found by its shape; set the source's content selector")
	}
	headline := findHeadline(doc, container)
	if headline != "" {
		e.Title = headline
	}
	e.Labels = readLabels(doc, container)
	base, err := url.Parse(p.URL)
	if err != nil {
		return it, fmt.Errorf("address %q of the article: %w", p.URL, err)
	}
	out := it
	out.Attachments = readAttachments(container, base)
	var markup string
	if inner, err := goquery.OuterHtml(container); err == nil {
		markup = inner
	}
	e.Paragraphs = textBlocks(markup)
	out.HTML = sanitizeSelection(container, p.URL)
	if len(e.Paragraphs) == 0 && len(out.Attachments) == 0 {
		return it, errNoText
	}
	if out.Title == "" {
		out.Title = e.Title
	}
	out.Evidence, out.NeedsPage = e, false
	return out, nil
}

func readMeta(doc *goquery.Document) []policy.Pair {
	var all []policy.Pair
	doc.Find("meta[name][content], meta[property][content]").Each(func(_ int, m *goquery.Selection) {
		name := m.AttrOr("name", m.AttrOr("property", ""))
		if content := collapse(m.AttrOr("content", "")); content != "" && len(all) < 100 {
			all = append(all, policy.Pair{Name: name, Content: clip(content, 2000)})
		}
	})
	return all
}

func dropComments(n *html.Node) {
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		if c.Type == html.CommentNode {
			n.RemoveChild(c)
		} else {
			dropComments(c)
		}
		c = next
	}
}

// findContainer returns the element of the text: the source's own selector, else
// that of a known system that holds enough text. It may be empty.
func findContainer(doc *goquery.Document, selector string) (*goquery.Selection, error) {
	if selector != "" {
		if _, err := cascadia.ParseGroup(selector); err != nil {
			return nil, fmt.Errorf("content selector %q of the source: %w", selector, err)
		}
		if s := doc.Find(selector).First(); s.Length() > 0 {
			return s, nil
		}
	}
	for _, selector := range containers {
		found := doc.Find(selector)
		for i := range found.Nodes {
			s := found.Eq(i)
			if utf8.RuneCountInString(collapse(s.Text())) >= minText {
				return s, nil
			}
		}
	}
	return doc.Find("nothing"), nil
}

// readable finds the text by its shape.
func readable(doc *goquery.Document, address string) (*goquery.Selection, error) {
	markup, err := doc.Html()
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	article, err := readability.FromReader(strings.NewReader(markup), u)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoText, err)
	}
	var buf bytes.Buffer
	if article.Node == nil || article.RenderHTML(&buf) != nil || buf.Len() == 0 {
		return nil, errNoText
	}
	found, err := goquery.NewDocumentFromReader(&buf)
	if err != nil {
		return nil, err
	}
	return found.Find("body").First(), nil
}

// titleCut parts a page's title from the name of its site.
var titleCut = regexp.MustCompile(`\s*[_|]+\s*|\s+[-–—]+\s+|--+`)

// findHeadline returns the headline: the element outside the text whose text the
// page's title repeats, else the title without the name of the site.
func findHeadline(doc *goquery.Document, container *goquery.Selection) string {
	title := collapse(doc.Find("head title").First().Text())
	if title == "" {
		title = collapse(doc.Find("title").First().Text())
	}
	best := ""
	doc.Find("h1, h2, h3, h4, .title, #title, .article-title, .arti_title, .content_title, [class*=title]").Each(func(_ int, s *goquery.Selection) {
		text := collapse(s.Text())
		if len(text) > len(best) && utf8.RuneCountInString(text) >= 4 && strings.Contains(squeeze(title), squeeze(text)) {
			best = text
		}
	})
	if best != "" {
		return best
	}
	if h := doc.Find("h1"); h.Length() == 1 && container.Find("h1").Length() == 0 {
		if text := collapse(h.Text()); utf8.RuneCountInString(text) >= 4 {
			return text
		}
	}
	if parts := titleCut.Split(title, -1); len(parts) > 0 && utf8.RuneCountInString(parts[0]) >= 4 {
		return parts[0]
	}
	return title
}

func squeeze(s string) string { return strings.ReplaceAll(s, " ", "") }

// labelNames are the labels that the headline blocks and information tables of
// official sites use; the longest first, for the pattern.
const labelNames = `索\s*引\s*号|信息索引号|主题分类|信息分类|服务对象分类|体裁分类|发文机关|发布机构|发布机关|制发机关|公开责任部门|公开主体|信息来源|稿件来源|文章来源|来源|` +
	`成文日期|成文时间|生成日期|印发日期|发文日期|发布日期|发布时间|公布日期|公开日期|发稿时间|更新时间|更新日期|实施日期|施行日期|生效日期|失效日期|失效时间|废止日期|截止日期|截止时间|有效性|效力状态|日\s*期|时\s*间|` +
	`发文字号|公文字号|文件编号|文\s*号|字\s*号|标\s*题|名\s*称|主\s*题\s*词|关键词|作\s*者|撰稿人|供稿|记\s*者|责任编辑|编辑|浏览次数|点击数|点击`

var labelPattern = regexp.MustCompile(`(?:^|[\s|｜\[【（(])[\[【]?(` + labelNames + `)[\]】]?\s*[:：]\s*`)

// readLabels returns the labelled values that stand before the text on the page,
// as somebody sees them: «时间:2011-06-21 来源:未知», or a label in one cell of a
// table and its value in the next.
func readLabels(doc *goquery.Document, container *goquery.Selection) []policy.Label {
	var labels []policy.Label
	stop := nodeOf(container)
	walkBefore(doc.Nodes[0], stop, func(n *html.Node) bool {
		if len(labels) >= 60 {
			return false
		}
		s := goquery.NewDocumentFromNode(n).Selection
		if s.Is("nav, footer, aside, .nav, .footer, .header, .place, .hot, ul.nav, select, h1, h2") {
			return false // not its children either
		}
		text := collapse(s.Text())
		if !strings.ContainsAny(text, ":：") || utf8.RuneCountInString(text) > 300 || contains(n, stop) {
			return true
		}
		if isCell(n) && !hasBlockChild(n) {
			labels = append(labels, cellLabels(n, text)...)
			return false
		}
		if hasBlockChild(n) {
			return true // a smaller element says it more exactly
		}
		labels = append(labels, splitLabels(elementName(n), text)...)
		return false
	})
	return labels
}

func nodeOf(s *goquery.Selection) *html.Node {
	if s.Length() == 0 {
		return nil
	}
	return s.Nodes[0]
}

// walkBefore calls f for the elements before stop in document order; f says
// whether to go into an element. It reports whether stop was met.
func walkBefore(n, stop *html.Node, f func(*html.Node) bool) bool {
	if n == stop {
		return true
	}
	if n.Type == html.ElementNode && !f(n) && !contains(n, stop) {
		return false
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if walkBefore(c, stop, f) {
			return true
		}
	}
	return false
}

func contains(n, x *html.Node) bool {
	for ; x != nil; x = x.Parent {
		if x == n {
			return true
		}
	}
	return false
}

func isCell(n *html.Node) bool { return n.Data == "td" || n.Data == "th" || n.Data == "dt" }

// cellLabels reads a cell: «发文机关：» has its value in the next cell.
func cellLabels(n *html.Node, text string) []policy.Label {
	found := splitLabels(elementName(n), text)
	if len(found) == 1 && found[0].Value == "" {
		for next := n.NextSibling; next != nil; next = next.NextSibling {
			if next.Type == html.ElementNode {
				found[0].Value = collapse(goquery.NewDocumentFromNode(next).Text())
				break
			}
		}
	}
	return found
}

func splitLabels(element, text string) []policy.Label {
	var out []policy.Label
	at := labelPattern.FindAllStringSubmatchIndex(text, -1)
	for i, m := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		value := strings.Trim(text[m[1]:end], " |｜[]【】（）()")
		out = append(out, policy.Label{Element: element, Name: strings.Join(strings.Fields(text[m[2]:m[3]]), ""), Value: clip(value, 500)})
	}
	return out
}

// blockTags end a line of text.
var blockTags = map[string]bool{
	"address": true, "article": true, "aside": true, "blockquote": true, "body": true, "center": true, "dd": true, "div": true, "dl": true,
	"dt": true, "fieldset": true, "figcaption": true, "figure": true, "footer": true, "form": true, "h1": true, "h2": true, "h3": true,
	"h4": true, "h5": true, "h6": true, "header": true, "hr": true, "li": true, "main": true, "nav": true, "ol": true, "p": true,
	"pre": true, "section": true, "table": true, "tbody": true, "thead": true, "tfoot": true, "tr": true, "ul": true, "br": true,
}

func hasBlockChild(n *html.Node) bool {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode && c.Data != "br" && (blockTags[c.Data] || isCell(c) || hasBlockChild(c)) {
			return true
		}
	}
	return false
}

// elementName names an element for provenance: "div.info", "td#date", and a cell
// by its table.
func elementName(n *html.Node) string {
	for ; n != nil && n.Type == html.ElementNode; n = n.Parent {
		for _, a := range n.Attr {
			if a.Val = collapse(a.Val); a.Val == "" {
				continue
			}
			if a.Key == "id" {
				return n.Data + "#" + a.Val
			}
			if a.Key == "class" {
				return n.Data + "." + strings.Fields(a.Val)[0]
			}
		}
		if n.Data == "body" {
			break
		}
	}
	return "body"
}

// fileTypes are the attachments that official pages have.
var fileTypes = map[string]string{
	".pdf": "application/pdf", ".doc": "application/msword", ".xls": "application/vnd.ms-excel", ".ppt": "application/vnd.ms-powerpoint",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	".ofd":  "application/ofd", ".wps": "application/vnd.ms-works", ".et": "application/vnd.ms-excel",
	".zip": "application/zip", ".rar": "application/vnd.rar",
}

func readAttachments(container *goquery.Selection, base *url.URL) []Attachment {
	var all []Attachment
	seen := make(map[string]bool)
	container.Find("a[href]").Each(func(_ int, a *goquery.Selection) {
		address := absolute(base, a.AttrOr("href", ""))
		u, err := url.Parse(address)
		if err != nil || address == "" || seen[address] {
			return
		}
		if mediaType := fileTypes[strings.ToLower(path.Ext(u.Path))]; mediaType != "" {
			seen[address] = true
			all = append(all, Attachment{URL: address, Title: collapse(a.Text()), Type: mediaType})
		}
	})
	return all
}

// textBlocks returns the blocks of text in markup, white space collapsed; the
// cells of a table's row are one block.
func textBlocks(markup string) []string {
	root, err := html.Parse(strings.NewReader(markup))
	if err != nil {
		return nil
	}
	var blocks []string
	var b strings.Builder
	flush := func() {
		if text := collapse(b.String()); text != "" {
			blocks = append(blocks, text)
		}
		b.Reset()
	}
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		switch {
		case n.Type == html.TextNode:
			b.WriteString(n.Data)
			return
		case n.Type == html.ElementNode && (n.Data == "script" || n.Data == "style" || n.Data == "noscript" || n.Data == "template" || n.Data == "head"):
			return
		}
		isBlock := n.Type == html.ElementNode && blockTags[n.Data]
		inRow := n.Parent != nil && isCell(n.Parent)
		if isBlock && !inRow {
			flush()
		} else if isBlock || n.Type == html.ElementNode && isCell(n) {
			b.WriteByte(' ')
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
		if isBlock && !inRow {
			flush()
		}
	}
	walk(root)
	flush()
	return blocks
}
