package cli

import (
	"cmp"
	_ "embed" // for the messages in Chinese
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"dibao/internal/lazyregexp"
)

// chineseMessages maps the English formats of messages, errors and findings to
// Chinese ones. In the Chinese, %[2]s is the second value; %s for %q is the
// value without its quotes; %{State}s is the value as a code under that
// heading, and %{、}s is a list.
//
//go:embed messages.zh.json
var chineseMessages []byte

// chineseLibraries is the same for messages of the operating system and of libraries.
//
//go:embed libraries.zh.json
var chineseLibraries []byte

// message is a format in English and in Chinese.
type message struct {
	chinese  string
	literals []string // the text around the verbs
	verbs    []verb
	pattern  func() *regexp.Regexp // matches the English texts that the format produces
}

// verb is a verb of a format, such as %d.
type verb struct {
	arg  int // index of the argument, from 0
	text string
	code string // the heading of its codes; 、 for a list of other values; "" for another value
}

func (v verb) letter() byte { return v.text[len(v.text)-1] }

var verbPattern = lazyregexp.New(`%(?:\[(\d+)\])?(?:\{([A-Z][a-z ]*|、)\})?([-+# 0]*\d*(?:\.\d+)?[a-zA-Z%])`)

// cut splits a format into its verbs and the text around them.
func cut(format string) (literals []string, verbs []verb) {
	literal, end, next := "", 0, 0
	for _, at := range verbPattern.FindAllStringSubmatchIndex(format, -1) {
		literal += format[end:at[0]]
		end = at[1]
		if format[at[1]-1] == '%' {
			literal += "%"
			continue
		}
		if at[2] >= 0 {
			next, _ = strconv.Atoi(format[at[2]:at[3]])
			next-- // the pattern allows only digits, and formats count from 1
		}
		v := verb{arg: next, text: "%" + format[at[6]:at[7]]}
		if at[4] >= 0 {
			v.code = format[at[4]:at[5]]
		}
		literals, verbs = append(literals, literal), append(verbs, v)
		literal, next = "", next+1
	}
	return append(literals, literal+format[end:]), verbs
}

// messages returns all messages by their English format, and a list of those whose text
// is distinctive, the most specific first.
var messages = sync.OnceValues(func() (map[string]*message, []*message) {
	byFormat := make(map[string]*message)
	var all []*message
	for _, file := range [][]byte{chineseMessages, chineseLibraries} {
		for english, chinese := range words(file) {
			m := &message{chinese: chinese}
			m.literals, m.verbs = cut(english)
			m.pattern = sync.OnceValue(m.compile)
			byFormat[english] = m
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b *message) int {
		return cmp.Or(cmp.Compare(b.weight(), a.weight()), cmp.Compare(b.quoted(), a.quoted()), cmp.Compare(a.chinese, b.chinese))
	})
	return byFormat, all
})

// weight returns the number of fixed characters in a message.
func (m *message) weight() int { return len(strings.Join(m.literals, "")) }

// quoted counts the values in quotation marks, which are easy to recognize.
func (m *message) quoted() (n int) {
	for _, v := range m.verbs {
		if v.letter() == 'q' {
			n++
		}
	}
	return n
}

// lightest is the weight below which a format could match other texts, if it has only
// one value, or a value of several words in the middle.
const lightest = 10

// compile returns the pattern of the texts that a format produces. A text in the middle
// does not contain "; ", which joins errors.
func (m *message) compile() *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`(?s)^`)
	isLight := m.weight() < lightest
	for i, literal := range m.literals {
		b.WriteString(regexp.QuoteMeta(literal))
		if i == len(m.verbs) {
			break
		}
		switch v := m.verbs[i]; {
		case v.letter() == 'd':
			b.WriteString(`\s*(-?\d+)\s*`)
		case v.letter() == 'q':
			b.WriteString(`("(?:[^"\\]|\\.)*")`)
		case v.letter() == 'v' || v.letter() == 'w':
			b.WriteString(`(.*?)`)
		case isLight && (len(m.verbs) == 1 || i > 0 && i < len(m.verbs)-1):
			b.WriteString(`(\S*?)`)
		case i == len(m.verbs)-1:
			b.WriteString(`(.*?)`)
		default:
			b.WriteString(`((?:[^;]|;[^ ])*?)`)
		}
	}
	return regexp.MustCompile(b.String() + `$`)
}

// read returns the values with which an English text was formatted, by argument.
func (m *message) read(text string) (values map[int]string, ok bool) {
	for _, literal := range m.literals {
		if !strings.Contains(text, literal) {
			return nil, false
		}
	}
	found := m.pattern().FindStringSubmatch(text)
	if found == nil {
		return nil, false
	}
	values = make(map[int]string)
	for i, v := range m.verbs {
		values[v.arg] = found[i+1]
	}
	return values, true
}

// write returns the message in Chinese with these values; values that are messages
// themselves are translated.
func (m *message) write(values map[int]string) string {
	letters := make(map[int]byte)
	for _, v := range m.verbs {
		letters[v.arg] = v.letter()
	}
	literals, verbs := cut(m.chinese)
	out := literals[0]
	for i, v := range verbs {
		value := values[v.arg]
		switch {
		case letters[v.arg] == 'v' && strings.HasPrefix(value, "[") && strings.HasSuffix(value, "]"):
			all := strings.Fields(value[1 : len(value)-1])
			for i := range all {
				all[i] = Code(v.code, all[i])
			}
			value = strings.Join(all, "、")
		case v.code != "":
			value = countedCodes(v.code, strings.Trim(value, `"`))
		case letters[v.arg] != 'q':
			value = Chinese(value)
		case v.letter() == 's' && len(value) > 1:
			value = value[1 : len(value)-1]
		}
		out += value + literals[i+1]
	}
	return out
}

// countedCodes translates a code, or codes with counts before them such as "2 failing, 30 ok".
func countedCodes(heading, text string) string {
	parts := strings.Split(text, ", ")
	for i, p := range parts {
		if n, code, ok := strings.Cut(p, " "); ok {
			if _, err := strconv.Atoi(n); err == nil {
				parts[i] = Code(heading, code) + " " + n
				continue
			}
		}
		parts[i] = Code(heading, p)
	}
	return strings.Join(parts, "、")
}

// Say formats a message in Chinese, or in English if there is no translation.
func Say(format string, args ...any) string {
	byFormat, _ := messages()
	m := byFormat[format]
	if m == nil {
		return Chinese(fmt.Sprintf(format, args...))
	}
	values := make(map[int]string)
	for _, v := range m.verbs {
		values[v.arg] = fmt.Sprintf(v.text, args[v.arg])
	}
	return m.write(values)
}

// separators separate the parts of a text, such as an error and the error that it wraps.
var separators = map[string]string{"; ": "；", ": ": "：", ", ": "，"}

// maxParts is the maximum number of parts of a text that are examined; a longer one is not
// a message.
const maxParts = 60

// Chinese translates a text that was formatted in English: an error or a finding. Errors
// that wrap others are translated part by part; unknown parts stay unchanged.
func Chinese(text string) string {
	if before, after, ok := strings.Cut(text, "\n"); ok {
		return Chinese(before) + "\n" + Chinese(after)
	}
	parts := partsOf(text)
	out := parts[0].text
	for i, p := range parts[1:] {
		if before := parts[i]; before.translated || p.translated {
			p.separator = separators[p.separator]
		}
		out += p.separator + p.text
	}
	return out
}

// part is a part of a text, translated if it is a message.
type part struct {
	separator  string // the separator before it
	text       string
	translated bool
}

// partsOf splits a text at separators, into the longest parts that are messages.
func partsOf(text string) (parts []part) {
	separator := ""
	for {
		ends := []int{len(text)} // the positions at which a part can end, the last one first
		for i := len(text) - 2; i >= 0; i-- {
			if separators[text[i:i+2]] != "" {
				ends = append(ends, i)
			}
		}
		next := part{separator, text[:ends[len(ends)-1]], false}
		end := len(next.text)
		for _, e := range ends {
			if len(ends) > maxParts {
				break
			}
			if chinese, ok := translated(text[:e]); ok {
				next.text, next.translated, end = chinese, true, e
				break
			}
		}
		parts = append(parts, next)
		if end == len(text) {
			return parts
		}
		separator, text = text[end:end+2], text[end+2:]
	}
}

// translated translates a text that is a single message.
func translated(text string) (string, bool) {
	_, all := messages()
	for _, m := range all {
		if values, ok := m.read(text); ok {
			return m.write(values), true
		}
	}
	return text, false
}
