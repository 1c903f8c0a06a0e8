package verdict

import (
	"slices"
	"strings"
)

// provider is a group of domains whose operator publishes what its replies mean.
type provider struct {
	domains []string
	lines   []line
	// listed says that the operator publishes a whole list: what it says besides
	// without an enhanced code is not taken for a mailbox that does not exist.
	listed bool
}

// line is a published reply; code 0 is any. The comment beside it is its meaning.
type line struct {
	code    int
	text    string // begins the reply, or stands in it; any case
	verdict Verdict
}

// QQ is Tencent's list "退信代码说明" (service.mail.qq.com, articles 1000725 to
// 1000736) for incoming mail, and what exmail.qq.com says.
var qqLines = []line{
	{550, "Mailbox not found", gone},                       // 收件人不存在
	{550, "Mailbox unavailable or access denied", unknown}, // 收件人拒收或邮箱不可用: one text for both
	{0, "frequency limited", slower},                       // 连接、域名、IP、发信频率超限
	{0, "Too many", slower},                                // 连接数超限
	{0, "Connection denied", slower},
	{0, "Suspected bounce attacks", ours}, // 疑似退信攻击
	{0, "Suspected spam", slower},         // IP 疑似发送垃圾邮件
	{0, "Mail content denied", ours},      // 内容被拒: the same content is refused again
	{0, "Mail is rejected by recipients", ours},
	{0, "Domain may not exist or DNS check failed", ours}, // 发件域名
	{0, "SPF check failed", ours},
	{0, "Invalid sender", ours},
	{0, "Sender", ours},
	{0, "Message too large", message},
	{0, "Message size", message},
	{0, "Invalid recipient", gone},
	{0, "Access denied", slower},
}

// NetEase's list "企业退信的常见问题" (help.163.com, 退信代码) with the marks of its
// gates: HL (connection), MI (sender), RP (recipients), DT (content), WM, IP.
var neteaseLines = []line{
	{450, "MI:DMC", anew}, // 当前连接发送的邮件数量超出限制: per connection
	{451, "MI:DMC", anew},
	{450, "RP:DRC", anew}, // 当前连接发送的收件人数量超出限制
	{451, "RP:DRC", anew},
	{550, "Invalid User", gone}, // 请求的用户不存在
	{550, "User not found", gone},
	{550, "User suspended", full},    // 请求的用户处于禁用或者冻结状态
	{550, "User in blacklist", ours}, // 该用户不被允许给网易用户发信
	{0, "too much recipient", ours},
	{0, "exceeded mailsize limit", message},
	{552, "Illegal Attachment", message},
	{0, "authentication", ours},
	{0, "auth error", ours},
	{0, "Local user only", ours},
	{0, "no smtp MX only", ours},
	{0, "NULL sender", ours},
	{0, "IP in blacklist", ours},
	{0, "IP is rejected", ours},
	{0, "bad syntax", ours},
}

// Sina's list "新浪邮箱退信代码" (help.sina.com.cn).
var sinaLines = []line{
	{0, "user is locked", later}, // 收件人邮箱被锁定
	{0, "out of allow RCPT numbers", anew},
	{0, "auth error", ours},
	{0, "too many same size mails", ours},
	{0, "looping message", ours},
	{0, "host denies the sender", ours},
	{0, "relay check domain fail", ours},
	{0, "Black mail address", ours},
	{554, "mail address invalid", ours}, // 发件人地址不匹配
	{0, "rbl deny", ours},
	{0, "helohost error", ours},
	{0, "user not exist", gone},
	{0, "user does not exist", gone},
	{0, "no such user", gone},
	{0, "mailbox full", full},
	{0, "quota", full},
}

// Aliyun's list "退信代码" of its enterprise mail (help.aliyun.com).
var aliyunLines = []line{
	{553, `"RCPT TO" mailbox unavailable`, gone},
	{0, "RCPT TO mailbox unavailable", gone},
	{0, "Mailfrom account is a local account", ours},
	{0, "Mailfrom", ours},
	{0, `"MAIL FROM"`, ours},
	{0, "number of RCPT attempts", anew},
	{0, "mailbox is full", full},
	{0, "quota exceed", full},
	{0, "virus infected", ours},
	{0, "Reject by behaviour spam", ours},
	{0, "Reject by content spam", ours},
	{0, "Message too large", message},
}

// Coremail's replies (its product runs at universities, ministries, 139, 21cn).
var coremailLines = []line{
	{0, "Fake sender", ours},
	{0, "sender is rejected", ours},
	{0, "local server don't exists that user", gone},
	{0, "User was not found", unknown},
}

// providers in the order in which they are asked. The first whose domains hold the
// reader's is asked alone; Coremail's sentences are known wherever it runs.
var providers = []provider{
	{domains: []string{"qq.com", "foxmail.com", "vip.qq.com", "exmail.qq.com"}, lines: qqLines, listed: true},
	{domains: []string{"163.com", "126.com", "yeah.net", "188.com", "vip.163.com", "vip.126.com", "netease.com"}, lines: neteaseLines, listed: true},
	{domains: []string{"sina.com", "sina.cn", "vip.sina.com", "sina.com.cn", "51uc.com"}, lines: sinaLines, listed: true},
	{domains: []string{"aliyun.com", "alibaba-inc.com", "taobao.com", "mxhichina.com", "aliyun-inc.com"}, lines: aliyunLines, listed: true},
	{domains: []string{"139.com", "189.cn", "21cn.com", "wo.cn", "sohu.com", "tom.com", "263.net"}, lines: coremailLines, listed: true},
	{lines: coremailLines},
}

// byProvider looks a reply up in the lists of the providers.
func byProvider(r Reply) (Verdict, bool) {
	for _, p := range providers {
		of := slices.Contains(p.domains, r.Domain)
		if p.domains != nil && !of {
			continue
		}
		for _, l := range p.lines {
			if (l.code == 0 || l.code == r.Code) && containsFold(r.Text, l.text) && (l.verdict.Class == Temporary && l.verdict.Close || r.Code/100 == 5) {
				return l.verdict, true
			}
		}
		if of && p.listed && r.Code/100 == 5 && r.Enhanced == "" && goneText.MatchString(r.Text) && !strongPolicy.MatchString(r.Text) && !senderText.MatchString(r.Text) {
			return unknown, true
		}
		if of {
			return Verdict{}, false
		}
	}
	return Verdict{}, false
}

// containsFold reports whether text holds part, in any case of ASCII letters.
func containsFold(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}
