package policy

import (
	"strings"
	"unicode/utf8"

	"dibao/policy/cut"
	"dibao/policy/label"
	"dibao/policy/words"
)

// noCredit matches values of 来源 that do not name anybody.
var noCredit = map[string]bool{
	"未知": true, "无": true, "其他": true, "其它": true, "佚名": true, "不详": true, "-": true, "--": true, "网络": true, "网络整理": true, "综合整理": true, "综合": true, "公告": true, "通知": true, "通知公告": true, "admin": true, "管理员": true, "超级管理员": true, "系统管理员": true, "网站管理员": true, "administrator": true, "编辑部": true, "网友": true, "匿名": true,
}

var ownCredit = map[string]bool{"本网": true, "本站": true, "本网站": true, "原创": true, "本站原创": true}

// issueOf matches a periodical with its issue: 《样例经济》2026年第6期.
var issueOf = words.New(`^《([^《》]{2,30})》[\s，,（(]*(?:19|20)\d{2}年?(?:第?\d{1,3}期|\d{1,2}月.{0,12}|第\d+卷.{0,10})?[)）]?$`)

// cleanCredit returns a source, or "" if it does not name anybody.
func cleanCredit(s string) string {
	s = strings.TrimSpace(s)
	if m := issueOf.FindStringSubmatch(s); m != nil {
		s = m[1]
	}
	for _, pair := range []string{"《》", "[]", "【】"} {
		open, end := cut.First(pair, 1), cut.Last(pair, 1)
		if inner, ok := strings.CutPrefix(s, open); ok && !strings.Contains(strings.TrimSuffix(inner, end), end) || strings.HasSuffix(s, end) && !strings.Contains(s, open) {
			s = strings.TrimSpace(strings.TrimSuffix(inner, end))
		}
	}
	if noCredit[strings.ToLower(s)] {
		return ""
	}
	return s
}

// credit reads 来源: the label, or else the meta element. "本站" means the site itself.
func (u *understanding) credit() {
	value := ""
	for _, l := range u.e.Labels {
		if label.KindOf(l.Name) == label.Source && value == "" {
			value = cleanCredit(l.Value)
			if c := ReadCredit(value); c.Role && c.Medium != "" || c.namesBoth() { // 样报记者 王样, 样网 王样例
				value = c.Medium
			}
		}
	}
	for _, p := range u.e.Meta {
		if value == "" && strings.EqualFold(p.Name, "ContentSource") {
			value = cleanCredit(p.Content)
		}
	}
	if ownCredit[value] {
		value = u.siteName()
	}
	if utf8.RuneCountInString(value) <= 40 && value != u.Title {
		u.Credit = value
	}
}

func (u *understanding) siteName() string {
	for _, p := range u.e.Meta {
		if strings.EqualFold(p.Name, "SiteName") {
			return p.Content
		}
	}
	return u.e.SiteName
}
