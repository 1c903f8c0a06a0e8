package call

import (
	"math"
	"strconv"
	"strings"

	"dibao/policy/cut"
	"dibao/policy/words"
)

// Benefit is money that a call offers. A figure that the text does not give is 0.
type Benefit struct {
	Yuan     int64   // the amount, or the minimum of a range
	UpTo     int64   // the maximum of a range: 20万元至50万元
	Percent  float64 // a percentage
	Cap      int64   // in yuan: 最高不超过
	Per      string  // unit for which it is paid: 每人, 每个项目 …, as written
	Evidence string
	In       string `json:",omitempty"` // as in Said
}

const figure = `(\d[\d,.]{0,15})\s*(亿|千万|百万|万|千)?`

var (
	money   = words.New(`(?:` + figure + `\s*元?\s*(?:至|到|-|~|～|—+|–)\s*)?(?:人民币|￥|¥)?` + figure + `\s*元(\s*/\s*(?:人|项|家|户|件|亩|年|月|台|套|个|名|次|平方米))?`)
	percent = words.New(`(\d{1,3}(?:\.\d{1,3})?)\s*(?:%|个百分点)`)

	benefit = words.New(`给予|奖励|补贴|补助|资助|奖金|奖补|扶持|贴息|支持强度|支持金额|支持|资助经费|提供`)
	// Words of money that is a condition, a price or not for the applicant.
	condition = words.New(`投资|收入|产值|销售|营业额|零售额|交易额|存量|增量|增长|资本|纳税|税收|规模|(?:^|[^不])超过|达到|预算|限价|售价|工资|成本|自筹|总额|总计|共计|合计|累计|安排|罚款|保证金|缴纳|收费|费用为|原值|总投入|利润|资产|违法|结余|估算|每小时|在$|满$|首超|拨付|下达|年费`)
	already   = words.New(`(?:已|曾)(?:经)?(?:获|获得|享受|给予|发放|拨付)`)
	// granted matches words about what earlier calls paid.
	granted = words.New(`(?:立项|共|累计)(?:资助|支持|奖励|补助)[^,。;]{0,4}\d`)
	capped  = words.New(`(?:最高|上限|不超过|封顶|以内|限额|不高于|至多|最多)(?:[^,。;\d]{0,12})$`)
	// loan matches the words before money that the applicant borrows or raises.
	loan        = words.New(`(?:贷款|授信|自筹)(?:资金|额度)?$`)
	afterAmount = words.New(`^(?:人民币)?\([^()]{1,6}\)的?奖[励金](?:$|[^另])|^(?:的?标准)?,给予[^,。;]{0,24}(?:补贴|补助|奖励|资助|奖金)|^(?:的)?(?:标准|额度)?(?:的)?(?:一次性)?(?:给予|进行|发放|予以|享受)?(?:的)?\p{Han}{0,6}?(?:补贴|补助|奖励|资助|奖金|奖补|扶持|发放|研究经费)|^的?(?:标准|比例)(?:给予|予以|进行(?:[^抽核检评审推选复验]|$))|^的?(?:标准|比例|额度)?(?:给予|予以)(?:资金|经费|财政)?支持|^(?:的)?(?:资金|经费)?支持(?:$|[。;])|^[、,]?(?:且|总额)?(?:最高)?不超过[^,。;]{1,12}元的?(?:标准)?(?:给予|予以)`)
	onlyIf      = words.New(`^(?:\([^()]{1,8}\))?(?:以上|以下|及以上|及以下|的(?:部分|项目|企业|单位|,)|至|到)`)
	perWhom     = words.New(`每(?:(?:招用|吸纳|新增|培训|引进)\d?[人名]|人每月|人每年|人次|人|家企业|户|项|件(?:作品)?|名|亩|年|月|平方米|(?:个|家|所|处|座|间|辆|台|套|场|张|例|篇|部|位|支|条|吨|千瓦)(?:[^,。;\d]{0,14})?)|单个(?:项目|企业|平台|活动)|单家企业|同一企业|各$`)
	// gives matches the end of a word for those to whom money is given.
	gives    = words.New(`(?:可|将|按|再|年度|一次性|最高|分别|均|都)?(?:给予|补助|补贴|奖励|资助|支持|不超过|发放|予以|提供|不高于)|标准(?:为|是|:|$)|一次性|最高|按照`)
	rateFrom = words.New(`(?:补助|补贴|资助|奖励|支持|贴息)[^,。;\d]{0,16}(?:比例|标准|额度|不超过|最高)[^,。;\d]{0,20}$|给予[^,。;\d]{0,20}$|(?:^|元)且?(?:最高)?不(?:超过|高于)[^,。;\d]{0,20}(?:投资额?|投入|支出|费用|总额|金额)的?$`)
	rateNot  = words.New(`自筹|增长|增速|不低于|不少于|占|留用|裁员|达到|参与|重复率|率(?:为|达|低于)?$|低于|股份|利率`)
	// subsidized matches the words before a rate at which the issuer pays interest, ofInterest and
	// paysInterest those around a share of the interest that it pays: 按贷款利率的50%给予贴息.
	subsidized   = words.New(`贴息(?:率|比例|标准|利率|幅度)?[^,。;\d贷超低]{0,8}(?:不超过)?$`)
	ofInterest   = words.New(`(?:利率|利息|LPR)(?:\([^()]{1,20}\))?(?:总额|支出|金额)?的?$`)
	paysInterest = words.New(`^的?(?:标准|比例)?(?:进行|给予|予以)?(?:财政|资金)?(?:贴息|补贴|补助|贴补)`)
	rateOf       = words.New(`^从[^,。;]{0,10}资金[^,。;]{0,6}列支`)
	offered      = words.New(`补助|补贴|资助|奖励|支持|贴息|扶持|奖补`)
)

// readBenefits reads the amounts that a line offers. Calls for comments or bids also mention
// amounts, but nobody receives these.
func (r *reading) readBenefits(l line) {
	if k := r.call.Kind; k == KindConsultation || k == KindObjection || k == KindTender || k == KindIntention || len(r.call.Benefits) >= maxEntries {
		return
	}
	for _, at := range sums(l.text) {
		r.amount(l, at)
	}
	if strings.Contains(l.text, "%") || strings.Contains(l.text, "百分点") {
		for _, at := range percent.FindAllStringSubmatchIndex(l.text, maxEntries) {
			r.rate(l, at)
		}
	}
}

// sums returns the positions of the amounts of money in a text, by the 元 that ends each: a
// search for digits would stop at every number.
func sums(text string) (all [][]int) {
	for end := 0; len(all) < maxEntries; {
		i := strings.Index(text[end:], "元")
		if i < 0 {
			return all
		}
		i += end
		from := end + len(strings.TrimRight(text[end:i], ofSums))
		at := money.FindSubmatchIndexIn(text, from, min(len(text), i+longestSum))
		if at == nil {
			end = i + len("元")
			continue
		}
		all, end = append(all, at), at[1]
	}
	return all
}

const (
	// ofSums are the characters that can precede the first 元 of an amount.
	ofSums = "0123456789,. 亿千百万人民币￥¥至到-~～—–"
	// longestSum is the maximum number of bytes of a range of amounts after its first 元.
	longestSum = 90
)

func (r *reading) amount(l line, at []int) {
	clause, sentence := clauseBefore(l.text, at[0])
	after := cut.First(l.text[at[1]:], 24)
	if rest, found := strings.CutPrefix(l.text[at[1]:], "("); found { // 6000元(每学期3000元)的标准进行补贴
		if _, rest, found = strings.Cut(cut.First(rest, 30), ")"); found && byStandard.MatchString(rest) {
			after = rest
		}
	}
	if strings.HasSuffix(clause, "每") || onlyIf.MatchString(after) || already.MatchString(clause) || granted.MatchString(sentence) || inBrackets(clause) && !divided.MatchString(sentence) {
		return
	}
	governor, against := lastEnd(benefit, clause), lastEnd(condition, clause)
	capOf := capped.MatchString(clause)
	switch {
	case afterAmount.MatchString(after) && governor >= against && !loan.MatchString(clause):
	case capOf && offered.MatchString(sentence) && !spends.MatchString(clause):
	case capOf && byStandard.MatchString(after):
	case governor < 0 && against < 0 && forEach.MatchString(clause) && offered.MatchString(sentence) && !fee.MatchString(sentence):
	case governor < 0 && against < 0 && (awards.MatchString(sentence) || graded.MatchString(sentence) && !pays.MatchString(clause+after)):
	case governor < 0 && against < 0 && l.section == bringsSection && standard.MatchString(clause):
	case governor <= against:
		return
	}
	b := Benefit{Per: perOf(clause, sub(l.text, at, 5)), Evidence: l.sentence(at[0], at[1]), In: l.in}
	low, high := yuan(sub(l.text, at, 1), sub(l.text, at, 2)), yuan(sub(l.text, at, 3), sub(l.text, at, 4))
	if low > 0 && sub(l.text, at, 2) == "" && low < 10000 && !strings.Contains(l.text[at[3]:at[6]], "元") {
		low = yuan(sub(l.text, at, 1), sub(l.text, at, 4)) // 20至50万元
	}
	switch {
	case high <= 0 || low > high:
		return
	case capOf:
		b.Cap = high
	case low > 0:
		b.Yuan, b.UpTo = low, high
	default:
		b.Yuan = high
	}
	if !r.is("money", strconv.FormatInt(b.Yuan, 10), strconv.FormatInt(b.UpTo, 10), strconv.FormatInt(b.Cap, 10), b.Per) {
		r.call.Benefits = append(r.call.Benefits, b)
	}
}

var (
	// spends matches what applicants must spend before they get anything.
	spends     = words.New(`投资额?(?:不)?超过|收入(?:不)?超过|自筹`)
	byStandard = words.New(`^的标准(?:给予|予以|进行)[^,。;]{0,6}(?:支持|补助|奖励|资助|补贴)`)
	// forEach matches the end of a clause whose benefit is named in the clause before:
	// 补助标准:省级每人1万元,市级每人.
	forEach = words.New(`每(?:人|户|家|名|个|项|亩)(?:每?[月年])?$`)
	fee     = words.New(`(?:报名|考试|评审|工本|服务|培训|会)费`)
	// awards match the words before the amount of a prize: 一等奖2名,每人5000元.
	awards = words.New(`(?:[特一二三]等|优秀|优胜|入围|鼓励|[金银铜])奖[^。;元]{0,20}$|(?:奖学金|助学金)[^。;元]{0,12}$|资助\d{1,5}[名人],[^。;元]{0,4}$|颁发[^。;元]{0,10}证书[及和、][^。;元费]{0,6}$`)
	// pays matches the words around an amount that an applicant has or pays: 违规单位20万元罚款.
	pays = words.New(`罚|违|追回|退[还回]|自筹|配套|资本|资金|投入|投资|收入|保证金|收取|缴`)
	// graded matches the words before the second amount of a list: 资助额度为:重点项目35万元,一般项目20万元.
	graded = words.New(`(?:资助|补助|补贴|奖励)(?:额度|标准|金额|经费)(?:分别)?(?:为|是)?:?[^。;,\d]{0,12}\d[\d.]{0,6}[千万]?元(?:/[人项家户])?,(?:\p{Han}{2,16}\d[\d.]{0,6}[千万]?元(?:/[人项家户])?,)?\p{Han}{2,16}$`)
	// divided matches the words before the amounts of kinds of projects in brackets: 资助额度分为重点项目(每项50万元).
	divided  = words.New(`(?:资助|补助|补贴|奖励|支持)(?:额度|标准|金额|经费|强度)(?:分为|包括|为|:)[^。;]*\([^()]*$`)
	standard = words.New(`(?:标准|额度|强度|金额|奖金)(?:为|:)?[^,。;\d]{0,8}$|^\p{Han}{0,4}$`)
)

func (r *reading) rate(l line, at []int) {
	clause, sentence := clauseBefore(l.text, at[0])
	after := strings.TrimLeft(cut.First(l.text[at[1]:], 24), " ")
	if inBrackets(clause) || strings.HasPrefix(after, "以上") {
		return
	}
	isShare := !rateNot.MatchString(clause) && l.text[at[1]-1] == '%' && (afterAmount.MatchString(after) || rateOf.MatchString(after) || rateFrom.MatchString(clause) && offered.MatchString(sentence))
	if !isShare && !subsidized.MatchString(clause) && !(ofInterest.MatchString(clause) && paysInterest.MatchString(after)) {
		return
	}
	p, err := strconv.ParseFloat(l.text[at[2]:at[3]], 64)
	if err != nil || p <= 0 || p > 100 {
		return
	}
	if !r.is("rate", l.text[at[2]:at[3]]) {
		r.call.Benefits = append(r.call.Benefits, Benefit{Percent: p, Per: perOf(clause, ""), Evidence: l.sentence(at[0], at[1]), In: l.in})
	}
}

// inBrackets reports whether a clause ends inside brackets.
func inBrackets(clause string) bool {
	return strings.LastIndex(clause, "(") > strings.LastIndex(clause, ")")
}

// lastEnd returns where the last match ends, -1 if there is none.
func lastEnd(re *words.Regexp, s string) int {
	all := re.FindAllStringIndex(s, 40)
	if len(all) == 0 {
		return -1
	}
	return all[len(all)-1][1]
}

func perOf(clause, after string) string {
	if after != "" {
		return "每" + strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(after), "/"))
	}
	all := perWhom.FindAllString(clause, 8)
	if len(all) == 0 {
		return ""
	}
	per := all[len(all)-1]
	if at := gives.FindStringIndex(per[len("每"):]); at != nil && at[0] > 0 {
		per = per[:len("每")+at[0]]
	}
	return per
}

// sub returns a group of a match, "" if the group did not match.
func sub(s string, at []int, group int) string {
	if at[2*group] < 0 {
		return ""
	}
	return s[at[2*group]:at[2*group+1]]
}

var units = map[string]float64{"": 1, "千": 1e3, "万": 1e4, "百万": 1e6, "千万": 1e7, "亿": 1e8}

// yuan returns a number with its unit in yuan; 0 if there is none.
func yuan(number, unit string) int64 {
	f, err := strconv.ParseFloat(strings.ReplaceAll(number, ",", ""), 64)
	if err != nil || f < 0 || f*units[unit] > 1e15 {
		return 0
	}
	return int64(math.Round(f * units[unit]))
}
