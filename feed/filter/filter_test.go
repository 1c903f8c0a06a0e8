package filter_test

import (
	"testing"

	"dibao/feed"
	"dibao/feed/filter"
	"dibao/policy"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	a := feed.Article{SourceID: 7, SourceName: "样例", Facts: policy.Facts{
		Title: "关于养老服务的通知", Theme: "民政", Region: "440305", Issuers: []string{"样例市人民政府"}, Kind: policy.KindDocument, Paragraphs: []string{"护理补贴", "５Ｇ網絡"},
	}}
	for _, c := range []struct {
		name string
		q    filter.Query
		want bool
	}{
		{"Everything", filter.Query{}, true},
		{"RegionWithChildren", filter.Query{Regions: []string{"44"}}, true},
		{"OtherRegion", filter.Query{Regions: []string{"51"}}, false},
		{"AnyInText", filter.Query{Any: []string{"就业", "护理"}}, true},
		{"AllButOne", filter.Query{All: []string{"养老", "就业"}}, false},
		{"None", filter.Query{None: []string{"养老"}}, false},
		{"NoneLooksAtTheTitleOnly", filter.Query{None: []string{"护理"}}, true},
		{"TraditionalWord", filter.Query{Any: []string{"養老服務"}}, true},
		{"TraditionalText", filter.Query{All: []string{"网络"}}, true},
		{"WidthAndCase", filter.Query{All: []string{"5g", "５ｇ"}}, true},
		{"NoneTraditional", filter.Query{None: []string{"養老"}}, false},
		{"FieldsMustAgree", filter.Query{Themes: []string{"民政"}, Kinds: []policy.Kind{policy.KindNews}}, false},
		{"Source", filter.Query{Sources: []int64{7}, Issuers: []string{"样例市人民政府"}}, true},
	} {
		if why, ok := c.q.Match(a); ok != c.want {
			t.Errorf("%s: got %v (%v), want %v", c.name, ok, why, c.want)
		}
	}
}
