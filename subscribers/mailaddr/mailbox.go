package mailaddr

import "strings"

// mailboxRule says which of a provider's addresses belong to one mailbox.
type mailboxRule struct {
	same   string // the domain for which all of them are counted; "" means their own
	ignore string // characters that are ignored in the local part
	tag    string // the character that begins a tag, which is ignored; "" is +
}

// mailboxRules are for providers whose addresses have more variants than a tag after a plus
// sign. Sources: the help pages of the providers on aliases and dots.
var mailboxRules = map[string]mailboxRule{
	"gmail.com": {ignore: "."}, "googlemail.com": {same: "gmail.com", ignore: "."},
	"icloud.com": {}, "me.com": {same: "icloud.com"}, "mac.com": {same: "icloud.com"},
	"proton.me": {ignore: ".-_"}, "protonmail.com": {same: "proton.me", ignore: ".-_"}, "protonmail.ch": {same: "proton.me", ignore: ".-_"}, "pm.me": {same: "proton.me", ignore: ".-_"},
	"yandex.ru": {ignore: ".-"}, "yandex.com": {same: "yandex.ru", ignore: ".-"}, "ya.ru": {same: "yandex.ru", ignore: ".-"},
	"yahoo.com": {tag: "-"}, "yahoo.com.cn": {tag: "-"}, "yahoo.com.hk": {tag: "-"}, "yahoo.co.jp": {tag: "-"}, "yahoo.co.uk": {tag: "-"}, "ymail.com": {tag: "-"},
	"fastmail.com": {}, "fastmail.fm": {}, "messagingengine.com": {},
}

// userDomains are domains whose subdomains are users: x@user.fastmail.com reaches
// user@fastmail.com.
var userDomains = []string{"fastmail.com", "fastmail.fm"}

// MailboxOf returns the same name for all addresses of a mailbox, as far as the rules of
// its provider are known; for others, such as qq.com, 163.com and outlook.com, it removes a
// tag after a plus sign. It is only for limits: it never identifies readers.
func MailboxOf(address string) string {
	local, domain, _ := strings.Cut(Key(address), "@")
	for _, d := range userDomains {
		if user, ok := strings.CutSuffix(domain, "."+d); ok {
			local, domain = user, d
		}
	}
	rule := mailboxRules[domain]
	if rule.tag != "" {
		local = cutTag(local, rule.tag)
	}
	local = cutTag(local, "+")
	local = strings.Map(func(r rune) rune {
		if strings.ContainsRune(rule.ignore, r) {
			return -1
		}
		return r
	}, local)
	if rule.same != "" {
		domain = rule.same
	}
	return local + "@" + domain
}

// cutTag removes a tag; a local part that begins with the sign has none.
func cutTag(local, sign string) string {
	if i := strings.Index(local, sign); i > 0 {
		return local[:i]
	}
	return local
}
