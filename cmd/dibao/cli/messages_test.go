package cli

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dibao/internal/plural"
)

// translatedFolders contain the messages, errors and findings that commands print.
var translatedFolders = []string{"..", "../demo", "../demo/samplesite", "../../../internal/rows", "../doctor", "../filereader", "../flags", "../sources", "../inspect", "../mailer", "../notice", "../remote", "../status", "../trial", "../../../internal/config", "../../../feed", "../../../subscribers", "../../../subscribers/mailaddr", "../../../subscribers/tokens",
	"../../../internal/fetch", "../../../internal/database", "../../../feed/sourcelist", "../../../feed/visit", "../../../feed/collect", "../../../feed/ingest", "../../../feed/ingest/answer", "../../../feed/ingest/feedtext", "../../../feed/ingest/jsonpath", "../../../feed/ingest/decode", "../../../feed/ingest/literal",
	"../../../digest", "../../../digest/pages", "../../../digest/channel", "../../../digest/inbound", "../../../digest/delivery", "../../../internal/jobs", "../../../internal/nodes", "../../../internal/mail", "../../../internal/web", "../../../internal/filetext", "../../../internal/browser", "../../../feed/catalog", "../../../policy/match", "../../../policy/when", "../view"}

// formatOf returns the format that an expression results in: a literal, a concatenation of
// literals and values, or a call of fmt.Sprintf.
func formatOf(e ast.Expr) (string, bool) { return amounts(e, false) }

// amounts is formatOf for an expression that may be part of a format (isFormat).
func amounts(e ast.Expr, isFormat bool) (string, bool) {
	switch x := e.(type) {
	case *ast.BasicLit:
		if x.Kind == token.STRING {
			s, err := strconv.Unquote(x.Value)
			return s, err == nil
		}
	case *ast.ParenExpr:
		return amounts(x.X, isFormat)
	case *ast.BinaryExpr:
		left, leftOK := addend(x.X, isFormat)
		right, rightOK := addend(x.Y, isFormat)
		return left + right, leftOK || rightOK
	case *ast.CallExpr:
		if callee(x) == "fmt.Sprintf" {
			return amounts(x.Args[0], true)
		}
	}
	return "%s", false
}

// addend does for an operand of a concatenation what amounts does for a format.
func addend(e ast.Expr, isFormat bool) (string, bool) {
	s, ok := amounts(e, isFormat)
	if _, isLiteral := e.(*ast.BasicLit); isLiteral && !isFormat {
		s = strings.ReplaceAll(s, "%", "%%")
	}
	return s, ok
}

// bare returns a format without what joins it to another.
func bare(format string) string {
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(format, "; "), ", "), "\n")
}

// callee returns the name of a called function, with its package or receiver.
func callee(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if of, ok := f.X.(*ast.Ident); ok {
			return of.Name + "." + f.Sel.Name
		}
		return "." + f.Sel.Name
	}
	return ""
}

// formatArgument is the index of the argument of a function that is a format for users.
var formatArgument = map[string]int{
	"p.Say": 1, "p.Print": 1, "p.Confirm": 1, "p.Message": 0, "g.say": 1, "g.print": 1, "g.confirm": 1, "g.message": 0, "g.text": 0, "usagef": 0, "Usagef": 0, "cli.Usagef": 0, "fmt.Errorf": 0, "errors.New": 0,
	"fault.Invalid": 0, "found": 1, "fault.Missing": 0, "d.add": 3, "d.publish": 3, "r.Say": 1, "d.say": 0, "d.text": 0, "s.text": 0, "r.Text": 0, "r.refuse": 1, "s.head": 0,
}

var (
	anyVerb = regexp.MustCompile(`%(?:\[\d+\])?[-+# 0]*\d*(?:\.\d+)?[a-zA-Z%]`)
	// noWords matches formats without sentences: values and their names.
	noWords = regexp.MustCompile(`^[\W\d_]*(?:[a-z0-9_]+: )?[\W\d_]*[a-z]?$`)
)

// sayingMethods return texts for users.
var sayingMethods = []string{"Advice", "Error", "LastSeen", "NeedsTrust", "check", "elsewhere", "Reason", "Sentence", "String", "nextIssue",
	"CheckAddr", "checkHost", "checkName", "checkPort", "parseURL", "explainTLS", "calls", "Trouble", "progressOf"}

// textsForUsers returns the formats of texts for users, by place, and all texts in the sources.
func textsForUsers(t *testing.T) (formats map[string]string, texts map[string]bool) {
	formats, texts = make(map[string]string), make(map[string]bool)
	files := token.NewFileSet()
	for _, folder := range translatedFolders {
		paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		add := func(e ast.Expr) {
			format, ok := formatOf(e)
			format = bare(format)
			if ok && !noWords.MatchString(anyVerb.ReplaceAllString(format, "")) {
				formats[format] = files.Position(e.Pos()).String()
			}
		}
		for _, path := range paths {
			if name := filepath.Base(path); strings.HasSuffix(name, "_test.go") || name == "bench.go" || name == "api.go" && folder != ".." { // the JSON API for readers is in English
				continue
			}
			file, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch x := n.(type) {
				case *ast.CallExpr:
					if i, ok := formatArgument[callee(x)]; ok && len(x.Args) > i {
						add(x.Args[i])
					}
					if callee(x) == "append" && len(x.Args) > 1 && (filepath.Base(folder) == "doctor" || filepath.Base(folder) == "feed") {
						add(x.Args[1])
					}
				case *ast.CompositeLit:
					if of, ok := x.Type.(*ast.Ident); ok && of.Name == "Error" && len(x.Elts) == 2 && filepath.Base(folder) == "rows" {
						add(x.Elts[1])
					}
					if filepath.Base(folder) == "config" && x.Type == nil && len(x.Elts) == 2 {
						add(x.Elts[1]) // what is wrong with a file
					}
					if of, ok := x.Type.(*ast.Ident); ok && of.Name == "Note" && len(x.Elts) == 4 {
						add(x.Elts[3]) // about an import
					}
					if filepath.Base(folder) == "doctor" || folder == ".." {
						finding(x, add)
					}
					if of, ok := x.Type.(*ast.SelectorExpr); ok && of.Sel.Name == "Letter" && folder == ".." {
						for _, e := range x.Elts {
							if named, ok := e.(*ast.KeyValueExpr); ok && slices.Contains([]string{"Title", "Lead"}, named.Key.(*ast.Ident).Name) {
								add(named.Value) // in an email to the admin
							}
						}
					}
				case *ast.KeyValueExpr:
					if key, ok := x.Key.(*ast.Ident); ok && filepath.Base(folder) == "answer" && slices.Contains([]string{"What", "Script", "Puzzle", "Refused"}, key.Name) {
						add(x.Value) // the kind of a page
					}
				case *ast.AssignStmt:
					if to, ok := x.Lhs[0].(*ast.SelectorExpr); ok && (to.Sel.Name == "Text" || to.Sel.Name == "Why" || to.Sel.Name == "Lead") {
						add(x.Rhs[0])
					}
					if to, ok := x.Lhs[0].(*ast.Ident); ok && to.Name == "text" && filepath.Base(folder) == "doctor" {
						add(x.Rhs[0])
					}
				case *ast.FuncDecl:
					if slices.Contains(sayingMethods, x.Name.Name) {
						ast.Inspect(x, func(n ast.Node) bool {
							if r, ok := n.(*ast.ReturnStmt); ok {
								add(r.Results[len(r.Results)-1])
							}
							return true
						})
					}
				}
				if e, ok := n.(ast.Expr); ok {
					if s, ok := formatOf(e); ok {
						texts[bare(s)] = true
					}
				}
				return true
			})
		}
	}
	if len(formats) < 300 {
		t.Fatalf("%d formats were found", len(formats))
	}
	return formats, texts
}

// finding adds the text of a finding of the doctors.
func finding(x *ast.CompositeLit, add func(ast.Expr)) {
	name := ""
	switch of := x.Type.(type) {
	case *ast.Ident:
		name = of.Name
	case *ast.SelectorExpr:
		name = of.Sel.Name
	case nil:
		name = "Finding" // the element of a list of them
	}
	if name != "Finding" || len(x.Elts) != 3 {
		return
	}
	if named, ok := x.Elts[2].(*ast.KeyValueExpr); ok {
		if key, ok := named.Key.(*ast.Ident); ok && key.Name == "Text" {
			add(named.Value)
		}
		return
	}
	add(x.Elts[2])
}

// verbsOf returns the verbs of a format by argument, in a form for comparing languages.
func verbsOf(format string, chinese bool) []string {
	_, verbs := cut(format)
	var out []string
	for _, v := range verbs {
		letter := string(v.letter())
		if letter == "q" || letter == "w" || letter == "v" {
			letter = "s" // in the Chinese, quotation marks may be part of the format
		}
		out = append(out, strconv.Itoa(v.arg)+letter)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

var (
	onePlural = regexp.MustCompile(`(?:^|[^\w.,:/-])1 (?:([a-z]+) )?([a-z]+s)\b`)
	oneVerb   = regexp.MustCompile(`(?:^|[^\w.,:/-])1 (?:of 1 )?[a-z]+[^;:,.()]* (?:are|were|have|do|get|match|wait)\b`)
	singular  = regexp.MustCompile(`^(?:is|has|goes|looks|continues|does|this|address|nested)$`)
)

// TestCountsOfOne tests former bugs, such as "1 readers get no more mail" and "1 source has no
// feed and are not in the OPML".
func TestCountsOfOne(t *testing.T) {
	t.Parallel()
	formats, _ := textsForUsers(t)
	for format, at := range formats {
		raw := strings.NewReplacer("%d", "1", "%s", "X", "%q", `"X"`, "%w", "X", "%v", "X").Replace(format)
		text := plural.English(raw)
		for _, m := range onePlural.FindAllStringSubmatch(text, -1) {
			if strings.Contains(raw, m[0]) && !singular.MatchString(m[1]) && !singular.MatchString(m[2]) {
				t.Errorf("%s: %q", at, text)
			}
		}
		if oneVerb.MatchString(text) && !strings.Contains(text, "should have") {
			t.Errorf("%s: %q", at, text)
		}
	}
}

// Every message, error and finding has a Chinese translation with the same values, and
// every translation is used.
func TestMessagesInChineseAreWhole(t *testing.T) {
	t.Parallel()
	formats, texts := textsForUsers(t)
	chinese := words(chineseMessages)
	for _, format := range slices.Sorted(maps.Keys(formats)) {
		if chinese[format] == "" {
			t.Errorf("%s: no Chinese in messages.zh.json for %q", formats[format], format)
		}
	}
	for format, text := range chinese {
		if !texts[format] {
			t.Errorf("messages.zh.json translates what is said nowhere: %q", format)
		}
		if !strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%q is not Chinese", text)
		}
		if en, zh := verbsOf(format, false), verbsOf(text, true); !slices.Equal(en, zh) {
			t.Errorf("%q has the values %v, its Chinese %q has %v", format, en, text, zh)
		}
	}
}

// Errors are translated as a whole, and those that wrap others part by part; unknown parts
// stay in English.
func TestErrorsInChinese(t *testing.T) {
	t.Parallel()
	for english, want := range map[string]string{
		`no list "wekly"; to see all lists: dibao list show`:                   `没有列表“wekly”；查看：dibao list show`,
		`source 3: not found`:                                                  `来源 3：不存在`,
		`backup a.dibao: open a.dibao: no such file or directory`:              `备份 a.dibao：打开 a.dibao：没有这个文件或目录`,
		`not found: 3 of 10 articles; to see all articles: dibao article list`: `10 篇文章中有 3 篇不存在；查看：dibao article list`,
		// Values are not translated in part, and their order may differ.
		`c.toml:3: unknown key "hots" in [mail]; did you mean "host"?; c.toml:9: timeout in [fetch]: "90m" is not a duration from 1s to 10m`: `c.toml:3：[mail] 里没有“hots”这个键；您要写的是不是“host”？；c.toml:9：[fetch] 的 timeout："90m" 不是 1s 至 10m 的时长`,
		// Lists have a 顿号 between their values.
		`--kind "x": use one of feed, page; see: dibao source add --help`: `--kind 的值“x”有误：请用下列之一：feed、page；查看：dibao source add --help`,
		`unknown flag: --jsn; see: dibao source list --help`:              `没有选项 --jsn；查看：dibao source list --help`,
		`the moon is full: buy cheese; run: dibao moon`:                   `the moon is full: buy cheese; run: dibao moon`,
		`tls: the moon is full: connection refused`:                       `tls: the moon is full：连接被拒绝`,
		`see host in [mail]: it is what to set in [mail] some day`:        `see host in [mail]: it is what to set in [mail] some day`,
		"": "",
	} {
		if got := Chinese(english); got != want {
			t.Errorf("%s\n got %s\nwant %s", english, got, want)
		}
	}
	if got := Say("no document is called %q; look for it with: dibao article search %q", "a", "a"); got != `没有公文叫“a”；请检索：dibao article search "a"` {
		t.Error(got)
	}
	if got := Say("%d emails went, 100%% of them", 3); got != "3 emails went, 100% of them" {
		t.Error("a message without a Chinese text should be formatted in English: ", got)
	}
}

// Each text of a library or the system occurs.
func TestLibrariesInChinese(t *testing.T) {
	t.Parallel()
	flags := func(args ...string) error {
		f := pflag.NewFlagSet("", pflag.ContinueOnError)
		f.SetOutput(io.Discard)
		f.BoolP("all", "a", false, "")
		f.String("text", "", "")
		return f.Parse(args)
	}
	group := func(args []string, mark func(c *cobra.Command)) error {
		c := &cobra.Command{SilenceErrors: true, SilenceUsage: true, Run: func(*cobra.Command, []string) {}}
		c.Flags().Bool("one", false, "")
		c.Flags().Bool("two", false, "")
		mark(c)
		c.SetArgs(args)
		return c.Execute()
	}
	used := make(map[string]bool)
	for _, err := range []error{
		syscall.ECONNREFUSED, syscall.ENOENT, syscall.EACCES, syscall.EISDIR, syscall.ENOTDIR, syscall.ENOSPC, syscall.EEXIST, syscall.EADDRINUSE,
		syscall.ECONNRESET, syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.EROFS, syscall.ETIMEDOUT, os.ErrDeadlineExceeded, context.DeadlineExceeded, context.Canceled,
		io.EOF, io.ErrUnexpectedEOF, &net.DNSError{Err: "no such host", Name: "a.test"}, &net.DNSError{Err: "no such host", Name: "a.test", Server: "192.0.2.53:53"}, &fs.PathError{Op: "open", Path: "a", Err: syscall.ENOENT},
		&fs.PathError{Op: "stat", Path: "a", Err: syscall.ENOENT}, &fs.PathError{Op: "read", Path: "a", Err: syscall.EISDIR}, &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 25}, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)},
		os.NewSyscallError("connect", syscall.ECONNREFUSED), &url.Error{Op: "Get", URL: "http://a.test", Err: io.EOF},
		xml.Unmarshal([]byte("<a><b></a>"), new(struct{})), xml.Unmarshal([]byte("<a>&x;</a>"), new(struct{})), xml.Unmarshal([]byte("<a/>"), new(struct {
			XMLName xml.Name `xml:"b"`
		})),
		json.Unmarshal([]byte("{"), new(any)), json.Unmarshal([]byte("{x"), new(any)), json.Unmarshal([]byte("x"), new(any)), json.Unmarshal([]byte(`{"a":1 x`), new(any)),
		json.Unmarshal([]byte(`{"a":"x"}`), new(struct{ A int })),
		flags("--al"), flags("-b"), flags("--text"), flags("---"),
		group([]string{"--one", "--two"}, func(c *cobra.Command) { c.MarkFlagsMutuallyExclusive("one", "two") }),
	} {
		if text := err.Error(); Chinese(text) == text {
			t.Errorf("no Chinese in libraries.zh.json for %q", text)
		}
		for english := range words(chineseLibraries) {
			m := &message{}
			m.literals, m.verbs = cut(english)
			m.pattern = m.compile
			for _, part := range append(strings.Split(err.Error(), ": "), err.Error()) {
				if _, ok := m.read(part); ok {
					used[english] = true
				}
			}
		}
	}
	for english := range words(chineseLibraries) {
		if !used[english] {
			t.Errorf("libraries.zh.json translates what does not occur: %q", english)
		}
	}
}
