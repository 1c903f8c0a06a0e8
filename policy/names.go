package policy

import (
	"slices"
	"strings"
	"unicode/utf8"

	"dibao/policy/division"
	"dibao/policy/same"
	"dibao/policy/words"
)

// TitleKey is the form that different spellings of one title share: Han
// characters, letters and digits, without marks of state ([有效]) and brackets.
func TitleKey(title string) string {
	s := strings.TrimSpace(title)
	if len(s) <= maxTitle && strings.ContainsAny(s, "[【（([》>") { // otherwise there is nothing to remove
		s = new(Title).clean(strings.Join(strings.Fields(fold(s)), " "))
	}
	return same.Clean(s)
}

// Names are the names of a document, and its subject, according to its title.
type Names struct {
	Key     string   // TitleKey
	Inner   []string // keys of the texts that it distributes, by which it may be cited
	Bare    string   // key of the title without the issuers before 关于, "" if there are none
	Subject string   // SubjectKey
	Work    string   // shared by all versions of a law or rule, "" for other documents
}

// NamesOf returns the names of the document with these facts. A forwarded text
// (转发, 批转) remains another document.
func NamesOf(f Facts) Names {
	t := ParseTitle(f.Title)
	n := Names{Key: same.Clean(t.Title), Work: workOf(t, f.Type)}
	switch t.Relation {
	case RelationDistributes, RelationPublishes, "发布", "下发":
		for _, inner := range t.Inner {
			n.Inner = append(n.Inner, TitleKey(inner))
		}
	}
	if i := strings.Index(t.Title, "关于"); i > 0 && len(t.Issuers) > 0 {
		n.Bare = same.Clean(t.Title[i:])
	}
	if f.Level == division.Central || f.Level == division.Ministry {
		n.Subject = subjectKeyOf(t)
	}
	return n
}

// SubjectHead is the number of characters by which subjects are looked up: the
// length of the shortest subject.
const SubjectHead = minSubject

var noSubject = words.New(`任免|任职|免职|表彰|奖励|嘉奖|处分|机构设置|分工|放假|节假日|成立|调整.{0,20}(?:成员|组成人员|小组|委员会)`)

// SubjectKey is Subject in the form of TitleKey. It returns "" for matters of one place or
// person (批复, 任免 …), which nobody implements.
func SubjectKey(title string) string { return subjectKeyOf(ParseTitle(title)) }

func subjectKeyOf(t Title) string {
	if t.Type == "批复" || t.Type == "函" || t.Type == "答复" || noSubject.MatchString(t.Title) {
		return ""
	}
	s := same.Clean(subjectOf(t))
	if utf8.RuneCountInString(s) < minSubject {
		return ""
	}
	return s
}

// workOf returns the name that all versions of a law or rule share: the cleaned title
// without version marks. It returns "" for other documents, whose titles recur from year to
// year.
func workOf(t Title, form string) string {
	switch form {
	case "法", "条例", "规定", "办法", "细则", "规则", "章程", "准则", "解释":
	default:
		return ""
	}
	if t.Relation != "" || strings.HasPrefix(t.Title, "关于") {
		return ""
	}
	return same.Clean(strings.TrimPrefix(withoutTrailing(t.Title), "中华人民共和国"))
}

// TitlesShare returns the share of the shorter title's bigrams that occur in the other.
func TitlesShare(a, b string) float64 { return same.BigramShare(TitleKey(a), TitleKey(b)) }

var (
	orderOfYear = words.New(`^(\p{Han})(?:府|政府|政|人民政府)令〔(\d{4})〕(\d+)号$`)
	orderOfHome = words.New(`^(?:省|市|区|自治区|县)(?:人民)?政府令(?:〔\d{4}〕|第)(\d+)号$`)
	orderOfWhom = words.New(`^(?:中华人民共和国)?(国务院|主席|国家主席|\p{Han}{2,20}(?:部|委员会|总局|署|局|会))令(?:〔\d{4}〕|第)(\d+)号$`)
	orderFull   = words.New(`^(\p{Han}{2,8}(?:省|市|自治区))(?:人民)?政府令(?:〔\d{4}〕|第)(\d+)号$`)
)

// NumberNames returns a canonical number and the other forms under which the
// same order is cited: 渝府令〔2023〕358号 is 重庆市人民政府令第358号. region
// is that of the issuer.
func NumberNames(number, region string) []string {
	if number == "" {
		return nil
	}
	names := []string{number}
	add := func(s string) {
		if !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	if !strings.Contains(number, "令") {
		return names
	}
	if m := orderOfYear.FindStringSubmatch(number); m != nil {
		// 青府令 of 青浦 is not an order of 青海.
		if code := division.ProvinceOf(m[1]); code != "" && (region == "" || division.TrimCode(region) == code) {
			add(division.OwnName(code) + "人民政府令第" + m[3] + "号")
		} else if m[1] == "国" {
			add("国务院令第" + m[3] + "号")
		}
	}
	if m := orderOfHome.FindStringSubmatch(number); m != nil && division.OwnName(division.TrimCode(region)) != "" {
		add(division.OwnName(division.TrimCode(region)) + "人民政府令第" + m[1] + "号")
	}
	if m := orderFull.FindStringSubmatch(number); m != nil {
		add(m[1] + "人民政府令第" + m[2] + "号")
	}
	if m := orderOfWhom.FindStringSubmatch(number); m != nil {
		add(strings.TrimPrefix(m[1], "国家主") + "令第" + m[2] + "号")
		if m[1] == "主席" || m[1] == "国家主席" {
			names[len(names)-1] = "主席令第" + m[2] + "号"
		}
	}
	return names
}

// changesAnother matches titles of texts that end, extend, change or explain
// another text on the same subject: they do not implement anything.
var changesAnother = words.New(`(?:关于|决定)(?:宣布|同意|继续|适当|部分)?(?:废止|修改|修订|修正|延长|延续|顺延|停止|暂停|终止|取消|失效|继续执行|继续实施|公布.{0,12}清理)|(?:废止|失效|有效期|执行期限)(?:限)?的?(?:通知|决定|公告|通告)$|解读|答记者问|图解`)

// ChangesAnother reports whether a text with this title ends, extends, changes or explains
// another text.
func ChangesAnother(title string) bool { return changesAnother.MatchString(title) }

// minSubject is the minimum length, in characters, of a subject that distinguishes
// documents.
const minSubject = 6

var (
	subjectOpening = words.New(`^(?:关于|印发|转发|批转|发布|公布|下发|做好|切实做好|认真做好|进一步)+`)
	subjectEnding  = words.New(`(?:若干问题|有关问题|有关事项|有关工作|若干|实施|指导|暂行|试行|管理|工作|问题|事项|的|总体|行动)+$`)
)

// Subject returns the subject of a title: without issuer, verb, quotation marks, brackets
// and type (for 国务院关于加快发展养老服务业的若干意见, 加快发展养老服务业). It returns "" if fewer than minSubject
// characters are left.
func Subject(title string) string { return subjectOf(ParseTitle(title)) }

func subjectOf(t Title) string {
	for range 3 { // 关于印发《国务院关于…的意见》的通知: the subject is that of the inner text
		if len(t.Inner) == 0 || t.Relation == "" || t.Relation == "废止" || t.Relation == "修改" || t.Relation == "修订" {
			break
		}
		t = ParseTitle(t.Inner[0])
	}
	s := t.Subject
	if s == "" {
		s = t.Title
	}
	s = withoutTrailing(s)
	if name, base := typeOf(s); base != "" {
		s = strings.TrimSuffix(s, name)
	}
	s = subjectOpening.ReplaceAllString(s, "")
	s = subjectEnding.ReplaceAllString(withoutTrailing(s), "")
	s = strings.NewReplacer("《", "", "》", "", "“", "", "”", "", "〈", "", "〉", "", " ", "").Replace(s)
	if utf8.RuneCountInString(s) < minSubject {
		return ""
	}
	return s
}

// Implements reports whether a title implements (落实) a subject that [Subject]
// returned for a higher document's title.
func Implements(title, subject string) bool {
	return subject != "" && strings.Contains(same.Clean(title), same.Clean(subject)) && !changesAnother.MatchString(title)
}
