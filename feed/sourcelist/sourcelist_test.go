package sourcelist_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dibao/feed"
	"dibao/feed/catalog"
	"dibao/feed/sourcelist"
)

// problem returns the error of a file or of its first bad row.
func problem(file sourcelist.File, err error) error {
	for _, row := range file.Rows {
		err = errors.Join(err, row.Problem)
	}
	return err
}

func sourcesOf(t *testing.T, file sourcelist.File) (all []feed.Source) {
	t.Helper()
	for _, row := range file.Rows {
		if row.Problem != nil {
			t.Fatalf("line %d: %v", row.Line, row.Problem)
		}
		all = append(all, row.Source)
	}
	return all
}

// TestFilesThatAskForMore reads everything that a file can request beyond a public feed or
// page: each is listed, and each bad row is found by its line.
func TestFilesThatAskForMore(t *testing.T) {
	t.Parallel()
	const table = "url\tname\tlicence\tproxy\tuser_agent\tprivate\tcommand\n" +
		"https://a.test/1.xml\tplain\tlink-only\n" +
		"maildir:///home/reader/Maildir\tmail\n" +
		"https://a.test/2.xml\tlicence\town\n" +
		"https://a.test/3.xml\tproxy\t\thttp://u:p@evil.test:3128\n" +
		"https://a.test/4.xml\tagent\t\t\tEvil\n" +
		"http://10.1.2.3:8080/5.xml\tprivate\t\t\t\tyes\n"
	file, err := sourcelist.ReadTSV(strings.NewReader(table))
	if err != nil || len(file.Unread) != 1 || file.Unread[0] != "command" {
		t.Fatalf("%+v, %v", file.Unread, err)
	}
	for i, want := range []string{"", "mail in /home/reader/Maildir", "as own", "proxy http://u:***@evil.test:3128", `"Evil"`, "10.1.2.3:8080"} {
		row := file.Rows[i]
		if got := strings.Join(row.Source.NeedsTrust(), "; "); row.Problem != nil || row.Line != i+2 || !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("row %d: line %d, %q (%v), want %q", i, row.Line, got, row.Problem, want)
		}
	}
	var bad strings.Builder
	bad.WriteString("<opml><body>\n")
	addresses := []string{"file:///etc/passwd", "javascript:alert(1)", "maildir:relative", "gopher://a.test/", "http://u:p@a.test/", "//a.test/", "https://a.test/" + strings.Repeat("x", 5000)}
	for _, a := range addresses {
		bad.WriteString(`<outline text="x" xmlUrl="` + a + "\"/>\n")
	}
	bad.WriteString(`<outline text="mail" xmlUrl="maildir:///var/mail"/></body></opml>`)
	if file, err = sourcelist.ReadOPML(strings.NewReader(bad.String())); err != nil || len(file.Rows) != len(addresses)+1 {
		t.Fatalf("%d rows, %v", len(file.Rows), err)
	}
	for i, row := range file.Rows {
		if isMail := i == len(addresses); row.Line != i+2 || (row.Problem == nil) != isMail || isMail && len(row.Source.NeedsTrust()) == 0 {
			t.Errorf("%.40s: line %d, %v", row.Source.URL, row.Line, row.Problem)
		}
	}
	if _, err := sourcelist.ReadTSV(strings.NewReader("url\n" + strings.Repeat("https://a.test/\n", 10_001))); err == nil || !strings.Contains(err.Error(), "line 10002: more than 10000 sources") {
		t.Errorf("a long table: %v", err)
	}
	if _, err := sourcelist.ReadTSV(strings.NewReader(strings.Repeat("x", 11<<20))); err == nil || !strings.Contains(err.Error(), "larger than 10 MB") {
		t.Errorf("a large file: %v", err)
	}
}

func TestTSV(t *testing.T) {
	var want []feed.Source
	for _, e := range catalog.All() {
		want = append(want, e.Source)
	}
	var first, second bytes.Buffer
	if err := sourcelist.WriteTSV(&first, want); err != nil {
		t.Fatal(err)
	}
	file, err := sourcelist.ReadTSV(bytes.NewReader(first.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	got := sourcesOf(t, file)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(feed.Source{})); diff != "" {
		t.Errorf("read what was written (-want +got):\n%s", diff)
	}
	if err := sourcelist.WriteTSV(&second, got); err != nil || first.String() != second.String() {
		t.Errorf("written again it is another table: %v", err)
	}
	for in, want := range map[string]string{
		"":                           "no column url",
		"name\turl\na\tftp://x/":     "source address",
		"url\tkind\nhttp://a.cn/\t?": "unknown kind",
		"name\n":                     "no column url",
	} {
		if err := problem(sourcelist.ReadTSV(strings.NewReader(in))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want …%s…", in, err, want)
		}
	}
}

func TestOPML(t *testing.T) {
	sources := []feed.Source{
		{URL: "https://a.test/rss.xml", Kind: "feed", Name: "甲 & 乙"}, {URL: "https://b.test/atom", Kind: "feed", Name: "<丙>", Theme: "民政、扶贫、救灾"},
		{URL: "https://c.test/list", Kind: "page", Name: "丁"}, {URL: "https://d.test/rss", Kind: "feed", Name: "戊", Theme: "民政、扶贫、救灾"},
	}
	var b bytes.Buffer
	left, err := sourcelist.WriteOPML(&b, "邸报", sources)
	if err != nil || left != 1 {
		t.Fatalf("%d left out, %v", left, err)
	}
	file, err := sourcelist.ReadOPML(&b)
	if err != nil || len(file.Rows) != 3 {
		t.Fatalf("%d read, %v", len(file.Rows), err)
	}
	got := sourcesOf(t, file)
	for i, j := range []int{0, 1, 3} {
		if got[i].URL != sources[j].URL || got[i].Name != sources[j].Name || got[i].Theme != sources[j].Theme {
			t.Errorf("got %+v, want %+v", got[i], sources[j])
		}
	}
	for in, want := range map[string]string{
		"":       "not valid OPML",
		"<html>": "not valid OPML",
		`<opml><body>` + strings.Repeat(`<outline text="x">`, 100):              "nested deeper",
		`<opml><body><outline text="x" xmlUrl="file:///etc"/></body></opml>`:    "source address",
		`<!DOCTYPE opml [<!ENTITY a "b">]><opml><body></body></opml>`:           "entities",
		`<opml><body><outline xmlUrl="https://a.test/" text="` + "\x00" + `"/>`: "not valid OPML",
	} {
		if err := problem(sourcelist.ReadOPML(strings.NewReader(in))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want …%s…", in[:min(len(in), 60)], err, want)
		}
	}
}

func FuzzReadSources(f *testing.F) {
	f.Add("url\tname\nhttps://a.test/\t甲\n")
	f.Add(`<opml version="2.0"><body><outline text="民政"><outline text="甲" xmlUrl="https://a.test/"/></outline></body></opml>`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, read := range []func() (sourcelist.File, error){
			func() (sourcelist.File, error) { return sourcelist.ReadTSV(strings.NewReader(text)) },
			func() (sourcelist.File, error) { return sourcelist.ReadOPML(strings.NewReader(text)) },
		} {
			file, err := read()
			if err != nil {
				continue
			}
			for _, row := range file.Rows {
				s := row.Source
				if row.Problem == nil && len(s.NeedsTrust()) == 0 && !strings.HasPrefix(strings.ToLower(s.URL), "http") {
					t.Errorf("%q needs no trust", s.URL)
				}
				if row.Problem != nil {
					continue
				}
				if s.URL == "" || s.Kind == "" || s.Name == "" {
					t.Errorf("source %+v", s)
				}
			}
		}
	})
}
