package pager

import (
	"cmp"
	"iter"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/html"

	"dibao/internal/lazyregexp"
)

// Limits on reading the function that a pager calls.
const (
	maxBody     = 2000 // bytes
	maxMentions = 30   // occurrences of a name
	maxLookups  = 30   // lookups of names in the scripts of a page
	maxTerms    = 12   // terms of a sum
	maxFields   = 40   // fields of a form

	maxStatements = 3 // statements in the script of a link
)

// aCall matches a call with literal arguments: goPage('2', 10).
var aCall = lazyregexp.New(`^(?:javascript:)?\s*(?:return\s+)?([\w$.]{1,60})\(([^()]{0,300})\)`)

// Scripts are the scripts of a page, which contain the functions that its links
// call.
type Scripts struct {
	text      string
	lookups   int // number of lookups so far
	functions map[string]function
	variables map[string]string
}

// function is the definition of a name in the scripts.
type function struct {
	parameters []string
	body       string
}

// ReadScripts collects the scripts of a page.
func ReadScripts(root *html.Node) *Scripts {
	var text strings.Builder
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || n.Data != "script" {
			continue
		}
		for c := n.FirstChild; c != nil && text.Len() < maxScripts; c = c.NextSibling {
			s := c.Data
			if len(s) > 2*maxScript { // data or a library
				text.WriteString(s[:maxScript] + "\n")
				s = s[len(s)-maxScript:]
			}
			text.WriteString(s)
		}
		text.WriteByte('\n')
	}
	return &Scripts{text: text.String(), functions: make(map[string]function), variables: make(map[string]string)}
}

// Address returns the address to which the function of a link leads, if it is concatenated
// from literals and arguments; "" otherwise. It can be on another site if the function says
// so.
func (s *Scripts) Address(call string) string {
	for statement := range firstStatements(call) {
		if to := s.located(s.called(statement)); to != "" {
			return to
		}
	}
	return ""
}

// firstStatements returns the first statements of a link's script: it may count the click
// before it leads anywhere.
func firstStatements(script string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for range maxStatements {
			statement, rest, more := strings.Cut(script, ";")
			if !yield(statement) || !more {
				return
			}
			script = rest
		}
	}
}

// called returns the body of the function that a script calls, and the values of its
// parameters.
func (s *Scripts) called(call string) (body string, known map[string]string) {
	m := aCall.FindStringSubmatch(strings.TrimSpace(call))
	if m == nil {
		return "", nil
	}
	f, ok := s.functions[m[1]]
	if !ok {
		f.parameters, f.body = s.function(m[1])
		s.functions[m[1]] = f
	}
	known = make(map[string]string)
	if m[2] != "" {
		for i, arg := range strings.Split(m[2], ",") {
			if i < len(f.parameters) {
				known[f.parameters[i]] = strings.Trim(strings.TrimSpace(arg), `'"`)
			}
		}
	}
	return f.body, known
}

// call returns where the function of a link leads: to an address, or to a form that it
// submits by GET.
func (r *pagerReader) call(script string) string {
	if to := r.functions.Address(script); to != "" {
		return to
	}
	return r.submitted(r.functions.called(script))
}

// function returns the parameters and the body of a function that the scripts define.
func (s *Scripts) function(name string) (parameters []string, body string) {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[i+1:]
	}
	if s.lookups++; s.lookups > maxLookups || name == "" {
		return nil, ""
	}
	rest := s.text
	for range maxMentions {
		i := strings.Index(rest, name)
		if i < 0 {
			return nil, ""
		}
		before, after := strings.TrimRight(rest[:i], " \t"), strings.TrimLeft(rest[i+len(name):], " \t")
		rest = rest[i+len(name):]
		if !strings.HasSuffix(before, "function") {
			after = strings.TrimLeft(after, ":= \t")
			if !strings.HasPrefix(after, "function") {
				continue
			}
			after = strings.TrimLeft(after[len("function"):], " \t")
		}
		list, body, ok := strings.Cut(strings.TrimPrefix(after, "("), ")")
		if !ok || len(list) > 200 || !strings.HasPrefix(after, "(") || !strings.HasPrefix(strings.TrimLeft(body, " \t\r\n"), "{") {
			continue
		}
		for p := range strings.SplitSeq(list, ",") {
			parameters = append(parameters, strings.TrimSpace(p))
		}
		return parameters, braced(strings.TrimLeft(body, " \t\r\n"))
	}
	return nil, ""
}

// braced returns the content of the braces at the beginning of s, at most maxBody bytes.
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

// toLocation matches the statement of a function that sends the browser to another address.
var toLocation = lazyregexp.New(`(?:\blocation(?:\.href)?\s*=|\blocation\.(?:replace|assign)\(|\bwindow\.open\()\s*([^=;\r\n][^;\r\n}]{0,400})`)

// ownVariable matches an assignment to a local variable of a function.
var ownVariable = lazyregexp.New(`(?:var|let|const)\s+([\w$]{1,40})\s*=\s*([^=;\r\n][^;\r\n]{0,400})`)

// located returns the first address in a function's body that depends on its
// arguments.
func (s *Scripts) located(body string, known map[string]string) string {
	for _, m := range ownVariable.FindAllStringSubmatch(body, 8) {
		if v, depends := s.sum(m[2], known); depends {
			known[m[1]] = v
		}
	}
	for _, m := range toLocation.FindAllStringSubmatch(body, 8) {
		if to, depends := s.sum(m[1], known); depends {
			return to
		}
	}
	return ""
}

// sum evaluates a concatenation: "index_" + (page - 1) + ".html". It returns "" if a term
// is unknown; depends reports whether a parameter occurs in it.
func (s *Scripts) sum(expression string, known map[string]string) (value string, depends bool) {
	var b strings.Builder
	for n, rest := 0, strings.TrimSpace(expression); ; n++ {
		term, after, ok := cutTerm(rest)
		if !ok || n == maxTerms {
			return "", false
		}
		v, isParameter, ok := s.term(term, known)
		if !ok {
			return "", false
		}
		b.WriteString(v)
		depends = depends || isParameter
		after = strings.TrimSpace(after)
		if !strings.HasPrefix(after, "+") {
			return b.String(), depends
		}
		rest = strings.TrimSpace(after[1:])
	}
}

// cutTerm returns the first term of a sum and the rest.
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

// shifted matches a parameter plus or minus a number: (page - 1).
var (
	shifted = lazyregexp.New(`^\(\s*(?:parseInt\(|Number\()?([\w$.]{1,40})\)?\s*([+-])\s*(\d{1,3})\s*\)$`)
	wrapped = lazyregexp.New(`^(?:Number|parseInt|String|encodeURI|encodeURIComponent)?\(\s*([\w$.]{1,40})\s*(?:,\s*10)?\)$`)
	aName   = lazyregexp.New(`^[\w$.]{1,60}$`)
)

// term returns the value of a term of a sum.
func (s *Scripts) term(text string, known map[string]string) (value string, isParameter, ok bool) {
	if text[0] == '"' || text[0] == '\'' {
		return text[1 : len(text)-1], false, true
	}
	if m := shifted.FindStringSubmatch(text); m != nil {
		n, err := strconv.Atoi(known[m[1]])
		by, _ := strconv.Atoi(m[2] + m[3])
		return strconv.Itoa(n + by), true, err == nil
	}
	if m := wrapped.FindStringSubmatch(text); m != nil {
		text = m[1]
	}
	if _, err := strconv.Atoi(text); err == nil {
		return text, false, true
	}
	if v, ok := known[text]; ok {
		return v, true, true
	}
	v, ok := s.variables[text]
	if !ok {
		v = s.variable(text)
		s.variables[text] = v
	}
	return v, false, v != ""
}

// variable returns the literal that the scripts of the page assign to a
// variable, "" if there is none.
func (s *Scripts) variable(name string) string {
	if s.lookups++; s.lookups > maxLookups || !aName.MatchString(name) {
		return ""
	}
	rest := s.text
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

// setField matches the assignment of a value to a form field, and setTo the assignment of
// the address to which the form is sent.
var (
	setField = lazyregexp.New(`(?:\(\s*["']#?(?:input\[name=["']?)?([\w.-]{1,40})["']?\]?["']\s*\)|\b([\w$]{1,40}))\s*\.(?:value\s*=\s*|val\(\s*)([\w$]{1,40})`)
	setTo    = lazyregexp.New(`\.action\s*=\s*["']([^"']{1,300})["']`)
)

// submitted returns the address at which a form is requested by GET, if the
// function sets one of its fields to the number of a page. A form that is
// posted is recorded as not understood.
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

// formOf returns the form of a field with a name or an id, and the name. In a
// table a form element does not contain its fields: they follow it.
func (r *pagerReader) formOf(field string) (form *html.Node, name string) {
	if r.functions.lookups++; r.functions.lookups > maxLookups {
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

// fieldsOf returns the values with which a form is sent.
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

// pagerObject matches the code with which pages of TRS create a pager as an object:
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
