package main

import (
	"net"
	"os"
	"strings"
	"testing"

	"dibao/internal/mail/dnstest"
	"dibao/internal/mail/smtptest"
)

// honestRelay returns a configuration whose relay refuses the sender of mailings.
func honestRelay(t *testing.T, refuses string) (path string, relay *smtptest.Server) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	relay = smtptest.StartScript(t, l, func(phase, from, _ string) string {
		if phase == "mail" && strings.Contains(from, refuses) {
			return "501 mail from address must be same as authorization user"
		}
		return ""
	})
	path, _ = mailConfig(t, "port = 25\nehlo = \"mail.example.org\"\n")
	editConfig(t, path, `host = "`, `host = "`+relay.Addr+`" # `)
	return path, relay
}

// This was once a bug: doctor, mail test and issue test reported success, because they used the
// From address, but the relay refused every email of a mailing.
func TestTestsUseTheSenderOfMailings(t *testing.T) {
	path, relay := honestRelay(t, "@bounces.example.org")
	if _, err := dibao(t, "list", "create", "weekly", "--config", path); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"mail", "test", "a@reader.example"}, {"issue", "test", "a@reader.example"}} {
		out, err := dibao(t, append(args, "--config", path)...)
		if err == nil || !strings.Contains(out, "MAIL FROM:<b+") || !strings.Contains(out, "EHLO mail.example.org") || !strings.Contains(out, "501 mail from") {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	out, _ := dibao(t, "doctor", "--config", path) // other checks also fail
	if !strings.Contains(out, "501") {
		t.Errorf("doctor says nothing of the sender:\n%s", out)
	}
	out, _ = dibao(t, "mail", "doctor", "--config", path, "--resolver", dnstest.Serve(t))
	if !strings.Contains(out, "501") || !strings.Contains(out, "inbound in [mail] is not set") {
		t.Errorf("mail doctor:\n%s", out)
	}
	if got := relay.Received(); len(got) != 0 {
		t.Errorf("mail was sent: %v", got)
	}
}

func TestTestsPassWhereMailingsDo(t *testing.T) {
	path, relay := honestRelay(t, "@nowhere.example")
	if _, err := dibao(t, "list", "create", "weekly", "--config", path); err != nil {
		t.Fatal(err)
	}
	if out, err := dibao(t, "issue", "test", "a@reader.example", "--config", path); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if got := relay.Received(); got["a@reader.example"] != 1 {
		t.Errorf("received %v", got)
	}
	// A name server that does not answer is not the same as a missing record.
	out, _ := dibao(t, "mail", "doctor", "--config", path, "--resolver", "127.0.0.1:1", "--from-ip", "198.51.100.7")
	if !strings.Contains(out, "DNS does not answer, so no record was checked") || strings.Contains(out, "no SPF record") {
		t.Errorf("mail doctor:\n%s", out)
	}
}

// editConfig replaces a text in a configuration.
func editConfig(t *testing.T, path, from, to string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(strings.Replace(string(content), from, to, 1)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
