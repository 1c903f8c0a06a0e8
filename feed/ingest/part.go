package ingest

import (
	"net/url"
	"path"
	"slices"
	"strconv"

	"dibao/internal/lazyregexp"
)

var partName = lazyregexp.New(`^(.*?)(?:[_-](\d{1,2}))?(\.\w+)?$`)

// NextPart returns the address of the next part of an article that its site has split into
// pages: one with the same name and the next number, because "next" on an article's page
// usually leads to the next article. It returns "" if there is none.
func NextPart(p Page, s Source) string {
	next := NextPage(p, s)
	a, err := url.Parse(p.URL)
	if err != nil || next == "" {
		return ""
	}
	b, err := url.Parse(next)
	if err != nil {
		return ""
	}
	if a.Path == b.Path { // the part is in the query: every other parameter is the same
		x, y := a.Query(), b.Query()
		for _, key := range []string{"page", "p", "pageNo", "pageIndex", "pn"} {
			was, err := strconv.Atoi(x.Get(key))
			if err != nil && x.Get(key) == "" {
				was = 1
			}
			if is, err := strconv.Atoi(y.Get(key)); err == nil && is == was+1 {
				x.Del(key)
				y.Del(key)
				if x.Encode() == y.Encode() {
					return next
				}
			}
		}
		return ""
	}
	from, to := partName.FindStringSubmatch(path.Base(a.Path)), partName.FindStringSubmatch(path.Base(b.Path))
	if from == nil || to == nil || path.Dir(a.Path) != path.Dir(b.Path) || from[3] != to[3] || from[1] == "" {
		return ""
	}
	was, _ := strconv.Atoi(from[2]) // 0 if it has no number
	is, _ := strconv.Atoi(to[2])
	switch {
	case from[1] == to[1] && to[2] != "" && is > was && is <= was+2: // x.html, x_1.html or x_2.html
		return next
	case from[1]+"_"+from[2] == to[1] && to[2] != "" && is <= 2: // the article's own name ends in a number
		return next
	}
	return ""
}

// AddPart appends the next part of an article to what was read before.
func AddPart(whole, part Item) Item {
	whole.HTML += "\n" + part.HTML
	whole.Evidence.Paragraphs = slices.Concat(whole.Evidence.Paragraphs, part.Evidence.Paragraphs)
	for _, x := range part.Attachments {
		if !slices.ContainsFunc(whole.Attachments, func(y Attachment) bool { return x.URL == y.URL }) {
			whole.Attachments = append(whole.Attachments[:len(whole.Attachments):len(whole.Attachments)], x)
		}
	}
	return whole
}
