package templates

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"strings"
	"sync"
	texttemplate "text/template"

	"dibao/internal/plural"
)

//go:embed pages/*.html admin/*.html mails/* words/*.json static/*
var files embed.FS

// catalogue contains the words of one language by key.
type catalogue map[string]string

// language contains everything that is parsed for one language.
type language struct {
	words catalogue
	pages *template.Template
	mails *template.Template
	texts *texttemplate.Template
	admin func() *template.Template // parsed when an admin first opens a page
}

// languages are parsed once, when they are first used: most commands use none.
// Any test of pages finds a broken template.
//
// If a reader chose a language by ?lang=, links keep it: the sets whose names
// end in "!" have such links.
var languages = map[string]func() *language{
	"zh": parseOnce("zh", ""), "en": parseOnce("en", ""), "zh!": parseOnce("zh", "lang=zh"), "en!": parseOnce("en", "lang=en"),
}

func parseOnce(name, parameter string) func() *language {
	return sync.OnceValue(func() *language { return mustParse(name, parameter) })
}

func mustParse(name, parameter string) *language {
	l := &language{}
	for _, file := range []string{name + ".json", "mails." + name + ".json", "warnings." + name + ".json", "admin." + name + ".json", "calls." + name + ".json"} {
		b, err := files.ReadFile("words/" + file)
		if err == nil {
			err = json.Unmarshal(b, &l.words) // adds to the words that are there
		}
		if err != nil {
			panic("templates: words in " + file + ": " + err.Error())
		}
	}
	funcs := map[string]any{
		"t": l.words.say, "lang": func() string { return name }, "inlang": func() template.URL { return parameterIn(name) }, "static": StaticPath, "wrap": wrap, "ascii": asciiURL, "hang": hang, "isweb": isWeb, "foreign": func() template.HTMLAttr { return foreign(name) }, "underline": underline, "join": joinDots, "outlook": outlook,
		"add": func(a, b int) int { return a + b }, "total": total, "last": func(i int, n int) bool { return i == n-1 },
		"link": func(address string) string { return withParameter(address, parameter) }, "in": withParameter,
		"han": unbroken(name), "format": feedFormat, "facts": itemFacts, "change": kindOfChange, "clause": clauseOfChange, "readable": readable, "list": func(all ...any) []any { return all }, "styles": styles, "tenth": tenth, "paragraphs": paragraphs,
	}
	l.pages = template.Must(template.New("").Funcs(funcs).ParseFS(files, "pages/*.html"))
	l.admin = sync.OnceValue(func() *template.Template {
		return template.Must(template.New("").Funcs(funcs).ParseFS(files, "admin/*.html"))
	})
	l.mails = template.Must(template.New("").Funcs(funcs).ParseFS(files, "mails/*.html"))
	l.texts = texttemplate.Must(texttemplate.New("").Funcs(funcs).ParseFS(files, "mails/*.txt"))
	return l
}

// parameterIn returns what makes an address in an email open a page in its language; a page
// without it is in Chinese, or in the language of the browser.
func parameterIn(language string) template.URL {
	if language == "zh" {
		return ""
	}
	return "?lang=en"
}

func (c catalogue) say(key string, args ...any) string {
	word, ok := c[key]
	if !ok {
		return key // a test finds keys that are missing
	}
	if len(args) == 0 {
		return word
	}
	return plural.English(fmt.Sprintf(word, args...))
}

func pick(name string) *language {
	if l, ok := languages[name]; ok {
		return l()
	}
	return languages["en"]()
}

// Words returns the words of a key in a language, with args in their places.
func Words(lang, key string, args ...any) string { return pick(lang).words.say(key, args...) }

// staticNames are the static files by the path that names their content.
var staticNames = func() map[string]string {
	names := make(map[string]string)
	entries, err := files.ReadDir("static")
	if err != nil {
		panic("templates: " + err.Error())
	}
	for _, e := range entries {
		b, err := files.ReadFile("static/" + e.Name())
		if err != nil {
			panic("templates: " + err.Error())
		}
		if e.Name() == "feed.xsl" {
			continue // it contains the names of the others
		}
		sum := sha256.Sum256(b)
		base, ext, _ := strings.Cut(e.Name(), ".")
		names[e.Name()] = base + "." + hex.EncodeToString(sum[:5]) + "." + ext
	}
	sum := sha256.Sum256(feedStylesheet(names))
	names["feed.xsl"] = "feed." + hex.EncodeToString(sum[:5]) + ".xsl"
	return names
}()

// feedStylesheet returns the style sheet of feeds with the addresses of the
// files that it uses.
func feedStylesheet(names map[string]string) []byte {
	b, err := files.ReadFile("static/feed.xsl")
	if err != nil {
		panic("templates: " + err.Error())
	}
	for name, hashed := range names {
		b = bytes.ReplaceAll(b, []byte("{{"+name+"}}"), []byte(hashed))
	}
	return b
}

// StaticPath returns the address of a static file. It contains a hash of the
// content, so the file may be cached forever.
func StaticPath(name string) string { return "/static/" + staticNames[name] }

// Static returns the static file of a path below /static/.
func Static(path string) ([]byte, bool) {
	for name, hashed := range staticNames {
		if hashed == path && name == "feed.xsl" {
			return feedStylesheet(staticNames), true
		}
		if hashed == path {
			b, err := fs.ReadFile(files, "static/"+name)
			return b, err == nil
		}
	}
	return nil, false
}

func render(w io.Writer, p Page, name string, view any) error {
	set := p.Language
	if p.Chosen {
		set += "!"
	}
	return execute(w, pick(set).pages, name, view)
}

// execute writes a complete page, or nothing.
func execute(w io.Writer, set *template.Template, name string, view any) error {
	var buf bytes.Buffer
	if err := set.ExecuteTemplate(&buf, name, view); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	_, err := buf.WriteTo(w)
	return err
}

// Render writes the page.
func (v HomePage) Render(w io.Writer) error { return render(w, v.Page, "home.html", v) }

// Render writes the page.
func (v ListPage) Render(w io.Writer) error { return render(w, v.Page, "list.html", v) }

// Render writes the page.
func (v IssuePage) Render(w io.Writer) error { return render(w, v.Page, "issue.html", v) }

// Render writes the page.
func (v ArticlePage) Render(w io.Writer) error { return render(w, v.Page, "article.html", v) }

// Render writes the page.
func (v FormPage) Render(w io.Writer) error { return render(w, v.Page, "form.html", v) }

// Render writes the page.
func (v ConfirmPage) Render(w io.Writer) error { return render(w, v.Page, "confirm.html", v) }

// Render writes the page.
func (v UnsubscribePage) Render(w io.Writer) error {
	return render(w, v.Page, "unsubscribe.html", v)
}

// Render writes the page.
func (v MessagePage) Render(w io.Writer) error { return render(w, v.Page, "message.html", v) }

// writeMail writes a template of emails, in the order of its text.
func writeMail(w io.Writer, lang, name string, view any) (err error) {
	if strings.HasSuffix(name, ".txt") {
		err = pick(lang).texts.ExecuteTemplate(w, name, view)
	} else {
		err = pick(lang).mails.ExecuteTemplate(w, name, view)
	}
	if err != nil {
		return fmt.Errorf("mail %s: %w", name, err)
	}
	return nil
}

func total(sections []Section) int {
	n := 0
	for _, s := range sections {
		n += len(s.Items)
	}
	return n
}
