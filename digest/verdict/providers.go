package verdict

import (
	"slices"
	"strings"
)

// provider is a group of domains whose operator publishes the meanings of its replies.
type provider struct {
	domains []string
	lines   []line
	// listed says that the operator publishes a complete list: other replies
	// without an enhanced code do not count as a mailbox that does not exist.
	listed bool
}

// line is a published reply; code 0 matches any. The comment next to it is its meaning.
type line struct {
	code    int
	text    string // at the beginning of the reply or anywhere in it; case-insensitive
	verdict Verdict
}

// QQ is Tencent's list "退信代码说明" (service.mail.qq.com, articles 1000725 to
// 1000736) for incoming mail, and the replies of exmail.qq.com.
var qqLines = []line{
	{550, "Mailbox not found", gone}, // 收件人不存在
	{550, "The recipient may contain a non-existent account", gone},
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

// NetEase's list "企业退信的常见问题" (help.163.com, 退信代码) with the
// prefixes of its filters: HL (connection), MI (sender), RP (recipients), DT
// (content), WM, IP.
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
	{0, "openrelay check", ours},
	{0, "smtpport check", ours},
	{0, "remote ip check", ours}, // 发信 IP 与 Mail From 地址不一致
	{0, "black ip", ours},        // 发信IP被禁止
	{0, "mail from invalid", ours},
	{0, "sender is unvalidated", ours},
	{0, "host denies relay", ours},
	{0, "relay check", ours},
	{0, "fake router", ours},
	{0, "private list access", ours},
	{0, "anti-spam", ours},
	{0, "Virus found", ours},
	{0, "message is too long", message},
	{0, "attachment is too long", message},
	{550, "mailbox unavailable", gone}, // 邮箱不存在
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

// 263's replies (263企业邮箱在线帮助, 退信对照表).
var net263Lines = []line{
	{0, "user not exist", gone},
	{0, "account does not exist", gone},
	{0, "not our MX service client", gone},
	{0, "mail size limit exceeded", full}, // 信箱超容
	{0, "rcpt handle timeout", later},
	{0, "sending quota exceeded", slower},
	{0, "Spam denied", ours},
	{0, "Content reject", ours},
}

// Coremail's replies (universities and ministries run its product, as do 139
// and 21cn; icoremail.vip, 退信).
var coremailLines = []line{
	{0, "Invalid IP", ours},
	{0, "IP is ", ours},
	{0, "no smtp MX only", ours},
	{0, "NULL sender", ours},
	{0, "Local user only", ours},
	{0, "User in blacklist", ours},
	{0, "User rejected", ours},
	{0, "rcpt is rejected", ours},
	{0, "User suspended", full},
	{0, "User hangup", full},
	{0, "disabled with SMTP service", full},
	{0, "Fake sender", ours},
	{0, "sender is rejected", ours},
	{0, "local server don't exists that user", gone},
	{0, "recipient does not have an account", gone},
	{0, "unavailable mail user", gone},
	{0, "not user of this server", gone},
	{0, "User was not found", unknown},
}

// Gmail's list "Gmail SMTP errors and codes" (support.google.com/a/answer/3726730).
var gmailLines = []line{
	{0, "is receiving mail at a rate", slower}, // ReceivingRatePerm
	{0, "that you tried to reach does not exist", gone},
	{0, "that you tried to reach is disabled", gone},
	{0, "that you tried to reach is inactive", gone},
	{0, "over quota", full},
	{0, "out of storage", full},
	{0, "illegal attachment", ours},
	{0, "message size limit", message},
}

// Outlook.com's list (sendersupport.olc.protection.outlook.com, "Troubleshooting")
// and Exchange Online's "Email non-delivery reports" (learn.microsoft.com).
var outlookLines = []line{
	{0, "mailbox unavailable", gone}, // 550 5.5.0
	{0, "rejected: Access denied", gone},
	{0, "rejected : Access denied", gone},
	{0, "recipient has exceeded their limit", slower}, // 5.2.122
	{0, "sender has exceeded the limit", slower},      // 5.2.121
	{0, "block list", ours},                           // S3140, S3150
	{0, "banned sending IP", ours},
	{0, "required authentication level", ours}, // 5.7.515
}

// Yahoo's list "SMTP error codes" (senders.yahooinc.com/smtp-error-codes). Its
// servers name unknown users after the message.
var yahooLines = []line{
	{0, "This user doesn't have", gone},
	{0, "Not a valid recipient", gone},
	{0, "mailbox is disabled", gone}, // 554.30
	{0, "account has been disabled or discontinued", gone},
	{0, "is no longer valid", gone},
	{0, "mailbox not found", gone},
	{0, "account is over quota", full},
	{0, "Message not allowed", ours}, // PH01, 291, 299
	{0, "[BL2", ours},
	{0, "policy reasons", ours},
}

// yahooMarks appear in replies of Yahoo's servers, whichever domain they serve.
var yahooMarks = []line{
	{0, "account has been disabled or discontinued", gone},
	{0, "mailbox is disabled (554", gone},
	{0, "delivery error: dd Not a valid recipient", gone},
}

// providers in the order in which they are tried. If the domains of one include
// the reader's, only that one is used; Coremail's sentences apply wherever it
// runs.
var providers = []provider{
	{domains: []string{"qq.com", "foxmail.com", "vip.qq.com", "exmail.qq.com"}, lines: qqLines, listed: true},
	{domains: []string{"163.com", "126.com", "yeah.net", "188.com", "vip.163.com", "vip.126.com", "netease.com"}, lines: neteaseLines, listed: true},
	{domains: []string{"sina.com", "sina.cn", "vip.sina.com", "sina.com.cn", "51uc.com"}, lines: sinaLines, listed: true},
	{domains: []string{"aliyun.com", "alibaba-inc.com", "taobao.com", "mxhichina.com", "aliyun-inc.com"}, lines: aliyunLines, listed: true},
	{domains: []string{"263.net", "263.net.cn", "x263.net"}, lines: net263Lines, listed: true},
	{domains: []string{"gmail.com", "googlemail.com"}, lines: gmailLines},
	{domains: []string{"outlook.com", "hotmail.com", "live.com", "msn.com", "live.cn", "hotmail.co.uk", "hotmail.fr"}, lines: outlookLines},
	{domains: []string{"yahoo.com", "yahoo.co.uk", "yahoo.com.cn", "yahoo.cn", "yahoo.com.hk", "yahoo.com.tw", "yahoo.de", "yahoo.es", "yahoo.fr", "yahoo.com.ar", "ymail.com", "rocketmail.com", "aol.com", "sbcglobal.net"}, lines: yahooLines},
	{domains: []string{"139.com", "189.cn", "21cn.com", "wo.cn", "sohu.com", "tom.com"}, lines: coremailLines, listed: true},
	{lines: coremailLines},
	{lines: yahooMarks},
}

// byProvider looks up a reply in the lists of the providers.
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

// containsFold reports whether text contains part, ignoring the case of ASCII letters.
func containsFold(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}
