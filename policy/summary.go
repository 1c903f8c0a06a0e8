package policy

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

var (
	deciding = regexp.MustCompile(`现就|现将|决定[^性]|批复如下|通知如下|明确如下|提出(?:以下|如下|[^，。]{0,12}意见)|现予公布|现予发布|同意`)
	carries  = regexp.MustCompile(`现将(《[^》]+》(?:[和、]《[^》]+》)*)[^。]{0,12}(印发|转发)给你们`)
	heading  = regexp.MustCompile(`^[一二三四五六七八九十]{1,3}、(.{2,40}?)(?:[。：:]|$)`)
	reasons  = regexp.MustCompile(`^(?:根据|按照|为|依据|依照|为了)[^。]{8,}?[，,](现就|现将|经|决定|现提出|特)`)
)

const (
	maxLead     = 120 // characters of a summary
	maxHeadings = 5
	minSentence = 15
)

// summary is the deciding sentence with the headings for documents, the first
// sentences for other articles; "" where there is none.
func (u *understanding) summary() {
	switch u.Kind {
	case KindDocument, KindConsultation:
		u.Summary = documentSummary(u.Paragraphs)
	}
	if u.Summary == "" && u.Kind != KindDocument {
		for _, p := range u.Paragraphs {
			if utf8.RuneCountInString(p) >= 2*minSentence || len(u.Paragraphs) == 1 {
				u.Summary = lead(p)
				break
			}
		}
	}
	if u.Summary == "" && u.e.FeedSummary != "" {
		u.Summary = lead(u.e.FeedSummary)
	}
}

// decisionWords are what deciding needs; most sentences have none of them.
var decisionWords = []string{"现就", "现将", "决定", "如下", "提出", "现予", "同意"}

func decides(sentence string) bool {
	return slices.ContainsFunc(decisionWords, func(w string) bool { return strings.Contains(sentence, w) }) && deciding.MatchString(sentence)
}

func documentSummary(paragraphs []string) string {
	sentence, total, read := "", 0, 0
	for _, p := range paragraphs {
		total += len(p)
	}
	previous := ""
search:
	for _, p := range paragraphs {
		if read > total*2/5 && read > 0 {
			break
		}
		read += len(p)
		for s := range strings.SplitAfterSeq(p, "。") {
			s = strings.TrimSpace(s)
			if decides(s) {
				if utf8.RuneCountInString(s) < minSentence {
					s = previous + s
				}
				sentence = s
				break search
			}
			previous = s
		}
	}
	if m := carries.FindStringSubmatch(sentence); m != nil {
		sentence = m[2] + m[1]
	} else if utf8.RuneCountInString(sentence) > 80 {
		if m := reasons.FindStringSubmatchIndex(sentence); m != nil {
			sentence = sentence[m[2]:]
		}
	}
	var headings []string
	for _, p := range paragraphs {
		if m := heading.FindStringSubmatch(p); m != nil && len(headings) < maxHeadings {
			headings = append(headings, strings.TrimSpace(m[1]))
		}
	}
	sentence = strings.TrimRight(lead(sentence), "。：: ")
	switch {
	case sentence == "" && len(headings) == 0:
		return ""
	case sentence == "":
		return strings.Join(headings, "；") + "。"
	case len(headings) == 0:
		return sentence + "。"
	}
	return sentence + "：" + strings.Join(headings, "；") + "。"
}

// lead cuts a text to whole sentences of at most maxLead characters; a first
// sentence that is longer is cut at a comma.
func lead(s string) string {
	if utf8.RuneCountInString(s) <= maxLead {
		return s
	}
	cut := string([]rune(s)[:maxLead])
	for _, stops := range []string{"。！？", "；;", "，,、 "} {
		if i := strings.LastIndexAny(cut, stops); i > len(cut)/3 {
			_, size := utf8.DecodeRuneInString(cut[i:])
			if stops == "。！？" {
				return cut[:i+size]
			}
			return cut[:i] + "…"
		}
	}
	return cut + "…"
}
