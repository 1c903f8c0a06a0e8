package databasetest

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// SmallDisk runs the calling test again in a process with a separate disk of 48 MB, and
// there returns the disk's folder. In the calling process it returns "" when that test is
// done.
func SmallDisk(t *testing.T) (dir string) {
	t.Helper()
	const inside = "DIBAO_TEST_SMALL_DISK"
	if dir := os.Getenv(inside); dir != "" {
		for _, err := range []error{
			syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""), // no other process sees the disk
			syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=48m"),
		} {
			if err != nil {
				t.Fatalf("mount: %v", err)
			}
		}
		return dir
	}
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if os.Getuid() != 0 { // an ordinary user can mount in a user namespace, if there are any
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

// Fill uses up the space on the disk; free releases it.
func Fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
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
