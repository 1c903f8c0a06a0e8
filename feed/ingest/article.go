package ingest

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	readability "codeberg.org/readeck/go-readability/v2"
	"github.com/PuerkitoBio/goquery"
	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"

	"dibao/policy"
)

// containers are where the systems that official sites run on put the text, the
// more particular first.
var containers = []string{
	"#artcontent",                                     // 织梦 DedeCMS
	"#UCAP-CONTENT", ".pages_content", "#contentText", // gov.cn
	".TRS_Editor", ".trs_editor_view", ".TRS_UEDITOR", // TRS
	"#zoom", "#Zoom", "#zoomcon", "#fontzoom", // 大汉 jcms, TRS, many others
	"#ivs_content", ".bt_content", ".easysite-news-text", // Shanghai; 大汉
	"#con_con", ".ccontent", "#xw_box", // 工信部 and others
	".moe-detail-box", "#moe-detail-box", "#content_body_xxgk", // 教育部
	"#detailContent", "#mainText", ".my_doccontent", ".xxy_text", "#insMainConTxt", ".content_body_box",
	"#vsb_content", ".v_news_content", // 博达
	"#js_content", "#rwb_zw", ".rm_txt_con", "#p-detail",
	".article-content", ".article_content", ".articleContent", ".Article_content", "#articleContent", ".article_con", ".art-con", ".art_con",
	".wzcon", ".wz_con", "#content_body", ".news_content", ".newsContent", "#newsContent", ".detail-content", ".detail_content", ".detail-news",
	".viewbox .content",
}

// wrappers often hold the text and more, which is then narrowed down.
var wrappers = []string{"article .content", "article", "main", "#content", ".content", "#detail", ".view", ".text", ".article", ".main"}

// minText is the least text, in characters, that a container holds.
const minText = 50

// ReadArticle reads the page of an article into the item that its list gave.
// What stands outside the container of the text is not read, but for the
// headline, meta elements and labelled values before it. An error leaves it as
// it was.
func ReadArticle(p Page, s Source, it Item) (Item, error) {
	doc, plain := parseText(p, s.Settings.Charset)
	base, err := url.Parse(p.URL)
	if err != nil {
		return it, fmt.Errorf("address %q of the article: %w", p.URL, err)
	}
	base = pageBase(doc, base)
	e := it.Evidence // a copy; slices are made anew below
	e.URL = firstOf(it.URL, p.URL)
	e.SiteName, e.Zone, e.Issuer, e.Region = s.Name, s.Zone, s.Issuer, s.Region
	e.Language = clip(doc.Find("html").AttrOr("lang", ""), 35)
	e.Meta = readMeta(doc)
	inScript := scriptText(doc)
	// What nobody sees on the page must not be read as if it stood there.
	doc.Find("script, style, noscript, template, head base, select, [hidden]").Remove()
	dropComments(doc.Nodes[0])

	out := it
	container, err := findContainer(doc, s.Settings.Content)
	if err != nil {
		return it, err
	}
	if plain {
		container = doc.Find("body")
		out.Warnings = append(it.Warnings[:len(it.Warnings):len(it.Warnings)], textOnly)
	}
	headline := findHeadline(doc, container, references(doc, e, it))
	e.Title = firstOf(headline.text, it.Title)
	e.Labels = readLabels(doc, headline.node, nodeOf(container))
	if container == nil && inScript != "" {
		container = fromMarkup(inScript)
	}
	if container == nil {
		if container, err = readable(doc, p.URL); err != nil {
			return it, err
		}
		out.Warnings = append(it.Warnings[:len(it.Warnings):len(it.Warnings)], "the text was found by its shape; set the source's content selector")
	}
	container.Find("footer, .footer, #footer").Remove() // an unclosed element takes it along
	out.Attachments = readAttachments(container, base)
	e.Links = readLinks(doc.Selection, container, base)
	e.Paragraphs = blocksOf(container.Nodes[0])
	out.HTML = sanitizeSelection(container, base.String())
	if len(e.Paragraphs) == 0 && len(out.Attachments) == 0 {
		return it, errNoText
	}
	if out.Title == "" {
		out.Title = e.Title
	}
	out.Evidence, out.NeedsPage = e, false
	return out, nil
}

// Limits on what is kept of the meta elements.
const (
	maxMeta     = 100
	maxMetaText = 2000 // characters
)

func readMeta(doc *goquery.Document) []policy.Pair {
	var all []policy.Pair
	doc.Find("meta[name][content], meta[property][content]").Each(func(_ int, m *goquery.Selection) {
		name := clip(collapse(m.AttrOr("name", m.AttrOr("property", ""))), 100)
		if content := collapse(m.AttrOr("content", "")); name != "" && content != "" && len(all) < maxMeta {
			all = append(all, policy.Pair{Name: name, Content: clip(content, maxMetaText)})
		}
	})
	return all
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

// findContainer returns the element of the text: the source's own selector, else
// that of a known system that holds enough text, else the narrowest part of a
// wrapper that holds nearly all of its text. It is nil if there is none.
func findContainer(doc *goquery.Document, selector string) (*goquery.Selection, error) {
	if selector != "" {
		if _, err := cascadia.ParseGroup(selector); err != nil {
			return nil, fmt.Errorf("content selector %q of the source: %w", selector, err)
		}
		if s := doc.Find(selector).First(); s.Length() > 0 {
			return s, nil
		}
	}
	lengths := textLengths(doc.Nodes[0])
	for _, selector := range containers {
		if s := withText(doc.Find(selector), lengths); s != nil {
			return s, nil
		}
	}
	for _, selector := range wrappers {
		if s := withText(doc.Find(selector), lengths); s != nil {
			if s = narrowDown(s, lengths); s != nil {
				return s, nil
			}
		}
	}
	// A selector of a known system with little text but a file is a document
	// that was put online as a file.
	for _, selector := range containers {
		if s := doc.Find(selector).First(); s.Length() > 0 && (collapse(s.Text()) != "" || s.Find("a[href], img[src]").Length() > 0) {
			return s, nil
		}
	}
	return nil, nil
}

// withText returns the first element that holds text enough.
func withText(found *goquery.Selection, lengths map[*html.Node]int) *goquery.Selection {
	for i, n := range found.Nodes {
		if lengths[n] >= minText {
			return found.Eq(i)
		}
	}
	return nil
}

// narrowDown goes into an element as long as one part of it holds nine tenths of
// its text that is no link. It is nil if what is left is mostly links: a menu or
// a list of articles.
func narrowDown(s *goquery.Selection, lengths map[*html.Node]int) *goquery.Selection {
	for {
		all := lengths[s.Nodes[0]]
		var part *html.Node
		for c := s.Nodes[0].FirstChild; c != nil; c = c.NextSibling {
			if c.Type == html.ElementNode && blockTags[c.Data] && c.Data != "p" && c.Data != "table" && lengths[c]*10 >= all*9 {
				part = c
			}
		}
		if part == nil {
			break
		}
		s = s.FindNodes(part)
	}
	if plain := lengths[s.Nodes[0]]; plain < minText || plain < utf8.RuneCountInString(collapse(s.Text()))/2 {
		return nil
	}
	return s
}

// maxElements bounds the search for the text by shape, whose time grows faster
// than the page.
const maxElements = 20000

// readable finds the text by its shape.
func readable(doc *goquery.Document, address string) (s *goquery.Selection, err error) {
	defer func() {
		// It is fed by strangers; a panic of it is a page without text.
		if p := recover(); p != nil {
			s, err = nil, errNoText
		}
	}()
	doc.Find("title").Each(func(_ int, t *goquery.Selection) {
		t.SetText(clip(collapse(t.Text()), maxTitle)) // it is held against every heading
	})
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	parser := readability.NewParser()
	parser.MaxElemsToParse = maxElements
	article, err := parser.ParseDocument(doc.Nodes[0], u)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errNoText, err)
	}
	if article.Node == nil || article.Node.FirstChild == nil {
		return nil, errNoText
	}
	return goquery.NewDocumentFromNode(article.Node).Selection, nil
}

// headline is what the page is called and the element that says so, if one does.
type headline struct {
	text string
	node *html.Node
}

// titleCut parts a page's title from the name of its site.
var titleCut = regexp.MustCompile(`\s*[_|｜]+\s*|\s+[-–—]+\s+|--+`)

const minTitle = 4 // characters

// references are the texts that a headline has to agree with: the page's title,
// what its meta elements call the article, and what the list called it.
func references(doc *goquery.Document, e policy.Evidence, it Item) []string {
	refs := []string{
		firstOf(collapse(doc.Find("head title").First().Text()), collapse(doc.Find("title").First().Text())),
		it.Title, e.ListTitle,
	}
	for _, m := range e.Meta {
		if n := strings.ToLower(m.Name); n == "articletitle" || n == "og:title" {
			refs = append(refs, m.Content)
		}
	}
	for i, ref := range refs {
		refs[i] = clip(ref, maxTitle) // each is held against every headline of the page
	}
	return refs
}

// findHeadline returns the headline: the longest element of a headline's kind
// that agrees with a reference, else the page's only h1, else the page's title
// without the name of the site.
func findHeadline(doc *goquery.Document, container *goquery.Selection, refs []string) headline {
	var best, longer, only headline
	squeezed, cuts := make([]string, len(refs)), make([]string, len(refs))
	for i, ref := range refs {
		squeezed[i] = squeeze(ref)
		cuts[i] = strings.TrimRight(titleCut.Split(squeezed[i], 2)[0], ".…")
	}
	doc.Find("h1, h2, h3, h4, [id*=title], [class*=title], [id*=Title], [class*=Title], [class*=tit]").Each(func(_ int, s *goquery.Selection) {
		text, ok := textUpTo(s.Nodes[0], maxTitle)
		if !ok || utf8.RuneCountInString(text) < minTitle {
			return
		}
		plain := squeeze(text)
		for i, ref := range squeezed {
			if len(text) > len(best.text) && strings.Contains(ref, plain) {
				best = headline{text, s.Nodes[0]}
			} else if longer.text == "" && isCut(cuts[i], plain) && !hasBlockChild(s.Nodes[0]) {
				longer = headline{text, s.Nodes[0]}
			}
		}
	})
	if longer.text != "" && strings.HasPrefix(longer.text, best.text) {
		return longer
	}
	if best.text != "" {
		return best
	}
	inside := nodeOf(container)
	if h := doc.Find("h1"); h.Length() == 1 && (inside == nil || !contains(inside, h.Nodes[0])) {
		only = headline{collapse(h.Text()), h.Nodes[0]}
		if utf8.RuneCountInString(only.text) >= minTitle {
			return only
		}
	}
	for i, ref := range refs[1:] { // the page's title is one of them and the site's name
		if utf8.RuneCountInString(ref) >= minTitle && strings.HasPrefix(squeezed[0], squeezed[i+1]) {
			return headline{text: ref}
		}
	}
	for _, part := range titleCut.Split(refs[0], -1) {
		if utf8.RuneCountInString(part) >= minTitle {
			return headline{text: clip(part, maxTitle)}
		}
	}
	return headline{text: clip(refs[0], maxTitle)}
}

// isCut reports whether a reference begins the headline and was cut short.
func isCut(cut, headline string) bool {
	return utf8.RuneCountInString(cut) >= 10 && strings.HasPrefix(headline, cut)
}

func squeeze(s string) string { return strings.ReplaceAll(s, " ", "") }

func nodeOf(s *goquery.Selection) *html.Node {
	if s == nil || s.Length() == 0 {
		return nil
	}
	return s.Nodes[0]
}

// fileTypes are the attachments that official pages have.
var fileTypes = map[string]string{
	".pdf": "application/pdf", ".doc": "application/msword", ".xls": "application/vnd.ms-excel", ".ppt": "application/vnd.ms-powerpoint",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	".ofd":  "application/ofd", ".wps": "application/vnd.ms-works", ".et": "application/vnd.ms-excel",
	".zip": "application/zip", ".rar": "application/vnd.rar",
}

// maxLinks bounds the links that are kept of one page.
const maxLinks = 20

// originalText is what sites write on a link from an interpretation to its text.
var originalText = regexp.MustCompile(`原文|(?:文件|政策)全文|政策文件|(?:查看|阅读)(?:文件|政策)`)

// readLinks returns the links of the text that bear words enough to be a title,
// and those of the whole page that say that they lead to the original.
func readLinks(whole, container *goquery.Selection, base *url.URL) []policy.Link {
	var all []policy.Link
	seen := make(map[string]bool)
	add := func(a *goquery.Selection, inText bool) {
		text := clip(collapse(a.Text()), maxTitle)
		if len(all) >= maxLinks || text == "" || !originalText.MatchString(text) && (!inText || utf8.RuneCountInString(text) < 2*minTitle) {
			return
		}
		address := absolute(base, a.AttrOr("href", ""))
		u, err := url.Parse(address)
		if err != nil || seen[address] || u.Scheme != "http" && u.Scheme != "https" || fileTypes[strings.ToLower(path.Ext(u.Path))] != "" {
			return
		}
		seen[address] = true
		all = append(all, policy.Link{URL: address, Text: text})
	}
	container.Find("a[href]").Each(func(_ int, a *goquery.Selection) { add(a, true) })
	whole.Find("a[href]").Each(func(_ int, a *goquery.Selection) { add(a, false) })
	return all
}

func readAttachments(container *goquery.Selection, base *url.URL) []Attachment {
	var all []Attachment
	seen := make(map[string]bool)
	container.Find("a[href]").Each(func(_ int, a *goquery.Selection) {
		address := absolute(base, a.AttrOr("href", ""))
		u, err := url.Parse(address)
		if err != nil || address == "" || seen[address] || len(all) >= maxAttached {
			return
		}
		if mediaType := fileTypes[strings.ToLower(path.Ext(u.Path))]; mediaType != "" {
			seen[address] = true
			all = append(all, Attachment{URL: address, Title: clip(collapse(a.Text()), maxTitle), Type: mediaType})
		}
	})
	return all
}
