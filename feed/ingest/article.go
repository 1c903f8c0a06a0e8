package ingest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"dibao/policy/warn"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"

	"dibao/feed/ingest/attachment"
	"dibao/feed/ingest/filelink"
	"dibao/feed/ingest/sanitize"
	"dibao/feed/ingest/textblock"
	"dibao/feed/ingest/weburl"
	"dibao/internal/lazyregexp"
	"dibao/internal/markup"
	"dibao/policy"
	"dibao/policy/when"
)

// ReadArticle reads the page of an article into the item that its list gave.
// Besides the text, it reads only the headline, meta elements, labeled values
// and attachments. A headline replaces the list's title only if they share
// text. A page without text keeps its title, dates and source, with a warning.
// If the page is a system message or an empty shell, it returns an error and
// leaves the item unchanged.
func ReadArticle(p Page, s Source, it Item) (Item, error) {
	if page, ok := articleOfJSON(p, s.Settings.Charset); ok {
		p, s.Settings.Charset = page, ""
	} else if says, ok := answerOfJSON(p, s.Settings.Charset); ok {
		return it, &errNoArticle{says}
	}
	clock := clockOfArticle(p, s, it)
	doc, plain := parseText(p, s.Settings.Charset)
	if page, ok := articleInScripts(doc, p); ok {
		doc, plain = parseText(page, "")
	}
	base, err := url.Parse(p.URL)
	if err != nil {
		return it, fmt.Errorf("address %q of the article: %w", p.URL, err)
	}
	r := &articleReader{doc: doc, plain: plain, base: pageBase(doc, base), set: s.Settings, out: it, clock: clock}
	e := it.Evidence // a copy; its slices are created below
	e.URL = firstOf(it.URL, p.URL)
	e.SiteName, e.Zone, e.Issuer, e.Region = s.Name, s.Zone, s.Issuer, s.Region
	e.Language = clip(doc.Find("html").AttrOr("lang", ""), 35)
	e.Meta = append(readMeta(doc), readScriptMeta(doc)...)
	r.e = e
	if err := r.read(); err != nil {
		return it, err
	}
	return r.out, nil
}

// clockOfArticle returns the day from which relative dates on an article's page are
// counted: the day in its list or address, or else the day on which it was fetched.
func clockOfArticle(p Page, s Source, it Item) when.Clock {
	c := clockOf(p, s)
	w, ok := when.First(it.Evidence.ListDate, c)
	on := w.On
	if !ok {
		on, ok = when.InAddress(firstOf(it.URL, p.URL))
	}
	if ok && !c.Now.IsZero() {
		c.Now = on.In(c.Zone).AddDate(0, 0, 1)
	}
	return c
}

// articleReader is the state of reading one article's page.
type articleReader struct {
	doc   *goquery.Document
	plain bool // reading its markup would be too expensive: only paragraphs are read
	base  *url.URL
	set   Settings
	clock when.Clock // for the page's dates
	out   Item
	e     policy.Evidence

	view      *view
	selected  bool          // the selector of the source selected the container
	title     string        // title of the page
	hidden    func() string // markup of a text that only scripts and text areas contain
	container *html.Node
	head      headline
	body      span // the lines of the text, if it is in the page
}

func (r *articleReader) read() error {
	r.title = clip(firstOf(collapse(r.doc.Find("head title").First().Text()), collapse(r.doc.Find("title").First().Text())), maxTitle)
	r.hidden = scriptText(r.doc)
	if !r.plain {
		attachment.Place(r.doc.Nodes[0])
	}
	// Remove elements that are not visible on the page.
	r.doc.Find("script, style, noscript, template, head base, select, [hidden]").Remove()
	dropComments(r.doc.Nodes[0])
	r.view = lookAt(r.doc.Nodes[0])
	listed := firstOf(r.e.ListTitle, r.out.Title)
	if err := r.view.errorPage(r.title, listed); err != nil {
		return err
	}
	if r.isLogin() {
		return &errNoArticle{firstOf(clip(r.title, 60), "a login form")}
	}
	if err := r.find(); err != nil {
		return err
	}
	if r.inPage() {
		r.view.markBoxes(r.container)
		r.body = r.view.textOf(r.container, r.head)
	}
	if w, ok := r.view.asksLogin(r.body); ok {
		r.warn(w)
	}
	r.e.Labels = r.view.readLabels(r.head, r.body, append(r.siteNames(), sitesOf(r.title)...), r.clock)
	r.addTimes()
	r.setTitle(listed)
	r.out.Attachments = r.view.readAttachments(r.doc.Nodes[0], r.container, r.base)
	r.readText()
	return r.finish()
}

// isLogin reports whether the page is a form for a password with hardly any text.
func (r *articleReader) isLogin() bool {
	prose := 0
	for _, l := range r.view.lines {
		if l.aside != elsewhere {
			prose += l.prose
		}
	}
	return prose < minText && r.doc.Find("input[type=password]").Length() > 0
}

// inPage reports whether the container is part of the page, not of a script.
func (r *articleReader) inPage() bool { return contains(r.doc.Nodes[0], r.container) }

// find finds the container and the headline. Text in a script or text area counts only if
// the page itself shows no text.
func (r *articleReader) find() (err error) {
	var by foundBy
	refs := newReferences(r.title, r.e, r.out)
	if r.container, by, err = r.view.findBody(r.doc, r.set.Content, r.view.titleLine(refs)); err != nil {
		return err
	}
	r.selected = by == bySelector
	if r.plain {
		r.container = nodeOf(r.doc.Find("body"))
		r.warn(sanitize.TextOnly)
	} else if by == byShape && r.container != nil {
		r.warn(warn.New("text-by-shape"))
	}
	from, first := len(r.view.lines), 0
	if r.container != nil {
		first = r.view.firstProse(r.container)
		from = max(r.view.under(r.container).from, first-headLines)
	}
	r.head = r.view.findHeadline(from, first, refs, r.siteNames())
	if by == byShape && r.container != nil {
		r.container = r.view.fromHeadline(r.container, r.head)
	}
	if by == byShape && r.container != nil && r.view.isBox(r.container, r.head) {
		if n := r.view.afterHeadline(r.head); n != nil && !contains(n, r.container) {
			r.container = n
		}
	}
	if r.container == nil {
		if hidden := r.hidden(); hidden != "" {
			r.container = nodeOf(fromMarkup(hidden))
		}
	}
	if r.container == nil {
		r.container = r.view.knownEmpty(r.doc)
	}
	if r.container == nil {
		r.container = r.view.afterHeadline(r.head)
	}
	return nil
}

// siteNames are the names of the site and of the page's column.
func (r *articleReader) siteNames() []string {
	names := []string{squeeze(r.e.SiteName)}
	for _, m := range r.e.Meta {
		switch strings.ToLower(m.Name) {
		case "sitename", "columnname", "og:site_name", "columntype":
			names = append(names, squeeze(m.Content))
		}
	}
	return names
}

func (r *articleReader) warn(w ...warn.Warning) {
	r.out.Warnings = append(r.out.Warnings[:len(r.out.Warnings):len(r.out.Warnings)], w...)
}

// setTitle sets the headline as the title, unless the list gives another title.
func (r *articleReader) setTitle(listed string) {
	for _, l := range r.e.Labels { // a register has a title that the page may not show
		if r.head.lines.to == 0 && len(r.e.Meta) == 0 && runes(l.Value) >= 2*minTitle && (l.Name == "名称" || l.Name == "标题" || l.Name == "文件名称" || l.Name == "信息名称") {
			r.head.text = l.Value
			break
		}
	}
	r.e.Title = firstOf(r.head.text, listed)
	if listed != "" && r.head.text != "" && !sharesText(listed, r.head.text) {
		r.warn(warn.New("headline-differs", clip(r.head.text, 80), clip(listed, 80)))
		r.e.Title = listed
	}
	if r.out.Title == "" {
		r.out.Title = r.e.Title
	}
}

// readText reads the text in the container.
func (r *articleReader) readText() {
	if r.container == nil {
		return
	}
	whole := goquery.NewDocumentFromNode(r.container).Selection
	r.e.Links = readLinks(r.doc.Selection, whole, r.base)
	if r.inPage() {
		r.view.trim(r.container, r.body)
	}
	dropHidden(r.container)
	r.e.Paragraphs = textblock.Of(r.container)
	var warning warn.Warning
	if r.out.HTML, warning = sanitize.Selection(whole, r.base.String()); warning.Code != "" {
		r.warn(warning)
	}
}

// finish evaluates what was found: a page without text, or without anything.
func (r *articleReader) finish() error {
	if len(r.e.Paragraphs) == 0 {
		r.out.Frame = r.frame()
		pictures := strings.Count(r.out.HTML, "<img")
		switch {
		case len(r.out.Attachments) > 0:
			r.warn(warn.New("files-only", len(r.out.Attachments)))
		case r.out.Frame != "":
			r.warn(warn.New(inFrame, r.out.Frame))
		case pictures > 0:
			r.warn(warn.New("text-in-pictures", pictures))
		case r.head.lines.to == 0 && !slices.ContainsFunc(r.e.Labels, func(l policy.Label) bool { return l.Value != "" }):
			if len(r.view.lines) < 3 {
				return errShell
			}
			return errNoText
		case r.view.isList():
			return errNoText
		default:
			r.warn(warn.New("no-text"))
		}
	}
	if r.set.Content != "" && (!r.selected || len(r.e.Paragraphs) == 0) {
		r.warn(warn.New("selector-without-text", r.set.Content))
	}
	r.warn(textblock.CutWarning(max(len(r.view.lines), len(r.e.Paragraphs)))...)
	r.out.Evidence, r.out.NeedsPage = r.e, false
	return nil
}

// inFrame is the warning for a page whose text is in a frame, which has to be fetched.
const inFrame = "text-in-frame"

// frame returns the address of a frame of the same site that may contain the text.
func (r *articleReader) frame() string {
	address := ""
	r.doc.Find("iframe[src], frame[src]").EachWithBreak(func(_ int, f *goquery.Selection) bool {
		if n := f.Nodes[0]; isHidden(n) || markup.Attr(n, "width") == "0" || markup.Attr(n, "height") == "0" || markup.Attr(n, "height") == "1" {
			return true
		}
		u, err := url.Parse(weburl.Absolute(r.base, f.AttrOr("src", "")))
		if err == nil && u.Host != "" && u.Host == r.base.Host && u.String() != r.base.String() {
			address = u.String()
		}
		return address == ""
	})
	return address
}

// Limits on the meta elements that are kept.
const (
	maxMeta     = 100
	maxMetaText = 2000 // characters
)

var tagInMeta = lazyregexp.New(`</?[a-zA-Z][^<>]{0,200}>`)

func readMeta(doc *goquery.Document) []policy.Pair {
	var all []policy.Pair
	doc.Find("meta[name][content], meta[property][content]").Each(func(_ int, m *goquery.Selection) {
		name := clip(collapse(m.AttrOr("name", m.AttrOr("property", ""))), 100)
		content := collapse(m.AttrOr("content", ""))
		if strings.Contains(content, "</") { // a headline in two lines
			content = collapse(tagInMeta.ReplaceAllString(content, ""))
		}
		if name != "" && content != "" && len(all) < maxMeta {
			all = append(all, policy.Pair{Name: name, Content: clip(content, maxMetaText)})
		}
	})
	return all
}

// dropHidden removes elements of a text that are not visible.
func dropHidden(n *html.Node) {
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		if c.Type == html.ElementNode && isHidden(c) {
			n.RemoveChild(c)
		} else {
			dropHidden(c)
		}
		c = next
	}
}

func dropComments(n *html.Node) {
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		if c.Type == html.CommentNode {
			n.RemoveChild(c)
		} else {
			dropComments(c)
		}
		c = next
	}
}

func nodeOf(s *goquery.Selection) *html.Node {
	if s == nil || s.Length() == 0 {
		return nil
	}
	return s.Nodes[0]
}

// maxLinks limits the links that are kept of one page.
const maxLinks = 20

// originalText matches the words of a link from an interpretation to its document.
var originalText = lazyregexp.New(`原文|(?:文件|政策)全文|政策文件|(?:查看|阅读)(?:文件|政策)`)

// readLinks returns the links in the text whose words are long enough to be a
// title, and links anywhere on the page whose words say that they lead to the
// original.
func readLinks(whole, container *goquery.Selection, base *url.URL) []policy.Link {
	var all []policy.Link
	seen := make(map[string]bool)
	add := func(a *goquery.Selection, inText bool) {
		text := clip(collapse(a.Text()), maxTitle)
		if len(all) >= maxLinks || text == "" || !originalText.MatchString(text) && (!inText || utf8.RuneCountInString(text) < 2*minTitle) {
			return
		}
		address := weburl.Absolute(base, a.AttrOr("href", ""))
		u, err := url.Parse(address)
		if err != nil || seen[address] || u.Scheme != "http" && u.Scheme != "https" || filelink.Type(address) != "" {
			return
		}
		seen[address] = true
		all = append(all, policy.Link{URL: address, Text: text})
	}
	container.Find("a[href]").Each(func(_ int, a *goquery.Selection) { add(a, true) })
	whole.Find("a[href]").Each(func(_ int, a *goquery.Selection) { add(a, false) })
	return all
}
