package channel

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dibao/digest/channel/channeltest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/fetch"
)

// clock is moved by the test, and by goroutines that sleep.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) sleep(_ context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
	return nil
}

// world is a database with two lists, a sender and its log.
type world struct {
	*Sender
	clock *clock
	log   *bytes.Buffer
	db    *database.DB
}

func newWorld(t *testing.T, db *database.DB) *world {
	c := &clock{at: time.Date(2026, 8, 3, 0, 0, 0, 0, time.UTC)}
	w := &world{clock: c, log: &bytes.Buffer{}, db: db}
	w.Sender = &Sender{
		Store: NewStore(db, c.now), Node: "this", Client: fetch.New(fetch.Options{}), Sleep: c.sleep,
		Card: func(_ context.Context, issue int64) (Card, error) { return sample("zh", issue, 3, 20), nil },
		Log:  slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	w.exec(t, `INSERT INTO lists (id, slug, title, query, cron, zone, language, created_at, updated_at) VALUES (1, 'weekly', '邸报周刊', '{}', '0 8 * * 1', 'Asia/Shanghai', 'zh', $1, $1)`, c.at)
	return w
}

func (w *world) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	err := w.db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// add adds a channel that leads to a group of a server.
func (w *world) add(t *testing.T, server *channeltest.Server, group string) Channel {
	t.Helper()
	address, room, secret := server.Channel(group)
	c, err := New(1, server.Kind, address, room)
	if err != nil {
		t.Fatal(err)
	}
	c.SecretFile, c.Private = writeSecret(t, secret), true
	if c, err = w.Store.Add(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return c
}

func writeSecret(t *testing.T, secret string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// issues composes issues with these ids.
func (w *world) issues(t *testing.T, ids ...int64) {
	t.Helper()
	for _, id := range ids {
		w.exec(t, `INSERT INTO issues (id, list, number, due_at, last_seq, created_at) VALUES ($1, 1, $1, $2, 0, $2)`, id, w.clock.now().Add(time.Duration(id)*time.Millisecond))
		err := w.db.Write(t.Context(), func(tx *sql.Tx) error {
			return w.Store.Enqueue(t.Context(), tx, id, map[int64]int64{id: 1})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) run(t *testing.T) Sent {
	t.Helper()
	sent, err := w.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return sent
}

// state returns the state of an issue in the only channel.
func (w *world) state(t *testing.T, mailing int64) Row {
	t.Helper()
	rows, err := w.Store.Report(t.Context(), mailing)
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	return rows[0]
}

func sample(language string, number int64, items, length int) Card {
	c := Card{
		Language: language, List: "weekly", Number: number, Title: fmt.Sprintf("邸报周刊 第 %d 期", number), Total: items, DueAt: time.Unix(1_800_000_000, 0),
		Archive: Item{"在网页上阅读", "https://dibao.example/lists/weekly/issues/" + fmt.Sprint(number)},
		More:    func(n int) string { return fmt.Sprintf("另有 %d 条见网页", n) },
	}
	for i := range min(items, MaxItems) {
		c.Items = append(c.Items, Item{strings.Repeat("关于", length/2) + fmt.Sprint(i), fmt.Sprintf("https://dibao.example/articles/%d", i+1)})
	}
	return c
}

// Every service accepts the card, under its own rules for signatures and formats.
func TestEveryServiceTakesTheCard(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		servers := make(map[string]*channeltest.Server)
		for _, kind := range Kinds() {
			servers[kind] = channeltest.New(t, kind, w.clock.now)
			w.add(t, servers[kind], "group-"+kind+"-0123456789abcdef")
		}
		w.issues(t, 12)
		if sent := w.run(t); sent.Sent != len(servers) {
			t.Fatalf("%+v; want %d sent\n%s", sent, len(servers), w.log)
		}
		if sent := w.run(t); sent != (Sent{}) {
			t.Fatalf("the second run did %+v", sent)
		}
		for kind, s := range servers {
			posts := s.Posts("")
			if len(posts) != 1 || posts[0].Group != "group-"+kind+"-0123456789abcdef" {
				t.Fatalf("%s: %+v", kind, posts)
			}
			for _, want := range []string{"邸报周刊 第 12 期", "关于关于", "https://dibao.example/articles/3", "https://dibao.example/lists/weekly/issues/12"} {
				if !strings.Contains(posts[0].Text, want) {
					t.Errorf("%s does not have %q: %s", kind, want, posts[0].Text)
				}
			}
		}
	})
}

// A card of any length, with markup characters of every format in its titles, stays within
// the limits.
func TestCardsFit(t *testing.T) {
	t.Parallel()
	for _, kind := range Kinds() {
		for name, change := range map[string]func(*Card){
			"Empty":      func(c *Card) { c.Items, c.Total = nil, 0 },
			"LongTitles": func(c *Card) { *c = sample("zh", 1, 40, 3000) },
			"LongAddresses": func(c *Card) {
				c.Items[0].URL += strings.Repeat("a", 1500)
				c.Items[1].URL += strings.Repeat("b", 2500)
			},
			"Marks": func(c *Card) {
				c.Title, c.Items[0].Title = "<b>&[x](y)*_`", "](http://evil.example/)<@all> **x** \"&amp;\n# y"
			},
			"Emoji":   func(c *Card) { c.Items[0].Title = strings.Repeat("🏛", 3000) },
			"English": func(c *Card) { c.Language = "en" },
		} {
			t.Run(kind+"/"+name, func(t *testing.T) {
				t.Parallel()
				s := channeltest.New(t, kind, time.Now)
				card := sample("zh", 1, 5, 30)
				change(&card)
				address, room, secret := s.Channel("group")
				c, err := New(1, kind, address, room)
				if err != nil {
					t.Fatal(err)
				}
				c.SecretFile, c.Private = writeSecret(t, secret), true
				sender := &Sender{Store: NewStore(nil, time.Now), Client: fetch.New(fetch.Options{})}
				if err := sender.Test(t.Context(), c, card); err != nil {
					t.Fatal(err)
				}
				text := s.Posts("")[0].Text
				if !strings.Contains(text, card.Archive.URL) {
					t.Errorf("the archive is not named: %s", text)
				}
				if name == "LongTitles" && !strings.Contains(text, "另有 35 条") && kind != "webhook" {
					t.Errorf("it does not say how many articles are not named: %s", text)
				}
				if name == "Marks" && (kind == "wecom" || kind == "dingtalk") && (strings.Contains(text, "](http://evil") || strings.Contains(text, "<@all>")) {
					t.Errorf("a title acts as Markdown: %s", text)
				}
			})
		}
	}
}

// Two lists with many issues in one group keep within 20 messages a minute.
func TestRateIsOfTheGroup(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"wecom", "dingtalk", "telegram", "feishu"} {
		databasetest.Each(t, func(t *testing.T, db *database.DB) {
			w := newWorld(t, db)
			s := channeltest.New(t, kind, w.clock.now)
			w.add(t, s, "group-0123456789abcdef")
			w.add(t, s, "group-0123456789abcdef")
			var ids []int64
			for id := range int64(30) {
				ids = append(ids, id+1)
			}
			w.issues(t, ids...)
			if sent := w.run(t); sent.Sent != 60 || sent.Deferred > 0 {
				t.Fatalf("%s: %+v\n%s", kind, sent, w.log)
			}
		})
	}
}

// The response of a service decides whether and when the issue is sent again, and what the admin
// reads.
func TestAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		kind   string
		status int
		body   string
		state  string
		within time.Duration // time until the next attempt; 0 means that there is none
		reply  string
	}{
		{"wecom", 200, `{"errcode":45009,"errmsg":"api freq out of limit"}`, "waiting", 2 * time.Minute, "45009 api freq out of limit"},
		{"wecom", 200, `{"errcode":93000,"errmsg":"invalid webhook url"}`, "failed", 0, "93000 invalid webhook url: the bot was removed from the group"},
		{"wecom", 200, `{"errcode":-1,"errmsg":"system busy"}`, "waiting", 2 * time.Minute, "-1 system busy"},
		{"wecom", 200, `<html>login</html>`, "waiting", 2 * time.Minute, "the response is not from the service"},
		{"wecom", 502, ``, "waiting", 2 * time.Minute, "502 Bad Gateway"},
		{"feishu", 200, `{"code":11232,"msg":"frequency limited"}`, "waiting", 2 * time.Minute, "11232"},
		{"feishu", 200, `{"code":9499,"msg":"too many request"}`, "waiting", 2 * time.Minute, "9499"},
		{"feishu", 200, `{"code":9499,"msg":"Bad Request"}`, "failed", 0, "9499 Bad Request"},
		{"feishu", 200, `{"code":19021,"msg":"sign match fail"}`, "failed", 0, "the key of 签名校验"},
		{"feishu", 200, `{"code":19024,"msg":"Key Words Not Found"}`, "failed", 0, "自定义关键词"},
		{"feishu", 200, `{"StatusCode":0,"StatusMessage":"success"}`, "sent", 0, ""},
		{"dingtalk", 200, `{"errcode":130101,"errmsg":"send too fast"}`, "waiting", 11 * time.Minute, "130101 send too fast"},
		{"dingtalk", 200, `{"errcode":310000,"errmsg":"keywords not in content"}`, "failed", 0, "自定义关键词"},
		{"dingtalk", 200, `{"errcode":310000,"errmsg":"sign not match"}`, "failed", 0, "the key of 加签"},
		{"telegram", 429, `{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":7}}`, "waiting", 9 * time.Second, "429 Too Many Requests"},
		{"telegram", 429, `{"ok":false,"error_code":429,"parameters":{"retry_after":-7}}`, "waiting", 2 * time.Minute, "429"},
		{"telegram", 429, `{"ok":false,"error_code":429,"parameters":{"retry_after":9223372037}}`, "waiting", time.Hour, "429"}, // overflows in nanoseconds
		{"telegram", 429, `{"ok":false,"error_code":429,"parameters":{"retry_after":9223372036854775807}}`, "waiting", time.Hour, "429"},
		{"telegram", 429, `{"ok":false,"error_code":429,"parameters":{"retry_after":99999999999999999999}}`, "waiting", 2 * time.Minute, "429"},
		{"telegram", 400, `{"ok":false,"error_code":400,"description":"group chat was upgraded","parameters":{"migrate_to_chat_id":-1009}}`, "failed", 0, "--room -1009"},
		{"telegram", 403, `{"ok":false,"error_code":403,"description":"Forbidden: bot was kicked"}`, "failed", 0, "add the bot to the chat"},
		{"ntfy", 429, `{"code":42901,"http":429,"error":"limit reached"}`, "waiting", 2 * time.Minute, "42901 limit reached"},
		{"ntfy", 403, `{"code":40301,"http":403,"error":"forbidden"}`, "failed", 0, "token with write access"},
		{"matrix", 429, `{"errcode":"M_LIMIT_EXCEEDED","error":"slow","retry_after_ms":3000}`, "waiting", 5 * time.Second, "M_LIMIT_EXCEEDED slow"},
		{"matrix", 429, `{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":-3000}`, "waiting", 10 * time.Second, "M_LIMIT_EXCEEDED"},
		{"matrix", 429, `{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":9223372036855}`, "waiting", time.Hour, "M_LIMIT_EXCEEDED"},
		{"matrix", 403, `{"errcode":"M_FORBIDDEN","error":"not in room"}`, "failed", 0, "invite the user"},
		{"webhook", 503, ``, "waiting", 2 * time.Minute, "503 Service Unavailable"},
		{"webhook", 410, ``, "failed", 0, "410 Gone"},
		{"webhook", 302, ``, "failed", 0, "the address redirects"},
	}
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		for i, tt := range tests {
			w.exec(t, `DELETE FROM channels`)
			s := channeltest.New(t, tt.kind, w.clock.now)
			s.Before = func(rw http.ResponseWriter, _ string) bool {
				rw.WriteHeader(tt.status)
				fmt.Fprint(rw, tt.body)
				return true
			}
			w.add(t, s, fmt.Sprintf("group-0123456789abcdef-%d", i))
			w.issues(t, int64(i)+1)
			w.run(t)
			row := w.state(t, int64(i)+1)
			if row.State != tt.state || !strings.Contains(row.LastReply(), tt.reply) {
				t.Errorf("%s %d %s: %s, %q; want %s, %q", tt.kind, tt.status, tt.body, row.State, row.LastReply(), tt.state, tt.reply)
			}
			if (row.NextAt == nil) != (tt.within == 0) || row.NextAt != nil && (row.NextAt.Sub(w.clock.now()) > tt.within || !row.NextAt.After(w.clock.now())) {
				t.Errorf("%s %d %s: next try at %v", tt.kind, tt.status, tt.body, row.NextAt)
			}
		}
	})
}

// A message that was handed over and never answered is sent once more, and then never;
// Matrix, which ignores repetitions, gets it until it answers.
func TestUnansweredMessageIsSentOnceMore(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]struct {
		posts int
		state string
	}{"wecom": {2, "uncertain"}, "webhook": {2, "uncertain"}, "matrix": {1, "sent"}} {
		databasetest.Each(t, func(t *testing.T, db *database.DB) {
			w := newWorld(t, db)
			s := channeltest.New(t, kind, w.clock.now)
			silent := 5
			s.After = func(string) {
				if silent--; silent >= 0 {
					panic(http.ErrAbortHandler) // closes the connection without a response
				}
			}
			w.add(t, s, "group-0123456789abcdef")
			w.issues(t, 1)
			for range 10 {
				w.run(t)
				w.clock.sleep(t.Context(), 4*time.Hour)
			}
			row := w.state(t, 1)
			if posts := s.Posts(""); len(posts) != want.posts || row.State != want.state {
				t.Errorf("%s: %d posts, %s; want %d, %s", kind, len(posts), row.State, want.posts, want.state)
			}
		})
	}
}

// A server that can't be reached is tried for a day.
func TestUnreachableServerIsGivenUpAfterADay(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		s := channeltest.New(t, "wecom", w.clock.now)
		w.add(t, s, "group-0123456789abcdef")
		w.issues(t, 1)
		s.Close()
		begun := w.clock.now()
		for w.run(t).Failed == 0 {
			if w.clock.now().Sub(begun) > 2*giveUpAfter {
				t.Fatal("it is still tried")
			}
			w.clock.sleep(t.Context(), 10*time.Minute)
		}
		row := w.state(t, 1)
		if row.State != "failed" || row.Attempts < 8 || w.clock.now().Sub(begun) < giveUpAfter-5*time.Hour {
			t.Fatalf("%s after %d attempts in %s", row.State, row.Attempts, w.clock.now().Sub(begun))
		}
		if n, err := w.Store.Retry(t.Context(), 1); err != nil || n != 1 || w.state(t, 1).State != "waiting" {
			t.Fatalf("%d retried: %v", n, err)
		}
	})
}

// The claims of a process that died are released: a message that was not handed over is sent
// as if it were new, one that was handed over counts as unanswered.
func TestRecover(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		s := channeltest.New(t, "wecom", w.clock.now)
		c := w.add(t, s, "group-0123456789abcdef")
		w.issues(t, 1)
		const dead = "a node that is not in the list of nodes"
		die := func(handOver bool) {
			d, _, err := w.Store.claim(t.Context(), dead, c.ID, fmt.Sprint(w.clock.now()), 0)
			if err != nil || d == nil {
				t.Fatalf("no claim: %v", err)
			}
			if handOver {
				if err := w.Store.handOver(t.Context(), dead, d.id); err != nil {
					t.Fatal(err)
				}
			}
			if n, err := w.Store.recover(t.Context(), w.Node); err != nil || n != 1 {
				t.Fatalf("%d recovered: %v", n, err)
			}
			if err := w.Store.handOver(t.Context(), dead, d.id); err == nil { // it was only asleep
				t.Fatal("a lost claim was handed over")
			}
		}
		die(false)
		if row := w.state(t, 1); row.State != "waiting" || row.Uncertain != 0 {
			t.Fatalf("%+v", row)
		}
		die(true)
		if row := w.state(t, 1); row.State != "waiting" || row.Uncertain != 1 {
			t.Fatalf("%+v", row)
		}
		die(true)
		if row := w.state(t, 1); row.State != "uncertain" {
			t.Fatalf("%+v", row)
		}
	})
}

// The database refuses a second row of an issue and a channel.
func TestOnceForIssueAndChannel(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		c := w.add(t, channeltest.New(t, "wecom", w.clock.now), "group-0123456789abcdef")
		w.issues(t, 1)
		err := w.db.Write(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), `INSERT INTO channel_deliveries (channel, issue, mailing, state) VALUES ($1, 1, 2, 'waiting')`, c.ID)
			return err
		})
		if err == nil {
			t.Fatal("a second row was stored")
		}
	})
}

// A paused delivery waits, and a canceled one is never sent.
func TestPauseAndCancel(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		s := channeltest.New(t, "feishu", w.clock.now)
		w.add(t, s, "group-0123456789abcdef")
		w.issues(t, 1, 2)
		for _, step := range []func(context.Context, int64) (int64, error){w.Store.Pause, w.Store.Pause} {
			if _, err := step(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.Store.Cancel(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		if sent := w.run(t); sent != (Sent{}) {
			t.Fatalf("%+v", sent)
		}
		if _, err := w.Store.Resume(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if sent := w.run(t); sent.Sent != 1 || w.state(t, 2).State != "cancelled" {
			t.Fatalf("%+v, %+v", sent, w.state(t, 2))
		}
	})
}

// No secret is in the log, in the database or in what is reported, whatever fails.
func TestSecretsStayInTheirFiles(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		for _, kind := range Kinds() {
			s := channeltest.New(t, kind, w.clock.now)
			w.add(t, s, "rejected-0123456789abcdef")
			s.Before = func(rw http.ResponseWriter, group string) bool { // a service that repeats what it was sent
				rw.WriteHeader(http.StatusInternalServerError)
				fmt.Fprintf(rw, `{"errcode":1,"errmsg":"%[1]s %[2]s","code":1,"msg":"%[1]s %[2]s"}`, group, channeltest.Token)
				return true
			}
			page := channeltest.New(t, kind, w.clock.now)
			w.add(t, page, "page-0123456789abcdef")
			page.Before = func(rw http.ResponseWriter, _ string) bool { // a proxy that repeats it where its page is cut
				fmt.Fprintf(rw, "%s%s", strings.Repeat("x", 80-len(channeltest.Token)/2), channeltest.Token)
				return true
			}
			gone := channeltest.New(t, kind, w.clock.now)
			w.add(t, gone, "unreachable-0123456789abcdef")
			gone.Close()
		}
		w.issues(t, 1)
		w.run(t)
		var backup bytes.Buffer
		for _, table := range []string{"channels", "channel_deliveries"} {
			err := db.Read(t.Context(), func(tx *sql.Tx) error {
				columns := map[string]string{"channels": "address || kind || secret_file || key", "channel_deliveries": "reply || claimed_by"}[table]
				all, err := database.Collect(t.Context(), tx, database.ScanOne[string], `SELECT `+columns+` FROM `+table)
				fmt.Fprintln(&backup, all)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if !strings.Contains(w.log.String(), "channel") {
			t.Fatalf("nothing was logged: %s", w.log)
		}
		for _, secret := range []string{channeltest.SigningKey, channeltest.Token, channeltest.Token[:len(channeltest.Token)/2-1], channeltest.HookSecret, "key=rejected", "hook/rejected", "access_token=rejected", "key=unreachable", "hook/unreachable"} {
			if strings.Contains(w.log.String(), secret) || strings.Contains(backup.String(), secret) {
				t.Errorf("%s shows:\n%s\n%s", secret, w.log, &backup)
			}
		}
	})
}

// A file that others can read, a wrong address and a public server are refused.
func TestGuards(t *testing.T) {
	t.Parallel()
	file := writeSecret(t, "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=0")
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := (Channel{Kind: "wecom", SecretFile: file}).Check(); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("got %v", err)
	}
	for _, tt := range [][3]string{{"wecom", "https://x.example/?key=1", ""}, {"matrix", "", "!a:b"}, {"telegram", "", ""}, {"webhook", "ftp://x", ""}, {"pager", "", ""}, {"wecom", "", "room"}} {
		if _, err := New(1, tt[0], tt[1], tt[2]); err == nil {
			t.Errorf("%v was accepted", tt)
		}
	}
	// Without --private nothing is sent into our own network.
	s := channeltest.New(t, "wecom", time.Now)
	_, _, secret := s.Channel("group-0123456789abcdef")
	sender := &Sender{Store: NewStore(nil, time.Now), Client: fetch.New(fetch.Options{})}
	err := sender.Test(t.Context(), Channel{Kind: "wecom", SecretFile: writeSecret(t, secret)}, sample("zh", 1, 1, 4))
	if err == nil || !strings.Contains(err.Error(), "--private") || len(s.Posts("")) > 0 {
		t.Errorf("got %v", err)
	}
}

// A service that does not answer holds up its own channels only, however many there are.
func TestSilentHostHoldsUpItselfOnly(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		silent, other := channeltest.New(t, "wecom", w.clock.now), channeltest.New(t, "feishu", w.clock.now)
		posted := make(chan struct{})
		silent.Before = func(http.ResponseWriter, string) bool { <-posted; return false }
		other.After = func(string) { close(posted) }
		for i := range 2 * parallel {
			w.add(t, silent, fmt.Sprintf("group-0123456789abcdef-%d", i))
		}
		w.add(t, other, "group-0123456789abcdef")
		w.issues(t, 1)
		if sent := w.run(t); sent.Sent != 2*parallel+1 { // the silent one answered when the other had its issue
			t.Fatalf("%+v", sent)
		}
	})
}
