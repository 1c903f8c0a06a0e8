package digest

import (
	"regexp"
	"strings"
)

// words makes one expression of many phrases, any case. In a phrase «…» stands
// for up to 50 characters of the same sentence, and «_» for a space, a hyphen or
// nothing.
func words(phrases ...string) *regexp.Regexp {
	parts := make([]string, len(phrases))
	for i, p := range phrases {
		p = strings.ReplaceAll(p, "…", `[^.;\n]{0,50}`)
		parts[i] = strings.ReplaceAll(p, "_", `[ -]?`)
	}
	return regexp.MustCompile(`(?i)` + strings.Join(parts, "|"))
}

const mailboxWords = `(?:user(?:name)?|mail_box|recipient|addressee|address|account|inbox|local_part)`

// What servers say where the codes don't. Each phrase was said by a real server.
var (
	// goneText: the mailbox or its host is not there.
	goneText = words(
		mailboxWords+`…\bunknown`, mailboxWords+`…not (?:been )?(?:found|exist|known|listed|valid)`, mailboxWords+`…(?:does ?n.?t|does not|did not|no longer) exist`,
		mailboxWords+`…no such`, mailboxWords+`…\binvalid\b`, mailboxWords+`…\bnon_?existent`, mailboxWords+`…(?:disabled|deactivated|closed|deleted|terminated|cancelled)`,
		`(?:unknown|no such|invalid|non_existent|unrecogni[sz]ed|bad) `+mailboxWords, `not a (?:valid|known) `+mailboxWords,
		`(?:unknown|no such|invalid|non_existent) (?:person|name|local|virtual|mail drop|destination)`,
		`no (?:mailbox|such (?:person|one|name)|(?:one|account|user|recipient) (?:here )?by that name)`, `mail_?box (?:is )?unavailable`, `not (?:our|a) customer`,
		`(?:doesn.?t|does not) have an? (?:\S+ )?account`, `not in (?:my|our|the) (?:user |recipient )?(?:list|table|directory)`, `not in local recipient`,
		`RecipNotFound|RecipientNotFound`, `(?:unrouteable|unroutable|undeliverable) address`, `can.?t find (?:user|recipient)`,
		`(?:unknown|no such|non_existent) (?:host|domain)`, `(?:host|domain)…(?:not found|does not exist|doesn.?t exist|unknown)`,
		`\bnull_?mx\b`, `\bno mx\b`, `(?:host|domain|server) (?:does|do) not accept (?:any )?(?:e?mail|smtp)`, `has moved|moved to|no longer (?:valid|in use|here|at this|accepting|works)`,
		`(?:用户|邮箱|信箱|收件人|收信人|地址|帐号|账号|帐户|账户|域名|主机)(?:名|地址)?(?:并?不存在|不正确|未找到|没有找到|找不到|无效|未注册|已注销|已被注销|已停用|已被停用|已禁用|已被禁用|已关闭|已删除|错误)`,
		`(?:无效|不存在|未知|错误)的?(?:用户|邮箱|信箱|收件人|收信人|收件地址|地址|帐号|账号|帐户|账户|域名)`, `(?:没有|无|查无|未找到|找不到)(?:此|该|这个|这位|对应的?)?(?:用户|邮箱|信箱|收件人|收信人|人|帐号|账号|域名)`,
	)
	// fullText: the mailbox is there and has no room.
	fullText = words(
		`(?:mail_?box|inbox|quota|storage|account|recipient|user|maildir|message store)…(?:\bfull\b|over_?quota|exceed\w* (?:the |its |their )?(?:\w+ )?(?:quota|storage|limit|space)|out of (?:space|storage)|(?:not enough|insufficient) (?:space|storage|room))`,
		`over_?quota`, `quota…exceed`, `exceed…quota`, `quota (?:is )?full`, `(?:insufficient|not enough) (?:system |disk )?(?:storage|space|room)`, `full mail_?box`,
		`(?:邮箱|信箱|空间|容量|配额)(?:已满|已经满|满了|不足|已用完|超限)`, `(?:超出|超过)(?:了)?(?:邮箱|信箱|用户)?(?:的)?(?:容量|配额|空间)`, `(?:邮箱|信箱|收件人)…(?:已满|空间不足|容量不足|超出配额)`,
	)
	// heldText: the mailbox is there and takes nothing at the moment.
	heldText = words(
		`(?:account|mail_?box|user|recipient)…(?:suspended|inactive|not active|locked|frozen|on hold|temporarily|expired|restricted)`, `inactive (?:account|mail_?box|user)`,
		`(?:帐号|账号|帐户|账户|邮箱|用户)(?:已被|已|被|处于)?(?:冻结|锁定|暂停|休眠|过期|挂起)`,
	)
	// strongPolicy: it was refused for what it is or where it comes from.
	strongPolicy = words(
		`spam(?:m|s\b|\b|_?like|_?score|_?content|haus|cop|assassin|_?filter|_?trap)`, `\bblock(?:ed|ing|s)?\b`, `block_?list`, `black_?list`, `deny_?list`, `\bban(?:ned)?\b`, `reputation`, `\b(?:rbl|dnsbl|surbl|uribl|sorbs)\b`,
		`barracuda|cloudmark|proofpoint|sender ?score|senderbase`, `\bpolic(?:y|ies)\b`, `unsolicited`, `\bbulk\b`, `\bjunk\b`, `abus(?:e|ive)`, `malware|virus|phish|malicious|suspicious|suspected`,
		`\bdmarc\b|\bspf\b|\bdkim\b|\barc\b`, `unauthenticated|not authenticated|authentication (?:required|fail)`, `reverse_?dns|\bptr\b|\brdns\b|\bhelo\b|\behlo\b`,
		`prohibit|forbidden`, `content…(?:reject|filter|den)`, `(?:poor|low|bad)…(?:score|rating|history)`, `sender…(?:rejected|denied|refused|verif|not allowed)`, `\bdomain of sender`, `complaints`,
		`(?:message|mail|email)…(?:looks like|contains|considered|classified|identified)`, `(?:blocked|listed) (?:by|at|in|using|on) `,
		`垃圾|反垃圾|黑名单|信誉|屏蔽|拦截|阻止|阻断|违规|违反|敏感|策略|病毒|钓鱼|木马|可疑|疑似|广告邮件|恶意|未(?:通过)?认证|反向解析|内容(?:不合规|被拒)|投诉`,
	)
	// weakPolicy: it was refused, and nothing says that the reader is why.
	weakPolicy = words(
		`denied|not (?:allowed|permitted|authori[sz]ed)|unauthori[sz]ed|relay`, `(?:message|mail|e_?mail|connection|client|host|content)…(?:rejected|refused|not accepted)`, `go away|not welcome`,
		`拒绝|拒收|退回|禁止|不允许|不接受|无权|没有权限|不受信任|不被信任`,
	)
	// rateText: too much at a time.
	rateText = words(
		`\brate\b|rate_limit|throttl|frequen(?:cy|t)`, `too many`, `too fast|too quickly`, `limit…(?:exceed|reach)|exceed…limit`, `\b(?:hour|dai|minute)ly (?:limit|quota)`,
		`try (?:again|later)|retry later|later again`, `频率|频繁|过快|次数过多|连接数|超过限制|超出限制|达到上限|稍后|稍候|请重试|系统繁忙`,
	)
	greylistText = words(`gr[ae]y_?list`, `postgrey`, `灰名单`)
	sizeText     = words(
		`(?:message|mail|e_?mail|size|content)…(?:too (?:large|big|long)|exceeds? (?:the )?(?:fixed )?(?:maximum|max|size)|size (?:limit )?exceed)`, `(?:size|length)…exceed`,
		`exceed…(?:size|length)`, `(?:邮件|信件)(?:大小)?(?:过大|太大|超过|超出)`,
	)
	// edgeBlock is Exchange Online's answer for a recipient that its directory does not know.
	edgeBlock = words(`recipient address rejected: access denied`)
	relayText = words(`relay`, `recipient address rejected`)

	// qqMark is said by nobody else; qqLater by QQ in these words, by others of other things.
	qqMark      = words(`frequency limited`, `mail\.qq\.com…`+`(?:access denied|suspected|denied)`, `^mail content denied`)
	qqLater     = words(`frequen`, `access denied`, `^\W*suspected`, `suspected (?:bounce|spam)`, `频率|频繁`)
	neteaseMark = regexp.MustCompile(`\b(?:HL|MI|RP|DT|SP):[A-Z]{3}\b`)
)
