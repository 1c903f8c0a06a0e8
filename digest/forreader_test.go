package digest_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"dibao/digest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/policy"
	"dibao/policy/call"
	"dibao/policy/match"
	"dibao/subscribers"
)

// call stores a notice of today as the store does, with what it asks.
func (w *world) call(title string, deadline policy.Date, region string, paragraphs ...string) {
	w.t.Helper()
	w.article(title)
	c, ok := call.Extract(title, paragraphs, policy.DateOf(w.now()))
	if !ok {
		w.t.Fatalf("%s asks for nothing", title)
	}
	b, err := json.Marshal(c)
	if err != nil {
		w.t.Fatal(err)
	}
	facts, on := fmt.Sprintf(`{"title":%q,"kind":"document","published_on":%q,"region":%q,"summary":"摘要在此"`, title, w.now().Format(time.DateOnly), region), sql.Null[string]{}
	if !deadline.IsZero() {
		on = sql.Null[string]{V: deadline.String(), Valid: true}
		facts += fmt.Sprintf(`,"deadline_on":%q`, deadline)
	}
	err = w.db.Write(w.t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(w.t.Context(), `UPDATE articles SET call = $1, facts = $2, deadline_on = $3, region = $4 WHERE guid = $5`, string(b), facts+"}", on, region, fmt.Sprint(w.serial))
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// profile creates a reader with a profile.
func (w *world) profile(name, language string, p match.Profile, l subscribers.List) {
	w.t.Helper()
	id := must[int64](w.t)(w.readers.AddConfirmed(w.t.Context(), name+"@test.example", language, []subscribers.List{l}, "test"))
	if err := w.readers.EditPreferences(w.t.Context(), id, func(x *subscribers.Preferences) error { x.Profile = p; return nil }); err != nil {
		w.t.Fatal(err)
	}
}

// notices are calls of every kind: for a manufacturer in 成都, for universities, of another
// province, closed, and without conditions.
func (w *world) notices() {
	w.call("样例省经济和信息化厅关于组织申报样例技改项目的通知", policy.Date{Year: 2026, Month: 12, Day: 20}, "51", "各有关企业：",
		"一、申报条件：在四川省注册的制造业企业，营业收入2000万元以上，应为高新技术企业。", "二、支持标准：每个项目给予最高不超过20万元补助。",
		"三、申报时间：2026年12月20日前登录http://apply.example/a填报。")
	w.call("样例省科学技术厅关于组织申报样例实验室的通知", policy.Date{Year: 2026, Month: 12, Day: 5}, "", "各有关单位：", "一、申报条件：申报单位应为高等学校。", "请于2026年12月5日前报送。")
	w.call("另省关于征集样例案例的通知", policy.Date{Year: 2026, Month: 12, Day: 8}, "44", "各有关企业：", "申报对象：各类企业。", "请各企业于2026年12月8日前报送至a@b.example。")
	w.call("关于组织申报样例旧项目的通知", policy.Date{Year: 2026, Month: 11, Day: 21}, "51", "各有关企业：", "申报对象：各类企业。", "请申报单位于2026年11月21日前报送。")
	w.call("关于公开征求《样例办法》意见的公告", policy.Date{Year: 2026, Month: 12, Day: 12}, "51", "意见反馈截止时间为2026年12月12日，邮箱：c@b.example。")
	w.article("样例路名的通知")
}

// A reader with a profile gets the calls that do not contradict it first, ordered by
// deadline, with the reasons, what to check, what they offer and the next step; a reader
// without a profile does not have this section; no email says that a reader qualifies, and
// nothing that the email contained before is missing.
func TestCallsForReader(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := w.list("weekly", subscribers.Query{})
		firm := match.Profile{Entities: []string{"enterprise"}, Regions: []string{"5101"}, Industries: []string{"C"}}
		w.reader("plain", l)
		w.profile("firm", "zh", firm, l)
		w.profile("english", "en", firm, l)
		w.profile("school", "zh", match.Profile{Entities: []string{"university"}}, l)
		w.notices()
		w.week()
		w.composeDue()
		if d := w.deliver(); d.Sent != 4 {
			t.Fatalf("%+v", d)
		}
		got := make(map[string]string)
		for _, name := range []string{"plain", "firm", "english", "school"} {
			got[name] = w.to(name)[0]
			for _, title := range []string{"样例技改项目", "样例实验室", "样例案例", "样例旧项目", "样例办法", "样例路名"} {
				if !strings.Contains(got[name], title) {
					t.Errorf("%s: %s is missing", name, title)
				}
			}
			for _, never := range []string{"您符合", "符合条件", "qualify", "eligible"} {
				if strings.Contains(got[name], never) {
					t.Errorf("%s: the mail says %q", name, never)
				}
			}
		}
		if strings.Contains(got["plain"], "与您有关") || strings.Contains(got["plain"], "请自行核对") {
			t.Errorf("a reader without a profile reads\n%s", got["plain"])
		}
		section := func(name, heading string) string {
			_, rest, found := strings.Cut(got[name], "【"+heading+"】")
			if !found {
				t.Fatalf("%s: no section %s:\n%s", name, heading, got[name])
			}
			if before, _, _ := strings.Cut(got[name], "【"+heading+"】"); strings.Contains(before, "【") {
				t.Errorf("%s: another section stands before %s", name, heading)
			}
			own, _, _ := strings.Cut(rest, "【")
			return strings.ReplaceAll(own, "\r\n", "\n")
		}
		own := section("firm", "与您有关")
		for _, want := range []string{"样例技改项目", "为什么：企业 · 四川省 · 制造业", "请自行核对：高新技术企业 · 营业收入2000万元以上", "每个项目最高20万元", "下一步：申报", "http://apply.example/a", "12月20日", "样例办法", "四川省发布"} {
			if !strings.Contains(own, want) {
				t.Errorf("firm: no %q in\n%s", want, own)
			}
		}
		for _, not := range []string{"样例实验室", "样例案例", "样例旧项目", "样例路名"} {
			if strings.Contains(own, not) {
				t.Errorf("firm: %s is among the reader's own:\n%s", not, own)
			}
		}
		if strings.Index(own, "样例办法") > strings.Index(own, "样例技改项目") {
			t.Errorf("not by deadline:\n%s", own)
		}
		for _, want := range []string{"Why: enterprises", "Please check", "up to CNY 200,000", "Next step: apply"} {
			if own := section("english", "For you"); !strings.Contains(own, want) {
				t.Errorf("english: no %q in\n%s", want, own)
			}
		}
		if own := section("school", "与您有关"); !strings.Contains(own, "样例实验室") || strings.Contains(own, "样例技改项目") {
			t.Errorf("school:\n%s", own)
		}
	})
}

// A test of the newest email may be sent to anybody: it says nothing about the reader for
// whom its variant is.
func TestSamplesHaveNoProfile(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := w.list("weekly", subscribers.Query{})
		w.profile("firm", "zh", match.Profile{Entities: []string{"enterprise"}, Regions: []string{"5101"}, Industries: []string{"C"}}, l)
		w.notices()
		w.week()
		composed := w.composeDue()
		w.deliver()
		if got := w.to("firm"); len(got) != 1 || !strings.Contains(got[0], "为什么") {
			t.Fatalf("%q", got)
		}
		for name, sample := range map[string]digest.Sample{
			"mail test": must[digest.Sample](t)(w.service.TestMail(t.Context(), "checker@other.example", "test-1", nil)),
			"sample":    must[digest.Sample](t)(w.service.SampleMail(t.Context(), composed[0].Mailing)),
		} {
			_, text, html := parseStandard(t, sample.Raw)
			if !strings.Contains(text, "样例技改项目") {
				t.Fatalf("%s is another mail:\n%s", name, text)
			}
			for _, never := range []string{"与您有关", "为什么", "制造业 ·"} {
				if strings.Contains(text, never) || strings.Contains(html, never) {
					t.Errorf("%s says %q of a reader", name, never)
				}
			}
		}
	})
}

// With very many calls, the section is short, the email stays small, and other calls are
// where they would be without a profile.
func TestManyCallsForReader(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := must[subscribers.List](t)(w.readers.CreateList(t.Context(), subscribers.List{Slug: "weekly", MaxItems: 150}))
		w.profile("firm", "zh", match.Profile{Entities: []string{"enterprise"}}, l)
		for i := range 120 {
			w.call(fmt.Sprintf("样例市关于组织申报第%d批样例技改项目的通知", i), policy.Date{Year: 2026, Month: 12, Day: 1 + i%28}, "", "各有关企业：",
				"申报对象：各类企业，"+strings.Repeat("营业收入2000万元以上，", 3)+"注册满1年。", "请申报单位于2026年12月28日前登录http://apply.example/a填报。")
		}
		w.week()
		w.composeDue()
		w.deliver()
		for _, m := range w.box.Messages() {
			if len(m.HTML) > 102_000 {
				t.Errorf("the HTML has %d bytes", len(m.HTML))
			}
			own, _, _ := strings.Cut(m.Text[strings.Index(m.Text, "【与您有关】")+10:], "【")
			if n := strings.Count(own, "下一步"); n != 12 {
				t.Errorf("%d calls stand first", n)
			}
		}
		if w.box.Count() != 1 {
			t.Errorf("%d emails", w.box.Count())
		}
	})
}
