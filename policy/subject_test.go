package policy

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSubject(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		"国务院关于加快发展养老服务业的若干意见":                  "加快发展养老服务业",
		"国务院办公厅关于印发新能源汽车产业发展规划（2021—2035年）的通知": "新能源汽车产业发展",
		"国务院办公厅转发国家发展改革委关于城市更新改造指导意见的通知":       "城市更新改造",
		"国务院关于印发《扎实稳住经济的一揽子政策措施》的通知":           "扎实稳住经济的一揽子政策",
		"国务院办公厅关于养老的通知":                        "",
		"": "",
	} {
		if got := Subject(title); got != want {
			t.Errorf("Subject(%s) = %q, want %q", title, got, want)
		}
	}
	if s := Subject("国务院关于加快发展养老服务业的若干意见"); !Implements("四川省人民政府关于加快发展养老服务业的实施意见", s) || Implements("四川省人民政府关于养老服务的意见", s) || Implements("x", "") {
		t.Error("implements")
	}
}

// listRows reads the titles, issue dates and file names of the test data.
func listRows(t *testing.T, read func(file, title string, issued Date)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(sharedData(t, "listrows"), "*.tsv"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		in := bufio.NewScanner(f)
		in.Scan() // heading
		for in.Scan() {
			c := strings.Split(in.Text(), "\t")
			issued, _ := ParseDate(c[2])
			read(filepath.Base(name), c[1], issued)
		}
	}
}

// Provinces implement decisions of the State Council: about every eleventh of their titles
// names the subject of an earlier one.
func TestImplementsOverLists(t *testing.T) {
	t.Parallel()
	type row struct {
		title, subject string
		issued         Date
	}
	var national, provincial []row
	listRows(t, func(file, title string, issued Date) {
		if file != "State_Council.tsv" {
			provincial = append(provincial, row{title: title, issued: issued})
		} else if s := Subject(title); s != "" && ParseTitle(title).Type != "批复" {
			national = append(national, row{title, s, issued})
		}
	})
	hits, followed := 0, make(map[string]bool)
	for i, p := range provincial {
		hit := false
		for _, n := range national {
			if n.issued.Before(p.issued) && p.issued.Before(n.issued.AddDays(3*365)) && Implements(p.title, n.subject) {
				hit, followed[n.title] = true, true
				if i%40 == 0 {
					t.Logf("%s ← %s (%s)", n.title, p.title, n.subject)
				}
			}
		}
		if hit {
			hits++
		}
	}
	t.Logf("%d of %d provincial titles take up %d of %d national ones", hits, len(provincial), len(followed), len(national))
	if hits < 400 {
		t.Errorf("%d titles", hits)
	}
}
