package ingest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shared returns a folder of the test data next to the checkout, or skips the test.
func shared(t *testing.T, folder string) string {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if root == filepath.Dir(root) {
			t.Fatal("no go.mod above the test")
		}
		root = filepath.Dir(root)
	}
	path := filepath.Join(root, "..", "shared", "data", folder)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the shared test data are not beside the checkout: %v", err)
	}
	return path
}

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// rows reads a tab-separated file without its header.
func rows(t *testing.T, path ...string) [][]string {
	t.Helper()
	var all [][]string
	for i, line := range strings.Split(strings.TrimRight(string(read(t, path...)), "\n"), "\n") {
		if i > 0 {
			all = append(all, strings.Split(line, "\t"))
		}
	}
	if len(all) == 0 {
		t.Fatalf("%s holds no rows", filepath.Join(path...))
	}
	return all
}
