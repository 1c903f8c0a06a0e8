package mail

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"net/textproto"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// ReportKind is what a mail that comes back is.
type ReportKind string

// The kinds of mail that come back.
const (
	ReportBounce      ReportKind = "bounce"      // RFC 3464, or a server's own words
	ReportComplaint   ReportKind = "complaint"   // RFC 5965
	ReportUnsubscribe ReportKind = "unsubscribe" // by mail, RFC 2369
	ReportAutoReply   ReportKind = "auto-reply"  // RFC 3834
	ReportOther       ReportKind = "other"
)

// Report is a mail that came back, taken apart. What it means for a reader is
// judged elsewhere.
type Report struct {
	Kind       ReportKind
	To         string            // whom it was sent to: our envelope sender
	Subject    string            // decoded
	Recipients []ReportRecipient // of a bounce or complaint
	Original   netmail.Header    // of our mail, as far as it came back; may be nil
}

// ReportRecipient is what a report says of one reader.
type ReportRecipient struct {
	Address string // lower-case host; "" if redacted
	Action  string // "failed", "delayed", "delivered", "relayed", "expanded" (RFC 3464 §2.3.3)
	Status  string // enhanced code (RFC 3463), "" if none is said
	Code    string // SMTP reply code, "" if none is said
	Text    string // what the server said, at most 2,000 bytes
}

// Limits on a report.
const (
	maxReport      = 10 << 20 // bytes that are read
	maxReportParts = 100
	maxReportDepth = 10
	maxReportText  = 64 << 10 // of the text that is looked at
	maxRecipients  = 200
	maxReplyText   = 2000
)

// ParseReport reads a mail that came back. It takes whatever comes: what it
// can't read is other. It never reads more than 10 MB.
func ParseReport(r io.Reader) (Report, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxReport))
	if err != nil {
		return Report{}, err
	}
	p := &reportParser{}
	header, body := splitHeader(raw)
	p.header = header
	p.part(textproto.MIMEHeader(header), body, 0)
	return p.report(), nil
}

// splitHeader reads a header as far as it is one: real reports have broken lines.
func splitHeader(raw []byte) (netmail.Header, []byte) {
	if bytes.HasPrefix(raw, []byte("From ")) { // mbox
		if i := bytes.IndexByte(raw, '\n'); i >= 0 {
			raw = raw[i+1:]
		}
	}
	h := make(netmail.Header)
	key := ""
	for len(raw) > 0 {
		line := raw
		rest := []byte(nil)
		if i := bytes.IndexByte(raw, '\n'); i >= 0 {
			line, rest = raw[:i], raw[i+1:]
		}
		text := strings.TrimRight(string(line[:min(len(line), 8000)]), "\r")
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
			key = textproto.CanonicalMIMEHeaderKey(name)
			h[key] = append(h[key], strings.TrimSpace(value))
		}
		raw = rest
	}
	return h, nil
}

type reportParser struct {
	header   netmail.Header
	text     strings.Builder // of the human part
	status   []textproto.MIMEHeader
	feedback textproto.MIMEHeader
	original netmail.Header
	parts    int
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
			if err != nil {
				break
			}
			b, _ := io.ReadAll(io.LimitReader(part, maxReport)) // a part that is cut short is read as far as it goes
			found = true
			p.part(part.Header, b, depth+1)
		}
		if !found {
			p.addText(string(body))
		}
	case strings.HasSuffix(mediaType, "/delivery-status"), strings.HasSuffix(mediaType, "/global-delivery-status"):
		p.addStatus(decodePart(h, body))
	case mediaType == "message/feedback-report":
		if p.feedback == nil {
			h, _ := splitHeader(decodePart(h, body))
			p.feedback = textproto.MIMEHeader(h)
		}
	case mediaType == "message/rfc822", strings.HasSuffix(mediaType, "rfc822-headers"), mediaType == "message/global", mediaType == "message/global-headers":
		if p.original == nil {
			p.original, _ = splitHeader(bytes.TrimLeft(decodePart(h, body), "\r\n\t "))
		}
	case mediaType == "text/html":
		p.addText(plainText(decodePart(h, body)))
	case strings.HasPrefix(mediaType, "text/"), strings.HasPrefix(mediaType, "message/"), mediaType == "multipart/report":
		p.addText(string(decodePart(h, body)))
	}
}

// plainText is the text of an HTML report. A tag that holds an @ is no tag
// but a bare <address>, which many hand-made reports forget to escape.
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
	b, _ := io.ReadAll(r) // as far as it can be read
	return b
}

// addStatus reads the blocks of a delivery status (RFC 3464 §2.1).
func (p *reportParser) addStatus(b []byte) {
	in := bufio.NewReader(bytes.NewReader(b))
	for len(p.status) < maxRecipients {
		var block []byte
		var err error
		for {
			var line []byte
			line, err = in.ReadBytes('\n')
			if len(bytes.TrimSpace(line)) == 0 && len(block) > 0 || err != nil {
				block = append(block, line...)
				break
			}
			if len(bytes.TrimSpace(line)) > 0 {
				block = append(block, line...)
			}
		}
		if len(bytes.TrimSpace(block)) > 0 {
			h, _ := splitHeader(block)
			p.status = append(p.status, textproto.MIMEHeader(h))
		}
		if err != nil {
			return
		}
	}
}

func (p *reportParser) get(name string) string { return netmail.Header(p.header).Get(name) }

var (
	daemon       = regexp.MustCompile(`(?i)mailer-?daemon|postmaster|mail delivery (?:sub)?system|mail ?administrator|mdaemon|symantec|antispam|mail deliver|bounce|mailmaster|mail ?server|delivery|post_?master|mdaemon`)
	inlineStatus = regexp.MustCompile(`(?m)^(?:Reporting-MTA|Final-Recipient|Original-Recipient):`)
	notReader    = regexp.MustCompile(`(?i)^(?:mailer-?daemon|post-?_?master|abuse|mail-?daemon|support|noreply|no-reply|helpdesk)@|^\d{8,}\.[\w.]*@`)
	failedWords  = regexp.MustCompile(`(?i)undeliver|returned mail|return(?:ed|ing) (?:mail|message)|deliver(?:y|ing)[ -]*(?:status|fail|problem|error|has|report|notif|incomplete|attempt)|fail(?:ure|ed)[ -]*(?:notice|delivery|to deliver|mail)|mail (?:failure|error|could not)|message (?:could )?not (?:be )?(?:delivered|sent)|could not (?:send|be delivered)|non[- ]?deliver|mail delivery|warning: (?:message|could)|退信|退件|投递失败|发送失败|系统退信|nondeliver|error (?:mail|sending)|not delivered|delayed`)
	autoSubject  = regexp.MustCompile(`(?i)^(?:re: )?(?:auto(?:matic)?[ -]?(?:reply|response|matische)|out of (?:the )?office|away (?:from|until)|vacation|i am away|自动回复|自動返信|休假|不在办公室)`)
	refusedText  = regexp.MustCompile(`(?im)^(?:\W{0,8}|.{0,40}: ?)5\d\d[ -].{0,80}(?:user|mailbox|recipient|address|account|requested action|spam|policy|full|quota)|"notificationType":"Bounce"|invalid user address`)
	unsubscribe  = regexp.MustCompile(`(?i)^\s*(?:re:\s*)?(?:unsubscribe|退订|取消订阅)\b`)
	originalMark = regexp.MustCompile(`(?im)^(?:>?\s*-{2,}\s*(?:below this line is|this is a copy|the following is|the following message|original|returned|forwarded|unsent|header|message|the body|the header|included|copy|transcript of the original|元のメール)[^\n]*|-{3,}\s*$\s*received:|received: from|return-path:|message-id: ?<|mime-version:|------ this is a copy)`)
	mailAddress  = regexp.MustCompile(`[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?`)
	enhancedIn   = regexp.MustCompile(`(?:^|[\s(#\[:;"-])([245]\.\d{1,3}\.\d{1,3})(?:$|[\s)\]:;,."-])`)
	codeIn       = regexp.MustCompile(`(?:^|[\s:;("\[-])([245][0-5]\d)[ -](?:[^\d]|[245]\.\d)`)
)

func (p *reportParser) report() Report {
	r := Report{Kind: ReportOther, To: firstAddress(p.get("To")), Subject: p.get("Subject"), Original: p.original}
	if decoded, err := new(mime.WordDecoder).DecodeHeader(r.Subject); err == nil {
		r.Subject = decoded
	}
	text := p.text.String()
	cut := len(text)
	if at := originalMark.FindStringIndex(text); at != nil {
		cut = at[0]
		if r.Original == nil {
			r.Original = originalIn(text[cut:])
		}
	}
	if at := inlineStatus.FindStringIndex(text); at != nil && !p.hasStatus() { // its MIME is broken
		p.addStatus([]byte(text[at[0]:]))
	}
	automatic := strings.ToLower(p.get("Auto-Submitted"))
	switch {
	case p.feedback != nil:
		r.Kind = ReportComplaint
		if strings.EqualFold(p.feedback.Get("Feedback-Type"), "opt-out") || strings.EqualFold(p.feedback.Get("Feedback-Type"), "opt-out-list") {
			r.Kind = ReportUnsubscribe
		}
		r.Recipients = p.complainants(r.Original)
		return r
	case p.hasStatus():
		r.Kind = ReportBounce
		r.Recipients = p.fromStatus(text[:cut])
		return r
	case unsubscribe.MatchString(r.Subject):
		r.Kind = ReportUnsubscribe
		return r
	case !p.fromDaemon(r.Subject, automatic) && !refusedText.MatchString(text[:cut]):
		if p.isAutoReply(r.Subject, automatic) {
			r.Kind = ReportAutoReply
		}
		return r
	}
	if r.Recipients = p.freeForm(text[:cut], r); len(r.Recipients) > 0 {
		r.Kind = ReportBounce
	}
	return r
}

// fromDaemon reports whether a mail server wrote the mail, not a person or the
// program that answers for one. Some servers mark their reports as replies.
func (p *reportParser) fromDaemon(subject, automatic string) bool {
	failed := failedWords.MatchString(subject)
	if p.get("X-Failed-Recipients") != "" || daemon.MatchString(p.get("From")) && (failed || !p.isAutoReply(subject, automatic)) {
		return true
	}
	return failed || strings.HasPrefix(automatic, "auto-generated") || strings.TrimSpace(p.get("Return-Path")) == "<>" && !p.isAutoReply(subject, automatic)
}

func (p *reportParser) isAutoReply(subject, automatic string) bool {
	return strings.HasPrefix(automatic, "auto-replied") || autoSubject.MatchString(subject) || p.get("X-Autoreply") != "" || p.get("X-Autorespond") != "" ||
		strings.EqualFold(p.get("Precedence"), "auto_reply")
}

// hasStatus reports whether a delivery status names a recipient.
func (p *reportParser) hasStatus() bool {
	return slices.ContainsFunc(p.status, func(h textproto.MIMEHeader) bool { return statusAddress(h) != "" })
}

func statusAddress(h textproto.MIMEHeader) string {
	for _, name := range []string{"Final-Recipient", "Original-Recipient", "X-Actual-Recipient"} {
		_, address, found := strings.Cut(h.Get(name), ";")
		if !found {
			address = h.Get(name)
		}
		if a := firstAddress(address); a != "" {
			return a
		}
	}
	return ""
}

func (p *reportParser) fromStatus(text string) []ReportRecipient {
	var all []ReportRecipient
	for _, h := range p.status {
		address := statusAddress(h)
		if address == "" || len(all) >= maxRecipients {
			continue
		}
		_, diagnostic, found := strings.Cut(h.Get("Diagnostic-Code"), ";")
		if !found {
			diagnostic = h.Get("Diagnostic-Code")
		}
		r := ReportRecipient{Address: address, Action: strings.ToLower(strings.Fields(h.Get("Action") + " failed")[0]), Text: strings.TrimSpace(diagnostic)}
		if m := enhancedIn.FindStringSubmatch(h.Get("Status")); m != nil {
			r.Status = m[1]
		}
		if m := enhancedIn.FindStringSubmatch(r.Text); m != nil && (r.Status == "" || strings.HasSuffix(r.Status, ".0.0")) {
			r.Status = m[1]
		}
		if m := codeIn.FindStringSubmatch(" " + r.Text + " "); m != nil {
			r.Code = m[1]
		}
		if r.Text == "" {
			r.Text = lineOf(text, address)
			if m := enhancedIn.FindStringSubmatch(r.Text); m != nil {
				r.Status = m[1]
			}
			if m := codeIn.FindStringSubmatch(r.Text + " "); m != nil {
				r.Code = m[1]
			}
		}
		r.Text = clipText(r.Text + "\n" + strings.TrimSpace(text))
		all = append(all, r)
	}
	return all
}

// lineOf returns the line in which a server's own words name a reader and why.
func lineOf(text, address string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, address) && codeIn.MatchString(line) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

func (p *reportParser) complainants(original netmail.Header) []ReportRecipient {
	var all []ReportRecipient
	for _, value := range append(p.feedback.Values("Original-Rcpt-To"), original.Get("To")) {
		if a := firstAddress(value); a != "" && len(all) == 0 {
			all = append(all, ReportRecipient{Address: a, Action: "failed", Text: p.feedback.Get("Feedback-Type")})
		}
	}
	return all
}

// freeForm finds the readers that a server names in its own words: each with the
// text up to the next.
func (p *reportParser) freeForm(text string, r Report) []ReportRecipient {
	own := map[string]bool{r.To: true, firstAddress(p.get("From")): true, firstAddress(original(r).Get("From")): true}
	type mention struct {
		address string
		at      int
	}
	var mentions []mention
	seen := make(map[string]bool)
	add := func(address string, at int) {
		address = lowerHost(strings.Trim(address, ".'\"-"))
		if address == "" || own[address] || seen[address] || len(mentions) >= maxRecipients || notReader.MatchString(address) {
			return
		}
		seen[address] = true
		mentions = append(mentions, mention{address, at})
	}
	for _, failed := range p.header["X-Failed-Recipients"] {
		for _, a := range mailAddress.FindAllString(failed, maxRecipients) {
			add(a, max(strings.Index(text, a), 0))
		}
	}
	for range 2 {
		if len(mentions) > 0 {
			break
		}
		for _, at := range mailAddress.FindAllStringIndex(text, maxRecipients) {
			add(text[at[0]:at[1]], at[0])
		}
		if len(mentions) == 0 {
			add(firstAddress(original(r).Get("To")), 0)
		}
		own = nil // somebody who wrote to himself
	}
	var all []ReportRecipient
	for i, m := range mentions {
		end := len(text)
		if i+1 < len(mentions) && mentions[i+1].at > m.at {
			end = mentions[i+1].at
		}
		segment := text[min(m.at, end):end]
		if !saysWhy(segment) {
			segment = text
		}
		one := ReportRecipient{Address: m.address, Action: "failed", Text: clipText(segment)}
		if m := enhancedIn.FindStringSubmatch(segment); m != nil {
			one.Status = m[1]
		}
		if m := codeIn.FindStringSubmatch(segment + " "); m != nil {
			one.Code = m[1]
		}
		all = append(all, one)
	}
	return all
}

func original(r Report) netmail.Header {
	if r.Original == nil {
		return netmail.Header{}
	}
	return r.Original
}

func saysWhy(s string) bool {
	return enhancedIn.MatchString(s) || codeIn.MatchString(s+" ") || len(s) > 80
}

// originalIn reads the header of our mail that stands in a report's text.
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

// lowerHost folds the host of an address, which knows no case (RFC 5321 §2.4).
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
