package feed_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"dibao/feed"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

// storeTogether stores articles at the same time, each as a collection of its own: they wait
// while another process stores. The one at end is canceled while it waits. It returns their
// errors, the number of new articles and that of transactions.
func (r *room) storeTogether(articles []feed.Article, end int) (errs []error, added int, transactions int64) {
	r.t.Helper()
	db := r.Store.DB()
	held, release := make(chan struct{}), make(chan struct{})
	errs, news := make([]error, len(articles)), make([]int, len(articles))
	var all sync.WaitGroup
	all.Go(func() {
		r.check(db.Write(r.t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(r.t.Context(), `INSERT INTO changes (topic, version) VALUES ('documents', 1) ON CONFLICT (topic) DO UPDATE SET version = changes.version + 1`)
			close(held)
			<-release
			return err
		}))
	})
	<-held
	before := db.Writes()
	ctx, cancel := context.WithCancel(r.t.Context())
	defer cancel()
	for i, a := range articles {
		all.Go(func() {
			ctx := ctx
			if i != end {
				ctx = r.t.Context()
			}
			news[i], errs[i] = r.Store.NewIntake().Store(ctx, []feed.Incoming{{Article: a, New: true}}, r.at.Add(time.Duration(i)*time.Second))
		})
	}
	for r.Store.WaitingToShare() < len(articles)-1 { // one leads
		time.Sleep(time.Millisecond)
	}
	cancel()
	close(release)
	all.Wait()
	for _, n := range news {
		added += n
	}
	return errs, added, db.Writes() - before - 1
}

const repostedText = `各县级人民政府，市级各部门：
为规范样例事项的办理，方便企业和群众，现就有关工作通知如下。
一、各部门应当在本通知印发后一个月内公布办理指南，列明材料、时限和收费依据，不得要求提供指南以外的材料。
二、同一事项由两个以上部门负责的，由先收到材料的部门牵头，其他部门在五个工作日内答复。
三、县级人民政府每季度向市政务服务中心报送办理情况，由后者汇总并向社会公布。
四、对推诿拖延的单位予以通报，情节严重的依法追究责任。`

func judged(r *room, src feed.Source, x text) feed.Article {
	a := feed.Judge(src, x.item(), r.at)
	a.PageState = feed.PageComplete
	return a
}

// ofSources returns an article of each of n new sources.
func ofSources(r *room, n int, of func(i int) text) (articles []feed.Article) {
	for i := range n {
		src := r.add(feed.Source{URL: fmt.Sprintf("http://example.org/%d", i), Kind: "page", Name: fmt.Sprintf("样例公报%d", i)})
		articles = append(articles, judged(r, src, of(i)))
	}
	return articles
}

// Collections that store the same text at the same time share a transaction. The text is one
// cluster, as if they had stored one after another.
func TestSharedTransaction(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRoom(t, db)
		articles := ofSources(r, 8, func(i int) text {
			return text{guid: fmt.Sprint(i), title: "关于办理样例事项的通知", issued: "2026-11-02", number: "样政发〔2026〕12号", paragraphs: strings.Split(repostedText, "\n")}
		})
		errs, added, transactions := r.storeTogether(articles, -1)
		r.check(errors.Join(errs...))
		if added != len(articles) {
			t.Errorf("%d articles are new, want %d", added, len(articles))
		}
		if transactions > int64(len(articles)/2) { // some more than one, for what follows
			t.Errorf("%d transactions stored %d articles", transactions, len(articles))
		}
		var clusters, members int
		r.check(db.Read(t.Context(), func(tx *sql.Tx) error {
			return tx.QueryRowContext(t.Context(), `SELECT COUNT(DISTINCT cluster), COUNT(*) FROM clusters`).Scan(&clusters, &members)
		}))
		if clusters != 1 || members != len(articles) {
			t.Errorf("%d articles are in %d clusters, want %d in one", members, clusters, len(articles))
		}
	})
}

// An article that can't be stored, and a collection that ends while it waits, fail alone.
func TestSharedTransactionFails(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRoom(t, db)
		articles := ofSources(r, 6, func(i int) text {
			return text{guid: fmt.Sprint(i), title: fmt.Sprintf("关于第%d件事项的通知", i), paragraphs: []string{"事项照办。"}}
		})
		articles[3].SourceID = 999
		errs, _, _ := r.storeTogether(articles, 5)
		for i, err := range errs {
			if (err != nil) != (i == 3 || i == 5) {
				t.Errorf("article %d: %v", i, err)
			}
		}
		if !errors.Is(errs[5], context.Canceled) {
			t.Errorf("the canceled collection ends with %v", errs[5])
		}
		var stored int
		r.check(db.Read(t.Context(), func(tx *sql.Tx) error {
			return tx.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM articles`).Scan(&stored)
		}))
		if stored != 4 {
			t.Errorf("%d articles are stored, want 4", stored)
		}
	})
}

// A collection of a source and a push for it that contain the same article do not share a
// transaction: the article is new only once.
func TestSharedTransactionOfOneSource(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRoom(t, db)
		src := r.add(feed.Source{URL: "http://example.org/", Kind: "page", Name: "样例公报"})
		a := judged(r, src, text{guid: "1", title: "关于办理样例事项的通知", paragraphs: []string{"事项照办。"}})
		errs, added, _ := r.storeTogether([]feed.Article{a, a, a}, -1)
		r.check(errors.Join(errs...))
		if added != 1 {
			t.Errorf("the article is new %d times", added)
		}
	})
}
