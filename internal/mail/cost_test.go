package mail_test

import (
	"testing"

	"dibao/internal/costtest"
	"dibao/internal/mail"
)

// TestCostOfReports reads reports of every kind.
func TestCostOfReports(t *testing.T) {
	const head = "From: a@b.test\r\nSubject: t\r\n"
	const report = head + "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; a.test\r\n\r\n"
	costtest.Linear(t, []costtest.Seed{
		{Name: "Recipients", Head: report, Units: []string{"Final-Recipient: rfc822; a%d@b.test\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 no such user\r\n\r\n"}, Tail: "--b--"},
		{Name: "SameRecipient", Head: report, Units: []string{"Final-Recipient: rfc822; a@b.test\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"}, Tail: "--b--"},
		{Name: "LongDiagnostic", Head: report + "Final-Recipient: rfc822; a@b.test\r\nAction: failed\r\nDiagnostic-Code: smtp; 550", Units: []string{"\r\n x"}, Tail: "\r\n\r\n--b--"},
		{Name: "Headers", Head: head, Units: []string{"X-%d: a\r\n"}, Tail: "\r\nx"},
		{Name: "Folded", Head: head + "X: a", Units: []string{"\r\n a"}, Tail: "\r\n\r\nx"},
		{Name: "Words", Head: "Subject: ", Units: []string{"=?utf-8?b?5YWz?= "}, Tail: "\r\n\r\nx"},
		{Name: "Parts", Head: head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n", Units: []string{"--b\r\n\r\nx\r\n"}, Tail: "--b--"},
		{Name: "NestedParts", Head: head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n", Units: []string{"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"}},
		{Name: "NestedMessages", Head: head, Units: []string{"Content-Type: message/rfc822\r\n\r\n"}},
		{Name: "Lines", Head: head + "\r\n", Units: []string{"<a%d@b.test>: 550 5.1.1 user unknown\r\n"}},
		{Name: "Addresses", Head: head + "\r\n", Units: []string{"a%d@b.test "}},
		{Name: "At", Head: head + "\r\n", Units: []string{"@"}},
		{Name: "Angles", Head: head + "\r\n", Units: []string{"<"}},
		{Name: "HTML", Head: head + "Content-Type: text/html\r\n\r\n", Units: []string{"<p>user <b>unknown"}},
		{Name: "Attributes", Head: head + "Content-Type: text/html\r\n\r\n<p ", Units: []string{"a%d "}, Tail: ">x"},
		{Name: "JSON", Head: head + "\r\n", Units: []string{`{"a":`}},
		{Name: "Quoted", Head: head + "Content-Transfer-Encoding: quoted-printable\r\n\r\n", Units: []string{"=E5=85=B3=\r\n"}},
		{Name: "Base64", Head: head + "Content-Transfer-Encoding: base64\r\n\r\n", Units: []string{"5YWz\r\n"}},
	}, func(b []byte) { mail.ReadReport(b) })
	costtest.Report(t, "internal/mail")
}
