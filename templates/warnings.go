package templates

import (
	"fmt"
	"strings"
)

// Warning returns the sentence of a warning for readers; "" if it is only for admins.
func Warning(lang, code string, params []string) string {
	return pick(lang).words.fill("warning."+code, params)
}

// AdminWarning returns the sentence of a warning for admins: with the cause and
// what to do, if there is more to say than readers see.
func AdminWarning(lang, code string, params []string) string {
	words := pick(lang).words
	for _, key := range []string{"admin.warning." + code, "warning." + code} {
		if text := words.fill(key, params); text != "" {
			return text
		}
	}
	return strings.Join(append([]string{code}, params...), " ") // a code of a later version
}

// LeftOut returns why an issue does not contain an article, by the code of the
// reason; has is the article's value that does not match the list, "" if it has
// none.
func LeftOut(lang, why, has string) string {
	words := pick(lang).words
	switch {
	case has == "":
		has = words.say("fact.unknown")
	case why == "kind":
		has = words.say("kind." + has)
	}
	return words.fill("admin.left."+why, []string{has})
}

// fill returns the words of a key with its parameters inserted; "" if there are
// no such words.
func (c catalogue) fill(key string, params []string) string {
	text := c[key]
	args := make([]any, len(params))
	for i, p := range params {
		args[i] = p
	}
	if !strings.Contains(text, "%[") {
		args = args[:min(len(args), strings.Count(text, "%s"))]
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}
