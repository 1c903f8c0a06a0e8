package sourcelist_test

import (
	"bytes"
	"testing"

	"dibao/feed/sourcelist"
	"dibao/internal/costtest"
)

// TestCostOfSourceLists reads source lists in both formats.
func TestCostOfSourceLists(t *testing.T) {
	costtest.Linear(t, []costtest.Seed{
		{Name: "Rows", Head: "url\tname\n", Units: []string{"https://a.test/%d\t来源%d\n"}},
		{Name: "SameRows", Head: "url\tname\n", Units: []string{"https://a.test/\t来源\n"}},
		{Name: "Columns", Units: []string{"url%d\t"}},
		{Name: "Fields", Head: "url\tname\n", Units: []string{"\t"}},
		{Name: "LongField", Head: "url\tname\n", Units: []string{"a"}},
		{Name: "Lines", Head: "url\tname\n", Units: []string{"\n"}},
	}, func(b []byte) { sourcelist.ReadTSV(bytes.NewReader(b)) })
	costtest.Linear(t, []costtest.Seed{
		{Name: "Outlines", Head: "<opml><body>", Units: []string{`<outline text="来源%d" xmlUrl="https://a.test/%d"/>`}, Tail: "</body></opml>"},
		{Name: "SameOutlines", Head: "<opml><body>", Units: []string{`<outline text="来源" xmlUrl="https://a.test/"/>`}, Tail: "</body></opml>"},
		{Name: "Folders", Head: "<opml><body>", Units: []string{`<outline text="a%d"></outline>`}, Tail: "</body></opml>"},
		{Name: "Nested", Head: "<opml><body>", Units: []string{`<outline text="a">`}},
		{Name: "OpenOutline", Head: "<opml><body><outline ", Units: []string{`a%d="b" `}, Tail: "/></body></opml>"},
		{Name: "OtherElements", Head: "<opml><head>", Units: []string{"<a>"}},
	}, func(b []byte) { sourcelist.ReadOPML(bytes.NewReader(b)) })
	costtest.Report(t, "feed, source lists")
}
