package ingest

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"

	"dibao/policy"
)

// labelNames are the labels that the headline blocks and information tables of
// official sites use; the longest first where one begins another.
var labelNames = []string{
	`索\s*引\s*号`, `信息索引号`, `主题分类`, `信息分类`, `服务对象分类`, `体裁分类`,
	`发文机关`, `发文单位`, `发布机构`, `发布机关`, `发布单位`, `制发机关`, `公开责任部门`, `公开主体`, `信息来源`, `稿件来源`, `文章来源`, `来\s*源`,
	`成文日期`, `成文时间`, `生成日期`, `印发日期`, `发文日期`, `发布日期`, `发布时间`, `公布日期`, `公开日期`, `发稿时间`, `更新时间`, `更新日期`,
	`实施日期`, `施行日期`, `生效日期`, `失效日期`, `失效时间`, `废止日期`, `截止日期`, `截止时间`, `有效性`, `效力状态`, `日\s*期`, `时\s*间`,
	`文件状态`, `时效性`, `征求意见截止时间`, `意见反馈截止时间`, `征求意见时间`, `征集时间`, `公示时间`, `起止时间`, `起止日期`, `开始时间`, `结束时间`,
	`生成时间`, `发文时间`, `印发时间`, `签发日期`, `制发日期`, `制定机关`, `公布机关`, `发文机构`,
	`发文字号`, `公文字号`, `公文编号`, `文件字号`, `文件编号`, `发布文号`, `发文文号`, `文\s*号`, `字\s*号`, `标\s*题`, `名\s*称`, `主\s*题\s*词`, `关键词`,
	`作\s*者`, `撰稿人`, `供稿`, `记\s*者`, `责任编辑`, `编\s*辑`,
}

// furniture looks like labels and ends the value before it, but says nothing of
// the article.
var furniture = []string{`浏览字号`, `字\s*体`, `浏览次数`, `阅读次数`, `访问次数`, `点击数`, `点击`, `阅读`, `分享到?`, `打印`, `收藏`, `扫一扫`}

var (
	// A size of type («字号：大 中 小») is told from a document number by what follows.
	sizes         = regexp.MustCompile(`[【\[]?\s*(?:浏览)?字[号体](?:大小)?\s*[:：]?\s*(?:[\[【]?\s*(?:特大|超大|默认|大|中|小)\s*[\]】]?\s*[|｜/]?\s*){2,6}`)
	labelPattern  = regexp.MustCompile(`(?:^|[\s|｜\[【（(\x00])[\[【]?(` + strings.Join(labelNames, "|") + `)[\]】]?\s*[:：]\s*`)
	wholeLabel    = regexp.MustCompile(`^[\[【]?(?:` + strings.Join(labelNames, "|") + `)[\]】]?$`)
	furnitureHead = regexp.MustCompile(`(?:^|[\s|｜\[【（(])[\[【]?(?:` + strings.Join(furniture, "|") + `)[\]】]?\s*[:：]`)
	bareDate      = regexp.MustCompile(`(?:19|20)\d{2}\s*(?:年\s*\d{1,2}\s*月\s*\d{1,2}\s*日|[-/.]\d{1,2}[-/.]\d{1,2})(?:\s+\d{1,2}:\d{2}(?::\d{2})?)?`)
)

// Limits on labels.
const (
	maxLabels     = 60
	maxLabelText  = 300 // characters of an element that is looked at
	maxLabelValue = 200 // characters
)

// labelReader gathers the labelled values that stand before the text.
type labelReader struct {
	labels        []policy.Label
	headline      *html.Node
	afterHeadline bool
	stop          *html.Node // the container of the text, nil if unknown
}

// readLabels returns the labelled values that stand before the text on the page,
// as somebody sees them: «时间:2011-06-21 来源:未知», or a label in one cell of a
// table and its value in the next. A date that stands alone between headline and
// text is a label without a name.
func readLabels(doc *goquery.Document, headline, container *html.Node) []policy.Label {
	r := &labelReader{headline: headline, stop: container}
	r.walk(doc.Nodes[0])
	return r.labels
}

// walk reads elements in document order; it reports whether the text was reached.
func (r *labelReader) walk(n *html.Node) (done bool) {
	if n == r.stop || len(r.labels) >= maxLabels {
		return true
	}
	if n == r.headline {
		r.afterHeadline = true
	}
	if n.Type == html.ElementNode && !contains(n, r.stop) && !r.enter(n) {
		return false
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if r.walk(c) {
			return true
		}
	}
	return false
}

// aside are parts of a page that speak of other things than the article.
const aside = "nav, footer, aside, form, h1, .nav, .menu, .footer, .header, .place, .hot, .related, .search, .sidebar"

// enter reads an element that does not hold the text. It reports whether its
// parts are to be read instead.
func (r *labelReader) enter(n *html.Node) (into bool) {
	s := goquery.NewDocumentFromNode(n).Selection
	if s.Is(aside) && !contains(n, r.headline) || isHidden(n) {
		return false
	}
	text, ok := textUpTo(n, maxLabelText)
	if !ok {
		return true
	}
	if text == "" {
		return false
	}
	if isCell(n) && !hasBlockChild(n) {
		r.add(cellLabels(n, text))
		return false
	}
	if hasBlockChild(n) || contains(n, r.headline) {
		return true // a smaller element says it more exactly
	}
	if n.Data == "li" && isListRow(s) {
		return false
	}
	found := splitLabels(elementName(n), spacedText(n, "span"))
	r.add(found)
	r.addBareDate(n, text, found)
	return false
}

func (r *labelReader) add(labels []policy.Label) {
	r.labels = append(r.labels, labels[:min(len(labels), max(0, maxLabels-len(r.labels)))]...)
}

// addBareDate takes a date without a label that stands under the headline.
func (r *labelReader) addBareDate(n *html.Node, text string, labelled []policy.Label) {
	if !r.afterHeadline || n == r.headline || r.stop == nil || utf8.RuneCountInString(text) > 100 {
		return
	}
	date := bareDate.FindString(text)
	if date == "" {
		return
	}
	for _, l := range labelled {
		if strings.Contains(l.Value, date) {
			return
		}
	}
	r.add([]policy.Label{{Element: elementName(innermost(n, date)), Value: date}})
}

// innermost returns the smallest element in n that holds the text.
func innermost(n *html.Node, text string) *html.Node {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode && strings.Contains(collapse(goquery.NewDocumentFromNode(c).Text()), text) {
			return innermost(c, text)
		}
	}
	return n
}

// isListRow reports whether a list's element is mostly a link: a row of another
// list, not a label.
func isListRow(s *goquery.Selection) bool {
	link := 0
	s.Find("a[href]").Each(func(_ int, a *goquery.Selection) { link += utf8.RuneCountInString(collapse(a.Text())) })
	return link*2 > utf8.RuneCountInString(collapse(s.Text()))
}

func isHidden(n *html.Node) bool {
	for _, a := range n.Attr {
		if a.Key == "style" && strings.Contains(strings.ReplaceAll(strings.ToLower(a.Val), " ", ""), "display:none") {
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
// A cell that is nothing but such a label needs no colon; words as short as 日期 head
// the columns of any table.
func cellLabels(n *html.Node, text string) []policy.Label {
	if name := strings.Join(strings.Fields(text), ""); utf8.RuneCountInString(name) >= 3 && wholeLabel.MatchString(name) {
		text = name + "："
	}
	found := splitLabels(elementName(n), text)
	if len(found) == 1 && found[0].Value == "" {
		for next := n.NextSibling; next != nil; next = next.NextSibling {
			if next.Type == html.ElementNode {
				found[0].Value = clip(collapse(goquery.NewDocumentFromNode(next).Text()), maxLabelValue)
				break
			}
		}
	}
	return found
}

// spacedText is the text of n with a space before every element of the given
// name, of any name for "": style sheets part what the markup joins.
func spacedText(n *html.Node, name string) string {
	var b strings.Builder
	for d := range n.Descendants() {
		switch {
		case d.Type == html.TextNode:
			b.WriteString(d.Data)
		case d.Type == html.ElementNode && (name == "" || d.Data == name):
			b.WriteByte(' ')
		}
	}
	return collapse(b.String())
}

func splitLabels(element, text string) []policy.Label {
	var out []policy.Label
	text = sizes.ReplaceAllString(text, "\x00")
	at := labelPattern.FindAllStringSubmatchIndex(text, -1)
	for i, m := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		value, _, _ := strings.Cut(text[m[1]:end], "\x00")
		if f := furnitureHead.FindStringIndex(value); f != nil {
			value = value[:f[0]]
		}
		value = clip(strings.Trim(value, " |｜[]【】（）()"), maxLabelValue)
		out = append(out, policy.Label{Element: element, Name: strings.Join(strings.Fields(text[m[2]:m[3]]), ""), Value: value})
	}
	return out
}

// elementName names an element for provenance: "div.info", "td#date"; an element
// without a name of its own goes by the next one around it that has one.
func elementName(n *html.Node) string {
	for ; n != nil && n.Type == html.ElementNode; n = n.Parent {
		for _, key := range []string{"id", "class"} {
			for _, a := range n.Attr {
				if words := strings.Fields(a.Val); a.Key == key && len(words) > 0 {
					return n.Data + map[string]string{"id": "#", "class": "."}[key] + clip(words[0], 60)
				}
			}
		}
		if n.Data == "body" {
			break
		}
	}
	return "body"
}
