package filter_test

import (
	"fmt"

	"dibao/feed"
	"dibao/feed/filter"
	"dibao/policy"
)

// A query says which articles match, and why. A new filter is a field of Query and a line
// in Match.
func ExampleQuery_Match() {
	query := filter.Query{Regions: []string{"44"}, Any: []string{"養老", "就业"}}
	for _, facts := range []policy.Facts{
		{Title: "关于养老服务的通知", Region: "440305"},
		{Title: "关于养老服务的通知", Region: "51"},
	} {
		why, ok := query.Match(feed.Article{Facts: facts})
		fmt.Println(ok, why)
	}
	// Output:
	// true [{region 44} {word 養老}]
	// false []
}
