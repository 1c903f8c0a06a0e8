package mail

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestReadReport(t *testing.T) {
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
		{"SpacesFirst", "   \n" + dsn, ReportBounce, "Reader@test.example", "5.1.1"},
		{"StatusInWords", strings.NewReplacer("Status: 5.1.1", "Status: 5.0.0", "smtp; 550 5.1.1 no", "smtp; 550 no", "Sorry.", "Reader@test.example: 550 5.1.1 unknown").Replace(dsn), ReportBounce, "Reader@test.example", "5.1.1"},
		{"AddressOfHost", "From: MAILER-DAEMON@mx.test\nSubject: failure notice\n\nr@test.example\n host mx.test [4.79.181.134]: 554 no\n", ReportBounce, "r@test.example", ""},
		{"MarkOfFailure", "From: MAILER-DAEMON@mx.test\nSubject: Returned mail\n\n--- Message not delivered to the following addresses:\n r@test.example\n--- Unsent message below\nTo: other@test.example\n", ReportBounce, "r@test.example", ""},
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
			r := ReadReport([]byte(tt.raw))
			if r.Kind != tt.kind {
				t.Fatalf("kind %s, want %s", r.Kind, tt.kind)
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

// TestWordsOfServers reads reports in the style of servers that do not use RFC 3464: which
// readers they name, with which codes, and which command was refused.
func TestWordsOfServers(t *testing.T) {
	t.Parallel()
	const header = "From: Postmaster <postmaster@mx.test>\nTo: sender@site.test\nSubject: failure notice\n\n"
	tests := map[string]struct{ words, address, status, code, command, action string }{
		"Qmail": {"Hi. This is the qmail-send program at mx.test.\n\n<r@reader.test>:\n192.0.2.3 does not like recipient.\nRemote host said: 550 5.1.1 <r@reader.test>: no\nGiving up on 192.0.2.3.\n\n--- Below this line is a copy of the message.\n\nTo: x@site.test\n",
			"r@reader.test", "5.1.1", "550", "RCPT", "failed"},
		"QmailAfterData": {"<r@reader.test>:\n192.0.2.3 failed after I sent the message.\nRemote host said: 554 no\n", "r@reader.test", "", "554", "DATA", "failed"},
		"GMX":            {"The following address\nfailed:\n\n\"r@reader.test\":\nSMTP error from remote server after RCPT command:\nhost: mx.reader.test\n550 5.1.1 <r@reader.test>... User Unknown\n", "r@reader.test", "5.1.1", "550", "RCPT", "failed"},
		"EinsUndEins":    {"A message that you sent could not be delivered to one of its recipients.\n\nThe following address failed:\n\nr@reader.test:\nSMTP error from remote server for RCPT TO command, host: mx.reader.test (192.0.2.4) reason: 550 No mailbox\n", "r@reader.test", "", "550", "RCPT", "failed"},
		"Gateway":        {"1 error(s):\n\nSMTP Server <mx.reader.test> rejected recipient <r@reader.test>\n  (Error following RCPT command). It responded as follows: [550 5.1.1 User Unknown]\n", "r@reader.test", "5.1.1", "550", "RCPT", "failed"},
		"MailMarshal":    {"Your message:\n   From:    sender@site.test\n   Subject: hello\n\nCould not be delivered because of\n\n550 5.1.1 User unknown\n\nThe following recipients were affected:\n    r@reader.test\n", "r@reader.test", "5.1.1", "550", "", "failed"},
		"Exim":           {"  r@reader.test\n    SMTP error from remote mail server after end of data:\n    host mx.reader.test [192.0.2.1]: 550 no\n\n------ This is a copy of the message, including all the headers. ------\n\nTo: x@site.test\n", "r@reader.test", "", "550", "DATA", "failed"},
		"EximDelay":      {"The address to which the message has not yet been delivered is:\n\n  r@reader.test\n    Delay reason: 450 later\n", "r@reader.test", "", "450", "", "delayed"},
		"Courier":        {"<r@reader.test>:\n    mx.reader.test [192.0.2.1]:\n>>> RCPT TO:<r@reader.test>\n<<< 550 no\n", "r@reader.test", "", "550", "RCPT", "failed"},
		"Google":         {"Delivery to the following recipient failed permanently:\n\n     r@reader.test\n\nThe error that the other server returned was: 550 550 no (state 14).\n", "r@reader.test", "", "550", "RCPT", "failed"},
		"Transcript":     {"Transcript of session follows.\n\n Out: 220 mx.test\n In:  MAIL FROM:<s@else.test>\n Out: 250 2.1.0 Ok\n In:  RCPT TO:<r@reader.test>\n Out: 250 2.1.5 Ok\n In:  DATA\n Out: 451 4.3.0 Error\n", "r@reader.test", "4.3.0", "451", "DATA", "failed"},
		"Japanese":       {"\x1b$B$3$N%a!<%k$O\x1b(B\nr@reader.test\n550 5.1.1 no\n", "r@reader.test", "5.1.1", "550", "", "failed"},
		"Forwarded":      {"> The following addresses had permanent fatal errors\n> <r@reader.test>\n>     (reason: 550 5.1.1 no)\n> From: other@site.test\n> Message-Id: <1@else.test>\n", "r@reader.test", "5.1.1", "550", "", "failed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := ReadReport([]byte(header + tt.words))
			if r.Kind != ReportBounce || len(r.Recipients) != 1 {
				t.Fatalf("%s of %+v; want a bounce of one reader", r.Kind, r.Recipients)
			}
			got := r.Recipients[0]
			if got.Address != tt.address || got.Status != tt.status || got.Code != tt.code || got.Command != tt.command || got.Action != tt.action {
				t.Errorf("got %q %q %q %q %q, want %q %q %q %q %q", got.Address, got.Status, got.Code, got.Command, got.Action,
					tt.address, tt.status, tt.code, tt.command, tt.action)
			}
		})
	}
}

// TestReportsByJSON reads what Amazon's notification service emails.
func TestReportsByJSON(t *testing.T) {
	t.Parallel()
	const header = "From: SES <no-reply@sns.test>\nTo: sender@site.test\nSubject: Notification\n\n"
	for name, tt := range map[string]struct {
		json   string
		kind   ReportKind
		action string
	}{
		"Bounce":    {`{"notificationType":"Bounce","bounce":{"bouncedRecipients":[{"emailAddress":"r@reader.test","action":"failed","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 no"}]},"mail":{"source":"sender@site.test"}}`, ReportBounce, "failed"},
		"Complaint": {`{"notificationType":"Complaint","complaint":{"complainedRecipients":[{"emailAddress":"r@reader.test"}]}}`, ReportComplaint, "failed"},
		"Delivery":  {`{"notificationType":"Delivery","delivery":{"recipients":["r@reader.test"],"smtpResponse":"250 ok"}}`, ReportBounce, "delivered"},
	} {
		r := ReadReport([]byte(header + tt.json + "\n\n--\nIf you wish to stop receiving, write to x@sns.test\n"))
		if r.Kind != tt.kind || len(r.Recipients) != 1 || r.Recipients[0].Address != "r@reader.test" || r.Recipients[0].Action != tt.action {
			t.Errorf("%s: %s of %+v", name, r.Kind, r.Recipients)
		}
	}
}

// TestEnclosedReport reads a relay's report about a report, of which only the inner one
// names the reader.
func TestEnclosedReport(t *testing.T) {
	t.Parallel()
	const raw = "From: MAILER-DAEMON@relay.test\nTo: sender@site.test\nSubject: Returned mail\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nThe addresses:\n\n--b\nContent-Type: message/rfc822\n\n" +
		"From: MAILER-DAEMON@inner.test\nSubject: Returned mail\n\n<r@reader.test>\n550 5.1.1 no\n--b--\n"
	r := ReadReport([]byte(raw))
	if r.Kind != ReportBounce || len(r.Recipients) != 1 || r.Recipients[0].Address != "r@reader.test" || r.Recipients[0].Status != "5.1.1" {
		t.Errorf("%s of %+v", r.Kind, r.Recipients)
	}
}

// TestHostileReports reads emails that are built to be expensive: the test is that reading
// ends.
func TestHostileReports(t *testing.T) {
	t.Parallel()
	nested := strings.Repeat("Content-Type: multipart/mixed; boundary=b\n\n--b\n", 1000)
	for name, raw := range map[string]string{
		"Huge": "Subject: failure notice\n\n" + strings.Repeat("<a@b.test>: 550 ", 700_000), "Nested": nested,
		"Header": strings.Repeat("X: y\n ", 1_000_000), "Addresses": "From: mailer-daemon@x\n\n" + strings.Repeat("a@b", 1_000_000),
		"Parts": "Content-Type: multipart/report; boundary=b\n\n" + strings.Repeat("--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; a@b.test\n\n", 20_000),
		"Tags":  "From: mailer-daemon@x\nContent-Type: text/html\n\n" + strings.Repeat("<a<style>", 500_000),
	} {
		r := ReadReport([]byte(raw))
		if len(r.Recipients) > maxRecipients {
			t.Errorf("%s: %d recipients", name, len(r.Recipients))
		}
	}
}

func FuzzReadReport(f *testing.F) {
	f.Add([]byte("From: MAILER-DAEMON@x\nContent-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; a@b.test\nStatus: 5.1.1\n\n--b--"))
	f.Add([]byte("Subject: failure notice\n\n<a@b.test>: 550 no\n"))
	f.Add([]byte("From x\nContent-Transfer-Encoding: base64\n\n!!!"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := ReadReport(raw)
		if len(r.Recipients) > maxRecipients {
			t.Fatalf("%d recipients", len(r.Recipients))
		}
		for _, one := range r.Recipients {
			if len(one.Text) > maxReplyText || !utf8.ValidString(one.Text) || one.Action == "" {
				t.Errorf("recipient %+v", one)
			}
		}
	})
}
