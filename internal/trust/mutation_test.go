package trust_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dibao/internal/trust"
)

// top is the top folder of the repository, relative to this package.
const top = "../.."

// mutation is a deliberate fault and the test that catches it.
type mutation struct{ name, file, old, new, command string }

// TestDeliberateFaultsAreCaught builds the program with one fault at a time and
// runs the test that must catch it. Without DIBAO_LONG=1 it only checks that
// each fault still applies to the code: exactly once, and to a test that exists.
func TestDeliberateFaultsAreCaught(t *testing.T) {
	mutations := readMutations(t)
	caught := 0
	for _, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			path := filepath.Join(top, m.file)
			source, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(source), m.old); n != 1 {
				t.Fatalf("%s contains %q %d times, want once; correct testdata/mutations.txt", m.file, m.old, n)
			}
			checkTestExists(t, m.command)
			if os.Getenv("DIBAO_LONG") == "" {
				return
			}
			if out, err := runMutated(t, path, strings.Replace(string(source), m.old, m.new, 1), m.command); err == nil {
				t.Fatalf("%s passes with the fault in %s", m.command, m.file)
			} else if !strings.Contains(string(out), "--- FAIL") && !strings.Contains(string(out), "panic:") {
				t.Fatalf("%s did not fail by a test: %v\n%s", m.command, err, out)
			}
			caught++
		})
	}
	if os.Getenv("DIBAO_LONG") != "" {
		trust.Report(t, "deliberate faults caught", "%d of %d", caught, len(mutations))
	}
}

// runMutated runs a test command on the code with one file replaced.
func runMutated(t *testing.T, path, source, command string) ([]byte, error) {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	mutated, overlay := filepath.Join(dir, filepath.Base(path)), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {abs: mutated}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{mutated: []byte(source), overlay: replace} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := strings.Fields(command)
	cmd := exec.CommandContext(t.Context(), args[0], append(args[1:], "-count=1", "-overlay", overlay)...)
	cmd.Dir = top
	cmd.Env = append(os.Environ(), "DIBAO_LONG=", "RAPID_NOFAILFILE=true", trust.FileVariable+"=")
	return cmd.CombinedOutput()
}

// checkTestExists searches for the test that a command "go test PACKAGE -run NAME" names.
func checkTestExists(t *testing.T, command string) {
	t.Helper()
	fields := strings.Fields(command)
	if len(fields) < 5 || fields[0] != "go" || fields[1] != "test" || fields[3] != "-run" {
		t.Fatalf("%q is not of the form: go test PACKAGE -run NAME", command)
	}
	name, _, _ := strings.Cut(fields[4], "/")
	files, err := filepath.Glob(filepath.Join(top, fields[2], "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(source), "func "+strings.Trim(name, "^$")+"(t *testing.T)") {
			return
		}
	}
	t.Fatalf("%s has no test named %s", fields[2], name)
}

// readMutations reads testdata/mutations.txt: records of "key: value" lines,
// separated by empty lines; ⏎ and → in old and new are a line feed and a tab.
func readMutations(t *testing.T) []mutation {
	t.Helper()
	text, err := os.ReadFile("testdata/mutations.txt")
	if err != nil {
		t.Fatal(err)
	}
	unescape := strings.NewReplacer("⏎", "\n", "→", "\t").Replace
	var all []mutation
	for record := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
		var m mutation
		for line := range strings.SplitSeq(record, "\n") {
			key, value, _ := strings.Cut(line, ": ")
			switch key {
			case "fault":
				m.name = value
			case "file":
				m.file = value
			case "old":
				m.old = unescape(value)
			case "new":
				m.new = unescape(value)
			case "test":
				m.command = value
			default:
				if !strings.HasPrefix(line, "#") {
					t.Fatal(fmt.Errorf("mutations.txt: unknown line %q", line))
				}
			}
		}
		if m.name != "" {
			all = append(all, m)
		}
	}
	return all
}
