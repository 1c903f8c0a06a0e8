package answer

import "dibao/internal/lazyregexp"

// Cause is what is in the way of a page.
type Cause string

// The causes. Each has advice of its own.
const (
	Script  Cause = "script"  // a script tests the browser
	Human   Cause = "human"   // somebody has to solve a puzzle
	Refused Cause = "refused" // a firewall refuses the request or our address
	Login   Cause = "login"   // it is shown to those who have an account
)

// sign is a trace that a system leaves in pages that it serves in place of a
// site's own. It counts only on a page with hardly any text: the same systems
// leave traces in pages that they let through.
type sign struct {
	name  string
	cause Cause
	trace *lazyregexp.Regexp
}

// signs are matched against markup and scripts of a page, in this order.
var signs = []sign{
	{"a script challenge of 瑞数 (Rivers Security)", Script, lazyregexp.New(`\$_ts\b|<(?:meta|script)\b[^>]*\sr=['"]?m['"]?[\s>/]|FSSBBIl1UgzbN7N`)},
	{"a script challenge of 加速乐 (Knownsec)", Script, lazyregexp.New(`jsl_clearance|\bgo\(\{['"]bts['"]|\{\s*['"]bts['"]\s*:\s*\[`)},
	{"a script challenge of Alibaba Cloud (acw_sc)", Script, lazyregexp.New(`acw_sc__v[23]|\barg1\s*=\s*['"][0-9A-Fa-f]{16,}['"]`)},
	{"a slider of Alibaba Cloud", Human, lazyregexp.New(`(?i)\bnocaptcha\b|aliyunCaptcha|AWSC\.use|_config_\s*=\s*\{[^}]*nc_|punish\.html|x5secdata|renderData\b.{0,80}_waf|aliyun_waf`)},
	{"a page of the firewall of Alibaba Cloud", Refused, lazyregexp.New(`(?i)errors\.aliyun\.com|id=['"]?(?:block_)?traceid\b`)},
	{"a challenge of Cloudflare", Script, lazyregexp.New(`(?i)cf[-_]chl|challenge-platform|cf-turnstile|cf-browser-verification|cdn-cgi/challenge`)},
	{"a page of the firewall of Cloudflare", Refused, lazyregexp.New(`(?i)cf-error-details|Attention Required! \| Cloudflare`)},
	{"a script challenge of AWS", Script, lazyregexp.New(`awsWafCookieDomainList|gokuProps|awswaf\.com`)},
	{"a challenge of Imperva", Script, lazyregexp.New(`_Incapsula_Resource|Incapsula incident`)},
	{"a challenge of DataDome", Human, lazyregexp.New(`(?i)captcha-delivery\.com|geo\.datadome`)},
	{"a challenge of Akamai", Script, lazyregexp.New(`sec-if-cpt-container|/_sec/cp_challenge|bm-verify=`)},
	{"a challenge of PerimeterX", Human, lazyregexp.New(`px-captcha|_pxAppId`)},
	{"a script challenge of Sucuri", Script, lazyregexp.New(`sucuri_cloudproxy_js`)},
	{"a slider of Tencent Cloud", Human, lazyregexp.New(`TencentCaptcha|TCaptcha\.js|turing\.captcha|WafCaptcha`)},
	{"a puzzle of GeeTest", Human, lazyregexp.New(`initGeetest|gt_captcha_obj|geetest\.com`)},
	{"a puzzle (reCAPTCHA or hCaptcha)", Human, lazyregexp.New(`(?i)\bg-recaptcha\b|\bh-captcha\b|hcaptcha\.com/`)},
	{"a script challenge of SafeLine (长亭雷池)", Script, lazyregexp.New(`(?i)safeline|/\.safeline/|sl-challenge|slg-`)},
	{"a script challenge of 宝塔", Script, lazyregexp.New(`(?i)btwaf|_guard/|html_check|宝塔`)},
	{"a page of a firewall (创宇盾, 安全狗, 云锁, 网防G01, 奇安信)", Refused, lazyregexp.New(`(?i)wzws[-_]|wzwschallenge|safedog|yunsuo|网防G01|g01\.|qaxwaf|365cyd|yundun-?waf|wangzhan\.360|webscan`)},
	{"a script challenge of Anubis", Script, lazyregexp.New(`(?i)anubis_challenge|/\.within\.website/`)},
}

// says are the words of walls, matched against the title, the lines outside
// links and, unless an app renders the page, the message to browsers without
// scripts.
var says = []sign{
	{"", Human, lazyregexp.New(`(?i)(?:拖动|滑动|拖拽|按住|移动)[^。]{0,8}(?:滑块|拼图|按钮|验证)|滑块验证|(?:请|需要?|进行|完成|通过)[^。]{0,10}(?:人机|真人|安全|身份|滑动|图形|行为)?(?:验证|校验)(?:码)?(?:[。，,后以才!！:：]|$)|(?:人机|真人|滑动|点选|图形)验证|验证您?(?:不?是)(?:真人|机器人|人类)|(?:不是|非)机器人|请输入[^。]{0,8}验证码|verify (?:that )?(?:you(?:'re| are)|i am) (?:a )?(?:human|not a)|are you (?:a )?(?:human|robot)|prove (?:that )?you|complete the (?:security check|captcha|challenge)|solve the captcha|unusual traffic`)},
	{"", Script, lazyregexp.New(`(?i)(?:开启|启用|打开|允许|激活|支持|禁用)(?:了)?[^。]{0,12}(?:java\s*script|js脚本|脚本|cookie)|(?:enable|turn on|requires?|activate)[^.]{0,12}(?:javascript|cookies)|(?:安全|访问|浏览器|环境)(?:验证|检测|检查|校验|检验)|正在(?:进行)?[^。]{0,10}(?:验证|检测|检查|校验)|checking (?:your browser|if the site connection|the security)|just a moment\b|ddos(?:-| )?(?:protection|guard)|please wait while (?:we|your)[^.]{0,20}(?:verif|check)|browser (?:check|verification|is being)|security (?:check|verification)`)},
	{"", Refused, lazyregexp.New(`(?i)(?:访问|请求|操作|连接|提交|行为|IP(?:地址)?|URL)[^。]{0,24}(?:拦截|阻断|阻止|拒绝|被禁|封禁|封锁|屏蔽|受限|限制|禁止|威胁|攻击|频繁|过快|违规|非法|不合法|异常|黑名单|风险)|(?:拦截|阻断|拒绝|禁止|限制|屏蔽)[^。]{0,12}(?:访问|请求|IP)|(?:疑似|恶意|存在)[^。]{0,8}(?:攻击|黑客|扫描|爬虫|请求)|(?:网站|web\s*应用|应用)防火墙|防护(?:系统|规则|平台)|安全(?:策略|规则|防护|网关)|(?:access|request|connection|you)[^.]{0,30}(?:denied|blocked|rejected|forbidden|banned|restricted|not (?:allowed|permitted|acceptable))|(?:denied|blocked|rejected) (?:by|access)|(?:web )?page (?:is |has been )?blocked|(?:web application )?firewall|too many requests|rate limit|\b403 forbidden\b|not acceptable|攻击行为|危险字符`)},
	{"", Login, lazyregexp.New(`(?i)^(?:[^ ]{0,20}[ -|_]*)?(?:统一(?:身份)?认证|单点登录|用户登录|会员登录|账号登录|登录|sign in|log ?in|login)[^ ]{0,8}$|请先?(?:登录|登陆)(?:后|再|以|$|[。！!])|(?:登录|会话|身份)(?:已)?(?:超时|过期|失效)|session (?:has )?expired|please (?:log|sign) in`)},
}

// FaultText is what systems write in the place of a page that they can't show.
var FaultText = lazyregexp.New(`(?i)(?:页面|网页|文章|内容|信息|资源|文件|栏目|稿件|链接|地址)[^。，、]{0,14}(?:不存在|已(?:经)?被?(?:删除|移除|下线)|找不到|未找到|无法找到|没有找到|走丢|失效|无法访问|不可访问|出错)|(?:找不到|未找到|没有找到|无法找到)[^。，]{0,12}(?:页面|网页|文件|资源|内容|文章|信息)|` +
	`\b404\b|\b(?:not found|403 forbidden|bad gateway|service unavailable|internal server error|server error in|access denied)\b|HTTP (?:Status|Error)|(?:系统|程序|服务器|网站)[^。，]{0,8}(?:异常|错误|繁忙|出错|维护中|升级中|无响应)|出错(?:了|啦)|(?:错误|异常)(?:信息|提示|页面|代码)|请求(?:的)?(?:资源|地址|页面)|数据库(?:连接)?(?:错误|失败)|ORA-\d{4,5}|SQL syntax|Whitelabel Error Page|暂无(?:数据|内容|权限)|没有权限|禁止访问|拒绝访问`)

// noSite is what servers, hosts and dealers of domains show where there is no site.
var noSite = lazyregexp.New(`(?i)(?:没有找到|未找到|找不到)(?:该|对应的?)?(?:站点|网站)|(?:站点|网站)(?:已(?:经)?被?[^。，]{0,8}(?:停止|关闭|暂停)|创建成功|暂时(?:无法|不能)访问)|(?:网站|域名)未[^。，]{0,20}备案|non-compliance icp filing|welcome to (?:nginx|openresty|tengine|centos)|^(?:apache2? [^.]{0,20}default page|it works!?|iis windows server|iis\d)|域名[^。，]{0,8}(?:出售|转让|已过期)|domain (?:name )?(?:is |has )?(?:for sale|expired|parked)`)

// emptyList is what a list says that holds nothing; it is not a fault.
var emptyList = lazyregexp.New(`暂无(?:数据|内容|信息|记录)`)

// StackTrace is how programs report their faults.
var StackTrace = lazyregexp.New(`(?m)\bat [\w$.]+\([\w.]+(?:\.java|\.cs)?(?::\d+)?\)|java\.(?:lang|sql|io|net)\.\w+(?:Exception|Error)|System\.(?:Web|Data|NullReference)\w*|Traceback \(most recent call last\)|Fatal error: .{1,200} on line \d+|org\.(?:apache|springframework)\.\w+`)
