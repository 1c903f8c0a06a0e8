package literal

import (
	"strconv"
	"strings"
)

// Some pages write their rows by document.write. Scripts are not run: dibao reads strings
// that are concatenated from literals and from variables with such values.

// maxVariable is the maximum size of one variable's value, in bytes.
const maxVariable = 64 << 10

// scriptReader scans a script and understands two kinds of statement: name = …,
// and a call of document.write.
type scriptReader struct {
	s    string
	at   int
	vars map[string]string
	out  strings.Builder
	left *int // bytes that may still be concatenated
}

// Written returns what a script writes into the page by document.write. It records the
// values of the script's variables in vars, and subtracts the bytes that it concatenates
// from left.
func Written(script string, vars map[string]string, left *int) string {
	r := &scriptReader{s: script, vars: vars, left: left}
	r.run()
	return r.out.String()
}

// run reads the script once from beginning to end.
func (r *scriptReader) run() {
	for r.at < len(r.s) {
		c := r.s[r.at]
		switch {
		case strings.HasPrefix(r.s[r.at:], "//"):
			r.until("\n")
		case strings.HasPrefix(r.s[r.at:], "/*"):
			r.at += 2
			r.until("*/")
		case c == '"' || c == '\'' || c == '`':
			r.literal()
		case isNameByte(c):
			r.word()
		default:
			r.at++
		}
	}
}

func (r *scriptReader) until(sign string) {
	i := strings.Index(r.s[r.at:], sign)
	if i < 0 {
		r.at = len(r.s)
		return
	}
	r.at += i + len(sign)
}

func isNameByte(c byte) bool {
	return c == '_' || c == '$' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// name reads a name, with its dots.
func (r *scriptReader) name() string {
	start := r.at
	for r.at < len(r.s) && isNameByte(r.s[r.at]) {
		r.at++
	}
	return r.s[start:r.at]
}

func (r *scriptReader) space() {
	for r.at < len(r.s) && (r.s[r.at] == ' ' || r.s[r.at] == '\t' || r.s[r.at] == '\n' || r.s[r.at] == '\r') {
		r.at++
	}
}

// word reads a statement that begins with a name.
func (r *scriptReader) word() {
	name := r.name()
	r.space()
	rest := r.s[r.at:]
	switch {
	case (name == "document.write" || name == "document.writeln") && strings.HasPrefix(rest, "("):
		r.at++
		if value, ok := r.sumOf(); ok {
			r.out.WriteString(value)
			r.out.WriteByte('\n')
		}
	case strings.HasPrefix(rest, "=") && !strings.HasPrefix(rest, "=="):
		r.at++
		if value, ok := r.sumOf(); ok && len(value) <= maxVariable {
			r.vars[name] = value
		}
	case strings.HasPrefix(rest, "+="):
		r.at += 2
		if value, ok := r.sumOf(); ok && len(r.vars[name])+len(value) <= maxVariable {
			r.vars[name] += value
		}
	}
}

// sumOf reads literals and variables joined by +. It stops at anything else and
// reports whether it understood everything. Numbers without a string are added:
// currentPage+1.
func (r *scriptReader) sumOf() (string, bool) {
	var b strings.Builder
	for total, terms := 0, 1; ; terms++ {
		r.space()
		if r.at >= len(r.s) {
			return b.String(), false
		}
		before, isQuoted := b.Len(), strings.IndexByte("\"'`", r.s[r.at]) >= 0
		switch c := r.s[r.at]; {
		case isQuoted:
			b.WriteString(r.literal())
		case isNameByte(c):
			name := r.name()
			value, known := r.vars[name]
			if !known && r.at < len(r.s) && r.s[r.at] == '(' {
				if value, known = r.only(); !known {
					return b.String(), false
				}
			}
			if !known && strings.Trim(name, "0123456789") != "" {
				return b.String(), false
			}
			if !known {
				value = name
			}
			b.WriteString(value)
		default:
			return b.String(), false
		}
		if *r.left -= b.Len() - before; *r.left < 0 {
			return "", false
		}
		r.space()
		if n, err := strconv.Atoi(b.String()[before:]); err != nil || b.Len()-before > 6 || isQuoted {
			total = -1
		} else if total >= 0 {
			total += n
		}
		if r.at >= len(r.s) || r.s[r.at] != '+' {
			if total >= 0 && terms > 1 {
				return strconv.Itoa(total), true
			}
			return b.String(), r.at >= len(r.s) || strings.IndexByte(");,}\nvdifl", r.s[r.at]) >= 0
		}
		r.at++
	}
}

// only returns the string that is the only argument of a call, such as the time in
// timeConvert('1795743000'): the argument stands for the unknown result.
func (r *scriptReader) only() (string, bool) {
	r.at++
	r.space()
	if r.at >= len(r.s) || r.s[r.at] != '"' && r.s[r.at] != '\'' {
		return "", false
	}
	text := r.literal()
	r.space()
	if r.at >= len(r.s) || r.s[r.at] != ')' {
		return "", false
	}
	r.at++
	return text, len(text) < 40
}

// literal reads a string at its quote.
func (r *scriptReader) literal() string {
	text, escaped, after := quoted(r.s, r.at)
	r.at = after
	if escaped {
		text = unescapeScript.Replace(text)
	}
	return text
}

var unescapeScript = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\'`, `'`, `\/`, `/`, `\n`, "\n", `\r`, "\n", `\t`, "\t")
