package call

import (
	"strings"

	"dibao/policy/words"
)

// kinds are recognized by the words of titles; the first that matches counts.
var kinds = []struct {
	kind  Kind
	words *words.Regexp
}{
	{"", words.New(`^(?:关于)?(?:撤销|撤回|取消)[^。]*征求意见|(?:中标|成交|采购结果|流标|废标|终止)[^。]{0,10}(?:公告|公示)?$|^[^《]*(?:解读|解答|问答|常见问题|答记者问|综述|喜获|荣获)[^》]*$|^[^《]*(?:举办|召开)[^》]*[^》知告事函]$|(?:立项|认定|评选|评奖|获奖|评审)结果的通知$|公布[^》]*(?:结果|名单)[^》示]*$`)},
	{KindConsultation, words.New(`征求[^的]*意见|征求意见|征询意见|意见建议|》[^》]{0,12}意见的(?:通知|公告|函|通告)`)},
	{KindObjection, words.New(`公示`)},
	{KindCollection, words.New(`(?:专家|供应商|案例|作品|建议|线索)[^,。]{0,4}(?:征集|招募)|(?:征集|招募)[^《]{0,30}专家(?:库)?(?:成员)?的?(?:公告|通知|启事|通告)?$`)},
	{KindIntention, intends},
	{KindTender, words.New(`招标|采购|磋商|询价|比选|竞价`)},
	{KindCollection, words.New(`征集|征文|征稿|招募|征件`)},
	{KindApplication, words.New(`申报|申请|申领|申办|兑现|认定|评价|报名|补贴|贴息(?:[^资]|$)|补助|资助|奖励|扶持|填报|报送|受理|招生|招聘|统计调查|入库(?:的?通知|工作)|(?:等级|社会组织)评估|复议|提交[^,。]{0,20}(?:申报|申请|复议|项目)材料的?通知`)},
	{KindSelection, words.New(`评选|评奖|推荐|遴选|选拔|大赛|竞赛|比赛|选聘|评审|评定|提名工作|候选人[^,。]{0,8}提名|提名的?(?:通知|公告)`)},
}

// ruled matches titles of rules and of reports.
var ruled = words.New(`(?:印发|发布|公布)《|(?:办法|细则|规定|条例|规则|规划|纲要|方案|意见)(?:\(试行\)|\(暂行\))?(?:的通知)?$`)

// kindOf returns the kind of call that a title makes, "" for none.
func kindOf(title string) Kind {
	for _, k := range kinds {
		if k.words.MatchString(title) {
			if k.kind != KindConsultation && k.kind != KindObjection && ruled.MatchString(title) && !asksToo.MatchString(title) {
				return ""
			}
			return k.kind
		}
	}
	return ""
}

var (
	asksToo = words.New(`申报|征集|遴选|评选|报名|招标|采购`)

	forwarded = words.New(`转发[^《]{0,30}《([^《》]{4,120})》`)
	bracketed = words.New(`^【[^】]*】`)
	enclosed  = words.New(`^【([^】]*)】$`)
	// opening matches the words before a subject: the issuer, and what is done with the
	// subject.
	opening = words.New(`^(?:(?:进一步|继续|认真)?(?:做好|开展|受理|组织开展|组织|启动|发布|组织做好|公开|面向社会|向社会|社会|各界|再次|延长|抓好|切实|全力|下达|印发|发放|兑现|参加(?:\p{Han}{2,20}(?:举办|主办|组织)的)?)+(?:《?关于)?)`)
	asking  = words.New(`^(?:申报|申请|申领|征集|征求|推荐|遴选|评选|选拔|招募|征询|公示|就|举办|启动|公开征求|公开征集|公开遴选|公开招标|认定|举办|报送|填报|做好|开展|组织|公开|和|及|、)+`)
	papers  = words.New(`(?:的\s*(?:申报|补充|紧急|预)?(?:通\s*知|公\s*告|公\s*示|通\s*告|函|启\s*事|公开信|邀请)|(?:申报|征集|招标|招募|评选|申请|采购|竞争性磋商|报名|磋商|询价|比选)?(?:通知|公告|公示|通告|启事|指南|须知|一次性告知书|告知书|申报公告))$`)
	acts    = words.New(`(?:的?(?:推荐|申报|征集|评选|认定|遴选|评审|申领|申请|组织|申报推荐|申报评审|(?:申报)?\(复核\)|审核|有关|相关|经办|发放|选拔|寻访|评定|填报|报名|征文|招标|公开招标)+(?:工作|活动|事宜|事项)?|工作|活动|征求(?:公众|社会公众)?意见|公开|开始|的?(?:申报|报名|征集|申请)(?:截止)?(?:时间|期限)|(?:申请|申报|报名)(?:已)?(?:开始|启动|开启)[了啦]?[!?]*)$`)
	// comments matches the words for what consultations ask for, which are not part of
	// their subject.
	comments = words.New(`(?:征求)?的?(?:社会)?(?:公众)?的?意见(?:建议)?$`)
	// caller matches what announces a call in a news headline: 紧急通知｜.
	caller = words.New(`^(?:重要|紧急|最新)?(?:通知|提醒|公告)[|:丨]\s*@?`)
	// claims matches the words before what can be claimed: 企业职工申领补贴须知.
	claims = words.New(`^[^《]{0,30}?(?:申领|领取)([^《》]{4,60})$`)
	remark = words.New(`[(](?:已|公示期|全年|[^()]{0,8}申报|第?[一二三四五六七八九十]+批?)[^()]*[)]$`)
)

// printedSubject returns the subject of a title as printed.
func printedSubject(printed, title string, kind Kind) string {
	s := subject(title, kind)
	i := strings.Index(title, s)
	if s == "" || i < 0 {
		return ""
	}
	return line{raw: printed, text: title}.printed(i, i+len(s))
}

// subject returns the subject of a title: the part between the issuer with its verb and the
// type of the text.
func subject(title string, kind Kind) string {
	t := strings.TrimSpace(bracketed.ReplaceAllString(enclosed.ReplaceAllString(strings.TrimSpace(title), "$1"), ""))
	t = caller.ReplaceAllString(remark.ReplaceAllString(t, ""), "")
	if m := forwarded.FindStringSubmatch(t); m != nil {
		t = m[1]
	}
	t = strings.TrimPrefix(t, "转发")
	if i := outside(t, "关于"); i >= 0 {
		t = t[i+len("关于"):]
		t = strings.TrimPrefix(t, "关于")
	}
	for range 4 {
		before := t
		t = remark.ReplaceAllString(papers.ReplaceAllString(t, ""), "")
		t = opening.ReplaceAllString(t, "")
		t = asking.ReplaceAllString(t, "")
		if kind == KindConsultation {
			t = comments.ReplaceAllString(t, "")
		}
		t = acts.ReplaceAllString(t, "")
		t = strings.TrimSpace(strings.TrimSuffix(t, "的"))
		if t == before {
			break
		}
	}
	if head, _, found := strings.Cut(t, ":"); found && head != "" && !strings.Contains(head, "《") {
		t = head
	}
	if m := claims.FindStringSubmatch(t); m != nil {
		t = strings.TrimSpace(m[1])
	}
	return t
}

// outside returns the position of a word outside 《》, -1 if there is none.
func outside(s, word string) int {
	from := 0
	for {
		i := strings.Index(s[from:], word)
		if i < 0 {
			return -1
		}
		i += from
		if strings.Count(s[:i], "《") <= strings.Count(s[:i], "》") {
			return i
		}
		from = i + len(word)
	}
}
