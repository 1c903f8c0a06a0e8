package policy

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"dibao/policy/hans"
	"dibao/policy/warn"
	"dibao/policy/when"
	"dibao/policy/words"
)

// understanding is the state of understanding one article.
type understanding struct {
	Facts
	e       Evidence
	zone    *time.Location
	title   Title
	issuers []string // issuers above the headline in the text
	hints   []uint64 // hints for each paragraph

	reported bool // its author is a reporter
	after    bool // the by-line follows the text
}

// MaxText is the maximum number of bytes of a text that are read and stored; feed/ingest
// truncates longer ones. The longest law, the Civil Code, has a third of that. Pages,
// feeds, searches and digests load dozens of texts at a time.
const MaxText = 1 << 20

// Understand evaluates the evidence. The same evidence always gives the same facts, on any
// machine and day.
func Understand(e Evidence) Facts {
	u := &understanding{e: e, zone: when.Zone(e.Zone)}
	u.headline()
	u.Paragraphs = cleanParagraphs(e.Paragraphs)
	u.headLabels()
	u.dropHeadline()
	u.completeTitle()
	u.credit()
	u.byline()
	u.identity()
	u.findHints()
	u.issued()
	u.published()
	u.kind()
	u.region()
	u.theme()
	u.audiences()
	u.lifecycle()
	u.deadline()
	u.late()
	u.relativeDates()
	u.citations()
	u.explained()
	u.originals()
	u.summary()
	u.language()
	if !u.IssuedOn.IsZero() && !u.PublishedOn.IsZero() && u.PublishedOn.Before(u.IssuedOn) {
		u.warn("published-before-made", u.PublishedOn, u.IssuedOn)
	}
	if y := numberYearOf(u.DocumentNumber); y > 0 && !u.PublishedOn.IsZero() && y > u.PublishedOn.Year {
		u.warn("number-of-later-year", u.DocumentNumber, u.PublishedOn)
	}
	return u.Facts
}

func (u *understanding) warn(code string, params ...any) {
	u.Warnings = append(u.Warnings, warn.New(code, params...))
}

// headline returns the page's title; if the list's title is a truncated form of it, or
// vice versa, or if there is no other, the longer one counts.
func (u *understanding) headline() {
	title := u.e.Title
	for _, p := range u.e.Meta {
		if strings.EqualFold(p.Name, "ArticleTitle") && p.Content != "" {
			title = p.Content
			break
		}
	}
	if title == "" {
		title = u.e.ListTitle
	}
	if site := u.siteName(); utf8.RuneCountInString(site) >= 4 { // 某市人民政府网——关于…
		if rest, ok := strings.CutPrefix(title, site); ok && strings.HasPrefix(strings.TrimLeft(rest, " "), "——") {
			title = strings.Trim(rest, " —")
		}
	}
	u.title = ParseTitle(title)
	u.Title = u.title.Title
}

// boilerplate matches lines that belong to the page and not to the text; for boilerplateWithin,
// the first words do not matter.
var boilerplate = words.New(`^(?:` + strings.Join([]string{
	// Rows of controls: 【打印本页】【关闭窗口】, 大 中 小, 微博 微信 QQ空间.
	`(?:[【\[（(|｜/\s]*(?:打印|字体|字号|正常|关闭|返回|收藏|纠错|我要纠错|转发|分享|分享到|分享至|分享按钮|保存|举报|点赞|关注|订阅|返回顶部|回到顶部|返回首页|返回列表|TOP|默认|特大|超大|大|中|小|放大|缩小|放大字体|缩小字体|调整字体|` +
		`QQ好友|QQ空间|Qzone|QQ|新浪微博|腾讯微博|微博|微信|微信好友|微信朋友圈|朋友圈|人人网|豆瓣|易信|复制链接|参与互动|评论|留言|图集|听新闻|我要反馈|在看|写留言)(?:本页|本文|窗口|此页|页面|该页)?[】\])）|｜/:：\s]*)+`,
	`(?:(?:正文|全文|原文|附件|图解|图示|一图读懂|解读|政策解读|相关解读|图文解读|文字解读|媒体解读|政策问答|相关文件|政策原文)[｜|/\s]*){2,}`, // tabs
	`(?:微信|用微信|手机|请)?扫(?:一扫|描|码)(?:.{0,16}(?:码|机|微信|看|读|览|享|注|载|APP|app|开|入).{0,16})?`,
	`[（(【\[]?\s*(?:责任?编辑|责编|编辑|网络编辑|值班编辑|文字编辑|见习编辑|审核|审校|校对|编审|监制|美编|终审|初审|复审|[一二三]审)\s*[:：/].{0,24}`,
	`(?:浏览|阅读|访问|查看)(?:次数|量|数)?\s*[:：]?\s*\d{0,9}\s*次?|点击.{0,10}\d+.{0,4}|\+1`,
	`相关(?:链接|文章|阅读|稿件|附件|新闻|报道)[:：]?`, `(?:延伸|推荐|相关)阅读[:：]?`,
	`(?:点击)?下载.{0,8}客户端`, `独家抢先看`, `阅读全文.{0,12}`, `(?:点击)?(?:查看|阅读|加载)更多.{0,4}`, `展开全文`, `(?:共|已有)?\d+\s*(?:条|人)(?:评论|参与).*`,
	`(?:[TA]\s*[+＋-]?\s*){2,4}`, `[TA]\s*[+＋]\s*[-－]`,
	`- THE END -`, `作者(?:的)?(?:最新|其他|更多|热门)(?:文章|作品)`, `[（(]?(?:微信|手机|二维码|扫码|扫描)+(?:分享|查看|阅读|浏览)[）)]?`, `[■□◎◆●▲★]\s*本[报刊网]\p{Han}{0,4}评论员`, `(?:正在|努力)*加载中.{0,8}`, `图片均?(?:来自|来源于?|源自|源于)(?:互联)?网络?.{0,20}`, `转载请注明.{0,24}`, `点击进入.{0,24}[>＞»]+`, `返回\p{Han}{2,8}首页[>＞»]*`,
	`[（(]?(?:本文)?原(?:标题|题)为?\s*[:：]?\s*《.{1,36}》[）)]?`, `(?:安装|下载|打开)\p{Han}{2,12}客户端.{0,24}`, `点击右上角.{0,20}`, `(?:语音)?播报文章.{0,12}`, `(?:请|选择)*在(?:手机)?浏览器中?打开.{0,10}`, `(?:欢迎|敬请|请)?(?:扫码)?关注.{0,16}(?:公众号|微信|微博|视频号).{0,12}`, `\d{2}:\d{2}\s*/\s*\d{2}:\d{2}.{0,30}`, `您的浏览器不支持.{0,20}`, `分享让更多人看到`, `(?i)(?:Play|Pause|Replay) ?(?:Video)?|Video Player is loading\.?|Loaded: .{0,20}`,
	`如果您?无法在线(?:浏览|查看)此?.{0,16}`, `下载.{0,24}PDF\)? ?阅读器.{0,16}`, `下载此 ?PDF ?(?:文件|文档)`, `核发\s?[:：].{0,36}`, `发表评论|我来说两句.{0,12}|我要评论`, `今日推荐`, `共找到\s*[\d,]+\s*个相关新闻\.?`,
	`(?i)(?:(?:PDF|Word|WPS|OFD|DOCX?)(?:版|文档|文件|格式)?下载\s*)+`, `第\s*\d+\s*页\s*[/／]?\s*共?\s*\d+\s*页.{0,24}`,
}, "|") + `)$`)

var boilerplateWithin = words.New(`^(?:` + strings.Join([]string{
	`\p{Han}{2,6}编辑\s*[|｜丨]\s*\p{Han}{2,4}`,
	`.{0,8}客户端下载`,
	`.{0,40}(?:下载|加入|扫码|关注).{0,12}(?:APP|App|公众号|视频号|LINE|Telegram).{0,30}`,
	`.{0,12}(?:(?:登录|注册|订阅|付费|购买|开通会员|成为会员|解锁)后?[，,]?(?:即可|才能|方可|可以?|以)?(?:继续)?(?:查看|阅读|浏览|观看|解锁)(?:更多|全文|全部|剩余|完整|本文)?.{0,8}|(?:还剩|剩余)\s?\d{1,2}%.{0,16}|(?:会员|付费|订阅|登录)(?:用户)?(?:专享|专属|可见|可读)内?容?.{0,18})`,
	`.{0,8}(?:微信)?公众号`,
	`.{0,12}扫描.{0,12}二维码.{0,30}`,
	`.{2,8}官方微信.{0,30}`,
	`.{0,4}资讯请关注.{0,16}`,
}, "|") + `)$`)

// notices match lines of boilerplate that continue with other words.
var notices = words.New(`^(?:返回\p{Han}{2,6}[，,]\s*查看更多|点击(?:查看|阅读|收听|观看)[^。；，：:]{0,10}[:：]|[（(【\[]?(?:本文)?原(?:标题|题)为?\s*[:：《]|安装.{2,8}客户端.{0,40}下载地址|[上下]一[篇条页]|(?:版权|免责|特别)声明|[^。；，]{2,30}(?:专稿|独家稿件?|原创)[，,]\s?未经.{0,30}转载|(?:本网站?|本站|本报|本刊|本文|未经)[^。]{0,30}(?:授权|许可|转载|版权)[^。]{0,40}(?:转载|使用|利用|传输|改编|所有)|[^。；，]{0,40}(?:点我|点此|立即|扫码)(?:下载|加入|关注)|标签\s*[:：]|关键字\s*[:：]|[【\[]?(?:选择)?(?:字号|字体)|(?:您?的?(?:当前|现在|所在)的?)?位置[:：])`)

// noticeFinder finds words, one of which every such line contains.
var noticeFinder = words.NewFinder(strings.Fields(`返回 点击 原标题 原题 下载地址 一篇 一条 一页 声明 标签 关键字 字号 字体 位置 授权 许可 转载 版权 点我 点此 立即 扫码
		聲明 標籤 關鍵字 字號 字體 授權 許可 轉載 版權 點我 掃碼`)...)

// Maximum length of a line of boilerplate, in characters.
const (
	maxBoilerplate = 40
	maxNotice      = 80
)

// IsBoilerplate reports whether a line of a page is a control, a counter or the
// name of an editor, and not part of a text.
func IsBoilerplate(line string) bool {
	n := utf8.RuneCountInString(line)
	if n >= maxNotice || step.MatchString(line) {
		return false
	}
	if n >= maxBoilerplate && !noticeFinder.In(line) {
		return false
	}
	line = hans.Simplify(line)
	return notices.MatchString(line) || n < maxBoilerplate && !strings.Contains(line, "。") && (boilerplate.MatchString(line) || boilerplateWithin.MatchString(line))
}

// step matches the beginning of a line in a list of steps: 1.先扫二维码.
var step = words.New(`^(?:步骤|[（(]?\d{1,2}[）).、．])`)

// caption matches the line under a picture: it says who took or lent the picture, or what
// it shows.
var caption = words.New(`(?:[\s（(）)/／|｜]|^)\p{Han}{0,12}[\s:：]?\p{Han}{2,4}[\s/／]?[摄攝](?:影)?[）)。]?(?:\s?[\d年月日]{4,12})?$|(?:供图|供圖|图片来源|圖片來源|资料图片?|資料圖片?|图源|视觉中国|新华社发|本报资料)[^，。]{0,16}[）)]?$|^(?:图片来源|图源|供图)[:：][^。]{2,40}$|^(?:[上下左右]?图[为注说]?[：:]|[上下左右]?图为|圖為|圖：|资料图)|(?i)(?:[\[(（]\s*(?:file )?photos?\b[^\])）]{0,60}[\])）]|\bphotos? (?:by|courtesy)\b.{0,40})\.?$`)

// wroteText matches a line that also names the author of the text: 王样/文 受访者供图.
var wroteText = words.New(`\p{Han}[/／]文|文[/／]\p{Han}`)

// maxCaption is the maximum length of a caption, in characters.
const maxCaption = 120

// isCaption reports whether a paragraph is the line under a picture.
func isCaption(p string) bool {
	return utf8.RuneCountInString(p) <= maxCaption && caption.MatchString(p) && !wroteText.MatchString(p)
}

// backLink matches the end of the last line of a page: 返回某网，查看更多.
var backLink = words.New(`\s*返回\p{Han}{2,6}[，,]\s*查看更多$`)

// cleanParagraphs removes boilerplate and captions; it keeps the captions of a story told in
// pictures, which are its text.
func cleanParagraphs(all []string) []string {
	var out, plain []string
	for _, p := range all {
		p = strings.TrimSpace(backLink.ReplaceAllString(strings.ReplaceAll(p, `\`, ""), ""))
		if p == "" || IsBoilerplate(p) {
			continue
		}
		out = append(out, p)
		if !isCaption(p) {
			plain = append(plain, p)
		}
	}
	if len(out) > 2*len(plain) {
		return out
	}
	return plain
}

// identity finds number and issuers: labeled values, or else the title, or else the issuer
// that runs the source.
func (u *understanding) identity() {
	for _, l := range u.e.Labels {
		switch squeeze(l.Name) {
		case "发文字号", "公文字号", "文件编号", "文件字号", "公文编号", "发布文号", "发文文号", "文件号", "文号", "字号":
			if l.Value == "" || u.DocumentNumber != "" {
				continue
			}
			n, ok := ParseNumber(l.Value)
			if !ok && cleanCredit(l.Value) != "" {
				u.warn("number-not-understood", l.Value)
			}
			u.DocumentNumber = n
		case "发文机关", "制发机关", "发布机关", "发布机构", "发文单位", "发布单位", "制定机关", "公布机关", "发文机构":
			if u.Issuers == nil && cleanCredit(l.Value) != "" {
				u.Issuers = splitIssuers(l.Value)
			}
		case "主题分类":
			if u.Theme == "" {
				u.Theme = strings.TrimSpace(strings.Trim(l.Value, "- ")) // 其他 is a theme, too
			}
		case "索引号", "索引编号", "信息索引号", "信息索引", "索引码":
			if u.IndexNumber == "" {
				u.IndexNumber = cleanCredit(squeeze(l.Value))
			}
		case "有效性", "时效性", "文件状态", "效力状态", "时效状态":
			if u.Marker == "" {
				u.Marker = cleanCredit(l.Value)
			}
		}
	}
	if u.DocumentNumber == "" {
		u.DocumentNumber = u.title.Number
	}
	u.order()
	u.numberLine()
	if u.Issuers == nil || len(u.title.Issuers) > len(u.Issuers) && !slices.ContainsFunc(u.Issuers, func(short string) bool {
		return !slices.ContainsFunc(u.title.Issuers, func(full string) bool { return strings.HasSuffix(full, short) })
	}) { // a register often names only the first of several
		u.Issuers = u.title.Issuers
	}
	if len(u.Issuers) == 0 {
		u.Issuers = u.issuers
	}
	if form := typeOfNumber(u.DocumentNumber); form != "" && len(u.Issuers) == 0 {
		issuer, _, _ := strings.Cut(u.DocumentNumber, form)
		if issuer == "国" && form == "令" {
			issuer = "国务院"
		}
		if namesIssuers(issuer) || issuer == "国务院" {
			u.Issuers = splitIssuers(issuer)
		}
	}
	u.Type = u.title.Type
	if u.Marker == "" {
		u.Marker = u.title.Marker
	}
}

// signed takes the issuers from the signature (落款), or else the issuer that runs the
// source. If they differ, the text's own count.
func (u *understanding) signed() {
	u.Issuers = signers(u.Paragraphs)
	source := u.e.Issuer
	switch {
	case source == "" || u.Kind != KindDocument && u.Issuers == nil:
	case u.Issuers == nil, len(u.Issuers) == 1 && strings.HasSuffix(source, u.Issuers[0]):
		u.Issuers = []string{source}
	case !slices.ContainsFunc(u.Issuers, func(s string) bool {
		return strings.HasSuffix(s, source) || strings.HasSuffix(source, s) || u.partOf(s, source)
	}):
		u.warn("signed-by-other", strings.Join(u.Issuers, "、"), source)
	}
}

// photographed reports whether a line under a picture names the photographer.
func (u *understanding) photographed() bool {
	for _, p := range u.e.Paragraphs[:min(len(u.e.Paragraphs), 6)] {
		if utf8.RuneCountInString(p) < 40 && photographer.MatchString(p) {
			return true
		}
	}
	return false
}

// governmentEnd matches the end of the name of a body that makes policy, as opposed to a
// medium or an institute.
var governmentEnd = words.New(`^\p{Han}{2,30}(?:部|委员会|委|局|厅|署|国务院|办公室|政府)$`)

func isLegislation(form string) bool {
	switch form {
	case "条例", "办法", "规定", "细则", "规则", "法", "令", "公告", "通告", "通知", "决定", "方案", "规划", "意见":
		return true
	}
	return false
}

// language returns the language of the text; the page's declared language counts only if
// the script does not show it.
func (u *understanding) language() {
	text := u.Title + strings.Join(u.Paragraphs[:min(3, len(u.Paragraphs))], "")
	switch {
	case isChinese(text):
		u.Language = "zh"
	case u.e.Language != "" && !strings.HasPrefix(strings.ToLower(u.e.Language), "zh"):
		u.Language = u.e.Language
	case strings.TrimSpace(text) != "":
		u.Language = "en"
	}
}
