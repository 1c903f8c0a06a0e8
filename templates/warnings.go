package templates

import (
	"fmt"
	"strings"
)

// Warning returns the sentence of a warning for readers; "" if it is for admins alone.
func Warning(lang, code string, params []string) string {
	return pick(lang).words.fill("warning."+code, params)
}

// AdminWarning returns the sentence of a warning for admins: with the cause and what to
// do, where there is more to say than readers see.
func AdminWarning(lang, code string, params []string) string {
	words := pick(lang).words
	for _, key := range []string{"admin.warning." + code, "warning." + code} {
		if text := words.fill(key, params); text != "" {
			return text
		}
	}
	return strings.Join(append([]string{code}, params...), " ") // of a later version
}

// fill returns the words of a key with parameters where they are named; "" if there
// are no such words.
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
