package policy

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// realRows reads a part of a file of real material that was labeled before the first run:
// the first rules were made on the first part only, and each other part was first read
// before any rule was made on it. docs/understanding.md gives the figures of the first and
// the last run.
func realRows(t *testing.T, name string) (parts [][][]string) {
	t.Helper()
	if !filepath.IsAbs(name) {
		name = filepath.Join("testdata", name)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
		cells := strings.Split(row, "\t")
		part := int(cells[0][0] - '1')
		for part >= len(parts) {
			parts = append(parts, nil)
		}
		parts[part] = append(parts[part], cells[1:])
	}
	return parts
}

// score counts answers. In a label, | separates values that are all acceptable; a value
// with ? before it can also be missing.
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
	for part, rows := range realRows(t, "kinds.tsv") {
		var s score
		for _, c := range rows {
			f := Understand(Evidence{Title: c[1], ListDate: c[2], Paragraphs: strings.Split(c[3], `\n`)})
			s.add(t, c[0], string(f.Kind), c[1])
		}
		t.Logf("part %d: kinds of %d: %+v", part+1, len(rows), s)
		if s.right*100 < len(rows)*95 {
			t.Errorf("part %d: %+v", part+1, s)
		}
	}
}
func TestRealDeadlines(t *testing.T) {
	t.Parallel()
	for part, rows := range realRows(t, "deadlines.tsv") {
		var s score
		for _, c := range rows {
			f := Understand(Evidence{Title: c[0], ListDate: c[1], Paragraphs: append([]string{"各有关单位："}, strings.Split(c[3], `\n`)...)})
			s.add(t, c[2], f.DeadlineOn.String(), c[1]+" "+c[0]+": "+c[3])
		}
		t.Logf("part %d: deadlines of %d sentences: %+v", part+1, len(rows), s)
		if s.wrong > 0 || s.right*100 < (s.right+s.withheld)*92 {
			t.Errorf("part %d: %+v", part+1, s)
		}
	}
}

// Only titles of notices and news, with and without the issuer of the source: most have one
// word that indicates a theme, and get none.
func TestThemesOfNotices(t *testing.T) {
	t.Parallel()
	for part, rows := range realRows(t, "themes-notices.tsv") {
		for _, issuer := range []bool{false, true} {
			var s score
			for _, c := range rows {
				e := Evidence{Title: c[1]}
				if issuer {
					e.Issuer = c[2]
				}
				f := Understand(e)
				s.add(t, c[0], f.Theme, c[1]+" by "+f.ThemeFrom)
			}
			t.Logf("part %d: themes of %d titles, issuer of the source known: %v: %+v", part+1, len(rows), issuer, s)
			if s.wrong*100 > len(rows)*4 || s.right*100 < len(rows)*45 {
				t.Errorf("part %d: %+v", part+1, s)
			}
		}
	}
}

func TestRealThemes(t *testing.T) {
	t.Parallel()
	for part, rows := range realRows(t, "themes-official.tsv") {
		var s score
		for _, c := range rows {
			f := Understand(Evidence{Title: c[1], Paragraphs: strings.Split(c[2], `\n`)})
			s.add(t, c[0], f.Theme, c[1]+" by "+f.ThemeFrom)
		}
		t.Logf("part %d: themes of %d: %+v", part+1, len(rows), s)
		if s.right*100 < len(rows)*60 || s.wrong*100 > len(rows)*5 {
			t.Errorf("part %d: %+v", part+1, s)
		}
	}
}
