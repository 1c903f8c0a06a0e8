// Package plural corrects counted nouns in English texts: "1 deliveries were" becomes
// "1 delivery was". Chinese has no plural.
package plural

import (
	"strings"

	"dibao/internal/lazyregexp"
)

// counted matches a 1 before a counted noun, with at most one word between them, and the
// verb that follows. In "No. 1" no such noun follows.
var counted = lazyregexp.New(`(^|[^\w.,:/-])1 ((?:[a-z]+ )?)(` +
	`addresses|articles|attempts|bits|blocks|bytes|cells|channels|characters|checks|columns|complaints|connections|copies|days|deliveries|documents|domains|elements|emails|` +
	`failures|feeds|fields|files|hours|interpretations|issues|items|kills|lines|lists|mailings|mails|messages|minutes|months|namespaces|nodes|pages|` +
	`paragraphs|parts|readers|redirects|regions|requests|rows|seconds|servers|sources|subscriptions|suppressions|themes|times|tokens|` +
	`values|versions|warnings|weeks|words)\b((?: (?:are|were|have|change|contain|do|get|hold|implement|lie|match|say|take|wait))?)\b`)

var singularVerbs = map[string]string{" are": " is", " were": " was", " have": " has", " do": " does", " match": " matches"}

// English returns the text with each noun after a 1 in the singular.
func English(text string) string {
	if !strings.Contains(text, "1 ") {
		return text
	}
	return counted.ReplaceAllStringFunc(text, func(found string) string {
		part := counted.FindStringSubmatch(found)
		noun, verb := part[3], part[4]
		switch {
		case strings.HasSuffix(noun, "ies"):
			noun = strings.TrimSuffix(noun, "ies") + "y"
		case noun == "addresses":
			noun = "address"
		default:
			noun = strings.TrimSuffix(noun, "s")
		}
		if one, ok := singularVerbs[verb]; ok {
			verb = one
		} else if verb != "" {
			verb += "s"
		}
		return part[1] + "1 " + part[2] + noun + verb
	})
}
