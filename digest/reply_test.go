package digest

import (
	"testing"
	"time"
)

func TestClassify(t *testing.T) {
	for _, c := range []struct {
		reply, domain string
		class         Class
		suppress      bool
		retry         time.Duration
	}{
		{"421 4.3.2 closing", "a.example", ClassTemporary, false, 0},
		{"451 4.3.0 try later", "a.example", ClassTemporary, false, 0},
		{"450 4.7.1 greylisted, try again", "a.example", ClassTemporary, false, 10 * time.Minute},
		{"550 5.1.1 no such user", "a.example", ClassPermanent, true, 0},
		{"550 5.1.10 recipient address rejected", "a.example", ClassPermanent, true, 0},
		{"553 5.1.2 bad destination", "a.example", ClassPermanent, true, 0},
		{"550 5.2.1 mailbox disabled", "a.example", ClassPermanent, true, 0},
		{"550 5.2.1 receiving mail at a rate that prevents delivery, rate limit", "gmail.com", ClassTemporary, false, time.Hour},
		{"550 5.4.4 host not found", "a.example", ClassPermanent, true, 0},
		{"521 no mail here", "a.example", ClassPermanent, true, 0},
		{"556 5.1.10 null MX", "a.example", ClassPermanent, true, 0},
		{"552 5.2.2 mailbox full", "a.example", ClassPermanent, false, 0},
		{"552 5.3.4 message too big", "a.example", ClassMessage, false, 0},
		{"550 5.7.1 blocked by policy", "a.example", ClassPolicy, false, 0},
		{"554 5.7.1 user unknown in our spam list", "a.example", ClassPolicy, false, 0},
		{"550 your message looks like spam", "a.example", ClassPolicy, false, 0},
		{"554 poor reputation", "a.example", ClassPolicy, false, 0},
		{"550 用户不存在", "a.example", ClassPermanent, true, 0},
		{"550 User unknown", "a.example", ClassPermanent, true, 0},
		{"554 您的邮件被拒收", "a.example", ClassPolicy, false, 0},
		{"550 no", "a.example", ClassUnknown, false, 0},
		{"550 Mail content denied: access denied", "qq.com", ClassTemporary, false, time.Hour},
		{"550 Connection frequency limited", "foxmail.com", ClassTemporary, false, time.Hour},
		{"550 suspected spam", "qq.com", ClassTemporary, false, time.Hour},
		{"421 HL:REP 163 smtp1", "163.com", ClassTemporary, false, time.Hour},
		{"450 MI:DMC 163 smtp2", "126.com", ClassTemporary, false, time.Hour},
		{"451 DT:SPM 163 smtp3", "yeah.net", ClassTemporary, false, time.Hour},
		{"554 DT:SPM 163 smtp4", "163.com", ClassPolicy, false, 0},
	} {
		code, enhanced, text, ok := ParseReply(c.reply)
		got := Classify(code, enhanced, text, c.domain)
		if !ok || got.Class != c.class || got.Suppress != c.suppress || got.Retry != c.retry {
			t.Errorf("%q from %s: got %s %+v, want %s, suppress %v, retry %s", c.reply, c.domain, got.Class, got, c.class, c.suppress, c.retry)
		}
	}
}

func TestBackoffGrowsToEightHours(t *testing.T) {
	total := time.Duration(0)
	for n := 1; total < 48*time.Hour; n++ {
		low, high := Backoff(n, 0), Backoff(n, 0.999)
		if low < 11*time.Minute || high > 10*time.Hour || low >= high {
			t.Fatalf("attempt %d waits %s to %s", n, low, high)
		}
		if n > 20 {
			t.Fatal("48 hours are not reached in 20 attempts")
		}
		total += Backoff(n, 0.5)
	}
}

func FuzzParseReply(f *testing.F) {
	f.Add("550 5.1.1 no such user")
	f.Add("421-\x00\xff")
	f.Fuzz(func(t *testing.T, s string) {
		code, enhanced, text, ok := ParseReply(s)
		if ok && (code < 200 || code > 599) {
			t.Fatalf("%q has code %d", s, code)
		}
		// A refusal by policy or for now never costs a reader the subscription.
		if v := Classify(code, enhanced, text, "a.example"); v.Suppress && v.Class != ClassPermanent {
			t.Fatalf("%q: %+v", s, v)
		}
	})
}
