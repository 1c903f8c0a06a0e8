package adminsite

import (
	"fmt"
	"html"
	"strconv"
	"strings"

	"dibao/internal/lazyregexp"
)

// markdown renders the part of Markdown that our handbook and reference pages use: headings,
// paragraphs, lists, tables, blocks of code, links, bold text and code. Everything else is
// text. A test compares it with a full implementation on all pages: that implementation takes
// as much memory at every start of the program as all of ours.
type markdown struct {
	strings.Builder
	heading func(level int, text string) (id string) // "" means that the heading is left out
	link    func(address string) string              // where a link leads
}

var (
	markdownHeading = lazyregexp.New(`^(#{1,6}) +(.+)$`)
	markdownItem    = lazyregexp.New(`^(?:[-*]|(\d{1,9})\.) +`)
	markdownRule    = lazyregexp.New(`^\|(?: *-+ *\|)+$`) // between the head of a table and its rows
)

// blocks writes the blocks of lines; tight leaves out the <p> of paragraphs.
func (m *markdown) blocks(lines []string, tight bool) {
	for len(lines) > 0 {
		line := lines[0]
		switch {
		case strings.TrimSpace(line) == "":
			lines = lines[1:]
		case strings.HasPrefix(line, "```"):
			lines = m.code(lines)
		case markdownHeading.MatchString(line):
			parts := markdownHeading.FindStringSubmatch(line)
			if id := m.heading(len(parts[1]), parts[2]); id != "" {
				fmt.Fprintf(m, "<h%d id=\"%s\">%s</h%[1]d>\n", len(parts[1]), html.EscapeString(id), m.inline(parts[2]))
			}
			lines = lines[1:]
		case markdownItem.MatchString(line):
			lines = m.list(lines)
		case len(lines) > 1 && markdownRule.MatchString(lines[1]):
			lines = m.table(lines)
		default:
			n := 1
			for n < len(lines) && !startsBlock(lines[n]) {
				n++
			}
			m.paragraph(lines[:n], tight)
			lines = lines[n:]
			if tight && strings.TrimSpace(strings.Join(lines, "")) != "" {
				m.WriteString("\n")
			}
		}
	}
}

// startsBlock reports whether a line ends the paragraph before it.
func startsBlock(line string) bool {
	marker := markdownItem.FindStringSubmatch(line)
	return strings.TrimSpace(line) == "" || strings.HasPrefix(line, "```") || markdownHeading.MatchString(line) ||
		marker != nil && (marker[1] == "" || marker[1] == "1")
}

func (m *markdown) paragraph(lines []string, tight bool) {
	trimmed := make([]string, len(lines))
	for i, line := range lines {
		trimmed[i] = strings.TrimSpace(line)
	}
	text := m.inline(strings.Join(trimmed, "\n"))
	if tight {
		m.WriteString(text)
		return
	}
	m.WriteString("<p>" + text + "</p>\n")
}

// code writes a block between two fences, and returns the lines after it.
func (m *markdown) code(lines []string) []string {
	m.WriteString("<pre><code")
	if language := strings.TrimSpace(strings.TrimLeft(lines[0], "`")); language != "" {
		m.WriteString(` class="language-` + html.EscapeString(language) + `"`)
	}
	m.WriteString(">")
	for lines = lines[1:]; len(lines) > 0 && !strings.HasPrefix(lines[0], "```"); lines = lines[1:] {
		m.WriteString(escape(lines[0]) + "\n")
	}
	m.WriteString("</code></pre>\n")
	return lines[min(1, len(lines)):]
}

// list writes a list, and returns the lines after it. If a blank line separates two items, or
// two blocks of an item, the texts of all items are paragraphs.
func (m *markdown) list(lines []string) []string {
	var items [][]string
	first := markdownItem.FindStringSubmatch(lines[0])
	loose, blank := false, false
	for len(lines) > 0 {
		marker := markdownItem.FindStringSubmatch(lines[0])
		if marker == nil || (marker[1] == "") != (first[1] == "") {
			break
		}
		loose = loose || blank
		indent := strings.Repeat(" ", len(marker[0]))
		item := []string{strings.TrimPrefix(lines[0], marker[0])}
		fenced := false
		for blank, lines = false, lines[1:]; len(lines) > 0; lines = lines[1:] {
			text, indented := strings.CutPrefix(lines[0], indent)
			empty := strings.TrimSpace(lines[0]) == ""
			if !empty && !indented && (blank || startsBlock(lines[0]) || markdownItem.MatchString(lines[0])) {
				break
			}
			loose = loose || blank && !empty && !fenced
			blank = empty
			if strings.HasPrefix(text, "```") {
				fenced = !fenced
			}
			item = append(item, text)
		}
		items = append(items, item)
	}
	tag, start := "ul", ""
	if first[1] != "" {
		tag = "ol"
		if n, _ := strconv.Atoi(first[1]); n != 1 {
			start = ` start="` + strconv.Itoa(n) + `"`
		}
	}
	m.WriteString("<" + tag + start + ">\n")
	for _, item := range items {
		m.WriteString("<li>")
		if loose {
			m.WriteString("\n")
		}
		m.blocks(item, !loose)
		m.WriteString("</li>\n")
	}
	m.WriteString("</" + tag + ">\n")
	return lines
}

// table writes a table, and returns the lines after it.
func (m *markdown) table(lines []string) []string {
	row := func(tag, line string) {
		m.WriteString("<tr>\n")
		line = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(line), "|"), "|")
		for _, cell := range strings.Split(strings.ReplaceAll(line, `\|`, "\x00"), "|") {
			cell = m.inline(strings.TrimSpace(strings.ReplaceAll(cell, "\x00", "|")))
			m.WriteString("<" + tag + ">" + cell + "</" + tag + ">\n")
		}
		m.WriteString("</tr>\n")
	}
	m.WriteString("<table>\n<thead>\n")
	row("th", lines[0])
	m.WriteString("</thead>\n<tbody>\n")
	for lines = lines[2:]; len(lines) > 0 && strings.HasPrefix(lines[0], "|"); lines = lines[1:] {
		row("td", lines[0])
	}
	m.WriteString("</tbody>\n</table>\n")
	return lines
}

// markdownSpan finds an escaped character, code, bold text or a link.
var markdownSpan = lazyregexp.New("\\\\([[:punct:]])|`([^`]+)`|\\*\\*([^*]+(?:\\*[^*]+)*)\\*\\*|\\[([^]]*)\\]\\(([^)\\s]*)\\)")

// inline returns the HTML of text with its code, bold text and links.
func (m *markdown) inline(text string) string {
	var out strings.Builder
	for {
		at := markdownSpan.FindStringSubmatchIndex(text)
		if at == nil {
			out.WriteString(escape(text))
			return out.String()
		}
		out.WriteString(escape(text[:at[0]]))
		group := func(n int) string { return text[at[2*n]:at[2*n+1]] }
		switch {
		case at[2] >= 0:
			out.WriteString(escape(group(1)))
		case at[4] >= 0:
			out.WriteString("<code>" + escape(strings.ReplaceAll(group(2), "\n", " ")) + "</code>")
		case at[6] >= 0:
			out.WriteString("<strong>" + m.inline(group(3)) + "</strong>")
		default:
			out.WriteString(`<a href="` + escape(m.link(group(5))) + `">` + m.inline(group(4)) + "</a>")
		}
		text = text[at[1]:]
	}
}

var markdownEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

func escape(text string) string { return markdownEscapes.Replace(text) }
