package feed_test

import (
	"fmt"
	"strings"
	"testing"

	"dibao/feed/filter"
	"dibao/feed/ingest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/policy"
)

// A link says what an interpretation explains if its title does not, in whatever order the
// pages arrive; a link to a page that was not collected has no effect.
func TestOriginalsByLink(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r, ctx := newRoom(t, db), t.Context()
		src := r.sources()
		document := text{"plan", "国务院关于加快发展样例养老服务业的意见", "2024-03-01", "2024-03-05", "国发〔2024〕3号", []string{"各省人民政府：", "现就加快发展样例养老服务业提出以下意见。"}}
		read := func(guid, title string, links ...policy.Link) {
			t.Helper()
			it := text{guid: guid, title: title, published: "2024-03-08", paragraphs: []string{"近日有关意见印发，现解读如下。", "一、背景。"}}.item()
			it.Evidence.Links = links
			r.at = r.at.Add(1e9)
			_, err := r.Add(ctx, src["n"], []ingest.Item{it})
			r.check(err)
		}
		to := func(where, text string) policy.Link { return policy.Link{URL: where, Text: text} }
		read("early", "样例养老新政一图读懂", to("https://example.org/plan#top", "查看政策原文"), to("http://example.org/nowhere", "政策文件"), to("http://example.org/x", "返回首页看更多"))
		explains := func(guid string) string {
			all, err := r.Store.Relations(ctx, r.articleID(ctx, guid))
			r.check(err)
			var names []string
			for _, x := range all {
				if x.Kind == policy.RelationInterprets {
					names = append(names, fmt.Sprint(x.TargetTitle, " ", x.Target != 0))
				}
			}
			return strings.Join(names, ", ")
		}
		if got := explains("early"); got != "" {
			t.Errorf("a page that is not here is explained: %q", got)
		}
		r.put(src["n"], document)
		read("late", "样例养老新政图解", to("http://example.org/plan", document.title))
		read("both", "《"+document.title+"》解读", to("http://example.org/plan", "原文"))
		read("none", "样例养老新政问答", to("http://example.org/other", "国务院关于样例的通知"))
		for guid, want := range map[string]string{"early": "查看政策原文 true", "late": document.title + " true", "both": document.title + " true", "none": ""} {
			if got := explains(guid); got != want {
				t.Errorf("%s explains %q, want %q", guid, got, want)
			}
		}
		d := r.document(ctx, document.number)
		ids, err := r.Store.Interpretations(ctx, d.ID)
		r.check(err)
		if len(ids) != 3 {
			t.Errorf("%d interpretations", len(ids))
		}
		_, err = r.Store.Reread(ctx, nil, nil)
		r.check(err)
		if again, _ := r.Store.Interpretations(ctx, d.ID); len(again) != 3 {
			t.Errorf("judged again, %d interpretations", len(again))
		}
		r.correct(ctx, "plan", "kind", "news") // it is no longer a document
		if got := explains("late"); got != "" {
			t.Errorf("a link still leads to a document that is none: %q", got)
		}
		r.correct(ctx, "plan", "kind", "undo")
		if got := explains("late"); got != document.title+" true" {
			t.Errorf("and not again: %q", got)
		}
	})
}

// A list that follows a document gets the articles that change or explain it by its title
// alone, and those that announce something about it; a chain includes documents that are
// related only by their titles.
func TestFollowedByTitle(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r, ctx := newRoom(t, db), t.Context()
		src := r.sources()
		for _, x := range world {
			r.put(src[x.source], x.text)
		}
		r.put(src["n"], text{"amends", "国务院关于修改《国务院关于加快发展养老服务业的若干意见》的决定", "2020-03-01", "2020-03-02", "国发〔2020〕1号", []string{"各省人民政府：", "现作如下修改。"}})
		matches := func(q filter.Query, guid string) bool {
			t.Helper()
			all, err := r.Store.ArticlesForMatching(ctx, []int64{r.articleID(ctx, guid)})
			r.check(err)
			_, ok := q.Match(all[0])
			return ok
		}
		plan, promise := filter.Query{Documents: []string{"国发〔2013〕35号"}}, filter.Query{Documents: []string{"国办发〔2016〕2号"}}
		for guid, want := range map[string]bool{"plan": true, "plan-repost": true, "amends": true, "explained": true, "follow": true, "title-only": true, "repealer": false, "kept": false} {
			if got := matches(plan, guid); got != want {
				t.Errorf("the follower of the plan is told of %s: %v", guid, got)
			}
		}
		for guid, want := range map[string]bool{"promise": true, "kept": true, "plan": false} {
			if got := matches(promise, guid); got != want {
				t.Errorf("the follower of the promise is told of %s: %v", guid, got)
			}
		}
		chain := filter.Query{Chains: []string{"国发〔2013〕35号"}}
		for guid, want := range map[string]bool{"follow": true, "title-only": true, "explained": false, "plan": false, "amends": false} {
			if got := matches(chain, guid); got != want {
				t.Errorf("%s is in the chain: %v", guid, got)
			}
		}
	})
}
