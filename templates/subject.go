package templates

import "unicode/utf8"

// maxSubject is the maximum number of characters of a subject that mail programs show; the
// lead is truncated to fit.
const maxSubject = 72

// Subject returns the subject of an email: the list, the number of the issue (0 for
// several) and the title of the leading article.
func Subject(language, title string, number int, lead string) string {
	fill := func(lead string) string {
		switch {
		case lead == "":
			return Words(language, "mail.subject.empty", title)
		case number == 0:
			return Words(language, "mail.subject.merged", title, lead)
		}
		return Words(language, "mail.subject", title, number, lead)
	}
	over := utf8.RuneCountInString(fill(lead)) - maxSubject
	if over <= 0 || lead == "" {
		return fill(lead)
	}
	runes := []rune(lead)
	return fill(string(runes[:max(len(runes)-over-1, min(len(runes), 12))]) + "…")
}
