package nodes

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// The shares of all nodes add up to the whole, for any limit.
func TestSharesAddUp(t *testing.T) {
	t.Parallel()
	for of := 1; of < 8; of++ {
		for limit := range 20 {
			sum, rate := 0, 0.0
			for rank := range of {
				s := Share{rank, of}
				sum += s.Count(limit, "qq.com")
				rate += s.Rate(float64(limit))
			}
			if sum != limit || rate < float64(limit)-1e-9 || rate > float64(limit)+1e-9 {
				t.Errorf("%d nodes share %d as %d and %f", of, limit, sum, rate)
			}
		}
	}
	if s := (Share{}); s.Count(9, "") != 0 || s.Rate(9) != 0 {
		t.Error("a node without a share gets something")
	}
}

// settle makes a member appear to have joined long ago.
func (m *Member) settle() { m.joinedAt = m.joinedAt.Add(-settleAfter) }

func join(t *testing.T, db *database.DB, roles ...Role) *Member {
	t.Helper()
	m, err := Join(t.Context(), db, "v1", roles, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMembersShare(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		beat := func(all ...*Member) {
			for _, m := range all {
				if err := m.beat(ctx); err != nil {
					t.Fatal(err)
				}
			}
		}
		first := join(t, db, Roles...)
		if s := first.Share(Deliver); s != Whole {
			t.Fatalf("a single node has %+v", s)
		}
		reader := join(t, db, Web)
		second := join(t, db, Deliver)
		if s := second.Share(Deliver); s.Of != 0 {
			t.Fatalf("a node that just joined has %+v while the first one has the whole limit", s)
		}
		if s := reader.Share(Deliver); s.Of != 0 {
			t.Fatalf("a node that does not deliver has %+v", s)
		}
		beat(first)
		if s := first.Share(Deliver); s.Of != 2 {
			t.Fatalf("the first has %+v of two", s)
		}
		second.settle()
		beat(second)
		if a, b := first.Share(Deliver), second.Share(Deliver); b.Of != 2 || a.Rank == b.Rank {
			t.Fatalf("the two have %+v and %+v", a, b)
		}
		// A node that could not renew its row has no share.
		first.readAt = first.readAt.Add(-settleAfter - time.Second)
		if s := first.Share(Deliver); s.Of != 0 {
			t.Fatalf("a node that was stopped has %+v", s)
		}
		beat(first)
		if s := first.Share(Deliver); s.Of != 0 {
			t.Fatalf("a node that was stopped and counted as gone has %+v before the others have seen it again", s)
		}
		first.settle()
		beat(first)
		if s := first.Share(Deliver); s.Of != 2 {
			t.Fatalf("a node that is back has %+v", s)
		}
		// A node that leaves releases its share at once; the share of a dead node is released
		// later.
		if err := second.leave(ctx); err != nil {
			t.Fatal(err)
		}
		beat(first)
		if s := first.Share(Deliver); s != Whole {
			t.Fatalf("the remaining node has %+v", s)
		}
		all, err := List(ctx, db)
		if err != nil || len(all) != 2 || all[0].ID != first.ID() || all[1].Gone || len(all[1].Roles) != 1 || all[0].Clock.Abs() > time.Minute {
			t.Fatalf("%+v, %v", all, err)
		}
	})
}

// A node with our host name and number may be in another container: it keeps its share and its turn.
// One of this machine whose process ended has none.
func TestNodesOfOtherMachinesStay(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		child := exec.Command(os.Args[0], "-test.run=^$")
		if err := child.Run(); err != nil {
			t.Fatal(err)
		}
		other := join(t, db, Deliver)
		other.self.Machine = "another"
		ended := join(t, db, Deliver)
		ended.self.PID = child.Process.Pid
		for _, m := range []*Member{other, ended} {
			if err := m.leave(ctx); err != nil {
				t.Fatal(err)
			}
			if err := m.beat(ctx); err != nil {
				t.Fatal(err)
			}
			joined.Delete(m.ID()) // as if another process had joined
			turns := &Turns{DB: db, Node: m.ID, PerHost: 1, Lease: time.Minute}
			if turn, err := turns.take(ctx, m.ID()+".example"); db.Dialect() == database.Postgres && (turn != 0 || err != nil) {
				t.Fatalf("turn %d, %v", turn, err)
			}
		}
		next := join(t, db, Deliver)
		for m, want := range map[*Member]int64{other: -1, ended: 0} {
			turns := &Turns{DB: db, Node: next.ID, PerHost: 1, Lease: time.Minute}
			if turn, err := turns.take(ctx, m.ID()+".example"); db.Dialect() == database.Postgres && (turn != want || err != nil) {
				t.Errorf("got turn %d, %v; want %d", turn, err, want)
			}
		}
		all, err := List(ctx, db)
		if err != nil || len(all) != 2 || !slices.ContainsFunc(all, func(n Node) bool { return n.ID == other.ID() && n.PID == os.Getpid() }) {
			t.Fatalf("%+v, %v; want the node of the other machine and the new one", all, err)
		}
	})
}

func TestParseRoles(t *testing.T) {
	t.Parallel()
	if r, err := ParseRoles(""); err != nil || len(r) != len(Roles) {
		t.Errorf("no roles: %v, %v", r, err)
	}
	if r, err := ParseRoles("web, deliver,web"); err != nil || JoinRoles(r) != "web,deliver" {
		t.Errorf("two roles: %v, %v", r, err)
	}
	if _, err := ParseRoles("king"); err == nil {
		t.Error("a role that does not exist was accepted")
	}
}

// Several nodes together never have more concurrent requests to a host than
// allowed, and a turn that was neither renewed nor returned is free after its
// lease.
func TestTurns(t *testing.T) {
	t.Parallel()
	url := databasetest.Postgres(t)
	var under, most, done atomic.Int64
	var all sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, name := range []string{"a", "b", "c"} {
		db, err := database.Open(ctx, url, database.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		turns := &Turns{DB: db, Node: func() string { return name }, PerHost: 2, Lease: time.Minute}
		for range 4 {
			all.Go(func() {
				for range 5 {
					giveBack, err := turns.Take(ctx, "site.example")
					if err != nil {
						t.Error(err)
						return
					}
					n := under.Add(1)
					for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
					}
					time.Sleep(5 * time.Millisecond)
					under.Add(-1)
					done.Add(1)
					giveBack(time.Millisecond)
				}
			})
		}
	}
	all.Wait()
	if most.Load() != 2 || done.Load() != 60 {
		t.Errorf("%d requests at once, %d in all; want 2 and 60", most.Load(), done.Load())
	}
	db, err := database.Open(ctx, url, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	dying := &Turns{DB: db, Node: func() string { return "d" }, PerHost: 1, Lease: 300 * time.Millisecond}
	if _, err := dying.take(ctx, "other.example"); err != nil { // nothing renews it
		t.Fatal(err)
	}
	began := time.Now()
	living := &Turns{DB: db, Node: func() string { return "e" }, PerHost: 1, Lease: 500 * time.Millisecond}
	giveBack, err := living.Take(ctx, "other.example")
	if err != nil || time.Since(began) < 100*time.Millisecond {
		t.Errorf("a turn that was not given back was another's after %s (%v)", time.Since(began), err)
	}
	for range 10 { // for longer than its lease
		time.Sleep(100 * time.Millisecond)
		if turn, err := dying.take(ctx, "other.example"); turn >= 0 || err != nil {
			t.Fatalf("got the turn of a living node (%d, %v)", turn, err)
		}
	}
	giveBack(0)
	if turn, err := dying.take(ctx, "other.example"); turn < 0 || err != nil {
		t.Errorf("a turn that was given back was not free (%d, %v)", turn, err)
	}
}
