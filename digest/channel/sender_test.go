package channel

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dibao/digest/channel/channeltest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

// While one host does not answer, messages to the others are sent at once.
func TestSilentHostDelaysNobody(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		silent, other := channeltest.New(t, "wecom", w.clock.now), channeltest.New(t, "feishu", w.clock.now)
		asked, answer := make(chan struct{}), make(chan struct{})
		silent.Before = func(rw http.ResponseWriter, _ string) bool {
			close(asked)
			<-answer
			return false
		}
		w.add(t, silent, "group-0123456789abcdef-1")
		w.issues(t, 1)
		w.exec(t, `INSERT INTO lists (id, slug, title, query, cron, zone, language, created_at, updated_at) VALUES (2, 'daily', '日报', '{}', '0 8 * * *', 'Asia/Shanghai', 'zh', $1, $1)`, w.clock.now())
		ended := make(chan Sent)
		go func() { ended <- w.run(t) }()
		<-asked
		c := w.add(t, other, "group-0123456789abcdef-2")
		w.exec(t, `UPDATE channels SET list = 2 WHERE id = $1`, c.ID)
		w.exec(t, `INSERT INTO issues (id, list, number, due_at, last_seq, created_at) VALUES (2, 2, 1, $1, 0, $1)`, w.clock.now())
		err := db.Write(t.Context(), func(tx *sql.Tx) error { return w.Store.Enqueue(t.Context(), tx, 2, map[int64]int64{2: 2}) })
		if err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(time.Minute); len(other.Posts("")) == 0; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Error("the other host got nothing")
				break
			}
		}
		close(answer)
		if sent := <-ended; sent.Sent != 2 {
			t.Errorf("sent %+v", sent)
		}
	})
}

// The admin is notified of an issue that is refused, and once of an issue that is still being tried.
func TestAdminIsTold(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		s := channeltest.New(t, "wecom", w.clock.now)
		c := w.add(t, s, "group-0123456789abcdef-1")
		answers := `{"errcode":-1,"errmsg":"system busy"}`
		s.Before = func(rw http.ResponseWriter, _ string) bool {
			fmt.Fprint(rw, answers)
			return true
		}
		var told []Trouble
		w.Notify = func(_ context.Context, x Trouble) { told = append(told, x) }
		w.issues(t, 1)
		for range notifyAfter + 1 {
			w.run(t)
			w.clock.sleep(t.Context(), 5*time.Hour/2)
		}
		if len(told) != 1 || told[0].State != stateWaiting || told[0].Channel != c.ID || told[0].Mailing != 1 || told[0].Kind != "wecom" || told[0].Reply == "" {
			t.Fatalf("told %+v", told)
		}
		answers = `{"errcode":93000,"errmsg":"invalid webhook url"}`
		w.issues(t, 2)
		w.run(t)
		for _, x := range told[1:] {
			if x.State != stateFailed {
				t.Errorf("told %+v", x)
			}
		}
		if len(told) < 2 {
			t.Error("the admin was not notified of the refusal")
		}
	})
}

// A channel with a proxy is reached only through it; a proxy with a password is refused.
func TestChannelThroughProxy(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		s := channeltest.New(t, "ntfy", w.clock.now)
		var passed atomic.Int64
		proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) { passed.Add(1) }})
		t.Cleanup(proxy.Close)
		address, room, secret := s.Channel("group")
		c, err := New(1, s.Kind, address, room)
		if err != nil {
			t.Fatal(err)
		}
		c.SecretFile, c.Private, c.Proxy = writeSecret(t, secret), true, strings.Replace(proxy.URL, "//", "//me:secret@", 1)
		if _, err := w.Store.Add(t.Context(), c); err == nil {
			t.Error("a password of a proxy was stored")
		}
		c.Proxy = proxy.URL
		if _, err = w.Store.Add(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		w.issues(t, 1)
		if sent := w.run(t); sent.Sent != 1 || passed.Load() != 1 || len(s.Posts("")) != 1 {
			t.Errorf("sent %+v, %d through the proxy", sent, passed.Load())
		}
	})
}

// An issue that a node without channels has composed is sent, unless it is older than the
// channel or than a day, or its mailing was stopped.
func TestIssuesOfOtherReleases(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		s := channeltest.New(t, "ntfy", w.clock.now)
		w.add(t, s, "group")
		composed := func(id int64, state string, at time.Time) {
			w.exec(t, `INSERT INTO mailings (id, due_at, state, created_at) VALUES ($1, $2, $3, $4)`, id, at.Add(time.Duration(id)*time.Millisecond), state, at)
			w.exec(t, `INSERT INTO issues (id, list, number, due_at, mailing, last_seq, created_at) VALUES ($1, 1, $1, $2, $1, 0, $3)`, id, at.Add(time.Duration(id)*time.Millisecond), at)
		}
		now := w.clock.now()
		composed(1, "done", now.Add(-time.Minute))
		composed(2, "cancelled", now.Add(time.Minute))
		composed(3, "sending", now.Add(time.Minute))
		w.clock.sleep(t.Context(), 2*time.Minute)
		if sent := w.run(t); sent.Sent != 1 || w.state(t, 3).State != stateSent {
			t.Errorf("sent %+v", sent)
		}
		if sent := w.run(t); sent != (Sent{}) {
			t.Errorf("sent again: %+v", sent)
		}
		composed(4, "done", w.clock.now())
		w.clock.sleep(t.Context(), catchUpFor+time.Minute)
		if sent := w.run(t); sent != (Sent{}) {
			t.Errorf("sent after a day: %+v", sent)
		}
	})
}
