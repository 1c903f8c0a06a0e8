package call

import (
	"slices"
	"strings"
	"unicode/utf8"

	"dibao/policy/deadline"
	"dibao/policy/hans"
	"dibao/policy/when"
	"dibao/policy/words"
)

// ChangeKind is how a later notice changes a call.
type ChangeKind string

// The kinds of changes.
const (
	ChangeMoved        ChangeKind = "moved"        // 延期, 延长…时间, 调整…时间
	ChangeCorrected    ChangeKind = "corrected"    // 更正, 变更, 勘误, 澄清
	ChangeSupplemented ChangeKind = "supplemented" // 补充通知, 补遗, 答疑
	ChangeSuspended    ChangeKind = "suspended"    // 暂停, 中止
	ChangeCanceled     ChangeKind = "canceled"     // 取消, 终止
)

// Change is what a notice says about an earlier call. Fields that the text does not
// state are empty.
type Change struct {
	Kind     ChangeKind
	Until    when.Date // the new last day for readers; zero if the text states none
	Evidence string    // the sentence that states Until; without one, the title
	Titles   []string  // titles in 《》, those in the title first
	Projects []string  // numbers of projects, in canonical form
	Names    []string  // what the call is about: subjects and names of projects
}

// changes are recognized by titles; the first that matches counts.
var changes = []struct {
	kind  ChangeKind
	words *words.Regexp
}{
	// Excludes results, and notices about successful applicants.
	{"", words.New(`中标|成交|结果|候选人|合同|名单|入围|获奖|资格|称号|资质|证书|许可|营业执照|登记|注册|名称变更|地址变更|法定代表人|解读|答记者问|综述|的决定$`)},
	{ChangeCanceled, words.New(`^(?:关于)?(?:取消|终止|撤销|停止)|(?:关于|的)(?:取消|终止|撤销|停止)|(?:取消|终止|撤销)(?:采购|招标|征集|申报|评选|活动|项目)?(?:的?(?:公告|通知|公示|通告|说明|函)|$|[)）】])`)},
	{ChangeSuspended, words.New(`^(?:关于)?(?:暂停|中止)|(?:关于|的)(?:暂停|中止)|(?:暂停|中止)(?:采购|招标|征集|申报)?(?:的?(?:公告|通知|公示|通告|说明)|$|[)）】])`)},
	{ChangeMoved, words.New(`延期|延长|顺延|推迟|延后|推后|(?:调整|变更)[^《》]{0,30}(?:时间|日期|期限)|(?:时间|日期|期限)(?:的)?(?:调整|变更)`)},
	{ChangeCorrected, words.New(`更正|勘误|澄清|变更(?:的?(?:公告|通知|公示|通告|说明)|$|[)）】])|(?:关于|的)(?:变更|修改|修正)|(?:修改|修正)(?:的?(?:公告|通知|公示|通告|说明)|$)`)},
	{ChangeSupplemented, words.New(`补充(?:公告|通知|公示|通告|说明|文件|事项)|补遗|答疑|(?:关于|的)补充|补充(?:$|[)）】])`)},
}

var (
	// changing matches the words of a title that describe the change and not its subject.
	changing = words.New(`(?:第?[一二三四五六七八九十0-9]{0,3}次|再次|二次)?(?:更正|变更|延期|延长|顺延|推迟|延后|推后|调整|补充|补遗|澄清|答疑|勘误|修改|修正|取消|终止|撤销|停止|暂停|中止)(?:事项|采购|招标|受理)?`)
	// timing matches the word after the subject for what is moved: 申报时间, 投标截止时间.
	timing = words.New(`(?:的)?(?:申报|报名|征集|投标|开标|申请|受理|提交|递交|填报|投稿|响应文件|反馈|评选)*(?:的)?(?:截止|起止)?(?:时间|日期|期限)(?:至[^的]{0,16})?`)
	// papersOf matches tender documents that are corrected: 招标文件(第2号).
	papersOf = words.New(`(?:招标|采购|磋商)?(?:文件|公告)(?:\(第?[0-9一二三四五六七八九十]+[号次]\))?$`)
	// own matches the actions of readers before a day that is moved.
	own = words.New(`申报|报名|申请|提交|递交|征集|投稿|填报|反馈|截止`)
	// named matches labels before the name of a project: 原公告的采购项目名称:…
	named = words.New(`(?:项目|标段|活动|课题)名称\s*:\s*([^,;。\s][^;。\n]{3,80})`)
	// projects matches labels before the number of a project.
	projects = words.New(`(?:项目|采购|招标|标段|磋商|询价|计划)(?:项目|文件)?(?:编号|编码|代码|编码号)\s*:?\s*([A-Za-z0-9\[(〔【][A-Za-z0-9()〔〕【】\[\]\-—_/.,年第号]{4,60})`)
)

// Limits on what identifies a call.
const (
	maxNames    = 8
	maxTitles   = 12
	minName     = 6 // characters
	maxTitleLen = 120
)

// ReadChange reads a notice that changes a call: its title, its paragraphs, and the day
// from which days without a year are counted. It reports false for texts that do not change
// a call, or whose title does not say so.
func ReadChange(title string, paragraphs []string, published when.Date) (Change, bool) {
	printed := strings.TrimSpace(strings.ToValidUTF8(firstBytes(title, maxParagraph), ""))
	title = plain(printed)
	c := Change{Kind: changeOf(title), Evidence: printed}
	if c.Kind == "" {
		return Change{}, false
	}
	r := reading{call: &Call{}, title: title, terms: deadline.Reader{Title: title, Asks: true, From: published}}
	r.split([]Part{{"", paragraphs}})
	c.Titles = titlesIn(title)
	for _, l := range r.lines {
		for _, t := range titlesIn(l.text) {
			if len(c.Titles) < maxTitles && !slices.Contains(c.Titles, t) {
				c.Titles = append(c.Titles, t)
			}
		}
	}
	c.Projects, c.Names = projectsOf(r.lines), namesOf(r.lines)
	if s := Name(changedSubject(title)); s != "" && !slices.Contains(c.Names, s) {
		c.Names = append(c.Names, s)
	}
	if c.Kind != ChangeCanceled {
		c.Until, c.Evidence = r.movedTo(c.Kind, printed)
	}
	return c, true
}

// changeOf returns the kind of change to an earlier call that a title states, "" if there
// is none.
func changeOf(title string) ChangeKind {
	for _, k := range changes {
		if k.words.MatchString(titles.ReplaceAllString(title, "")) {
			return k.kind
		}
	}
	return ""
}

// movedTo returns the new last day for readers, with its sentence; the zero Date if the
// text names none or several.
func (r reading) movedTo(kind ChangeKind, otherwise string) (until when.Date, evidence string) {
	for _, l := range r.lines {
		if !strings.Contains(l.text, "月") {
			continue
		}
		for _, d := range r.terms.Days(l.text, l.above) {
			if !d.Moved || !d.Ours && !(kind == ChangeMoved && own.MatchString(d.Left)) {
				continue
			}
			if !until.IsZero() && until != d.Last {
				return when.Date{}, otherwise
			}
			until, evidence = d.Last, l.sentence(d.At, min(d.At+len(d.Text), len(l.text)))
		}
	}
	if until.IsZero() {
		return until, otherwise
	}
	return until, evidence
}

// changedSubject returns the subject that a title says is changed: for
// 关于延长2026年度样例项目申报时间的通知, 2026年度样例项目.
func changedSubject(title string) string {
	if t := titlesIn(title); len(t) > 0 {
		return subject(t[0], kindOf(t[0]))
	}
	t := changing.ReplaceAllString(title, "")
	if i := outside(t, "关于"); i >= 0 {
		t = t[i:]
	}
	t = timing.ReplaceAllString(t, "")
	return papersOf.ReplaceAllString(subject(t, kindOf(title)), "")
}

// Name returns the name of a call in a form for comparison, "" if it is too short to
// identify the call.
func Name(s string) string {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\u3000\"'“”‘’《》〈〉「」()[]【】〔〕,.、:-—_·|", r) {
			return -1
		}
		return r
	}, strings.ToLower(plain(s)))
	if utf8.RuneCountInString(s) < minName {
		return ""
	}
	return s
}

// Identity returns what identifies a call other than its title: numbers of projects and
// names, as [Change] has them.
func Identity(c Call, paragraphs []string) (projects, names []string) {
	r := reading{call: &Call{}}
	r.split([]Part{{"", paragraphs}})
	names = namesOf(r.lines)
	if s := Name(c.Subject.Value); s != "" && !slices.Contains(names, s) {
		names = append(names, s)
	}
	return projectsOf(r.lines), names
}

func titlesIn(text string) (all []string) {
	for _, m := range titles.FindAllString(text, maxTitles) {
		if t := strings.Trim(m, "《》"); utf8.RuneCountInString(t) >= minName && len(t) <= maxTitleLen*3 {
			all = append(all, t)
		}
	}
	return all
}

func namesOf(lines []line) (all []string) {
	for _, l := range lines {
		if len(all) == maxNames {
			break
		}
		if !strings.Contains(l.text, "名称") {
			continue
		}
		if m := named.FindStringSubmatch(l.text); m != nil {
			if s := Name(m[1]); s != "" && !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	return all
}

// projectsOf returns the numbers of projects in a text, in canonical form.
func projectsOf(lines []line) (all []string) {
	for _, l := range lines {
		if !strings.Contains(l.text, "编号") && !strings.Contains(l.text, "编码") && !strings.Contains(l.text, "代码") {
			continue
		}
		for _, m := range projects.FindAllStringSubmatch(l.text, maxNames) {
			if s := projectNumber(m[1]); s != "" && len(all) < maxNames && !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	return all
}

// projectNumber returns a number in canonical form; "" if it has too few digits.
func projectNumber(s string) string {
	digits := 0
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9':
			digits++
			return r
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z' || r == '年' || r == '第' || r == '号':
			return r
		}
		return -1
	}, hans.Simplify(s))
	if digits < 4 {
		return ""
	}
	return s
}
