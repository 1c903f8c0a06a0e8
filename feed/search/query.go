package search

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"dibao/policy"
	"dibao/policy/division"
	"dibao/policy/fold"
	"dibao/policy/theme"
)

// phrase is what a text must contain: pieces that follow each other, with only punctuation
// between them. Numbers match with any form of brackets.
type phrase struct {
	pieces []string // folded runs of Han characters or of letters and digits
	prefix bool     // the last piece is a prefix: 养老*
	number string   // canonical, if the phrase is a document number
}

// clause is a set of phrases, one of which must match, or none of which may match.
type clause struct {
	any     []phrase
	exclude bool
}

// filter is a field and values, one of which must match.
type filter struct {
	mark   rune
	values []string
	pairs  bool    // a part of the value is enough
	given  Problem // the field and its value, for a problem with it
}

// parsedQuery is a parsed search query.
type parsedQuery struct {
	clauses       []clause
	filters       []filter
	excluded      []filter
	after, before policy.Date
	problems      []Problem
}

// fieldNames are the names of the fields of a query, in both languages.
var fieldNames = map[string]string{
	"issuer": "issuer", "发文机关": "issuer", "机关": "issuer", "theme": "theme", "主题": "theme", "region": "region", "地区": "region",
	"kind": "kind", "类别": "kind", "type": "type", "文种": "type", "source": "source", "来源": "source", "number": "number", "文号": "number",
	"after": "after", "起": "after", "before": "before", "止": "before", "year": "year", "年份": "year",
}

var kindWords = map[string]policy.Kind{
	"文件": policy.KindDocument, "公文": policy.KindDocument, "解读": policy.KindInterpretation, "新闻": policy.KindNews,
	"署名文章": policy.KindSignedArticle, "征求意见": policy.KindConsultation, "其他": policy.KindOther,
}

const (
	maxQuery   = 500 // bytes
	maxClauses = 20
)

// queryWord is a word of a query, with or without field and quotes.
var queryWord = regexp.MustCompile(`(-?)(?:([\p{Han}a-zA-Z]{1,10})[:：])?(?:"([^"]*)"|“([^”]*)”|「([^」]*)」|([^\s\x{3000}"“”「」]+))`)

// parseQuery parses a query. Invalid parts are left out and listed in problems: a search
// box must never answer with an error.
func parseQuery(text string) parsedQuery {
	var q parsedQuery
	text = strings.ToValidUTF8(text, "")
	if len(text) > maxQuery {
		text = strings.ToValidUTF8(text[:maxQuery], "")
	}
	if n, ok := wholeNumber(text); ok {
		q.clauses = []clause{{any: []phrase{n}}}
		return q
	}
	or, last := false, "" // last is "OR" or the field of the word before
	for _, m := range queryWord.FindAllStringSubmatch(text, 4*maxClauses) {
		value := m[3] + m[4] + m[5] + m[6]
		name := fieldNames[strings.ToLower(m[2])]
		if m[2] != "" && name == "" { // a colon inside a text, as in 关于:
			value = m[2] + " " + value
		}
		isOr := name == "" && (value == "OR" || value == "|" || value == "或者")
		if isOr && last != "" || name != "" && last == "OR" { // one of several values of a field is field:a,b
			q.problems = append(q.problems, Problem{Value: "OR"})
		}
		if last = name; isOr {
			last = "OR"
		}
		switch {
		case name != "":
			q.addField(name, value, m[1] == "-")
			or = false
		case isOr:
			or = len(q.clauses) > 0 && !q.clauses[len(q.clauses)-1].exclude
		case len(q.clauses) >= maxClauses:
			q.problems = append(q.problems, Problem{Value: value})
		default:
			p, ok := newPhrase(value)
			if !ok {
				continue
			}
			if or && m[1] == "" {
				last := &q.clauses[len(q.clauses)-1]
				last.any = append(last.any, p)
			} else {
				q.clauses = append(q.clauses, clause{any: []phrase{p}, exclude: m[1] == "-"})
			}
			or = false
		}
	}
	return q
}

// wholeNumber reads a query that consists of a document number, with any spaces
// and brackets.
func wholeNumber(text string) (phrase, bool) {
	n, ok := policy.ParseNumber(text)
	if !ok || utf8.RuneCountInString(strings.Join(strings.Fields(text), "")) > utf8.RuneCountInString(n)+4 {
		return phrase{}, false
	}
	p, ok := newPhrase(n)
	p.number = n
	return p, ok
}

func newPhrase(value string) (phrase, bool) {
	p := phrase{prefix: strings.HasSuffix(value, "*")}
	var piece []rune
	kind := 0 // kind of the piece: 1 Han, 2 word
	flush := func() {
		if len(piece) > 0 {
			p.pieces = append(p.pieces, string(piece))
			piece = nil
		}
	}
	for _, r := range value {
		switch r = fold.Rune(r); {
		case r == -1:
		case isHan(r):
			if kind != 1 {
				flush()
			}
			kind, piece = 1, append(piece, r)
		case isWord(r):
			if kind != 2 {
				flush()
			}
			kind, piece = 2, append(piece, r)
		default:
			flush()
			kind = 0
		}
	}
	flush()
	if len(p.pieces) == 0 {
		return p, false
	}
	if n, ok := policy.ParseNumber(value); ok {
		p.number = n
	}
	return p, true
}

// addField adds a filter, or records that its value is invalid.
func (q *parsedQuery) addField(name, value string, exclude bool) {
	f := filter{values: splitValues(value), given: Problem{Field: name, Value: value}}
	unknown := func(i int) { // a value that the field can't have; no article has it
		q.problems = append(q.problems, Problem{Field: name, Value: f.values[i]})
		f.values[i] = "0"
	}
	switch name {
	case "issuer":
		f.mark, f.pairs = markIssuer, true
	case "theme":
		f.mark, f.pairs = markTheme, true
		for i, v := range f.values {
			if v[0] < utf8.RuneSelf { // an English name
				f.values[i] = theme.Named(v)
			}
		}
	case "type":
		f.mark = markType
	case "source":
		f.mark = markSource
	case "year":
		if d, ok := parseDay(value, false); ok && !exclude && len(f.values) == 1 && q.after.IsZero() && q.before.IsZero() {
			q.after = d
			q.before, _ = parseDay(value, true)
			return
		}
		f.mark = markYear
		for i, v := range f.values {
			if _, ok := parseDay(v, false); !ok {
				unknown(i)
			}
		}
	case "kind":
		f.mark = markKind
		for i, v := range f.values {
			if k, ok := kindWords[v]; ok {
				f.values[i] = string(k)
			} else if !slices.Contains(policy.Kinds, policy.Kind(v)) {
				unknown(i)
			}
		}
	case "region":
		f.mark = markRegion
		for i, v := range f.values {
			if code := division.Code(v); code != "" {
				f.values[i] = code
			} else {
				unknown(i)
			}
		}
	case "number":
		f.mark = markNumber
		for i, v := range f.values {
			if n, ok := policy.ParseNumber(v); ok {
				f.values[i] = n
			}
		}
	case "after", "before":
		d, ok := parseDay(value, name == "before")
		switch {
		case !ok:
			q.problems = append(q.problems, f.given)
		case name == "after":
			q.after = d
		default:
			q.before = d
		}
		return
	}
	if len(f.values) == 0 {
		return
	}
	if exclude {
		q.excluded = append(q.excluded, f)
	} else {
		q.filters = append(q.filters, f)
	}
}

func splitValues(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == '，' || r == '|' })
}

// parseDay reads 2024, 2024-05 or 2024-05-01; the first two mean their first day, or their
// last day.
func parseDay(s string, last bool) (policy.Date, bool) {
	s = strings.NewReplacer("/", "-", ".", "-", "年", "-", "月", "-", "日", "").Replace(s)
	s = strings.TrimSuffix(s, "-")
	for _, rest := range []string{"", "-01", "-01-01"} {
		d, err := policy.ParseDate(s + rest)
		if err != nil {
			continue
		}
		switch {
		case last && rest == "-01":
			d = policy.DateOf(d.In(time.UTC).AddDate(0, 1, -1))
		case last && rest == "-01-01":
			d = policy.DateOf(d.In(time.UTC).AddDate(1, 0, -1))
		}
		return d, true
	}
	return policy.Date{}, false
}

// tokens returns the tokens that any text with this phrase has; the last may be a prefix of
// a token of the text.
func (p phrase) tokens() (all []string, prefix string) {
	for i, piece := range p.pieces {
		last := i == len(p.pieces)-1
		runes := []rune(piece)
		switch {
		case !isHan(runes[0]) && last && p.prefix:
			prefix = piece
		case !isHan(runes[0]):
			all = append(all, cutWord(piece))
		case len(runes) == 1 && last && len(all) == 0:
			prefix = piece
		case len(runes) == 1 && last:
			// Any token may begin with this prefix; the other tokens find the text.
		default:
			// All pairs: those that cross two words are the rare ones.
			for j := 1; j < len(runes); j++ {
				all = append(all, string(runes[j-1:j+1]))
			}
			if !last {
				all = append(all, string(runes[len(runes)-1]))
			}
		}
	}
	return all, prefix
}

func cutWord(w string) string {
	if len(w) > maxWord {
		return strings.ToValidUTF8(w[:maxWord], "")
	}
	return w
}

// isExact reports whether the tokens are sufficient: a text with these tokens contains the
// phrase.
func (p phrase) isExact() bool {
	all, prefix := p.tokens()
	return len(p.pieces) == 1 && p.number == "" && (len(all) == 1 && prefix == "" || len(all) == 0)
}

// find returns the byte offsets of the beginning and end of the phrase in a folded text; -1
// if the text does not contain it.
func (p phrase) find(text string) (from, to int) {
	for at := 0; at < len(text); {
		i := strings.Index(text[at:], p.pieces[0])
		if i < 0 {
			return -1, -1
		}
		from = at + i
		if end, ok := p.matchAt(text, from); ok {
			return from, end
		}
		_, size := utf8.DecodeRuneInString(text[from:])
		at = from + size
	}
	return -1, -1
}

func (p phrase) matchAt(text string, from int) (end int, ok bool) {
	end = from
	for i, piece := range p.pieces {
		if i > 0 {
			for gap := 0; end < len(text); gap++ {
				r, size := utf8.DecodeRuneInString(text[end:])
				if isHan(r) || isWord(r) || gap > 8 {
					break
				}
				end += size
			}
		}
		if !strings.HasPrefix(text[end:], piece) {
			return 0, false
		}
		if first, _ := utf8.DecodeRuneInString(piece); isWord(first) { // words match only as a whole
			if before, _ := utf8.DecodeLastRuneInString(text[:end]); end > 0 && isWord(before) {
				return 0, false
			}
			after, _ := utf8.DecodeRuneInString(text[end+len(piece):])
			if isWord(after) && !(p.prefix && i == len(p.pieces)-1) {
				return 0, false
			}
		}
		end += len(piece)
	}
	return end, true
}

// holds reports whether a folded text satisfies a clause.
func (c clause) holds(text string) bool {
	for _, p := range c.any {
		if from, _ := p.find(text); from >= 0 {
			return !c.exclude
		}
	}
	return c.exclude
}
