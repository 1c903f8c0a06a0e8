package call

import (
	"os"
	"strings"
	"testing"

	"dibao/policy/when"
)

// TestChanges reads notices about earlier calls, with the structures of real ones. A
// row has a title, the day of publication, the paragraphs (separated by ¶), the kind
// (or none), the new last day (or -), and what identifies the call.
func TestChanges(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/changes.tsv")
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.Trim(string(b), "\n"), "\n")[1:]
	if len(rows) < 20 {
		t.Fatalf("%d rows", len(rows))
	}
	for i, row := range rows {
		f := strings.Split(row, "\t")
		if len(f) != 6 {
			t.Fatalf("row %d has %d columns, want 6", i+2, len(f))
		}
		published, err := when.ParseDate(f[1])
		if err != nil {
			t.Fatalf("row %d: %v", i+2, err)
		}
		c, ok := ReadChange(f[0], strings.Split(f[2], "¶"), published)
		kind, until := string(c.Kind), c.Until.String()
		if !ok {
			kind = "none"
		}
		if until == "" {
			until = "-"
		}
		by := strings.Join(append(append(append([]string{}, c.Projects...), c.Titles...), c.Names...), "|")
		if kind != f[3] || until != f[4] || by != f[5] {
			t.Errorf("row %d: %s\n got %s %s %s\nwant %s %s %s", i+2, f[0], kind, until, by, f[3], f[4], f[5])
		}
		if ok && !c.Until.IsZero() && (c.Evidence == "" || !strings.Contains(strings.ReplaceAll(f[2], "¶", ""), c.Evidence)) {
			t.Errorf("row %d: the evidence %q is not in the text", i+2, c.Evidence)
		}
	}
}
