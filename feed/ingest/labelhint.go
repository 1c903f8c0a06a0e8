package ingest

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/html"

	"dibao/feed/ingest/textblock"
	"dibao/internal/lazyregexp"
	"dibao/internal/markup"
	"dibao/policy"
	"dibao/policy/label"
)

var (
	sourceWords = set(`source laiyuan ly comefrom origin nickname`)
	authorWords = set(`author zuozhe writer`)
)

// readHint reads the value of an element whose name means source or author, without a
// printed label, or that follows an icon with such a name.
func (r *labelReader) readHint(l line) {
	if l.size > maxLabelText {
		return
	}
	for _, t := range l.nodes {
		if text := collapse(t.Data); isAccount(text) {
			r.putHint(t.Parent, "来源", text)
		}
		if icon := t.PrevSibling; icon != nil && icon.Type == html.ElementNode && textblock.IsEmpty(icon) {
			r.putHint(icon, hintOf(icon), collapse(t.Data))
		}
		for n, up, named := t.Parent, 0, 0; n != nil && n.Type == html.ElementNode && named < 2 && up < maxHintDepth; n, up = n.Parent, up+1 {
			if markup.Attr(n, "class") != "" || markup.Attr(n, "id") != "" {
				named++
			}
			if name := hintOf(n); name != "" {
				text, _ := textblock.UpTo(n, maxHint)
				r.putHint(n, name, text)
			}
		}
	}
}

// maxHintDepth is the number of ancestors of a value that are searched for a name; at most
// two names are used.
const maxHintDepth = 4

// maxHint is the maximum length, in characters, of a value without a label.
const maxHint = 30

// accountMark matches the mark after the name of an account of a platform, which is not a
// person.
var accountMark = lazyregexp.New(`\s?(?:(?:企鹅|百家|大鱼|头条|搜狐|网易|澎湃|公众|微信|政务)号|官方(?:账号|帐号))$`)

// isAccount reports whether a text is the name of an account followed by the mark of its
// platform, not a prompt to follow it.
func isAccount(text string) bool {
	at := accountMark.FindStringIndex(text)
	return at != nil && runes(text[:at[0]]) >= 2 && !policy.IsBoilerplate(text)
}

// nameWords are names of elements that contain the name of an account of a platform.
var nameWords = set(`author media account nick`)

// isAccountName reports whether the name of an element means the name of an account:
// author-name, media_name.
func isAccountName(n *html.Node) bool {
	all := markup.ClassWords(n)
	i := slices.Index(all, "name")
	return i > 0 && nameWords[all[i-1]]
}

// hintOf returns the label that the name or the tooltip of an element means.
func hintOf(n *html.Node) string {
	if tip := strings.TrimRight(squeeze(markup.Attr(n, "title")), ":："); label.KindOf(tip) == label.Source || label.KindOf(tip) == label.Author {
		return tip
	}
	if markup.Attr(n, "id") == "js_name" { // the account that published an article on WeChat
		return "来源"
	}
	for _, w := range markup.ClassWords(n) {
		if sourceWords[w] || nameWords[w] && w != "author" && isAccountName(n) {
			return "来源"
		}
		if authorWords[w] {
			return "作者"
		}
	}
	return ""
}

func (r *labelReader) putHint(n *html.Node, name, text string) {
	if name == "" || text == "" || runes(text) > maxHint || strings.ContainsAny(text, ":：|0123456789") || r.has(label.KindOf(name)) {
		return
	}
	text = strings.TrimSpace(strings.TrimPrefix(text, name)) // a label without a colon in its own element
	if at := accountMark.FindStringIndex(text); at != nil {
		name, text = "来源", text[:at[0]]
	} else if name == "作者" && !policy.IsAuthor(text) {
		if isAccountName(n) && !r.has(label.Source) && runes(text) >= 3 && strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			r.put(policy.Label{Element: elementName(n), Name: "来源", Value: text})
		}
		return // an account or an office: a name alone does not say which
	}
	if fields, _ := label.Split(name + "：" + text); len(fields) == 1 && fields[0].Value != "" {
		r.put(policy.Label{Element: elementName(n), Name: name, Value: fields[0].Value})
	}
}
