package digest_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	netmail "net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dibao/cmd/dibao/demo/mailbox"
	"dibao/digest/delivery"
	"dibao/internal/mail"
	"dibao/internal/trust"
	"dibao/subscribers"
)

// asReceiver, if set in the environment to ADDRESS=FOLDER, makes the test binary a mail
// server that stores in the folder what it receives, for tests that kill it.
const asReceiver = "DIBAO_TEST_AS_RECEIVER"

func TestMain(m *testing.M) {
	if addr, dir, ok := strings.Cut(os.Getenv(asReceiver), "="); ok {
		if err := receive(addr, dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	status := m.Run()
	for _, end := range atExit {
		end()
	}
	os.Exit(status)
}

// atExit is shared by tests until all have ended.
var atExit []func()

// receive is the mail server of receiver: it prints its address, and a line for each
// message.
func receive(addr, dir string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	box := mailbox.New(mailbox.Options{Dir: dir})
	go func() {
		for n := 1; box.Wait(context.Background(), n) == nil; n++ {
			fmt.Println(n)
		}
	}()
	return box.Run(context.Background(), l)
}

// receiver is a mail server in a separate process, which can be killed and restarted at the
// same address.
type receiver struct {
	t     *testing.T
	addr  string
	dir   string
	life  int // number of starts
	ended chan struct{}
	cmd   *exec.Cmd
	came  atomic.Int64 // messages since the last start
	news  chan struct{}
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{t: t, addr: "127.0.0.1:0", dir: t.TempDir(), news: make(chan struct{}, 1)}
	r.start()
	t.Cleanup(r.kill)
	return r
}

// start starts the server. Each start uses a new subfolder.
func (r *receiver) start() {
	r.t.Helper()
	r.life++
	dir := filepath.Join(r.dir, fmt.Sprint(r.life))
	if err := os.Mkdir(dir, 0o700); err != nil {
		r.t.Fatal(err)
	}
	r.cmd = exec.Command(os.Args[0])
	r.cmd.Env = append(os.Environ(), asReceiver+"="+r.addr+"="+dir)
	r.cmd.Stderr = os.Stderr
	out, err := r.cmd.StdoutPipe()
	if err == nil {
		err = r.cmd.Start()
	}
	if err != nil {
		r.t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		r.t.Fatalf("the receiver does not start: %v", r.cmd.Wait())
	}
	r.addr = lines.Text()
	r.came.Store(0)
	r.ended = make(chan struct{})
	go func() {
		defer close(r.ended)
		for lines.Scan() {
			r.came.Add(1)
			select {
			case r.news <- struct{}{}:
			default:
			}
		}
	}()
}

// kill ends the server as a power failure would.
func (r *receiver) kill() {
	if r.cmd.Process.Kill() == nil {
		<-r.ended
		r.cmd.Wait() // the status of a killed program does not matter
	}
}

// killAfter kills the server when it has received n more messages, or when ctx ends.
func (r *receiver) killAfter(ctx context.Context, n int64) {
	for r.came.Load() < n {
		select {
		case <-r.news:
		case <-ctx.Done():
			return
		}
	}
	r.kill()
}

// messages returns everything that the server has stored, the Message-IDs by reader. A file
// that the kill truncated was never acknowledged and does not count.
func (r *receiver) messages() map[string][]string {
	r.t.Helper()
	got := make(map[string][]string)
	for _, file := range must[[]string](r.t)(filepath.Glob(filepath.Join(r.dir, "*", "*.eml"))) {
		raw := must[[]byte](r.t)(os.ReadFile(file))
		m, err := netmail.ReadMessage(bytes.NewReader(raw))
		if err != nil || !bytes.HasSuffix(raw, []byte("--\r\n")) {
			continue
		}
		to := strings.Trim(m.Header.Get("To"), "<>")
		got[to] = append(got[to], m.Header.Get("Message-Id"))
	}
	return got
}

// tally counts the readers who got nothing and the extra copies. More than two copies, and
// a copy with another Message-ID, are errors in any case.
func tally(t *testing.T, readers int, got map[string][]string) (lost, twice int) {
	t.Helper()
	for to, ids := range got {
		if len(ids) > 2 {
			t.Errorf("%s got %d copies", to, len(ids))
		}
		for _, id := range ids[1:] {
			if id != ids[0] {
				t.Errorf("the second copy to %s has another Message-ID", to)
			}
		}
		twice += len(ids) - 1
	}
	return readers - len(got), twice
}

// byReader returns the Message-IDs that the test's mailbox received, by reader.
func (w *world) byReader() map[string][]string {
	got := make(map[string][]string)
	for _, m := range w.box.Messages() {
		got[m.To] = append(got[m.To], m.MessageID)
	}
	return got
}

// long returns n, or with DIBAO_LONG=1 the number of the full run.
func long(n, full int) int {
	if os.Getenv("DIBAO_LONG") != "" {
		return full
	}
	return n
}

// The receiving server is killed repeatedly in the middle of a delivery, and restarted: in
// the end every reader has the email, nobody more than twice, and twice only if there was
// no reply.
func TestKilledReceiverLosesNobody(t *testing.T) {
	t.Parallel()
	const connections = 4
	readers, kills := long(400, 5000), long(6, 200)
	w := newWorld(t, sqlite(t))
	w.readersAt("a.example", readers, w.list("weekly", subscribers.Query{}))
	w.composeOne()
	r := newReceiver(t)
	d := must[*delivery.Deliverer](t)(w.service.NewDeliverer(delivery.Options{
		Server: mail.Options{Addr: r.addr, TLS: mail.TLSNone}, Connections: connections, RetryIn: time.Second, MessageKey: []byte("key"),
	}))
	uncertain := 0
	// Uncertain emails get their second and last attempt after eleven minutes at the
	// earliest; the kills are over by then.
	for range kills {
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		killed := make(chan struct{})
		go func() {
			defer close(killed)
			r.killAfter(ctx, 1+rand.Int64N(2*int64(readers)/int64(3*kills)))
		}()
		done, _ := d.Deliver(ctx) // it is expected that the server can't be reached
		uncertain += done.Uncertain
		stop()
		<-killed
		r.kill() // if everything was sent before
		r.start()
		w.advance(2 * time.Second)
	}
	for range 12 {
		w.advance(time.Hour)
		done := must[delivery.Delivered](t)(d.Deliver(t.Context()))
		uncertain += done.Uncertain
	}
	lost, twice := tally(t, readers, r.messages())
	trust.Report(t, "receiving server killed", "%d kills: %d lost, %d twice of %d without a reply", kills, lost, twice, uncertain)
	if lost > 0 || twice > uncertain || uncertain > kills*connections {
		t.Errorf("%d lost, %d twice of %d without a reply; want none lost, and at most %d without a reply", lost, twice, uncertain, kills*connections)
	}
}
