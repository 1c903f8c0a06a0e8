package digest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/subscribers"
)

func TestLeftOutSaysWhy(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l, err := w.readers.CreateList(context.Background(), subscribers.List{
			Slug: "weekly", MaxItems: 1, Query: subscribers.Query{Kinds: []string{"document"}, Any: []string{"养老"}, None: []string{"招标"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.article("养老服务条例")
		w.advance(8 * 24 * time.Hour) // afterwards an issue contains it
		if made := w.composeDue(); len(made) == 0 {
			t.Fatal("no issue")
		}
		w.article("养老机构办法")
		w.article("养老设施招标公告")
		w.article("财政预算")
		w.article("养老金办法")
		out, err := w.service.LeftOut(t.Context(), l, 10)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, o := range out {
			got[o.Article.Title()] = o.Why
		}
		want := map[string]string{"养老服务条例": "issued", "养老设施招标公告": "none", "财政预算": "any", "养老金办法": "full"}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if out, err := w.service.LeftOut(t.Context(), l, 2); err != nil || len(out) != 2 {
			t.Errorf("at most two: %d, %v", len(out), err)
		}
	})
}
