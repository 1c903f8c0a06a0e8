package list

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"dibao/policy/when"
)

// TestPageWithTooManyLinksSaysSo tests a former bug: a page of 90,000 links took 3.9 s of
// CPU time.
func TestPageWithTooManyLinksSaysSo(t *testing.T) {
	for lists, cut := range map[int]bool{3: false, 4: true} {
		var page strings.Builder
		for i := range lists * 10_000 {
			if i%10_000 == 0 {
				page.WriteString("</ul><ul>")
			}
			fmt.Fprintf(&page, `<li><a href="/%d.html">关于印发第%d号文件的通知</a> 2026-11-20`, i, i)
		}
		root, err := html.Parse(strings.NewReader(page.String()))
		if err != nil {
			t.Fatal(err)
		}
		found := Find(root, nil, when.Clock{})
		said := slices.ContainsFunc(found.Dropped, func(d Drop) bool { return d.Code == ManyLinks })
		if len(found.Rows) == 0 || said != cut {
			t.Errorf("%d lists: %d rows, dropped %v", lists, len(found.Rows), found.Dropped)
		}
	}
}
