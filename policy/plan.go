package policy

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

var (
	legislativePlan = regexp.MustCompile(`立法(?:工作)?(?:计划|规划)|(?:规章|重大行政决策|规范性文件)(?:制定|起草|立项)?(?:工作)?计划`)
	planAction      = regexp.MustCompile(`[（(]\s*(修订|修改|修正|废止|制定|新制定)\s*[)）]$`)
	planNumber      = regexp.MustCompile(`^[（(]?(?:\d{1,3}|[一二三四五六七八九十]{1,3})[)）.．、\s]+`)
)

// rulesOfPlans are the types that a legislative plan promises.
var rulesOfPlans = []string{"条例", "办法", "规定", "细则", "规则", "法", "决定"}

// planned finds what a legislative plan promises: lines that are nothing but the
// title of a rule, with （修订） or （废止） behind it or in the next line.
func (u *understanding) planned() {
	for i, p := range u.Paragraphs {
		title := strings.Trim(planNumber.ReplaceAllString(strings.TrimSpace(p), ""), "《》 ")
		if n := utf8.RuneCountInString(title); n < 6 || n > 60 || strings.ContainsAny(title, "，。；：") {
			continue
		}
		action := ""
		if m := planAction.FindStringSubmatchIndex(title); m != nil {
			action, title = title[m[2]:m[3]], strings.Trim(title[:m[0]], "《》 ")
		} else if i+1 < len(u.Paragraphs) {
			if next := strings.TrimSpace(u.Paragraphs[i+1]); planAction.MatchString(next) && utf8.RuneCountInString(next) <= 6 {
				action = planAction.FindStringSubmatch(next)[1]
			}
		}
		if !isRule(title) || strings.Contains(title, "立法") || sameWords(title, u.Title) {
			continue
		}
		c := Citation{Title: title, Status: StatusPromised}
		switch action {
		case "修订", "修改", "修正":
			c.Relation = RelationAmends
		case "废止":
			c.Relation = RelationRepeals
		}
		u.cite(c)
	}
}

// isRule reports whether a title is that of a rule.
func isRule(title string) bool {
	title = withoutTrailing(title)
	for _, end := range rulesOfPlans {
		if strings.HasSuffix(title, end) {
			return true
		}
	}
	return false
}
