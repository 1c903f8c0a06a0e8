package policy

import (
	"os"
	"strings"
	"testing"
)

// leastRight are the shares of dates that must be found in each part of sentences.tsv, in
// percent. No rule is based on part 7, and only one on part 4; part 5 and half of parts 6 and 7 are
// misleading days.
var leastRight = []int{92, 92, 92, 88, 90, 95, 92, 100, 88, 88}

// Sentences of notices, announcements, calls and rules of all kinds of organizations,
// labeled before the first run. docs/understanding.md gives the figures of the first run.
// DIBAO_SENTENCES names another file to read instead.
func TestSentences(t *testing.T) {
	t.Parallel()
	name := "sentences.tsv"
	if other := os.Getenv("DIBAO_SENTENCES"); other != "" {
		name = other
	}
	for part, rows := range realRows(t, name) {
		var s score
		for _, c := range rows {
			f := Understand(evidenceOf(ourOwn(c)))
			for i, got := range []Date{f.EffectiveOn, f.ExpiresOn, f.DeadlineOn} {
				s.add(t, c[3+i], got.String(), []string{"effective", "expires", "deadline"}[i]+" "+c[1]+" "+string(f.Kind)+" "+c[0]+": "+c[6])
			}
		}
		t.Logf("part %d: dates of %d sentences: %+v", part+1, len(rows), s)
		if s.wrong > 0 || s.right*100 < (s.right+s.withheld)*leastRight[min(part, len(leastRight)-1)] {
			t.Errorf("part %d: %+v", part+1, s)
		}
	}
}

// evidenceOf returns the evidence of a page with the sentence.
func evidenceOf(c labeled) Evidence {
	var text []string
	for _, p := range c.text {
		text = append(text, strings.Split(p, `\n`)...)
	}
	e := Evidence{Title: c.title, Paragraphs: text}
	for i, value := range []string{c.published, c.issued} {
		if value != "" {
			e.Labels = append(e.Labels, Label{Element: "td", Name: []string{"发布日期", "成文日期"}[i], Value: value})
		}
	}
	return e
}
