// Package trust reports and collects the figures of the trust suite: limits of the program,
// measured by tests with real servers and databases.
//
// A test reports a figure under the name of a row of docs/trust.md. The command "make trust"
// runs the commands of that table in full (DIBAO_LONG=1), prints one line "name: figure
// (limit)" a row, and fails where a command fails or a row has no figure, so that every row of
// the table is measured.
package trust

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// FileVariable is the environment variable with the file to which reports are appended, one
// line per report: the name, a tab, the figure. If it is unset, reports are only logged.
const FileVariable = "DIBAO_TRUST_FILE"

// Report reports a figure for the row with this name. The test itself asserts the limit;
// the report is the figure in the table. It is safe for concurrent use, also by several
// processes.
func Report(t testing.TB, name, format string, args ...any) {
	t.Helper()
	figure := strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")
	t.Logf("trust: %s: %s", name, figure)
	path := os.Getenv(FileVariable)
	if path == "" || t.Failed() {
		return
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatalf("report %s: %v", name, err)
	}
	defer f.Close()
	// One write of a short line to a file opened with O_APPEND is not split.
	if _, err := f.WriteString(name + "\t" + figure + "\n"); err != nil {
		t.Fatalf("report %s: %v", name, err)
	}
}
