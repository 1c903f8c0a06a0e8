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
	Retry    time.Duration // when to try again; 0: by Backoff
}

const (
	greylistPause = 10 * time.Minute // 5 to 15 minutes is what greylisting asks for
	slowPause     = time.Hour        // what QQ and NetEase ask for
)

// rule is a line of the table: the first that fits decides.
type rule struct {
	domains  []string // of the reader; nil: any
	codes    []int    // nil: any
	enhanced []string // prefixes at a dot; nil: any
	text     *regexp.Regexp
	verdict  Verdict
}

var (
	qq      = []string{"qq.com", "foxmail.com"}
	netease = []string{"163.com", "126.com", "yeah.net", "188.com"}

	policyText = regexp.MustCompile(`(?i)spam|block(ed|list)|black ?list|reputation|policy|denied|not allowed|prohibit|` +
		`unauthenticated|dmarc|\bspf\b|dkim|poor|abuse|suspicious|content rejected|垃圾|拒绝|拒收|策略|黑名单|禁止|过于频繁`)
	goneText = regexp.MustCompile(`(?i)(user|mailbox|recipient|address|account|mail ?box).{0,40}(unknown|not (found|exist)|does ?n.t exist|no such|invalid|disabled|not active|unavailable)|` +
		`(unknown|no such|invalid|non-?existent|nonexistent) (user|mailbox|recipient|address|account|local)|no mailbox|用户不存在|邮箱不存在|收件人不存在|地址不存在|帐号不存在|账号不存在`)
	fullText    = regexp.MustCompile(`(?i)(mailbox|quota|storage).{0,30}(full|exceed|over)|over ?quota|邮箱已满|空间不足`)
	limitText   = regexp.MustCompile(`(?i)rate|too many|frequen|limit|频率|频繁`)
	qqLater     = regexp.MustCompile(`(?i)frequen|access denied|suspected|频率|频繁`)
	neteaseSlow = regexp.MustCompile(`HL:|MI:DMC|RP:DRC|DT:SPM|MI:SFQ`)
)

var rules = []rule{
	{domains: qq, codes: []int{550}, text: qqLater, verdict: Verdict{Class: ClassTemporary, Retry: slowPause}},
	{domains: netease, codes: []int{421, 450, 451}, text: neteaseSlow, verdict: Verdict{Class: ClassTemporary, Retry: slowPause}},
	{domains: netease, codes: []int{554}, text: neteaseSlow, verdict: Verdict{Class: ClassPolicy}},
	{codes: []int{450, 451}, enhanced: []string{"4.7.1"}, verdict: Verdict{Class: ClassTemporary, Retry: greylistPause}},
	{codes: []int{421}, verdict: Verdict{Class: ClassTemporary}},
	{enhanced: []string{"5.2.1"}, text: limitText, verdict: Verdict{Class: ClassTemporary, Retry: slowPause}},
	{enhanced: []string{"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4"}, verdict: Verdict{Class: ClassPermanent, Suppress: true}},
	{codes: []int{521, 556}, verdict: Verdict{Class: ClassPermanent, Suppress: true}},
	{enhanced: []string{"5.2.2"}, verdict: Verdict{Class: ClassPermanent}}, // full: this issue only
	{enhanced: []string{"5.3.4", "5.2.3"}, verdict: Verdict{Class: ClassMessage}},
	{codes: []int{552}, text: fullText, verdict: Verdict{Class: ClassPermanent}},
	{codes: []int{552}, verdict: Verdict{Class: ClassMessage}},
	{enhanced: []string{"5.6"}, verdict: Verdict{Class: ClassMessage}},
	{enhanced: []string{"5.7"}, verdict: Verdict{Class: ClassPolicy}},
}

// Classify says what a negative reply means for a reader at domain, by MAIL.md's
// table. A refusal by policy never suppresses.
func Classify(code int, enhanced, text, domain string) Verdict {
	if code >= 500 || slices.Contains(netease, domain) || enhanced == "4.7.1" {
		for _, r := range rules {
			if r.fits(code, enhanced, text, domain) {
				return r.verdict
			}
		}
	}
	switch {
	case code < 500:
		return Verdict{Class: ClassTemporary}
	case fullText.MatchString(text):
		return Verdict{Class: ClassPermanent}
	case goneText.MatchString(text) && !strings.Contains(strings.ToLower(text), "spam"):
		return Verdict{Class: ClassPermanent, Suppress: true}
	case policyText.MatchString(text):
		return Verdict{Class: ClassPolicy}
	}
	return Verdict{Class: ClassUnknown}
}

func (r rule) fits(code int, enhanced, text, domain string) bool {
	return (r.domains == nil || slices.Contains(r.domains, strings.ToLower(domain))) &&
		(r.codes == nil || slices.Contains(r.codes, code)) &&
		(r.enhanced == nil || slices.ContainsFunc(r.enhanced, func(p string) bool { return enhanced == p || strings.HasPrefix(enhanced, p+".") })) &&
		(r.text == nil || r.text.MatchString(text))
}

var replyLine = regexp.MustCompile(`^([245]\d\d)[ -]?(?:([245]\.\d{1,3}\.\d{1,3})(?:[ -]|$))?(.*)$`)

// ParseReply reads a reply as one line, «550 5.1.1 no such user».
func ParseReply(line string) (code int, enhanced, text string, ok bool) {
	m := replyLine.FindStringSubmatch(strings.TrimSpace(line))
	if m == nil {
		return 0, "", line, false
	}
	code, err := strconv.Atoi(m[1])
	return code, m[2], strings.TrimSpace(m[3]), err == nil
}

// Backoff is the pause after the nth attempt (from 1): 15 m, 30 m, 1 h … at most
// 8 h, with up to a quarter more or less by jitter, which is in [0, 1).
func Backoff(n int, jitter float64) time.Duration {
	pause := 15 * time.Minute << min(max(n-1, 0), 5)
	return time.Duration(float64(pause) * (0.75 + jitter/2))
}
