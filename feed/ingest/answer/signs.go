package answer

import "dibao/internal/lazyregexp"

// Cause is the reason why a page is not accessible.
type Cause string

// The causes. Each has its own advice.
const (
	Script  Cause = "script"  // a script tests the browser
	Puzzle  Cause = "human"   // a person has to solve a puzzle
	Refused Cause = "refused" // a firewall refuses the request or our address
	Login   Cause = "login"   // only users with an account can see it
	Client  Cause = "client"  // only an app or a phone shows it
)

// sign is a trace that a system leaves in pages that it serves instead of the site's own.
// It counts only on a page with hardly any text: the same systems leave traces in pages
// that they let through.
type sign struct {
	system string // its name, in Chinese and English if it has both
	cause  Cause
	trace  *lazyregexp.Regexp
}

// systems say what the page of a system is, by its cause.
var systems = map[Cause]string{Script: "the script challenge of %s", Puzzle: "the puzzle of %s", Refused: "the block page of %s"}

// signs are matched against markup and scripts of a page, in this order.
var signs = []sign{
	{"瑞数 Rivers Security", Script, lazyregexp.New(`\$_ts\b|<(?:meta|script)\b[^>]*\sr=['"]?m['"]?[\s>/]|FSSBBIl1UgzbN7N`)},
	{"加速乐 Knownsec", Puzzle, lazyregexp.New(`/cdn-cgi/js/captcha\.js|本站开启了验证码保护`)},
	{"加速乐 Knownsec", Script, lazyregexp.New(`jsl_clearance|\('j'\)\s*\+\s*\('s'\)\s*\+\s*\('l'\)|\bgo\(\{['"]bts['"]|\{\s*['"]bts['"]\s*:\s*\[`)},
	{"阿里云 Alibaba Cloud acw_sc", Script, lazyregexp.New(`acw_sc__v[23]|\barg1\s*=\s*['"][0-9A-Fa-f]{16,}['"]`)},
	{"阿里云 Alibaba Cloud", Puzzle, lazyregexp.New(`(?i)\bnocaptcha\b|WAF_NC_WRAPPER|aliyunCaptcha|AWSC\.use|_config_\s*=\s*\{[^}]*nc_|punish\.html|x5secdata`)},
	{"阿里云 Alibaba Cloud", Script, lazyregexp.New(`aliyun_?waf_|renderData\b.{0,80}_waf`)},
	{"阿里云 Alibaba Cloud", Refused, lazyregexp.New(`(?i)errors\.aliyun\.com|id=['"]?(?:block_)?traceid\b`)},
	{"Cloudflare", Refused, lazyregexp.New(`(?i)cf-error-details|Attention Required! \| Cloudflare|^\s*error code: 1\d{3}\s*$`)},
	{"Cloudflare", Script, lazyregexp.New(`(?i)cf[-_]chl|challenge-platform|cf-turnstile|cf-browser-verification|cdn-cgi/challenge`)},
	{"AWS", Script, lazyregexp.New(`awsWafCookieDomainList|gokuProps|awswaf\.com`)},
	{"Imperva", Script, lazyregexp.New(`_Incapsula_Resource|Incapsula incident`)},
	{"DataDome", Puzzle, lazyregexp.New(`(?i)captcha-delivery\.com|geo\.datadome`)},
	{"Akamai", Script, lazyregexp.New(`sec-if-cpt-container|/_sec/cp_challenge|bm-verify=`)},
	{"Akamai", Refused, lazyregexp.New(`errors(?:\.|&#46;)edgesuite(?:\.|&#46;)net`)},
	{"PerimeterX", Puzzle, lazyregexp.New(`px-captcha|_pxAppId`)},
	{"Sucuri", Script, lazyregexp.New(`sucuri_cloudproxy_js`)},
	{"DDoS-Guard", Script, lazyregexp.New(`(?i)ddos-guard`)},
	{"腾讯云 Tencent Cloud", Puzzle, lazyregexp.New(`TencentCaptcha|TCaptcha\.js|turing\.captcha|WafCaptcha`)},
	{"腾讯云 EdgeOne", Script, lazyregexp.New(`__tst_status|EO_Bot_Ssid`)},
	{"腾讯云 Tencent Cloud", Refused, lazyregexp.New(`waf\.tencent(?:-?cloud)?\.com|T-Sec|腾讯云Web应用防火墙`)},
	{"极验 GeeTest", Puzzle, lazyregexp.New(`initGeetest|gt_captcha_obj|geetest\.com`)},
	{"reCAPTCHA/hCaptcha", Puzzle, lazyregexp.New(`(?i)\bg-recaptcha\b|\bh-captcha\b|hcaptcha\.com/`)},
	{"雷池 SafeLine", Script, lazyregexp.New(`(?i)safeline|sl-challenge|slg-`)},
	{"宝塔", Script, lazyregexp.New(`(?i)btwaf|_guard/|html_check|宝塔`)},
	{"奇安信/网宿 wzws", Script, lazyregexp.New(`wzwsquestion|wzwschallenge|WZWSREL|waf_zw_verify`)},
	{"奇安信网站卫士", Refused, lazyregexp.New(`(?i)wzws[-_]waf|qaxwaf|wang(?:zhan|shan)\.360|webscan|网站卫士`)},
	{"创宇盾", Refused, lazyregexp.New(`(?i)365cyd|创宇盾|jiasule`)},
	{"安全狗", Refused, lazyregexp.New(`(?i)safedog|网站安全狗`)},
	{"云锁", Refused, lazyregexp.New(`(?i)yunsuo`)},
	{"网防G01", Refused, lazyregexp.New(`网防G01|\bg01\.`)},
	{"玄武盾", Refused, lazyregexp.New(`(?i)dbappwaf|玄武盾`)},
	{"上海云盾", Refused, lazyregexp.New(`(?i)yundun\.com|yundun-?waf`)},
	{"华为云 Huawei Cloud", Refused, lazyregexp.New(`(?i)hwclouds\.com|hws_security`)},
	{"百度云加速", Script, lazyregexp.New(`(?i)yunjiasu-cgi|yjs_use_ob`)},
	{"Anubis", Script, lazyregexp.New(`(?i)anubis_challenge|/\.within\.website/`)},
}

// wording matches what walls with one cause say.
type wording struct {
	cause Cause
	words *lazyregexp.Regexp
	field bool // counts only on a page with a field to type in
}

// says are the words of walls, matched against the title, the lines outside links and,
// unless an app renders the page, the message for browsers without scripts.
var says = []wording{
	{Puzzle, lazyregexp.New(`(?i)(?:拖动|滑动|拖拽|按住|移动)[^。]{0,8}(?:滑块|拼图|按钮|验证)|滑块验证|(?:请|需要?|进行|完成|通过)[^。]{0,10}(?:人机|真人|安全|身份|滑动|图形|行为)?(?:验证|校验)(?:码)?(?:[。，,后以才!！:：]|$)|(?:人机|真人|滑动|点选|图形)验证|验证您?(?:不?是)(?:真人|机器人|人类)|(?:不是|非)机器人|请输入[^。]{0,8}验证码|依次点击|点击图(?:片)?中|按顺序点击|请计算|人工操作|verify (?:that )?(?:you(?:'re| are)|i am) (?:a )?(?:human|not a)|are you (?:a )?(?:human|robot)|prove (?:that )?you|complete the (?:security check|captcha|challenge)|solve the captcha|unusual traffic`), false},
	{Script, lazyregexp.New(`(?i)(?:开启|启用|打开|允许|激活|支持|禁用)(?:了)?[^。]{0,12}(?:java\s*script|js脚本|脚本|cookie)|(?:enable|turn on|requires?|activate)[^.]{0,12}(?:javascript|cookies)|(?:安全|访问|浏览器|环境)(?:验证|检测|检查|校验|检验)|正在(?:进行)?[^。]{0,10}(?:验证|检测|检查|校验)|浏览器(?:版本)?(?:过低|过旧|不(?:受|被)?支持)|(?:升级|更换)[^。，]{0,6}浏览器|checking (?:your browser|if the site connection|the security)|just a moment\b|ddos(?:-| )?(?:protection|guard)|please wait while (?:we|your)[^.]{0,20}(?:verif|check)|browser (?:check|verification|is being)|security (?:check|verification)`), false},
	{Refused, lazyregexp.New(`(?i)(?:访问|请求|操作|连接|提交|行为|IP(?:地址)?|URL)[^。]{0,24}(?:拦截|阻断|阻止|拒绝|被禁|封禁|封锁|屏蔽|受限|限制|禁止|威胁|攻击|频繁|过快|违规|非法|不合法|异常|黑名单|风险)|(?:拦截|阻断|拒绝|禁止|限制|屏蔽)[^。]{0,12}(?:访问|请求|IP)|(?:疑似|恶意|存在)[^。]{0,8}(?:攻击|黑客|扫描|爬虫|请求)|(?:网站|web\s*应用|应用)防火墙|防护(?:系统|规则|平台)|安全(?:策略|规则|防护|网关)|(?:access|request|connection|you)[^.]{0,30}(?:denied|blocked|rejected|forbidden|banned|restricted|not (?:allowed|permitted|acceptable))|(?:denied|blocked|rejected) (?:by|access)|(?:web )?page (?:is |has been )?blocked|(?:web application )?firewall|too many requests|rate limit|\b403 forbidden\b|not acceptable|攻击行为|危险字符|访问(?:的)?(?:次数|人数|量)(?:过多|过大|太多|较多|超)|(?:正在|为您)[^。，]{0,4}排队|(?:网页|页面|网站)被(?:屏蔽|拦截|封禁)|攻击\s*ID|触发[^。，]{0,10}(?:防护|安全|限流)|(?:bot|crawler|spider)s?\b[^.]{0,30}(?:not (?:allowed|permitted)|forbidden|blocked|denied)|IP(?:地址)?[^。，]{0,6}不在|(?:请|需)[^。，]{0,6}\d+\s*(?:秒|分钟|小时)(?:之?后|内)[^。，]{0,4}(?:访问|再试|重试)|您?所在的?(?:地区|国家|区域)[^。]{0,12}(?:无法|不能|不支持|不允许|未开放)|(?:暂?不|无法|不能|暂停|停止)[^。，]{0,4}(?:对|向|为)?[^。，]{0,4}(?:境外|海外|国外)[^。，]{0,10}(?:服务|访问|开放|用户)|(?:仅限?|只允许|只能|(?:请|须|需)(?:使用|通过|连接|切换|在))[^。，]{0,12}(?:内网|外网|校园网|局域网|专网|VPN)|(?:境外|海外|国外)[^。，]{0,8}(?:无法|不能|禁止)|not available in your (?:country|region|location)`), false},
	{Client, lazyregexp.New(`(?i)(?:请|需|须|仅支持|只能|只支持)[^。，,]{0,6}(?:微信|钉钉|支付宝|QQ|小程序|APP|客户端|手机|移动端|扫一扫|扫码)[^。，,]{0,12}(?:打开|访问|查看|浏览)(?:[此该本]?(?:链接|页面|网页|页|内容|网址))?\s*(?:$|[。！!，,；;])`), false},
	{Puzzle, lazyregexp.New(`(?i)(?:输入|填写|键入)[^。，]{0,12}(?:字符|图[中片]|[左右]侧|[上下][图方]|算式|计算结果)|(?:type|enter|input)\b[^.]{0,16}\b(?:characters?|letters|digits|code|text)\b[^.]{0,24}\b(?:image|picture|below|above|shown)`), true},
	{Refused, lazyregexp.New(`(?i)^(?:对不起|抱歉|提示|警告|错误)?[，,：:！!\s]*(?:非法|恶意|无效|违规)的?(?:请求|访问|操作|来源|链接)\s*(?:$|[！!。，,：:])|(?:请勿|禁止)盗链`), false},
	{Login, lazyregexp.New(`(?i)^(?:[^ ]{0,20}[ -|_]*)?(?:统一(?:身份)?认证|单点登录|用户登录|会员登录|账号登录|登录|sign in|log ?in|login)[^ ]{0,8}$|请先(?:登录|登陆)(?:后|再|以|$|[。，！!])|^请(?:登录|登陆)(?:后|再|以|$|[。！!])|登录后[^。，]{0,6}(?:查看|访问|浏览|使用|继续)|(?:登录|会话|身份)(?:已)?(?:超时|过期|失效)|session (?:has )?expired|please (?:log|sign) in`), false},
}

// refusals are the words of an interface that refuses a request, in addition to those of walls.
var refusals = []wording{
	{Login, lazyregexp.New(`(?i)(?:token|令牌|票据|凭证)[^。，]{0,6}(?:失效|无效|过期|不存在|为空|缺失)|(?:invalid|expired|missing) token|token (?:is )?(?:invalid|expired|missing)|未(?:登录|授权)|unauthori[sz]ed|not logged in`), false},
	{Refused, lazyregexp.New(`(?i)(?:非法|违规|异常|恶意|无效|不合法)的?(?:请求|访问|操作|调用|来源)|(?:请求|访问|来源|操作|IP|域名)[^。，]{0,4}(?:非法|不合法|无效|已?过期)|签名[^。，]{0,6}(?:失败|错误|无效|不正确|过期|不匹配)|验签[^。，]{0,4}(?:失败|错误|不通过|未通过)|(?:没有|无)[^。，]{0,4}权限|\b(?:illegal|invalid|forbidden)\s+(?:request|access|sign(?:ature)?|referer|origin|timestamp)\b`), false},
}

// FaultText matches what systems show instead of a page that they can't show.
var FaultText = lazyregexp.New(`(?i)(?:页面|网页|文章|文档|内容|信息|资源|文件|栏目|稿件|链接|地址)[^。，、]{0,14}(?:不存在|已(?:经)?被?(?:发布者|作者|管理员)?(?:删除|移除|下线|屏蔽)|找不到|未找到|无法找到|没有找到|走丢|失效|无法访问|不可访问|出错)|(?:找不到|未找到|没有找到|无法找到)[^。，]{0,12}(?:页面|网页|文件|资源|内容|文章|信息)|` +
	`\b404\b|\b(?:not found|403 forbidden|bad gateway|service unavailable|internal server error|server error in|access denied)\b|HTTP (?:Status|Error)|(?:系统|程序|服务器|网站|参数)[^。，]{0,8}(?:异常|错误|繁忙|出错|维护中|升级中|无响应)|出错(?:了|啦)|(?:错误|异常)(?:信息|提示|页面|代码)|请求(?:的)?(?:资源|地址|页面)|数据库(?:连接)?(?:错误|失败)|ORA-\d{4,5}|SQL syntax|Whitelabel Error Page|暂无(?:数据|内容|权限)|没有权限|禁止访问|拒绝访问|(?:访问|请求)[^。，]{0,6}被[^。，]{0,4}拦截|当前环境异常|` +
	`\b(?:page|content|article|document)\b[^.]{0,40}(?:(?:could not|can ?not|can't) be found|(?:does not|doesn't|no longer) exists?\b|(?:has been|was) (?:removed|deleted))`)

// maintained matches what sites say during maintenance.
var maintained = lazyregexp.New(`(?:网站|系统|平台|页面|站点|栏目|服务)(?:正在(?:进行)?[^。，]{0,6}(?:升级|维护|改版|建设)|[^。，]{0,6}(?:升级|维护|改版|建设)中\s*(?:$|[。，,!！…])|[^。，]{0,4}(?:升级|维护|改版)$)|(?:网站|系统|平台|栏目)[^。]{0,20}暂停(?:访问|服务)|(?i:under (?:maintenance|construction)|down for maintenance|scheduled maintenance)`)

// noSite matches what servers, hosts and domain dealers show if there is no site.
var noSite = lazyregexp.New(`(?i)(?:没有找到|未找到|找不到)(?:该|对应的?)?(?:站点|网站)|(?:站点|网站)(?:已(?:经)?被?[^。，]{0,8}(?:停止|关闭|暂停)|创建成功|暂时(?:无法|不能)访问)|(?:网站|域名)未[^。，]{0,20}备案|non-compliance icp filing|welcome to (?:nginx|openresty|tengine|centos)|^(?:apache2? [^.]{0,20}default page|it works!?|iis windows server|iis\d)|域名[^。，]{0,8}(?:出售|转让|已过期)|domain (?:name )?(?:is |has )?(?:for sale|expired|parked)`)

// emptyList matches what an empty list says; it is not an error.
var emptyList = lazyregexp.New(`暂无(?:数据|内容|信息|记录)`)

// StackTrace matches the error reports of programs.
var StackTrace = lazyregexp.New(`(?m)\bat [\w$.]+\([\w.]+(?:\.java|\.cs)?(?::\d+)?\)|java\.(?:lang|sql|io|net)\.\w+(?:Exception|Error)|System\.(?:Web|Data|NullReference)\w*|Traceback \(most recent call last\)|Fatal error: .{1,200} on line \d+|org\.(?:apache|springframework)\.\w+`)
