package trust_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dibao/internal/trust"
)

const sample = "# Table\n\n| what | limit | figure | command |\n|---|---|---|---|\n" +
	"| lost emails | 0 | 0 of 5,000 | `go test ./digest -run TestKilled` |\n| another | table | of | words |\n"

func TestTable(t *testing.T) {
	rows, err := trust.Table(sample)
	if err != nil {
		t.Fatal(err)
	}
	want := []trust.Row{{Name: "lost emails", Limit: "0", Figure: "0 of 5,000", Command: "go test ./digest -run TestKilled"}}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
	changed, err := trust.Table(trust.Update(sample, map[string]string{"lost emails": "1", "another": "2"}))
	if err != nil || len(changed) != 1 || changed[0].Figure != "1" {
		t.Errorf("%v %v", changed, err)
	}
	if _, err := trust.Table(sample + "| lost emails | 0 | 0 | `go test ./feed` |\n"); err == nil {
		t.Error("two rows of one name are accepted")
	}
}

// TestDocumentHasRows checks that the table for "make trust" can be parsed.
func TestDocumentHasRows(t *testing.T) {
	text, err := os.ReadFile("../../docs/trust.md")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := trust.Table(string(text))
	if err != nil || len(rows) == 0 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	kills := 0
	for _, r := range rows {
		checkTestExists(t, r.Command)
		if n := 0; strings.HasPrefix(r.Name, "kill -9") {
			if _, err := fmt.Sscanf(r.Figure, "%d kills", &n); err != nil {
				t.Errorf("%s: %q says no number of kills", r.Name, r.Figure)
			}
			kills += n
		}
	}
	if kills < 500 {
		t.Errorf("the program was killed %d times in all rows, want at least 500", kills)
	}
}
