package pager

import (
	"cmp"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/html"

	"dibao/internal/lazyregexp"
)

// Limits on what is read of the function that a pager calls.
const (
	maxBody     = 2000 // bytes
	maxMentions = 30   // of a name
	maxLookups  = 30   // of names in the scripts of a page
	maxTerms    = 12   // of a sum
	maxFields   = 40   // of a form
)

// aCall is a function that is called with literals: goPage('2', 10).
var aCall = lazyregexp.New(`^(?:javascript:)?\s*(?:return\s+)?([\w$.]{1,60})\(([^()]{0,300})\)`)

// call returns where the function that a link calls leads: its definition puts an
// address together of literals and what it is called with, or sends a form by GET.
func (r *pagerReader) call(script string) string {
	m := aCall.FindStringSubmatch(strings.TrimSpace(script))
	if m == nil {
		return ""
	}
	parameters, body := r.function(m[1])
	if body == "" {
		return ""
	}
	known := make(map[string]string)
	if m[2] != "" {
		for i, arg := range strings.Split(m[2], ",") {
			if arg = strings.TrimSpace(arg); i < len(parameters) {
				known[parameters[i]] = strings.Trim(arg, `'"`)
			}
		}
	}
	if to := r.located(body, known); to != "" {
		return to
	}
	return r.submitted(body, known)
}

// function returns the parameters and the body of a function that the scripts of
// the page define.
func (r *pagerReader) function(name string) (parameters []string, body string) {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[i+1:]
	}
	if r.lookups++; r.lookups > maxLookups || name == "" {
		return nil, ""
	}
	rest := r.scripts
	for range maxMentions {
		i := strings.Index(rest, name)
		if i < 0 {
			return nil, ""
		}
		before, behind := strings.TrimRight(rest[:i], " \t"), strings.TrimLeft(rest[i+len(name):], " \t")
		rest = rest[i+len(name):]
		if !strings.HasSuffix(before, "function") {
			behind = strings.TrimLeft(behind, ":= \t")
			if !strings.HasPrefix(behind, "function") {
				continue
			}
			behind = strings.TrimLeft(behind[len("function"):], " \t")
		}
		list, after, ok := strings.Cut(strings.TrimPrefix(behind, "("), ")")
		if !ok || len(list) > 200 || !strings.HasPrefix(behind, "(") || !strings.HasPrefix(strings.TrimLeft(after, " \t\r\n"), "{") {
			continue
		}
		for p := range strings.SplitSeq(list, ",") {
			parameters = append(parameters, strings.TrimSpace(p))
		}
		return parameters, braced(strings.TrimLeft(after, " \t\r\n"))
	}
	return nil, ""
}

// braced returns what the braces at the beginning of s hold, at most maxBody of it.
func braced(s string) string {
	depth := 0
	for i := range min(len(s), maxBody) {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return s[1:i]
			}
		}
	}
	return s[min(1, len(s)):min(len(s), maxBody)]
}

// toLocation finds where a function sends the browser.
var toLocation = lazyregexp.New(`(?:\blocation(?:\.href)?\s*=|\blocation\.(?:replace|assign)\(|\bwindow\.open\()\s*([^=;\r\n][^;\r\n}]{0,400})`)

// located returns the first address of a function's body that depends on what it
// is called with.
func (r *pagerReader) located(body string, known map[string]string) string {
	for _, m := range toLocation.FindAllStringSubmatch(body, 8) {
		if to, depends := r.sum(m[1], known); depends {
			return to
		}
	}
	return ""
}

// sum puts a sum of strings together: "index_" + (page - 1) + ".html". It is "" where
// a term is not known; depends reports whether a parameter is in it.
func (r *pagerReader) sum(expression string, known map[string]string) (value string, depends bool) {
	var b strings.Builder
	for n, rest := 0, strings.TrimSpace(expression); ; n++ {
		term, behind, ok := cutTerm(rest)
		if !ok || n == maxTerms {
			return "", false
		}
		v, isParameter, ok := r.term(term, known)
		if !ok {
			return "", false
		}
		b.WriteString(v)
		depends = depends || isParameter
		behind = strings.TrimSpace(behind)
		if !strings.HasPrefix(behind, "+") {
			return b.String(), depends
		}
		rest = strings.TrimSpace(behind[1:])
	}
}

// cutTerm cuts the first term off a sum.
func cutTerm(s string) (term, rest string, ok bool) {
	if s == "" {
		return "", "", false
	}
	if q := s[0]; q == '"' || q == '\'' {
		i := strings.IndexByte(s[1:], q)
		if i < 0 {
			return "", "", false
		}
		return s[:i+2], s[i+2:], true
	}
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth < 0 {
				return s[:i], s[i:], i > 0
			}
		case '+', ',', ' ', ';':
			if depth == 0 {
				return s[:i], s[i:], i > 0
			}
		}
	}
	return s, "", true
}

// shifted is a number that is counted on from a parameter: (page - 1).
var (
	shifted = lazyregexp.New(`^\(\s*(?:parseInt\(|Number\()?([\w$.]{1,40})\)?\s*([+-])\s*(\d{1,3})\s*\)$`)
	wrapped = lazyregexp.New(`^(?:Number|parseInt|String|encodeURI|encodeURIComponent)?\(\s*([\w$.]{1,40})\s*(?:,\s*10)?\)$`)
	aName   = lazyregexp.New(`^[\w$.]{1,60}$`)
)

// term returns the value of a term of a sum.
func (r *pagerReader) term(s string, known map[string]string) (value string, isParameter, ok bool) {
	if s[0] == '"' || s[0] == '\'' {
		return s[1 : len(s)-1], false, true
	}
	if m := shifted.FindStringSubmatch(s); m != nil {
		n, err := strconv.Atoi(known[m[1]])
		by, _ := strconv.Atoi(m[2] + m[3])
		return strconv.Itoa(n + by), true, err == nil
	}
	if m := wrapped.FindStringSubmatch(s); m != nil {
		s = m[1]
	}
	if _, err := strconv.Atoi(s); err == nil {
		return s, false, true
	}
	if v, ok := known[s]; ok {
		return v, true, true
	}
	if v := r.variable(s); v != "" {
		return v, false, true
	}
	return "", false, false
}

// variable returns the literal that the scripts of the page give a variable, "" for
// none.
func (r *pagerReader) variable(name string) string {
	if r.lookups++; r.lookups > maxLookups || !aName.MatchString(name) {
		return ""
	}
	rest := r.scripts
	for range maxMentions {
		i := strings.Index(rest, name)
		if i < 0 {
			return ""
		}
		isWhole := i == 0 || !strings.ContainsRune("._$", rune(rest[i-1])) && !isLetterOrDigit(rest[i-1])
		rest = rest[i+len(name):]
		to, isSet := strings.CutPrefix(strings.TrimLeft(rest, " \t"), "=")
		to = strings.TrimLeft(to, " \t")
		if !isWhole || !isSet || to == "" {
			continue
		}
		if q := to[0]; q == '"' || q == '\'' {
			if j := strings.IndexByte(to[1:], q); j > 0 && j < 300 {
				return to[1 : j+1]
			}
		}
	}
	return ""
}

func isLetterOrDigit(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// setField finds the field of a form that a function sets to a name, and the address
// to which it has the form sent.
var (
	setField = lazyregexp.New(`(?:\(\s*["']#?(?:input\[name=["']?)?([\w.-]{1,40})["']?\]?["']\s*\)|\b([\w$]{1,40}))\s*\.(?:value\s*=\s*|val\(\s*)([\w$]{1,40})`)
	setTo    = lazyregexp.New(`\.action\s*=\s*["']([^"']{1,300})["']`)
)

// submitted returns the address at which a form is asked for, where the function
// sets one of its fields to the number of a page. A form that is posted is noted as
// not understood.
func (r *pagerReader) submitted(body string, known map[string]string) string {
	if !strings.Contains(body, "submit(") {
		return ""
	}
	for _, m := range setField.FindAllStringSubmatch(body, 8) {
		page, ok := known[m[3]]
		if !ok {
			continue
		}
		form, field := r.formOf(cmp.Or(m[1], m[2]))
		if form == nil {
			continue
		}
		if strings.EqualFold(attribute(form, "method"), "post") {
			r.posts = true
			return ""
		}
		action := attribute(form, "action")
		if to := setTo.FindStringSubmatch(body); to != nil {
			action = to[1]
		}
		query := fieldsOf(form)
		query.Set(field, page)
		action, _, _ = strings.Cut(action, "?")
		return action + "?" + query.Encode()
	}
	return ""
}

// formOf returns the form of a field with a name or an id, and the name. In a table a
// form does not hold its fields: they stand behind it.
func (r *pagerReader) formOf(field string) (form *html.Node, name string) {
	if r.lookups++; r.lookups > maxLookups {
		return nil, ""
	}
	for n := range r.root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if n.Data == "form" {
			form = n
		}
		if n.Data == "input" && (attribute(n, "name") == field || attribute(n, "id") == field) {
			return form, cmp.Or(attribute(n, "name"), field)
		}
	}
	return nil, ""
}

// fieldsOf returns what a form would be sent with.
func fieldsOf(form *html.Node) url.Values {
	query := make(url.Values)
	add := func(n *html.Node) {
		if n.Type != html.ElementNode || n.Data != "input" || attribute(n, "name") == "" || len(query) >= maxFields {
			return
		}
		switch strings.ToLower(attribute(n, "type")) {
		case "hidden", "text", "":
			query.Set(attribute(n, "name"), attribute(n, "value"))
		}
	}
	if form.FirstChild == nil {
		for n := form.NextSibling; n != nil && n.Data != "form"; n = n.NextSibling {
			add(n)
		}
	}
	for n := range form.Descendants() {
		add(n)
	}
	return query
}

// pagerObject is how pages of TRS draw a pager by an object:
// Pager({size:3, current:0, prefix:'index', suffix:'html'}).
var (
	pagerObject = lazyregexp.New(`\bPager\(\{([^{}]{10,400})\}`)
	member      = lazyregexp.New(`\b(size|current|prefix|suffix)\s*:\s*['"]?([\w./-]{1,80})`)
)

func (r *pagerReader) byObject() string {
	for _, m := range pagerObject.FindAllStringSubmatch(r.scripts, 4) {
		set := make(map[string]string)
		for _, x := range member.FindAllStringSubmatch(m[1], 20) {
			set[x[1]] = x[2]
		}
		pages, err := strconv.Atoi(set["size"])
		at, err2 := strconv.Atoi(set["current"])
		if err == nil && err2 == nil && set["prefix"] != "" && set["suffix"] != "" {
			return r.numbered(pages, at, set["prefix"], strings.TrimPrefix(set["suffix"], "."))
		}
	}
	return ""
}
