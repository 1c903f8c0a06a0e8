package delivery

import (
	"testing"
	"time"

	"dibao/digest/verdict"
	"dibao/internal/nodes"
)

func shareOf(s nodes.Share) func() nodes.Share { return func() nodes.Share { return s } }

func TestLane(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	l := newLanes(map[string]Limit{"foxmail.com": {Connections: 2, PerMinute: 8, PerConnection: 3}})
	x := l.of("qq.com")
	if x != l.of("vip.qq.com") || x.limit.Connections != 2 || x == l.of("a.example") {
		t.Fatalf("qq.com and its other domains are not one group with one limit: %+v", x)
	}
	t.Run("WindowGrowsAndHalves", func(t *testing.T) {
		y := newLane("y", Limit{}, 4)
		if !y.open(4, time.Now, shareOf(nodes.Whole)) {
			t.Fatal("a new lane takes nothing")
		}
		y.active = 1
		if y.open(4, time.Now, shareOf(nodes.Whole)) {
			t.Fatal("a new lane takes two at once")
		}
		for range 7 {
			y.succeeded()
		}
		y.learn(verdict.Verdict{Class: verdict.Temporary}, cause{}, at)
		if y.window != 4 {
			t.Errorf("window %d after seven successes and one refusal, want 4", y.window)
		}
		y.learn(verdict.Verdict{Class: verdict.Temporary, Retry: verdict.GreylistPause}, cause{}, at)
		if y.window != 5 {
			t.Errorf("window %d after a greylisted message, want 5: all readers have to be tried", y.window)
		}
	})
	t.Run("MessagesAMinute", func(t *testing.T) {
		y := newLane("y", Limit{PerMinute: 8}, 4)
		passed := 0
		var last time.Time
		for range 6 {
			due, ok := y.pass(at, nodes.Whole)
			if ok {
				passed++
			}
			if due.Before(last) {
				t.Errorf("a later message is promised for %s, before %s", due, last)
			}
			last = due
		}
		if passed != 1 || last.Sub(at) != 150*time.Second {
			t.Errorf("%d of 6 passed at once, the last is due in %s; want 1, 2m30s", passed, last.Sub(at))
		}
	})
	t.Run("NodesShareALimit", func(t *testing.T) {
		// Four nodes send requests for ten minutes: in no minute are more than 1.05 times
		// the limit allowed, and nearly the limit is.
		const limit = 600
		var sharing [4]*lane
		for i := range sharing {
			sharing[i] = newLane("y", Limit{PerMinute: limit}, 1)
		}
		var times []time.Duration
		for now := time.Duration(0); now < 10*time.Minute; now += 250 * time.Millisecond {
			for rank, y := range sharing {
				for {
					if _, ok := y.pass(at.Add(now), nodes.Share{Rank: rank, Of: 4}); !ok {
						break
					}
					times = append(times, now)
				}
			}
		}
		for i := range times {
			if j := i + limit*105/100; j < len(times) && times[j]-times[i] < time.Minute {
				t.Fatalf("from %s on %d messages pass in less than a minute", times[i], limit*105/100)
			}
		}
		if len(times) < 10*limit*98/100 {
			t.Errorf("%d messages passed in ten minutes, not %d", len(times), 10*limit)
		}
		y := newLane("y", Limit{PerMinute: limit, Connections: 2}, 1)
		if _, ok := y.pass(at, nodes.Share{}); ok || y.open(4, time.Now, shareOf(nodes.Share{})) || y.allowance(at, nodes.Share{}, 9) > 0 {
			t.Error("a node without a share of the limit sends")
		}
		open := 0
		for rank := range 4 {
			_, _, held := y.held(at, nodes.Share{Rank: rank, Of: 4})
			if is := y.open(4, time.Now, shareOf(nodes.Share{Rank: rank, Of: 4})); is {
				open++
			} else if !held {
				t.Errorf("node %d keeps messages that it may not send", rank)
			}
		}
		if open != 2 {
			t.Errorf("%d of 4 nodes have one of 2 connections", open)
		}
	})
	t.Run("PolicyPausesTheGroup", func(t *testing.T) {
		y := newLane("y", Limit{}, 4)
		for i := range 3 {
			if paused := y.learn(verdict.Verdict{Class: verdict.Policy}, cause{}, at); paused != (i == 2) {
				t.Errorf("refusal %d paused: %v", i+1, paused)
			}
		}
		if _, _, held := y.held(at.Add(policyPause-time.Second), nodes.Whole); !held {
			t.Error("the lane is not held")
		}
		if _, _, held := y.held(at.Add(policyPause), nodes.Whole); held {
			t.Error("the lane is held for ever")
		}
		y.learn(verdict.Verdict{Class: verdict.Policy}, cause{}, at)
		y.succeeded()
		if y.policy != 0 {
			t.Error("a success does not end the row")
		}
	})
}

func TestJournal(t *testing.T) {
	t.Parallel()
	var j journal
	for id := range int64(4) {
		j.handOver(100 + id)
	}
	j.answered(100, true)
	j.answered(101, false)
	j.answered(999, false) // requeued without a hand-over: no line
	j.forget(103)
	j.rewrite()
	got := parseJournal(string(j.text))
	if len(got.sent) != 1 || got.sent[0] != 100 || len(got.handed) != 1 || got.handed[0] != 102 {
		t.Errorf("%q is read as sent %v, handed over %v; want [100], [102]", j.text, got.sent, got.handed)
	}
	// The rows of the table contain everything that precedes "f".
	j.rewriteAfterFlush()
	if after := parseJournal("h2s h2t s2s " + string(j.text)); len(after.sent) != 1 || len(after.handed) != 1 {
		t.Errorf("after a flush: sent %v, handed over %v", after.sent, after.handed)
	}
	// A kill between two commits: the older text contains what was known then.
	if old := parseJournal("h2s h2t s2s x h h! s2u"); len(old.handed) != 1 || len(old.sent) != 2 {
		t.Errorf("sent %v, handed over %v", old.sent, old.handed)
	}
}

func FuzzParseJournal(f *testing.F) {
	f.Add("h17 s17 h18 r18")
	f.Fuzz(func(t *testing.T, text string) {
		j := parseJournal(text)
		j.rewrite()
		again := parseJournal(string(j.text))
		if len(again.handed) > len(j.handed) || len(again.sent) != len(j.sent) {
			t.Fatalf("%q is read as %v and, written again, as %v", text, j, again)
		}
	})
}
