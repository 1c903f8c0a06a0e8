package register

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func TestIs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		markup string
		want   bool
	}{
		"Alternating":   {`<table><tr><td>索 引 号：</td><td>A-1</td><td>分　类：</td><td>能源</td></tr><tr><td>发文机关：</td><td>某局</td><td>发文字号：</td><td>某发〔2026〕1号</td></tr></table>`, true},
		"HeadRow":       {`<table><thead><tr><th>索取号</th><th>发布时间</th><th>发布机构</th><th>文件编号</th></tr></thead><tbody><tr><td>1</td><td></td><td>某委</td><td>〔2026〕5号</td></tr></tbody></table>`, true},
		"Definitions":   {`<dl><dt>索引号</dt><dd>A-1</dd><dt>发布机构</dt><dd>某局</dd><dt>成文日期</dt><dd>2026-11-20</dd></dl>`, true},
		"TableOfText":   {`<table><tr><td>序号</td><td>名称</td><td>备注</td></tr><tr><td>1</td><td>甲项目</td><td>新建</td></tr></table>`, false},
		"ManyDocuments": {`<table><tr><td>名称</td><td>发文字号</td><td>有效性</td><td>备注</td></tr>` + strings.Repeat(`<tr><td>甲办法</td><td>〔2020〕1号</td><td>有效</td><td>无</td></tr>`, 8) + `</table>`, false},
		"LayoutOfAPage": {`<table><tr><td><table><tr><td>索引号</td><td>发布机构</td><td>文号</td></tr></table></td></tr></table>`, false},
		"LongCell":      {`<table><tr><td>索引号</td><td>发布机构</td><td>文号</td><td>` + strings.Repeat("现将有关事项通知如下。", 60) + `</td></tr></table>`, false},
	} {
		root, err := html.Parse(strings.NewReader(c.markup))
		if err != nil {
			t.Fatal(err)
		}
		var first *html.Node
		var walk func(n *html.Node)
		walk = func(n *html.Node) {
			if first == nil && (n.Data == "table" || n.Data == "dl") {
				first = n
			}
			for x := n.FirstChild; x != nil; x = x.NextSibling {
				walk(x)
			}
		}
		walk(root)
		if got := Is(first); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}
