package digest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Class is what a refusal means (the table of replies in docs/delivery.md).
type Class int

// The classes of replies.
const (
	ClassUnknown   Class = iota // refused, and nobody says why
	ClassTemporary              // try again
	ClassPermanent              // this mailbox or host is not there
	ClassPolicy                 // the server's policy: our fault, not the reader's
	ClassMessage                // this message can't be taken
)

// String returns the class as stored and printed.
func (c Class) String() string {
	return [...]string{"unknown", "temporary", "permanent", "policy", "message"}[c]
}

// Verdict says what to do after a negative reply.
type Verdict struct {
	Class    Class
	Suppress bool          // never mail this address again
	Soft     bool          // fails this issue; the address is suppressed when it stays so over several
	Slow     bool          // too much at a time: slow the domain group down
	Retry    time.Duration // when to try again; 0: by Backoff
}

// Retries reports whether the same mail is tried again.
func (v Verdict) Retries() bool { return v.Class == ClassTemporary && !v.Soft }

const (
	greylistPause = 10 * time.Minute // 5 to 15 minutes is what greylisting asks for
	slowPause     = time.Hour        // what QQ and NetEase ask for
)

// rule is a line of the table: the first that fits decides.
type rule struct {
	domains  []string // of the reader; nil: any; where it is not known, a reply without an enhanced code fits
	codes    []int    // nil: any of the 5xx
	enhanced []string // prefixes at a dot; nil: any; "-": only a reply without one
	text     *regexp.Regexp
	not      *regexp.Regexp
	verdict  Verdict
}

var (
	gone    = Verdict{Class: ClassPermanent, Suppress: true}
	soft    = Verdict{Class: ClassTemporary, Soft: true}
	ours    = Verdict{Class: ClassPolicy}
	message = Verdict{Class: ClassMessage}
	slower  = Verdict{Class: ClassTemporary, Slow: true, Retry: slowPause}
	greylit = Verdict{Class: ClassTemporary, Retry: greylistPause}
	later   = Verdict{Class: ClassTemporary}
)

// qq are the domains of Tencent's mail, whose 550 is not always for good.
var qq = []string{"qq.com", "foxmail.com", "vip.qq.com", "exmail.qq.com"}

// temporaryRules are for 4xx; what fits none waits by Backoff.
var temporaryRules = []rule{
	{text: neteaseMark, verdict: slower},
	{enhanced: []string{"4.2.2"}, verdict: later},
	{text: greylistText, verdict: greylit},
	{codes: []int{450, 451}, enhanced: []string{"4.7.1"}, verdict: greylit},
	{text: rateText, verdict: Verdict{Class: ClassTemporary, Slow: true}},
}

// rules are for 5xx. A line that blames us stands before those that blame the
// reader: that a mailbox is gone has to be said, not guessed.
var rules = []rule{
	{enhanced: []string{"-"}, text: qqMark, not: goneText, verdict: slower},
	{domains: qq, codes: []int{550}, text: qqLater, not: relayText, verdict: slower},
	{text: neteaseMark, not: goneText, verdict: ours},
	{enhanced: []string{"5.7"}, verdict: ours},
	{enhanced: []string{"5.1.7", "5.1.8"}, verdict: ours}, // the sender's address, not the reader's
	{enhanced: []string{"5.2.1"}, text: rateText, verdict: slower},
	{enhanced: []string{"5.2.2"}, verdict: soft},
	{enhanced: []string{"5.1.1", "5.2.1", "-"}, text: fullText, not: strongPolicy, verdict: soft},
	{enhanced: []string{"5.4.1"}, text: edgeBlock, verdict: gone}, // Exchange Online's unknown recipient
	{text: strongPolicy, not: goneText, verdict: ours},
	{enhanced: []string{"5.3.4", "5.2.3", "5.6"}, verdict: message},
	{enhanced: []string{"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4"}, verdict: gone},
	{codes: []int{521, 556}, not: strongPolicy, verdict: gone},
	{text: sizeText, verdict: message},
	{codes: []int{552}, not: strongPolicy, verdict: message},
	{text: edgeBlock, verdict: gone},
	{text: strongPolicy, verdict: ours}, // «user unknown in our spam list»: in doubt it was us
	{text: goneText, verdict: gone},
	{text: heldText, verdict: soft},
	{text: rateText, verdict: slower},
	{text: weakPolicy, verdict: ours},
}

// Classify says what a negative reply means for a reader at domain, which may be
// "" where it is not known. A refusal by policy never suppresses.
func Classify(code int, enhanced, text, domain string) Verdict {
	if enhanced == "" {
		enhanced = enhancedIn(code, text)
	}
	// What a person is called is no reason: «<spam@a.example> no such user».
	text = anAddress.ReplaceAllString(text, "<>")
	table, otherwise := rules, Verdict{Class: ClassUnknown, Soft: true}
	if code < 500 {
		table, otherwise = temporaryRules, later
	}
	for _, r := range table {
		if r.fits(code, enhanced, text, strings.ToLower(domain)) {
			return r.verdict
		}
	}
	return otherwise
}

func (r rule) fits(code int, enhanced, text, domain string) bool {
	return (r.domains == nil || domain == "" && enhanced == "" || slices.Contains(r.domains, domain)) &&
		(r.codes == nil || slices.Contains(r.codes, code)) &&
		(r.enhanced == nil || slices.ContainsFunc(r.enhanced, func(p string) bool {
			return enhanced == p || strings.HasPrefix(enhanced, p+".") || p == "-" && enhanced == ""
		})) &&
		(r.text == nil || r.text.MatchString(text)) &&
		(r.not == nil || !r.not.MatchString(text))
}

var (
	anAddress = regexp.MustCompile(`<?[\w.!#$%&'*+/=?^{|}~-]{1,64}@[\w.-]{1,253}>?`)
	// An enhanced code that does not stand first, as qmail writes it: «(#5.1.1)».
	innerCode = regexp.MustCompile(`(?:^|[\s#(\[:-])([45]\.\d{1,3}\.\d{1,3})(?:$|[\s)\]:;,-])`)
)

// enhancedIn finds the enhanced code in a reply's text; it has to be of the
// class of the code. An address (5.1.1.2) is none.
func enhancedIn(code int, text string) string {
	for _, m := range innerCode.FindAllStringSubmatch(text, 3) {
		if int(m[1][0]-'0') == code/100 {
			return m[1]
		}
	}
	return ""
}

var (
	replyLine    = regexp.MustCompile(`^([245]\d\d)(?:[ -]|$)(?:([245]\.\d{1,3}\.\d{1,3})(?:[ :-]+|$))?(.*)$`)
	continuation = regexp.MustCompile(`(?:\\r)?\\n|[\r\n]+`)
)

// ParseReply reads a reply as one line, «550 5.1.1 no such user». The lines of a
// longer reply may follow, each with its codes, after «\r\n» or «\n».
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

// Backoff is the pause after the nth attempt (from 1): 15 m, 30 m, 1 h … at most
// 8 h, with up to a quarter more or less by jitter, which is in [0, 1).
func Backoff(n int, jitter float64) time.Duration {
	pause := 15 * time.Minute << min(max(n-1, 0), 5)
	return time.Duration(float64(pause) * (0.75 + jitter/2))
}
