package mail

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"
)

func packed(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(text))
	w.Close()
	return b.String()
}

func TestMessagesOfFiles(t *testing.T) {
	const mbox = "From a@b Sun Nov 29 10:00:00 2026\nSubject: 1\n\n>From here\nFrom now on it is better.\n\nFrom MAILER-DAEMON Sun Nov 29 10:00:00 2026\r\nSubject: 2\r\n\r\n>>From\r\n"
	long := "From a Sun Nov 29 10:00:00 2026\nSubject: 1\n\n" + strings.Repeat("x", 200_000) + "\n\nFrom b Sun Nov 29 10:00:00 2026\nSubject: 2\n"
	for file, want := range map[string]int{mbox: 2, packed(mbox): 2, "Subject: 1\n\nFrom a Sun Nov 29 10:00:00 2026\n": 1, packed("Subject: 1\n\nx"): 1, "": 1, long: 2, packed(mbox)[:40]: -1} {
		var all []string
		var failed error
		for message, err := range Messages(strings.NewReader(file)) {
			if err != nil {
				failed = err
				break
			}
			all = append(all, string(message))
		}
		if failed != nil != (want < 0) || want >= 0 && len(all) != want {
			t.Errorf("%.60q has %d messages, %v; want %d", file, len(all), failed, want)
		}
		if len(all) == 2 && (!strings.HasPrefix(all[0], "Subject: 1") || !strings.HasPrefix(all[1], "Subject: 2")) {
			t.Errorf("messages %.80q", all)
		}
	}
	var all []string
	for message := range Messages(strings.NewReader(mbox)) {
		all = append(all, string(message))
	}
	if got, want := fmt.Sprintf("%q", all), `["Subject: 1\n\nFrom here\nFrom now on it is better.\n\n" "Subject: 2\r\n\r\n>>From\r\n"]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func FuzzMessages(f *testing.F) {
	f.Add([]byte("From a@b Sun Nov 29 10:00:00 2026\nSubject: 1\n\n>From\n\nFrom x 10:00\n"))
	f.Add([]byte(packed("From a 10:00\n\nFrom b 10:00\n")))
	f.Fuzz(func(t *testing.T, file []byte) {
		total := 0
		for message, err := range Messages(bytes.NewReader(file)) {
			if err != nil {
				return
			}
			total += len(message)
		}
		if total > len(file) && !bytes.HasPrefix(file, []byte("\x1f\x8b")) {
			t.Fatalf("%d bytes of messages in a file of %d", total, len(file))
		}
	})
}

// Reports that are not complaints of a reader are not treated as such.
func TestFeedbackReportsAreComplaintsOnlyIfAbuseOrFraud(t *testing.T) {
	for feedback, want := range map[string]ReportKind{
		"abuse": ReportComplaint, "Fraud": ReportComplaint, "not-spam": ReportNotSpam, "opt-out": ReportUnsubscribe, "auth-failure": ReportNotice, "virus": ReportNotice, "other": ReportNotice, "x": ReportNotice,
	} {
		raw := "Subject: x\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: " + feedback + "\n\n--b--\n"
		if r := ReadReport([]byte(raw)); r.Kind != want {
			t.Errorf("%s is %s, want %s", feedback, r.Kind, want)
		}
	}
	for subject, want := range map[string]ReportKind{
		"Report domain: a.example Submitter: google.com Report-ID: 123": ReportNotice, "[Preview] Report Domain: a.example Submitter: Outlook Report-ID: <1>": ReportNotice,
		"=?utf-8?b?6YCA6K6i?=": ReportUnsubscribe, "回复：退订": ReportUnsubscribe, "Re: Re: unsubscribe me": ReportUnsubscribe, "退订不了怎么办": ReportUnsubscribe, "关于退订的说明": ReportOther,
		"=?gb18030?B?19S2r7vYuLQ6INuhsajW3L+v?=": ReportAutoReply, "\xd7\xd4\xb6\xaf\xbb\xd8\xb8\xb4: \xd6\xdc\xbf\xaf": ReportAutoReply,
	} {
		if r := ReadReport([]byte("From: r@a.example\nSubject: " + subject + "\n\nx\n")); r.Kind != want {
			t.Errorf("%q is %s, want %s", subject, r.Kind, want)
		}
	}
}

// A receipt names the reader in the same field as a bounce.
func TestReadReceiptsAreNoBounces(t *testing.T) {
	raw := "Subject: =?utf-8?b?5bey6K+7?=\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\n\nread\n--b\nContent-Type: message/disposition-notification\n\n" +
		"Final-Recipient: rfc822; r@a.example\nDisposition: manual-action/MDN-sent-manually; deleted\n\n--b--\n"
	if r := ReadReport([]byte(raw)); r.Kind != ReportOther || len(r.Recipients) > 0 {
		t.Errorf("a receipt is %s of %v", r.Kind, r.Recipients)
	}
}
