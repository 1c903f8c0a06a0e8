package digest_test

import (
	"strings"
	"testing"
	"time"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/policy"
	"dibao/policy/division"
	"dibao/subscribers"
)

// Followers of a document are notified once that it is about to expire, even if nothing is
// new and no issue ever contained it; not if another document extended it.
func TestFollowedExpires(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		expires := func(s string) func(*policy.Facts) {
			return func(f *policy.Facts) { f.ExpiresOn, f.PublishedOn = on(t, s), on(t, "2022-01-05") }
		}
		soon := w.now().AddDate(0, 0, 60).Format(time.DateOnly)
		w.put(
			sampleArticle{Facts: document("四川省人民政府关于印发样例甲办法的通知", "川府发〔2022〕1号", "四川省人民政府", division.Province, expires(soon))},
			sampleArticle{Facts: document("四川省人民政府关于印发样例乙办法的通知", "川府发〔2022〕2号", "四川省人民政府", division.Province, expires(soon))},
			sampleArticle{Facts: document("四川省人民政府关于印发样例丙办法的通知", "川府发〔2022〕3号", "四川省人民政府", division.Province, expires(soon))},
			sampleArticle{Facts: document("四川省人民政府关于延长样例乙办法有效期的通知", "川府发〔2026〕9号", "四川省人民政府", division.Province,
				cites(policy.RelationExtends, "四川省人民政府关于印发样例乙办法的通知", "川府发〔2022〕2号"), func(f *policy.Facts) { f.ExtendsTo, f.PublishedOn = on(t, "2035-12-31"), on(t, "2022-06-01") })},
		)
		w.reader("zhang", w.list("watch", subscribers.Query{Documents: []string{"川府发〔2022〕1号", "川府发〔2022〕2号"}}))
		w.week()
		w.composeDue()
		w.deliver()
		got := strings.Join(w.to("zhang"), "\n")
		if !strings.Contains(got, "样例甲办法") || strings.Contains(got, "样例丙办法") {
			t.Errorf("the mail is\n%s", got)
		}
		if strings.Contains(got, "样例乙办法的通知") {
			t.Errorf("a document whose term was extended is said to expire:\n%s", got)
		}
		w.week()
		w.composeDue()
		w.deliver()
		if n := len(w.to("zhang")); n != 1 {
			t.Errorf("%d emails: the reader is notified more than once", n)
		}
	})
}
