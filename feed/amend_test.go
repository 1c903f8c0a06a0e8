package feed_test

import (
	"fmt"
	"slices"
	"testing"

	"dibao/feed/amend"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/policy/call"
)

// Calls and notices about them; each notice refers to its call in a different way.
var (
	trainingCall = text{"training", "样例市工业和信息化局关于组织申报2026年样例培育项目的通知", "2026-05-06", "2026-05-06", "", []string{"各有关企业：", "请申报单位于2026年6月5日前登录http://a.example/b填报。"}}
	tenderCall   = text{"tender", "样例市城市道路照明改造项目公开招标公告", "2026-05-06", "2026-05-06", "", []string{"项目编号：YLZC2026-G1-00123", "项目名称：样例市城市道路照明改造项目", "提交投标文件截止时间：2026年5月27日9时30分。"}}
	moved        = text{"moved", "样例市工业和信息化局关于延长2026年样例培育项目申报时间的通知", "2026-06-01", "2026-06-01", "", []string{"各有关企业：", "《样例市工业和信息化局关于组织申报2026年样例培育项目的通知》印发后，现将申报截止时间延长至2026年6月25日。"}}
	canceled     = text{"canceled", "照明改造工程终止公告", "2026-05-20", "2026-05-20", "", []string{"项目编号：YLZC2026-G1-00123", "终止原因：采购任务取消。"}}
	again        = text{"again", "样例市工业和信息化局关于再次延长2026年样例培育项目申报时间的通知", "2026-06-24", "2026-06-24", "", []string{"现将申报截止时间延长至2026年7月10日。"}}
	foreign      = text{"foreign", "示例县科学技术局关于延长2026年样例培育项目申报时间的通知", "2026-06-02", "2026-06-02", "", []string{"现将申报截止时间延长至2026年6月30日。"}}
)

// A notice is linked with its call in whatever order they arrive, and a second one counts
// from the first; another body's notice with the same name is not linked.
func TestNoticesChangeCalls(t *testing.T) {
	t.Parallel()
	orders := [][]text{
		{trainingCall, tenderCall, moved, canceled, again, foreign},
		{again, canceled, foreign, moved, tenderCall, trainingCall},
		{moved, trainingCall, foreign, again, tenderCall, canceled},
	}
	for i, order := range orders {
		databasetest.Each(t, func(t *testing.T, db *database.DB) {
			r, ctx := newRoom(t, db), t.Context()
			src := r.sources()
			for _, x := range order {
				from := src["n"]
				if x.guid == "foreign" {
					from = src["r"]
				}
				r.put(from, x)
			}
			id := func(x text) int64 { return r.articleID(ctx, x.guid) }
			history, err := amend.History(ctx, db, id(trainingCall))
			r.check(err)
			var got []string
			for _, c := range history {
				got = append(got, fmt.Sprint(c.Notice == id(moved) || c.Notice == id(again), " ", c.Kind, " ", c.Was, " ", c.Until, " ", c.By))
			}
			want := []string{"true moved 2026-06-05 2026-06-25 title", "true moved 2026-06-25 2026-07-10 subject"}
			if !slices.Equal(got, want) {
				t.Errorf("order %d: %q, want %q", i, got, want)
			}
			states, err := amend.States(ctx, db, []int64{id(trainingCall), id(tenderCall), id(moved)})
			r.check(err)
			if s := states[id(tenderCall)]; len(states) != 2 || s.Kind != call.ChangeCanceled || s.Notice != id(canceled) || states[id(trainingCall)].Until.String() != "2026-07-10" {
				t.Errorf("order %d: %+v", i, states)
			}
			target, c, err := amend.Target(ctx, db, id(canceled))
			r.check(err)
			if target != id(tenderCall) || c.By != amend.ByProject {
				t.Errorf("order %d: %d %+v", i, target, c)
			}
			if target, _, err := amend.Target(ctx, db, id(foreign)); err != nil || target != 0 {
				t.Errorf("order %d: the notice of another body is linked with %d, %v", i, target, err)
			}
		})
	}
}

// If several calls are possible, none is linked.
func TestNoticesOfSeveralCallsAreNotLinked(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r, ctx := newRoom(t, db), t.Context()
		src := r.sources()
		two := trainingCall
		two.guid, two.published, two.paragraphs = "second", "2026-05-16", []string{"各有关企业：", "第二批申报现已开始，申报单位须先完成企业信息登记。", "请申报单位于2026年6月12日前登录http://a.example/b填报，逾期不再受理第二批。"}
		notice := moved
		notice.paragraphs = []string{"现将申报截止时间延长至2026年6月25日。"}
		r.put(src["n"], trainingCall, two, notice)
		if target, _, err := amend.Target(ctx, db, r.articleID(ctx, "moved")); err != nil || target != 0 {
			t.Errorf("linked with %d, %v", target, err)
		}
	})
}

// The number of a project that several bodies may use does not link a notice with the call
// of another body; a number that is long enough does.
func TestShortNumbersOfProjectsAreOfOneBody(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r, ctx := newRoom(t, db), t.Context()
		src := r.sources()
		for guid, number := range map[string]string{"short": "CG2026-001", "long": "YLZC2026-G1-00123"} {
			tender, notice := tenderCall, canceled
			tender.guid, notice.guid, notice.title = "tender "+guid, "notice "+guid, "示例学校食堂设备采购终止公告"
			tender.paragraphs = []string{"项目编号：" + number, "项目名称：样例市城市道路照明改造项目（" + guid + "）", "提交投标文件截止时间：2026年5月27日9时30分。"}
			notice.paragraphs = []string{"项目编号：" + number, "终止原因：采购任务取消（" + guid + "）。"}
			r.put(src["n"], tender)
			r.put(src["r"], notice)
			target, _, err := amend.Target(ctx, db, r.articleID(ctx, notice.guid))
			if want := guid == "long"; err != nil || (target != 0) != want {
				t.Errorf("%s: linked with %d, %v", number, target, err)
			}
		}
	})
}
