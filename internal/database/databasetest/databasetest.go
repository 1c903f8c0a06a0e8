// Package databasetest runs a test over every database that dibao supports, each time on a
// separate, migrated and empty database.
//
// PostgreSQL is started once per test binary from the installed binaries, in a temporary
// folder, on a Unix socket there: no port, no password, no root needed. A small process
// waits for the test binary to end, then stops PostgreSQL and removes the folder, so that
// even a test that is killed leaves nothing behind.
package databasetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"dibao/internal/database"
)

// Each runs f as the subtests "sqlite" and "postgres". If PostgreSQL is not installed, its
// subtest is skipped, or fails if CI=true.
func Each(t *testing.T, f func(t *testing.T, db *database.DB)) {
	t.Helper()
	EachURL(t, func(t *testing.T, url string) { f(t, open(t, url)) })
}

// EachURL is Each for tests that open the database themselves, or in other processes.
func EachURL(t *testing.T, f func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, Postgres(t)) })
}

func open(t *testing.T, url string) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), url, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close database: %v", err)
		}
	})
	return db
}

var sqliteTemplate = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "dibao-template-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "template.db")
	if err := migrate("sqlite:" + path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

func migrate(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db, err := database.Open(ctx, url, database.Options{})
	if err != nil {
		return err
	}
	return errors.Join(db.Migrate(ctx), db.Close())
}

// SQLite returns the URL of a migrated, empty database in a new file.
func SQLite(t testing.TB) string {
	t.Helper()
	template, err := sqliteTemplate()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "dibao.db")
	if err := os.WriteFile(path, template, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

// Postgres returns the URL of a migrated, empty database for this test alone; it skips the
// test if PostgreSQL is not installed.
func Postgres(t testing.TB) string {
	t.Helper()
	c, err := postgres()
	skipWhereMissing(t, err)
	name := c.nextName()
	if out, err := c.command("createdb", "-h", c.dir, "-U", "dibao", "-T", "template_dibao", name).CombinedOutput(); err != nil {
		t.Fatalf("createdb: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := c.command("dropdb", "-h", c.dir, "-U", "dibao", "--force", name).CombinedOutput(); err != nil {
			t.Errorf("dropdb: %v: %s", err, out)
		}
	})
	return c.url(name)
}

func skipWhereMissing(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, errNotInstalled) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// PostgresOfItsOwn starts a PostgreSQL server for one test. It returns the URL of a
// migrated, empty database, and a function that restarts the server as after a crash: at
// once, with all acknowledged data. It skips the test as Postgres does.
func PostgresOfItsOwn(t testing.TB) (url string, restart func()) {
	t.Helper()
	c, err := startPostgres("-c synchronous_commit=on")
	skipWhereMissing(t, err)
	t.Cleanup(func() { c.alive.Close() })
	return c.url("template_dibao"), func() {
		t.Helper()
		cmd := c.command("pg_ctl", "-D", filepath.Join(c.dir, "data"), "-w", "-m", "immediate", "-l", filepath.Join(c.dir, "log"), "restart")
		if err := cmd.Run(); err != nil {
			t.Fatalf("restart PostgreSQL: %v", err)
		}
	}
}

var errNotInstalled = errors.New("PostgreSQL is not installed; install the package postgresql to test on it")

// cluster is a running PostgreSQL server.
type cluster struct {
	dir, bin   string
	credential *syscall.Credential // nil means our own user
	mu         sync.Mutex
	names      int
	alive      io.Closer // open while the test binary runs
}

var postgres = sync.OnceValues(func() (*cluster, error) { return startPostgres("-c synchronous_commit=off") })

// startPostgres starts a cluster with the fastest settings: its data need not survive a
// crash of the machine.
func startPostgres(settings string) (*cluster, error) {
	c := &cluster{}
	if c.bin = findBinaries(); c.bin == "" {
		return nil, errNotInstalled
	}
	dir, err := os.MkdirTemp("", "dibao-pg-") // short: the path of a socket has at most 107 bytes
	if err != nil {
		return nil, err
	}
	c.dir = dir
	if err := c.chooseUser(); err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	for _, cmd := range []*exec.Cmd{
		c.command("initdb", "-D", data, "-U", "dibao", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"),
		c.command("pg_ctl", "-D", data, "-w", "-l", filepath.Join(dir, "log"), "-o",
			"-k "+dir+" -c listen_addresses='' -c fsync=off -c full_page_writes=off -c max_connections=200 "+settings, "start"),
	} {
		cmd.Stdout, cmd.Stderr = nil, nil // pg_ctl's child never closes them
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("%s: %w; see the log in %s", filepath.Base(cmd.Path), err, dir)
		}
	}
	if err := c.watch(data); err != nil {
		return nil, err
	}
	if out, err := c.command("createdb", "-h", dir, "-U", "dibao", "template_dibao").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("createdb: %w: %s", err, out)
	}
	return c, migrate(c.url("template_dibao"))
}

// watch starts the process that ends the cluster when the test binary ends: its input is a
// pipe that nobody writes to and that the kernel then closes.
func (c *cluster) watch(data string) error {
	script := `cat >/dev/null; "$1/pg_ctl" -D "$2" -m immediate -w stop >/dev/null 2>&1; rm -rf "$3"`
	cmd := exec.Command("/bin/sh", "-c", script, "sh", c.bin, data, c.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.credential, Setsid: true}
	cmd.Dir = "/"
	alive, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	c.alive = alive
	return cmd.Start() // it outlives us on purpose
}

func (c *cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir = c.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.credential}
	return cmd
}

func (c *cluster) url(name string) string { return "postgres://dibao@/" + name + "?host=" + c.dir }

func (c *cluster) nextName() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.names++
	return fmt.Sprintf("test_%d", c.names)
}

// chooseUser chooses the user that runs the cluster: initdb refuses to run as root.
func (c *cluster) chooseUser() error {
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return fmt.Errorf("no user postgres or nobody to run PostgreSQL as: %w", err)
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2, os.Chown(c.dir, int(uid), int(gid))); err != nil {
		return err
	}
	c.credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return nil
}

// findBinaries returns the folder of the newest PostgreSQL, "" if there is none.
func findBinaries() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is valid
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1])
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	return ""
}

func version(initdb string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb))))
	if err != nil {
		return 0 // a folder whose name is not a version sorts first
	}
	return n
}
