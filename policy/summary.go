package policy

import (
	"slices"
	"strings"
	"unicode/utf8"

	"dibao/policy/cut"
	"dibao/policy/words"
)

var (
	deciding    = words.New(`现就|现将|决定[^性]|批复如下|通知如下|明确如下|提出(?:以下|如下|[^，。]{0,12}意见)|现予公布|现予发布|同意`)
	distributes = words.New(`(《[^》]+》(?:(?:[（(][^（）()]{1,40}[)）])?[和、]《[^》]+》)*)(?:[（(][^（）()]{1,40}[)）])?[^《》]{0,60}?现?(?:予以)?(印发|转发|批转|下发)(?:给你们|[，。])`)
	heading     = words.New(`^[一二三四五六七八九十]{1,3}、(.{2,40}?)(?:[。：:]|$)`)
	reasons     = words.New(`^(?:根据|按照|为|依据|依照|为了)[^。]{8,}?[，,](现就|现将|现结合|经|决定|现提出|特)`)
	subheading  = words.New(`^[（(][一二三四五六七八九十]{1,3}[)）](.{2,40}?)(?:[。：:]|$)`)
	chapter     = words.New(`^第[一二三四五六七八九十]{1,3}章\s*(.{2,30})$`)
	// these headings occur in every document and say nothing about this one
	emptyHeading = words.New(`^(?:总体要求|总体思路|总体目标|指导思想|基本原则|工作目标|主要目标|目标任务|主要任务|重点任务|工作任务|工作要求|工作安排|工作措施|主要措施|重点工作|保障措施|组织实施|组织保障|实施步骤|有关要求|其他|其他事项|附则|总则)$`)
)

const (
	maxLead     = 120 // characters of a summary
	maxHeadings = 5
	minSentence = 15
)

// summary returns the deciding sentence with the headings for documents, the first
// sentences for other articles; "" if there is none.
func (u *understanding) summary() {
	switch u.Kind {
	case KindDocument, KindConsultation:
		u.Summary = u.documentSummary()
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

// decisionWords are the words of which a deciding sentence needs at least one; most
// sentences have none.
var decisionWords = []string{"现就", "现将", "决定", "如下", "提出", "现予", "同意", "印发", "转发", "批转", "下发"}

func decides(sentence string) bool {
	return slices.ContainsFunc(decisionWords, func(w string) bool { return strings.Contains(sentence, w) }) && (deciding.MatchString(sentence) || distributes.MatchString(sentence))
}

func (u *understanding) documentSummary() string {
	paragraphs := u.Paragraphs
	sentence, total, read := "", 0, 0
	for _, p := range paragraphs {
		total += len(p)
	}
	previous := ""
search:
	for i, p := range paragraphs {
		if read > total*2/5 && read > 0 {
			break
		}
		read += len(p)
		if !u.hinted(i, hintDecides) {
			end := strings.TrimSpace(p)
			previous = end[afterLast(strings.TrimSuffix(end, "。"), "。"):]
			continue
		}
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
	if m := distributes.FindStringSubmatch(sentence); m != nil {
		sentence = m[2] + m[1]
	} else if utf8.RuneCountInString(sentence) > 80 {
		if m := reasons.FindStringSubmatchIndex(sentence); m != nil {
			sentence = sentence[m[2]:]
		}
	}
	headings := headingsOf(paragraphs)
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

// afterLast returns where the text after the last sep begins.
func afterLast(s, sep string) int {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return i + len(sep)
	}
	return 0
}

// headingsOf returns the informative headings: the first level (一、); the
// second (（一）) if the first is the same in every document; the chapters if
// there is no first level.
func headingsOf(paragraphs []string) []string {
	first, empty := headingsAt(heading, paragraphs)
	switch {
	case len(first) > 0:
		return first
	case len(empty) == 0:
		first, _ = headingsAt(chapter, paragraphs)
		return first
	}
	if second, _ := headingsAt(subheading, paragraphs); len(second) > 0 {
		return second
	}
	return empty
}

func headingsAt(level *words.Regexp, paragraphs []string) (telling, empty []string) {
	for _, p := range paragraphs {
		if len(telling) == maxHeadings {
			break
		}
		if !strings.HasPrefix(p, "第") && !strings.HasPrefix(p, "（") && !strings.HasPrefix(p, "(") && !strings.ContainsAny(cut.First(p, 1), "一二三四五六七八九十") {
			continue
		}
		m := level.FindStringSubmatch(cut.First(p, headingWidth))
		if m == nil {
			continue
		}
		words := strings.Trim(m[1], " ；;，,、")
		switch {
		case emptyHeading.MatchString(squeeze(words)):
			empty = append(empty, words)
		default:
			telling = append(telling, words)
		}
	}
	return telling, empty[:min(len(empty), maxHeadings)]
}

// headingWidth is the number of characters of a paragraph that are searched for a heading.
const headingWidth = 60

// lead shortens a text to whole sentences of at most maxLead characters; a first sentence
// that is longer is truncated at a comma.
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
