package call

import (
	"slices"
	"strings"

	"dibao/policy/cut"
	"dibao/policy/words"
)

// entity is a kind of applicants: its name, and the words for it, separated by spaces.
type entity struct{ name, words string }

// entities are the kinds of applicants, in the order in which a call lists them.
var entities = []entity{
	{"enterprise", "企业法人 企业单位 企业 公司 会计师事务所 厂商 企事业单位"},
	{"institution", "事业单位 企事业单位"},
	{"university", "高校院所 高校 高等学校 高等院校 大专院校"},
	{"institute", "高校院所 科研院所 科研单位 科研机构 研究机构 研究院所"},
	{"association", "行业组织 行业协会 社会组织 社会团体 协会 商会 学会"},
	{"school", "中小学 中小学校 幼儿园 基地学校"},
	{legalEntity, ""},
	{"self-employed", "个体工商户 个体经营 个体经营者 个体经营户"},
	{"cooperative", "合作社 家庭农场"},
	{"student", "学生 学生个人 在校生 在校大学生 大学生 本科生 研究生 硕士生 博士生 师生"},
	{"graduate", "毕业生 高校毕业生"},
	{"individual", "个人 企业职工 失业人员 自然人 残疾人"},
	{everybody, ""},
	{"government", "机关团体 有关管理部门"},
}

// Names of entities that sentences also state in other ways.
const (
	legalEntity = "legal-entity"
	everybody   = "public"
)

// kindsOf contains the bits of the entities that a word names. mentions finds these words.
var kindsOf, mentions = func() (map[string]uint, *words.Finder) {
	all, finder := make(map[string]uint), new(words.Finder)
	for i, e := range entities {
		for name := range strings.FieldsSeq(e.words) {
			all[name] |= 1 << i
			finder.Add(name, i)
		}
	}
	return all, finder
}()

// bitOf returns the bit of an entity.
func bitOf(name string) uint {
	return 1 << slices.IndexFunc(entities, func(e entity) bool { return e.name == name })
}

var (
	// unit matches the words of entities and other nouns of persons and bodies. Of two that begin
	// at the same place, the longer one is first.
	unit = words.New(`高校毕业生|高校院所|管理企业|企业法人|企业单位|企业职工|企业|公司|会计师事务所|厂商|企事业单位|事业单位|高校|高等学校|高等院校|大专院校|科研院所|科研单位|科研机构|研究机构|研究院所|行业组织|行业协会|社会组织|社会团体|协会|商会|学会|中小学校|中小学|幼儿园|基地学校|个体工商户|个体经营者|个体经营户|个体经营|合作社|家庭农场|学生个人|学生|在校生|在校大学生|大学生|本科生|研究生|硕士生|博士生|师生|毕业生|个人|失业人员|自然人|残疾人|机关团体|有关管理部门|` +
		`单位|部门|机构|组织|团体|联盟|联合体|平台|基地|园区|主体|人员|人才|专家|学者|团队|集体|法人|农户|居民|用户|民办非企业单位|学校|院校|院所|医院|大学|军人|大户|农民工|集团|基金会|银行|养老院|业主|创业者|从业者|服务机构`)
	// joins matches what is between two names of a list.
	joins = words.New(`^(?:[、/]|以及|和|及|与|或者|或|暨)`)
	// alike matches what follows the last name of a list: 等单位.
	alike = words.New(`^等(?:各类|其他|相关|有关|具有独立法人资格的|独立|法人|创新|市场|新型|农业|经营|企事业|事业|社会|单位|机构|组织|团体|主体|人员|企业)*`)
	// form matches what follows a name as its legal form: 事业单位法人, 企业法人单位.
	form = words.New(`^(?:法人)?(?:单位)?`)
	// doesApply matches the verb of those who apply, or of what they are asked, allowed or given.
	doesApply = words.New(`^(?:均|都|皆|做好|认真|抓紧|及时|尽快|牵头|参与|招[募聘收]|也|可|能|应|须|需|必须|务必|请|原则上|自愿|自主|自行|如实|积极|踊跃|主动|直接|广泛|公开|要|按|根据|结合|对照|围绕|通过|登[录陆]|填[写报]|提[交出]|携|凭|报名|报送|申[报请领](?:$|[^材资书表信数条单对主人])|参[与加赛评展选](?:$|[^人者作])|联合申报|个人申|本人|征[集求]|受理|开展|给予|予以|享受|每[人月年]|发生的)`)
	// states matches what a condition says about applicants. With 的 after it, it says so about somebody else:
	// 高校具有副教授职称的教师.
	states = words.New(`^(?:具[有备]|拥有|建有|符合|依法|正常|遵[纪守]|已|设立|建立|财务|经营|属于|获得|取得|[在于]\s?\d|未|无|有|成立|注册|登记|上一?年|近|年(?:[^报检审]|$)|\d{4}年.*?(?:收入|营业|销售|产值|纳税|研发)|[在向].*?(?:报名|申[报请领]|填[写报]|提[交出]|期间))`)
	// names matches the words before those whom a clause names as applicants.
	names = words.New(`面向|对象|[对由为是请即]|限|组织|动员|发动|引导|鼓励|欢迎|邀请|给予|包括|包含|含|凡|接受|各类`)
	// receives matches the words before those to whom applicants submit something.
	receives = words.New(`(?:(?:^|[^面意])向|[至到给])[^,。;:的\d]{0,10}$`)
	// works matches the words before those with whom, or for whom, applicants work.
	works = words.New(`(?:依托|帮助|指导|带动|推动|促进|孵化|联合|[或须应可需](?:与|同))[^,。;:的]{0,16}$`)
	// serves matches verbs before those whom applicants serve. In the name of applicants after a label,
	// they are no verbs: 家政服务企业, 重点培育企业.
	serves = words.New(`(?:服务|培育|引进|对接)[^,。;:的]{0,16}$`)
)

// mostNames is the maximum number of names of a list that are read.
const mostNames = 12

// applicantsIn returns the bits of the kinds of applicants that a sentence names. A name counts only if the
// sentence says something about those whom it names, or names them after 面向, 对 and the like: what is
// between a name and 的 describes somebody else. After a label, and in a section about who may apply, a name
// at the end of a clause is enough. Kinds that are known already are not looked for.
func applicantsIn(s string, isLabeled bool, known uint) (found uint) {
	if uint(mentions.Find(s))&^known == 0 {
		return 0
	}
	for _, at := range unit.FindAllStringIndex(s, 40) {
		if of := kindsOf[s[at[0]:at[1]]]; of&^(found|known) != 0 && isApplicant(s, at[0], at[1], isLabeled) {
			found |= of
		}
	}
	return found
}

// isApplicant reports whether the name at a position of a sentence stands for applicants.
func isApplicant(s string, from, to int, isLabeled bool) bool {
	ok, doing := stands(s[to:])
	if before := cut.Last(s[:from], 24); !ok || receives.MatchString(before) || !doing && (works.MatchString(before) || !isLabeled && serves.MatchString(before)) {
		return false
	}
	return doing || isLabeled || strings.HasPrefix(s, "请") || names.MatchString(cut.AfterLast(s[:from], ",。;:"))
}

// stands reports whether a name stands for those who apply, given the text after it: neither a noun that
// it describes nor 的 follows it. doing says that a verb follows it, directly or after other names.
func stands(rest string) (ok, doing bool) {
	for range mostNames {
		rest = strings.TrimLeft(rest, " ”\"")
		rest = rest[len(form.FindString(rest)):]
		if strings.HasPrefix(rest, "(") {
			_, after, found := strings.Cut(rest, ")")
			if !found {
				return false, false
			}
			rest = after
		}
		if at := alike.FindStringIndex(rest); at != nil {
			rest = rest[at[1]:]
		}
		if rest == "" || strings.ContainsAny(rest[:1], ",;:)!?") || strings.HasPrefix(rest, "。") {
			return true, strings.HasPrefix(rest, ",") && doesApply.MatchString(rest[1:])
		}
		at := joins.FindStringIndex(rest)
		if at == nil {
			isActing := doesApply.MatchString(rest)
			if !isActing {
				clause := cut.BeforeFirst(rest, ",。;")
				isActing = !strings.Contains(clause, "的") && states.MatchString(clause)
			}
			return isActing, isActing
		}
		rest = rest[at[1]:]
		member := cut.BeforeFirst(cut.First(rest, 30), ",。;:、")
		next := unit.FindStringIndex(member)
		switch {
		case strings.HasPrefix(rest[len(member):], "、") && persons.MatchString(member) && !strings.Contains(member, "的"): // also other persons and bodies
			rest = rest[len(member):]
		case next != nil:
			rest = rest[next[1]:]
		default:
			return false, false
		}
	}
	return false, false
}
