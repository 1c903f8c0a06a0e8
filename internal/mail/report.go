package mail

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"net/textproto"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"dibao/internal/lazyregexp"
)

// ReportKind is the kind of a returned email.
type ReportKind string

// The kinds of returned emails.
const (
	ReportBounce      ReportKind = "bounce"      // RFC 3464, or a server's own words
	ReportComplaint   ReportKind = "complaint"   // RFC 5965
	ReportUnsubscribe ReportKind = "unsubscribe" // a request to unsubscribe by mail (RFC 2369)
	ReportAutoReply   ReportKind = "auto-reply"  // RFC 3834
	ReportNotSpam     ReportKind = "not-spam"    // RFC 6430: revokes a complaint
	ReportNotice      ReportKind = "notice"      // a report for the admin, not about a reader: RFC 6591, DMARC, TLS
	ReportOther       ReportKind = "other"
)

// Report is a parsed returned email. Other packages decide what it means for a reader.
type Report struct {
	Kind       ReportKind
	To         string            // the recipient: our envelope sender
	Subject    string            // decoded
	Recipients []ReportRecipient // the readers that a bounce or complaint names
	Original   netmail.Header    // header of our email, as far as the report contains it; may be nil
}

// ReportRecipient is what a report says about one reader.
type ReportRecipient struct {
	Address string // address with a lower-case host; "" if redacted
	Action  string // "failed", "delayed", "delivered", "relayed", "expanded" (RFC 3464 §2.3.3)
	Status  string // enhanced code (RFC 3463), "" if there is none
	Code    string // SMTP reply code, "" if there is none
	Command string // refused SMTP command: RCPT, DATA, MAIL, HELO, AUTH; "" if unknown
	Text    string // the server's words, at most 2,000 bytes
}

// Limits on a report.
const (
	maxReport      = 10 << 20 // bytes that are read
	maxReportPart  = 1 << 20  // bytes of one part: our own email after it may be long
	maxReportParts = 100
	maxHeader      = 1000 // fields of a header
	maxReportDepth = 10
	maxReportText  = 64 << 10 // bytes of the text that are examined
	maxRecipients  = 200
	maxReplyText   = 2000
)

// ReadReport reads a returned email. If it can't be parsed, its kind is other; only the
// first 10 MB count.
func ReadReport(raw []byte) Report {
	raw = raw[:min(len(raw), maxReport)]
	p := &reportParser{}
	header, body := splitHeader(raw)
	p.header = header
	p.part(textproto.MIMEHeader(header), body, 0)
	return p.report()
}

// splitHeader reads the valid part of a header: real reports have broken lines.
func splitHeader(raw []byte) (netmail.Header, []byte) {
	if bytes.HasPrefix(raw, []byte("From ")) { // mbox
		if i := bytes.IndexByte(raw, '\n'); i >= 0 {
			raw = raw[i+1:]
		}
	}
	raw = bytes.TrimLeft(raw, "\r\n")
	if i := bytes.IndexByte(raw, '\n'); i >= 0 && len(bytes.TrimSpace(raw[:i])) == 0 { // a line of spaces, as some mailboxes store it
		raw = raw[i+1:]
	}
	h := make(netmail.Header)
	key := ""
	for fields := 0; len(raw) > 0; {
		line := raw
		rest := []byte(nil)
		if i := bytes.IndexByte(raw, '\n'); i >= 0 {
			line, rest = raw[:i], raw[i+1:]
		}
		text := strings.TrimRight(utf8Or18030(line[:min(len(line), 8000)]), "\r")
		switch {
		case strings.TrimSpace(text) == "":
			return h, rest
		case (text[0] == ' ' || text[0] == '\t') && key != "":
			values := h[key]
			if last := len(values) - 1; len(values[last]) < 8000 {
				values[last] += " " + strings.TrimSpace(text)
			}
		default:
			name, value, ok := strings.Cut(text, ":")
			if !ok || strings.ContainsAny(name, " \t<>@") {
				if len(h) == 0 {
					return h, raw // no header at all
				}
				break
			}
			if fields++; fields > maxHeader {
				key = ""
				break
			}
			key = textproto.CanonicalMIMEHeaderKey(name)
			h[key] = append(h[key], strings.TrimSpace(value))
		}
		raw = rest
	}
	return h, nil
}

type reportParser struct {
	header   netmail.Header
	text     strings.Builder // the part for people
	status   []textproto.MIMEHeader
	feedback textproto.MIMEHeader
	original netmail.Header
	enclosed []byte // the original as it was enclosed
	parts    int
	inner    bool // it is itself enclosed in a report
	receipt  bool // it says that somebody read an email (RFC 8098)
}

func (p *reportParser) part(h textproto.MIMEHeader, body []byte, depth int) {
	if p.parts++; p.parts > maxReportParts || depth > maxReportDepth {
		return
	}
	mediaType, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if mediaType == "" || err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		mediaType = "text/plain"
	}
	switch {
	case strings.HasPrefix(mediaType, "multipart/") && params["boundary"] != "":
		parts := multipart.NewReader(bytes.NewReader(body), params["boundary"])
		found := false
		for {
			part, err := parts.NextRawPart()
			if err != nil || p.parts > maxReportParts {
				break
			}
			b, _ := io.ReadAll(io.LimitReader(part, maxReportPart)) // a truncated part is read as far as it goes
			found = true
			p.part(part.Header, b, depth+1)
		}
		if !found {
			p.addText(string(body))
		}
	case strings.HasSuffix(mediaType, "/delivery-status"), strings.HasSuffix(mediaType, "/global-delivery-status"):
		p.addStatus(decodePart(h, body))
	case mediaType == "message/disposition-notification", mediaType == "message/global-disposition-notification":
		p.receipt = true
	case mediaType == "message/feedback-report":
		if p.feedback == nil {
			h, _ := splitHeader(decodePart(h, body))
			p.feedback = textproto.MIMEHeader(h)
		}
	case mediaType == "message/rfc822", strings.HasSuffix(mediaType, "rfc822-headers"), mediaType == "message/global", mediaType == "message/global-headers":
		if p.original == nil {
			p.enclosed = bytes.TrimLeft(decodePart(h, body), "\r\n\t ")
			p.original, _ = splitHeader(p.enclosed)
		}
	case mediaType == "text/html":
		p.addText(plainText(toUTF8(decodePart(h, body), params["charset"])))
	case strings.HasPrefix(mediaType, "text/"), strings.HasPrefix(mediaType, "message/"), mediaType == "multipart/report":
		p.addText(string(toUTF8(decodePart(h, body), params["charset"])))
	}
}

// plainText is the text of an HTML report. A tag that contains an @ is not a
// tag but a bare <address>, which many hand-made reports forget to escape.
func plainText(b []byte) string {
	z := html.NewTokenizer(bytes.NewReader(b[:min(len(b), 4*maxReportText)]))
	z.SetMaxBuf(maxReportText)
	var out strings.Builder
	for hidden := false; ; {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			return out.String()
		case html.TextToken:
			if !hidden {
				out.Write(z.Text())
			}
		default:
			if raw := z.Raw(); kind == html.StartTagToken && bytes.IndexByte(raw, '@') >= 0 && bytes.IndexByte(raw, ' ') < 0 {
				out.Write(raw)
				continue
			}
			name, _ := z.TagName()
			hidden = kind == html.StartTagToken && (string(name) == "style" || string(name) == "script")
			out.WriteByte(' ')
		}
	}
}

func (p *reportParser) addText(s string) {
	if p.text.Len() < maxReportText {
		p.text.WriteString(strings.ToValidUTF8(s[:min(len(s), maxReportText)], "?"))
		p.text.WriteByte('\n')
	}
}

func decodePart(h textproto.MIMEHeader, body []byte) []byte {
	var r io.Reader = bytes.NewReader(body)
	switch strings.ToLower(strings.TrimSpace(h.Get("Content-Transfer-Encoding"))) {
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	default:
		return body
	}
	b, _ := io.ReadAll(r) // up to the first error
	return b
}

func (p *reportParser) get(name string) string { return netmail.Header(p.header).Get(name) }

var (
	daemon       = lazyregexp.New(`(?i)mailer-?daemon|postmaster|mail delivery (?:sub)?system|mail ?administrator|mdaemon|symantec|antispam|mail deliver|bounce|mailmaster|mail ?server|delivery|post_?master|mdaemon`)
	inlineStatus = lazyregexp.New(`(?m)^(?:Reporting-MTA|Final-Recipient|Original-Recipient):`)
	notReader    = lazyregexp.New(`(?i)^(?:mailer-?daemon|post-?_?master|abuse|mail-?daemon|support|noreply|no-reply|helpdesk)@|^\d{8,}\.[\w.]*@`)
	failedWords  = lazyregexp.New(`(?i)undeliver|^\[bounce\]|you (?:\S+@\S+ )?are not (?:a )?member|returned mail|return(?:ed|ing) (?:mail|message)|deliver(?:y|ing)[ -]*(?:status|fail|problem|error|has|report|notif|incomplete|attempt)|fail(?:ure|ed)[ -]*(?:notice|delivery|to deliver|mail)|mail (?:failure|error|could not)|message (?:could )?not (?:be )?(?:delivered|sent)|could not (?:send|be delivered)|non[- ]?deliver|mail delivery|warning: (?:message|could)|退信|退件|投递失败|发送失败|系统退信|nondeliver|error (?:mail|sending)|not delivered|delayed`)
	notYet       = lazyregexp.New(`(?i)\b(?:not yet been delivered|will (?:keep|continue) (?:to )?try|still trying|do not need to resend|message \S+ delayed|delivery delayed|warning: could not send)`)
	autoSubject  = lazyregexp.New(`(?i)^(?:re: ?)?(?:auto: |auto(?:matic)?[ -]?(?:reply|response|matische)|out of (?:the )?office|away (?:from|until)|vacation|i am away|自动回复|自动答复|自動回覆|自動返信|假期回复|休假|不在办公室)`)
	// absent matches automatic replies for a person whose header does not say so.
	absent      = lazyregexp.New(`(?i)自动回复|自动答复|假期|休假|出差期间|不在办公室|已(?:从\S{0,12})?离职|已调离|邮箱(?:已)?(?:不再|停止)使用|out of (?:the )?office|no longer (?:with|work)`)
	refusedText = lazyregexp.New(`(?im)^(?:\W{0,8}|.{0,40}: ?)5\d\d[ -].{0,80}(?:user|mailbox|recipient|address|account|requested action|spam|policy|full|quota)|"notificationType":"Bounce"|invalid user address`)
	announced   = lazyregexp.New(`(?i)following (?:e-?mail )?(?:recipient|address)[^\n]{0,60}:?|recipients? (?:were|was) affected|unable to deliver (?:your )?message to`)
	// in an SMTP dialogue: RCPT TO: name@example.org
	spokenRecipient = lazyregexp.New(`(?im)^[\s>]*(?:In:\s+)?RCPT TO:\s*<?([A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}[A-Za-z0-9])`)
	// ofHeader matches beginnings of lines after which an address is not a reader's
	ofHeader    = lazyregexp.New(`(?i)^[>\s]*(?:message-id|from|sender|references|in-reply-to|reply-to|mail from|received|return-path|sent by)\b[^\n]*$|\bMAIL FROM:\s*<?$|with id `)
	unsubscribe = lazyregexp.New(`(?i)^\s*(?:(?:re|aw|sv|回复|答复|回覆)\s*[:：]\s*)*(?:请|我要|申请|please )?\s*(?:unsubscribe\b|退订|退訂|取消订阅|取消訂閱|不再订阅|配信停止)`)
	// aggregate matches the subject of a DMARC (RFC 7489 §7.2.1.1) or TLS report (RFC 8460
	// §5.3).
	aggregate    = lazyregexp.New(`(?i)^\s*(?:\[[^\]]*\]\s*)?report domain:\s*\S+\s+submitter:`)
	originalMark = lazyregexp.New(`(?im)^(?:>?\s*-{2,}\s*(?:below this line is|this is a copy|the following is|the following message|original|returned|forwarded|unsent|header|message|the body|the header|included|copy|transcript of the original|元のメール)[^\n]*|original message:?\s*$|--- message non-deliverable|-{3,}\s*$\s*received:|received: from|return-path:|message-id: ?<|mime-version:|------ this is a copy)`)
	undelivered  = lazyregexp.New(`(?i)\bnot\b.{0,20}delivered|undeliver|could not|failed`)
	mailAddress  = lazyregexp.New(`[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?`)
	enhancedIn   = lazyregexp.New(`(?:^|[\s(#\[:;"-])([245]\.\d{1,3}\.\d{1,3})(?:$|[\s)\]:;,"-]|\.(?:\s|$))`) // 4.79.181.134 is not a code
	codeless     = lazyregexp.New(`(?i)^(?:\d{1,3}|unknown)$`)                                                // X-Unix; 255
	codeIn       = lazyregexp.New(`(?:^|[\s:;("\[-])([245][0-5]\d)(?:[ -]|: ?|, )(?:[^\d]|[245]\.\d)`)
)

func (p *reportParser) report() Report {
	r := Report{Kind: ReportOther, To: firstAddress(p.get("To")), Subject: decodeWords(p.get("Subject")), Original: p.original}
	if p.receipt || strings.Contains(strings.ToLower(p.get("Content-Type")), "disposition-notification") {
		return r
	}
	text := p.text.String()
	cut := originalAt(text)
	if cut < len(text) {
		if r.Original == nil {
			r.Original = originalIn(text[cut:])
		}
	}
	if at := inlineStatus.FindStringIndex(text); at != nil && !p.hasStatus() { // its MIME is broken
		p.addStatus([]byte(text[at[0]:]))
	}
	if n, ok := notificationIn(text); ok {
		r.Kind, r.Recipients = n.Kind, n.Recipients
		return r
	}
	automatic := strings.ToLower(p.get("Auto-Submitted"))
	switch {
	case p.feedback == nil && firstAddress(original(r).Get("X-Hmxmroriginalrecipient")) != "": // complaints of Outlook.com from before ARF
		r.Kind = ReportComplaint
		r.Recipients = []ReportRecipient{{Address: firstAddress(original(r).Get("X-Hmxmroriginalrecipient")), Action: "failed", Text: "abuse"}}
		return r
	case p.feedback != nil:
		r.Kind = feedbackKind(p.feedback.Get("Feedback-Type"))
		r.Recipients = p.complainants(r.Original)
		return r
	case aggregate.MatchString(r.Subject):
		r.Kind = ReportNotice
		return r
	case p.hasStatus():
		r.Kind = ReportBounce
		r.Recipients = p.fromStatus(text[:cut])
		return r
	case unsubscribe.MatchString(r.Subject):
		r.Kind = ReportUnsubscribe
		return r
	case !p.fromDaemon(r.Subject, automatic) && !refusedText.MatchString(text[:cut]):
		if p.isAutoReply(r.Subject, automatic) || absent.MatchString(text[:min(cut, 600)]) {
			r.Kind = ReportAutoReply
		}
		return r
	}
	if inner, ok := p.enclosedReport(text[:cut]); ok {
		return inner
	}
	if r.Recipients = p.freeForm(text[:cut], r); len(r.Recipients) > 0 {
		r.Kind = ReportBounce
	}
	return r
}

// originalAt returns where our email begins in a text, the length of the text if it does
// not. "--- Message not delivered to the following addresses" is not a beginning.
func originalAt(text string) int {
	for _, at := range originalMark.FindAllStringIndex(text, 10) {
		if !undelivered.MatchString(text[at[0]:at[1]]) {
			return at[0]
		}
	}
	return len(text)
}

// enclosedReport reads the report that a relay's own report encloses: only the enclosed one
// names the reader.
func (p *reportParser) enclosedReport(text string) (Report, bool) {
	if p.inner || len(p.enclosed) == 0 || mailAddress.MatchString(text) || !daemon.MatchString(original(Report{Original: p.original}).Get("From")) {
		return Report{}, false
	}
	header, body := splitHeader(p.enclosed)
	q := &reportParser{header: header, inner: true, parts: p.parts}
	q.part(textproto.MIMEHeader(header), body, 1)
	r := q.report()
	return r, r.Kind == ReportBounce
}

// fromDaemon reports whether a mail server wrote the message, not a person or
// an auto-responder. Some servers mark their reports as replies.
func (p *reportParser) fromDaemon(subject, automatic string) bool {
	failed := failedWords.MatchString(subject)
	if p.get("X-Failed-Recipients") != "" || daemon.MatchString(p.get("From")) && (failed || !p.isAutoReply(subject, automatic)) {
		return true
	}
	return failed || strings.HasPrefix(automatic, "auto-generated") || strings.Contains(strings.ToLower(p.get("Content-Type")), "report-type=delivery-status") || strings.TrimSpace(p.get("Return-Path")) == "<>" && !p.isAutoReply(subject, automatic)
}

func (p *reportParser) isAutoReply(subject, automatic string) bool {
	return strings.HasPrefix(automatic, "auto-replied") || autoSubject.MatchString(subject) || p.get("X-Autoreply") != "" || p.get("X-Autorespond") != "" ||
		strings.EqualFold(p.get("X-Apple-Action"), "vacation") ||
		strings.EqualFold(strings.ReplaceAll(p.get("Precedence"), "-", "_"), "auto_reply")
}

// feedbackKind returns the kind of a feedback report: only abuse and fraud are
// complaints of a reader (RFC 5965 §7.3).
func feedbackKind(feedback string) ReportKind {
	switch strings.ToLower(strings.TrimSpace(feedback)) {
	case "abuse", "fraud":
		return ReportComplaint
	case "opt-out", "opt-out-list":
		return ReportUnsubscribe
	case "not-spam":
		return ReportNotSpam
	}
	return ReportNotice
}

func (p *reportParser) complainants(original netmail.Header) []ReportRecipient {
	var all []ReportRecipient
	values := p.feedback.Values("Original-Rcpt-To")
	if len(values) == 0 {
		values = append(p.feedback.Values("Removal-Recipient"), original.Get("To"))
	}
	for _, value := range values[:min(len(values), maxRecipients)] {
		a := firstAddress(value)
		if a != "" && !slices.ContainsFunc(all, func(r ReportRecipient) bool { return strings.EqualFold(r.Address, a) }) {
			all = append(all, ReportRecipient{Address: a, Action: "failed", Text: clipText(p.feedback.Get("Feedback-Type"))})
		}
	}
	return all
}

// originalIn reads the header of our email in the text of a report.
func originalIn(text string) netmail.Header {
	for range 5 {
		h, rest := splitHeader([]byte(text))
		if h.Get("To") != "" || h.Get("From") != "" || h.Get("Message-Id") != "" {
			return h
		}
		i := strings.IndexByte(text, '\n')
		if i < 0 {
			return nil
		}
		if len(h) == 0 {
			text = text[i+1:]
		} else {
			text = string(rest)
		}
	}
	return nil
}

func firstAddress(s string) string { return lowerHost(mailAddress.FindString(s)) }

// lowerHost converts the host of an address to lower case, because hosts are
// case-insensitive (RFC 5321 §2.4).
func lowerHost(address string) string {
	local, host, ok := strings.Cut(address, "@")
	if !ok {
		return ""
	}
	return local + "@" + strings.ToLower(host)
}

func clipText(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	return strings.TrimSpace(strings.ToValidUTF8(s[:min(len(s), maxReplyText)], ""))
}

// AddressesOf returns the recipients that an email's header names.
func AddressesOf(raw []byte) []string {
	h, _ := splitHeader(raw)
	var all []string
	for _, name := range []string{"Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To"} {
		for _, value := range h[textproto.CanonicalMIMEHeaderKey(name)] {
			all = append(all, mailAddress.FindAllString(value, maxRecipients)...)
		}
	}
	return all[:min(len(all), maxRecipients)]
}
