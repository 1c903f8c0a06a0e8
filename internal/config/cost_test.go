package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dibao/internal/costtest"
)

// TestCostOfConfigurations loads files with unknown, nested or many keys. Files above
// maxFile are refused.
func TestCostOfConfigurations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.toml")
	costtest.Linear(t, []costtest.Seed{
		{Name: "Limits", Units: []string{"[mail.limits.\"a%d.test\"]\nconnections = 1\n"}},
		{Name: "Comments", Units: []string{"# a\n"}},
		{Name: "Nested", Head: "a = ", Units: []string{"["}},
		{Name: "Dots", Head: "a", Units: []string{".a"}, Tail: " = 1\n"},
		{Name: "LongValue", Head: "[server]\nbase_url = \"", Units: []string{"a"}, Tail: "\"\n"},
		{Name: "Networks", Head: "[server]\ntrusted_proxies = \"", Units: []string{"10.0.0.0/8,"}, Tail: "\"\n"},
	}, func(b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		Load(path, func(string) string { return "" })
	})
	costtest.Report(t, "internal/config")
}

// TestCostOfManyKeys reads the largest files of the most expensive kinds within the limits.
func TestCostOfManyKeys(t *testing.T) {
	for _, unit := range []string{"a%d = 1\n", "[a%d]\n"} {
		input := costtest.Seed{Head: "[server]\n", Units: []string{unit}}.Input(maxFile)
		cost := costtest.Measure(func() { parse("c.toml", input, func(string) string { return "" }) })
		if cost.Time > costtest.MaxTime || cost.Peak > costtest.MaxMemory {
			t.Errorf("%d kB of %q cost %+v", len(input)>>10, unit, cost)
		}
	}
}

// TestLargeFileIsRefused checks that the beginning of a large file is not read as the
// whole.
func TestLargeFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(strings.Repeat("# x\n", maxFile/4+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path, func(string) string { return "" }); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("%v", err)
	}
}
