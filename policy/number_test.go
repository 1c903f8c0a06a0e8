package policy

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shared returns a file of the test data next to the checkout, and skips the test if there
// is none.
func shared(t testing.TB, name ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{"..", "..", "shared", "data"}, name...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the shared test data is not beside this checkout: %v", err)
	}
	return path
}

func TestParseNumber(t *testing.T) {
	for in, want := range map[string]string{
		"发文字号：晋政发[2013]35号":    "晋政发〔2013〕35号",
		"豫政办 〔 2021 〕68 号":     "豫政办〔2021〕68号",
		"\u200B渝府办发〔2019〕103号": "渝府办发〔2019〕103号",
		"沪科合〔2008〕第006号":       "沪科合〔2008〕6号",
		"晋政发（２０１８）１２号":         "晋政发〔2018〕12号",
		"样药检（残留）函〔2020〕48号":    "样药检（残留）函〔2020〕48号",
		"省政府令 第219号":           "省政府令第219号",
		"公告2018年第14号":          "公告2018年第14号",
		"发文字号：晋政办发〔2012〕18":    "",
		"晋政发〔2014〕号16":         "",
		"":                     "",
	} {
		got, ok := ParseNumber(in)
		if got != want || ok != (want != "") {
			t.Errorf("ParseNumber(%q) = %q, %v; want %q", in, got, ok, want)
		}
	}
}

// Numbers of many organizations in many forms, and texts that are not numbers.
func TestHardNumbers(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join("testdata", "numbers-hard.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimRight(string(b), "\n"), "\n")[1:]
	for _, row := range rows {
		raw, want, _ := strings.Cut(row, "\t")
		if got, _ := ParseNumber(raw); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
	if len(rows) < 100 {
		t.Errorf("%d rows", len(rows))
	}
}

func TestFindNumbers(t *testing.T) {
	for in, want := range map[string]string{
		"根据国家经贸委等部门下发的国经贸经〔1998〕154号文件精神":              "国经贸经〔1998〕154号",
		"《国务院关于修改部分行政法规的决定》（中华人民共和国国务院令第703号）":         "国务院令第703号",
		"十三届全国人大三次会议第4196号代表建议; 联系电话54038732":          "",
		"《中华人民共和国慈善法》（中华人民共和国主席令第四十三号）和样例市第一号公告":       "主席令第43号",
		"经主席令第一百零二号公布，见第三号楼":                           "主席令第102号",
		"第二十号提案和第一号台风":                                 "",
		"为贯彻落实《国务院办公厅关于促进内外贸一体化发展的意见》（国办发〔2021〕59号）精神": "国办发〔2021〕59号",
	} {
		var got []string
		for _, n := range FindNumbers(in) {
			got = append(got, n.Number)
		}
		if g := strings.Join(got, " "); g != want {
			t.Errorf("FindNumbers(%q) = %q, want %q", in, g, want)
		}
	}
}

func TestParseNumberAgreesWithTheReference(t *testing.T) {
	f, err := os.Open(shared(t, "docnumbers", "open.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, right := 0, 0
	s := bufio.NewScanner(f)
	s.Scan() // heading
	for s.Scan() {
		c := strings.Split(s.Text(), "\t")
		rows++
		if got, _ := ParseNumber(c[2]); got == c[3] {
			right++
		} else if rows-right < 20 {
			t.Logf("%q: got %q, want %q", c[2], got, c[3])
		}
	}
	t.Logf("%d of %d", right, rows)
	if rows < 1000 || float64(right) < 0.999*float64(rows) {
		t.Fatalf("%d of %d document numbers are right, want 99.9 %%", right, rows)
	}
}

func FuzzParseNumber(f *testing.F) {
	for _, s := range []string{"国办发〔2023〕15号", "公告2018年第14号", "国务院令第703号", "晋政发（２０１８）１２号", strings.Repeat("第", 1000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		canonical, ok := ParseNumber(s)
		if !ok {
			return
		}
		// Canonical numbers are their own canonical form.
		if again, ok := ParseNumber(canonical); !ok || again != canonical {
			t.Fatalf("%q → %q → %q, %v", s, canonical, again, ok)
		}
	})
}
