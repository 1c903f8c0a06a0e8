package call

import (
	"strings"

	"dibao/policy/cut"
	"dibao/policy/words"
)

// label matches labels of those for whom a notice is.
const label = `(?:申报|申请|申领|报名|支持|补贴|补助|奖励|奖补|资助|扶持|服务|征集|推荐|参评|参赛|评选|发放|招募|培训|培育|遴选|认定|适用|受益|受理)的?(?:对象|主体|人群)|(?:征文|活动|面向)对象`

var (
	// anyLegalEntity matches legal entities of every kind. In other sentences, the legal form is a
	// condition for those whom the text names: 具有独立法人资格的企业.
	anyLegalEntity = words.New(`法人(?:资格)?的?(?:各类|其他)?(?:单位|机构|组织|主体|团体)(?:$|[^\p{Han}])|其他(?:具有|具备)?(?:独立)?法人|[含为]法人(?:$|[、,。;)])`)
	target         = words.New(label + `|(?:申报|申请|项目|牵头|参评|参赛)(?:单位|企业|人员|人)(?:为|是|限)`)
	// afterLabel matches what is between a label at the beginning of a sentence and the addressees.
	afterLabel = words.New(`^(?:范围|及?范围|[和及与]条件)?\s*(?:[:。]|$)\s*`)
	// saysWho matches the verb between a label and the addressees, in any place.
	saysWho = words.New(`^(?:范围)?(?:主要|重点|仅|应当?|须|必须|原则上|应限定?)*(?:限定?为|限于|限|为|是|包括)[:]?\s*`)
	// toward matches the addressees in 面向…征集.
	toward = words.New(`面向([^,。;:《》]{2,40}?)(?:公开|广泛)?(?:征集|征求|招募|遴选|开展|发放|组织|招聘|招收|开放|接受)`)
	// persons matches the end of a name of persons or bodies.
	persons = words.New(`(?:机构|单位|组织|团体|企业|公司|集体|人员|人才|人士|群众|群体|者|[^账]户|[^协]商|院|校|社|协会|厂|店|站|馆|[^目标产]园|中心|家庭|青年|老人|老年人|儿童|妇女|军人|居民|村民|市民|[农牧渔]民|[职员][工]|工人|农民工|个人|法人|[表责承]人|残疾人|平台|基地|团队|队伍|主体|[教医]师|学员|会员|[校学究科士业]生|干部|家属|遗属|对象)(?:\([^()]*\))?$`)
	// leadsToList matches words that lead to a list of the addressees.
	leadsToList = words.New(`(?:下列|以下|如下)[^,。;]{0,10}$`)
)

// longestAddressees is the maximum length of the words that name addressees, in characters.
const longestAddressees = 60

// addressing says how a sentence names the addressees of its notice.
type addressing int

const (
	notNamed  addressing = iota // it does not name them, or not with words for persons or bodies
	isKnown                     // with words for a kind of applicants
	isUnknown                   // with other words for persons or bodies
)

// addressees says how a sentence names the addressees. It records those whose words are not those of a
// known kind: otherwise a notice for them would be one for everybody.
func (r *reading) addressees(s, quote, in string) addressing {
	if k := r.call.Kind; k != KindApplication && k != KindCollection && k != KindSelection {
		return notNamed
	}
	name := r.nameIn(s)
	if name == "" {
		return notNamed
	}
	if leadsToList.MatchString(name) {
		r.awaited = true
		return notNamed
	}
	ofPersons := persons.MatchString(name)
	if clause := cut.BeforeFirst(name, ","); !ofPersons && persons.MatchString(clause) {
		name = clause // the other clauses may name somebody else
	} else if r.awaited && !ofPersons && strings.Contains(name, ",") { // the line after the heading says something else
		r.awaited = false
		return notNamed
	}
	r.awaited = false
	if applicantsIn(name, true, 0) != 0 || anyLegalEntity.MatchString(name) {
		return isKnown
	}
	if clause := cut.AfterLast(name, ","); ofPersons && clause != "" {
		name = clause
	}
	name = cut.First(name, longestAddressees)
	if !r.is("unknown", name) && len(r.call.Who.Unknown) < maxEntries {
		r.call.Who.Unknown = append(r.call.Who.Unknown, Said{asPrinted(name, quote), quote, in})
	}
	if ofPersons {
		return isUnknown
	}
	return notNamed
}

// nameIn returns the words of a sentence that name the addressees of the notice, "" if there are none.
func (r *reading) nameIn(s string) (name string) {
	trim := func(s string) string { return strings.Trim(numbered.ReplaceAllString(s, ""), "。;:, ") }
	if at := target.FindStringIndex(s); at != nil {
		rest := s[at[1]:]
		if strings.HasSuffix(s[:at[1]], "为") || strings.HasSuffix(s[:at[1]], "是") || strings.HasSuffix(s[:at[1]], "限") {
			return trim(strings.TrimLeft(rest, "于为"))
		}
		if lead := saysWho.FindString(rest); lead != "" {
			return trim(rest[len(lead):])
		}
		if lead := afterLabel.FindString(rest); (lead != "" || rest == "") && trim(s[:at[0]]) == "" {
			name = trim(rest[len(lead):])
			r.awaited = name == ""
			return name
		}
		return ""
	}
	if m := toward.FindStringSubmatch(s); m != nil && persons.MatchString(m[1]) && !strings.HasPrefix(m[1], "全校") {
		return m[1]
	}
	if r.awaited {
		return trim(s)
	}
	return ""
}

// tidyWho removes what the whole text explains. That applicants are legal entities says who may
// apply only if nothing else does. Words that do not name persons or bodies may be a condition if
// the text names its addressees elsewhere.
func (r *reading) tidyWho() {
	w := &r.call.Who
	if len(w.Entities)+len(w.Unknown) == 0 && len(r.legal) > 0 {
		w.Entities = r.legal[:1]
	}
	if len(w.Entities) == 0 {
		return
	}
	var left []Said
	for _, u := range w.Unknown {
		if persons.MatchString(plain(u.Value)) {
			left = append(left, u)
		}
	}
	w.Unknown = left
}
