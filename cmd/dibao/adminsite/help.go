package adminsite

import (
	"bytes"
	"context"
	"html/template"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"

	"dibao/docs"
	"dibao/feed"
	"dibao/templates"
)

// markdown renders our own texts; it leaves out HTML in them.
var markdown = sync.OnceValue(func() goldmark.Markdown {
	return goldmark.New(goldmark.WithExtensions(extension.Table), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
})

// help shows the handbook or a reference page.
func (s *Site) help(_ context.Context, r *http.Request, p templates.AdminPage) (page, error) {
	name := r.PathValue("page")
	source := docs.HandbookEN
	if p.Language == "zh" {
		source = docs.HandbookZH
	}
	if name != "" {
		var ok bool
		if source, ok = docs.Reference(name, p.Language); !ok {
			return nil, feed.ErrNotFound
		}
	}
	out := templates.AdminHelp{AdminPage: p, Handbook: name == ""}
	out.Section = "help"
	var err error
	suffix := ""
	if p.Chosen {
		suffix = "?lang=" + p.Language
	}
	out.Title, out.Contents, out.Text, err = helpPage([]byte(source), name == "", suffix)
	return out, err
}

// helpPage renders a page: its title, its second-level headings and its text.
// Numbered headings have ids that are the same in both languages; links to
// other pages end in suffix.
func helpPage(source []byte, numbered bool, suffix string) (title string, contents []templates.FeedLink, body template.HTML, err error) {
	md := markdown()
	tree := md.Parser().Parse(text.NewReader(source))
	section := 0
	err = ast.Walk(tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			heading := string(n.Lines().Value(source))
			switch {
			case n.Level == 1:
				title = heading
			case n.Level == 2:
				if section++; numbered {
					n.SetAttributeString("id", []byte("s"+strconv.Itoa(section)))
				}
				id, _ := n.AttributeString("id")
				contents = append(contents, templates.FeedLink{Title: heading, URL: "#" + string(id.([]byte))})
			}
		case *ast.Link:
			if file, ok := strings.CutSuffix(string(n.Destination), ".md"); ok { // in this folder
				name, _, _ := strings.Cut(path.Base(file), ".")
				n.Destination = []byte("/help/" + name + suffix)
			}
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		return "", nil, "", err
	}
	for n := tree.FirstChild(); n != nil; n = n.NextSibling() {
		if h, ok := n.(*ast.Heading); ok && h.Level == 1 { // the page template writes the title
			tree.RemoveChild(tree, h)
			break
		}
	}
	var buf bytes.Buffer
	err = md.Renderer().Render(&buf, source, tree)
	return title, contents, template.HTML(buf.String()), err // our own text, without HTML of its own
}
