package digest_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	netmail "net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dibao/digest/delivery"
	"dibao/internal/mail"
	"dibao/subscribers"
)

// installed skips the test if a program of a Debian package is missing, and fails if
// CI=true.
func installed(t *testing.T, program, pkg string) {
	t.Helper()
	if _, err := os.Stat(program); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing; make needs", pkg)
		}
		t.Skipf("%s is missing; make needs", pkg)
	}
}

// onlyRoot skips the test for others: the program changes its user.
func onlyRoot(t *testing.T, program string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skipf("only root can start %s", program)
	}
}

// folderForAll creates a temporary folder that programs of other users can access.
func folderForAll(t *testing.T, name string) (dir string) {
	t.Helper()
	dir = must[string](t)(os.MkdirTemp("", "dibao-"+name+"-"))
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// write writes a file to a folder, and replaces DIR by the folder's path, and other words.
func write(t *testing.T, dir, name, content string, replace ...string) (path string) {
	t.Helper()
	path = filepath.Join(dir, name)
	content = strings.NewReplacer(append(replace, "DIR", dir)...).Replace(content)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// port returns the port of HOST:PORT.
func port(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }

// daemon runs a server in the foreground until the test ends, and returns when it
// listens at addr.
func daemon(t *testing.T, addr string, program string, args ...string) {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
		}
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // its children too
	})
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return
		}
		select {
		case <-tick.C:
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended: %v\n%s", program, err, out.String())
		case <-deadline:
			t.Fatalf("%s does not listen at %s\n%s", program, addr, out.String())
		}
	}
}

// dkimKeys returns a signer with an RSA and an Ed25519 key of a domain, and the records to
// publish, by name.
func dkimKeys(t *testing.T, domain string) (*mail.Signer, map[string]string) {
	t.Helper()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var both *mail.Signer
	for selector, key := range map[string]any{"rsa": must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048)), "ed": ed} {
		der := must[[]byte](t)(x509.MarshalPKCS8PrivateKey(key))
		s := must[*mail.Signer](t)(mail.NewSigner(domain, selector, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
		if both == nil {
			both = s
		} else {
			both = both.And(s)
		}
	}
	records := make(map[string]string)
	for _, k := range both.Keys() {
		name, text, err := k.Record()
		if err != nil {
			t.Fatal(err)
		}
		records[name] = text
	}
	return both, records
}

// weekly composes the digest of a week with 20 articles, due at the full hour, for some
// readers.
func (w *world) weekly(readers ...string) {
	w.t.Helper()
	l := must[subscribers.List](w.t)(w.readers.CreateList(w.t.Context(), subscribers.List{Slug: "weekly", Title: "民政周报", Cron: "0 * * * *"}))
	for _, r := range readers {
		w.reader(r, l)
	}
	for i := range 20 {
		w.article(fmt.Sprintf("样例省人民政府关于进一步做好第%d项样例工作的通知", i+1))
	}
	w.advance(time.Hour)
	if made := w.composeDue(); len(made) != 1 || made[0].Deliveries != len(readers) {
		w.t.Fatalf("composed %+v", made)
	}
}

// signedDigest returns a weekly digest as a server receives it, signed with both kinds of
// keys, and the records of the keys.
func signedDigest(t *testing.T) (raw []byte, records map[string]string) {
	t.Helper()
	w := newWorldAt(t, sqlite(t), "https://dibao.test.example")
	w.set(time.Now().Add(-time.Hour)) // filters use their own clock
	w.weekly("a")
	signer, records := dkimKeys(t, "test.example")
	d := must[*delivery.Deliverer](t)(w.service.NewDeliverer(delivery.Options{
		Server: mail.Options{Addr: w.addr, TLS: mail.TLSNone}, DKIM: signer, MessageKey: []byte("key"),
	}))
	if done := must[delivery.Delivered](t)(d.Deliver(t.Context())); done.Sent != 1 {
		t.Fatalf("%+v", done)
	}
	raw = w.box.Messages()[0].Raw
	if m, err := netmail.ReadMessage(bytes.NewReader(raw)); err != nil || len(m.Header["Dkim-Signature"]) != 2 {
		t.Fatalf("the message has not two signatures: %v", err)
	}
	return raw, records
}
