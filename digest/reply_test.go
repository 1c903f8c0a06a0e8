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
		{"552 5.2.2 mailbox full", "a.example", ClassTemporary, false, 0},
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
		// Where the domain of the reader is not known.
		{"550 Domain frequency limited", "", ClassTemporary, false, time.Hour},
		{"550 Access denied", "", ClassTemporary, false, time.Hour},
		{"550 5.7.509 Access denied, sending domain does not pass DMARC", "", ClassPolicy, false, 0},
		{"550 Access denied", "a.example", ClassPolicy, false, 0},
		{"450 RP:DRC 163 smtp5", "", ClassTemporary, false, time.Hour},
		{"554 HL:IPB 163 smtp6", "", ClassPolicy, false, 0},
		{"550 User not found: x@163.com", "", ClassPermanent, true, 0},
		// Servers that put the code elsewhere, or say more than one line.
		{"550 sorry, no mailbox here by that name (#5.1.1)", "a.example", ClassPermanent, true, 0},
		{`550-5.1.1 The account that you tried to reach\r\n550 5.1.1 does not exist`, "gmail.com", ClassPermanent, true, 0},
		{"550 rejected, [5.1.1.9] is no friend of ours", "a.example", ClassUnknown, false, 0},
		{"550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", "a.example", ClassPermanent, true, 0},
		{"550 5.5.0 Requested action not taken: mailbox unavailable", "hotmail.com", ClassPermanent, true, 0},
		// In doubt it is our fault.
		{"550 5.1.1 blocked for spam", "a.example", ClassPolicy, false, 0},
		{"550 5.1.1 <spam@a.example> user unknown", "a.example", ClassPermanent, true, 0},
		{"521 blocked, see the list", "a.example", ClassPolicy, false, 0},
		{"553 5.1.8 domain of sender does not exist", "a.example", ClassPolicy, false, 0},
		{"554 5.7.1 relay access denied", "a.example", ClassPolicy, false, 0},
		// Full, held, too big, too fast.
		{"550 5.1.1 mailbox is full", "a.example", ClassTemporary, false, 0},
		{"550 收件人邮箱已满", "a.example", ClassTemporary, false, 0},
		{"550 账号已冻结", "a.example", ClassTemporary, false, 0},
		{"552 too big", "a.example", ClassMessage, false, 0},
		{"554 message exceeds the maximum size", "a.example", ClassMessage, false, 0},
		{"554 5.6.7 no SMTPUTF8 here", "a.example", ClassMessage, false, 0},
		{"550 发信频率过高，请稍后再试", "a.example", ClassTemporary, false, time.Hour},
		{"451 4.7.0 greylisted", "a.example", ClassTemporary, false, 10 * time.Minute},
		{"452 4.2.2 over quota", "a.example", ClassTemporary, false, 0},
		{"550 无此用户", "a.example", ClassPermanent, true, 0},
		{"550 邮件被识别为垃圾邮件", "a.example", ClassPolicy, false, 0},
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
		// A refusal by policy or for now never costs a reader the subscription, nor
		// does one that is not final.
		if v := Classify(code, enhanced, text, ""); v.Suppress && (v.Class != ClassPermanent || code < 500) {
			t.Fatalf("%q: %+v", s, v)
		}
		if v := Classify(code, enhanced, text, "a.example"); v.Suppress && v.Class != ClassPermanent {
			t.Fatalf("%q: %+v", s, v)
		}
	})
}
