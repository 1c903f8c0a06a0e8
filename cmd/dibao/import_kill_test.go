package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"dibao/cmd/dibao/bench"
	"dibao/internal/database/databasetest"
	"dibao/internal/trust"
)

// An import that is killed has stored the beginning of its file, in whole slices; the next
// run stores the rest and nothing twice.
func TestKilledImportIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	for name, newURL := range map[string]func(testing.TB) string{"sqlite": databasetest.SQLite, "postgres": databasetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			killImports(t, name, newURL(t))
		})
	}
}

func killImports(t *testing.T, name, url string) {
	kills, rows := 3, 2_000
	if os.Getenv("DIBAO_LONG") != "" {
		kills, rows = 60, 10_000
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "readers.csv")
	if err := bench.WriteReaders(file, rows); err != nil {
		t.Fatal(err)
	}
	dibao := func(args ...string) *exec.Cmd {
		cmd := exec.Command(os.Args[0], append([]string{"--database", url}, args...)...)
		cmd.Env, cmd.Dir = append(os.Environ(), asProgram+"=1"), dir
		return cmd
	}
	must := func(cmd *exec.Cmd) []byte {
		t.Helper()
		var talk bytes.Buffer
		cmd.Stderr = &talk
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s%s", cmd.Args, err, out, &talk)
		}
		return out
	}
	load := func(list string) *exec.Cmd {
		return dibao("subscriber", "import", file, "--list", list, "--consent", "test", "--apply")
	}
	must(dibao("list", "create", "first"))
	start := time.Now()
	must(load("first"))
	took := time.Since(start)
	none, some, all := 0, 0, 0
	for i := range kills {
		list := fmt.Sprintf("list%d", i)
		must(dibao("list", "create", list))
		cmd := load(list)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(1.1*rand.Float64()*float64(took)), func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait() // the status of a killed program does not matter
		kill.Stop()
		count := func() int { return bytes.Count(must(dibao("subscriber", "export", "--list", list)), []byte("\n")) - 1 }
		switch n := count(); {
		case n == 0:
			none++
		case n == rows:
			all++
		case n%500 == 0:
			some++
		default:
			t.Fatalf("kill %d left %d of %d rows", i+1, n, rows)
		}
		must(load(list))
		if n := count(); n != rows {
			t.Fatalf("run again after kill %d there are %d of %d rows", i+1, n, rows)
		}
	}
	if os.Getenv("DIBAO_LONG") != "" && some == 0 {
		t.Error("no kill came while rows were stored")
	}
	trust.Report(t, "kill -9 during an import, "+name, "%d kills: %d had stored nothing, %d a part, %d everything; all complete after the next run", kills, none, some, all)
}
