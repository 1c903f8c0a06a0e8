package call

import (
	"math/bits"
	"strings"
	"unicode/utf8"

	"dibao/policy/cut"
	"dibao/policy/words"
)

// section is the topic of the lines under a heading.
type section int

const (
	noSection section = iota
	whoSection
	bringsSection
	materialsSection
	whereSection
	contactSection
	stepsSection
	otherSection
)

// titles matches titles of texts, whose words say nothing about the sentence.
var titles = words.New(`《[^《》]*》`)

var (
	attachment = words.New(`^附\s*件?\s*\d*\s*[:：.]|^附\s*件\s*\d*$`)
	numbered   = words.New(`^\s*(?:第?[一二三四五六七八九十]{1,3}[、,.:]|[(][一二三四五六七八九十]{1,3}[)]\s*|\d{1,2}[、.,]|[(]\d{1,2}[)])\s*`)
	// sections are recognized by the words of headings; the first that matches counts.
	sections = []struct {
		section section
		words   *words.Regexp
	}{
		{materialsSection, words.New(`(?:申报|申请|报名|提交|报送|上交|所需|应提供|需提供|提供|携带|佐证|证明)的?(?:以下|下列)?(?:材料|资料)|(?:材料|资料)(?:要求|清单|目录)|所备资料|材料$`)},
		{contactSection, words.New(`联系(?:方式|人|电话|事项)|咨询(?:方式|电话)`)},
		{bringsSection, words.New(`(?:支持|补贴|贴息|补助|资助|奖励|扶持|奖补|发放|奖项)(?:方式|标准|内容|政策|措施|额度|强度|设置|办法)|扶持政策|资金扶持`)},
		{whoSection, words.New(`(?:认定|评价|准入|入库|基本|服务主体|申报|申请|报名|支持|补贴|补助|奖励|资助|征集|推荐|参评|参赛|评选|发放|申领|服务|扶持|投稿)(?:对象|条件|主体|资格|范围)|(?:受理|活动|面向|评估|参加|贴息|征文|征稿|招聘|培训|[大竞]赛)对象|(?:申报|申请|报名|支持|补贴|补助|奖励|资助|征集|参评|参赛|评选|发放|申领|服务|扶持|投稿)(?:单位|人员)|资格(?:要求|条件)|条件(?:和|及|与)?要求|申报要求|应具备(?:的|以下)|资质要求|(?:机构|单位|企业|人员|对象|者|人)的?(?:基本)?条件|见习单位|申报的?范围`)},
		{whereSection, words.New(`(?:申报|报送|报名|受理|投稿|反馈|征集|提交|递交)(?:方式|地点|地址|途径|渠道|平台|网址)|材料报送`)},
		{stepsSection, words.New(`(?:申报|报名|申请|评审|评选|推荐|办理|工作|受理|征集)(?:时间|程序|流程|步骤|安排|期限|时限)|时间(?:节点|安排)`)},
	}
)

// sectionWords are the words of sections, by index in the list.
var sectionWords = func() *words.Group {
	var all []*words.Regexp
	for _, s := range sections {
		all = append(all, s.words)
	}
	return words.NewGroup(all...)
}()

// longestLead is more than the length of the number of a point, in bytes. Package regexp takes
// longer for a longer text, even if an expression can match only its beginning.
const longestLead = 40

// mayLead reports whether a line may begin with the number of a point.
func mayLead(text string) bool {
	r, _ := utf8.DecodeRuneInString(strings.TrimLeft(text, " \t"))
	return r == '(' || r >= '0' && r <= '9' || strings.ContainsRune("第一二三四五六七八九十", r)
}

// sectionOf returns the section that a heading begins. A line that begins with its heading
// and continues (一、申报对象:…) is in that section, too.
func sectionOf(text string) (section, bool) {
	lead := ""
	if mayLead(text) {
		lead = numbered.FindString(firstBytes(text, longestLead))
	}
	if rest := text[len(lead):]; rest != "" && isDigit(rest[0]) && strings.ContainsAny(lead, ".,") {
		lead = "" // 1.5万元
	}
	short := len(cut.First(text, 26)) == len(text)
	if lead == "" && !short {
		return noSection, false
	}
	head := cut.First(text[len(lead):], 26)
	runsOn := false
	if i := strings.IndexAny(head, ":。,;"); i >= 0 {
		runsOn = head[i] == ',' || head[i] == ';'
		head = head[:i]
	} else if !short {
		return noSection, false
	}
	if strings.Contains(head, "《") && !short {
		return noSection, false
	}
	for ids := sectionWords.Match(head); ids != 0; ids &= ids - 1 {
		s := sections[bits.TrailingZeros64(ids)]
		if at := s.words.FindStringIndex(head); at != nil && (!runsOn || at[1] == len(head) && at[0] <= len("本次项目")) {
			return s.section, true
		}
	}
	// Another chapter (二、…) ends the section; points within it do not.
	if lead != "" && chapter.MatchString(lead) {
		return otherSection, true
	}
	return noSection, false
}

var chapter = words.New(`^\s*第?[一二三四五六七八九十]{1,3}[、,.]`)
