package pager

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"

	"dibao/feed/ingest/plain"
	"dibao/internal/lazyregexp"
	"dibao/policy/cut"
)

// Scripts that render a pager state its addresses: by a template, or by a function that
// inserts the page number into an address.
var (
	// url: "list_{page}.html"
	pageTemplate = lazyregexp.New(`(?i)\b(?:url|href|link|path)\w{0,8}["']?\s*[:=]\s*["']([^"'\s<>]{0,200}\{(?:page|p|pageno|pagenum|num|n|index)\}[^"'\s<>]{0,100})["']`)
	templateName = lazyregexp.New(`\{\w{1,10}\}`)
	// location.href = "index_" + (p - 1) + ".html", "/a/" + (data.pageIndex + 1) + ".html", and
	// "?page=" + obj.curr
	pageSum = lazyregexp.New(`location(?:\.href)?\s*=\s*["']([^"'\s<>]{0,200})["']\s*\+\s*\(?(?:[\w$]{1,20}\.)?(?:curr|page|p|n|num|pageNo|pageNum|pageIndex|index|i)\s*([-+]\s*1\s*)?\)?\s*(?:\+\s*["']([^"'\s<>]{0,60})["'])?\s*(?:[;})\n]|$)`)
	// drawn matches pagers of libraries that only run in a browser.
	drawn = lazyregexp.New(`(?i)laypage\.render|\.pagination\(|new\s+Pager\(|\.jqPaginator\(|kkpager|["']?(?:totalPages?|pageCount|countPage)["']?\s*:\s*(?:[2-9]|[1-9]\d)`)
	// total: 12, pageSize: 15, and laypage's count and limit
	rowTotal  = lazyregexp.New(`(?i)[{,]\s*(?:total|count)["']?\s*:\s*["']?(\d{1,7})`)
	rowLimit  = lazyregexp.New(`(?i)[{,]\s*(?:pageSize|limit)["']?\s*:\s*["']?(\d{1,5})`)
	pageInURL = lazyregexp.New(`[_=/-](\d{1,5})(?:\.\w{2,6})?$`)
)

// byScript reads the address in the function or the template of a script. It counts only if
// the page shows a pager and is its first page.
func (r *pagerReader) byScript() string {
	if m := pageInURL.FindStringSubmatch(strings.TrimSuffix(r.address.RequestURI(), "/")); m != nil && m[1] != "1" {
		return "" // on a later page, the number with which the script starts is unknown
	}
	if m := pageTemplate.FindStringSubmatch(r.scripts); m != nil {
		return templateName.ReplaceAllString(m[1], "2")
	}
	if m := pageSum.FindStringSubmatch(r.scripts); m != nil && (m[3] != "" || strings.HasSuffix(m[1], "=") || strings.HasSuffix(m[1], "/")) && (drawn.MatchString(r.scripts) || strings.HasSuffix(r.unknown, "(2)") || strings.HasSuffix(r.unknown, "(2);")) {
		if r.isLast = r.hasOnePage(); r.isLast {
			return ""
		}
		page := 2
		if strings.HasPrefix(m[2], "-") {
			page = 1
		}
		return m[1] + strconv.Itoa(page) + m[3]
	}
	return ""
}

// maxOptions is how many bytes after the name of a plug-in are searched for its options.
const maxOptions = 500

// hasOnePage reports whether the options of the plug-in that renders the pager state that all
// rows are on one page.
func (r *pagerReader) hasOnePage() bool {
	at := drawn.FindStringIndex(r.scripts)
	if at == nil {
		return false
	}
	options := r.scripts[at[0]:min(at[0]+maxOptions, len(r.scripts))]
	total, limit := rowTotal.FindStringSubmatch(options), rowLimit.FindStringSubmatch(options)
	if total == nil || limit == nil {
		return false
	}
	rows, _ := strconv.Atoi(total[1])
	each, _ := strconv.Atoi(limit[1])
	return rows > 0 && rows <= each
}

// drawnPager returns the name of a pager that a library renders in the browser.
func (r *pagerReader) drawnPager() string {
	if m := drawn.FindString(r.scripts); m != "" {
		return cut.First(plain.Collapse(m), 60)
	}
	for n := range r.root.Descendants() {
		if n.Type == html.ElementNode && strings.Contains(" "+attribute(n, "class")+" ", " el-pagination ") {
			return "el-pagination"
		}
	}
	return ""
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
