// Package verdict says what a refusal means, in an SMTP reply or in a later
// report (RFC 3464, or a server's own words): one table for both. It is pure:
// text in, verdict out; no clock, network or database.
//
// The rule of the table: a reader is suppressed only if a server says that this mailbox or
// its host does not exist. A refusal that names the sender, our host, DNS, SPF, DKIM,
// login, content or rate is our fault, and so is every refusal before RCPT TO. A refusal
// that no rule matches is unknown, and does not suppress the reader by itself.
//
// Sources: RFC 5321 §4.2, RFC 3463, RFC 7504, RFC 7505, and the providers' own
// lists of replies (providers.go).
package verdict

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"dibao/internal/lazyregexp"
)

// Class is the meaning of a refusal.
type Class int

// The classes of refusals.
const (
	Unknown   Class = iota // refused for an unknown reason
	Temporary              // try again
	Permanent              // this mailbox or host does not exist
	Policy                 // refused by a policy: our fault, or the reader's own filter
	Message                // this message is not accepted: too large, or in a form that the server refuses
)

// String returns the class as stored and printed.
func (c Class) String() string {
	return [...]string{"unknown", "temporary", "permanent", "policy", "message"}[c]
}

// Phase is the SMTP command that a reply answers.
type Phase string

// The phases of a dialogue. An empty phase is read as PhaseRcpt in replies.
const (
	PhaseLookup   Phase = "lookup" // our own DNS lookup: the domain has no mail server
	PhaseGreeting Phase = "greeting"
	PhaseEHLO     Phase = "ehlo"
	PhaseStartTLS Phase = "starttls"
	PhaseAuth     Phase = "auth"
	PhaseMail     Phase = "mail"
	PhaseRcpt     Phase = "rcpt"
	PhaseData     Phase = "data"
	PhaseDot      Phase = "dot" // the reply to the message itself
	// PhaseUnknown is for a report that does not say which command was refused.
	PhaseUnknown Phase = "unsaid"
)

// BeforeReader reports whether no reader has been named in this phase, so that
// a refusal is about us.
func (p Phase) BeforeReader() bool {
	return slices.Contains([]Phase{PhaseGreeting, PhaseEHLO, PhaseStartTLS, PhaseAuth, PhaseMail}, p)
}

// Reply is a refusal in the words of a server.
type Reply struct {
	Phase    Phase
	Domain   string // domain of the reader; "" if unknown
	Code     int    // 400 to 599
	Enhanced string // RFC 3463; "" if none
	Text     string // UTF-8, the lines joined by a space
	Around   string // in a report: the text around the reply, used if no line of the table matches Text
}

// Verdict says what to do after a refusal.
type Verdict struct {
	Class    Class
	Suppress bool          // the mailbox does not exist: stop mailing this address
	Full     bool          // the mailbox is full or on hold: suppress after several issues
	Slow     bool          // too many at a time: slow down for the domain group
	Close    bool          // continue with a new connection
	Retry    time.Duration // when to try again; 0 means that Backoff decides
}

// Retries reports whether the same email is tried again.
func (v Verdict) Retries() bool { return v.Class == Temporary && !v.Full }

var (
	gone    = Verdict{Class: Permanent, Suppress: true}
	full    = Verdict{Class: Temporary, Full: true}
	ours    = Verdict{Class: Policy}
	message = Verdict{Class: Message}
	slower  = Verdict{Class: Temporary, Slow: true, Retry: slowPause}
	greylit = Verdict{Class: Temporary, Retry: GreylistPause}
	later   = Verdict{Class: Temporary}
	unknown = Verdict{Class: Unknown}
	// anew is for a limit per connection: the next connection starts from zero.
	anew = Verdict{Class: Temporary, Close: true}
)

// rule is a line of a table: the first that matches decides.
type rule struct {
	codes    []int    // nil means any code
	enhanced []string // prefixes that end at a dot; nil means any; "-" means only replies without a code
	text     *lazyregexp.Regexp
	not      *lazyregexp.Regexp
	verdict  Verdict
}

// mailboxCodes say that the mailbox or its host does not exist (RFC 3463, RFC 7505).
var mailboxCodes = []string{"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4"}

// rules are for 5xx. Lines that blame us precede those that blame the reader:
// that a mailbox does not exist has to be stated, not guessed.
var rules = []rule{
	{enhanced: []string{"-"}, text: qqMark, not: goneText, verdict: slower},
	{text: neteaseMark, not: goneText, verdict: ours},
	{enhanced: []string{"5.1.7", "5.1.8"}, verdict: ours}, // the reply is about the sender's address
	{text: senderText, verdict: ours},
	{enhanced: []string{"5.7.1"}, text: goneRecipient, not: strongPolicy, verdict: gone},
	{enhanced: []string{"5.7"}, verdict: ours},
	{text: filterText, verdict: ours},
	{enhanced: []string{"5.2.1"}, text: rateText, verdict: slower},
	{enhanced: []string{"5.2.1", "-"}, text: idleText, not: goneText, verdict: full},
	{enhanced: mailboxCodes, text: rateText, not: goneText, verdict: slower},
	{text: certainText, verdict: gone},
	{enhanced: []string{"5.2.2"}, verdict: full},
	{enhanced: []string{"5.1.1", "5.2.1", "5.0.0", "5.3.0", "5.5.0", "5.0.1", "-"}, text: fullText, not: strongPolicy, verdict: full},
	{enhanced: []string{"5.4.1"}, text: edgeBlock, verdict: gone}, // Exchange Online's unknown recipient
	{text: internalText, verdict: unknown},
	{text: strongPolicy, not: goneText, verdict: ours},
	{enhanced: []string{"5.3.4", "5.2.3", "5.6"}, verdict: message},
	{enhanced: mailboxCodes, text: trialText, verdict: later},
	{enhanced: mailboxCodes, verdict: gone},
	{codes: []int{521, 556}, text: noMailText, not: strongPolicy, verdict: gone}, // a blocked sender also gets 521
	{text: sizeText, verdict: message},
	{codes: []int{552}, not: regexpOr(strongPolicy, goneText), verdict: message},
	{text: edgeBlock, verdict: gone},
	{text: strongPolicy, verdict: ours}, // "user unknown in our spam list": when in doubt, the fault is ours
	{text: vagueText, verdict: unknown},
	{text: laterText, verdict: slower}, // GMX says "mailbox unavailable, try again later" to too many emails
	{text: goneText, verdict: gone},
	{text: heldText, verdict: full},
	{text: rateText, verdict: slower},
	{text: lateText, verdict: later},
	{text: weakPolicy, verdict: ours},
}

// Judge returns what a refusal means for a reader.
func Judge(r Reply) Verdict {
	r.Domain = strings.ToLower(r.Domain)
	if strings.HasSuffix(r.Enhanced, ".0.0") { // it means nothing (RFC 3463 §3.1); reporting programs fill it in
		r.Enhanced = ""
	}
	if r.Enhanced == "" {
		r.Enhanced = enhancedIn(r.Code, r.Text)
	}
	r.Text = clean(r.Text)
	r.Around = clean(r.Around)
	v, listed := byProvider(r)
	if !listed {
		v = r.byTable()
	}
	switch {
	case !v.Suppress || r.aboutReader() || listed && !r.Phase.BeforeReader():
		return v
	case r.Phase == PhaseUnknown:
		return unknown
	}
	return ours
}

// byTable judges by the first line of the table that matches the server's words, or else by
// the first that matches the text around them.
func (r Reply) byTable() Verdict {
	table, otherwise := rules, unknown
	if r.Code/100 == 4 {
		table, otherwise = temporaryRules, later
	}
	for _, text := range []string{r.Text, r.Around} {
		for _, line := range table {
			if text != "" && line.fits(r, text) {
				return line.verdict
			}
		}
	}
	return otherwise
}

// aboutReader reports whether a refusal concerns the reader. At RCPT TO it does; after the
// message, and if the command is unknown, only a mailbox code or words of a directory
// lookup do. In "5.2.1 user unknown" code and text differ, and filters use both, too.
func (r Reply) aboutReader() bool {
	switch r.Phase {
	case PhaseRcpt, PhaseLookup, "":
		return true
	case PhaseData, PhaseDot, PhaseUnknown:
		return certainText.MatchString(r.Text) || certainText.MatchString(r.Around) || slices.Contains(mailboxCodes, r.Enhanced) && !(r.Enhanced == "5.2.1" && goneRecipient.MatchString(r.Text+" "+r.Around))
	}
	return false
}

func (l rule) fits(r Reply, text string) bool {
	return (l.codes == nil || slices.Contains(l.codes, r.Code)) &&
		(l.enhanced == nil || slices.ContainsFunc(l.enhanced, func(p string) bool {
			return r.Enhanced == p || strings.HasPrefix(r.Enhanced, p+".") || p == "-" && r.Enhanced == ""
		})) &&
		(l.text == nil || l.text.MatchString(text)) &&
		(l.not == nil || !l.not.MatchString(text))
}

// FullText reports whether a text says that a mailbox is full.
func FullText(text string) bool { return fullText.MatchString(clean(text)) }

var (
	// Addresses are in brackets or bare; "收件人邮件地址（x@y）不存在" is one
	// sentence without its address, and a person's name is not a reason.
	anAddress = lazyregexp.New(`[（(【\[]\s*<?[\w.!#$%&'*+/=?^{|}~-]{1,128}@[\w.-]{1,253}>?\s*[)）】\]]|<?[\w.!#$%&'*+/=?^{|}~-]{1,128}@[\w.-]{1,253}>?`)
	bareURL   = lazyregexp.New(`https?://[^\s"'<>]+`)
	// An enhanced code that is not at the beginning, as qmail writes it: "(#5.1.1)".
	innerCode = lazyregexp.New(`(?:^|[\s#(\[:-])([45]\.\d{1,3}\.\d{1,3})(?:$|[\s)\]:;,-])`)
	spaces    = lazyregexp.New(`\s+`)
)

// Anonymous removes the addresses from a text.
func Anonymous(text string) string { return anAddress.ReplaceAllString(text, "<>") }

// clean removes what is not a reason: addresses, and links to explanations,
// whose paths may contain any word.
func clean(text string) string {
	text = bareURL.ReplaceAllString(text, " ")
	bracketed := anAddress.ReplaceAllStringFunc(text, func(a string) string {
		if strings.ContainsAny(a[:1], "<") || !strings.ContainsAny(a, "（(【[") {
			return "<>"
		}
		return ""
	})
	return strings.TrimSpace(spaces.ReplaceAllString(bracketed, " "))
}

// enhancedIn finds the enhanced code in a reply's text; it must have the class
// of the code. An IP address (5.1.1.2) does not count.
func enhancedIn(code int, text string) string {
	for _, m := range innerCode.FindAllStringSubmatch(text, 3) {
		if int(m[1][0]-'0') == code/100 {
			return m[1]
		}
	}
	return ""
}

var (
	replyLine    = lazyregexp.New(`^([245]\d\d)(?:[ -]|$)(?:([245]\.\d{1,3}\.\d{1,3})(?:[ :-]+|$))?(.*)$`)
	continuation = lazyregexp.New(`(?:\\r)?\\n|[\r\n]+`)
)

// ParseReply reads a reply as one line, "550 5.1.1 no such user". The lines of a
// longer reply may follow, each with its codes, after "\r\n" or "\n".
func ParseReply(line string) (code int, enhanced, text string, ok bool) {
	lines := continuation.Split(strings.TrimSpace(line), 50)
	var parts []string
	for _, l := range lines {
		m := replyLine.FindStringSubmatch(strings.TrimSpace(l))
		switch {
		case m == nil && code == 0:
			return 0, "", line, false
		case m == nil:
			parts = append(parts, strings.TrimSpace(l))
			continue
		case code == 0:
			code, _ = strconv.Atoi(m[1]) // three digits
			enhanced = m[2]
		}
		parts = append(parts, strings.TrimSpace(m[3]))
	}
	return code, enhanced, strings.TrimSpace(strings.Join(parts, " ")), true
}
