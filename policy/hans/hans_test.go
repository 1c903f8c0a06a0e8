package hans

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"dibao/policy/fold"
)

// The words of all rules are read in Traditional texts, too: Simplify converts every
// Traditional form of their characters.
func TestCharactersOfRules(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{"../*.go", "../*/*.go"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	used := make(map[rune]string)
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") || slices.Contains([]string{"hans", "fold"}, filepath.Base(filepath.Dir(path))) {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok {
				for _, r := range l.Value {
					used[r] = path
				}
			}
			return true
		})
	}
	if len(used) < 500 {
		t.Fatalf("only %d characters were found in %d files", len(used), len(files))
	}
	for r := rune(firstHan); r <= lastHan; r++ {
		if s := fold.Rune(r); s != r && used[s] != "" && Simplify(string(r)) == string(r) {
			t.Errorf("add %c%c to pairs, for %s", r, s, used[s])
		}
	}
}

func TestSimplify(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"": "", "abc 1": "abc 1", "报名时间": "报名时间", "截止遞交標書日期": "截止递交标书日期",
		"請於十二月一日前將意見書送達本處": "请于十二月一日前将意见书送达本处", "關於徵求意見": "关于征求意见", "\xff報": "\xff報",
	} {
		if got := Simplify(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

// Positions stay the same, and simplified text does not change again.
func TestPairs(t *testing.T) {
	t.Parallel()
	for i, to := range simplified() {
		if to := rune(to); to != 0 && (utf8.RuneLen(to) != 3 || nextTraditional(string(to), 0) >= 0) {
			t.Errorf("%c %c", firstHan+i, to)
		}
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int{
		"一": 1, "十": 10, "十一": 11, "二十": 20, "九十九": 99, "二〇二六": 2026, "二○二六": 2026, "2026": 2026, "两": 2,
		"": -1, "十十": -1, "十〇五": -1, "二十十": -1, "二六年": -1, "一百": -1, "2026111": -1,
	} {
		got, ok := Number(s)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}
