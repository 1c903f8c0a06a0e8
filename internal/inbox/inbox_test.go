package inbox_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"

	"dibao/internal/inbox"
)

// taken are the messages that an inbox received.
type taken struct {
	mu   sync.Mutex
	all  []string
	fail bool
}

func (k *taken) receive(_ context.Context, to []string, raw []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail {
		return errors.New("the database is away")
	}
	k.all = append(k.all, strings.Join(to, ",")+" "+strings.TrimSpace(string(raw)))
	return nil
}

// of returns the number of messages for addresses with this prefix.
func (k *taken) of(prefix string) (n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, m := range k.all {
		if strings.HasPrefix(m, prefix) {
			n++
		}
	}
	return n
}

func (k *taken) count() int { return k.of("") }

func newInbox(k *taken) *inbox.Inbox {
	return &inbox.Inbox{
		Accept: func(_ context.Context, to string) bool { return strings.HasPrefix(to, "b+") }, Receive: k.receive,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

func TestInboxTakesMailByItsProtocols(t *testing.T) {
	t.Parallel()
	for name, lmtp := range map[string]bool{"SMTP": false, "LMTP": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var k taken
			box := newInbox(&k)
			box.LMTP = lmtp
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- box.Serve(ctx, l) }()
			conn, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			client := smtp.NewClient(conn)
			if lmtp {
				client = smtp.NewClientLMTP(conn)
			}
			send := func(to, text string) error {
				if err := client.Mail("", nil); err != nil {
					return err
				}
				if err := client.Rcpt(to, nil); err != nil {
					return errors.Join(err, client.Reset())
				}
				w, err := client.Data()
				if err != nil {
					return err
				}
				if _, err := io.WriteString(w, text); err != nil {
					return err
				}
				return w.Close()
			}
			if err := send("b+x@bounces.test", "Subject: one\r\n\r\n.dot\r\n"); err != nil {
				t.Fatal(err)
			}
			var refused *smtp.SMTPError
			if err := send("nobody@bounces.test", "Subject: two\r\n\r\n"); !errors.As(err, &refused) || refused.Code != 550 {
				t.Errorf("another address: got %v, want 550", err)
			}
			k.mu.Lock()
			k.fail = true
			k.mu.Unlock()
			if err := send("b+y@bounces.test", "Subject: three\r\n\r\n"); err == nil || !strings.Contains(err.Error(), "try again") {
				t.Errorf("while the database is away: got %v, want a temporary refusal", err)
			}
			client.Close()
			stop()
			if err := <-ended; err != nil {
				t.Errorf("serve: %v", err)
			}
			if len(k.all) != 1 || k.all[0] != "b+x@bounces.test Subject: one\r\n\r\n.dot" {
				t.Errorf("taken: %q", k.all)
			}
		})
	}
}

func TestInboxTakesNewMailOfAMaildir(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, sub := range []string{"new", "cur", "tmp"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "new", "1.host"), []byte("Subject: one\n\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	k := taken{fail: true}
	box := newInbox(&k)
	if n, err := box.ProcessMaildir(t.Context(), dir); err == nil || n != 0 {
		t.Errorf("while the database is away: %d, %v", n, err)
	}
	k.fail = false
	if n, err := box.ProcessMaildir(t.Context(), dir); err != nil || n != 1 || len(k.all) != 1 {
		t.Errorf("taken: %d, %v, %q", n, err, k.all)
	}
	if _, err := os.Stat(filepath.Join(dir, "cur", "1.host:2,S")); err != nil {
		t.Errorf("it was not marked as seen: %v", err)
	}
	if n, err := box.ProcessMaildir(t.Context(), dir); err != nil || n != 0 {
		t.Errorf("the second time: %d, %v", n, err)
	}
	if _, err := box.ProcessMaildir(t.Context(), filepath.Join(dir, "nothing")); err == nil {
		t.Error("a folder that does not exist was read")
	}
}
