package inbound

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dibao/digest/verdict"
	"dibao/internal/mail"
)

func TestClassifyBounce(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status, text string
		class        verdict.Class
		suppress     bool
	}{
		{"5.1.1", "550 5.1.1 no such user", verdict.Permanent, true},
		{"", "550 用户不存在", verdict.Permanent, true},
		{"5.1.2", "host not found", verdict.Permanent, true},
		{"4.4.4", "host not found, try again later", verdict.Temporary, false},
		{"5.2.2", "552 mailbox full", verdict.Temporary, false},
		{"5.1.1", "552 quota exceeded", verdict.Temporary, false},
		{"5.7.1", "550 5.7.1 user unknown to our policy: blocked", verdict.Policy, false},
		{"", "554 message looks like spam", verdict.Policy, false},
		{"5.1.8", "553 domain of sender does not exist", verdict.Policy, false},
		{"", "550 Sender address rejected: User unknown in local sender table", verdict.Policy, false},
		{"5.0.0", "550 Helo command rejected: Host not found", verdict.Policy, false},
		{"", "account suspended for now", verdict.Temporary, false},
		{"", "", verdict.Unknown, false},
	}
	for _, tt := range tests {
		got := ClassifyBounce(mail.ReportRecipient{Address: "r@test.example", Action: "failed", Status: tt.status, Text: tt.text})
		if got.Class != tt.class || got.Suppress != tt.suppress {
			t.Errorf("%s %q: %s, suppress %t; want %s, %t", tt.status, tt.text, got.Class, got.Suppress, tt.class, tt.suppress)
		}
	}
	if v := ClassifyBounce(mail.ReportRecipient{Action: "delayed", Status: "5.1.1", Text: "no such user"}); v.Suppress {
		t.Error("a delay suppresses")
	}
	for command, want := range map[string]verdict.Class{"RCPT": verdict.Permanent, "DATA": verdict.Policy, "": verdict.Unknown} {
		if v := ClassifyBounce(mail.ReportRecipient{Action: "failed", Code: "550", Text: "550 User unknown", Command: command}); v.Class != want || v.Suppress != (want == verdict.Permanent) {
			t.Errorf("«user unknown» after %q is %s, suppress %t; want %s", command, v.Class, v.Suppress, want)
		}
	}
}

// TestBounces measures the parser of reports on the shared emails: which are bounces, which
// of these are permanent, and that no reader is suppressed for a refusal that is our fault.
func TestBounces(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "..", "shared", "data", "bounces")
	table, err := os.ReadFile(filepath.Join(dir, "expected.tsv"))
	if err != nil {
		t.Skipf("the shared test data is not beside this checkout: %v", err)
	}
	ours := " blocked authfailure policyviolation requireptr spamdetected securityerror norelaying notcompliantrfc rejected contenterror badreputation speeding toomanyconn virusdetected "
	rows, right, bounces, kinds, wronged := 0, 0, 0, 0, 0
	reports := make(map[string]mail.Report)
	for line := range strings.Lines(string(table)) {
		c := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(c) < 7 || c[0] == "file" || c[5] == "feedback" || c[5] == "vacation" {
			continue
		}
		r, seen := reports[c[0]]
		if !seen {
			raw, err := os.ReadFile(filepath.Join(dir, "eml", c[0]))
			if err != nil {
				t.Fatal(err)
			}
			r = mail.ReadReport(raw)
			reports[c[0]] = r
			bounces++
			if r.Kind == mail.ReportBounce {
				kinds++
			}
		}
		rows++
		var v verdict.Verdict
		for i, one := range r.Recipients {
			if one.Address == c[2] || i == 0 {
				v = ClassifyBounce(one)
			}
			if one.Address == c[2] {
				break
			}
		}
		if (v.Class == verdict.Permanent) == (c[6] == "true") {
			right++
		} else {
			t.Logf("%s: %s %s is %s", c[0], c[3], c[5], v.Class)
		}
		if v.Suppress && strings.Contains(ours, " "+c[5]+" ") {
			wronged++
			t.Errorf("%s: a reader is suppressed for %s", c[0], c[5])
		}
	}
	t.Logf("%d of %d reports are bounces; %d of %d readers rightly for good or not; %d wronged", kinds, bounces, right, rows, wronged)
	if kinds*100 < bounces*99 || right*100 < rows*97 {
		t.Error("fewer than before")
	}
	for _, name := range []string{"is-not-bounce-01.eml", "rb-issue-368-bug.eml"} {
		raw, err := os.ReadFile(filepath.Join(dir, "not-bounce", name))
		if err != nil {
			t.Fatal(err)
		}
		if r := mail.ReadReport(raw); r.Kind == mail.ReportBounce || len(r.Recipients) > 0 {
			t.Errorf("%s is taken for a %s of %v", name, r.Kind, r.Recipients)
		}
	}
}

// TestReportsJudgeAsReplies checks that each shared reply means the same in a report of
// Postfix, with and without the refused command.
func TestReportsJudgeAsReplies(t *testing.T) {
	t.Parallel()
	table, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "cases", "replies", "open.tsv"))
	if err != nil {
		t.Skipf("the shared test data is not beside this checkout: %v", err)
	}
	for line := range strings.Lines(string(table)) {
		c := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if c[0] == "class" {
			continue
		}
		domain := cmp.Or(c[2], "a.example")
		code, enhanced, text, _ := verdict.ParseReply(c[3])
		want := verdict.Judge(verdict.Reply{Phase: verdict.PhaseRcpt, Domain: domain, Code: code, Enhanced: enhanced, Text: text})
		said := strings.ReplaceAll(c[3], `\n`, "\n    ")
		for name, around := range map[string]string{"named": "<r@" + domain + ">: host mx." + domain + "[192.0.2.1] said: " + said + " (in reply to RCPT TO command)", "unnamed": "It could not be delivered."} {
			raw := "From: MAILER-DAEMON@a.example\nSubject: Undelivered Mail Returned to Sender\nContent-Type: multipart/report; report-type=delivery-status; boundary=B\n\n" +
				"--B\n\n" + around + "\n\n--B\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; a.example\n\nFinal-Recipient: rfc822; r@" + domain +
				"\nAction: failed\nStatus: " + cmp.Or(enhanced, c[3][:1]+".0.0") + "\nDiagnostic-Code: smtp; " + said + "\n\n--B--\n"
			r := mail.ReadReport([]byte(raw))
			if len(r.Recipients) != 1 {
				t.Fatalf("%q: %d recipients", c[3], len(r.Recipients))
			}
			if got := ClassifyBounce(r.Recipients[0]); got.Class != want.Class || got.Suppress != want.Suppress {
				t.Errorf("%q from %s, command %s, is %s, suppress %t; as a reply %s, %t", c[3], domain, name, got.Class, got.Suppress, want.Class, want.Suppress)
			}
		}
	}
}

// The reports of Chinese servers and programs: their kinds, and that no reader is
// suppressed for reasons that concern the sender.
func TestSharedReports(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "..", "shared", "data", "cases", "reports")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the shared test data is not beside this checkout: %v", err)
	}
	for name, want := range map[string]string{
		"a1-jmrp-sparse": "complaint", "a2-not-spam": "not-spam", "a5-virus": "notice", "a7-redacted": "complaint", "b1-dmarc-agg": "notice",
		"zh-ali-1-from": "bounce policy", "zh-ar-1-qq": "auto-reply", "zh-ar-3-left": "auto-reply", "zh-cm-1-spam": "bounce policy", "zh-cm-11-bilingual": "bounce temporary",
		"zh-cm-3-notfound": "bounce permanent suppress", "zh-cm-5-spm": "bounce policy", "zh-cm-7-519": "bounce policy", "zh-cm-9-mailfrom": "bounce policy",
		"zh-ex-2-zh-delay": "bounce temporary", "zh-gbk-utf-8": "bounce permanent suppress", "zh-lt-2-unsub": "unsubscribe", "zh-mdn-1": "other",
		"zh-qq-1-notexist": "bounce permanent suppress", "zh-qq-3-domain": "bounce permanent suppress", "zh-qq-5-timeout": "bounce temporary",
	} {
		raw, err := os.ReadFile(filepath.Join(dir, name+".eml"))
		if err != nil {
			t.Fatal(err)
		}
		r := mail.ReadReport(raw)
		got := string(r.Kind)
		if r.Kind == mail.ReportBounce && len(r.Recipients) > 0 {
			v := ClassifyBounce(r.Recipients[0])
			if got += " " + v.Class.String(); v.Suppress {
				got += " suppress"
			}
		}
		if got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}
