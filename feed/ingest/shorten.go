package ingest

import (
	"fmt"
	"html"
	"slices"
	"strings"

	"dibao/policy"
	"dibao/policy/warn"
)

// Shorten truncates a text that is longer than policy.MaxText to plain paragraphs, with a
// warning. If only the markup is too long, it keeps the whole text.
func (it *Item) Shorten() {
	all := it.Evidence.Paragraphs
	size := 0
	for _, p := range all {
		size += len(p)
	}
	if size <= policy.MaxText && len(it.HTML) <= 2*policy.MaxText {
		return
	}
	var kept []string
	var plain strings.Builder
	left := policy.MaxText
	for _, p := range all {
		p = strings.ToValidUTF8(p[:min(len(p), left)], "")
		left -= len(p)
		kept = append(kept, p)
		plain.WriteString("<p>" + html.EscapeString(p) + "</p>")
		if left < 4 { // less than one character
			break
		}
	}
	it.Evidence.Paragraphs, it.HTML = kept, plain.String()
	warning := warn.New("markup-left-out")
	if size > policy.MaxText {
		warning = warn.New("text-cut", fmt.Sprintf("%.1f", float64(size)/1e6), fmt.Sprintf("%.1f", float64(policy.MaxText-left)/1e6))
	}
	it.Warnings = append(slices.Clone(it.Warnings), warning)
}
