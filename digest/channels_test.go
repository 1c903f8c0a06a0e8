package digest_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dibao/digest"
	"dibao/digest/channel"
	"dibao/digest/channel/channeltest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/fetch"
	"dibao/subscribers"
)

// channel adds a channel of a list that leads to a group of a server.
func (w *world) channel(s *channeltest.Server, l subscribers.List, group string) channel.Channel {
	w.t.Helper()
	address, room, secret := s.Channel(group)
	c := must[channel.Channel](w.t)(channel.New(l.ID, s.Kind, address, room))
	c.SecretFile, c.Private = filepath.Join(w.t.TempDir(), "secret"), true
	if err := os.WriteFile(c.SecretFile, []byte(secret), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return must[channel.Channel](w.t)(w.service.Channels.Add(w.t.Context(), c))
}

// post sends the issues that are due to channels.
func (w *world) post() channel.Sent {
	w.t.Helper()
	s := &channel.Sender{Store: w.service.Channels, Node: "this", Client: fetch.New(fetch.Options{}), Card: w.service.Card, Log: quiet}
	return must[channel.Sent](w.t)(s.Run(w.t.Context()))
}

// An issue of a list without readers goes to its channels, in the language of the list: the
// first five articles, how many more there are, without those that are hidden, held or
// withdrawn.
func TestIssueGoesToChannelsWithoutReaders(t *testing.T) {
	t.Parallel()
	for language, want := range map[string][]string{
		"zh": {"邸报周刊 第 1 期", "另有 2 条见网页", "在网页上阅读", "/lists/weekly/issues/1"},
		"en": {"邸报周刊 No. 1", "2 more on the web page", "Read on the web", "/lists/weekly/issues/1"},
	} {
		databasetest.Each(t, func(t *testing.T, db *database.DB) {
			w := newWorld(t, db)
			l := must[subscribers.List](t)(w.readers.CreateList(t.Context(), subscribers.List{Slug: "weekly", Title: "邸报周刊", Language: language}))
			other := w.list("other", subscribers.Query{})
			s := channeltest.New(t, "wecom", w.now)
			w.channel(s, l, "group-0123456789abcdef")
			for _, title := range []string{"甲通知", "乙通知", "丙通知", "丁通知", "戊通知", "己通知", "庚通知", "秘密通知", "秘密的暂缓", "秘密的撤稿"} {
				w.article(title)
			}
			w.week()
			if got := w.composeDue(); len(got) != 1 || got[0].Deliveries != 0 {
				t.Fatalf("%+v", got)
			}
			err := db.Write(t.Context(), func(tx *sql.Tx) error {
				_, err := tx.ExecContext(t.Context(), `UPDATE articles SET hidden = CASE WHEN title = '秘密通知' THEN 1 ELSE 0 END,
					held = CASE WHEN title = '秘密的暂缓' THEN 1 ELSE 0 END WHERE title LIKE '秘密%'`)
				if err == nil {
					_, err = tx.ExecContext(t.Context(), `UPDATE articles SET withdrawn_at = $1 WHERE title = '秘密的撤稿'`, w.now())
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if sent := w.post(); sent != (channel.Sent{Sent: 1}) {
				t.Fatalf("%+v", sent)
			}
			w.channel(s, other, "late-0123456789abcdef") // its issue was composed before
			w.composeDue()
			if sent := w.post(); sent != (channel.Sent{}) {
				t.Fatalf("the second run: %+v", sent)
			}
			text := s.Posts("")[0].Text
			for _, part := range want {
				if !strings.Contains(text, part) {
					t.Errorf("%s: %q is not in %s", language, part, text)
				}
			}
			if n := strings.Count(text, "/articles/"); n != channel.MaxItems || strings.Contains(text, "秘密") {
				t.Errorf("%d articles: %s", n, text)
			}
		})
	}
}

// A held issue waits for its release; a paused or canceled mailing also stops in channels,
// even if no readers are left; after a restore everything waits.
func TestChannelsFollowTheMailing(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := must[subscribers.List](t)(w.readers.CreateList(t.Context(), subscribers.List{Slug: "weekly", Hold: true}))
		s := channeltest.New(t, "matrix", w.now)
		w.channel(s, l, "group-0123456789abcdef")
		compose := func(title string) digest.Composed {
			w.article(title)
			w.week()
			if made := w.composeDue(); len(made) != 1 || len(made[0].Held) != 1 {
				t.Fatalf("%+v", made)
			}
			if sent := w.post(); sent != (channel.Sent{}) {
				t.Fatalf("a held issue: %+v", sent)
			}
			return must[digest.Composed](t)(w.service.Release(t.Context(), must[[]digest.Issue](t)(w.service.HeldIssues(t.Context()))[0]))
		}
		for _, withReader := range []bool{false, true} {
			if withReader {
				w.reader("a", l)
			}
			made := compose("甲通知")
			if err := w.service.Pause(t.Context(), made.Mailing); err != nil {
				t.Fatal(err)
			}
			if sent := w.post(); sent != (channel.Sent{}) {
				t.Fatalf("a paused mailing: %+v", sent)
			}
			if err := w.service.Resume(t.Context(), made.Mailing); err != nil {
				t.Fatal(err)
			}
			if sent := w.post(); sent.Sent != 1 {
				t.Fatalf("a resumed mailing: %+v", sent)
			}
			made = compose("乙通知")
			if err := w.service.Cancel(t.Context(), made.Mailing); err != nil {
				t.Fatal(err)
			}
			if sent := w.post(); sent != (channel.Sent{}) {
				t.Fatalf("a cancelled mailing: %+v", sent)
			}
		}
		made := compose("丙通知")
		if _, err := w.service.PauseAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		if sent := w.post(); sent != (channel.Sent{}) {
			t.Fatalf("after a restore: %+v", sent)
		}
		if err := w.service.Resume(t.Context(), made.Mailing); err != nil {
			t.Fatal(err)
		}
		if sent := w.post(); sent.Sent != 1 || len(s.Posts("")) != 3 {
			t.Fatalf("%+v, %d posts", sent, len(s.Posts("")))
		}
	})
}
