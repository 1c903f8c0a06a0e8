package policy

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// realRows reads a file of real material that was labelled before the program was
// asked. The rows are in two halves: rules were made on the first only.
func realRows(t *testing.T, name string) (halves [2][][]string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
		cells := strings.Split(row, "\t")
		half := int(cells[0][0] - '1')
		halves[half] = append(halves[half], cells[1:])
	}
	return halves
}

// score counts answers. A label of several, with | between them, is one that
// readers may give either way; one with ? before it may also be left out.
type score struct{ right, withheld, wrong, none int }

func (s *score) add(t *testing.T, want, got, what string) {
	t.Helper()
	may := strings.HasPrefix(want, "?")
	want = strings.TrimPrefix(want, "?")
	switch {
	case want == got && want == "", may && got == "":
		s.none++
	case slices.Contains(strings.Split(want, "|"), got):
		s.right++
	case got == "":
		s.withheld++
		t.Logf("withheld %s: %s", want, what)
	default:
		s.wrong++
		t.Logf("WRONG %s, want %q: %s", got, want, what)
	}
}

func TestRealKinds(t *testing.T) {
	t.Parallel()
	for half, rows := range realRows(t, "kinds.tsv") {
		var s score
		for _, c := range rows {
			f := Understand(Evidence{Title: c[1], ListDate: c[2], Paragraphs: strings.Split(c[3], `\n`)})
			s.add(t, c[0], string(f.Kind), c[1])
		}
		t.Logf("half %d: kinds of %d: %+v", half+1, len(rows), s)
		if s.right*100 < len(rows)*95 {
			t.Errorf("half %d: %+v", half+1, s)
		}
	}
}
