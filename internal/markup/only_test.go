package markup_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// unguarded are the functions that parse HTML without a limit on its cost.
var unguarded = map[string]string{
	"Parse": "html", "ParseWithOptions": "html", "ParseFragment": "html", "ParseFragmentWithOptions": "html", "NewTokenizer": "html",
	"NewTokenizerFragment": "html", "NewDocumentFromReader": "goquery", "NewDocument": "goquery", "NewDocumentFromResponse": "goquery",
}

// unguardedMethods are methods that parse HTML inside goquery.
var unguardedMethods = []string{"AppendHtml", "PrependHtml", "BeforeHtml", "AfterHtml", "ReplaceWithHtml", "SetHtml", "WrapHtml", "WrapAllHtml", "WrapInnerHtml"}

// allowed read a limited piece with a tokenizer, which builds no tree: a report's text, the
// beginning of a response that may be a wall, and one element that a script writes. The
// benchmark parses its own pages.
var allowed = map[string]bool{
	filepath.Join("internal", "mail", "report.go"): true, filepath.Join("feed", "ingest", "answer", "scan.go"): true,
	filepath.Join("feed", "ingest", "answer", "frame.go"): true, filepath.Join("cmd", "dibao", "bench", "collect.go"): true,
}

// TestNobodyElseParses searches for parsers of HTML in all code except this package and
// tests.
func TestNobodyElseParses(t *testing.T) {
	root := filepath.Join("..", "..")
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || allowed[name] ||
			filepath.Dir(name) == filepath.Join("internal", "markup") || strings.Contains(name, "feedtest") {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		files++
		ast.Inspect(file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && parses(sel) {
				t.Errorf("%s parses HTML itself; call markup.Parse", set.Position(sel.Pos()))
			}
			return true
		})
		return nil
	})
	if err != nil || files < 100 {
		t.Errorf("%d files: %v", files, err)
	}
}

func parses(sel *ast.SelectorExpr) bool {
	for _, name := range unguardedMethods {
		if sel.Sel.Name == name {
			return true
		}
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && unguarded[sel.Sel.Name] == x.Name
}
