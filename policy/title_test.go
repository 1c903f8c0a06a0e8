package policy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Issuer and type of 500 random titles, labeled by a person: an empty issuer is one that
// the title leaves to its source, an empty type that of a document that only encloses
// another.
func TestTitlesByHand(t *testing.T) {
	t.Parallel()
	rows := titlesByHand(t, "titles.tsv")
	if rows < 500 {
		t.Errorf("%d titles", rows)
	}
	// 110 more unusual titles, labeled before the first run (110 issuers and types were
	// right), and the forms of other organizations.
	titlesByHand(t, "titles-fresh.tsv")
}

func titlesByHand(t *testing.T, name string) (rows int) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	issuers, types := 0, 0
	for _, row := range strings.Split(strings.Trim(string(b), "\n"), "\n")[1:] {
		c := strings.SplitN(row, "\t", 3)
		got := ParseTitle(c[2])
		rows++
		if s := strings.Join(got.Issuers, "、"); s == c[0] {
			issuers++
		} else {
			t.Logf("issuer %q, want %q: %s", s, c[0], c[2])
		}
		if got.Type == c[1] {
			types++
		} else {
			t.Logf("type %q, want %q: %s", got.Type, c[1], c[2])
		}
	}
	t.Logf("of %d titles %d issuers and %d types are right", rows, issuers, types)
	if issuers*1000 < rows*980 || types*1000 < rows*980 {
		t.Errorf("of %d titles %d issuers and %d types are right, want 98 %%", rows, issuers, types)
	}
	return rows
}
