package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"dibao/cmd/dibao/demo/mailbox"
	"dibao/cmd/dibao/doctor"
	"dibao/cmd/dibao/mailer"
	"dibao/internal/mail/dnstest"
)

// dibao runs the program in this process, with its output.
func dibao(t *testing.T, args ...string) (stdout string, err error) {
	t.Helper()
	root := newRoot()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&bytes.Buffer{})
	root.SetArgs(args)
	err = root.ExecuteContext(t.Context())
	return out.String(), err
}

// mailConfig writes a configuration for a mail server on loopback.
func mailConfig(t *testing.T, more string) (path string, box *mailbox.Mailbox) {
	t.Helper()
	dir := t.TempDir()
	box = mailbox.New(mailbox.Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- box.Run(ctx, l) }()
	t.Cleanup(func() { stop(); <-ended })
	path = filepath.Join(dir, "config.toml")
	content := "[server]\nbase_url = \"http://" + freeAddress(t) + "\"\n[database]\nurl = \"sqlite:" + filepath.Join(dir, "x.db") + "\"\n[mail]\nhost = \"" + l.Addr().String() +
		"\"\ntls = \"none\"\nfrom = \"邸报 <dibao@example.org>\"\nbounce_domain = \"bounces.example.org\"\n" + more
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, box
}

func TestMailDoctor(t *testing.T) {
	key := filepath.Join(t.TempDir(), "dkim.pem")
	made, err := dibao(t, "mail", "keygen", key, "--domain", "example.org", "--selector", "s1", "--json", "--config", emptyConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	var keygen struct{ Name, Record string }
	if err := json.Unmarshal([]byte(made), &keygen); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("key file: %v, %v", info, err)
	}
	if _, err := dibao(t, "mail", "keygen", key, "--domain", "example.org", "--config", emptyConfig(t)); err == nil {
		t.Fatal("a key was overwritten")
	}
	path, _ := mailConfig(t, "[dkim]\ndomain = \"example.org\"\nselector = \"s1\"\nkey_file = \""+key+"\"\n")
	good := dnstest.Serve(t,
		"bounces.example.org. IN MX 10 mx.example.org.",
		`bounces.example.org. IN TXT "v=spf1 ip4:198.51.100.7 -all"`,
		mailer.ZoneLine(keygen.Name, keygen.Record),
		`_dmarc.example.org. IN TXT "v=DMARC1; p=quarantine"`,
		"7.100.51.198.in-addr.arpa. IN PTR mx.example.org.",
		"mx.example.org. IN A 198.51.100.7",
	)
	if _, err := dibao(t, "migrate", "--config", path); err != nil {
		t.Fatal(err)
	}
	status := func(resolver string, from ...string) map[string]string {
		t.Helper()
		out, err := dibao(t, append([]string{"mail", "doctor", "--config", path, "--resolver", resolver, "--json"}, from...)...)
		var partial *partialError
		if err != nil && !errors.As(err, &partial) {
			t.Fatal(err)
		}
		found := make(map[string]string)
		for line := range strings.Lines(out) {
			var f doctor.MailFinding
			if err := json.Unmarshal([]byte(line), &f); err != nil {
				t.Fatal(err)
			}
			if f.Record != nil {
				if strings.Contains(*f.Record, "127.0.0.1") {
					t.Errorf("the address of a relay on this machine in %s", *f.Record)
				}
				if _, err := dns.NewRR(*f.Record); err != nil {
					t.Errorf("the record for %s is none: %v: %s", f.Check, err, *f.Record)
				}
			}
			found[f.Check] = f.Status
		}
		return found
	}
	want := map[string]string{"mx": "ok", "spf": "ok", "dkim": "ok", "dmarc": "ok", "alignment": "ok", "ptr": "ok", "relay": "ok", "unsubscribe": "failed"}
	const from = "--from-ip=198.51.100.7"
	got := status(good, from)
	for check, w := range want {
		if got[check] != w {
			t.Errorf("%s is %s where all is published, want %s", check, got[check], w)
		}
	}
	got = status(dnstest.Serve(t, `bounces.example.org. IN TXT "v=spf1 ip4:198.51.100.8 -all"`, `s1._domainkey.example.org. IN TXT "v=DKIM1; k=rsa; p=AAAA"`), from)
	for check, w := range map[string]string{"mx": "failed", "spf": "failed", "dkim": "failed", "dmarc": "failed", "ptr": "failed", "alignment": "ok"} {
		if got[check] != w {
			t.Errorf("%s is %s where it is wrong, want %s", check, got[check], w)
		}
	}
	// The relay is on this machine: receivers see an address that is not configured.
	if got = status(dnstest.Serve(t)); got["spf"] != "failed" || got["ptr"] != "" {
		t.Errorf("without the address that receivers see: %v", got)
	}
}

func emptyConfig(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMailTestShowsTheDialogue(t *testing.T) {
	path, box := mailConfig(t, "username = \"u\"\npassword = \"secret-word\"\n")
	if _, err := dibao(t, "list", "create", "weekly", "--config", path); err != nil {
		t.Fatal(err)
	}
	if _, err := dibao(t, "mail", "test", "r@example.net", "--config", path); err == nil || !strings.Contains(err.Error(), "PLAIN") {
		t.Fatalf("a server without AUTH took a password: %v", err)
	}
	path2, box2 := mailConfig(t, "")
	if _, err := dibao(t, "list", "create", "weekly", "--config", path2); err != nil {
		t.Fatal(err)
	}
	out, err := dibao(t, "mail", "test", "r@example.net", "--config", path2)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"S: 220", "C: EHLO", "C: MAIL FROM:<b+", "C: RCPT TO:<r@example.net>", "C: DATA", "S: 354", "C: .", "S: 250"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in the dialogue:\n%s", want, out)
		}
	}
	if box2.Count() != 1 || box.Count() != 0 {
		t.Errorf("%d messages came, want one", box2.Count())
	}
	if m := box2.Messages(); len(m) == 1 && m[0].Unsubscribe == "" {
		t.Error("the mail has no List-Unsubscribe")
	}
}
