package call

import (
	"slices"

	"dibao/policy/when"
	"dibao/policy/words"
)

var (
	guideWords = words.New(`指南|通知|办法|细则|规则|公告|方案|(?:申报|申请|认定|评选|推荐|征集|报名|遴选|支持)(?:条件|要求|说明|标准)`)
	// formWords are in the titles of results, and of documents that applicants or
	// intermediate bodies fill in.
	formWords = words.New(`申报书|申请书|任务书|表(?:$|[(.\d格及和])|汇总|承诺|名单|清单|目录|模板|模版|格式|范本|样本|样式|提纲|授权|委托|证明|回执|操作(?:指南|手册)|结果|公示`)
	// ruleWords are in the titles of rules, whose days recur every year.
	ruleWords = words.New(`办法|细则|规则`)
)

// IsGuide reports whether the title of an attached file sounds like the guide,
// the conditions or the rules of a call, not like a form or a list.
func IsGuide(title string) bool {
	title = plain(title)
	return guideWords.MatchString(title) && !formWords.MatchString(title)
}

// LacksGuide reports whether a notice calls for applications and does not state the
// deadline, who may apply, or what they get.
func LacksGuide(title string, paragraphs []string, published when.Date) bool {
	c, _ := Extract(title, paragraphs, published)
	switch c.Kind {
	case KindApplication, KindCollection, KindSelection:
		w := c.Who
		return len(c.Steps) == 0 || len(c.Benefits) == 0 || len(w.Entities)+len(w.Qualifications)+len(w.Thresholds) == 0
	}
	return false
}

// ExtractGuided reads a notice together with the guides attached to it, as [ExtractParts]
// does. The days of a guide count only if the notice states none, and not if they are
// before the day of publication: a guide may be from an earlier year or from a higher body.
func ExtractGuided(title string, notice, guides []Part, published when.Date) (Call, bool) {
	own, ok := ExtractParts(title, notice, published)
	if len(guides) == 0 || own.Kind == "" {
		return own, ok
	}
	c, _ := ExtractParts(title, slices.Concat(notice, guides), published)
	outdated := func(s Step) bool {
		if !slices.ContainsFunc(guides, func(g Part) bool { return g.Name == s.In }) {
			return false
		}
		return len(own.Steps) > 0 || published.IsZero() || s.Last.Before(published) || ruleWords.MatchString(s.In)
	}
	c.Steps, c.ByOthers = slices.DeleteFunc(c.Steps, outdated), slices.DeleteFunc(c.ByOthers, outdated)
	return c, c.says()
}
