package markup

import (
	"strings"

	"golang.org/x/net/html"
)

// Blocks are the elements that end a line of text.
var Blocks = set("address article aside blockquote body br center dd div dl dt fieldset figcaption figure footer form " +
	"h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tbody tfoot thead tr ul")

// Unseen are the elements whose text is not displayed.
var Unseen = set("script style noscript template head title iframe svg math select textarea button noembed noframes xmp plaintext object video audio canvas")

func set(names string) map[string]bool {
	all := make(map[string]bool)
	for _, name := range strings.Fields(names) {
		all[name] = true
	}
	return all
}

// Lines returns the text of markup, one string for each block that has any. It
// builds no tree: its cost grows only with the length of the text. White space
// is kept. Invisible text is left out.
func Lines(text string) []string {
	_, lines := readLines(text)
	return lines
}

// readLines reads the text and the content of the title element.
func readLines(text string) (title string, lines []string) {
	var line strings.Builder
	end := func() {
		if strings.TrimSpace(line.String()) != "" {
			lines = append(lines, line.String())
		}
		line.Reset()
	}
	hidden := ""
	var hole cutter
	for t := newTokens(text); ; {
		kind := t.next()
		if kind != html.ErrorToken && hole.covers(kind, t.name) {
			continue
		}
		switch kind {
		case html.ErrorToken:
			end()
			return title, lines
		case html.TextToken:
			if hidden == "" {
				line.Write(t.z.Text())
			} else if hidden == "title" && title == "" {
				title = string(t.z.Text())
			}
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			name := t.name
			switch {
			case kind != html.StartTagToken && name == hidden:
				hidden = ""
			case kind == html.StartTagToken && hidden == "" && Unseen[name] && name != "head":
				hidden = name
			case Blocks[name]:
				end()
			case kind != html.EndTagToken && (name == "td" || name == "th"):
				line.WriteByte(' ')
			}
		}
	}
}
