package trust_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"dibao/internal/trust"
)

// TestBuildIsReproducible builds the program twice, in two folders and with two caches, the
// second one empty: the files have the same bytes.
func TestBuildIsReproducible(t *testing.T) {
	if os.Getenv("DIBAO_LONG") == "" {
		t.Skip("compiles everything from an empty cache, minutes of CPU; set DIBAO_LONG=1")
	}
	builds := make(map[string]int) // by hash
	for folder, cache := range map[string]string{"first": os.Getenv("GOCACHE"), "second folder": t.TempDir()} {
		builds[build(t, folder, cache)]++
	}
	if len(builds) != 1 {
		t.Fatalf("two builds have the hashes %v", builds)
	}
	for hash, n := range builds {
		trust.Report(t, "reproducible build", "%d builds have the hash %.16s…", n, hash)
	}
}

// build builds the program from a copy of the repository and returns its hash.
func build(t *testing.T, name, cache string) (hash string) {
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
	return fmt.Sprintf("%x", sha256.Sum256(file))
}
