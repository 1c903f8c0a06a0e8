package call

import (
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf8"

	"dibao/policy/cut"
	"dibao/policy/hans"
	"dibao/policy/words"
)

// Who says who may apply, as far as the text states it.
type Who struct {
	Entities       []Said // some of Entities
	Unknown        []Said `json:",omitempty"` // addressees that the text names with words that are not those of entities
	Regions        []Said // where they are registered, as written
	Industries     []Said // codes of GB/T 4754-2017: C, I65
	Sizes          []Said // 中小微企业, 规模以上企业 …
	Qualifications []Said // 高新技术企业, 专精特新中小企业 …
	Thresholds     []Threshold
}

// Threshold is a condition with a number.
type Threshold struct {
	Text     string // the clause, with those that it continues: 研发费用不低于100万元,且占营业收入比重不低于3%
	What     string
	Bound    string // least or most: whether the value is a minimum or a maximum
	Value    float64
	Unit     string // yuan, years, percent or people
	Evidence string
	In       string `json:",omitempty"` // as in Said
}

var (
	// speaksOf matches sentences that say who may apply, in any section.
	speaksOf = words.New(`(?:申报|申请|项目|牵头|参评)(?:单位|主体|企业|人)(?:\(|为|是|应|须|需|必须|原则上|包括|具有|具备)|面向|均可|符合[^,。;]{0,12}条件的?|各类企业|` + label + `|社会各界|向全?社会|公众可|可(?:直接|自愿|自主|独立|以)?(?:申报|申请|报名|参赛)|(?:组织|动员)[^,。;]{2,40}申报|接受[^,。;]{2,16}申请|征集[^,。;]{0,12}企事业单位|请[^。;]{0,50}(?:院校|企业)[^。;]{0,40}(?:填写|登录|参与|申报|围绕|关注)|企业,?(?:需|应|须|可|于\d|按要求|向|登录|提交)|对符合[^,。;]{0,40}企业|邀请|年龄(?:要求|应|须|需|在|不)|对企业|本公告适用|广泛征求|具有独立|由[^,。;]{2,30}提出申请`)
	// anybodyMay matches words for the public as applicants.
	anybodyMay = words.New(`社会各界|社会公众|广大市民|向全?社会(?:公众)?(?:公开)?征|公众可`)
	// isLegalEntity matches conditions that applicants are legal entities.
	isLegalEntity = words.New(`独立(?:的)?(?:企业|事业)?法人(?:$|[^地])|[含为]法人(?:$|[、,。;)])|具有独立承担民事责任`)
	// hires matches people whom applicants employ and who don't apply themselves.
	hires = words.New(`(?:吸纳|招用|招收|录用|聘用|安置)[^。;]{0,120}的((?:各类)?(?:企业|用人单位|单位|社会组织)[^。;]{0,20})|(?:吸纳|招用|招收|录用|聘用|安置)[^,。;]{0,60}(?:就业|毕业生|青年)`)
	// claiming matches verbs of people who apply themselves.
	claiming = words.New(`申请|申领|申报|报名|享受`)
	// excludes matches sentences that say who may not apply, or what happens later.
	excludes = words.New(`不得|不予|不受理|除外|严禁|取消|撤销|公示无异议|追回|合作单位|参与单位|黑名单|失信|异议|中标|列入|不接受|弄虚|下发|统一组织|负责对|要高度重视`)
	// except matches remarks in brackets about those who may not apply.
	except = words.New(`\([^()]{1,60}除外\)`)
	// unless matches conditions that applicants must not meet. They do not exclude anybody whom the
	// sentence names.
	unless   = words.New(`[未无没](?:有)?(?:被)?(?:列入|纳入|存在)?[^,。;]{0,16}(?:失信|黑名单|异常名录|违法|弄虚)[^,。;的]{0,16}`)
	region   = words.New(`(?:^|[在、,为是于;:(])(\p{Han}{1,6}?` + area + `)` + part + `(?:` + within + `)?` + settled(`工商注册|的独立法人|的企业`))
	regionIn = words.New(`(?:^|[在、,为是于;:(])(\p{Han}{1,6}?` + area + `)` + part + `(?:` + within + `)` + settled(`工作|从事`))
	// anyRegion matches every text that one of these matches. It is faster, because it begins with
	// words.
	anyRegion = words.New(area + part + `(?:` + within + `)?` + settled(`工商注册|的独立法人|的企业|工作|从事`))
	// notIndustry matches words of industries in names and aims.
	notIndustry = words.New(`制造业(?:单项冠军|高质量)`)
	// ofIndustry matches words of sentences that say in which industry an applicant is.
	ofIndustry = words.New(`属于|从事|主营|\d|^[^,。;]{0,24}业[。;]?$`)
	// notFor matches the words before a company size that a call does not ask for, or that is part of a
	// qualification: 非专门面向中小企业, 专精特新中小企业.
	notFor = words.New(`(?:[非不]|不是)(?:专门)?(?:面向|针对)$|(?:专精特新|科技型|创新型)$`)
	size   = words.New(`中小微(?:参保)?企业|小微企业|中小企业|规模以上(?:工业)?企业|大中型企业|小型微(?:型|利)企业|中小型企业|[大中小微]型企业`)

	quality = words.New(`(?:国家|省级)?(?:高新技术企业|专精特新(?:中小企业|[“"]?小巨人[”"]?企业)?|科技型中小企业|创新型中小企业|(?:制造业)?单项冠军(?:企业)?|技术先进型服务企业)`)
	mustBe  = words.New(`(?:应|须|需|必须|原则上|获得|取得|具有|具备|通过|已?认定(?:为|的)|属于)[^,。;]{0,14}$|(?:对象[:为是]|有效期内)[^,。;]{0,40}$`)
	// ofOthers matches what follows a qualification that applicants need not have.
	ofOthers  = words.New(`^(?:的[^,。;]{0,12}企业|培育|后备|入?库)`)
	numbers   = `(\d[\d,.]{0,12}|[一二三四五六七八九十两]{1,3})`
	threshold = words.New(`((?:上一?年度|年度|近[一二三两\d]年)?(?:主营业务收入|主营收入|营业收入|销售收入|销售额|营业额|总产值|产值|研发(?:投入|费用|经费)|固定资产投资|总投资|注册资本|实缴资本|纳税额|税收|仪器设备原值|原值)(?:\([^()]{1,12}\))?|(?:注册|成立|登记|经营|营业|运营|毕业|创办)(?:时间|期限)?|(?:年龄(?:在\d{4}年\d{1,2}月\d{1,2}日(?:之?前|时)?)?|从业人员|职工|研究与试验发展人员|就业|吸纳|专职人员)(?:人?数)?)([^,。;\d一二三四五六七八九十两]{0,12})` + numbers + `\s*(亿元|千万元|万元|元|年|周岁|岁|人|名|%)(?:\([^()]{1,6}\))?(以上|及以上|以下|及以下|以内|之内|内)?`)
	mostly    = words.New(`不超过|不高于|不大于|未满|不满`)
	least     = words.New(`不低于|不少于|不小于|达到?|满|超过|高于`)
	below     = words.New(`少于|低于`)
)

// Parts of the expressions for regions.
const (
	area   = `(?:省|市|自治区|县|区|旗)`
	part   = `(?:行政区域|辖区|区域)?`
	within = `境内|范围内|内`
)

// settled returns a pattern for what applicants do in a region: register, settle, operate. It
// also matches the given words.
func settled(more string) string {
	return `(?:依法)?(?:自主|稳定)?(?:注册|登记|设立|成立|经营|创办|` + more + `)`
}

// conditionWords are the expressions for conditions, in the order in which whoOf uses them.
var conditionWords = words.NewGroup(region, regionIn, size)

// industries are sections and divisions of GB/T 4754-2017 that calls name.
var industries = []struct {
	code  string
	words string
}{
	{"A", "农林牧渔业 种植业 养殖业"},
	{"B", "采矿业"},
	{"C", "制造业 工业企业"},
	{"E", "建筑业"},
	{"F", "批发和零售 批发及零售 批发、零售 批发零售"},
	{"G", "交通运输业 交通运输行业 交通运输企业 交通运输领域 交通运输、仓储 交通运输仓储"},
	{"G59", "仓储业 物流业"},
	{"H", "住宿和餐饮 住宿、餐饮 住宿餐饮"},
	{"I65", "软件和信息技术服务业 软件业"},
	{"J", "金融业"},
	{"K", "房地产业"},
	{"L", "租赁和商务服务业"},
	{"M", "科学研究和技术服务业"},
	{"P", "教育行业"},
	{"R", "文化、体育和娱乐业 文化体育和娱乐业"},
}

// hints finds the words of industries, by index in the list.
var hints = func() *words.Finder {
	f := new(words.Finder)
	for i, x := range industries {
		for w := range strings.FieldsSeq(x.words) {
			f.Add(w, i)
		}
	}
	return f
}()

// who reads who may apply from the sentences that say so.
func (r *reading) who(l line) {
	inSection := l.section == whoSection
	if l.heads {
		r.awaited = false
	}
	if l.heads && r.nameIn(l.text) == "" && !(strings.HasSuffix(l.text, "。") && speaksOf.MatchString(l.text)) || r.call.Kind == KindIntention || !inSection && l.may&mayName == 0 {
		return
	}
	from := 0
	for from < len(l.text) {
		to := len(l.text)
		if i := clauseEnd(l.text[from:]); i >= 0 {
			_, size := utf8.DecodeRuneInString(l.text[from+i:])
			to = from + i + size
		}
		if s := l.text[from:to]; len(s) <= 3*maxEvidence && (inSection || speaksOf.MatchString(s)) && !isExcluding(s) {
			quote := l.printed(from, to)
			r.whoOf(s, quote, l.in, inSection, r.addressees(s, quote, l.in))
		}
		from = to
	}
}

// isExcluding reports whether a sentence says who may not apply, or what happens later. Most
// sentences have no such word, so that nothing has to be removed from them.
func isExcluding(s string) bool {
	return excludes.MatchString(s) && excludes.MatchString(unless.ReplaceAllString(except.ReplaceAllString(s, ""), ""))
}

// whoOf reads the conditions in a sentence. If it names addressees that are not understood, the
// bodies in it are not the addressees.
func (r *reading) whoOf(s, quote, in string, inSection bool, named addressing) {
	w, isLabeled := &r.call.Who, inSection || named == isKnown
	add := func(list *[]Said, value string) {
		if len(*list) < maxEntries && !r.is("who", value) {
			*list = append(*list, Said{value, quote, in})
		}
	}
	s = titles.ReplaceAllString(s, "")
	conditions := conditionWords.May(s)
	if named != isUnknown && r.call.Kind != KindObjection && r.call.Kind != KindTender { // anybody can object or bid
		r.hired = r.hired || strings.Contains(s, "毕业生") && hires.MatchString(s)
		names := hires.ReplaceAllString(s, "$1")
		found := applicantsIn(names, isLabeled, r.found)
		if anybodyMay.MatchString(names) {
			found |= bitOf(everybody)
		}
		if anyLegalEntity.MatchString(names) {
			found |= bitOf(legalEntity)
		} else if isLegalEntity.MatchString(names) {
			r.legal = append(r.legal, Said{legalEntity, quote, in})
		}
		if r.hired && !claiming.MatchString(s) {
			found &^= bitOf("graduate")
		}
		for r.found |= found; found != 0; found &= found - 1 {
			add(&w.Entities, entities[bits.TrailingZeros(found)].name)
		}
	}
	if r.call.Kind == KindConsultation || r.call.Kind == KindObjection {
		return
	}
	for i, re := range []*words.Regexp{region, regionIn} {
		if conditions&(1<<i) == 0 || !anyRegion.MatchString(s) {
			continue
		}
		for _, m := range re.FindAllStringSubmatch(s, 4) {
			if name := cut.AfterLast(m[1], "在"); !strings.HasPrefix(name, "我") && !strings.HasPrefix(name, "本") && !strings.HasPrefix(name, "全") && !strings.HasPrefix(name, "各") && !strings.HasPrefix(name, "外") {
				add(&w.Regions, name)
			}
		}
	}
	s = preferred.ReplaceAllString(s, "")
	sectors := hints.Find(notIndustry.ReplaceAllString(s, ""))
	for i, x := range industries {
		if inSection && sectors&(1<<i) != 0 && (named == isUnknown || ofIndustry.MatchString(s) || applicantsIn(s, isLabeled, 0) != 0) {
			add(&w.Industries, x.code)
		}
	}
	if conditions&(1<<2) != 0 {
		for _, at := range size.FindAllStringIndex(s, 4) {
			if !notFor.MatchString(s[:at[0]]) && isApplicant(s, at[0], at[1], isLabeled) {
				add(&w.Sizes, s[at[0]:at[1]])
			}
		}
	}
	for _, at := range quality.FindAllStringIndex(s, 8) {
		clause, _ := clauseBefore(s, at[0])
		if mustBe.MatchString(clause) && !ofOthers.MatchString(s[at[1]:]) && !strings.Contains(r.call.Subject.Value, s[at[0]:at[1]]) {
			add(&w.Qualifications, s[at[0]:at[1]])
		}
	}
	r.thresholds(hires.ReplaceAllString(s, "$1"), quote, in)
}

// quantity reads a number with its unit; unit is "" if the unit is unknown.
func quantity(number, unit string) (float64, string) {
	f, err := strconv.ParseFloat(strings.ReplaceAll(number, ",", ""), 64)
	if err != nil {
		n, ok := hans.Number(strings.ReplaceAll(number, "两", "二"))
		if !ok {
			return 0, ""
		}
		f = float64(n)
	}
	switch unit {
	case "年", "周岁", "岁":
		return f, "years"
	case "人", "名":
		return f, "people"
	case "%":
		return f, "percent"
	}
	return f * units[strings.TrimSuffix(unit, "元")], "yuan"
}
