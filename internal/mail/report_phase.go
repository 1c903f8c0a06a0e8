package mail

import (
	"strings"

	"dibao/internal/lazyregexp"
)

// saidAfter are phrases in which servers name the refused command, each with an
// example; the first group is the command.
var saidAfter = []*lazyregexp.Regexp{
	lazyregexp.New(`(?i)in reply to (?:end of )?(DATA|RCPT TO|MAIL FROM|[EH]E?LO|AUTH)`),                                                                          // Postfix: (in reply to RCPT TO command)
	lazyregexp.New(`(?i)\b(?:after|for|following) (?:pipelined )?(?:sending )?(?:end of )?(DATA|RCPT(?: TO)?|MAIL(?: FROM)?|[EH]E?LO|AUTH)(?::|\b(?: command)?)`), // Exim: SMTP error from remote mail server after RCPT TO:<…>
	lazyregexp.New(`(?i)did not like our (DATA|RCPT TO|MAIL FROM|[EH]E?LO)`),                                                                                      // DragonFly
	lazyregexp.New(`(?i)\bSMTP:(DATA|RCPT|MAIL) host`),                                                                                                            // X3: SMTP:RCPT host 192.0.2.8: 553
	lazyregexp.New(`(?i)SMTP command\s+(DATA|RCPT|MAIL|[EH]E?LO)`),                                                                                                // m-FILTER: -------SMTP command / DATA
	lazyregexp.New(`(?i)(?:does not like|rejected) (recipient|sender) ?[.<]`),                                                                                     // qmail: 192.0.2.3 does not like recipient.
	lazyregexp.New(`(?i)(failed on DATA|failed after I sent)`),                                                                                                    // qmail
	lazyregexp.New(`(?i)error from (DATA|RCPT|MAIL)|sending (?:the )?(RCPT|MAIL|DATA)|during (RCPT|MAIL|DATA)`),                                                   // Error during DATA
	lazyregexp.New(`(?i)(?:SMTP error, ?|^\W*|英文说明[:：]\s*)(DOT|RCPT TO|MAIL FROM|DATA|[EH]E?LO|AUTH)\s*:\s*[245]\d\d`),                                            // Coremail: SMTP error, DOT: 554 DT:SPM
	lazyregexp.New(`\(state (1[2-8])\)`),                                                                                                                          // Google: 550 no such user (state 14)
}

// googleStates are the commands that the state numbers of Google stand for.
var googleStates = map[string]string{"12": "MAIL", "13": "MAIL", "14": "RCPT", "15": "DATA", "16": "DATA", "17": "DATA", "18": "DATA"}

var spokenCommand = lazyregexp.New(`(?im)^[ \t]*(?:>>>|=>|In:)[ \t]+(RCPT TO|DATA|MAIL FROM|[EH]E?LO|AUTH)[^\n]*`)

// commandIn returns the SMTP command that a refusal answered, according to the
// server's report: RCPT, DATA, MAIL, HELO, AUTH, or "" if none is named.
func commandIn(text string) string {
	for _, re := range saidAfter {
		m := re.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		said := ""
		for _, g := range m[1:] {
			said += g
		}
		if state, ok := googleStates[said]; ok {
			return state
		}
		return shortCommand(said)
	}
	// Sendmail, Courier: ">>> RCPT TO:<…>", then "<<< 550 …".
	spoken := spokenCommand.FindAllStringSubmatchIndex(text, 50)
	if len(spoken) == 0 {
		return ""
	}
	return shortCommand(text[spoken[len(spoken)-1][2]:spoken[len(spoken)-1][3]])
}

func shortCommand(said string) string {
	said = strings.ToUpper(said)
	switch {
	case strings.HasPrefix(said, "RCPT"), said == "RECIPIENT":
		return "RCPT"
	case strings.HasPrefix(said, "MAIL"), said == "SENDER":
		return "MAIL"
	case strings.HasPrefix(said, "DATA"), said == "DOT", strings.HasPrefix(said, "FAILED"):
		return "DATA"
	case said == "AUTH":
		return "AUTH"
	}
	return "HELO"
}
