package cli

import (
	_ "embed" // of the help in Chinese
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// ChineseHelp is the help in Chinese by its English text; a test finds what is
// missing or no longer said.
//
//go:embed help.zh.json
var ChineseHelp []byte

// WantsChinese reports whether the user reads Chinese: by DIBAO_LANG, else by the
// locale of the system (POSIX: LC_ALL goes before LC_MESSAGES before LANG).
func WantsChinese(getenv func(string) string) bool {
	for _, name := range []string{"DIBAO_LANG", "LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(name); v != "" {
			return strings.HasPrefix(strings.ToLower(v), "zh")
		}
	}
	return false
}

// usageWords are the words of the frame that help stands in.
var usageWords = strings.NewReplacer(
	"Usage:", "用法：", "Aliases:", "别名：", "Examples:", "示例：", "Available Commands:", "可用命令：", "Additional Commands:", "其他命令：",
	"Global Flags:", "全局选项：", "Flags:", "选项：", "Additional help topics:", "其他帮助主题：",
	`Use "{{.CommandPath}} [command] --help" for more information about a command.`, `用“{{.CommandPath}} [命令] --help”查看一个命令的详细说明。`,
)

// SpeakChinese puts the help of a command and those below it into Chinese.
func SpeakChinese(root *cobra.Command) {
	root.SetUsageTemplate(usageWords.Replace(root.UsageTemplate()))
	translate(root, words(ChineseHelp))
}

// words reads a file of Chinese by English text.
func words(file []byte) map[string]string {
	all := make(map[string]string)
	if err := json.Unmarshal(file, &all); err != nil {
		panic("a file of texts in Chinese is broken: " + err.Error()) // tests read all of them
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
	cmd.InitDefaultHelpFlag()
	if f := cmd.Flags().Lookup("help"); f != nil {
		f.Usage = "显示帮助"
	}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { say(&f.Usage) })
	for _, sub := range cmd.Commands() {
		translate(sub, words)
	}
}
