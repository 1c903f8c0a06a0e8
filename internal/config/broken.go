package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// mistakes explain the parser's errors by a part of their text: the first that fits counts.
var mistakes = []struct{ part, text string }{
	{"already", "this key or section occurs twice; keep one of them"},
	{"should be a table", "this key or section occurs twice; keep one of them"},
	{"UTF-8", "the file is not UTF-8; save it in that encoding"},
	{"new lines", "a text in quotes is not closed on its line; add the closing quote"},
	{"unterminated", "a text in quotes is not closed; add the closing quote"},
	{"not terminated", "a text in triple quotes is not closed; add the closing quotes"},
	{"escape", `a backslash begins an escape in "…"; double it, or put the text in '…'`},
	{`character after \`, `a backslash begins an escape in "…"; double it, or put the text in '…'`},
	{"table name", "the name of a section is not closed with a bracket, as in [server]"},
	{"array", "a list is not closed or lacks a comma, as in [\"a\", \"b\"]"},
	{"inline table", "a table in braces is not closed or lacks a comma"},
	{"key", "the line does not read key = value"},
}

// broken says in our words why a file is not TOML, and where.
func broken(file string, err error) error {
	var decode *toml.DecodeError
	if !errors.As(err, &decode) {
		return fmt.Errorf("%s: this is not TOML: %w", file, err)
	}
	line, _ := decode.Position()
	for _, m := range mistakes {
		if strings.Contains(decode.Error(), m.part) {
			return fmt.Errorf("%s:%d: %s", file, line, m.text)
		}
	}
	return fmt.Errorf("%s:%d: the value is neither a number nor true or false; put text in quotes, as in host = \"smtp.example.org\"", file, line)
}
