package policy

import (
	"strings"
	"unicode/utf8"

	"dibao/policy/cut"
	"dibao/policy/words"
)

var (
	legislativePlan = words.New(`立法(?:工作)?(?:计划|规划)|(?:规章|重大行政决策|规范性文件)(?:制定|起草|立项)?(?:工作)?计划`)
	planAction      = words.New(`[（(]\s*(修订|修改|修正|废止|制定|新制定)\s*[)）]$`)
	planNumber      = words.New(`^[（(]?(?:\d{1,3}|[一二三四五六七八九十]{1,3})[)）.．、\s]+`)
)

// rulesOfPlans are the types of rules that a legislative plan announces.
var rulesOfPlans = []string{"条例", "办法", "规定", "细则", "规则", "法", "决定"}

// planned finds the announcements of a legislative plan: lines that consist
// only of the title of a rule, with （修订） or （废止） after it or in the
// next line.
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

var (
	workReport = words.New(`政府工作报告(?:[（(].{0,30}[）)])?$`)
	yearsWork  = words.New(`^(?:[一二三四五六七八九十]{1,2}、|第[一二三四]部分)?\s*(今年|20\d{2}年|新的一年).{0,12}(?:工作|任务|安排|部署)`)
	reportRule = words.New(`(?:制定出台|制定实施|出台实施|编制实施|推动出台|制定|出台|修订)(?:《([^《》]{4,60})》|([“\p{Han}][\p{Han}“”、0-9A-Za-z]{2,40}?(?:条例|办法|规定|实施意见|意见|行动方案|实施方案|方案|规划纲要|规划|实施细则|细则|行动计划)))[，。；、]`)
)

// reportPromises finds the announcements in a government's work report: rules to be made,
// after the heading of this year's work. The report begins with what was done.
func (u *understanding) reportPromises() {
	begin := -1
	for i, p := range u.Paragraphs {
		if utf8.RuneCountInString(cut.First(p, 40)) >= 30 || containsAny(p, "回顾", "总结", "成绩", "过去", "报告") {
			continue
		}
		if m := yearsWork.FindStringSubmatch(p); m != nil && (m[1][0] != '2' || strings.Contains(u.Title, m[1])) {
			begin = i
			break
		}
	}
	if begin < 0 {
		return
	}
	for _, p := range u.Paragraphs[begin+1:] {
		for _, m := range reportRule.FindAllStringSubmatch(p, maxSetsOfMarks) {
			title := firstText(m[1], m[2])
			if name, base := typeOf(withoutTrailing(title)); base == "" || title == name || utf8.RuneCountInString(title) < 5 {
				continue
			}
			u.cite(Citation{Title: title, Status: StatusPromised})
		}
	}
}
