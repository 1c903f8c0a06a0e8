package digest_test

import (
	"database/sql"
	"fmt"
	"testing"

	"dibao/digest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/policy/division"
	"dibao/subscribers"
)

// BenchmarkCompose composes and renders the digests of readers with different
// choices: 60 articles, a set of choices for every hundred readers, as
// "dibao bench compose" does with a million. It reports the time of one digest.
func BenchmarkCompose(b *testing.B) {
	const readers = 5000
	db, err := database.Open(b.Context(), databasetest.SQLite(b), database.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	w := newWorld(b, db)
	l := w.list("weekly", subscribers.Query{})
	w.crowd(1, readers, l)
	err = db.Write(b.Context(), func(tx *sql.Tx) error {
		for set := range readers / 100 {
			chosen := fmt.Sprintf(`["主题%d", "主题%d", "主题%d"]`, set%15, (set/15+set+1)%15, (set/3+7)%15)
			if _, err := tx.ExecContext(b.Context(), `UPDATE subscriptions SET themes = $1 WHERE subscriber % $2 = $3`, chosen, readers/100, set); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	digests := 0
	for b.Loop() {
		b.StopTimer()
		papers := make([]sampleArticle, 60)
		for i := range papers {
			w.serial++
			papers[i].Facts = document(fmt.Sprintf("样例省人民政府关于进一步做好第%d项样例工作的通知", w.serial), fmt.Sprintf("样政发〔2026〕%d号", w.serial), "样例省人民政府", division.Province,
				theme(fmt.Sprint("主题", i%15)), summary("现就进一步做好样例工作有关事项通知如下：明确工作目标、重点任务和保障措施，自发布之日起施行。"))
		}
		w.put(papers...)
		if err := w.service.Match(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		made := must[digest.Composed](b)(w.service.ComposeNow(b.Context(), []subscribers.List{l}))
		err := w.service.EachMessage(b.Context(), made.Mailing, []byte("key"), func(string, [][]byte) error { digests++; return nil })
		if err != nil {
			b.Fatal(err)
		}
		w.week()
	}
	if digests < readers {
		b.Fatalf("%d digests of %d readers", digests, readers)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(digests), "ns/digest")
}
