package cli

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
)

// A table fits the terminal; text that must be read in full is wrapped, not truncated.
func TestTableFitsTheTerminal(t *testing.T) {
	reason := strings.Repeat("the server refuses our mail ", 8)
	wide := Table{Headings: []any{"ID", "Title", "Problem"}, Rows: [][]any{
		{1, strings.Repeat("关于印发办法的通知", 12), reason}, {2, "短", ""},
	}}
	print := func() string {
		var out bytes.Buffer
		wide.Print(&out)
		return out.String()
	}
	t.Setenv("COLUMNS", "80")
	narrow := print()
	for line := range strings.Lines(narrow) {
		if w := text.StringWidthWithoutEscSequences(strings.TrimRight(line, "\n")); w > 80 {
			t.Errorf("%d columns: %s", w, line)
		}
	}
	words := strings.Count(narrow, "refuses")
	if words != 8 || !strings.Contains(narrow, "…") {
		t.Errorf("the last column has %d of 8 words, and the title is to end in …:\n%s", words, narrow)
	}
	t.Setenv("COLUMNS", "")
	if full := print(); !strings.Contains(full, strings.Repeat("关于印发办法的通知", 12)) || !strings.Contains(full, strings.TrimSpace(reason)) {
		t.Errorf("cut without a terminal:\n%s", full)
	}
	wide.Chinese = true
	if got := print(); !strings.Contains(got, "标题") || strings.Contains(got, "TITLE") {
		t.Errorf("no Chinese headings:\n%s", got)
	}
}

// Every heading in the program has a Chinese translation, and every translation is used.
func TestHeadingsInChineseAreWhole(t *testing.T) {
	t.Parallel()
	used := make(map[string]bool)
	err := filepath.WalkDir("..", func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		headings := func(e ast.Expr) {
			list, ok := e.(*ast.CompositeLit)
			if !ok {
				return
			}
			for _, x := range list.Elts {
				if lit, ok := x.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					s, _ := strconv.Unquote(lit.Value)
					used[s] = true
				}
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.CallExpr:
				if callee(x) == "r.Say" {
					if label, ok := formatOf(x.Args[0]); ok && label != "" && !strings.Contains(label, "%") {
						used[strings.ToUpper(label[:1])+label[1:]] = true
					}
				}
				if name := callee(x); (name == "printRows" || name == "cli.PrintRows") && len(x.Args) > 2 {
					headings(x.Args[2])
				}
			case *ast.AssignStmt:
				if f, ok := x.Lhs[0].(*ast.Ident); ok && f.Name == "headings" {
					headings(x.Rhs[0])
				}
			}
			return true
		})
		return nil
	})
	if err != nil || len(used) < 50 {
		t.Fatal(len(used), err)
	}
	for h := range used {
		if ChineseHeadings()[h] == "" {
			t.Errorf("no Chinese in headings.zh.json for %q", h)
		}
	}
	for h := range ChineseHeadings() {
		if !used[h] {
			t.Errorf("headings.zh.json translates what is not a heading: %q", h)
		}
	}
}

// TestReportKeepsAddressesWhole wraps a sentence that contains an address: the address
// stays on one line for copying.
func TestReportKeepsAddressesWhole(t *testing.T) {
	t.Parallel()
	const address = "http://www.example.gov.cn/api/list.json?page=1&size=20"
	var out bytes.Buffer
	r := Report{Out: &out}
	r.Line("办法", "加入该地址，它返回这个栏目的全部文章："+address+"，或者在浏览器里渲染这个网页", labelWidth)
	if !strings.Contains(out.String(), address) {
		t.Errorf("the address is cut:\n%s", out.String())
	}
	for line := range strings.Lines(out.String()) {
		if w := text.StringWidthWithoutEscSequences(strings.TrimRight(line, "\n")); w > 80 {
			t.Errorf("%d columns: %s", w, line)
		}
	}
}
