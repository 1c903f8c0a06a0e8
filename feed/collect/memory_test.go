package collect

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// parsers are the functions that parse untrusted input, by package. Functions that read
// only a limited beginning are not included.
var parsers = map[string][]string{
	"ingest": {"ReadKind", "ReadList", "ReadArticle", "NextPart", "NoList", "Answered", "ParseFeed", "Discover", "FeedTitle", "Sanitize"},
	"answer": {"Read", "Endpoints"},
}

// TestParsersWaitForMemory searches for calls of parsers that do not reserve memory first:
// the daemon ran out of memory because pages were searched for a wall, or for an address in
// a script, without being counted.
func TestParsersWaitForMemory(t *testing.T) {
	found := 0
	for _, pattern := range []string{"*.go", "../*.go", "../visit/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			var within []ast.Node // calls of budget.Within
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok && isOf(call.Fun, "budget", []string{"Within"}) {
					within = append(within, call)
				}
				return true
			})
			ast.Inspect(file, func(n ast.Node) bool {
				for name, functions := range parsers {
					e, ok := n.(ast.Expr)
					if !ok || !isOf(e, name, functions) {
						continue
					}
					found++
					if !slices.ContainsFunc(within, func(call ast.Node) bool { return call.Pos() < n.Pos() && n.End() < call.End() }) {
						t.Errorf("%s parses without waiting for memory; call it in budget.Within", set.Position(n.Pos()))
					}
				}
				return true
			})
		}
	}
	if found < 8 {
		t.Errorf("%d calls of parsers were found; the test looks for the wrong names", found)
	}
}

// isOf reports whether an expression is one of the functions of a package.
func isOf(e ast.Expr, name string, functions []string) bool {
	selector, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := selector.X.(*ast.Ident)
	return ok && x.Name == name && slices.Contains(functions, selector.Sel.Name)
}
