package digest_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dibao/digest/delivery"
	"dibao/internal/mail"
	"dibao/subscribers"
)

const (
	postfixMain = `compatibility_level = 3.6
queue_directory = DIR/queue
data_directory = DIR/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = DIR/log/mail.log
maillog_file_prefixes = DIR
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.test.example
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
virtual_mailbox_domains = test.example
virtual_mailbox_base = DIR/mail
virtual_mailbox_maps = texthash:DIR/users
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
smtpd_peername_lookup = no
smtpd_recipient_restrictions = check_recipient_access texthash:DIR/grey, reject_unlisted_recipient, permit_mynetworks, reject
smtpd_client_connection_rate_limit = 0
`
	postfixMaster = `127.0.0.1:PORT inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
scache unix - - n - 1 scache
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`
)

// postfix starts a Postfix in a temporary folder; it delivers to Maildirs, unless the
// additional configuration says otherwise. Starting it requires root.
func postfix(t *testing.T, users []string, grey map[string]string, more string) (addr, maildirs string) {
	t.Helper()
	installed(t, "/usr/sbin/postfix", "postfix")
	onlyRoot(t, "a Postfix")
	dir := folderForAll(t, "postfix")
	addr = closedPort(t)
	var userTable, greyTable strings.Builder
	for _, u := range users {
		fmt.Fprintf(&userTable, "%s@test.example %s/\n", u, u)
	}
	for u, answer := range grey {
		fmt.Fprintf(&greyTable, "%s@test.example %s\n", u, answer)
	}
	write(t, dir, "main.cf", postfixMain+more)
	write(t, dir, "master.cf", postfixMaster, "PORT", port(addr))
	write(t, dir, "users", userTable.String())
	write(t, dir, "grey", greyTable.String())
	maildirs = filepath.Join(dir, "mail")
	for _, sub := range []string{"queue", "data", "log", "mail"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range [][]string{
		{"chown", "65534:65534", maildirs}, {"chown", "postfix", filepath.Join(dir, "data")},
		{"/usr/sbin/postfix", "-c", dir, "start"},
	} {
		if out, err := exec.Command(step[0], step[1:]...).CombinedOutput(); err != nil {
			log, _ := os.ReadFile(filepath.Join(dir, "log", "mail.log"))
			t.Fatalf("%v: %v\n%s%s", step, err, out, log)
		}
	}
	t.Cleanup(func() {
		if out, err := exec.Command("/usr/sbin/postfix", "-c", dir, "stop").CombinedOutput(); err != nil {
			t.Logf("stop postfix: %v\n%s", err, out)
		}
		if log, _ := os.ReadFile(filepath.Join(dir, "log", "mail.log")); t.Failed() {
			t.Logf("%s", log)
		}
	})
	return addr, maildirs
}

// A real Postfix accepts what we send, reports unknown users, and asks us to try again
// later; each reply is understood.
func TestPostfix(t *testing.T) {
	t.Parallel()
	var users []string
	for i := range 40 {
		users = append(users, fmt.Sprint("r", i))
	}
	addr, maildirs := postfix(t, append(users, "grey"), map[string]string{"grey": "450 4.7.1 greylisted, come back later", "spam": "554 5.7.1 blocked by our policy"}, "")
	w := newWorld(t, sqlite(t))
	l := w.list("weekly", subscribers.Query{})
	for _, u := range append(users, "gone", "grey", "spam") {
		w.reader(u, l)
	}
	w.composeOne()
	d := must[*delivery.Deliverer](t)(w.service.NewDeliverer(delivery.Options{
		Server: mail.Options{Addr: addr, TLS: mail.TLSNone}, Connections: 3, MessageKey: []byte("key"),
	}))
	done := must[delivery.Delivered](t)(d.Deliver(t.Context()))
	if done.Sent != 40 || done.Deferred != 1 || done.Failed != 2 {
		t.Fatalf("%+v; want 40 sent, the greylisted deferred, the unknown and the blocked failed", done)
	}
	for u, want := range map[string]bool{"gone": true, "grey": false, "spam": false, "r0": false} {
		s := must[subscribers.Subscriber](t)(w.readers.SubscriberByAddress(t.Context(), u+"@test.example"))
		if (s.Suppressed != "") != want {
			t.Errorf("%s suppressed: %q, want %v", u, s.Suppressed, want)
		}
	}
	waitFor(t, "not all messages arrived", func() bool { return countMaildirs(t, maildirs) == 40 })
	arrived := must[[]string](t)(filepath.Glob(filepath.Join(maildirs, "*", "new", "*")))
	raw := must[[]byte](t)(os.ReadFile(arrived[0]))
	if !strings.Contains(string(raw), "List-Unsubscribe-Post: List-Unsubscribe=One-Click") {
		t.Errorf("the message lost its header:\n%.2000s", raw)
	}
}

func countMaildirs(t *testing.T, maildirs string) int {
	return len(must[[]string](t)(filepath.Glob(filepath.Join(maildirs, "*", "new", "*"))))
}
