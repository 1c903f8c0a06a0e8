package ingest

import (
	"net/url"
	"strings"

	"golang.org/x/net/html"

	"dibao/feed/ingest/filelink"
	"dibao/feed/ingest/textblock"
	"dibao/feed/ingest/weburl"
	"dibao/internal/lazyregexp"
	"dibao/internal/markup"
)

// typeOfLink returns the media type of the file that a link leads to, according to its
// address, its script or its text.
func typeOfLink(a *html.Node) string {
	href := markup.Attr(a, "href")
	if t := filelink.Type(href); t != "" {
		return t
	}
	if t := filelink.Type(filelink.InCall(markup.Attr(a, "onclick") + href)); t != "" {
		return t
	}
	if href == "" || strings.HasPrefix(href, "#") || strings.HasPrefix(href, "javascript") {
		return ""
	}
	if text, ok := textblock.UpTo(a, maxTitle); ok {
		return filelink.TypeOfName(text)
	}
	return ""
}

// attachmentWords are names of the parts of a page that list attachments.
var attachmentWords = set(`fujian fj xgfj filelist files attach attachs attachment attachments annex appendix enclosure xiazai download downloads accessory file`)

// attachmentHeading matches headings of attachments.
var attachmentHeading = lazyregexp.New(`^[【\[（(]?(?:相关)?(?:附件|附\s?件下载|文件下载|下载附件|附\d?)[\d一二三四五六七八九十]{0,3}(?:下载|列表)?[】\]）)]?[:：]?$|^[【\[]?(?:相关)?附件[】\]]?\s?\d{0,2}\s?[:：.]|^附件\s?[【\[（(]|^附\s?[:：]`)

// wholeText matches a link to the whole text as a file.
var wholeText = lazyregexp.New(`(?i)^(?:(?:全文|原文|正文|文件|本文|点击)?(?:PDF|Word|WPS|OFD|DOCX?)?(?:版|文档|格式)?下载(?:全文|原文|PDF|Word|WPS|OFD)?\s*)+$`)

// attachmentLines is the number of lines after the text in which attachments are searched for.
const attachmentLines = 15

// fileReader collects the attachments of an article.
type fileReader struct {
	base *url.URL
	all  []Attachment
	seen map[string]bool
}

// readAttachments returns the files of an article in the page's order: links in
// the text and in elements named or headed 附件 near it, and files that the
// page shows (embed, object, a viewer in a frame).
func (v *view) readAttachments(root, container *html.Node, base *url.URL) []Attachment {
	r := &fileReader{base: base, seen: make(map[string]bool)}
	near := v.nearFiles(container)
	var walk func(n *html.Node, in bool)
	walk = func(n *html.Node, in bool) {
		if n.Type == html.ElementNode {
			if in {
				r.readPlayer(n)
			}
			kind, _ := isAside(n)
			in = in && (kind == inArticle || contains(n, container)) || n == container || near[n] || named2(n)
			r.read(n, in)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c, in)
		}
	}
	walk(root, false)
	return r.all
}

func named2(n *html.Node) bool {
	for _, w := range markup.ClassWords(n) {
		if attachmentWords[w] {
			return true
		}
	}
	return false
}

// nearFiles returns the blocks after the text that contain files: those under a
// heading 附件, and those that directly follow.
func (v *view) nearFiles(container *html.Node) map[*html.Node]bool {
	near := make(map[*html.Node]bool)
	if container == nil {
		return near
	}
	s := v.under(container)
	headed := false
	for i := s.to; i < min(len(v.lines), s.to+attachmentLines); i++ {
		l := v.lines[i]
		file := isFileLine(l)
		if file && wholeText.MatchString(l.text) {
			near[l.node] = true
		}
		headed = attachmentHeading.MatchString(l.text) || headed && file
		if file && headed || attachmentHeading.MatchString(l.text) {
			near[l.node] = true
		}
	}
	return near
}

// read records the file that an element links to or shows.
func (r *fileReader) read(n *html.Node, in bool) {
	switch n.Data {
	case "a":
		if t := typeOfLink(n); t != "" && in {
			address := markup.Attr(n, "href")
			if call := filelink.InCall(markup.Attr(n, "onclick") + address); call != "" && (filelink.Type(address) == "" || strings.HasPrefix(address, "javascript")) {
				address = call
			}
			text, _ := textblock.UpTo(n, maxTitle)
			r.add(filelink.Viewer(address), firstOf(text, markup.Attr(n, "title")), t)
		}
	case "embed", "iframe", "frame":
		r.shown(markup.Attr(n, "src"), n)
	case "object":
		r.shown(markup.Attr(n, "data"), n)
	case "param":
		if name := strings.ToLower(markup.Attr(n, "name")); name == "src" || name == "filename" || name == "movie" {
			r.shown(markup.Attr(n, "value"), n)
		}
	}
}

// readPlayer records the file that a script shows in an element of the text. The class of the element,
// such as wp_pdf_player, is often one of those that mark boxes next to the text.
func (r *fileReader) readPlayer(n *html.Node) {
	for _, key := range []string{"pdfsrc", "data-pdf", "data-file", "data-url", "data-src"} {
		if s := markup.Attr(n, key); s != "" {
			r.shown(s, n)
		}
	}
}

// shown records a file that the page shows.
func (r *fileReader) shown(address string, n *html.Node) {
	if address = filelink.Viewer(address); filelink.Type(address) != "" {
		r.add(address, markup.Attr(n, "title"), filelink.Type(address))
	}
}

func (r *fileReader) add(ref, title, mediaType string) {
	address := weburl.Absolute(r.base, ref)
	if address == "" || strings.HasPrefix(address, "mailto:") || r.seen[address] || len(r.all) >= maxAttached {
		return
	}
	r.seen[address] = true
	r.all = append(r.all, Attachment{URL: address, Title: clip(collapse(title), maxTitle), Type: mediaType})
}
