// Package pager finds the next page of a list, or of an article in parts, in all the ways
// in which sites link to it.
package pager

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"

	"golang.org/x/net/html"

	"dibao/feed/ingest/list"
	"dibao/feed/ingest/plain"
	"dibao/internal/lazyregexp"
	"dibao/policy/cut"
)

// Pager is how a page links to its next one.
type Pager struct {
	Next string // address of the next page, "" for none
	Way  string // how it was found: "下一页", "rel=next" …; "" if it was not
	Seen string // a pager that was seen but not understood, "" for none
	Form bool   // the next page is requested by a POST form, which is not followed
}

// String returns the way, or describes what was not understood; "" if there is neither.
func (p Pager) String() string {
	switch {
	case p.Form:
		return "dibao does not follow it, because it posts a form: " + p.Seen
	case p.Seen != "":
		return "not understood: " + p.Seen
	}
	return p.Way
}

// Say returns a sentence for admins, in Chinese or English, that says why a page has no
// next page.
func (p Pager) Say(chinese bool) string {
	switch {
	case p.Form && chinese:
		return "翻页须提交表单，无法跟随：" + p.Seen
	case p.Form:
		return "dibao does not follow it, because it posts a form: " + p.Seen
	case p.Seen != "" && chinese:
		return "翻页方式无法识别：" + p.Seen
	case p.Seen != "":
		return "not understood: " + p.Seen
	case chinese:
		return "页面上未识别出下一页的链接"
	}
	return "no link to a next page was recognized"
}

// pagers are the ways in which pages name the next page, the most reliable
// first. Each returns the address as written, "" if there is none.
var pagers = []struct {
	name string
	find func(*pagerReader) string
}{
	{"rel=next", (*pagerReader).byRel},
	{"下一页", (*pagerReader).byText},
	{"title 下一页", (*pagerReader).byAttribute},
	{"class next", (*pagerReader).byClass},
	{"createPageHTML", (*pagerReader).byCall},
	{"Pager", (*pagerReader).byObject},
	{"nextgroup", (*pagerReader).byGroup},
	{"page numbers", (*pagerReader).byNumbers},
	{">", (*pagerReader).bySign},
	{"select", (*pagerReader).bySelect},
	{"countPage", (*pagerReader).byVariables},
	{"script", (*pagerReader).byScript},
}

// pagerReader searches one page for its next page.
type pagerReader struct {
	root    *html.Node
	links   []*html.Node // in the page's order
	texts   []string     // texts of the links, in lower case
	address *url.URL     // address of the page
	base    *url.URL
	scripts string
	unknown string // a pager that was seen and not understood
	isLast  bool   // a script says that this is the last page
	posts   bool   // the next page is requested by a POST form
	isForm  bool   // that POST form belongs to the pager in unknown

	functions *Scripts

	absolute func(base *url.URL, href string) string
}

// maxScript is how many bytes of the beginning and of the end of a script are searched, and
// maxScripts how many of all scripts. The code of a pager is a line or two.
const maxScript, maxScripts = 32 << 10, 512 << 10

// Find searches the tree of a page for its next page. address is that of the page, base is
// the base of its relative addresses, resolve makes an address absolute and returns "" if
// it does not lead to a page.
func Find(root *html.Node, address, base *url.URL, resolve func(base *url.URL, href string) string) Pager {
	r := &pagerReader{root: root, address: address, base: base, absolute: resolve, functions: ReadScripts(root)}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && (n.Data == "a" || n.Data == "link" || attribute(n, "onclick") != "" || attribute(n, "data-href") != "") {
			r.links = append(r.links, n)
			r.texts = append(r.texts, linkText(n))
		}
	}
	r.scripts = r.functions.text
	for _, way := range pagers {
		if to := r.resolve(way.find(r)); to != "" {
			return Pager{Next: to, Way: way.name}
		}
	}
	seen := r.notUnderstood()
	return Pager{Seen: seen, Form: r.isForm && seen == r.unknown}
}

// resolve returns an address that can be the next page's: on the same host, and
// different from this page.
func (r *pagerReader) resolve(href string) string {
	if href == "" {
		return ""
	}
	to, err := url.Parse(r.absolute(r.base, href))
	if err != nil || to.Path == "" || to.Host != r.address.Host {
		return ""
	}
	to.Fragment = ""
	if here := *r.address; withoutIndex(to.Path) == withoutIndex(here.Path) && to.RawQuery == here.RawQuery {
		return ""
	}
	return to.String()
}

var indexFile = lazyregexp.New(`/(?:index|default)\.[a-z]{3,5}$`)

// withoutIndex returns a path without the name of the file that a server sends for its folder.
func withoutIndex(path string) string { return indexFile.ReplaceAllString(path, "/") }

// first returns the address of the first suitable link. If the link runs a script that does
// not contain its target, it records that.
func (r *pagerReader) first(isMeant func(a *html.Node, text string) bool) string {
	for i, a := range r.links {
		if !isMeant(a, r.texts[i]) {
			continue
		}
		to := list.Address(a)
		if a.Data == "link" {
			to = attribute(a, "href")
		}
		if r.resolve(to) != "" {
			return to
		}
		call := scriptOf(a)
		if to := r.call(call); r.resolve(to) != "" {
			return to
		}
		if r.unknown == "" && call != "" && call[0] != '#' && a.Data != "link" && (isNext(r.texts[i]) || isNext(strings.ToLower(attribute(a, "title"))) || call != "void(0)" && call != "void(0);" && call != ";") {
			r.note(cmp.Or(linkText(a), plain.Collapse(attribute(a, "value")), "next"), call)
		}
	}
	return ""
}

// CallOf returns the function call that runs when somebody clicks an element, "" if there
// is none.
func CallOf(n *html.Node) string {
	if n.Type != html.ElementNode || len(n.Attr) == 0 {
		return ""
	}
	call := scriptOf(n)
	for statement := range firstStatements(call) {
		if aCall.MatchString(strings.TrimSpace(statement)) {
			return call
		}
	}
	return ""
}

// scriptOf returns the script of a link or, for a link to a page, its address.
func scriptOf(a *html.Node) string {
	if call := attribute(a, "onclick"); call != "" {
		return call
	}
	href := strings.TrimSpace(attribute(a, "href"))
	if len(href) > len("javascript:") && strings.EqualFold(href[:len("javascript:")], "javascript:") {
		return strings.TrimSpace(href[len("javascript:"):])
	}
	return strings.TrimPrefix(href, "javascript:")
}

// note records a link whose script leads to an unknown address.
func (r *pagerReader) note(text, call string) {
	r.unknown = text + " by " + cut.First(plain.Collapse(call), 60)
	r.isForm = r.posts || strings.Contains(call, "PostBack")
}

func (r *pagerReader) byRel() string {
	return r.first(func(a *html.Node, _ string) bool {
		for rel := range strings.FieldsSeq(strings.ToLower(attribute(a, "rel"))) {
			if rel == "next" {
				return true
			}
		}
		return false
	})
}

var (
	nextText = lazyregexp.New(`^\s*(?:[\[【(（>»›→«←]\s*)?(?:下一?[页頁]|后一?[页頁]|向后|次页|较早的?文章|next(?: page)?|older(?: posts)?|more articles|次へ|次の?ページ|다음(?: ?페이지)?|(?:page |página |pagina )?(?:suivante?|siguiente|próxim[ao]|successiv[ao]|volgende)|weiter|nächste(?: seite)?|далее|следующая)\s*[>»›→\]】)）]*\s*$`)
	nextSign = lazyregexp.New(`^\s*(?:>|＞|›|→|»|>>|&gt;)\s*$`)
	nextName = lazyregexp.New(`(?i)(?:^|[\s_-])(?:next|nxt|nextpage|nextbtn|pgnext|xyy|xiayiye|pagedown)(?:$|[\s_-])`)
)

// linkText returns the text of an element of a pager in lower case; longer text is
// truncated, because it does not belong to a pager.
func linkText(a *html.Node) string {
	var b strings.Builder
	for d := range a.Descendants() {
		if d.Type == html.TextNode {
			if b.WriteString(d.Data[:min(len(d.Data), 200)]); b.Len() > 200 {
				break
			}
		}
	}
	return strings.ToLower(plain.Collapse(b.String()))
}

func (r *pagerReader) byText() string {
	return r.first(func(a *html.Node, text string) bool {
		if a.Data == "input" {
			text = strings.ToLower(attribute(a, "value"))
		}
		return a.Data != "link" && isNext(text)
	})
}

func isNext(text string) bool { return text != "" && len(text) < 40 && nextText.MatchString(text) }

// byAttribute examines the title and label of a link, and the picture in it.
func (r *pagerReader) byAttribute() string {
	return r.first(func(a *html.Node, _ string) bool {
		for _, key := range []string{"title", "aria-label"} {
			if isNext(strings.ToLower(attribute(a, key))) {
				return true
			}
		}
		for d := range a.Descendants() {
			if d.Data == "img" && (isNext(strings.ToLower(attribute(d, "alt"))) || isNext(strings.ToLower(attribute(d, "title")))) {
				return true
			}
		}
		return false
	})
}

// byClass examines the class of a link, or of a parent that contains only the link.
func (r *pagerReader) byClass() string {
	return r.first(func(a *html.Node, text string) bool {
		if a.Data != "a" || len(text) > 12 {
			return false
		}
		names := attribute(a, "class") + " " + attribute(a, "id")
		if up := a.Parent; up != nil && up.FirstChild == a && up.LastChild == a {
			names += " " + attribute(up, "class")
		}
		return nextName.MatchString(names)
	})
}

func (r *pagerReader) bySign() string {
	return r.first(func(a *html.Node, text string) bool {
		return a.Data == "a" && len(text) < 12 && nextSign.MatchString(text)
	})
}

// pagerCall matches the call with which pages of TRS, the system of most official sites,
// create their pager: createPageHTML(pages, this one, name, extension), possibly with the
// id of an element first, with any quotes, and counted from 0 or from 1.
var pagerCall = lazyregexp.New(`(?i)\bcreate\w{0,12}page\w{0,12}\s{0,9}\(([^()]{5,200})\)`)

func (r *pagerReader) byCall() string {
	for _, m := range pagerCall.FindAllStringSubmatch(r.scripts, 10) {
		var numbers []int
		var names []string
		for arg := range strings.SplitSeq(m[1], ",") {
			arg = strings.Trim(strings.TrimSpace(arg), `'"`)
			if n, err := strconv.Atoi(arg); err == nil {
				numbers = append(numbers, n)
			} else if len(numbers) > 0 || plainName.MatchString(arg) {
				names = append(names, arg)
			}
		}
		if len(numbers) < 2 || len(names) < 2 {
			r.unknown = cmp.Or(r.unknown, cut.First(m[0], 80))
			continue
		}
		name, extension := names[len(names)-2], names[len(names)-1]
		return r.numbered(numbers[0], numbers[1], name, strings.TrimPrefix(extension, "."))
	}
	return ""
}

var plainName = lazyregexp.New(`^[\w.-]{1,60}$`)

// numbered returns the address of the page after number at, of the given total.
// Pages are counted from 0 (index.html, index_1.html) or from 1 (index.html,
// index_2.html): the address of this page shows which.
func (r *pagerReader) numbered(pages, at int, name, extension string) string {
	last := pages - 1
	if at > 0 && !endsInPage(r.address.Path, at) {
		last = pages // counted from 1
	}
	if at >= last || pages > 100000 {
		r.isLast = at >= last
		return ""
	}
	return fmt.Sprintf("%s_%d.%s", name, at+1, extension)
}

// endsInPage reports whether a path ends in the number of a page: index_3.html.
func endsInPage(p string, at int) bool {
	name := strings.TrimSuffix(path.Base(p), path.Ext(p))
	return strings.HasSuffix(name, "_"+strconv.Itoa(at)) || strings.HasSuffix(name, "-"+strconv.Itoa(at))
}

var (
	currentVar = lazyregexp.New(`(?i)(?:\b(?:var|let|const)\s+|[;,]\s*)(?:currentPage|currPage|curPage|nowPage|pageIndex)\s*=\s*['"]?(\d{1,5})`)
	countVar   = lazyregexp.New(`(?i)(?:\b(?:var|let|const)\s+|[;,]\s*)(?:countPage|pageCount|totalPages?|pageTotal|allPage|maxPage)\s*=\s*['"]?(\d{1,5})`)
	ownName    = lazyregexp.New(`^(.*?)(?:_\d{1,5})?(\.\w{2,6})$`)
)

// byVariables reads the variables with which a script counts pages: currentPage and
// countPage.
func (r *pagerReader) byVariables() string {
	count, current := countVar.FindStringSubmatch(r.scripts), currentVar.FindStringSubmatch(r.scripts)
	if count == nil || current == nil {
		return ""
	}
	pages, _ := strconv.Atoi(count[1])
	at, _ := strconv.Atoi(current[1])
	name, extension := "index", "html"
	if m := ownName.FindStringSubmatch(path.Base(r.address.Path)); m != nil {
		name, extension = m[1], m[2][1:]
	}
	return r.numbered(pages, at, name, extension)
}

// nextGroup matches the address at which 大汉 jcms returns more records.
var nextGroup = lazyregexp.New(`(?s)<nextgroup>\s*(?:<!\[CDATA\[)?.{0,40}?href=['"]([^'"]{1,1000})['"]`)

func (r *pagerReader) byGroup() string {
	if m := nextGroup.FindStringSubmatch(r.scripts); m != nil {
		return html.UnescapeString(m[1])
	}
	for n := range r.root.Descendants() {
		if n.Type == html.CommentNode && n.Parent != nil && n.Parent.Data == "nextgroup" {
			if m := nextGroup.FindStringSubmatch("<nextgroup>" + n.Data); m != nil {
				return html.UnescapeString(m[1])
			}
		}
	}
	return ""
}

var (
	manyPages = lazyregexp.New(`共\s*(\d{1,5})\s*页|(?:^|[^\d/.-])1\s*/\s*(\d{1,5})\s*(?:页|$)`)
	moreText  = lazyregexp.New(`^(?:加载更多|查看更多|点击加载更多|更多内容|load more)$`)
)

// submitButton returns the name of a button that sends a form for the next page, "" if
// there is none.
func (r *pagerReader) submitButton() string {
	for n := range r.root.Descendants() {
		if n.Type != html.ElementNode || n.Data != "input" && n.Data != "button" {
			continue
		}
		text := cmp.Or(attribute(n, "value"), attribute(n, "alt"), attribute(n, "title"), linkText(n))
		if kind := strings.ToLower(attribute(n, "type")); isNext(strings.ToLower(plain.Collapse(text))) && kind != "button" && attribute(n, "disabled") == "" {
			r.isForm = true
			return plain.Collapse(text)
		}
	}
	return ""
}

// notUnderstood describes a pager that exists but has no usable link.
func (r *pagerReader) notUnderstood() string {
	if r.unknown == "" {
		r.unknown = r.submitButton()
	}
	if r.unknown != "" {
		return r.unknown
	}
	if r.isLast {
		return ""
	}
	if m := countVar.FindStringSubmatch(r.scripts); m != nil && m[1] != "0" && m[1] != "1" {
		return plain.Collapse(m[0])
	}
	said := ""
	for n := range r.root.Descendants() {
		if n.Type != html.TextNode || len(n.Data) > 400 || n.Parent.Data == "script" || n.Parent.Data == "style" {
			continue
		}
		if !strings.ContainsAny(n.Data, "共/更=") && !strings.Contains(n.Data, "ore") && len(n.Data) < 24 {
			continue
		}
		text := plain.Collapse(n.Data)
		switch m := manyPages.FindStringSubmatch(text); {
		case len(text) > 200:
		case m != nil && cmp.Or(m[1], m[2]) != "1" && cmp.Or(m[1], m[2]) != "0":
			return cut.First(text, 60)
		case moreText.MatchString(strings.ToLower(text)):
			return text
		case plain.IsBase64(text) && said == "":
			said = cut.First(text, 20) + "…"
		}
	}
	return cmp.Or(said, r.drawnPager())
}
