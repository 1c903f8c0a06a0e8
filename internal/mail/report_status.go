package mail

import (
	"bufio"
	"bytes"
	"net/textproto"
	"slices"
	"strings"
)

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
		r := ReportRecipient{Address: address, Action: strings.ToLower(strings.Fields(h.Get("Action") + " failed")[0]), Text: strings.TrimSpace(decodeWords(diagnostic))}
		if m := enhancedIn.FindStringSubmatch(h.Get("Status")); m != nil {
			r.Status = m[1]
		}
		if r.Text == "" || codeless.MatchString(r.Text) {
			r.Text = strings.TrimSpace(r.Text + " " + lineOf(text, address))
		}
		// The server's own words are more specific than the class that the
		// reporter chose; "expired" often surrounds the last of many refusals.
		said := r.Text
		if i := strings.LastIndexByte(said, '<'); i > 0 && strings.HasPrefix(r.Status, "4.4.") && enhancedIn.MatchString(said[i+1:]) {
			said = said[i+1:]
		}
		status, code := codesIn(said)
		if status != "" {
			r.Status = status
		}
		r.Code = code
		own := text
		if len(p.status) > 2 { // one block is about the message, so there are several readers
			own = about(text, address)
		}
		if r.Status == "" || strings.HasSuffix(r.Status, ".0.0") { // it says nothing
			if inner, _ := codesIn(own); inner != "" {
				r.Status = inner
			}
		}
		if r.Command = commandIn(r.Text); r.Command == "" {
			r.Command = commandIn(own)
		}
		r.Text = clipText(r.Text + "\n" + strings.TrimSpace(own))
		all = append(all, r)
	}
	return all
}

// lineOf returns the line in which a server's own words name a reader and the reason.
func lineOf(text, address string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, address) && codeIn.MatchString(line) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}
