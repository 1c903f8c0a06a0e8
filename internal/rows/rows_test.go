package rows

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// read returns the rows of a file as text, and where reading failed.
func read(file string) (string, error) {
	r, err := NewReader(strings.NewReader(file), func([]string) bool { return false })
	if err != nil {
		return "", err
	}
	var all strings.Builder
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return all.String(), nil
		}
		if err != nil {
			return all.String(), err
		}
		fmt.Fprintf(&all, "%d%q", row.Line, row.Fields)
	}
}

func TestReaderReadsFilesAsTheyCome(t *testing.T) {
	const plain = `1["a" "b"]2["1" "2"]`
	for file, want := range map[string]string{
		"a,b\n1,2\n": plain, "a;b\r\n1;2": plain, "a\tb\n1\t2\n": plain, "a|b\n1|2\n": plain, "a,b\r1,2\r": plain,
		"\xef\xbb\xbfa,b\n1,2\n":                         plain,
		"sep=;\na;b\n1;2\n":                              `2["a" "b"]3["1" "2"]`,
		"\"sep=\t\"\r\na\tb\r\n1\t2\r\n":                 `2["a" "b"]3["1" "2"]`,
		"\xff\xfea\x00,\x00b\x00\n\x001\x00,\x002\x00":   plain,
		"\xfe\xff\x00a\x00,\x00b\x00\n\x001\x00,\x002":   plain,
		"a\x00,\x00b\x00\n\x001\x00,\x002\x00\n\x00":     plain,
		"\x00a\x00,\x00b\x00\n\x001\x00,\x002\x00\n":     plain,
		"\n\na,b\n\n1,2\n \n":                            `3["a" "b"]5["1" "2"]`,
		"a,b\n\"x\"\"y\", \"p,q\" \n":                    `1["a" "b"]2["x\"y" "p,q"]`,
		"a,b\n\"one\ntwo, x\",2\n3,4\n":                  `1["a" "b"]2["one\ntwo, x" "2"]4["3" "4"]`,
		"a,b\n\"Z, Y\" <z@example.org>,2\n":              `1["a" "b"]2["\"Z, Y\" <z@example.org>" "2"]`,
		"a,b\n\xd5\xc5\xc8\xfd,2\n":                      `1["a" "b"]2["张三" "2"]`, // GBK, although the first line is ASCII
		"a\n" + strings.Repeat("x", 70_000) + "\n":       `1["a"]2["` + strings.Repeat("x", 70_000) + `"]`,
		"name,note\na@example.org,\"a\nb@c.org is new\"": `1["name" "note"]2["a@example.org" "a\nb@c.org is new"]`,
	} {
		if got, err := read(file); err != nil || got != want {
			t.Errorf("%.80q: %.80s, %v; want %.80s", file, got, err, want)
		}
	}
}

// A quote that is not closed once swallowed 1,990 of 2,000 rows without an error.
func TestReaderRefusesWhatReadsInTwoWays(t *testing.T) {
	for file, want := range map[string]struct {
		line int
		why  string
	}{
		"a,b\n1,\"2\n3,4\n":                              {2, "not closed before the end"},
		"a,b\nx@example.org,\"2\ny@example.org,3\n":      {2, "line 3 looks like a row"},
		"a,b\n1,\"2\n3,\"4\"\n":                          {2, "before line 3"},
		"a,b\n1,2\n1,\"Bob \"The\" Builder\"\n":          {3, "after a closing quote"},
		"a,b\n1,Bob \"x\" y\n":                           {2, "inside a field"},
		"a,b\n1\n":                                       {2, "has 1 fields"},
		"a,b\n1,2\n\n1,2,3\n":                            {4, "has 3 fields"},
		"sep=x\na\n":                                     {1, "separator"},
		"a\n" + strings.Repeat("x", MaxRow+1):            {2, "longer"},
		"a,b\n1,\"" + strings.Repeat("x\n", MaxRow) + "": {2, "not closed within"},
	} {
		_, err := read(file)
		if at := new(Error); !errors.As(err, &at) || at.Line != want.line || !strings.Contains(at.Why, want.why) {
			t.Errorf("%.60q: %v; want line %d, %s", file, err, want.line, want.why)
		}
	}
	for _, file := range []string{"", "\n\n", "PK\x03\x04\x00\x00", "\xd0\xcf\x11\xe0\x00", "a\x00\x00b,c\n"} {
		if _, err := read(file); err == nil {
			t.Errorf("%q is read", file)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, seed := range []string{"a,b\n1,\"2\"\n", "sep=;\n\"a\n\";b\n", "\xff\xfea\x00", "a@b\r\"\r", "\xd5\xc5;\"x\" <a@b>\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := NewReader(strings.NewReader(string(file)), func([]string) bool { return false })
		if err != nil {
			return
		}
		width := -1
		for n := 0; ; n++ {
			row, err := r.Read()
			if err != nil {
				return
			}
			if width < 0 {
				width = len(row.Fields)
			}
			if len(row.Fields) != width || n > len(file) {
				t.Fatalf("row %d has %d fields, the first %d", n, len(row.Fields), width)
			}
		}
	})
}
