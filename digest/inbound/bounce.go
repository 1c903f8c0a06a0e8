package inbound

import (
	"strconv"
	"strings"

	"dibao/digest/verdict"
	"dibao/internal/lazyregexp"
	"dibao/internal/mail"
)

// Japanese carriers answer "550 : User unknown": without the address if a reader's filter
// refuses a message, and with the address if the mailbox does not exist.
var (
	namedUnknown = lazyregexp.New(`(?i)550 <>: user unknown`)
	anyUnknown   = lazyregexp.New(`(?i)user unknown|unknown user`)
	hidesFilters = lazyregexp.New(`(?i)[@.](?:ezweb\.ne\.jp|docomo\.(?:[\w-]+\.)?ne\.jp|au\.com|mineo\.jp|uqmobile\.jp)$`)
	inBrackets   = lazyregexp.New(`[（【]\s*<?[^\s（【<>]{1,64}@[^\s（【）】<>]{1,255}>?\s*[）】]`)
	ofMoment     = lazyregexp.New(`account is (?:disabled|temporarily limited)`)
)

// ClassifyBounce returns what a report means for the reader that it names, by
// the table for SMTP replies. In a refusal after the message (DATA), only a
// code about the mailbox refers to the reader. If the report does not say which
// command was refused, "no such user" counts only with such a code, or in the
// words of a server that searched its own directory; otherwise it is unknown.
func ClassifyBounce(r mail.ReportRecipient) verdict.Verdict {
	words := strings.TrimPrefix(verdict.Anonymous(r.Text), "<>")
	if strings.ContainsAny(r.Text, "（【") { // brackets around an address would break up the sentence
		words = verdict.Anonymous(inBrackets.ReplaceAllString(r.Text, ""))
	}
	switch r.Action {
	case "delayed":
		return verdict.Verdict{Class: verdict.Temporary}
	case "delivered", "relayed", "expanded", "deliverable":
		return verdict.Verdict{}
	}
	if hidesFilters.MatchString(r.Address) {
		switch {
		case ofMoment.MatchString(words):
			return verdict.Verdict{Class: verdict.Temporary}
		case namedUnknown.MatchString(words):
			return verdict.Verdict{Class: verdict.Permanent, Suppress: true}
		case anyUnknown.MatchString(words):
			return verdict.Verdict{}
		}
	}
	first, _, _ := strings.Cut(words, "\n") // the server's words, without those around them
	if len(strings.TrimSpace(first)) < 12 {
		first = words
	}
	code, _ := strconv.Atoi(r.Code) // 0 if there is none
	switch {
	case strings.HasPrefix(r.Status, "4."):
		code = 450
	case code < 400 || code > 599:
		code = 550
	}
	return verdict.Judge(verdict.Reply{Phase: phaseOf(r.Command), Domain: mail.DomainOf(r.Address), Code: code, Enhanced: r.Status, Text: first, Around: words})
}

// phaseOf returns the phase of a command in a report.
func phaseOf(command string) verdict.Phase {
	switch command {
	case "":
		return verdict.PhaseUnknown
	case "DATA":
		return verdict.PhaseDot
	case "HELO":
		return verdict.PhaseEHLO
	}
	return verdict.Phase(strings.ToLower(command))
}
