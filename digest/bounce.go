package digest

import (
	"regexp"
	"strings"

	"dibao/internal/mail"
)

var (
	// Japanese carriers answer «550 : User unknown», without the address, for what
	// their readers filter, and with it for a mailbox that is not there.
	namedUnknown    = regexp.MustCompile(`(?i)550 <>: user unknown`)
	namelessUnknown = regexp.MustCompile(`(?i)(?:^|550|;)\s*: user unknown`)
	hidesFilters    = regexp.MustCompile(`(?i)[@.](?:ezweb\.ne\.jp|docomo\.(?:[\w-]+\.)?ne\.jp|au\.com|mineo\.jp|uqmobile\.jp)$`)
	bounceSpam      = regexp.MustCompile(`(?i)spam|blocked|black ?list|policy|rate|too many|dmarc|\bspf\b|dkim|denied`)
	mailAddresses   = regexp.MustCompile(`<?[\w.!#$%&'*+/=?^{|}~-]{1,64}@[\w.-]{1,253}>?`)
	bounceGone      = regexp.MustCompile(`(?i)(?:user|mailbox|recipient|address|account|name|addressee|mail ?box|local part)[^.\n]{0,60}(?:unknown|not (?:been )?(?:found|exist|listed|valid|known)|does ?n[o']t (?:exist|have)|no such|invalid|non-?exist|disabled permanently)|` +
		`(?:unknown|no such|invalid|non-?existent|unrecognized|not a (?:valid|known)) (?:user|mailbox|recipient|address|account|local|person|name|virtual)|no (?:mailbox|such (?:user|person|address|recipient|account))|user unknown|` +
		`(?:doesn't|does not|didn't|do not) (?:exist|have an? (?:account|yahoo|mailbox))|not (?:our|a) (?:customer|valid user)|is not a (?:known|valid) user|unknown (?:local|or illegal|in)|not listed in|can't find (?:user|recipient)|` +
		`用户不存在|邮箱不存在|收件人不存在|地址不存在|帐号不存在|账号不存在|RESOLVER\.ADR\.(?:RecipNotFound|RecipientNotFound|ExRecipNotFound|BadPrimary)|account is unavailable|not in (?:my|our) (?:user )?list|no valid recipients`)
	bounceNoHost = regexp.MustCompile(`(?i)host (?:unknown|not found|or domain name not found|name lookup fail)|unknown (?:host|domain)|no such (?:host|domain)|domain (?:does not exist|not found|is not|unknown|of recipient|name not)|name or service not known|non-?existent (?:host|domain)|couldn't find any host|unrouteable|unroutable|no mx|null ?mx|indicated no SMTP service|relevant mx|does not accept (?:mail|smtp)|recipient domain .{0,60}(?:does not|not exist|no mail)|not a valid (?:host|domain)`)
	bounceMoved  = regexp.MustCompile(`(?i)has moved|address (?:has )?changed|moved permanently|no longer (?:uses|valid|in use)`)
	bounceFull   = regexp.MustCompile(`(?i)(?:mail ?box|quota|storage|account|disk|space|inbox|maildir|message store)[^.\n]{0,50}(?:full|exceed|over ?quota|over|limit|not enough|insufficient)|over ?quota|(?:exceed|over)[^.\n]{0,40}(?:quota|storage|limit|mailbox)|full mail ?box|insufficient (?:disk|system) |not enough (?:storage|space)|quota|邮箱已满|空间不足`)
	bounceHeld   = regexp.MustCompile(`(?i)suspend|(?:account|mailbox|user|recipient|address)[^.\n]{0,40}(?:disabled|inactive|deactivated|locked|blocked|restricted|not active|temporarily|unavailable|expired)|inactive (?:user|account|mailbox)|on ?hold|not (?:currently )?accepting|over.?rate|receiving (?:mail|messages) (?:too|at a rate)`)
	bounceLate   = regexp.MustCompile(`(?i)timed? ?out|connection (?:refused|reset|lost|dropped)|too long|expired|retry time|delayed|giving up|could not be delivered for|has been in the queue|warning|still trying|no route|network|unreachable|temporar(?:y|ily)|loop|hop count|too many hops|greylist|try (?:again|later)|bad connection`)
	bounceOurs   = regexp.MustCompile(`(?i)spam|blocked|block ?list|black ?list|rbl\b|dnsbl|spamhaus|spamcop|barracuda|reputation|policy|denied|reject(?:ed)? (?:for|due|by|because)|not allowed|prohibit|unauthenticated|unauthori[sz]ed|dmarc|\bspf\b|dkim|sender (?:verif|domain|address|rejected|id)|domain of sender|helo|ehlo|reverse dns|\bptr\b|dns (?:record|lookup)|relay|content|virus|malware|attachment|abuse|suspicious|rate|too many|frequen|size|too (?:large|big)|rfc ?[2-9]\d{3}|header|authenticat|tls|encrypt|not (?:permitted|authori[sz]ed)|垃圾|拒绝|拒收|策略|黑名单|禁止|过于频繁|secur|filter|protect`)
)

// ownFilter are refusals by what a reader set up, or the reader's server for
// them: not us, and not the mailbox.
var ownFilter = regexp.MustCompile(`(?i)recipient preferences|user reject|refuses to receive|only accepting mail from|not accepting any mail|protected by|blocked by the recipient|due to user rules|bounced address|restricted sms|message filtered|extended inactivity`)

// ofSender are refusals of whom the mail is from, or of our server's names, though
// they speak of unknown users and hosts as well.
var ofSender = regexp.MustCompile(`(?i)\bsender(?:'s)? (?:address |domain |verif|rejected|unknown|denied|not)|domain of sender|(?:local )?sender table|invalid sender|unknown sender|\bhelo\b|\behlo\b|reverse (?:dns|lookup)|client host|your (?:host ?name|ip|server)|return address|envelope[- ]from|mail from address`)

// ownWords are those of a server that looked into its own directory, with no
// other server between: Exchange, Notes, IMail, mail.local, Google, Exim.
var ownWords = regexp.MustCompile(`(?i)recipient name is not recognized|unknown recipient|not listed in (?:the )?(?:public|domino)|^\s*unknown user|invalid final delivery userid|mail\.local: unknown user|unknown local[ -]part|unrouteable address|no valid recipients for this MM|address (?:not|couldn't be) found|RESOLVER\.ADR|account or domain may not exist|no such user here\s*$|542 \S+ rejected|yahoo\.com account|(?:用户|邮箱|收件人|地址|帐号|账号)不存在`)

// ClassifyBounce says what a report means for the reader it names. A refusal by
// policy, a full mailbox or a delay never suppresses; only a mailbox or host
// that is not there does. «No such user» that is said of the message and not of
// the reader (after DATA) is a filter's; where nobody says of what it was said, it is
// unknown and has to come twice.
func ClassifyBounce(r mail.ReportRecipient) Verdict {
	said := strings.TrimPrefix(mailAddresses.ReplaceAllString(r.Text, "<>"), "<>") // a name may hold any word
	first, _, _ := strings.Cut(said, "\n")                                         // what the server said, without the words around it
	if strings.TrimSpace(first) == "" || len(first) < 12 {
		first = said
	}
	switch {
	case r.Action == "delayed":
		return Verdict{Class: ClassTemporary}
	case r.Action == "delivered" || r.Action == "relayed" || r.Action == "expanded" || r.Action == "deliverable":
		return Verdict{Class: ClassUnknown}
	case hidesFilters.MatchString(r.Address) && strings.Contains(said, "account is disabled"), hidesFilters.MatchString(r.Address) && strings.Contains(said, "account is temporarily limited"):
		return Verdict{Class: ClassTemporary}
	case hidesFilters.MatchString(r.Address) && namedUnknown.MatchString(said):
		return lasting
	case ownFilter.MatchString(said), hidesFilters.MatchString(r.Address) && namelessUnknown.MatchString(said):
		return Verdict{Class: ClassUnknown}
	case r.Status == "5.1.7" || r.Status == "5.1.8", ofSender.MatchString(first): // the sender's address, not the reader's
		if strings.HasPrefix(r.Status, "4.") || strings.HasPrefix(r.Code, "4") {
			return Verdict{Class: ClassTemporary}
		}
		return Verdict{Class: ClassPolicy}
	}
	if v, ok := byStatus(r, first, said); ok {
		return v
	}
	if strings.HasPrefix(r.Status, "4.") || strings.HasPrefix(r.Code, "4") {
		return Verdict{Class: ClassTemporary}
	}
	for _, text := range []string{first, said} {
		if v, ok := byWords(r, text); ok {
			return v
		}
		if strings.HasPrefix(r.Status, "5.7.") {
			return Verdict{Class: ClassPolicy}
		}
	}
	if r.Command == "DATA" || r.Command == "MAIL" {
		return Verdict{Class: ClassPolicy}
	}
	return Verdict{Class: ClassUnknown}
}

// byStatus judges by an enhanced code, where its text does not say otherwise.
func byStatus(r mail.ReportRecipient, first, said string) (Verdict, bool) {
	switch r.Status {
	case "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.4.4":
		switch {
		case bounceFull.MatchString(first):
			return Verdict{Class: ClassTemporary}, true
		case bounceSpam.MatchString(first) && !bounceGone.MatchString(first):
			return Verdict{Class: ClassPolicy}, true
		case strings.Contains(said, "Malformed or unexpected name server reply"):
			return Verdict{Class: ClassTemporary}, true
		}
		return lasting, true
	case "5.4.1":
		if strings.Contains(first, "Recipient address rejected: Access denied") { // Exchange Online's unknown recipient
			return lasting, true
		}
	case "5.2.2":
		return Verdict{Class: ClassTemporary}, true
	}
	return Verdict{}, false
}

var lasting = Verdict{Class: ClassPermanent, Suppress: true}

// byWords judges by what the server said.
func byWords(r mail.ReportRecipient, text string) (Verdict, bool) {
	switch {
	case bounceFull.MatchString(text) && r.Status != "5.1.1":
		return Verdict{Class: ClassTemporary}, true
	case strings.HasPrefix(r.Status, "5.7.") && bounceOurs.MatchString(text):
		return Verdict{Class: ClassPolicy}, true
	case bounceMoved.MatchString(text), bounceNoHost.MatchString(text) && r.Command != "DATA" && r.Command != "MAIL":
		return lasting, true
	case ownWords.MatchString(text), bounceGone.MatchString(text) && r.Command == "RCPT":
		if r.Command == "MAIL" {
			return Verdict{Class: ClassPolicy}, true
		}
		return lasting, true
	case bounceGone.MatchString(text) && r.Command == "": // nobody says of what
		return Verdict{Class: ClassUnknown}, true
	case bounceGone.MatchString(text):
		return Verdict{Class: ClassPolicy}, true
	case bounceHeld.MatchString(text):
		return Verdict{Class: ClassTemporary}, true
	case bounceOurs.MatchString(text):
		return Verdict{Class: ClassPolicy}, true
	case bounceLate.MatchString(text):
		return Verdict{Class: ClassTemporary}, true
	}
	return Verdict{}, false
}
