package feed_test

import (
	"fmt"
	"strings"
	"testing"

	"dibao/feed"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

// phrases returns a text of n sentences that depend on a number.
func phrases(n, seed int) string {
	nouns := []string{"养老机构", "供水管网", "职业学校", "粮食储备", "社区医院", "农村公路", "河道堤防", "旧城改造", "公共图书馆", "科研院所", "森林防火", "燃气用户", "渔业码头"}
	verbs := []string{"检查", "登记", "补助", "评估", "修缮", "公示", "培训", "验收", "审计", "统计", "巡查"}
	var b strings.Builder
	for i := range n {
		k := seed*31 + i*7
		fmt.Fprintf(&b, "第%d批%s由%s小组%s，完成后%s。", seed*n+i, nouns[k%13], nouns[(k*5+3+seed)%13], verbs[k%11], verbs[(k*3+seed)%11])
	}
	return b.String()
}

// Articles with a phrase in common are not the same text. A repost is found among hundreds of
// them, also if it is the sixtieth, and so is a short text that sixty articles have.
func TestRepostAmongCommonPhrases(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRoom(t, db)
		var sources []int64
		for i := range 3 {
			sources = append(sources, r.add(feed.Source{URL: fmt.Sprintf("http://example.org/%d", i), Kind: "page", Name: fmt.Sprintf("样例%d", i)}).ID)
		}
		common := strings.Repeat("各区人民政府、市政府各委办局、各有关单位要高度重视，加强领导，压实责任，密切配合，确保各项工作落到实处。", 4)
		short := "这是一则不到二百字的简短通知，请各单位收到以后认真阅读并且遵照执行，特此通知。"
		var texts []text
		for i := range 120 {
			texts = append(texts, text{guid: fmt.Sprint("a", i), title: fmt.Sprintf("样例文章之%d", i), paragraphs: []string{common, phrases(12, i)}})
		}
		for i := range 60 {
			texts = append(texts,
				text{guid: fmt.Sprint("b", i), title: fmt.Sprintf("多次转载的文章（%d）", i), paragraphs: []string{common, phrases(12, 500)}},
				text{guid: fmt.Sprint("c", i), title: "简短通知", published: "2026-11-02", paragraphs: []string{short}})
		}
		r.put(sources[0], texts...)
		r.put(sources[1], text{guid: "repost", title: "转载一篇", paragraphs: []string{phrases(12, 3)}})
		all, err := r.Store.Articles(t.Context(), feed.Selection{Limit: 1000})
		r.check(err)
		ids := make(map[string]int64)
		for _, a := range all {
			ids[a.GUID] = a.ID
		}
		together := func(guids []string) bool {
			first := int64(0)
			for _, g := range guids {
				clusters, err := r.Store.Clusters(t.Context(), []int64{ids[g]})
				r.check(err)
				of := clusters[ids[g]].First
				if of == 0 || first != 0 && of != first {
					return false
				}
				first = of
			}
			return true
		}
		for _, same := range [][]string{{"a3", "repost"}, {"b0", "b30", "b59"}, {"c0", "c30", "c59"}} {
			if !together(same) {
				t.Errorf("%v have the same text and are not in one cluster", same)
			}
		}
		for _, different := range [][]string{{"a3", "a4"}, {"a119", "b0"}, {"a0", "b59"}} {
			if together(different) {
				t.Errorf("%v share a phrase only and are in one cluster", different)
			}
		}
	})
}
