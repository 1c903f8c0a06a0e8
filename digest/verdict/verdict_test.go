package verdict

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		reply, domain string
		class         Class
		suppress      bool
		retry         time.Duration
	}{
		{"421 4.3.2 closing", "a.example", Temporary, false, 0},
		{"451 4.3.0 try later", "a.example", Temporary, false, 0},
		{"450 4.7.1 greylisted, try again", "a.example", Temporary, false, 10 * time.Minute},
		{"550 5.1.1 no such user", "a.example", Permanent, true, 0},
		{"550 5.1.10 recipient address rejected", "a.example", Permanent, true, 0},
		{"553 5.1.2 bad destination", "a.example", Permanent, true, 0},
		{"550 5.2.1 mailbox disabled", "a.example", Permanent, true, 0},
		{"550 5.2.1 receiving mail at a rate that prevents delivery, rate limit", "gmail.com", Temporary, false, time.Hour},
		{"550 5.4.4 host not found", "a.example", Permanent, true, 0},
		{"521 no mail here", "a.example", Permanent, true, 0},
		{"556 5.1.10 null MX", "a.example", Permanent, true, 0},
		{"552 5.2.2 mailbox full", "a.example", Temporary, false, 0},
		{"552 5.3.4 message too big", "a.example", Message, false, 0},
		{"550 5.7.1 blocked by policy", "a.example", Policy, false, 0},
		{"554 5.7.1 user unknown in our spam list", "a.example", Policy, false, 0},
		{"550 your message looks like spam", "a.example", Policy, false, 0},
		{"554 poor reputation", "a.example", Policy, false, 0},
		{"550 用户不存在", "a.example", Permanent, true, 0},
		{"550 User unknown", "a.example", Permanent, true, 0},
		{"554 您的邮件被拒收", "a.example", Policy, false, 0},
		{"550 no", "a.example", Unknown, false, 0},
		{"550 Mail content denied: access denied", "qq.com", Policy, false, 0}, // the same content is refused again
		{"550 Connection frequency limited", "foxmail.com", Temporary, false, time.Hour},
		{"550 suspected spam", "qq.com", Temporary, false, time.Hour},
		{"421 HL:REP 163 smtp1", "163.com", Temporary, false, time.Hour},
		{"450 MI:DMC 163 smtp2", "126.com", Temporary, false, 0}, // a new connection
		{"451 DT:SPM 163 smtp3", "yeah.net", Temporary, false, time.Hour},
		{"554 DT:SPM 163 smtp4", "163.com", Policy, false, 0},
		// The domain of the reader is unknown.
		{"550 Domain frequency limited", "", Temporary, false, time.Hour},
		{"550 Access denied", "", Policy, false, 0},
		{"550 5.7.509 Access denied, sending domain does not pass DMARC", "", Policy, false, 0},
		{"550 Access denied", "a.example", Policy, false, 0},
		{"450 RP:DRC 163 smtp5", "", Temporary, false, time.Hour},
		{"554 HL:IPB 163 smtp6", "", Policy, false, 0},
		{"550 User not found: x@163.com", "", Permanent, true, 0},
		// Servers that put the code elsewhere, or send more than one line.
		{"550 sorry, no mailbox here by that name (#5.1.1)", "a.example", Permanent, true, 0},
		{`550-5.1.1 The account that you tried to reach\r\n550 5.1.1 does not exist`, "gmail.com", Permanent, true, 0},
		{"550 rejected, [5.1.1.9] is no friend of ours", "a.example", Policy, false, 0},
		{"550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", "a.example", Permanent, true, 0},
		{"550 5.5.0 Requested action not taken: mailbox unavailable", "hotmail.com", Permanent, true, 0},
		// When in doubt, it is our fault.
		{"550 5.1.1 blocked for spam", "a.example", Policy, false, 0},
		{"550 5.1.1 <spam@a.example> user unknown", "a.example", Permanent, true, 0},
		{"521 blocked, see the list", "a.example", Policy, false, 0},
		{"553 5.1.8 domain of sender does not exist", "a.example", Policy, false, 0},
		{"554 5.7.1 relay access denied", "a.example", Policy, false, 0},
		// Full, on hold, too large, too fast.
		{"550 5.1.1 mailbox is full", "a.example", Temporary, false, 0},
		{"550 收件人邮箱已满", "a.example", Temporary, false, 0},
		{"550 账号已冻结", "a.example", Temporary, false, 0},
		{"552 too big", "a.example", Message, false, 0},
		{"554 message exceeds the maximum size", "a.example", Message, false, 0},
		{"554 5.6.7 no SMTPUTF8 here", "a.example", Message, false, 0},
		{"550 发信频率过高，请稍后再试", "a.example", Temporary, false, time.Hour},
		{"451 4.7.0 greylisted", "a.example", Temporary, false, 10 * time.Minute},
		{"452 4.2.2 over quota", "a.example", Temporary, false, 0},
		{"550 无此用户", "a.example", Permanent, true, 0},
		{"550 邮件被识别为垃圾邮件", "a.example", Policy, false, 0},
		// A code that hosts without mail use, and others.
		{"521 Service not available", "a.example", Unknown, false, 0},
		{"521 5.3.2 host does not accept mail", "a.example", Permanent, true, 0},
		{"556 remote ip check error.", "sina.com", Policy, false, 0},
		{"550-Requested action not taken: mailbox unavailable\n550 Failure sending mail. Try again later", "gmx.example", Temporary, false, time.Hour},
		{"552 Account(s) <x@a.example> does not have enough space", "a.example", Temporary, false, 0},
		{"550 5.2.1 This mailbox has been blocked due to inactivity", "a.example", Temporary, false, 0},
		{"550 From address does not exist", "a.example", Policy, false, 0},
		{"550 SMTP account disabled", "a.example", Policy, false, 0},
		{"554 relay host unknown", "a.example", Policy, false, 0},
		{"550 Your DNS domain does not exist", "a.example", Policy, false, 0},
		{"554 Usuario desconocido", "a.example", Permanent, true, 0},
		{"550 Excessive userid unknowns", "a.example", Policy, false, 0},
		{"550 mailfolder is full", "a.example", Temporary, false, 0},
		{"550 No mail box available for this user", "a.example", Permanent, true, 0},
		{"550 No user found", "a.example", Permanent, true, 0},
		{"550 user not exist", "263.net", Permanent, true, 0},
		{"550 5.0.0 该用户不存在", "qq.com", Unknown, false, 0}, // X.0.0 means nothing
	} {
		code, enhanced, text, ok := ParseReply(c.reply)
		got := Judge(Reply{Phase: PhaseRcpt, Domain: c.domain, Code: code, Enhanced: enhanced, Text: text})
		if !ok || got.Class != c.class || got.Suppress != c.suppress || got.Retry != c.retry {
			t.Errorf("%q from %s: got %s %+v, want %s, suppress %v, retry %s", c.reply, c.domain, got.Class, got, c.class, c.suppress, c.retry)
		}
	}
}

// TestPhaseDecidesWhomARefusalIsAbout checks that before RCPT TO no reader has been named.
func TestPhaseDecidesWhomARefusalIsAbout(t *testing.T) {
	for _, c := range []struct {
		phase    Phase
		enhanced string
		suppress bool
	}{
		{PhaseGreeting, "5.1.1", false}, {PhaseEHLO, "5.1.1", false}, {PhaseAuth, "5.1.1", false}, {PhaseMail, "5.1.1", false},
		{PhaseRcpt, "5.1.1", true}, {PhaseRcpt, "", true}, {PhaseDot, "5.1.1", true}, {PhaseDot, "", false}, {PhaseData, "", false},
		{PhaseUnknown, "5.1.1", true}, {PhaseUnknown, "", false},
	} {
		if v := Judge(Reply{Phase: c.phase, Domain: "a.example", Code: 550, Enhanced: c.enhanced, Text: "no such user"}); v.Suppress != c.suppress {
			t.Errorf("%s %s: suppress %v", c.phase, c.enhanced, v.Suppress)
		}
	}
	if v := Judge(Reply{Phase: PhaseMail, Domain: "qq.com", Code: 501, Enhanced: "", Text: "mail from address must be same as authorization user"}); v.Class != Policy {
		t.Errorf("a refused envelope sender is %s", v.Class)
	}
}

// TestListedRepliesSpeakOfTheReaderAfterTheMessage checks that Yahoo reports unknown users
// after DATA, in words that it publishes.
func TestListedRepliesSpeakOfTheReaderAfterTheMessage(t *testing.T) {
	for phase, suppress := range map[Phase]bool{PhaseDot: true, PhaseUnknown: true, PhaseMail: false} {
		v := Judge(Reply{Phase: phase, Domain: "a.example", Code: 554, Text: "delivery error: dd Sorry your message to x@a.example cannot be delivered. This account has been disabled or discontinued [#102]."})
		if v.Suppress != suppress {
			t.Errorf("after %s: suppress %t", phase, v.Suppress)
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
		// A refusal that is by policy, temporary or not final never costs a reader the
		// subscription.
		if v := Judge(Reply{Code: code, Enhanced: enhanced, Text: text}); v.Suppress && (v.Class != Permanent || code < 500) {
			t.Fatalf("%q: %+v", s, v)
		}
		if v := Judge(Reply{Phase: "", Domain: "a.example", Code: code, Enhanced: enhanced, Text: text}); v.Suppress && v.Class != Permanent {
			t.Fatalf("%q: %+v", s, v)
		}
	})
}

// TestSharedReplies measures the table on replies of real servers.
func TestSharedReplies(t *testing.T) {
	table, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "cases", "replies", "open.tsv"))
	if err != nil {
		t.Skipf("the shared test data is not beside this checkout: %v", err)
	}
	rows, right, wronged := 0, 0, 0
	for line := range strings.Lines(string(table)) {
		c := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if c[0] == "class" {
			continue
		}
		rows++
		code, enhanced, text, _ := ParseReply(c[3])
		v := Judge(Reply{Phase: PhaseRcpt, Domain: c[2], Code: code, Enhanced: enhanced, Text: text})
		if slices.Contains(strings.Split(c[0], "|"), v.Class.String()) {
			right++
		} else {
			t.Logf("%s %q is %s, want %s", c[2], c[3], v.Class, c[0])
		}
		if v.Suppress && c[1] == "no" {
			wronged++
			t.Errorf("%s %q suppresses", c[2], c[3])
		}
	}
	t.Logf("%d of %d classes right, %d wrongly suppressed", right, rows, wronged)
	if right*100 < rows*95 {
		t.Error("fewer than 95 %")
	}
}
