// Package register recognizes the register of a document on a page: a table of its
// index number, issuer, dates and number, which is not part of its text.
package register

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"

	"dibao/feed/ingest/textblock"
	"dibao/policy/label"
)

// Limits on a register, and the minimum number of labels that identify one.
const (
	maxCells  = 80
	maxValue  = 400 // characters of a cell; some contain a summary of the document
	maxLabel  = 12  // characters of a label
	minLabels = 3
	minStrong = 2
)

// strong are labels that only registers of documents have. Others, such as 名称 and 备注, are
// column heads of any table.
var strong = func() map[string]bool {
	all := make(map[string]bool)
	for name := range strings.FieldsSeq(`索引号 信息索引号 索引编号 信息索引 索引码 索取号 信息编号 主题分类 信息分类 信息类别 体裁分类 服务对象分类 组配分类 公文种类
		发文机关 发文单位 发文部门 发文机构 发布机构 发布机关 发布单位 制发机关 制定机关 公开责任部门 责任部门 公开主体 成文日期 成文时间 生成日期 印发日期 发文日期 公开日期
		有效性 效力状态 时效性 公开方式 公开形式 公开范围 公开类别 信息公开类别 公开程序 公开时限 发文字号 公文字号 文件编号 发布文号 发文文号 发文号 文号 废止时间 废止日期 失效时间 失效日期 生效时间 生效日期 主题词`) {
		all[name] = true
	}
	return all
}()

// Is reports whether a table or a definition list is a register: among its few cells,
// labels of registers alternate with values, or are the heads of columns.
func Is(n *html.Node) bool {
	if n.Data != "table" && n.Data != "dl" {
		return false
	}
	cells := cellsOf(n)
	if cells == nil {
		return false
	}
	labels, certain := 0, make(map[string]bool)
	filled := 0
	for _, text := range cells {
		if text == "" {
			continue
		}
		filled++
		name := strings.TrimRight(squeeze(text), ":：")
		if utf8.RuneCountInString(name) > maxLabel {
			continue
		}
		if kind := label.KindOf(name); kind != label.Unknown && kind != label.Control {
			labels++
		}
		if strong[name] {
			certain[name] = true
		}
	}
	return labels >= minLabels && len(certain) >= minStrong && labels*4 >= filled
}

// cellsOf returns the texts of the cells of an element, or nil if there are too many cells,
// too long ones or more tables.
func cellsOf(n *html.Node) []string {
	var all []string
	ok := true
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		for c := n.FirstChild; c != nil && ok; c = c.NextSibling {
			switch {
			case c.Type != html.ElementNode:
			case c.Data == "table" || c.Data == "dl":
				ok = false
			case c.Data == "td" || c.Data == "th" || c.Data == "dt" || c.Data == "dd":
				text, short := textblock.UpTo(c, maxValue)
				if ok = short && len(all) < maxCells && !holdsTable(c); ok {
					all = append(all, text)
				}
			default:
				walk(c)
			}
		}
	}
	walk(n)
	if !ok {
		return nil
	}
	return all
}

func holdsTable(n *html.Node) bool {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode && (c.Data == "table" || c.Data == "dl" || holdsTable(c)) {
			return true
		}
	}
	return false
}

// squeeze removes the whitespace with which labels are spread out: 分 类.
func squeeze(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\u00a0' || r == '\u3000' || r == '\t' || r == '\n' }), "")
}
