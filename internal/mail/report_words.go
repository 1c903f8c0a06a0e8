package mail

import (
	netmail "net/mail"
	"strings"

	"dibao/internal/lazyregexp"
)

// freeForm finds the readers that a server names in its own words: each with
// the text up to the next.
func (p *reportParser) freeForm(text string, r Report) []ReportRecipient {
	own := map[string]bool{r.To: true, firstAddress(p.get("From")): true, firstAddress(original(r).Get("From")): true}
	type mention struct {
		address string
		at      int
	}
	var mentions []mention
	anybody := false
	seen := make(map[string]bool)
	add := func(address string, at int) {
		address = lowerHost(strings.Trim(address, ".'\"-"))
		if address == "" || own[address] || seen[address] || len(mentions) >= maxRecipients || !anybody && notReader.MatchString(address) {
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
	// If the words announce the readers, what precedes them is not about a reader.
	from := 0
	if at := announced.FindStringIndex(text); at != nil && mailAddress.MatchString(text[at[1]:]) {
		from = at[1]
	}
	addAll := func() {
		for _, at := range mailAddress.FindAllStringIndex(text[from:], maxRecipients) {
			if start := from + at[0]; !ofHeader.MatchString(text[strings.LastIndexByte(text[:start], '\n')+1 : start]) {
				add(text[start:from+at[1]], start)
			}
		}
	}
	if len(mentions) == 0 {
		if m := spokenRecipient.FindStringSubmatchIndex(text); m != nil {
			add(text[m[2]:m[3]], m[2])
		}
	}
	if len(mentions) == 0 {
		addAll()
	}
	if len(mentions) == 0 {
		add(firstAddress(original(r).Get("To")), 0)
	}
	if len(mentions) == 0 { // somebody wrote to themselves, or to a postmaster
		own, anybody = nil, true
		addAll()
		add(firstAddress(original(r).Get("To")), 0)
	}
	var all []ReportRecipient
	for _, m := range mentions {
		segment := about(text, m.address)
		if !saysWhy(segment) {
			segment = text
		}
		if reason := formReason(text); reason != "" && len(mentions) == 1 {
			segment = reason
		}
		one := ReportRecipient{Address: m.address, Action: "failed", Text: clipText(segment), Command: commandIn(segment)}
		one.Status, one.Code = codesIn(segment)
		if len(mentions) == 1 && one.Status == "" && one.Code == "" {
			one.Status, one.Code = codesIn(text)
		}
		if notYet.MatchString(r.Subject) || notYet.MatchString(segment) || len(mentions) == 1 && notYet.MatchString(text) {
			one.Action = "delayed"
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

// startsReader matches what precedes an address at the beginning of a paragraph about it.
var startsReader = lazyregexp.New(`(?i)^[\s<"'*>(\[-]*$|^\s*(?:final-|original-)?(?:recipient|address)[^:\n]{0,20}: *(?:rfc822;)? *<?$`)

// about reduces a server's own words to those about one reader: from the line that names
// the address to the next line that names another.
func about(text, address string) string {
	at := strings.Index(strings.ToLower(text), strings.ToLower(address))
	if at < 0 {
		return text
	}
	start := strings.LastIndexByte(text[:at], '\n') + 1
	rest := text[at+len(address):]
	end := len(rest)
	for _, m := range mailAddress.FindAllStringIndex(rest, maxRecipients) {
		line := rest[strings.LastIndexByte(rest[:m[0]], '\n')+1 : m[0]]
		if !strings.EqualFold(rest[m[0]:m[1]], address) && (m[0] == len(line) || startsReader.MatchString(line)) && len(line) < m[0] {
			end = m[0]
			break
		}
	}
	return text[start : at+len(address)+end]
}

// The forms of reports of Coremail, QQ and Aliyun: the words of the other server in one
// field, the reporter's interpretation in another, and advice that lists every possible
// reason.
var (
	formReply = lazyregexp.New(`(?:英文说明|远程响应|对方回复|服务器返回(?:信息)?|错误信息|Remote response)\s*[:：|]\s*([^\n]+)`)
	formWhy   = lazyregexp.New(`(?s)(?:退信原因|失败原因|Bounce reason)[/\s:：|]*(.*)`)
	formAfter = lazyregexp.New(`(?:建议)?解决方案|解决办法|退信代码|温馨提示|Proposed Solution|Bounce Code|收件人\s+\S+@|远程响应|-{8,}`)
)

// formReason returns what such a form says about the reader: the words of the
// other server in the first line, then the reason; "" if the text does not have
// that form.
func formReason(text string) string {
	m := formWhy.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	why := m[1]
	if at := formAfter.FindStringIndex(why); at != nil {
		why = why[:at[0]]
	}
	why = strings.Join(strings.Fields(why), " ")
	if said := formReply.FindStringSubmatch(text); said != nil {
		return strings.TrimSpace(said[1]) + "\n" + why
	}
	return why
}
