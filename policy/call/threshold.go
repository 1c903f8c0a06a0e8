package call

import (
	"strings"
	"unicode/utf8"

	"dibao/policy/cut"
	"dibao/policy/words"
)

// maxThresholds is the maximum number of thresholds in a sentence.
const maxThresholds = 12

// thresholds reads the conditions with a number in a sentence.
func (r *reading) thresholds(s, quote, in string) {
	from := 0
	for range maxThresholds {
		at := threshold.FindStringSubmatchIndex(s[from:])
		if at == nil {
			return
		}
		for i := range at {
			if at[i] >= 0 {
				at[i] += from
			}
		}
		what, between, after := s[at[2]:at[3]], s[at[4]:at[5]], sub(s, at, 5)
		if what == "毕业" && strings.HasPrefix(s[at[3]:], "生") { // the name of graduates, not when they graduated
			from = at[3]
			continue
		}
		from = at[1]
		t := Threshold{Text: asPrinted(clauseAround(s, at[0], at[1]), quote), What: strings.TrimSpace(what), Evidence: quote, In: in}
		switch {
		case mostly.MatchString(between) || strings.HasSuffix(after, "下") || strings.HasSuffix(after, "内"):
			t.Bound = "most"
		case least.MatchString(between) || strings.HasSuffix(after, "上"):
			t.Bound = "least"
		case below.MatchString(between):
			t.Bound = "most"
		default:
			continue
		}
		t.Value, t.Unit = quantity(sub(s, at, 3), sub(s, at, 4))
		if t.Unit == "percent" { // a share: the amount is only what it is a share of
			clause, _ := clauseBefore(s, at[5])
			t.What = strings.TrimSpace(bound.ReplaceAllString(numbered.ReplaceAllString(continues.ReplaceAllString(clause, ""), ""), ""))
		}
		if t.Unit != "" && t.What != "" && len(r.call.Who.Thresholds) < maxEntries && !r.is("threshold", t.Text, t.What, t.Bound, sub(s, at, 3)) {
			r.call.Who.Thresholds = append(r.call.Who.Thresholds, t)
		}
	}
}

var (
	// continues matches the beginning of a clause whose subject is in the clause before it.
	continues = words.New(`^\s*(?:并且|而且|且|并|其中|同时|占|或者|或)`)
	// ages matches the beginning of a clause that does not say whose age it means.
	ages = words.New(`^\s*(?:年龄|(?:不超过|未满|不满)?\d{2}周?岁)`)
	// bound matches the words of a limit at the end of a text.
	bound = words.New(`(?:原则上|应当?|须|必须|要)?(?:不超过|不高于|不大于|不低于|不少于|不小于|达到?|超过|高于|少于|低于|在|为|满)*$`)
	// preferred matches clauses that say whom the issuer prefers. They are not conditions.
	preferred = words.New(`[^,。;:]*(?:优先|鼓励|倾斜|加分)[^,。;]*`)
)

// asPrinted returns a part of a sentence as the sentence is printed.
func asPrinted(part, printed string) string {
	at := strings.Index(plain(printed), part)
	if at < 0 {
		return part
	}
	rest := printed[len(cut.First(printed, utf8.RuneCountInString(plain(printed)[:at]))):]
	return cut.First(rest, utf8.RuneCountInString(part))
}

// longestCondition is the maximum length of a condition, in characters.
const longestCondition = 120

// clauseAround returns the clause around a number, with the clauses before it that have its subject and
// those after it that continue it.
func clauseAround(s string, from, to int) string {
	start, end := strings.LastIndexAny(s[:from], ",。;:")+1, len(s)
	for start > 1 && (continues.MatchString(s[start:]) || ages.MatchString(s[start:])) && s[start-1] == ',' {
		start = strings.LastIndexAny(s[:start-1], ",。;:") + 1
	}
	// The marks of sentences have several bytes.
	for start < from && !utf8.RuneStart(s[start]) {
		start++
	}
	for at := to; ; {
		i := strings.IndexAny(s[at:], ",。;")
		if i < 0 {
			break
		}
		end = at + i
		if s[end] != ',' || !continues.MatchString(s[end+1:]) {
			break
		}
		at, end = end+1, len(s)
	}
	text := strings.TrimSpace(s[start:end])
	if lead := numbered.FindString(firstBytes(text, longestLead)); mayLead(text) {
		text = text[len(lead):]
	}
	if utf8.RuneCountInString(text) > longestCondition {
		return strings.TrimSpace(cut.First(s[from:to], longestCondition))
	}
	return text
}
