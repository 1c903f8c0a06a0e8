package channel

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"dibao/digest/channel/channeltest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

// A mailing that is stopped while a message is being sent is not posted later, whatever the
// result of the attempt: before the hand-over nothing is posted, after it nothing is posted
// again.
func TestStopDuringAnAttempt(t *testing.T) {
	t.Parallel()
	type step = func(context.Context, int64) (int64, error)
	stops := map[string]func(*Store) []step{
		"paused":    func(s *Store) []step { return []step{s.Pause} },
		"cancelled": func(s *Store) []step { return []step{s.Pause, s.Cancel, s.Pause, s.Resume} },
		"sent":      func(s *Store) []step { return []step{s.Pause, s.Resume} },
	}
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		mailing := int64(0)
		for want, steps := range stops {
			for _, moment := range []string{"before the hand-over", "with the service", "before a crash", "after a hand-over and before a crash"} {
				mailing++
				w.exec(t, `DELETE FROM channels`)
				s := channeltest.New(t, "wecom", w.clock.now)
				c := w.add(t, s, fmt.Sprintf("group-0123456789abcdef-%d", mailing))
				w.issues(t, mailing)
				now := moment
				stop := func(at string) {
					if at != now {
						return
					}
					now = "" // once
					for i, f := range steps(w.Store) {
						n, err := f(context.Background(), mailing)
						if hasEffect := i < 2; err != nil || (n == 1) != hasEffect { // the others find it canceled
							t.Errorf("%s, %s: step %d changed %d: %v", want, moment, i, n, err)
						}
					}
				}
				w.Card = func(_ context.Context, issue int64) (Card, error) {
					stop("before the hand-over")
					return sample("zh", issue, 3, 20), nil
				}
				s.Before = func(rw http.ResponseWriter, _ string) bool {
					if now == "with the service" {
						stop(now)
						fmt.Fprint(rw, `{"errcode":-1,"errmsg":"system busy"}`)
						return true
					}
					return false
				}
				if strings.HasSuffix(moment, "crash") {
					d, _, err := w.Store.claim(t.Context(), "a dead node", c.ID, fmt.Sprint("turn ", mailing), 0)
					if err == nil && moment != "before a crash" {
						err = w.Store.handOver(t.Context(), "a dead node", d.id)
					}
					if err != nil {
						t.Fatal(err)
					}
					stop(moment)
				}
				for range 10 {
					w.run(t)
					w.clock.sleep(t.Context(), time.Hour)
				}
				posts := map[string]int{"sent": 1}[want]
				if row := w.state(t, mailing); row.State != want || len(s.Posts("")) != posts || (row.DoneAt == nil) != (want == "paused") || row.NextAt != nil {
					t.Errorf("%s, %s: %+v, %d posts", want, moment, row, len(s.Posts("")))
				}
				if want != "paused" {
					continue
				}
				if _, err := w.Store.Resume(t.Context(), mailing); err != nil {
					t.Fatal(err)
				}
				if sent := w.run(t); sent.Sent != 1 {
					t.Errorf("%s: resumed: %+v", moment, sent)
				}
			}
		}
	})
}

// recover may start from the outdated state of a claim on a replica: here, the replica does
// not know yet that the message was handed over.
func TestRecoverFromAnOldReplica(t *testing.T) {
	t.Parallel()
	const dead = "a node that is not in the list of nodes"
	url, old := databasetest.Postgres(t), databasetest.Postgres(t)
	open := func(url, readURL string) *database.DB {
		db, err := database.Open(t.Context(), url, database.Options{ReadURL: readURL})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
	claimIn := func(url string) (*world, *claimed) {
		w := newWorld(t, open(url, ""))
		c := w.add(t, channeltest.New(t, "wecom", w.clock.now), "group-0123456789abcdef")
		w.issues(t, 1)
		d, _, err := w.Store.claim(t.Context(), dead, c.ID, "group", 0)
		if err != nil || d == nil {
			t.Fatalf("no claim: %v", err)
		}
		return w, d
	}
	claimIn(old)
	w, d := claimIn(url)
	if err := w.Store.handOver(t.Context(), dead, d.id); err != nil {
		t.Fatal(err)
	}
	store := NewStore(open(url, old), w.clock.now)
	if n, err := store.recover(t.Context(), w.Node); err != nil || n != 1 {
		t.Fatalf("%d recovered: %v", n, err)
	}
	if row := w.state(t, 1); row.State != "waiting" || row.Uncertain != 1 {
		t.Fatalf("%+v", row)
	}
	if n, err := store.recover(t.Context(), w.Node); err != nil || n != 0 {
		t.Fatalf("%d recovered again: %v", n, err)
	}
}
