package words

import (
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"
)

// The maximum number of words in a set, the number beyond which words are not extended, and
// the maximum number of characters of a class that are listed.
const (
	maxWords    = 500
	enoughWords = 60
	maxClass    = 40
)

// pattern contains the results of exact, which is called for each part of a pattern again at
// each level above it.
type pattern map[*syntax.Regexp][]string

// startsOf returns words, one of which is at the beginning of each match of a sequence; nil
// if a match can begin otherwise, or be empty.
func (p pattern) startsOf(parts ...*syntax.Regexp) []string {
	run := []string{""} // possible texts of the parts so far
	for i, part := range parts {
		whole := !slices.Contains(run, "")
		if whole && len(run) >= enoughWords {
			return run
		}
		if joined := cross(run, p.exact(part)); joined != nil {
			run = joined
			continue
		}
		if whole {
			if joined := cross(run, p.startsOf(part)); joined != nil {
				return joined
			}
			return run
		}
		rest := p.startsOfOpen(part, parts[i+1:])
		run = slices.DeleteFunc(run, func(w string) bool { return w == "" })
		return either(run, rest)
	}
	if slices.Contains(run, "") {
		return nil
	}
	return run
}

// startsOfOpen is startsOf for a part that does not match a fixed set of words, and the
// parts after it.
func (p pattern) startsOfOpen(part *syntax.Regexp, after []*syntax.Regexp) []string {
	switch part.Op {
	case syntax.OpCapture:
		return p.startsOfOpen(part.Sub[0], after)
	case syntax.OpConcat:
		return p.startsOf(slices.Concat(part.Sub, after)...)
	case syntax.OpQuest, syntax.OpStar:
		return either(p.startsOf(part.Sub[0]), p.startsOf(after...))
	case syntax.OpPlus:
		return p.startsOf(part.Sub[0])
	case syntax.OpAlternate:
		all := []string{}
		for _, sub := range part.Sub {
			all = either(all, p.startsOf(sub))
		}
		return all
	}
	if all := p.exact(part); all != nil { // a class that is too large to be combined
		return all
	}
	return opening(part)
}

// holdsOf returns words, one of which is in each match, the rarest that are found; nil if
// there are none.
func (p pattern) holdsOf(re *syntax.Regexp) []string {
	if all := p.exact(re); all != nil {
		if slices.Contains(all, "") {
			return nil
		}
		return all
	}
	switch re.Op {
	case syntax.OpConcat:
		return p.holdsOfSequence(re.Sub)
	case syntax.OpAlternate:
		all := []string{}
		for _, sub := range re.Sub {
			all = either(all, p.holdsOf(sub))
		}
		return all
	case syntax.OpCapture, syntax.OpPlus:
		return p.holdsOf(re.Sub[0])
	}
	return opening(re)
}

// holdsOfSequence joins parts with fixed sets of words to longer words.
func (p pattern) holdsOfSequence(parts []*syntax.Regexp) (holds []string) {
	better := func(all []string) {
		if all != nil && !slices.Contains(all, "") && (holds == nil || frequency(all) < frequency(holds)) {
			holds = all
		}
	}
	run := []string{""}
	for _, part := range parts {
		all := p.exact(part)
		if joined := cross(run, all); joined != nil {
			run = joined
			continue
		}
		better(run)
		if run = all; all == nil {
			better(p.holdsOf(part))
			run = []string{""}
		}
	}
	better(run)
	return holds
}

// exact returns all texts that a part of a pattern matches, nil if there are many or they are
// unknown.
func (p pattern) exact(re *syntax.Regexp) []string {
	all, known := p[re]
	if !known {
		all = p.findExact(re)
		p[re] = all
	}
	return all
}

func (p pattern) findExact(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginText, syntax.OpEndText, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return []string{""}
	case syntax.OpLiteral:
		if slices.Contains(re.Rune, utf8.RuneError) { // also matches invalid bytes
			return nil
		}
		if re.Flags&syntax.FoldCase != 0 {
			return folded(re.Rune)
		}
		return []string{string(re.Rune)}
	case syntax.OpCharClass:
		var all []string
		for i := 0; i+1 < len(re.Rune); i += 2 {
			for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
				if len(all) == maxClass || r == utf8.RuneError || !utf8.ValidRune(r) {
					return nil
				}
				all = append(all, string(r))
			}
		}
		return all
	case syntax.OpCapture:
		return p.exact(re.Sub[0])
	case syntax.OpQuest:
		return union([]string{""}, p.exact(re.Sub[0]))
	case syntax.OpAlternate:
		all := []string{}
		for _, sub := range re.Sub {
			all = union(all, p.exact(sub))
		}
		return all
	case syntax.OpConcat:
		all := []string{""}
		for _, sub := range re.Sub {
			all = cross(all, p.exact(sub))
		}
		return all
	}
	return nil
}

// folded returns every text that matches a literal in any case, nil if there are many.
func folded(literal []rune) []string {
	all := []string{""}
	for _, r := range literal {
		cases := []string{string(r)}
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			cases = append(cases, string(other))
		}
		all = cross(all, cases)
	}
	return all
}

// opening returns the beginnings of a literal in any case, nil for other patterns.
func opening(re *syntax.Regexp) []string {
	if re.Op != syntax.OpLiteral || slices.Contains(re.Rune, utf8.RuneError) {
		return nil
	}
	return folded(re.Rune[:min(len(re.Rune), 3)])
}

// union returns the union of two sets; nil stands for all texts.
func union(a, b []string) []string {
	if a == nil || b == nil || len(a)+len(b) > maxWords {
		return nil
	}
	all := slices.Clone(a)
	for _, w := range b {
		if !slices.Contains(all, w) {
			all = append(all, w)
		}
	}
	return all
}

// either returns the union of two sets of words for alternatives; if it is too large, it
// contains only the first characters of the words.
func either(a, b []string) []string {
	if all := union(a, b); all != nil || a == nil || b == nil {
		return all
	}
	return union(shortened(a), shortened(b))
}

func shortened(all []string) (short []string) {
	for _, w := range all {
		n := 0
		for range 2 {
			_, size := utf8.DecodeRuneInString(w[n:])
			n += size
		}
		if w = w[:n]; !slices.Contains(short, w) {
			short = append(short, w)
		}
	}
	return short
}

// cross appends each word of one set to each of another.
func cross(a, b []string) []string {
	if a == nil || b == nil || len(a)*len(b) > maxWords {
		return nil
	}
	all := make([]string, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			all = append(all, x+y)
		}
	}
	return all
}

// frequency estimates how often a text contains one of the words.
func frequency(all []string) (f float64) {
	for _, w := range all {
		switch n := utf8.RuneCountInString(w); {
		case n == 1 && len(w) == 1:
			f += 0.02
		case n == 1:
			f += 0.005
		case n == 2:
			f += 0.0003
		default:
			f += 0.0001
		}
	}
	return f
}

// startsWithText reports whether every match begins at the start of the text.
func startsWithText(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpBeginText:
		return true
	case syntax.OpCapture, syntax.OpConcat:
		return len(re.Sub) > 0 && startsWithText(re.Sub[0])
	case syntax.OpAlternate:
		return !slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return !startsWithText(sub) })
	}
	return false
}

// endsWithText reports whether every match ends at the end of the text.
func endsWithText(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpEndText:
		return true
	case syntax.OpCapture, syntax.OpConcat:
		return len(re.Sub) > 0 && endsWithText(re.Sub[len(re.Sub)-1])
	case syntax.OpAlternate:
		return !slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return !endsWithText(sub) })
	}
	return false
}

// looksBack reports whether a match depends on what precedes it.
func looksBack(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpBeginText, syntax.OpBeginLine, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	}
	return slices.ContainsFunc(re.Sub, looksBack)
}

// looksAhead reports whether a match depends on what follows it.
func looksAhead(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpEndText, syntax.OpEndLine, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	}
	return slices.ContainsFunc(re.Sub, looksAhead)
}

// longest returns the maximum length of a match in characters, 0 if it is unknown.
func longest(re *syntax.Regexp) int {
	n, bounded := length(re)
	if !bounded || n > 1000 {
		return 0
	}
	return max(n, 1)
}

func length(re *syntax.Regexp) (n int, bounded bool) {
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune), true
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1, true
	case syntax.OpStar, syntax.OpPlus:
		return 0, false
	case syntax.OpRepeat:
		n, bounded = length(re.Sub[0])
		return n * re.Max, bounded && re.Max >= 0
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			m, ok := length(sub)
			if n = max(n, m); !ok {
				return 0, false
			}
		}
		return n, true
	}
	for _, sub := range re.Sub {
		m, ok := length(sub)
		if n += m; !ok {
			return 0, false
		}
	}
	return n, true
}
