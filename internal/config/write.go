package config

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// heads are the beginnings of the file, by language.
var heads = map[string]string{
	"en": "# This file configures one node of dibao. Sources, lists and readers are in the database: see dibao help.\n" +
		"# 本文件是一个节点的运行配置。各项的中文说明：dibao handbook configuration；要中文注释，用 DIBAO_LANG=zh dibao init 生成。\n" +
		"# Lines that start with # show the defaults. Environment variables named DIBAO_SECTION_KEY override this file.\n",
	"zh": "# 本文件是一个 dibao 节点的配置。来源、列表与读者都在数据库里，用命令管理：见 dibao help。\n" +
		"# 以 # 开头的设置是默认值。名为 DIBAO_节名_键名 的环境变量优先于本文件。\n",
}

// Write writes a commented file with every key at its default; the comments are in zh or
// else en.
func Write(w io.Writer, language string) error {
	var b strings.Builder
	if language != "zh" {
		language = "en"
	}
	b.WriteString(heads[language])
	section := ""
	for _, k := range keys {
		if k.section != section {
			section = k.section
			fmt.Fprintf(&b, "\n[%s]\n", section)
		}
		name := k.name
		if k.secret {
			name += "_file"
		}
		fmt.Fprintf(&b, "# %s\n# %s = %s\n", k.comment(language), name, quote(k.standard))
	}
	b.WriteString(limitsExamples[language])
	_, err := io.WriteString(w, b.String())
	return err
}

// NameInFile returns the name of a setting as config.toml has it: that of a secret ends
// in _file.
func (s Setting) NameInFile() string {
	if slices.ContainsFunc(keys, func(k key) bool { return k.secret && k.section == s.Section && k.name == s.Name }) {
		return s.Name + "_file"
	}
	return s.Name
}

// comment returns the comment on a key in the file.
func (k key) comment(language string) string {
	if language == "zh" {
		return k.chinese
	}
	return k.english
}

// quote returns a default as TOML.
func quote(v string) string {
	if _, err := strconv.Atoi(v); err == nil || v == "true" || v == "false" {
		return v
	}
	return strconv.Quote(v)
}
