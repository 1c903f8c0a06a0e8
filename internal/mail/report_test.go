package mail

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestParseReport(t *testing.T) {
	t.Parallel()
	const dsn = "From: MAILER-DAEMON@mx.test\r\nTo: bounce+x@site.test\r\nSubject: Undelivered Mail\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n" +
		"--b\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.test\r\n\r\nFinal-Recipient: rfc822; Reader@Test.Example\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user\r\n" +
		"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <1@site.test>\r\nTo: Reader@test.example\r\n--b--\r\n"
	tests := []struct {
		name, raw string
		kind      ReportKind
		address   string
		status    string
	}{
		{"DSN", dsn, ReportBounce, "Reader@test.example", "5.1.1"},
		{"Cut", dsn[:len(dsn)-110], ReportBounce, "Reader@test.example", "5.1.1"},
		{"BrokenMIME", strings.Replace(dsn, "boundary=b", "boundary=", 1), ReportBounce, "Reader@test.example", "5.1.1"},
		{"Words", "From: MAILER-DAEMON@mx.test\nTo: a@site.test\nSubject: failure notice\n\n<r@test.example>:\nRemote host said: 550 5.1.1 unknown\n\n--- Below this line is a copy of the message.\n\nTo: other@test.example\n", ReportBounce, "r@test.example", "5.1.1"},
		{"Complaint", "Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nOriginal-Rcpt-To: r@test.example\n--b--\n", ReportComplaint, "r@test.example", ""},
		{"OptOut", "Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: opt-out\n--b--\n", ReportUnsubscribe, "", ""},
		{"Unsubscribe", "From: r@test.example\nSubject: unsubscribe\n\n", ReportUnsubscribe, "", ""},
		{"Away", "From: r@test.example\nAuto-Submitted: auto-replied\nSubject: Re: 邸报\n\nI am away. Mail to s@test.example 550 times.\n", ReportAutoReply, "", ""},
		{"AwayChinese", "From: r@test.example\nSubject: =?utf-8?B?6Ieq5Yqo5Zue5aSNOiDpgrjmiqU=?=\n\n出差\n", ReportAutoReply, "", ""},
		{"Letter", "From: r@test.example\nSubject: 谢谢\n\n写得很好\n", ReportOther, "", ""},
		{"Nothing", "", ReportOther, "", ""},
		{"NoHeader", "hello", ReportOther, "", ""},
		{"NULs", strings.Repeat("\x00", 1000), ReportOther, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := ParseReport(strings.NewReader(tt.raw))
			if err != nil || r.Kind != tt.kind {
				t.Fatalf("kind %s, %v, want %s", r.Kind, err, tt.kind)
			}
			var address, status string
			if len(r.Recipients) > 0 {
				address, status = r.Recipients[0].Address, r.Recipients[0].Status
			}
			if address != tt.address || status != tt.status {
				t.Errorf("got %+v", r.Recipients)
			}
		})
	}
}

// TestHostileReports reads mails built to cost much: that it ends is the test.
func TestHostileReports(t *testing.T) {
	t.Parallel()
	nested := strings.Repeat("Content-Type: multipart/mixed; boundary=b\n\n--b\n", 1000)
	for name, raw := range map[string]string{
		"Huge": "Subject: failure notice\n\n" + strings.Repeat("<a@b.test>: 550 ", 700_000), "Nested": nested,
		"Header": strings.Repeat("X: y\n ", 1_000_000), "Addresses": "From: mailer-daemon@x\n\n" + strings.Repeat("a@b", 1_000_000),
		"Parts": "Content-Type: multipart/report; boundary=b\n\n" + strings.Repeat("--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; a@b.test\n\n", 20_000),
		"Tags":  "From: mailer-daemon@x\nContent-Type: text/html\n\n" + strings.Repeat("<a<style>", 500_000),
	} {
		start := time.Now()
		r, err := ParseReport(strings.NewReader(raw))
		if err != nil || len(r.Recipients) > maxRecipients {
			t.Errorf("%s: %d recipients, %v", name, len(r.Recipients), err)
		}
		t.Logf("%s: %d KB, %s, %v", name, len(raw)>>10, r.Kind, time.Since(start))
	}
}

func FuzzParseReport(f *testing.F) {
	f.Add([]byte("From: MAILER-DAEMON@x\nContent-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; a@b.test\nStatus: 5.1.1\n\n--b--"))
	f.Add([]byte("Subject: failure notice\n\n<a@b.test>: 550 no\n"))
	f.Add([]byte("From x\nContent-Transfer-Encoding: base64\n\n!!!"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := ParseReport(bytes.NewReader(raw))
		if err != nil || len(r.Recipients) > maxRecipients {
			t.Fatalf("%d recipients, %v", len(r.Recipients), err)
		}
		for _, one := range r.Recipients {
			if len(one.Text) > maxReplyText || !utf8.ValidString(one.Text) || one.Action == "" {
				t.Errorf("recipient %+v", one)
			}
		}
	})
}
