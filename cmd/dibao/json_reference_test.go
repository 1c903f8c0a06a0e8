package main

import (
	"bufio"
	"encoding"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dibao/cmd/dibao/demo"
	"dibao/cmd/dibao/doctor"
	"dibao/cmd/dibao/status"
	"dibao/cmd/dibao/trial"
	"dibao/cmd/dibao/view"
	"dibao/digest"
	"dibao/digest/delivery"
	"dibao/digest/inbound"
	"dibao/internal/config"
	"dibao/subscribers"
)

// printed is what a command prints with --json: one object, or one per line.
type printed struct {
	verbs string
	of    any
	try   []string // commands that print it in a demo
}

var printedJSON = []printed{
	{"article list, article show", view.Article{}, []string{"article list", "article show 1"}},
	{"article search", view.Hit{}, []string{"article search 通知"}},
	{"article history", view.Event{}, []string{"article edit 1 --title 改题", "article history 1"}},
	{"audit", subscribers.AuditEvent{}, []string{"audit"}},
	{"bounce list", inbound.Feedback{}, []string{"bounce list"}},
	{"config", config.Setting{}, []string{"config"}},
	{"doctor", doctor.Finding{}, []string{"doctor"}},
	{"document list", view.Document{}, []string{"document list"}},
	{"document show", view.DocumentPage{}, []string{"document show 1"}},
	{"document chain", view.Step{}, []string{"document chain 1"}},
	{"issue list", view.Issue{}, []string{"issue list"}},
	{"issue show", view.Item{}, []string{"issue show weekly 1"}},
	{"issue report", delivery.MailingReport{}, []string{"issue report"}},
	{"issue report MAILING", view.Mailing{}, []string{"issue report 1"}},
	{"issue report MAILING --variants", digest.Variant{}, []string{"issue report 1 --variants"}},
	{"list show, list create, list edit", view.List{}, []string{"list show", "list create daily --title 日报", "list edit daily --hold"}},
	{"list channel list, list channel add", view.Channel{}, nil},
	{"list preview --left-out", view.Preview{}, []string{"list preview weekly --left-out 20"}},
	{"mail doctor", doctor.MailFinding{}, []string{"mail doctor --resolver 127.0.0.1:1"}},
	{"node list", nodeView{}, []string{"node list"}},
	{"source list, source show", view.Source{}, []string{"source list", "source show 1"}},
	{"source catalog", view.Entry{}, []string{"source catalog 民政部"}},
	{"source test (its last line)", trial.Report{}, nil},
	{"status", status.Snapshot{}.JSON(), []string{"status"}},
	{"subscriber list", subscriberView{}, []string{"subscriber list"}},
	{"subscriber show", view.Person{}, []string{"subscriber show reader2@demo.example"}},
	{"token list", subscribers.APIToken{}, []string{"token create editor --scope read --quiet", "token list"}},
}

// jsonPage describes what commands print with --json, by their types and the comments on
// fields.
func jsonPage(t *testing.T, w wording) string {
	t.Helper()
	notes := fieldComments(t)
	var b strings.Builder
	b.WriteString(w.either("# JSON\n\nWith `--json`, a command prints one JSON object, or one object a line where it lists things; the admin API returns the same.\n"+
		"Unknown is null. Times are in UTC (RFC 3339), dates are YYYY-MM-DD. Keys are added, but not renamed or removed without a\n"+
		"line in CHANGELOG.md. `dibao inspect --help` describes the output of its commands.\n",
		"# JSON\n\n加 `--json` 时，命令输出一个 JSON 对象；列出多项的，每行一个对象。管理 API 的响应相同。未知的值是 null。时间一律为 UTC（RFC 3339），日期为 YYYY-MM-DD。"+
			"键可能增加；改名或删除键时，一定写进 CHANGELOG.md。`dibao inspect --help` 说明该组命令的输出。\n"))
	for _, p := range printedJSON {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n|---|---|---|\n", w.title(p.verbs), w.either("| key | value | meaning |", "| 键 | 值 | 含义 |"))
		writeKeys(&b, reflect.TypeOf(p.of), p.verbs, "", notes, w)
	}
	return b.String()
}

// title returns the title of a table's commands.
func (w wording) title(verbs string) string {
	if _, ok := w.Titles[verbs]; ok {
		return w.say(w.Titles, verbs)
	}
	return verbs
}

// meaning returns the meaning of a key; in Chinese it begins with the name that commands
// print.
func (w wording) meaning(verbs, path, note string) string {
	if w.test == nil {
		return note
	}
	parts := strings.Split(path, ".")
	key := parts[len(parts)-1]
	name, ok := w.fields[key]
	for _, fits := range []string{strings.Join(parts[max(len(parts)-2, 0):], "."), verbs + "." + path} {
		if better, found := w.Names[fits]; found {
			name, ok, w.used[fits] = better, true, true
		}
	}
	if !ok {
		w.test.Errorf("cli/fields.zh.json does not have %q", key)
	}
	if note = w.say(w.Notes, note); note != "" {
		name += "：" + note
	}
	return name
}

// jsonWords are the kinds of values in Chinese.
var jsonWords = strings.NewReplacer(" or null", "或 null", "array: ", "数组，元素为", "object: number by name", "对象，值为数字", "object: string by name", "对象，值为字符串",
	"object", "对象", "string", "字符串", "number", "数字", "boolean", "布尔值", "any", "任意")

func writeKeys(b *strings.Builder, t reflect.Type, verbs, prefix string, notes map[string]string, w wording) {
	for _, f := range jsonFields(t) {
		value, inner := jsonValue(f.Type)
		note := strings.ReplaceAll(w.meaning(verbs, prefix+f.key, notes[f.owner+"."+f.Name]), "|", `\|`)
		value = w.either(value, jsonWords.Replace(value))
		fmt.Fprintf(b, "| `%s%s` | %s | %s |\n", prefix, f.key, value, strings.ReplaceAll(note, "<", `\<`))
		if inner != nil {
			writeKeys(b, inner, verbs, prefix+f.key+".", notes, w)
		}
	}
}

// jsonField is a field of a struct with its key.
type jsonField struct {
	reflect.StructField
	key, owner string // owner is the type that declares the field
	optional   bool
}

// jsonFields returns the fields of a struct as encoding/json has them.
func jsonFields(t reflect.Type) (all []jsonField) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case tag == "-" || !f.IsExported() && !f.Anonymous:
		case f.Anonymous && tag == "" && f.Type.Kind() == reflect.Struct:
			for _, inner := range jsonFields(f.Type) { // a key of the outer struct comes first
				if !slices.ContainsFunc(all, func(x jsonField) bool { return x.key == inner.key }) {
					all = append(all, inner)
				}
			}
		default:
			if tag == "" {
				tag = f.Name
			}
			all = slices.DeleteFunc(all, func(x jsonField) bool { return x.key == tag })
			all = append(all, jsonField{f, tag, t.String(), strings.Contains(options, "omit")})
		}
	}
	return all
}

var (
	marshalsJSON = reflect.TypeFor[json.Marshaler]()
	marshalsText = reflect.TypeFor[encoding.TextMarshaler]()
)

// isText reports whether a type encodes itself as a string.
func isText(t reflect.Type) bool { return t.Implements(marshalsJSON) || t.Implements(marshalsText) }

// jsonValue returns the name of a type in JSON; inner is the struct whose keys follow.
func jsonValue(t reflect.Type) (value string, inner reflect.Type) {
	switch {
	case t.Kind() == reflect.Pointer:
		value, inner = jsonValue(t.Elem())
		return value + " or null", inner
	case isText(t):
		return "string", nil
	}
	switch t.Kind() {
	case reflect.Struct:
		return "object", t
	case reflect.Slice, reflect.Array:
		value, inner = jsonValue(t.Elem())
		return "array: " + value, inner
	case reflect.Map:
		value, inner = jsonValue(t.Elem())
		return "object: " + value + " by name", inner
	case reflect.Bool:
		return "boolean", nil
	case reflect.String:
		return "string", nil
	case reflect.Interface:
		return "any", nil
	}
	return "number", nil
}

// fieldComments returns the comments next to and above fields, by package, type and field.
func fieldComments(t *testing.T) map[string]string {
	t.Helper()
	notes := make(map[string]string)
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			s, ok := spec.Type.(*ast.StructType)
			if !ok {
				return true
			}
			for _, f := range s.Fields.List {
				text := f.Comment.Text()
				if text == "" {
					text = f.Doc.Text()
				}
				for _, name := range f.Names {
					notes[file.Name.Name+"."+spec.Name.Name+"."+name.Name] = strings.Join(strings.Fields(text), " ")
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return notes
}

// The JSON that commands print has exactly the keys that the reference names.
func TestJSONIsAsDocumented(t *testing.T) {
	t.Setenv("DIBAO_LANG", "en")
	d := inFolder(t)
	_, err := demoOnce(t, demo.Options{AfterSteps: func(*demo.Demo) {
		t.Setenv("DIBAO_MAIL_FROM", "邸报 <news@demo.example>")
		d.run("subscriber", "suppress", "reader3@demo.example")
		for _, p := range printedJSON {
			for _, line := range p.try {
				_, out, talk := d.run(append([]string{"--json"}, strings.Fields(line)...)...)
				if strings.HasPrefix(line, "article edit") || strings.HasPrefix(line, "token create") {
					continue // they create what the next line prints
				}
				objects := 0
				lines := bufio.NewScanner(strings.NewReader(out))
				lines.Buffer(nil, 1<<24)
				for lines.Scan() {
					var value any
					if err := json.Unmarshal(lines.Bytes(), &value); err != nil {
						t.Errorf("dibao %s: %v in %.200s", line, err, lines.Text())
						continue
					}
					objects++
					for _, problem := range compareKeys(value, reflect.TypeOf(p.of), "") {
						t.Errorf("dibao %s: %s", line, problem)
					}
				}
				if objects == 0 && !slices.Contains([]string{"bounce list", "document chain 1", "node list"}, line) {
					t.Errorf("dibao %s prints nothing: %s", line, talk)
				}
			}
		}
	}}, d.url)
	if err != nil {
		t.Fatal(err)
	}
}

// compareKeys returns how a value differs from its type.
func compareKeys(value any, t reflect.Type, path string) (problems []string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch value := value.(type) {
	case []any:
		if t.Kind() != reflect.Slice && t.Kind() != reflect.Array {
			return []string{path + " is an array"}
		}
		for _, v := range value {
			problems = append(problems, compareKeys(v, t.Elem(), path+"[]")...)
		}
	case map[string]any:
		if t.Kind() == reflect.Map {
			for _, v := range value {
				problems = append(problems, compareKeys(v, t.Elem(), path+".*")...)
			}
			return problems
		}
		if t.Kind() != reflect.Struct || isText(t) {
			return []string{path + " is an object"}
		}
		fields := jsonFields(t)
		for _, f := range fields {
			v, ok := value[f.key]
			if !ok && !f.optional {
				problems = append(problems, path+"."+f.key+" is missing")
			} else if ok && v != nil {
				problems = append(problems, compareKeys(v, f.Type, path+"."+f.key)...)
			}
		}
		for key := range value {
			if !slices.ContainsFunc(fields, func(f jsonField) bool { return f.key == key }) {
				problems = append(problems, path+"."+key+" is not documented")
			}
		}
	}
	return problems
}
