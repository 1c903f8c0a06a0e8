package delivery

import (
	"testing"
	"time"

	"dibao/digest/verdict"
)

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
		if !y.open(4) {
			t.Fatal("a new lane takes nothing")
		}
		y.active = 1
		if y.open(4) {
			t.Fatal("a new lane takes two at once")
		}
		for range 7 {
			y.succeeded()
		}
		y.learn(verdict.Verdict{Class: verdict.Temporary}, at)
		if y.window != 4 {
			t.Errorf("window %d after seven successes and one refusal, want 4", y.window)
		}
		y.learn(verdict.Verdict{Class: verdict.Temporary, Retry: verdict.GreylistPause}, at)
		if y.window != 5 {
			t.Errorf("window %d after a greylisted message, want 5: all readers have to be tried", y.window)
		}
	})
	t.Run("MessagesAMinute", func(t *testing.T) {
		y := newLane("y", Limit{PerMinute: 8}, 4)
		passed := 0
		var last time.Time
		for range 6 {
			due, ok := y.pass(at)
			if ok {
				passed++
			}
			if due.Before(last) {
				t.Errorf("a later message is promised for %s, before %s", due, last)
			}
			last = due
		}
		if passed != 2 || last.Sub(at) != 2*time.Minute {
			t.Errorf("%d of 6 passed at once, the last is due in %s; want 2, 2m0s", passed, last.Sub(at))
		}
	})
	t.Run("PolicyPausesTheGroup", func(t *testing.T) {
		y := newLane("y", Limit{}, 4)
		for i := range 3 {
			if paused := y.learn(verdict.Verdict{Class: verdict.Policy}, at); paused != (i == 2) {
				t.Errorf("refusal %d paused: %v", i+1, paused)
			}
		}
		if _, held := y.held(at.Add(policyPause - time.Second)); !held {
			t.Error("the lane is not held")
		}
		if _, held := y.held(at.Add(policyPause)); held {
			t.Error("the lane is held for ever")
		}
		y.learn(verdict.Verdict{Class: verdict.Policy}, at)
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
	j.answered(999, false) // put back without a hand-over: no line
	j.forget(103)
	j.rewrite()
	got := parseJournal(string(j.text))
	if len(got.sent) != 1 || got.sent[0] != 100 || len(got.handed) != 1 || got.handed[0] != 102 {
		t.Errorf("%q is read as sent %v, handed over %v; want [100], [102]", j.text, got.sent, got.handed)
	}
	// What stands before «f» is in the rows.
	j.rewriteAfterFold()
	if after := parseJournal("h2s h2t s2s " + string(j.text)); len(after.sent) != 1 || len(after.handed) != 1 {
		t.Errorf("after a fold: sent %v, handed over %v", after.sent, after.handed)
	}
	// A kill between two commits: the older text says what was known then.
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
