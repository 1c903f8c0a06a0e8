// Package attachment inserts the attachments that scripts add to a page where a browser would
// show them: links that a script writes, and lists of files in objects whose names mean
// attachments. It does not run scripts.
package attachment

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"dibao/feed/ingest/filelink"
	"dibao/feed/ingest/literal"
	"dibao/feed/ingest/plain"
	"dibao/internal/lazyregexp"
	"dibao/internal/markup"
	"dibao/policy/cut"
)

// Limits on scripts and their content.
const (
	maxScripts = 1 << 20 // bytes of a page's scripts that are read
	maxValues  = 40      // objects and arrays
	maxDepth   = 8
	maxFiles   = 50
	maxWritten = 16 << 10 // bytes of markup with links to files
	maxTitle   = 200      // characters
)

// Class is the class of the elements that Place inserts.
const Class = "fujian"

// valueStart matches an assignment of an object or array to a variable or member.
var valueStart = lazyregexp.New(`["']?([\w.$]{1,60})["']?\s*[=:]\s*([\[{])`)

// nameWords are parts of the names of variables and members that contain attachments; files
// and fj must be the whole name or its end.
var nameWords = []string{"fujian", "attach", "appendi", "annex", "accessor", "enclosure", "filelist", "fileinfo"}

// isNamed reports whether the name of a variable or member means attachments.
func isNamed(name string) bool {
	name = strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
	return holdsWord(name) || name == "files" || strings.HasPrefix(name, "fj") || strings.HasSuffix(name, "fj")
}

// mayBeNamed quickly excludes scripts without such a name.
func mayBeNamed(script string) bool {
	script = strings.ToLower(script)
	return holdsWord(script) || strings.Contains(script, "files") || strings.Contains(script, "fj")
}

func holdsWord(s string) bool {
	return slices.ContainsFunc(nameWords, func(word string) bool { return strings.Contains(s, word) })
}

// Members of an object that contain the name of a file.
var nameMembers = strings.Fields(`name title filename filetitle attachname attachmentname attachtitle orgfilename originalname originalfilename oldname text label desc appdesc alias`)

// Place inserts links to the files that a page's scripts add. Call it before the scripts
// are removed.
func Place(root *html.Node) {
	var scripts []*html.Node
	var body *html.Node
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode && n.Data == "body" && body == nil {
			body = n
		}
		if n.Type == html.ElementNode && n.Data == "script" && n.FirstChild != nil {
			scripts = append(scripts, n)
			return
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(root)
	if body == nil {
		return
	}
	r := &reader{body: body, left: maxScripts, written: maxScripts, vars: make(map[string]string), seen: make(map[string]bool)}
	for _, s := range scripts {
		text := s.FirstChild.Data
		if r.left -= len(text); r.left < 0 {
			return
		}
		if namesFile(text) {
			r.write(s, text)
			r.objects(s, text)
		}
	}
}

// namesFile quickly excludes scripts that do not mention a file.
func namesFile(text string) bool {
	return slices.ContainsFunc(strings.Fields(`.pdf .PDF .doc .DOC .xls .XLS .ppt .zip .ZIP .rar .RAR .ofd .OFD .wps .et`), func(end string) bool { return strings.Contains(text, end) })
}

type reader struct {
	body    *html.Node
	left    int // remaining bytes of scripts
	written int // number of bytes that may still be assembled
	vars    map[string]string
	seen    map[string]bool // addresses that were inserted
	values  int
}

// write inserts what a script writes, if it contains a link to a file.
func (r *reader) write(script *html.Node, text string) {
	if !strings.Contains(text, "document.write") {
		return
	}
	out := literal.Written(text, r.vars, &r.written)
	if len(out) > maxWritten || !strings.Contains(out, "href") {
		return
	}
	tree, _ := markup.Parse(out)
	var files []*html.Node
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode && n.Data == "a" && filelink.Type(markup.Attr(n, "href")) != "" {
			files = append(files, n)
			return
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(tree)
	for _, a := range files {
		r.place(script, markup.Attr(a, "href"), textOf(a))
	}
}

// objects inserts the files in objects whose names mean attachments.
func (r *reader) objects(script *html.Node, text string) {
	if !mayBeNamed(text) {
		return
	}
	for at := 0; r.values < maxValues; {
		m := valueStart.FindStringSubmatchIndex(text[at:])
		if m == nil {
			return
		}
		if !isNamed(text[at+m[2] : at+m[3]]) {
			at += m[3]
			continue
		}
		r.values++
		v, end, _ := literal.Value(text, at+m[4])
		r.take(script, v, 0)
		at = max(end, at+m[5])
	}
}

// take inserts the files in a value.
func (r *reader) take(script *html.Node, v any, depth int) {
	if depth > maxDepth {
		return
	}
	switch v := v.(type) {
	case []any:
		for _, x := range v[:min(len(v), maxFiles)] {
			r.take(script, x, depth+1)
		}
	case map[string]any:
		address, title := "", ""
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			s, ok := v[name].(string)
			if !ok {
				continue
			}
			key := strings.ToLower(strings.ReplaceAll(name, "_", ""))
			switch isName := slices.Contains(nameMembers, key); {
			case isName && title == "":
				title = s
			case !isName && address == "" && filelink.Type(s) != "" && !strings.ContainsAny(s, " <>"):
				address = s
			}
		}
		if address != "" {
			r.place(script, address, title)
			return
		}
		for _, name := range names {
			r.take(script, v[name], depth+1)
		}
	}
}

// place inserts a link before a script, or at the end of the page for a script
// in its head.
func (r *reader) place(script *html.Node, address, title string) {
	if address == "" || r.seen[address] || len(r.seen) >= maxFiles {
		return
	}
	r.seen[address] = true
	link := &html.Node{Type: html.ElementNode, Data: "a", DataAtom: atom.A, Attr: []html.Attribute{{Key: "href", Val: address}}}
	link.AppendChild(&html.Node{Type: html.TextNode, Data: cut.First(plain.Collapse(title), maxTitle)})
	block := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div, Attr: []html.Attribute{{Key: "class", Val: Class}}}
	block.AppendChild(link)
	for up := script.Parent; up != nil; up = up.Parent {
		if up == r.body {
			script.Parent.InsertBefore(block, script)
			return
		}
	}
	r.body.AppendChild(block)
}

func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(textOf(c))
	}
	return b.String()
}
