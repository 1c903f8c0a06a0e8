//go:build linux

package digest_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// debs builds the package in two versions with the same program; the later one has a
// different default configuration.
func debs(t *testing.T, into string) (first, later string) {
	t.Helper()
	cache := testCache(t)
	installed(t, cache+"/nfpm", "nfpm")
	stage := t.TempDir()
	if err := copyFile(must[string](t)(program()), stage+"/dibao", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"0.1.0", "0.2.0"} {
		output(t, exec.Command("../deploy/texts.sh", stage+"/dibao", stage, version))
		if version == "0.2.0" {
			config := must[[]byte](t)(os.ReadFile(stage + "/config.toml"))
			if err := os.WriteFile(stage+"/config.toml", append(config, "# a later version\n"...), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command("../deploy/pack.sh", "deb", stage, "amd64", version, into)
		cmd.Env = append(os.Environ(), "NFPM="+cache+"/nfpm")
		output(t, cmd)
	}
	return "dibao_0.1.0_amd64.deb", "dibao_0.2.0_amd64.deb"
}

func testCache(t *testing.T) string {
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return dir + "/dibao-tests"
	}
	return must[string](t)(os.UserHomeDir()) + "/.cache/dibao-tests"
}

// debian is an empty Debian in which programs run.
type debian struct {
	t    *testing.T
	root string
}

func newDebian(t *testing.T) debian {
	t.Helper()
	onlyRoot(t, "a Debian of its own")
	files := testCache(t) + "/debian.tar"
	installed(t, files, "an empty Debian")
	d := debian{t, folderForAll(t, "debian")}
	output(t, exec.Command("tar", "-C", d.root, "--no-overwrite-dir", "-xf", files))
	return d
}

// run runs a program inside the Debian and returns its output.
func (d debian) run(args ...string) string {
	d.t.Helper()
	cmd := exec.Command("chroot", append([]string{d.root}, args...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"}
	return output(d.t, cmd)
}

func (d debian) exists(path string) bool {
	_, err := os.Lstat(d.root + path)
	return err == nil
}

// start does what systemd does with the installed unit: its user, folder, environment
// and command, until the daemon says that it is ready. stop ends it as systemd does.
func (d debian) start() (stop func()) {
	d.t.Helper()
	var environment, command []string
	unit := must[[]byte](d.t)(os.ReadFile(d.root + "/usr/lib/systemd/system/dibao.service"))
	folder := "/"
	for line := range strings.Lines(string(unit)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch key {
		case "ExecStart":
			command = strings.Fields(value)
		case "WorkingDirectory":
			folder = value
		case "Environment":
			environment = append(environment, value)
		case "CacheDirectory":
			output(d.t, exec.Command("chroot", d.root, "install", "-d", "-o", "dibao", "-g", "dibao", "/var/cache/"+value))
		}
	}
	id := func(flag string) uint32 {
		return uint32(must[uint64](d.t)(strconv.ParseUint(strings.TrimSpace(d.run("id", flag, "dibao")), 10, 32)))
	}
	uid, gid := id("-u"), id("-g")
	os.Remove(d.root + "/run/notify")
	notify := must[*net.UnixConn](d.t)(net.ListenUnixgram("unixgram", &net.UnixAddr{Name: d.root + "/run/notify", Net: "unixgram"}))
	defer notify.Close()
	if err := os.Chmod(d.root+"/run/notify", 0o666); err != nil {
		d.t.Fatal(err)
	}
	var log strings.Builder
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = folder, append(environment, "NOTIFY_SOCKET=/run/notify"), &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: d.root, Credential: &syscall.Credential{Uid: uid, Gid: gid}, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { cmd.Process.Kill() })
	notify.SetReadDeadline(time.Now().Add(30 * time.Second))
	said := make([]byte, 100)
	if n, err := notify.Read(said); err != nil || string(said[:n]) != "READY=1" {
		cmd.Process.Kill()
		cmd.Wait()
		d.t.Fatalf("%q, %v, want READY=1\n%s", said[:n], err, log.String())
	}
	return func() {
		d.t.Helper()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			d.t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			d.t.Fatalf("the daemon: %v\n%s", err, log.String())
		}
	}
}

// From an empty Debian with only the package to an issue in a mailbox; then the package is
// upgraded, removed and purged.
func TestFirstIssueFromTheDeb(t *testing.T) {
	t.Parallel()
	installed(t, "/usr/bin/python3", "python3")
	d := newDebian(t)
	first, later := debs(t, d.root)
	lmtp, imap := dovecot(t)
	addr, _ := postfix(t, []string{"reader"}, nil, "virtual_transport = lmtp:inet:"+lmtp+"\n")
	commands := 0
	admin := func(args ...string) string {
		t.Helper()
		commands++
		return d.run(args...)
	}
	dibao := func(args ...string) string {
		t.Helper()
		return admin(append([]string{"runuser", "-u", "dibao", "--", "dibao"}, args...)...)
	}
	admin("dpkg", "-i", "/"+first)
	set := func(key, value string) string { return fmt.Sprintf("s|^# %s = .*|%s = %s|;", key, key, value) }
	admin("sed", "-i", set("addr", strconv.Quote(closedPort(t)))+set("admin_addr", strconv.Quote(closedPort(t)))+
		set("host", `"127.0.0.1"`)+set("port", port(addr))+set("tls", `"none"`)+set("from", `"邸报 <dibao@test.example>"`), "/etc/dibao/config.toml")
	commands++ // systemctl enable --now dibao
	stop := d.start()
	firstIssue(t, dibao)
	arrived(t, imap)
	if commands > mostCommands {
		t.Errorf("%d commands, at most %d", commands, mostCommands)
	}
	for _, path := range []string{"/usr/share/man/man1/dibao.1.gz", "/usr/share/bash-completion/completions/dibao", "/usr/share/doc/dibao/copyright", "/var/lib/dibao/dibao.db"} {
		if !d.exists(path) {
			t.Errorf("%s is missing", path)
		}
	}

	config := must[[]byte](t)(os.ReadFile(d.root + "/etc/dibao/config.toml"))
	d.run("dpkg", "--force-confold", "-i", "/"+later)
	if now := must[[]byte](t)(os.ReadFile(d.root + "/etc/dibao/config.toml")); string(now) != string(config) {
		t.Error("the upgrade changed the configuration")
	}
	if v := d.run("dpkg-query", "-W", "-f", "${Version}", "dibao"); v != "0.2.0" {
		t.Errorf("version %q after the upgrade", v)
	}
	stop() // systemctl try-restart, as the package does where systemd runs
	stop = d.start()
	if out := dibao("issue", "list"); !strings.Contains(out, "weekly") {
		t.Errorf("issues after the upgrade: %s", out)
	}
	stop()

	d.run("dpkg", "--remove", "dibao")
	if d.exists("/usr/bin/dibao") || !d.exists("/etc/dibao/config.toml") || !d.exists("/var/lib/dibao/dibao.db") {
		t.Error("removing must delete the program, and keep the configuration and the database")
	}
	d.run("dpkg", "--purge", "dibao")
	for _, path := range []string{"/etc/dibao", "/var/lib/dibao", "/var/cache/dibao"} {
		if d.exists(path) {
			t.Errorf("%s is left after the purge", path)
		}
	}
	if users := must[[]byte](t)(os.ReadFile(d.root + "/etc/passwd")); strings.Contains(string(users), "dibao") {
		t.Error("the user is left after the purge")
	}
}

// The package follows the policy of Debian; exceptions are explained in
// deploy/package/lintian.
func TestDebIsCleanForLintian(t *testing.T) {
	t.Parallel()
	installed(t, "/usr/bin/lintian", "lintian")
	dir := t.TempDir()
	first, _ := debs(t, dir)
	output(t, exec.Command("lintian", "--allow-root", "--pedantic", "--fail-on", "error,warning,info,pedantic", filepath.Join(dir, first)))
}

// The unit confines the daemon: the best score is 0, the worst 100.
func TestUnitIsConfined(t *testing.T) {
	t.Parallel()
	installed(t, "/usr/bin/systemd-analyze", "systemd")
	output(t, exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", "../deploy/dibao.service"))
}
