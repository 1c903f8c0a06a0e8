package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"dibao/internal/database/databasetest"
)

// in runs the command line in a folder with a new database.
type in struct {
	t        *testing.T
	dir, url string
}

func inFolder(t *testing.T) in {
	t.Helper()
	dir := t.TempDir()
	return in{t, dir, "sqlite:" + filepath.Join(dir, "dibao.db")}
}

func (d in) run(args ...string) (status int, out, talk string) {
	var stdout, stderr bytes.Buffer
	status = run(append([]string{"--database", d.url}, args...), strings.NewReader(""), &stdout, &stderr)
	return status, stdout.String(), stderr.String()
}

func (d in) must(args ...string) string {
	d.t.Helper()
	status, out, talk := d.run(args...)
	if status != 0 {
		d.t.Fatalf("dibao %s: status %d, %s", strings.Join(args, " "), status, talk)
	}
	return out
}

func (d in) write(name, text string) string {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
	return path
}

// An invalid value is wrong usage (2), whatever is stored; something that does not exist or
// can't be read is a failure (1). In both cases one line says what to do, without words of
// the libraries.
func TestExitStatusAndWords(t *testing.T) {
	t.Parallel()
	d := inFolder(t)
	d.must("source", "import", d.write("one.tsv", "name\tkind\turl\n样例一\tfeed\thttps://www.example.com/1.xml\n样例二\tfeed\thttps://www.example.com/2.xml\n"))
	d.must("list", "create", "weekly")
	for _, c := range []struct {
		args   string
		status int
		want   string
	}{
		{"source edit 样例一", 2, "no change was specified"},
		{"source edit 样例一 --region 火星", 2, "such as 51 or 四川省"},
		{"source edit 样例一 --theme 胡说", 2, "not in the classification of the State Council"},
		{"source edit 样例一 --item li[[", 2, `item selector "li[["`},
		{"source edit 样例一 --content li[[", 2, `content selector "li[["`},
		{"source edit 样例一 --date-pattern (", 2, "date pattern"},
		{"source edit 样例一 --charset foo", 2, "use a name such as gb18030"},
		{"source edit 样例一 --licence bogus", 2, "use one of official, link-only, permitted, own"},
		{"source edit 样例一 --kind bogus", 2, "use one of feed, json, mail, page, sitemap"},
		{"source edit 样例一 --pages 99", 2, "--pages must be from 1 to 10, not 99"},
		{"source edit 样例一 --interval 1", 2, `"1": use a duration such as`},
		{"source edit 样例一 --zone Mars", 2, "unknown time zone"},
		{"source edit 样例一 --url nonsense", 2, "is not an http or https address"},
		{"source edit 样例一 --url https://www.example.com/2.xml", 1, "another source has the address"},
		{"source edit nosuch --name x", 1, `no source "nosuch"; list them with: dibao source list` + "\n"},
		{"source export --format csv", 2, "use one of opml, tsv"},
		{"source show", 2, "write it as: dibao source show SOURCE"},
		{"source nothing", 2, `unknown command "nothing"`},
		{"document list --level foo", 2, "use one of central, ministry, province, city, county"},
		{"document list --limit -1", 2, "use a whole number from 1"},
		{"article list --kind foo", 2, "use one of document"},
		{"article list --region 火星", 2, "such as 51 or 四川省"},
		{"article list --limit -1", 2, "use a whole number from 1"},
		{"article list --since soon", 2, "is not YYYY-MM-DD"},
		{"article show abc", 2, "is not an article number"},
		{"article show 99", 1, "article 99: not found"},
		{"article edit 99 --theme 胡说", 2, "not in the classification of the State Council"},
		{"article edit 99 --region 火星", 2, "is unknown"},
		{"article edit 99 --expires soon", 2, "soon"},
		{"article edit 99 --title=", 2, "--undo title"},
		{"subscriber list --state foo", 2, "use one of pending, confirmed, unsubscribed"},
		{"subscriber list --limit 0", 2, "use a whole number from 1"},
		{"subscriber show foo", 2, "does not look like name@example.org"},
		{"subscriber show foo@example.org", 1, "to see all readers: dibao subscriber list\n"},
		{"subscriber add a@example.org --list nosuch", 1, "to see all lists: dibao list show\n"},
		{"list create Weekly", 2, "lowercase letters"},
		{"list create daily --cron foo", 2, "is not valid; write minute (0-59)"},
		{"list create daily --language fr", 2, "use one of zh, en"},
		{"list show nosuch", 1, "dibao list show\n"},
		{"list preview weekly --left-out abc", 2, `--left-out "abc": use a whole number`},
		{"bounce list --kind foo", 2, "use one of reply"},
		{"bounce read nofile", 1, "no file could be read"},
		{"token create x --scope bogus", 2, "neither read nor a group or a command of the API"},
		{"token create x --scope subscriber:bogus", 2, "subscriber:add"},
		{"token revoke nosuch", 1, "dibao token list\n"},
		{"inspect list nofile", 2, "--url"},
		{"inspect list --url https://www.example.com/ --item li[[ nofile", 2, "item selector"},
		{"inspect list --url https://www.example.com/ nofile", 3, "nofile could not be read"},
		{"inspect same nofile nofile", 3, "nofile could not be read"},
		{"inspect page nofile", 3, "could not be read"},
		{"issue test nobody", 2, "does not look like name@example.org"},
		{"issue list --limit 0", 2, "use a whole number from 1"},
		{"issue preview weekly --format foo", 2, "use one of html, text, browser"},
		{"article reread 99", 1, "dibao article list"},
		{"help source nothing", 2, `unknown command "nothing" for "dibao source"`},
		{"sorce list", 2, "did you mean serve, source?"},
		{"list list", 2, "did you mean show"},
		{"issue hold", 2, "issue compose LIST --hold"},
		{"completion foo", 2, `unknown command "foo"`},
		{"backup nowhere/x", 1, "the folder nowhere does not exist"},
		{"audit --limit 0", 2, "use a whole number from 1"},
		{"mail keygen --type foo --domain example.org key.pem", 2, "use one of rsa, ed25519"},
	} {
		status, _, talk := d.run(strings.Fields(c.args)...)
		if status != c.status || !strings.Contains(talk, c.want) || strings.Count(talk, "\n") != 1 {
			t.Errorf("dibao %s: status %d, want %d; said %q, want %q in one line", c.args, status, c.status, talk, c.want)
		}
		for _, leak := range []string{"strconv", "CHECK constraint", "SQLSTATE", "pflag", "arg(s)"} {
			if strings.Contains(talk, leak) {
				t.Errorf("dibao %s: said %q", c.args, talk)
			}
		}
	}
}

// Changes are distinguished from what must be tested: only a change of how a source is read
// suggests a test.
func TestSourceEditSaysHowToLook(t *testing.T) {
	t.Parallel()
	d := inFolder(t)
	d.must("source", "import", d.write("one.tsv", "name\tkind\turl\n样例\tfeed\thttps://www.example.com/1.xml\n"))
	for args, want := range map[string]string{"--region=浙江省杭州市滨江区": "dibao source show 1", "--theme=民政": "dibao source show 1", "--charset=gbk": "dibao source test 1"} {
		if status, _, talk := d.run("source", "edit", "样例", args); status != 0 || !strings.Contains(talk, want) {
			t.Errorf("%s: status %d, said %q, want %q", args, status, talk, want)
		}
	}
	if out := d.must("--json", "source", "show", "样例"); !strings.Contains(out, `"region":"330108"`) || !strings.Contains(out, `"theme":"民政、扶贫、救灾"`) {
		t.Errorf("got %s", out)
	}
}

// The table contains everything about a source, so that a source is the same after export
// and import.
func TestSourceTableHoldsEverything(t *testing.T) {
	t.Parallel()
	d := inFolder(t)
	table := "name\tkind\turl\tpages\tinterval\tproxy\tuser_agent\n样例\tpage\thttps://www.example.com/a/\t3\t30m0s\tsocks5://proxy.example.com:1080\tdibao test\n"
	d.must("source", "import", "--trust", d.write("in.tsv", table))
	out := d.must("source", "export", "--format", "tsv")
	other := inFolder(t)
	other.must("source", "import", "--trust", other.write("out.tsv", out))
	if again := other.must("source", "export", "--format", "tsv"); again != out {
		t.Errorf("exported\n%swant\n%s", again, out)
	}
	got := other.must("--json", "source", "show", "样例")
	for _, want := range []string{`"pages":3`, `"interval_seconds":1800`, `"proxy":"socks5://proxy.example.com:1080"`, `"user_agent":"dibao test"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s: want %s", got, want)
		}
	}
	for cells, want := range map[string]string{"x\t": "pages", "\tnever": "interval"} {
		_, _, talk := other.run("source", "import", other.write("bad.tsv", "url\tpages\tinterval\nhttps://www.example.com/b/\t"+cells+"\n"))
		if !strings.Contains(talk, "line 2 is refused: "+want) {
			t.Errorf("%q: said %q, want the line and %s", cells, talk, want)
		}
	}
}

// Corrections that contradict each other are refused. The history of an article shows whether a value
// was set to unknown or a correction was undone.
func TestArticleCorrectionsMakeSense(t *testing.T) {
	t.Parallel()
	d := inFolder(t)
	for _, folder := range []string{"new", "cur"} {
		if err := os.MkdirAll(filepath.Join(d.dir, "box", folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	d.write("box/new/1", "From: e@example.org\nDate: Fri, 04 Mar 2022 09:00:00 +0800\nMessage-ID: <1@example.org>\nSubject: notice\nContent-Type: text/plain; charset=utf-8\n\nText.\n")
	d.must("source", "add", "maildir://"+filepath.Join(d.dir, "box"), "--name", "样例")
	d.must("collect")
	d.must("article", "edit", "1", "--effective", "2026-03-01")
	if status, _, talk := d.run("article", "edit", "1", "--expires", "2026-02-01"); status != 2 || !strings.Contains(talk, "before it is in force on 2026-03-01") {
		t.Errorf("status %d, %q", status, talk)
	}
	if out := d.must("--json", "article", "show", "1"); !strings.Contains(out, `"expires":null`) {
		t.Errorf("a refused correction was stored: %s", out)
	}
	d.must("article", "edit", "1", "--theme", "民政")
	d.must("article", "edit", "1", "--theme=")
	d.must("article", "edit", "1", "--undo", "theme")
	history := d.must("--json", "article", "history", "1")
	for _, want := range []string{
		`"what":"correction","field":"theme","value":"民政"`, `"what":"correction","field":"theme","value":null`, `"what":"undone","field":"theme","value":null`,
	} {
		if !strings.Contains(history, want) {
			t.Errorf("history %s: want %s", history, want)
		}
	}
	if out := d.must("article", "history", "1"); !strings.Contains(out, "(unknown)") {
		t.Errorf("history:\n%s", out)
	}
}

// The doctor examines and changes nothing.
func TestDoctorMakesNothing(t *testing.T) {
	t.Parallel()
	d := inFolder(t)
	status, out, _ := d.run("--json", "doctor")
	if status != 1 || !strings.Contains(out, `"check":"database","status":"failed"`) || !strings.Contains(out, "dibao init") {
		t.Errorf("without a database: status %d\n%s", status, out)
	}
	if left, err := os.ReadDir(d.dir); err != nil || len(left) > 0 {
		t.Errorf("the doctor made %v (%v)", left, err)
	}
	d.must("migrate")
	status, out, _ = d.run("--json", "doctor")
	for _, want := range []string{`"check":"base_url","status":"warning"`, `"check":"clock","status":"ok"`, `"check":"disk"`, `"check":"database","status":"ok"`, `"check":"mail","status":"warning"`} {
		if status != 0 || !strings.Contains(out, want) {
			t.Errorf("status %d\n%s\nwant %s", status, out, want)
		}
	}
	onPostgres := in{t, d.dir, databasetest.Postgres(t)}
	if out = onPostgres.must("--json", "doctor"); !strings.Contains(out, `"check":"database","status":"ok"`) || strings.Contains(out, `"check":"disk"`) {
		t.Errorf("on PostgreSQL\n%s", out)
	}
	file := d.write("bad.toml", "[mail]\nfrom = \"kaputt\"\n")
	_, out, _ = d.run("--json", "--config", file, "doctor")
	if !strings.Contains(out, `"check":"configuration","status":"failed"`) || strings.Contains(out, `"check":"database"`) {
		t.Errorf("a wrong sender is blamed on something else:\n%s", out)
	}
}

// A spreadsheet opens the report of an import as UTF-8.
func TestImportReportIsReadAsUTF8(t *testing.T) {
	t.Parallel()
	d := inFolder(t)
	d.must("list", "create", "weekly")
	file := d.write("in.csv", "email\nnobody\n")
	if status, _, talk := d.run("subscriber", "import", file, "--list", "weekly", "--consent", "form"); status != 3 {
		t.Fatalf("status %d, %s", status, talk)
	}
	report, err := os.ReadFile(file + ".report.csv")
	if err != nil || !bytes.HasPrefix(report, []byte("\xEF\xBB\xBFrow,outcome,why,address\n")) {
		t.Errorf("report %q (%v)", report, err)
	}
}

// People see a domain in its own letters, programs its ASCII form.
func TestForeignDomainIsShownInItsLetters(t *testing.T) {
	t.Parallel()
	d := inFolder(t)
	d.must("list", "create", "weekly")
	d.must("subscriber", "add", "li@例子.example", "--consent", "form")
	if out := d.must("subscriber", "list"); !strings.Contains(out, "li@例子.example") {
		t.Errorf("got\n%s", out)
	}
	if out := d.must("--json", "subscriber", "list"); !strings.Contains(out, "li@xn--fsqu00a.example") {
		t.Errorf("got %s", out)
	}
}

// A feed is named by its own title, unless an admin gives it a name.
func TestFeedIsCalledByItsTitle(t *testing.T) {
	t.Parallel()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/feed.xml", "/nameless.xml":
			title := "<title> 样例市 &amp;amp; 政策 </title>"
			if r.URL.Path == "/nameless.xml" {
				title = ""
			}
			_, _ = io.WriteString(w, `<rss version="2.0"><channel>`+title+`<item><guid>1</guid><title>一</title><link>https://www.example.com/1</link></item></channel></rss>`)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(site.Close)
	d := inFolder(t)
	for _, c := range []struct {
		path, name, want string
		kind             []string
	}{
		{"/feed.xml", "", "样例市 & 政策", nil}, {"/feed.xml?a", "", "样例市 & 政策", []string{"--kind", "feed"}}, {"/feed.xml?b", "自己的名称", "自己的名称", nil}, {"/nameless.xml", "", "127.0.0.1", nil},
	} {
		out := d.must(append([]string{"--json", "source", "add", "--private", site.URL + c.path, "--name", c.name}, c.kind...)...)
		var added struct{ Name string }
		if err := json.Unmarshal([]byte(out), &added); err != nil || added.Name != c.want {
			t.Errorf("%s: %q, want %q (%v)", c.path, added.Name, c.want, err)
		}
	}
}

// The shell completes the values of a flag.
func TestCompletionOfChoices(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if status := run([]string{"__complete", "source", "edit", "x", "--licence", ""}, strings.NewReader(""), &out, io.Discard); status != 0 || !strings.HasPrefix(out.String(), "official\nlink-only\npermitted\nown\n") {
		t.Errorf("status %d, got %q", status, out.String())
	}
}

// Without a terminal, long work reports its progress from time to time; --quiet prints
// nothing.
func TestProgressInLines(t *testing.T) {
	t.Parallel()
	var talk bytes.Buffer
	cmd := &cobra.Command{}
	cmd.SetErr(&talk)
	for _, g := range []*globals{{}, {quiet: true}} {
		p := g.progress(cmd, "send", "send: %d messages", 100)
		p.count(10) // too soon
		p.last = time.Now().Add(-lineEvery)
		p.count(20)
		p.count(30) // too soon again
		p.done()
	}
	if got := talk.String(); got != "send: 20 messages\n" {
		t.Errorf("got %q", got)
	}
}

// A theme that is not official is refused for a list, which would match nothing; a search
// accepts it with a warning, because sites have their own classifications.
func TestStrangeThemesAreToldOf(t *testing.T) {
	t.Parallel()
	d := inFolder(t)
	for _, c := range []struct {
		args    string
		strange bool
		status  int
	}{
		{"list create odd --theme 胡说", true, 2}, {"list create good --theme 民政 --theme 卫生、体育", false, 0}, {"list edit good --theme 胡说", true, 2},
		{"article list --theme 胡说", true, 0}, {"document list --theme 养老", true, 0}, {"article list --theme 民政", false, 0}, {"article list", false, 0},
	} {
		status, _, talk := d.run(strings.Fields(c.args)...)
		if told := strings.Contains(talk, "not in the classification of the State Council"); told != c.strange || status != c.status {
			t.Errorf("dibao %s: status %d, %q", c.args, status, talk)
		}
	}
}
