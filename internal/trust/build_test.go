package trust_test

import (
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"dibao/internal/trust"
)

// TestBuildIsReproducible builds the program twice, from two folders and with
// two caches, the second one empty: the files are the same byte by byte.
func TestBuildIsReproducible(t *testing.T) {
	if os.Getenv("DIBAO_LONG") == "" {
		t.Skip("compiles everything from an empty cache, minutes of CPU; set DIBAO_LONG=1")
	}
	first := build(t, "first", os.Getenv("GOCACHE"))
	second := build(t, "second folder", t.TempDir())
	if first != second {
		t.Fatalf("two builds have the hashes %x and %x", first, second)
	}
	trust.Report(t, "reproducible build", "2 builds, 2 folders, 2 caches, 1 hash")
}

// build builds the program from a copy of the repository and returns its hash.
func build(t *testing.T, name, cache string) [sha256.Size]byte {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := os.CopyFS(dir, os.DirFS(top)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", "dibao", "./cmd/dibao")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if cache != "" {
		cmd.Env = append(cmd.Env, "GOCACHE="+cache)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	file, err := os.ReadFile(filepath.Join(dir, "dibao"))
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(file)
}
