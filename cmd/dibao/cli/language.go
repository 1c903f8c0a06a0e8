package cli

import (
	_ "embed" // for the help in Chinese
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dibao/internal/lazyregexp"
)

// ChineseHelp maps English help texts to Chinese; a test finds missing and
// unused ones.
//
//go:embed help.zh.json
var ChineseHelp []byte

// WantsChinese reports whether the user reads Chinese: by DIBAO_LANG, else by
// the locale of the system (POSIX: LC_ALL before LC_MESSAGES before LANG).
func WantsChinese(getenv func(string) string) bool {
	for _, name := range []string{"DIBAO_LANG", "LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(name); v != "" {
			return strings.HasPrefix(strings.ToLower(v), "zh")
		}
	}
	return false
}

// Language returns the code of the language in which a user reads texts from catalogs: zh or en.
func Language(isChinese bool) string {
	if isChinese {
		return "zh"
	}
	return "en"
}

// usageWords are the words around the help text.
var usageWords = strings.NewReplacer(
	"Usage:", "用法：", "Aliases:", "别名：", "Examples:", "示例：", "Available Commands:", "可用命令：", "Additional Commands:", "其他命令：",
	"Global Flags:", "全局选项：", "Flags:", "选项：", "Additional help topics:", "其他帮助主题：",
	"{{.CommandPath}} [command]{{end}}", "{{.CommandPath}} [命令]{{end}}",
	`Use "{{.CommandPath}} [command] --help" for more information about a command.`, `用“{{.CommandPath}} [命令] --help”查看一个命令的详细说明。`,
)

// placeholders are the names of arguments in the first line of usage.
var placeholders = strings.NewReplacer(
	"[flags]", "[选项]", "CHAPTER|PAGE", "章号|参考页", "LIST KIND", "列表 类别", "LIST NUMBER", "列表 期号", "NUMBER", "文号", "ADDRESS", "地址", "CHANNEL", "渠道编号", "DIR", "目录", "FILE", "文件", "ID", "编号", "LIST", "列表", "MAILING", "群发编号",
	"NAME", "名称", "NEW", "新文件", "OLD", "旧文件", "PATTERN", "模式", "QUERY", "查询", "SOURCE", "来源", "TEXT", "文字", "URL", "网址", "WORD", "词",
)

// flagLine matches a line for a flag that takes a value, with the type of the value.
var flagLine = lazyregexp.New(`(?m)^( +(?:-\w, )?--[\w-]+ )([A-Za-z0-9]+)( {2,})(\S.*)$`)

// flagTypes are the types of values, in Chinese.
var flagTypes = map[string]string{
	"string": "文字", "stringArray": "文字", "stringSlice": "文字", "strings": "文字", "word": "词", "int": "数字", "int64": "数字", "float": "数字", "int64Slice": "数字", "ints": "数字", "duration": "时长",
	"number": "数字", "time": "时间", "region": "地区", "theme": "主题",
}

var flagDefault = lazyregexp.New(`(?m) \(default (.*)\)$`)

// UseLine returns the first line of a command's usage in Chinese.
func UseLine(cmd *cobra.Command) string { return placeholders.Replace(cmd.UseLine()) }

// Describe returns the description of a command: its short text as a sentence, then the
// long text, which can therefore begin with the details.
func Describe(cmd *cobra.Command) string {
	stop := "."
	first, _ := utf8.DecodeRuneInString(cmd.Short)
	if last, _ := utf8.DecodeLastRuneInString(cmd.Short); unicode.Is(unicode.Han, first) || unicode.Is(unicode.Han, last) || last == '）' {
		stop = "。"
	}
	return strings.TrimSpace(cmd.Short + stop + "\n" + cmd.Long)
}

// DescribeInHelp makes the help of a command and its subcommands begin with Describe.
func DescribeInHelp(root *cobra.Command) {
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		fmt.Fprintf(cmd.OutOrStdout(), "%s\n\n%s", Describe(cmd), cmd.UsageString())
	})
}

// exampleProse matches prose in an example: two words or more in quotation marks.
var exampleProse = lazyregexp.New(`"[^"\n]*[a-z] [^"\n]*"`)

// ExampleProse returns the prose in an example, with its quotation marks.
func ExampleProse(example string) []string { return exampleProse.FindAllString(example, -1) }

// SpeakChinese translates the help of a command and its subcommands into Chinese.
func SpeakChinese(root *cobra.Command) {
	root.SetUsageTemplate(usageWords.Replace(root.UsageTemplate()))
	english := root.UsageFunc()
	root.SetUsageFunc(func(cmd *cobra.Command) error {
		var b strings.Builder
		out := cmd.OutOrStderr()
		cmd.SetOut(&b)
		err := english(cmd)
		cmd.SetOut(out)
		usage := strings.Replace(b.String(), cmd.UseLine(), UseLine(cmd), 1)
		usage = flagLine.ReplaceAllStringFunc(usage, func(line string) string {
			m := flagLine.FindStringSubmatch(line)
			name, ok := flagTypes[m[2]]
			if !ok {
				return line
			}
			return m[1] + text.Pad(name, text.StringWidthWithoutEscSequences(m[2]+m[3]), ' ') + m[4]
		})
		_, writeErr := io.WriteString(out, flagDefault.ReplaceAllString(usage, "（默认 $1）"))
		return errors.Join(err, writeErr)
	})
	translate(root, words(ChineseHelp))
}

// words reads a file that maps English texts to Chinese ones.
func words(file []byte) map[string]string {
	all := make(map[string]string)
	if err := json.Unmarshal(file, &all); err != nil {
		panic("a file of texts in Chinese is broken: " + err.Error()) // tests would fail
	}
	return all
}

func translate(cmd *cobra.Command, words map[string]string) {
	say := func(text *string) {
		if chinese, ok := words[*text]; ok {
			*text = chinese
		}
	}
	say(&cmd.Short)
	say(&cmd.Long)
	cmd.Example = exampleProse.ReplaceAllStringFunc(cmd.Example, func(s string) string {
		say(&s)
		return s
	})
	cmd.InitDefaultHelpFlag()
	if f := cmd.Flags().Lookup("help"); f != nil {
		f.Usage = "显示帮助"
	}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { say(&f.Usage) })
	for _, sub := range cmd.Commands() {
		translate(sub, words)
	}
}
