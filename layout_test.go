package dibao_test

import (
	"bytes"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dibao/internal/redact"
)

// TestImports compares the imports of every package with the table of packages in
// docs/architecture.md. A package without a row is part of the nearest one above it.
func TestImports(t *testing.T) {
	t.Parallel()
	rules := importRules(t)
	for dir, imports := range importsByPackage(t) {
		room := roomOf(rules, dir)
		if room == "" {
			t.Errorf("%s stands in no row of docs/architecture.md", dir)
			continue
		}
		for _, to := range imports {
			if target := roomOf(rules, to); target != room && !rules[room].allow(target) {
				t.Errorf("%s imports %s; docs/architecture.md does not allow %s to import %s", dir, to, room, target)
			}
		}
	}
}

// importRule says which of our packages a package may import.
type importRule struct {
	anything bool
	but      []string // exceptions, if it may import everything
	listed   []string // may end in /*
}

func (r importRule) allow(pkg string) bool {
	if r.anything {
		return !slices.Contains(r.but, pkg)
	}
	return slices.ContainsFunc(r.listed, func(pattern string) bool {
		head, wild := strings.CutSuffix(pattern, "/*")
		return pattern == pkg || wild && strings.HasPrefix(pkg, head+"/")
	})
}

var (
	tableRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|[^|]*\\| ([^|]*) \\|[^|]*\\|$")
	quoted   = regexp.MustCompile("`([^`]+)`")
)

func importRules(t *testing.T) map[string]importRule {
	doc, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	rules := make(map[string]importRule)
	for _, row := range tableRow.FindAllStringSubmatch(string(doc), -1) {
		var r importRule
		for _, name := range quoted.FindAllStringSubmatch(row[2], -1) {
			r.listed = append(r.listed, name[1])
		}
		if r.anything = strings.HasPrefix(row[2], "everything"); r.anything {
			r.but, r.listed = r.listed, nil
		}
		rules[row[1]] = r
	}
	if len(rules) < 30 {
		t.Fatalf("the table has %d rows; is its form another now?", len(rules))
	}
	return rules
}

// roomOf returns the nearest package with a row, "" if there is none.
func roomOf(rules map[string]importRule, pkg string) string {
	for ; pkg != "."; pkg = path.Dir(pkg) {
		if _, ok := rules[pkg]; ok {
			return pkg
		}
	}
	return ""
}

// importsByPackage returns which of our packages each package imports, without its tests.
func importsByPackage(t *testing.T) map[string][]string {
	all := make(map[string][]string)
	eachFile(t, func(name string, src []byte) {
		file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		dir := path.Dir(name)
		all[dir] = append(all[dir], []string{}...)
		for _, spec := range file.Imports {
			to, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if to, ours := strings.CutPrefix(to, "dibao/"); ours && !slices.Contains(all[dir], to) {
				all[dir] = append(all[dir], to)
			}
		}
	})
	return all
}

// eachFile calls f with every Go file that is not a test.
func eachFile(t *testing.T, f func(name string, src []byte)) {
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || name != "." && strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		src, err := os.ReadFile(name)
		f(filepath.ToSlash(name), src)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

const (
	packageLines = 6500 // maximum per package, without tests
	commandLines = 8000 // for cmd/dibao, which has one file per group of commands
	fileLines    = 450  // per file
)

// tables are files that may be longer, because each is one table.
var tables = []string{}

// TestSizes keeps packages and files small enough for one person to understand.
func TestSizes(t *testing.T) {
	t.Parallel()
	lines := make(map[string]int)
	eachFile(t, func(name string, src []byte) {
		n := bytes.Count(src, []byte("\n"))
		lines[path.Dir(name)] += n
		if n > fileLines && !slices.Contains(tables, name) {
			t.Errorf("%s has %d lines; the maximum is %d: split it by what a newcomer would look for", name, n, fileLines)
		}
	})
	for dir, n := range lines {
		most := packageLines
		if dir == "cmd/dibao" {
			most = commandLines
		}
		if n > most {
			t.Errorf("%s has %d lines, %d are the most; cut it by subject", dir, n, most)
		}
	}
}

var tokenRoute = regexp.MustCompile("\"[A-Z]* ?(/[a-z/]*)\\{token\\}")

// TestTokenRoutes compares routes whose path has a token with the list by which logs and
// robots.txt hide them.
func TestTokenRoutes(t *testing.T) {
	t.Parallel()
	routed := make(map[string]bool)
	eachFile(t, func(name string, src []byte) {
		for _, m := range tokenRoute.FindAllSubmatch(src, -1) {
			if routed[string(m[1])] = true; !slices.Contains(redact.TokenPaths, string(m[1])) {
				t.Errorf("%s routes %s{token}, which redact.TokenPaths does not name: logs would hold the token", name, m[1])
			}
		}
	})
	for _, path := range redact.TokenPaths {
		if !routed[path] {
			t.Errorf("redact.TokenPaths names %s, which no route has", path)
		}
	}
}
