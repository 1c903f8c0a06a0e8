package digest_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"dibao/digest/delivery"
	"dibao/internal/mail"
)

const dovecotConfig = `
base_dir = DIR/run
state_dir = DIR/state
log_path = DIR/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:DIR/mail/%u
first_valid_uid = 1
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=DIR/mail/%u allow_all_users=yes
}
service imap-login {
  chroot =
  inet_listener imap {
    port = IMAP
  }
  inet_listener imaps {
    port = 0
  }
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = LMTP
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
`

// dovecot starts a Dovecot that accepts mail by LMTP for any user and provides it by IMAP,
// with the password "secret".
func dovecot(t *testing.T) (lmtp, imap string) {
	t.Helper()
	const program = "/usr/sbin/dovecot"
	installed(t, "/usr/lib/dovecot/imap", "dovecot-imapd")
	installed(t, "/usr/lib/dovecot/lmtp", "dovecot-lmtpd")
	onlyRoot(t, "a Dovecot")
	dir := folderForAll(t, "dovecot")
	lmtp, imap = closedPort(t), closedPort(t)
	config := write(t, dir, "dovecot.conf", dovecotConfig, "IMAP", port(imap), "LMTP", port(lmtp))
	if out, err := exec.Command("install", "-d", "-o", "65534", "-g", "65534", dir+"/mail").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	daemon(t, imap, program, "-F", "-c", config)
	return lmtp, imap
}

// readMailbox reads a reader's INBOX by IMAP and prints what Python's parser finds in it.
const readMailbox = `
import sys, json, imaplib, email, email.policy
m = imaplib.IMAP4("127.0.0.1", int(sys.argv[1]))
m.login(sys.argv[2], "secret")
m.select("INBOX", readonly=True)
out = []
for n in m.search(None, "ALL")[1][0].split():
    msg = email.message_from_bytes(m.fetch(n, "(BODY.PEEK[])")[1][0][1], policy=email.policy.default)
    part = lambda kind: msg.get_body(preferencelist=(kind,)).get_content()
    out.append({"Defects": len(msg.defects), "Header": {k: str(v) for k, v in msg.items()}, "Text": part("plain"), "HTML": part("html")})
print(json.dumps(out))
`

// mailboxMessage is a message as read by IMAP.
type mailboxMessage struct {
	Defects    int
	Header     map[string]string
	Text, HTML string
}

func readIMAP(t *testing.T, imap, user string) (all []mailboxMessage) {
	t.Helper()
	out, err := exec.Command("/usr/bin/python3", "-c", readMailbox, port(imap), user).CombinedOutput()
	if err != nil {
		t.Fatalf("imap: %v: %s", err, out)
	}
	if err := json.Unmarshal(out, &all); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return all
}

// waitFor repeats ok until it is true, for other programs that can't report when they are
// done.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal(what)
		}
	}
}

// A weekly digest is sent by Postfix and LMTP to a Dovecot, and is read back by IMAP as it
// was composed: the texts, and the header.
func TestPostfixAndDovecot(t *testing.T) {
	t.Parallel()
	installed(t, "/usr/bin/python3", "python3")
	var users []string
	for i := range 10 {
		users = append(users, fmt.Sprint("r", i))
	}
	lmtp, imap := dovecot(t)
	addr, _ := postfix(t, users, nil, "virtual_transport = lmtp:inet:"+lmtp+"\n")
	w := newWorld(t, sqlite(t))
	w.weekly(users...)
	want := make(map[string][]byte) // by reader: what was composed
	report := must[[]delivery.MailingReport](t)(w.service.Report(t.Context(), 1))
	err := w.service.EachMessage(t.Context(), report[0].Mailing, []byte("key"), func(to string, message [][]byte) error {
		for _, piece := range message {
			want[to] = append(want[to], piece...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	signer, _ := dkimKeys(t, "test.example")
	d := must[*delivery.Deliverer](t)(w.service.NewDeliverer(delivery.Options{
		Server: mail.Options{Addr: addr, TLS: mail.TLSNone}, Connections: 3, DKIM: signer, MessageKey: []byte("key"),
	}))
	if done := must[delivery.Delivered](t)(d.Deliver(t.Context())); done.Sent != len(users) {
		t.Fatalf("%+v", done)
	}
	for _, u := range users {
		var got []mailboxMessage
		waitFor(t, u+" has no mail", func() bool { got = readIMAP(t, imap, u+"@test.example"); return len(got) > 0 })
		subject, text, html := parseStandard(t, want[u+"@test.example"])
		m := got[0]
		if len(got) != 1 || m.Defects > 0 {
			t.Errorf("%s: %d messages, %d defects", u, len(got), m.Defects)
		}
		if lines(m.Text) != lines(text) || lines(m.HTML) != lines(html) {
			t.Errorf("%s reads another text than was composed:\n%.500q\n%.500q", u, m.Text, text)
		}
		for name, value := range map[string]string{
			"Subject": subject, "To": u + "@test.example", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
			"Return-Path": "<dibao@test.example>", "Delivered-To": u + "@test.example", "Auto-Submitted": "auto-generated", "Precedence": "bulk",
		} {
			if strings.Trim(m.Header[name], "<>") != strings.Trim(value, "<>") {
				t.Errorf("%s: %s is %q, want %q", u, name, m.Header[name], value)
			}
		}
		if unsubscribe := m.Header["List-Unsubscribe"]; !strings.HasPrefix(unsubscribe, "<http://127.0.0.1:8080/u/") {
			t.Errorf("%s: List-Unsubscribe is %q", u, unsubscribe)
		}
		if id := m.Header["List-Id"]; !strings.HasSuffix(id, "<weekly.lists.test.example>") {
			t.Errorf("%s: List-Id is %q", u, id)
		}
	}
}

// lines returns the lines of a text, whatever their line ends.
func lines(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }

// Postgrey, queried by Postfix, asks us to try again later: we do so after the time that
// greylisting requires, not before, and then the email is accepted.
func TestPostgrey(t *testing.T) {
	t.Parallel()
	const program = "/usr/sbin/postgrey"
	installed(t, program, "postgrey")
	onlyRoot(t, "a Postfix")
	addr, dir := closedPort(t), folderForAll(t, "postgrey")
	none := write(t, dir, "none", "") // no exceptions, not even the host itself
	db := dir + "/db"
	if out, err := exec.Command("install", "-d", "-o", "postgrey", "-g", "postgrey", db).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	daemon(t, addr, program, "--inet="+addr, "--delay=1", "--dbdir="+db, "--user=postgrey", "--group=postgrey",
		"--whitelist-clients="+none, "--whitelist-recipients="+none)
	users := []string{"r0", "r1", "r2"}
	server, maildirs := postfix(t, users, nil,
		"smtpd_recipient_restrictions = reject_unlisted_recipient, check_policy_service inet:"+addr+", permit_mynetworks, reject\n")
	w := newWorld(t, sqlite(t))
	w.weekly(users...)
	w.addr = server
	if done := w.deliver(); done.Deferred != len(users) {
		t.Fatalf("%+v at first, want all deferred", done)
	}
	first := time.Now()
	for _, u := range users {
		if got := w.deliveryTo(u + "@test.example"); got.next < 5*time.Minute || got.next > 15*time.Minute || !strings.Contains(strings.ToLower(got.reply), "greylist") {
			t.Errorf("%s: %+v, want that it is tried in 5 to 15 minutes", u, got)
		}
	}
	if done := w.deliver(); done != (delivery.Delivered{}) {
		t.Errorf("%+v, want that it waits", done)
	}
	waitFor(t, "", func() bool { return time.Since(first) > 1500*time.Millisecond }) // Postgrey has its own clock
	w.advance(15 * time.Minute)
	if done := w.deliver(); done.Sent != len(users) {
		t.Errorf("%+v at the second try, want all sent", done)
	}
	waitFor(t, "the mail did not arrive", func() bool { return countMaildirs(t, maildirs) == len(users) })
}
