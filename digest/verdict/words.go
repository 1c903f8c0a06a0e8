package verdict

import (
	"strings"

	"dibao/internal/lazyregexp"
)

// words makes one regular expression from many phrases, case-insensitive. In a phrase
// "…" stands for up to 50 characters of the same sentence, and "_" for a space, a
// hyphen or nothing.
func words(phrases ...string) *lazyregexp.Regexp {
	return lazyregexp.NewFunc(func() string {
		parts := make([]string, len(phrases))
		for i, p := range phrases {
			p = strings.ReplaceAll(p, "…", `[^.;\n]{0,50}`)
			parts[i] = strings.ReplaceAll(p, "_", `[ -]?`)
		}
		return `(?i)` + strings.Join(parts, "|")
	})
}

func regexpOr(all ...*lazyregexp.Regexp) *lazyregexp.Regexp {
	return lazyregexp.NewFunc(func() string {
		parts := make([]string, len(all))
		for i, re := range all {
			parts[i] = "(?:" + re.String() + ")"
		}
		return strings.Join(parts, "|")
	})
}

// begins matches the beginning of a reply, which in a report includes its codes.
const begins = `^\W*(?:5\d\d\W+)?(?:5\.\d+\.\d+\W+)?`

const mailboxWords = `(?:user(?:_?(?:name|id))?|mail_box|recipient|addressee|address|account|inbox|local_part)`

// These are phrases of servers whose codes are ambiguous. Each is from a real server.
var (
	// senderText matches replies about the sender of the mail, our host and its
	// names, or our login, although they mention unknown users and hosts.
	senderText = words(
		`\bsender(?:.?s)?\b…(?:address|domain|verif|reject|refus|denied|unknown|not |invalid|black|bad|forged|fake|policy|callout|ip\b|host|spoof)`,
		`(?:invalid|unknown|bad|fake|forged|spoofed|unverified|address of|domain of|denies the|local) sender`, `sender table`, `sender (?:address |domain )?(?:verif|not found|must|is)`,
		`(?:envelope|header)[ -](?:from|sender)`, `\bfrom[ -](?:address|domain|header|field|user)\b`, `return[ -]?path (?:domain|address|not|is|does|invalid|verif)|return address|reverse[ -]?path`, `\bmail_?from\b`, `bad_?mail_?from`,
		`sending (?:user|domain|account|server|host|ip|address|mta|mail server|organi[sz]ation)`, `\byour (?:(?:dns|smtp|mail|sending|source|own|company|local) )?(?:domain|host ?name|host|ip|server|mail server|mta|client|address|account|network|e?mail (?:server|address|domain))\b`,
		`\b(?:smtp|submission|login|relay|tenant|customer) (?:account|user|host)\b`, `\borigin(?:ator|ating)\b|\bsource (?:ip|host|address|domain)\b`,
		`(?:mail|connections?|messages?) from (?:unknown|unresolvable|invalid)`,
		`from (?:your|this|the) (?:host|ip|server|domain|address|network|user|sender)`, `client host|connecting (?:host|ip|server)|\bclient ip\b|(?:local|remote) host ?name`,
		`\bhelo\b|\behlo\b|helohost`, `reverse (?:dns|lookup|name)|\bptr\b|\brdns\b`, `\bspf\b|\bdkim\b|\bdmarc\b|\barc seal`, `dns (?:check|record|lookup)…fail`, `dns check`,
		`callout|call ?back verif|verification failed for`, `valid sender|forward-email txt`, `authenticat|\bauth (?:error|fail)|\bsmtp auth\b|login (?:fail|denied)|must (?:be )?log(?:ged)? ?in`,
		`发[件信](?:人|方|域|地址|帐号|账号|IP|邮箱|服务器|域名)|发送方|寄件(?:人|者)|您的(?:域名|IP|服务器|主机|发信)`,
	)
	// goneText matches words that say that the mailbox or its host does not exist.
	goneText = words(
		mailboxWords+`…\bunknown`, `\bunknown (?:or illegal )?(?:local|alias)`, mailboxWords+`…(?:(?:not|n.t) (?:been )?(?:found|exist|known|listed|valid|recogni[sz]ed|registered|on server)|unrecogni[sz]ed|no longer on)`, mailboxWords+`…(?:does ?n.?t|do ?n.?t|does not|do not|did not|didn.?t|no longer) (?:exist|have)`,
		mailboxWords+`…no such`, mailboxWords+`…\binvalid\b`, mailboxWords+`…\bnon_?existent`, mailboxWords+`…(?:disabled|deactivated|closed|deleted|terminated|cancelled|removed)`,
		`(?:unknown|no such|invalid|non_existent|unrecogni[sz]ed|bad|illegal|deactivated|discontinued|deleted|defunct) (?:destination )?(?:e_?mail )?`+mailboxWords, `\be_?mail (?:address )?(?:does ?n.t|does not|not) exist`, `not a (?:valid|known) `+mailboxWords, `do(?:es)?(?: not|n.?t) exists? (?:that|this|such) `+mailboxWords,
		`(?:unknown|no such|invalid|non_existent) (?:person|name|local|virtual|mail drop|destination)`, `invalid final delivery userid`, `no valid recipients`,
		`no (?:mailbox|such (?:person|one|name|id\b)|(?:user|account|recipient|mail_?box) found|(?:one|account|user|recipient)…by that name)`, `unavailable mail user`, `no (?:mail_?box available for|one with) th`, `n.t handle mail for th(?:at|is) user`, `no longer (?:an employee|on (?:this )?server)`, `not found in ldap`, `unable to find…(?:alias|user)`,
		`destin(?:atario|\.) (?:sconosciuto|errato)|indirizzo inesistente|nie istnieje|nie ma takiego konta|adressat unbekannt`, `not (?:a )?user of this server`, begins+`address rejected\b`, `mail_?box (?:is )?(?:unavailable|not available)`, `not (?:our|a) customer`, `not a member of (?:the |this )?domain`,
		`(?:doesn.?t|does not) have an? (?:\S+ )?account`, `not in (?:my|our|the) (?:user |recipient )?(?:list|table|directory)`, `not in local recipient`, `not listed in`,
		`RecipNotFound|RecipientNotFound|RESOLVER\.ADR`, `(?:unrouteable|unroutable|undeliverable) (?:address|(?:mail )?domain)`, `(?:usuario|usu[áa]rio|destinatari[oa]|utilisateur|destinataire|benutzer|empf[äa]nger|utente)…(?:desconocid[oa]|inv[áa]lid[oa]|inexistente|inconnu|inexistant|unbekannt|sconosciut[oa]|no existe|n[ãa]o existe|n.existe pas)`, `adresse…n.existe pas`, `no such address`, `can.?t find (?:user|recipient)`, `account is unavailable`,
		`(?:host|domain)…(?:not found|does not exist|doesn.?t exist|unknown|not known|lookup fail)`, `unknown recipient domain`, `name or service not known|couldn.?t find any host`,
		`\bnull_?mx\b`, `relevant mx`, `(?:host|domain|server) (?:does|do) not accept (?:any )?(?:e?mail|smtp)|indicated no smtp service`, `has moved|moved (?:to|permanently)|no longer (?:valid|in use|here|at this|accept(?:ing|s)|works|uses)|address (?:has )?changed`,
		`(?:用户|邮箱|信箱|收件人(?:邮件)?|收信人|地址|帐号|账号|帐户|账户|域名|主机)(?:名|地址)?\s*(?:并?不存在|不正确|未找到|没有找到|找不到|无效|未注册|已注销|已被注销|已停用|已被停用|已禁用|已被禁用|已关闭|已删除|错误|已?销户|未开通\S{0,6}邮箱)`,
		`(?:无效|不存在|未知|错误)的?(?:用户|邮箱|信箱|收件人|收信人|收件地址|地址|帐号|账号|帐户|账户|域名)`, `(?:没有|无|查无|未找到|找不到)(?:此|该|这个|这位|对应的?)?(?:用户|邮箱|信箱|收件人|收信人|人|帐号|账号|域名)`,
	)
	// laterText matches words that say that the refusal is temporary.
	laterText = words(`(?:try|retry)(?: again)? later|later again|稍后再?试|稍候再?试`)
	// noMailText matches the words of RFC 7504 and RFC 7505 for a host without mail.
	noMailText = words(`\b(?:no|not|null|never) (?:\w+ ){0,3}(?:e?mail|smtp|mx)\b`)
	// goneRecipient matches words that say that the recipient, and not something else, does
	// not exist.
	goneRecipient = words(`(?:recipient|user|mail_?box)(?: address)?(?: rejected)?:? (?:is )?(?:unknown|not found|does ?n.?t exist|does not exist)`, `unknown (?:recipient|user)\b`, `no such (?:user|recipient)`)
	// certainText matches the words of a server that searched its own directory, or of DNS:
	// Exchange, Notes, IMail, mail.local, Google, Exim, Yahoo, Sendmail.
	certainText = words(
		`recipient name is not recognized|unknown recipient|not listed in (?:the )?(?:public|domino)|^\W*unknown user|invalid final delivery userid|mail\.local: unknown user|unknown local[ -]part|unrouteable (?:(?:mail )?domain|address)|domain name not found|local mailbox <> is unavailable: (?:user not found|account is disabled)`,
		`no valid recipients for this MM|address (?:not|couldn.?t be) found|RESOLVER\.ADR\.(?:\w*NotFound|BadPrimary)|account or domain may not exist|no such user here\W*$|^\W*542 <> rejected|does ?n.?t have an? [\w.]+ account`,
		`indicated no smtp service|relevant mx|recipient address rejected: access denied|host unknown \(authoritative|(?:用户|邮箱|收件人|地址|帐号|账号)不存在|收件人\S{0,12}域名不存在`,
	)
	// vagueText matches words that do not say which host or domain is meant.
	vagueText = words(begins+`(?:unknown|no such|invalid) (?:host|domain)\W*$`, begins+`(?:host|domain) (?:unknown|not found)\W*$`, begins+`user was not found\W*$`)
	// internalText matches a relay's own lookup, which may have failed for any domain.
	internalText = words(begins + `internal\W`)
	// trialText matches words for a temporary failure although the code is about the
	// mailbox.
	trialText = words(`malformed or unexpected name server reply`, `temporar(?:y|ily) (?:fail|unavail|lookup)`)
	// fullText matches words that say that the mailbox exists and is full.
	fullText = words(
		`(?:mail_?box|inbox|quota|storage|account|recipient|user|maildir|message store)…(?:\bfull\b|over_?quota|exceed\w* (?:the |its |their )?(?:\w+ )?(?:quota|storage|limit|space)|out of (?:space|storage)|(?:not enough|insufficient|n.?t have enough|not have enough) (?:space|storage|room))`,
		`over_?quota|over the (?:maximum|allowed) (?:allowed )?(?:mailbox )?(?:quota|size)`, `quota…exceed`, `exceed…quota`, `quota (?:is )?full`, `quota violation`, `mail_?(?:box|folder) (?:size |quota )?(?:limit )?(?:exceed|is full)`, `exhausted…(?:storage|space)`, `zu ?viele mails`, `speicher(?:volumen|platz)…(?:ueber|über|erschöpft|voll)|postfach…voll|bo[iî]te…pleine|(?:buz[oó]n|casilla)…llen[oa]|casella…piena|caixa…cheia`, `(?:insufficient|not enough) (?:system |disk )?(?:storage|space|room)`, `full mail_?box`, `exceeded storage`, `\bquota\b…(?:limit|user)`,
		`(?:邮箱|信箱|空间|容量|配额)(?:已满|已经满|满了|不足|已用完|超限)`, `(?:超出|超过)(?:了)?(?:邮箱|信箱|用户)?(?:的)?(?:容量|配额|空间)`, `(?:邮箱|信箱|收件人)…(?:已满|空间不足|容量不足|超出配额)`,
	)
	// heldText matches words that say that the mailbox exists and accepts nothing at the
	// moment.
	heldText = words(
		`(?:account|mail_?box|user|recipient|address)…(?:suspend\w*|inactive|not activ(?:e|ated)|locked|frozen|on hold|temporarily|expired|restricted|unavailable|limited)`, `inactive (?:account|mail_?box|user)`, `\bsuspended\b`, `not (?:currently )?accepting`,
		`(?:帐号|账号|帐户|账户|邮箱|用户)(?:已被|已|被|处于)?(?:冻结|锁定|暂停|休眠|过期|挂起)`,
	)
	// idleText matches words that say that nobody reads the mailbox. In such a reply,
	// "blocked" does not refer to the email.
	idleText = words(`(?:account|mail_?box|user)…(?:due to|for) inactivity`)
	// filterText matches words that say that a filter of the reader, or of the reader's
	// server, refused the email.
	filterText = words(
		`mail content denied`,
		`recipient preferences|user reject|refuses to receive|only accepting mail from|not accepting any mail|blocked by the recipient|rejected by (?:the )?recipient|due to user rules|bounced address|restricted sms|message filtered`,
		`(?:收件人|收信人|对方|用户)(?:已)?(?:拒收|拒绝接收|设置了?拒收|将\S{0,10}(?:列入|加入)黑名单)`,
	)
	// strongPolicy matches words that say that the email was refused for its content or its
	// origin.
	strongPolicy = words(
		`spam(?:m|s\b|\b|_?like|_?score|_?content|haus|cop|assassin|_?filter|_?trap)`, `\bblock(?:ed|ing|s)?\b`, `block_?list`, `black_?(?:list\w*|ip)`, `deny_?list`, `\bban(?:ned)?\b`, `reputation`, `\b(?:rbl|dnsbl|surbl|uribl|sorbs)\b`,
		`barracuda|cloudmark|proofpoint|sender ?score|senderbase`, `polic(?:y|ies)\b`, `unsolicited`, `excessive`, `\bbulk\b`, `\bjunk\b`, `abus(?:e|ive)`, `malware|virus|phish|malicious|suspicious|suspected`,
		`unauthenticated|not authenticated|authentication (?:required|fail)`, `prohibit|forbidden`, `content…(?:reject|filter|den)`, `(?:poor|low|bad)…(?:score|rating|history)`, `complaints`,
		`(?:message|mail|email)…(?:looks like|contains|considered|classified|identified)`, `(?:blocked|listed) (?:by|at|in|using|on) `, `too many (?:invalid|bad|unknown) (?:recipients|users|addresses)`,
		`垃圾|反垃圾|黑名单|信誉|屏蔽|拦截|阻止|阻断|违规|违反|敏感|策略|病毒|钓鱼|木马|可疑|疑似|广告邮件|恶意|未(?:通过)?认证|反向解析|内容(?:不合规|被拒)|投诉|IP\S{0,4}(?:被)?(?:禁止|限制|封)`,
	)
	// weakPolicy matches words that say that the email was refused, but not that the reader
	// is the reason.
	weakPolicy = words(
		`denied|not (?:allowed|permitted|authori[sz]ed)|unauthori[sz]ed|relay`, `(?:message|mail|e_?mail|connection|client|host|content|transaction)…(?:rejected|refused|not accepted|failed)`, `go away|not welcome`, `\breject(?:ed)?\b|refused`,
		`rfc ?[2-9]\d{3}|header|attachment|encrypt|\btls\b|secur|filter|protect`, `拒绝|拒收|退回|禁止|不允许|不接受|无权|没有权限|不受信任|不被信任`,
	)
	// rateText matches words that say that too many emails arrived at a time.
	rateText = words(
		`\brate\b|rate_limit|throttl|frequen(?:cy|t)`, `too many`, `too fast|too quickly`, `limit…(?:exceed|reach)|exceed…limit`, `\b(?:hour|dai|minute)ly (?:limit|quota)`, `out of allow`,
		`try (?:again|later)|retry later|later again`, `频率|频繁|过快|次数过多|连接数|超过限制|超出限制|达到上限|稍后|稍候|请重试|系统繁忙`,
	)
	// lateText matches words that say that the email could not be handed over in time.
	lateText = words(
		`timed? ?out|connection (?:refused|reset|lost|dropped)|too long|expired|retry time|delayed|giving up|could not be delivered for|has been in the queue|still trying|no route|network|unreachable|temporar(?:y|ily)|\bloop|hop count|too many hops|bad connection|超时|无法连接`,
	)
	greylistText = words(`gr[ae]y_?list`, `postgrey`, `灰名单`)
	sizeText     = words(
		`(?:message|mail|e_?mail|size|content|attachment)…(?:too (?:large|big|long)|exceeds? (?:the )?(?:fixed )?(?:maximum|max|size)|size (?:limit )?exceed)`, `(?:size|length)…exceed`,
		`exceed…(?:size|length)`, `(?:邮件|信件)(?:大小)?(?:过大|太大|超过|超出)`,
	)
	// edgeBlock matches Exchange Online's answer for a recipient that its directory does not
	// know.
	edgeBlock = words(`recipient address(?:es)? rejected ?: access denied`)
	relayText = words(`relay`)

	// qqMark appears only in replies of QQ.
	qqMark      = words(`frequency limited`, `mail\.qq\.com…`+`(?:access denied|suspected|denied)`)
	neteaseMark = lazyregexp.New(`\b(?:HL|MI|RP|DT|SP|WM|IP):[A-Z]{3}\b`)
)
