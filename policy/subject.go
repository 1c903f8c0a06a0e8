package policy

import (
	"strings"
	"unicode/utf8"

	"dibao/internal/lazyregexp"
)

// changesAnother is a title of what ends, extends or changes another text on the
// same matter, or explains it: that takes nothing up.
var changesAnother = lazyregexp.New(`(?:关于|决定)(?:宣布|同意|继续|适当|部分)?(?:废止|修改|修订|修正|延长|延续|顺延|停止|暂停|终止|取消|失效|继续执行|继续实施|公布.{0,12}清理)|(?:废止|失效|有效期|执行期限)(?:限)?的?(?:通知|决定|公告|通告)$|解读|答记者问|图解`)

// ChangesAnother reports whether a title is of what ends, extends or changes another text.
func ChangesAnother(title string) bool { return changesAnother.MatchString(title) }

// minSubject is how many characters a subject has at least to tell documents apart.
const minSubject = 6

var (
	subjectOpening = lazyregexp.New(`^(?:关于|印发|转发|批转|发布|公布|下发|做好|切实做好|认真做好|进一步)+`)
	subjectEnding  = lazyregexp.New(`(?:若干问题|有关问题|有关事项|有关工作|若干|实施|指导|暂行|试行|管理|工作|问题|事项|的|总体|行动)+$`)
)

// Subject returns what a title is about: without issuer, verb, quotation marks,
// brackets and type (国务院关于加快发展养老服务业的若干意见 is 加快发展养老服务业). It is "" where
// fewer than six characters are left: too few to find what implements it.
func Subject(title string) string { return subjectOf(ParseTitle(title)) }

func subjectOf(t Title) string {
	for range 3 { // 关于印发《国务院关于…的意见》的通知: what is carried counts
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

// Implements reports whether a title takes up a subject that [Subject] returned of
// a higher document's title (落实).
func Implements(title, subject string) bool {
	return subject != "" && strings.Contains(cleanForComparison(title), cleanForComparison(subject)) && !changesAnother.MatchString(title)
}
