package config

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// given contains the sources of an admin's settings.
type given struct {
	file    string
	content []byte
	tree    map[string]any
	getenv  func(string) string
}

// find returns the value of a key and its origin: the environment takes
// precedence over the file, and in each a named file over a value. It records
// the files of secrets.
func (c *Config) find(g given, k key) (value, from string, problems []error) {
	value, from = k.standard, "default"
	section, _ := g.tree[k.section].(map[string]any)
	read := func(path, where string, wrong string) {
		b, err := os.ReadFile(path)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s names a file that can't be read: %w", wrong, err))
		}
		c.noteSecret(path)
		value, from = strings.TrimRight(string(b), "\r\n"), where
	}
	if v, ok := section[k.name]; ok {
		value, from = scalar(v), fmt.Sprintf("%s:%d", g.file, lineOf(g.content, k.section, k.name))
		if k.show(value) != value {
			c.noteSecret(g.file)
		}
	}
	if v, ok := section[k.name+"_file"]; ok && k.isFromFile() {
		where := fmt.Sprintf("%s:%d", g.file, lineOf(g.content, k.section, k.name+"_file"))
		read(scalar(v), where+" ("+k.name+"_file)", fmt.Sprintf("%s: %s_file in [%s]", where, k.name, k.section))
	}
	if v := g.getenv(k.env()); v != "" {
		value, from = v, k.env()
	}
	if v := g.getenv(k.env() + "_FILE"); v != "" && k.isFromFile() {
		read(v, k.env()+"_FILE", k.env()+"_FILE")
	}
	return value, from, problems
}

func (c *Config) noteSecret(path string) {
	if !slices.Contains(c.SecretFiles, path) {
		c.SecretFiles = append(c.SecretFiles, path)
	}
}
