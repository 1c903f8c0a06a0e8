package policy

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	deadlineWithin = regexp.MustCompile(`自\s*(?:本)?(?:公告|公示|通知|通告|征求意见稿)?\s*(?:发布|公布|刊登|印发|公示|公告)之日起\s*` + amount + `\s*(个工作日|个自然日|日|天)(?:之)?内`)
	// deadlineTerm gives only how long: 公示期为5个工作日.
	deadlineTerm = regexp.MustCompile(`(公示|征求意见|意见征集|公告)(?:期限|期|时间)\s*(?:为|是|：|:)?\s*(?:自[^。，]{0,12}起)?\s*` + amount + `\s*(个工作日|个自然日|日|天)`)
)

// asksFor are the words of texts that ask something of their readers.
var asksFor = []string{"意见", "反馈", "报送", "申报", "提出", "报名", "建议", "来函", "来信", "函告", "上报", "寄送", "寄至", "送至", "日前报"}

// asksAway are further words of what is to be sent to the issuer.
var asksAway = []string{"逾期", "公示", "征集", "受理", "截止", "截稿", "起止", "填报", "提交", "递交", "报省", "报我", "报市", "报部", "发送", "发至", "送至", "推荐", "反映", "邮寄"}

// asksOpinion are those of consultations. A draft itself says what is to be
// reported until when.
var asksOpinion = []string{"意见", "反馈", "建议", "来函", "来信", "函告", "寄送", "寄至", "送至"}

// asksToo are those of texts whose title asks.
var asksToo = append([]string{"推荐", "申请", "填报", "提交", "递交"}, asksFor...)

// asksTitle are the words of titles that ask. 意见 alone is only a type of document.
var asksTitle = []string{"征求", "征集", "申报", "报名", "报送", "公示", "反馈", "遴选", "招募", "推荐", "征询", "招聘", "招考", "征文", "征稿", "评选", "选拔", "填报"}

// contextChars is how near to a date must stand what is asked for, in characters.
const contextChars = 30

// deadlineLabels and opensLabels are those of consultation lists and pages.
var (
	deadlineLabels = map[string]bool{"截止日期": true, "截止时间": true, "结束时间": true, "结束日期": true, "征集截止时间": true, "反馈截止时间": true, "意见反馈截止时间": true, "征求意见截止时间": true, "截止日": true}
	opensLabels    = map[string]bool{"开始时间": true, "开始日期": true, "发起时间": true, "征集开始时间": true}
	windowLabels   = map[string]bool{"征集时间": true, "征求意见时间": true, "起止时间": true, "起止日期": true, "征集期限": true, "公示时间": true, "公示期": true, "征求意见期限": true}
)

// window is what a text says of the time in which comments or applications are
// taken: dates with what says so.
type window struct {
	opens, ends map[Date]string
}

func (w window) opensOn(d Date, quote string) {
	if !d.IsZero() {
		w.opens[d] = quote
	}
}

// deadline finds from when and until when comments or applications are taken.
// Two different dates are withheld: neither the earlier nor the later may be
// believed.
func (u *understanding) deadline() {
	asks := u.Kind == KindConsultation || containsAny(u.Title, asksTitle...)
	w := window{make(map[Date]string), make(map[Date]string)}
	end := func(d Date, quote string) {
		if !d.IsZero() && !d.Before(u.made()) {
			w.ends[d] = quote
		}
	}
	if u.Kind == KindConsultation || asks {
		u.windowLabels(w, end)
	}
	u.windowOf(u.Title, "", "标题", asks, w, end)
	heading := ""
	for i, p := range u.Paragraphs {
		if u.hinted(i, hintDates) && (asks || heading != "" || u.hinted(i, hintAsks)) {
			u.windowOf(p, heading, "正文", asks, w, end)
		}
		heading = ""
		if len(p) <= longestTermHeading && windowHeading.MatchString(p) {
			heading = p
		}
	}
	switch len(w.ends) {
	case 0:
	case 1:
		for d, from := range w.ends {
			u.DeadlineOn, u.DeadlineFrom = d, from
		}
	default:
		u.warn("page and text name more than one deadline; none is shown")
		return
	}
	if len(w.opens) != 1 {
		return
	}
	for d, from := range w.opens {
		if u.DeadlineOn.IsZero() || !u.DeadlineOn.Before(d) {
			u.OpensOn, u.OpensFrom = d, from
		}
	}
}

// made is the day before which a text sets no terms.
func (u *understanding) made() Date {
	if u.IssuedOn.IsZero() {
		return u.PublishedOn
	}
	return u.IssuedOn
}

// term is what a sentence gives: a last day and, where it says so, a first.
type term struct {
	first, last Date
	text        string
}

// termsOf returns the terms of a paragraph. others says that the text gave one
// before: written out, it says it better than a day without a year.
func (u *understanding) termsOf(p, heading string, asks, others bool) (all []term) {
	for _, m := range u.mentions(p, heading, asks) {
		if m.yearless && others {
			continue
		}
		if first, last, ok := u.window(m); ok {
			all = append(all, term{first, last, m.text})
		}
	}
	return all
}

// windowLabels reads what the headline block says.
func (u *understanding) windowLabels(w window, end func(Date, string)) {
	for _, l := range u.e.Labels {
		name := squeeze(l.Name)
		from := strings.TrimSpace(l.Element + " " + l.Name)
		switch {
		case deadlineLabels[name]:
			if m, ok := readMoment(l.Value, u.zone); ok {
				end(m.on, from)
			}
		case opensLabels[name]:
			if m, ok := readMoment(l.Value, u.zone); ok {
				w.opensOn(m.on, from)
			}
		case windowLabels[name]:
			first, rest, ok := cutAny(fold(l.Value), "至", "到", "—", "～", "~", " - ")
			a, okA := readMoment(first, u.zone)
			b, okB := readMoment(rest, u.zone)
			if ok && okA && okB && !b.on.Before(a.on) {
				w.opensOn(a.on, from)
				end(b.on, from)
			}
		}
	}
}

// windowOf reads one paragraph. asks says whether the whole text asks for
// something; else only what stands beside such a word counts. heading is the line
// before, if it says what the paragraph is about: 报名时间.
func (u *understanding) windowOf(p, heading, where string, asks bool, w window, end func(Date, string)) {
	p = fold(p)
	var said map[string]string
	if hasOtherDate(p) {
		p, said = plainDates(p)
	}
	quote := func(s string) string { return where + "“" + strings.TrimSpace(saidAs(s, said)) + "”" }
	terms := u.termsOf(p, heading, asks, len(w.ends) > 0)
	for _, x := range terms {
		if x.last.Before(u.made()) { // of several groups some of whose days are over
			terms = nil
		}
	}
	for _, x := range terms {
		w.opensOn(x.first, quote(x.text))
		end(x.last, quote(x.text))
	}
	if !asks || u.PublishedOn.IsZero() || len(w.ends) > 0 {
		return
	}
	for _, x := range []struct {
		re    *regexp.Regexp
		hints []string
	}{{deadlineWithin, []string{"之日起"}}, {deadlineTerm, []string{"公示期", "公示时间", "征求意见期", "征求意见时间", "意见征集期", "公告期", "公告时间", "意见征集时间"}}} {
		for _, o := range u.near(x.re, p, x.hints...) {
			count, unit := o.groups[len(o.groups)-2], o.groups[len(o.groups)-1]
			n, ok := number(count)
			if !ok || n == 0 || !o.asks && x.re == deadlineWithin || x.re == deadlineTerm && !u.isFor(o.groups[1]) {
				continue
			}
			d, exact := after(u.PublishedOn, n, unit)
			from := quote(o.groups[0])
			if !exact {
				from += "（节假日安排未公布，按周末估算）"
			}
			w.opensOn(u.PublishedOn, from)
			end(d, from)
			return
		}
	}
}

// isFor reports whether the text is what a term is set for: the 公示期 in a call for
// applications begins when there is something to show.
func (u *understanding) isFor(what string) bool {
	return u.Kind == KindConsultation || strings.Contains(u.Title, what)
}

// nextDay returns the first such day from the publication on, if it comes within
// the half year in which terms end. Where the publication is not known, the issue
// counts.
func (u *understanding) nextDay(month, day string) Date {
	from := u.PublishedOn
	if from.IsZero() {
		from = u.IssuedOn
	}
	for year := from.Year; year <= from.Year+1 && !from.IsZero(); year++ {
		d := dateOfParts(fmt.Sprint(year), month, day)
		if !d.IsZero() && !d.Before(from) && d.Before(from.AddDays(longestTerm)) {
			return d
		}
	}
	return Date{}
}

// longestTerm is how many days ahead a day without a year may lie.
const longestTerm = 183

var (
	// donePart follows the day until which something is to be done, which is no
	// day to ask for anything.
	donePart = regexp.MustCompile(`^(?:全部|全面|基本|必须|应当|应|要|须|力争|争取|予以)*(?:办结|完成|建成|建立|实现|落实|到位|达到|整改|出台|制定|竣工|投入|启动|注册|成立|取得)`)
	// ofThose follows a day in what describes people or things: 2023年12月31日前申报的项目.
	ofThose = regexp.MustCompile(`^(?:已|已经)?[^，。；]{0,4}(?:申报|提出|报送|报名|反馈|办理|受理)[^，。；将向至]{0,6}的`)
	sendsIt = regexp.MustCompile(`^(?:报[^道告]|寄|送|交)`)
	// stood follows a day on which things are counted.
	stood   = regexp.MustCompile(`^[^，,。]{0,4}[，,]\s*(?:共|累计|已|全|我|各|收到|本)`)
	asksNow = regexp.MustCompile(`(?:请|应|须|可|务必|需|于|在)[^，。；]{0,8}$`)
)

// isTarget reports whether what stands behind a day says that something is to be
// done until then, or which things are meant, rather than what is asked for.
func (o asking) isTarget() bool {
	if donePart.MatchString(o.behind) && !containsAny(o.behind, asksToo...) {
		return true
	}
	return ofThose.MatchString(o.behind) && !asksNow.MatchString(o.before)
}

// asking is an occurrence with whether something is asked for beside it.
type asking struct {
	occurrence // behind is at most 30 characters of its line
	asks       bool
}

// askingWords are the words of which one says that a sentence asks.
func (u *understanding) askingWords() []string {
	switch {
	case u.Kind == KindConsultation:
		return asksOpinion
	case containsAny(u.Title, asksTitle...):
		return asksToo
	}
	return asksFor
}

// asksBeside reports whether one of the words stands beside a day.
func asksBeside(before, behind string, words []string) bool {
	return containsAny(before, words...) || containsAny(behind, words...) || sendsIt.MatchString(behind) && asksNow.MatchString(before)
}

func (u *understanding) near(re *regexp.Regexp, p string, hints ...string) []asking {
	if !containsAny(p, hints...) {
		return nil
	}
	words := u.askingWords()
	var out []asking
	for _, at := range re.FindAllStringSubmatchIndex(p, maxOccurrences) {
		o := asking{occurrence: occurrence{groups: make([]string, len(at)/2)}}
		for i := range o.groups {
			if at[2*i] >= 0 {
				o.groups[i] = p[at[2*i]:at[2*i+1]]
			}
		}
		o.before = lastSentence(lastRunes(p[:at[0]], contextChars))
		o.behind = firstSentence(firstRunes(p[at[1]:], contextChars))
		o.asks = asksBeside(o.before, o.behind, words)
		out = append(out, o)
	}
	return out
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}
