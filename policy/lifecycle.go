package policy

import (
	"fmt"
	"slices"
	"strings"

	"dibao/policy/cut"
	"dibao/policy/hans"
	"dibao/policy/when"
	"dibao/policy/words"
)

const (
	fullDate = `((?:19|20)\d{2})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日`
	// laterDate matches the second date of a range, which may omit what it shares with the
	// first: 2020年6月10日至23日.
	laterDate = `(?:(?:((?:19|20)\d{2})\s*年)?\s*(\d{1,2})\s*月)?\s*(\d{1,2})\s*日`
	// dateTail matches what can be between a date and the following word:
	// 2024年5月1日（星期三）下午5时前.
	dateTail = `(?:\s*[（(][^（）()]{1,10}[)）])?(?:\s*(?:上午|下午|晚)?\s*\d{1,2}\s*(?:[:：]\d{2}|时(?:\d{1,2}分)?|点(?:整)?))?\s*`
	inForce  = `(?:施行|实施|执行|生效|试行)`
	// ownForm matches how a text refers to itself after 本: 本办法, 本实施细则, 本规定.
	ownForm = `(?:[（(《]|(?:实施|暂行|管理|若干|试行|工作|补充|修订|修改|具体|专项|行政|地方性?|技术|示范|指导|总体|自治|收费|操作|执行|补助|补贴|奖励|扶持|优惠|临时|应急|司法|议事|基本|支持|政府|部门|强制性?){0,3}` +
		`(?:办法|规定|通知|意见|细则|方案|规则|公告|通告|措施|决定|条例|制度|标[准準]|文件|政策|法|令|解释|规范|规程|章程|准则|规划|纲要|计划|预案|目录|清单|指南|要点|决议|公报|批复|通报|指引|导则|机制|协定|公约|守则|名录|条款|修正案|决))`
	spanTo = `\s*(?:起|开始)?[，,]?\s*(?:至|到|—+|－|-|~|～)\s*`
	amount = `([0-9]{1,3}|[一二三四五六七八九十两]{1,3})`
)

var (
	effectiveOn = words.New(`(?:自|从|于)?\s*` + fullDate + `\s*(?:零时|0时)?(?:起|开始)\s*(?:正式|全面|开始)?` + inForce)
	// effectiveBare matches sentences without 起: 本规则自2026年5月1日施行.
	effectiveBare = words.New(`[自从]\s*` + fullDate + `\s*(?:正式)?` + inForce)
	effectiveFrom = words.New(`[自从]\s*(公布|发布|印发|颁布|下发|通过|批准|签发|发文)之日起\s*(?:满?\s*` + amount + `\s*(个工作日|个月|日|天)(?:后|之后)|满\s*` + amount + `\s*(个工作日|个月|日|天))?\s*(?:正式)?` + inForce)
	expiresAfter  = words.New(`(有效期|试行期|执行期)(?:限)?\s*(?:为|是|：|:)?\s*(?:` + amount + `\s*(年|个月)|半年)`)
	expiresOn     = words.New(`有效期(?:限)?\s*(?:为|：|:)?\s*(?:至|到|截至|截止(?:到|至)?|延长至)\s*` + fullDate + `|(?:(?:有效|执行|实施|施行)期限?(?:暂定|暂)(?:为)?(?:至|到)|(?:本` + ownForm + `|施行[，,]|之日起)(?:有效期)?(?:继续)?(?:施行|实施|执行|试行|有效)(?:至|到))\s*` + fullDate + `|` + inForce + `[，,]\s*至\s*` + fullDate + `\s*止[。；]?$`)
	validFromTo   = words.New(`(?:执行|有效|实施|施行|试行)(?:时间|期限|期)\s*(?:为|是|：|:)*\s*(?:` + amount + `\s*(?:年|个月)\s*[，,（(]\s*(?:即)?)?\s*(?:自|从|为|是|：|:)*\s*` + fullDate + spanTo + laterDate)
	fromTo        = words.New(`自\s*` + fullDate + spanTo + laterDate + `\s*(?:止)?\s*(?:期间)?` + inForce)
	inForceTo     = words.New(`自\s*` + fullDate + `\s*起\s*` + inForce + `[，,]?\s*(?:有效期)?(?:至|到)\s*` + laterDate + `\s*止?`)
	itself        = words.New(`(?:[本该此]` + ownForm + `|现予|现将|现(?:批准)?(?:公布|发布)|给你们|以上|上述)[^。；]{0,38}$`)
	ofItself      = words.New(`本(?:办法|规定|通知|意见|细则|方案|规则|公告|通告|措施|决定|条例|制度|标准|文件|政策|实施|暂行|若干|管理|计划|指南)|` + inForce + `|之日起`)
	ofALicence    = words.New(`(?:证|证书|许可|资格|资质|合同|签证|标志|保函|协议|批件|执照|备案|商标|专利|担保|保险|合格|报告)[^，。；]{0,6}$|(?:项目|课题|任务|原` + ownForm + `[^。；]{0,38})$|的[^，。；]{0,6}(?:合同|协议|证|证书|许可|资格|资质)[，,]$`)
	// ofAnother matches a document with its number, whose term the sentence is about.
	ofAnother     = words.New(`》[（(][^（）()]{4,40}[）)][^，。；]{0,4}$`)
	ofAContract   = words.New(`(?:合同|协议|协议书|证书|许可证|执照|保函|保险单|判决|裁定|决定书)[^，。；》]{0,3}$`)
	isContract    = words.New(`本(?:协议|合同|保函|保单|证书|许可|授权)`)
	announcedLost = words.New(`此文件已于` + fullDate)
)

// effectiveLabels and expiresLabels are the labels in the headline block whose values
// are these dates.
var (
	effectiveLabels = map[string]bool{"施行日期": true, "实施日期": true, "生效日期": true, "生效时间": true, "执行日期": true, "施行时间": true, "实施时间": true}
	expiresLabels   = map[string]bool{"失效日期": true, "废止日期": true, "失效时间": true, "有效期至": true, "有效期限": true}
)

// occurrence is a match in a text with what precedes it in its sentence.
type occurrence struct {
	groups   []string
	text     string // as written
	before   string // at most 40 characters on its line, without long titles
	after    string // at most 12 characters in its sentence
	sentence string
	said     map[string]string // the words of plainDates
}

// longTitle matches a title that leaves no room for the words before it: 现将《…》予以印发.
var longTitle = words.New(`《[^《》]{12,}》`)

// maxOccurrences limits the matches of one pattern that are examined.
const maxOccurrences = 200

// occurrences returns the matches of re in the paragraphs that contain a word
// of the hint, the last first; if re has a date, only matches with one.
func (u *understanding) occurrences(re *words.Regexp, hint int, dated bool) []occurrence {
	var out []occurrence
	for n := len(u.Paragraphs) - 1; n >= 0 && len(out) < maxOccurrences; n-- {
		if !u.hinted(n, hint) || dated && !u.hinted(n, hintYear) {
			continue
		}
		line := fold(u.Paragraphs[n])
		var said map[string]string
		if u.hinted(n, hintPlain) {
			line, said = plainDates(line)
		}
		written := line
		line = hans.Simplify(written) // has the same length in bytes
		for _, at := range slices.Backward(re.FindAllStringSubmatchIndex(line, maxOccurrences)) {
			o := occurrence{groups: make([]string, len(at)/2), text: written[at[0]:at[1]], said: said}
			for i := range o.groups {
				if at[2*i] >= 0 {
					o.groups[i] = line[at[2*i]:at[2*i+1]]
				}
			}
			o.before = cut.Last(longTitle.ReplaceAllString(cut.Last(line[:at[0]], 160), "《》"), 40)
			start := 0
			if i := strings.LastIndex(line[:at[0]], "。"); i >= 0 {
				start = i + len("。")
			}
			end := len(line)
			if i := strings.Index(line[at[1]:], "。"); i >= 0 {
				end = at[1] + i
			}
			o.sentence = line[start:end]
			o.after = cut.First(line[at[1]:end], 12)
			out = append(out, o)
		}
	}
	return out
}

func (o occurrence) quote() string { return "正文“" + saidAs(o.text, o.said) + "”" }

// date reads the groups of a date, beginning with the nth.
func (o occurrence) date(n int) Date { return dateOfParts(o.groups[n], o.groups[n+1], o.groups[n+2]) }

// later reads the groups of a second date, whose year or month may be missing.
func (o occurrence) later(n int, first Date) Date {
	year, month := o.groups[n], o.groups[n+1]
	if year == "" {
		year = fmt.Sprint(first.Year)
	}
	if month == "" {
		month = fmt.Sprint(int(first.Month))
	}
	d := dateOfParts(year, month, o.groups[n+2])
	if d.Before(first) {
		return Date{}
	}
	return d
}

// lifecycle finds when a document takes effect and until when it is in force.
// The last sentence that states it counts, and only if it is about the document
// itself.
func (u *understanding) lifecycle() {
	for _, l := range u.e.Labels {
		m, ok := readMoment(l.Value, u.zone)
		switch name := squeeze(l.Name); {
		case !ok:
		case effectiveLabels[name] && u.EffectiveOn.IsZero():
			u.EffectiveOn, u.EffectiveFrom = m.on, strings.TrimSpace(l.Element+" "+l.Name)
		case expiresLabels[name] && u.ExpiresOn.IsZero():
			u.ExpiresOn, u.ExpiresFrom = m.on, strings.TrimSpace(l.Element+" "+l.Name)
		}
	}
	if m := announcedLost.FindStringSubmatch(u.title.Marker); m != nil {
		u.ExpiresOn, u.ExpiresFrom = dateOfParts(m[1], m[2], m[3]), "标题“"+u.title.Marker+"”"
	}
	if u.Kind != KindDocument {
		return
	}
	u.extension()
	if u.ofTitle() || u.span() {
		return
	}
	if u.EffectiveOn.IsZero() {
		u.effective()
	}
	if u.ExpiresOn.IsZero() {
		u.expires()
	}
}

// ofTitle reads the dates in a bracket of the title: （2024年2月18日起施行，有效期至…）.
func (u *understanding) ofTitle() bool {
	m := effectiveOn.FindStringSubmatch(u.title.InForce)
	if m == nil {
		return false
	}
	from := "标题“" + u.title.InForce + "”"
	u.EffectiveOn, u.EffectiveFrom = dateOfParts(m[1], m[2], m[3]), from
	if m := expiresOn.FindStringSubmatch(u.title.InForce); m != nil {
		u.ExpiresOn, u.ExpiresFrom = dateOfParts(m[1], m[2], m[3]), from
	}
	return true
}

// span reads sentences that give both dates.
func (u *understanding) span() bool {
	for _, x := range []struct {
		re   *words.Regexp
		hint int
	}{{validFromTo, hintSpanLabel}, {inForceTo, hintOnwards}, {fromTo, hintFrom}} {
		for _, o := range u.occurrences(x.re, x.hint, true) {
			n := 1
			if x.re == validFromTo {
				n = 2 // the length of a period
			}
			first := o.date(n)
			last := o.later(n+3, first)
			own := itself.MatchString(o.before) || strings.TrimSpace(o.before) == "" || ofItself.MatchString(o.sentence)
			if first.IsZero() || last.IsZero() || !own || ofALicence.MatchString(o.before) || u.isOld(first) {
				continue
			}
			u.EffectiveOn, u.EffectiveFrom = first, o.quote()
			u.ExpiresOn, u.ExpiresFrom = last, o.quote()
			return true
		}
	}
	return false
}

// extendedTo matches the last day of an extended term: 有效期延长至2029年12月31日, 继续执行至….
var extendedTo = words.New(`(?:延长|延续|顺延|延期|执行|实施|有效|施行)(?:实施|执行|施行|有效)?(?:期|期限)?\s*(?:至|到)\s*` + fullDate + `|(?:延长|延续|顺延)[^。；]{0,20}自\s*` + fullDate + spanTo + fullDate)

// extension finds until when a text extends the term of another; it returns nothing if the
// text gives two dates.
func (u *understanding) extension() {
	if u.Kind != KindDocument || !extends.MatchString(u.Title) {
		return
	}
	var to Date
	for _, o := range append(u.occurrences(extendedTo, hintYear, true), u.inTitle(extendedTo)...) {
		on := o.date(1)
		if on.IsZero() {
			on = o.date(7)
		}
		if on.IsZero() || !to.IsZero() && to != on {
			return
		}
		to = on
	}
	u.ExtendsTo = to
}

// inTitle returns the matches of re in the headline.
func (u *understanding) inTitle(re *words.Regexp) (out []occurrence) {
	for _, m := range re.FindAllStringSubmatch(fold(u.Title), maxOccurrences) {
		out = append(out, occurrence{groups: m})
	}
	return out
}

// maxRetroactive is the maximum number of days by which a document can take effect before
// its issuing.
const maxRetroactive = 400

// isOld reports whether a date is so long before the document that it belongs to the
// document's first version.
func (u *understanding) isOld(on Date) bool {
	return !u.IssuedOn.IsZero() && on.Before(u.IssuedOn.AddDays(-maxRetroactive))
}

func (u *understanding) effective() {
	for _, p := range u.Paragraphs[:min(len(u.Paragraphs), headingLines)] {
		if m := headingEffective.FindStringSubmatch(p); m != nil && !containsAny(m[0], "修正", "修改", "修订") { // collections of laws state it above the text
			u.EffectiveOn, u.EffectiveFrom = dateOfParts(m[1], m[2], m[3]), "正文“"+m[0]+"”"
			return
		}
	}
	enacted := enactments(u.Title, u.Paragraphs)
	for _, o := range append(u.occurrences(effectiveOn, hintOnwards, true), u.occurrences(effectiveBare, hintFrom, true)...) {
		on := o.date(1)
		if on.IsZero() || !o.ofItself() && !u.callsItself(o.before) {
			continue
		}
		if u.isOld(on) || len(enacted) > 0 && on.Before(enacted[len(enacted)-1]) {
			u.FirstEffectiveOn = on // a later version repeats the sentence of the first
			return
		}
		u.EffectiveOn, u.EffectiveFrom = on, o.quote()
		return
	}
	for _, o := range u.occurrences(effectiveFrom, hintFromDay, false) {
		if !o.ofItself() {
			continue
		}
		if u.amended(enacted) {
			u.FirstEffectiveOn = u.firstPublic(enacted)
			return
		}
		if u.publishedLate(o.groups[1]) {
			return
		}
		base := u.IssuedOn
		published := u.PublishedOn
		if w := o.groups[1]; w != "印发" && w != "下发" && w != "签发" && w != "通过" && w != "批准" && !published.IsZero() &&
			!published.Before(u.IssuedOn) && (u.IssuedOn.IsZero() || published.Before(u.IssuedOn.AddDays(366))) {
			base = published
		}
		if base.IsZero() || u.IssuedOn.IsZero() && len(enacted) > 0 && enacted[len(enacted)-1].DaysUntil(base) > turnOfYear {
			if base = u.promulgated(enacted); base.IsZero() { // a collection published it much later
				return
			}
		}
		u.EffectiveOn, u.EffectiveFrom = base, o.quote()
		for _, g := range []int{2, 4} {
			if n, ok := number(o.groups[g]); ok && o.groups[g] != "" {
				u.EffectiveOn, _ = after(base, n, o.groups[g+1])
			}
		}
		return
	}
}

// publishedLate reports whether the day of publication in a text (公布之日) is not that of the
// page: the number is of an earlier year, and nothing says that the text was issued shortly
// before.
func (u *understanding) publishedLate(from string) bool {
	year := numberYearOf(u.DocumentNumber)
	if year == 0 || u.PublishedOn.IsZero() || year >= u.PublishedOn.Year || from == "印发" || from == "下发" || from == "签发" {
		return false
	}
	return u.IssuedOn.IsZero() || u.IssuedOn.DaysUntil(u.PublishedOn) > turnOfYear
}

// turnOfYear is the maximum number of days between the issue of a text at the end of a year
// and its publication in the next year.
const turnOfYear = 31

// ofItself reports whether the sentence is about the document itself: not about a contract,
// nor about the subject of a bracket or another sentence.
func (o occurrence) ofItself() bool {
	if strings.LastIndexAny(o.before, "（(") > strings.LastIndexAny(o.before, "）)") || strings.HasPrefix(o.after, "的") || strings.HasPrefix(o.after, "以来") || strings.HasPrefix(o.after, "前") || strings.HasPrefix(o.after, "之前") || ofAContract.MatchString(o.before) {
		return false
	}
	if at := itself.FindStringIndex(o.before); at != nil {
		return !anotherPart.MatchString(o.before[at[0]:]) // 本法自…起施行，但第十五条自…
	}
	return standsAlone(o.before)
}

var anotherPart = words.New(`起` + inForce + `[^。；]*$`)

// amended reports whether a text is a later version that repeats earlier sentences: its
// heading says that a decision changed parts of it, or it was issued long after the last
// day in the heading.
func (u *understanding) amended(enacted []Date) bool {
	if len(enacted) == 0 {
		return false
	}
	last := enacted[len(enacted)-1]
	if !u.IssuedOn.IsZero() && last.Before(u.IssuedOn.AddDays(-maxRetroactive)) {
		return true
	}
	if len(enacted) == 1 {
		return false
	}
	head := fold(strings.Join(u.Paragraphs[:min(len(u.Paragraphs), headingLines)], "\n"))
	if days := u.publicDays(); len(days) == 1 && days[0] == last && !containsAny(head, "修正", "修订", "修改") {
		return false // the last day in the heading is the day of publication
	}
	for _, at := range enactment.FindAllStringSubmatchIndex(head, -1) {
		if dateOfParts(head[at[2]:at[3]], head[at[4]:at[5]], head[at[6]:at[7]]) != last {
			continue
		}
		what, _, _ := strings.Cut(head[at[1]:], "\n")
		what = cut.First(what, headingForward)
		if containsAny(what, "决定》", "决定〉", "修正", "修改") || !strings.Contains(what, "修订") {
			return true
		}
	}
	return false
}

// firstPublic returns the first day in a heading, if the text was published on it.
func (u *understanding) firstPublic(enacted []Date) Date {
	if len(enacted) < 2 || len(u.publicDays()) == 0 {
		return Date{}
	}
	return enacted[0]
}

// promulgated returns when a text without other dates was published, according to its
// heading. The day of the meeting that adopted it does not count.
func (u *understanding) promulgated(enacted []Date) Date {
	days := u.publicDays()
	if len(enacted) == 0 || len(days) == 0 || days[len(days)-1] != enacted[len(enacted)-1] {
		return Date{}
	}
	return days[len(days)-1]
}

// publicDays returns the sorted days on which the text was published according to its
// heading.
func (u *understanding) publicDays() (days []Date) {
	head := fold(strings.Join(u.Paragraphs[:min(len(u.Paragraphs), headingLines)], "\n"))
	for _, at := range enactment.FindAllStringSubmatchIndex(head, maxOccurrences) {
		if !publicWord.MatchString(cut.First(head[at[1]:], contextChars+10)) {
			continue
		}
		if on := dateOfParts(head[at[2]:at[3]], head[at[4]:at[5]], head[at[6]:at[7]]); !on.IsZero() {
			days = append(days, on)
		}
	}
	slices.SortFunc(days, Date.Compare)
	return days
}

// publicWord matches words that say that the text was published on a date of the heading:
// laws that the National People's Congress passes are promulgated on the same day. A text
// adopted by a meeting (通过，现予公布) was published later.
var publicWord = words.New(`^[^\n，。；通]{0,40}(?:公布|发布|颁布)|^[^\n]{0,40}全国人民代表大会[^\n]{0,40}通过`)

// headingLines is the number of lines in which the date of entry into force can be on its
// own.
const headingLines = 8

var headingEffective = words.New(`^[（(]?(?:[^。；]{0,60}(?:公布|发布|颁布|通过|批准)[，,；;]?\s*)?(?:自)?\s*` + fullDate + `\s*起?` + inForce + `[)）]?$`)

// standsAlone reports whether a sentence begins here: that of an article that consists only
// of 自…起施行.
func standsAlone(before string) bool {
	before = strings.TrimSpace(before)
	return before == "" || articleNumber.MatchString(before)
}

var articleNumber = words.New(`^第[一二三四五六七八九十百零〇\d]+条$|^[一二三四五六七八九十]+、$`)

// ownName matches the short name of what a notice issues: 一、《指南》自….
var ownName = words.New(`^(?:第[一二三四五六七八九十百零〇\d]+条|[一二三四五六七八九十]+、)?\s*《(\p{Han}{2,8})》\s*$`)

// callsItself reports whether the words before a date are the short name of the document
// whose full name is in the title.
func (u *understanding) callsItself(before string) bool {
	m := ownName.FindStringSubmatch(strings.TrimSpace(before))
	return m != nil && u.title.Relation != "" && strings.Contains(hans.Simplify(u.Title), m[1])
}

func (u *understanding) expires() {
	for _, o := range u.occurrences(expiresOn, hintSpanLabel, true) {
		if ofItself.MatchString(o.sentence) && !isContract.MatchString(o.sentence) && !ofALicence.MatchString(o.before) && !strings.HasPrefix(o.after, "的") && !strings.HasSuffix(o.before, "》") && !ofAnother.MatchString(o.before) {
			for n := 1; n < len(o.groups) && u.ExpiresOn.IsZero(); n += 3 {
				u.ExpiresOn, u.ExpiresFrom = o.date(n), o.quote()
			}
			return
		}
	}
	for _, o := range u.occurrences(expiresAfter, hintTerm, false) {
		n, ok := number(o.groups[2])
		unit := o.groups[3]
		if o.groups[2] == "" { // 半年
			n, unit, ok = 6, "个月", true
		}
		if !ok || n == 0 || n > 50 || u.EffectiveOn.IsZero() || !ofItself.MatchString(o.sentence) || ofALicence.MatchString(o.before) {
			continue
		}
		e := u.EffectiveOn
		end := when.MakeDate(e.Year+n, int(e.Month), e.Day)
		if unit == "个月" {
			end, _ = after(e, n, unit)
		}
		if end.IsZero() { // 29 February
			end = when.MakeDate(e.Year+n, int(e.Month)+1, 1)
		}
		u.ExpiresOn, u.ExpiresFrom = end.AddDays(-1), o.quote()
		return
	}
}
