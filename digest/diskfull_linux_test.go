package digest_test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"dibao/digest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/mail"
	"dibao/internal/trust"
	"dibao/subscribers"
)

// smallDisk runs the calling test again in a process with a disk of its own, of
// a few megabytes; there it returns the disk's folder. Outside it returns "" when
// the test is done.
func smallDisk(t *testing.T) (dir string) {
	t.Helper()
	const inside = "DIBAO_TEST_SMALL_DISK"
	if dir := os.Getenv(inside); dir != "" {
		for _, err := range []error{
			syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""), // nobody else sees the disk
			syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=48m"),
		} {
			if err != nil {
				t.Fatalf("mount: %v", err)
			}
		}
		return dir
	}
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if os.Getuid() != 0 { // an ordinary user may mount in a user namespace, where there are any
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), inside+"="+t.TempDir())
	cmd.SysProcAttr = attr
	out, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) || strings.Contains(string(out), "mount: operation not permitted") {
		t.Skipf("no disk of our own can be mounted here: %v", err)
	}
	t.Logf("in a process with a small disk:\n%s", out)
	if err != nil {
		t.Fatal(err)
	}
	return ""
}

// fill takes all space that is left on the disk; free gives it back.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	f := must[*os.File](t)(os.Create(filepath.Join(dir, "ballast")))
	for block := 1 << 20; block > 0; block /= 2 {
		for {
			if _, err := io.CopyN(f, zeros{}, int64(block)); err != nil {
				break
			}
		}
	}
	f.Close()
	return func() { os.Remove(f.Name()) }
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// The disk is full, while composing and in the middle of a delivery, and has
// space again: the error says so, nobody is lost, and twice get it at most those
// that were in flight; none if space comes back in time.
func TestFullDiskLosesNobody(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t)
	if dir == "" {
		return
	}
	const connections = 4
	readers, times := long(2400, 12_000), long(2, 10)
	empty := must[[]byte](t)(os.ReadFile(strings.TrimPrefix(databasetest.SQLite(t), "sqlite:")))
	path := filepath.Join(dir, "dibao.db")
	if err := os.WriteFile(path, empty, 0o600); err != nil {
		t.Fatal(err)
	}
	db := must[*database.DB](t)(database.Open(t.Context(), "sqlite:"+path, database.Options{}))
	defer db.Close()
	w := newWorld(t, db)
	w.readersAt("a.example", readers, w.list("weekly", subscribers.Query{}))
	w.article("甲通知")
	w.week()
	// fillUp fills the disk when SQLite's log has been brought into its file, so that
	// the next commit needs space.
	fillUp := func() (free func()) {
		if err := db.Flush(context.Background()); err != nil {
			t.Error(err)
		}
		return fill(t, dir)
	}
	free := fillUp()
	if made, err := w.service.ComposeDue(t.Context()); err == nil || !strings.Contains(err.Error(), "disk is full") {
		t.Errorf("composed %v, %v; want an error that says that the disk is full", made, err)
	}
	free()
	made := 0
	for range 2 {
		for _, c := range w.composeDue() {
			made += len(c.Issues)
		}
	}
	if made != 1 {
		t.Fatalf("%d issues when the disk had space again, want 1", made)
	}
	d := must[*digest.Deliverer](t)(w.service.NewDeliverer(digest.DeliverOptions{
		Server: mail.Options{Addr: w.addr, TLS: mail.TLSNone}, Connections: connections, MessageKey: []byte("key"),
	}))
	stopped, late := 0, 0
	for n := range times {
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		freed := make(chan func(), 1)
		var gate sync.Mutex
		came := 0
		w.rejecting(func(string) *smtp.SMTPError { // all wait while the disk is being filled
			gate.Lock()
			defer gate.Unlock()
			if came++; came == 100 {
				free := fillUp()
				if n%2 == 0 { // space comes back while the delivery ends
					time.AfterFunc(2*time.Second, free)
					free = func() {}
				}
				freed <- free
			}
			return nil
		})
		_, err := d.Deliver(ctx)
		if err != nil {
			stopped++
			late += n % 2
			if !strings.Contains(err.Error(), "disk is full") {
				t.Errorf("the delivery stopped with %v; want that the disk is full", err)
			}
		}
		(<-freed)()
		stop()
	}
	w.rejecting(nil)
	for range 12 {
		w.advance(time.Hour)
		must[digest.Delivered](t)(d.Deliver(t.Context()))
	}
	lost, twice := tally(t, readers, w.byReader())
	trust.Report(t, "disk full", "%d times: %d lost, %d twice", times, lost, twice)
	if lost > 0 || twice > late*connections || stopped == 0 {
		t.Errorf("want none lost, at most %d twice, and a delivery broken off", late*connections)
	}
}
