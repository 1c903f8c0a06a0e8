package ingest

import (
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"

	"dibao/internal/markup"
)

// containers are the elements in which common systems of official sites put the text, more
// specific ones first.
var containers = []string{
	"#artcontent",                                     // 织梦 DedeCMS
	"#UCAP-CONTENT", ".pages_content", "#contentText", // gov.cn
	".TRS_Editor", ".trs_editor_view", ".TRS_UEDITOR", // TRS
	"#zoom", "#Zoom", "#zoomcon", "#fontzoom", // 大汉 jcms, TRS, many others
	"#ivs_content", ".bt_content", ".easysite-news-text", // Shanghai; 大汉
	"#con_con", ".ccontent", "#xw_box", // 工信部 and others
	".moe-detail-box", "#moe-detail-box", "#content_body_xxgk", // 教育部
	"#detailContent", "#mainText", ".my_doccontent", ".xxy_text", "#insMainConTxt", ".content_body_box",
	"#vsb_content", ".v_news_content", // 博达
	"#js_content", "#rwb_zw", ".rm_txt_con", "#p-detail",
	".article-content", ".article_content", ".articleContent", ".Article_content", "#articleContent", ".article_con", ".art-con", ".art_con",
	".wzcon", ".wz_con", "#content_body", ".news_content", ".newsContent", "#newsContent", ".detail-content", ".detail_content", ".detail-news",
	".viewbox .content",
	".entry-content", // WordPress
}

// least is the minimum share, in percent, of the prose of the densest element that a
// container with a known name must contain: sites use those names for other things, too.
const least = 30

// known returns the first container of a known system that contains enough
// text, and its selector.
func (v *view) known(doc *goquery.Document, dense *html.Node) (n *html.Node, selector string) {
	named := containersOf(doc.Nodes[0])
	for _, selector := range containers {
		for _, n := range named[selector] {
			w := v.weights[n]
			if w.size-w.link < minText || w.prose*100 < v.weights[dense].prose*least && !contains(n, dense) {
				continue
			}
			return n, selector
		}
	}
	return nil, ""
}

// knownEmpty returns the first container of a known system that contains a file
// or a picture and hardly any text: a document published as a file.
func (v *view) knownEmpty(doc *goquery.Document) *html.Node {
	named := containersOf(doc.Nodes[0])
	for _, selector := range containers {
		if len(named[selector]) == 0 {
			continue
		}
		if n := named[selector][0]; v.weights[n].size > 0 || goquery.NewDocumentFromNode(n).Find("a[href], img[src], embed, object, iframe").Length() > 0 {
			return n
		}
	}
	return nil
}

// containersOf returns the elements that the selectors of known systems match, in the
// order of the page: one walk takes a fraction of what a search for each selector takes.
func containersOf(root *html.Node) map[string][]*html.Node {
	all := make(map[string][]*html.Node)
	add := func(name string, n *html.Node) {
		for _, selector := range namedContainers[name] {
			if around, _, nested := strings.Cut(selector, " "); nested && !hasClassAround(n, around[1:]) {
				continue
			}
			if found := all[selector]; len(found) == 0 || found[len(found)-1] != n {
				all[selector] = append(found, n)
			}
		}
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		for _, a := range n.Attr {
			switch a.Key {
			case "id":
				if namedContainers["#"+a.Val] != nil {
					add("#"+a.Val, n)
				}
			case "class":
				for class := range strings.FieldsSeq(a.Val) {
					if namedContainers["."+class] != nil {
						add("."+class, n)
					}
				}
			}
		}
	}
	return all
}

// namedContainers are the selectors of containers, by the id or class with which the
// selector ends.
var namedContainers = func() map[string][]string {
	all := make(map[string][]string)
	for _, c := range containers {
		name := c[strings.LastIndexAny(c, ".#"):]
		all[name] = append(all[name], c)
	}
	return all
}()

// hasClassAround reports whether an element or its ancestor has a class.
func hasClassAround(n *html.Node, class string) bool {
	for up := n.Parent; up != nil; up = up.Parent {
		if up.Type == html.ElementNode && slices.Contains(strings.Fields(markup.Attr(up, "class")), class) {
			return true
		}
	}
	return false
}

// isKnown reports whether an element has the id or class of a container of a known
// system.
func isKnown(n *html.Node) bool {
	if namedContainers["#"+markup.Attr(n, "id")] != nil {
		return true
	}
	return slices.ContainsFunc(strings.Fields(markup.Attr(n, "class")), func(c string) bool { return c != "content" && namedContainers["."+c] != nil })
}
