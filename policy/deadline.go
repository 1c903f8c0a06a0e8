package policy

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

var (
	deadlineBy     = regexp.MustCompile(`(?:截止到|截止至|截止|截至)(日期|时间|期限|日)?\s*(?:为|是|：|:|到|至|于)?\s*` + fullDate)
	deadlineBefore = regexp.MustCompile(fullDate + dateTail + `(?:之?前|以前|止|截止)`)
	deadlineRange  = regexp.MustCompile(`(?:征求意见|意见征集|征集|公告|公示|反馈|申报|填报|提交|递交|报送|报名|受理|公开|起止)[^。；\n]{0,12}?(时间|期限|期|日期)?\s*(?:为|是|：|:|自|从|于)*\s*` + fullDate + dateTail + spanTo + laterDate)
	deadlineWithin = regexp.MustCompile(`自\s*(?:本)?(?:公告|公示|通知|通告|征求意见稿)?\s*(?:发布|公布|刊登|印发|公示|公告)之日起\s*` + amount + `\s*(个工作日|个自然日|日|天)(?:之)?内`)
	// deadlineUntil begins on the day of the announcement.
	deadlineUntil = regexp.MustCompile(`(?:即日起|(?:本)?(?:公告|公示|通知|通告)?(?:发布|公布|刊登)之日起|发布之日)\s*(?:至|到|—+|－|-)\s*` + fullDate)
	// deadlineDay leaves out its year: 请于6月5日前.
	deadlineDay = regexp.MustCompile(`(?:请于|请在|可于|可在|须于|应于|务必于|务必在|于|在)\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日` + dateTail + `(?:之?前|以前|止)`)
	// deadlineTerm gives only how long: 公示期为5个工作日.
	deadlineTerm = regexp.MustCompile(`(?:公示|征求意见|公开征求意见|意见征集|公告)(?:期限|期|时间)\s*(?:为|是|：|:)?\s*(?:自[^。，]{0,12}起)?\s*` + amount + `\s*(个工作日|个自然日|日|天)`)
	// ofAThing follows a span in which things happened, not one in which to ask.
	ofAThing = regexp.MustCompile(`^\s*(?:期间|之间|的|发生|内发|内完|内取|新|已|购|完成|取得)`)
)

// asksFor are the words of texts that ask something of their readers.
var asksFor = []string{"意见", "反馈", "报送", "申报", "提出", "报名", "建议", "来函", "来信", "函告", "上报", "寄送", "寄至", "送至", "日前报"}

// asksOpinion are those of consultations. A draft itself says what is to be
// reported until when.
var asksOpinion = []string{"意见", "反馈", "建议", "来函", "来信", "函告", "寄送", "寄至", "送至"}

// asksToo are those of texts whose title asks.
var asksToo = append([]string{"推荐", "填报", "提交", "递交"}, asksFor...)

// asksTitle are the words of titles that ask. 意见 alone is only a type of document.
var asksTitle = []string{"征求", "征集", "申报", "报名", "报送", "公示", "反馈", "遴选", "招募", "推荐", "征询"}

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
	made := u.IssuedOn
	if made.IsZero() {
		made = u.PublishedOn
	}
	end := func(d Date, quote string) {
		if !d.IsZero() && !d.Before(made) {
			w.ends[d] = quote
		}
	}
	if u.Kind == KindConsultation || asks {
		u.windowLabels(w, end)
	}
	u.windowOf(u.Title, "标题", asks, w, end)
	for i, p := range u.Paragraphs {
		if u.hinted(i, hintDates) && (asks || u.hinted(i, hintAsks)) {
			u.windowOf(p, "正文", asks, w, end)
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
// something; else only what stands beside such a word counts.
func (u *understanding) windowOf(p, where string, asks bool, w window, end func(Date, string)) {
	p = fold(p)
	var said map[string]string
	if hasOtherDate(p) {
		p, said = plainDates(p)
	}
	quote := func(o asking) string { return where + "“" + strings.TrimSpace(saidAs(o.groups[0], said)) + "”" }
	if hasYear(p) {
		u.writtenOut(p, quote, asks, w, end)
	}
	if !asks || u.PublishedOn.IsZero() || len(w.ends) > 0 { // a date that is written out says it better
		return
	}
	for _, x := range []struct {
		re    *regexp.Regexp
		hints []string
	}{{deadlineWithin, []string{"之日起"}}, {deadlineTerm, []string{"公示期", "公示时间", "征求意见期", "征求意见时间", "意见征集期", "公告期", "公告时间", "意见征集时间"}}} {
		for _, o := range u.near(x.re, p, x.hints...) {
			n, ok := number(o.groups[1])
			if !ok || n == 0 || !o.asks && x.re == deadlineWithin {
				continue
			}
			d, exact := after(u.PublishedOn, n, o.groups[2])
			from := quote(o)
			if !exact {
				from += "（节假日安排未公布，按周末估算）"
			}
			w.opensOn(u.PublishedOn, from)
			end(d, from)
			return
		}
	}
	for _, o := range u.near(deadlineDay, p, "前", "止") {
		if o.asks && !o.isTarget() {
			end(u.nextDay(o.groups[1], o.groups[2]), quote(o))
		}
	}
}

// nextDay returns the first such day from the publication on, if it comes within
// the half year in which terms end.
func (u *understanding) nextDay(month, day string) Date {
	for year := u.PublishedOn.Year; year <= u.PublishedOn.Year+1; year++ {
		d := dateOfParts(fmt.Sprint(year), month, day)
		if !d.IsZero() && !d.Before(u.PublishedOn) && d.Before(u.PublishedOn.AddDays(longestTerm)) {
			return d
		}
	}
	return Date{}
}

// longestTerm is how many days ahead a day without a year may lie.
const longestTerm = 183

// writtenOut reads dates that are written out.
func (u *understanding) writtenOut(p string, quote func(asking) string, asks bool, w window, end func(Date, string)) {
	for _, o := range u.near(deadlineRange, p, "日") {
		first := o.date(2)
		if (!asks && !o.asks) || o.groups[1] == "" && ofAThing.MatchString(o.behind) && !o.asks {
			continue
		}
		if last := o.later(5, first); !last.IsZero() {
			w.opensOn(first, quote(o))
			end(last, quote(o))
		}
	}
	for _, o := range u.near(deadlineBy, p, "截") {
		// 截至2023年12月31日，全市共有…: that is how things stood.
		if (o.asks || asks && o.groups[1] != "") && !stood.MatchString(o.behind) {
			end(o.date(2), quote(o))
		}
	}
	for _, o := range u.near(deadlineUntil, p, "日起", "之日") {
		if o.asks || asks {
			end(o.date(1), quote(o))
		}
	}
	for _, o := range u.near(deadlineBefore, p, "前", "止") {
		if o.asks && !o.isTarget() {
			end(o.date(1), quote(o))
		}
	}
}

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

func (u *understanding) near(re *regexp.Regexp, p string, hints ...string) []asking {
	if !containsAny(p, hints...) {
		return nil
	}
	words := asksFor
	switch {
	case u.Kind == KindConsultation:
		words = asksOpinion
	case containsAny(u.Title, asksTitle...):
		words = asksToo
	}
	var out []asking
	for _, at := range re.FindAllStringSubmatchIndex(p, maxOccurrences) {
		o := asking{occurrence: occurrence{groups: make([]string, len(at)/2)}}
		for i := range o.groups {
			if at[2*i] >= 0 {
				o.groups[i] = p[at[2*i]:at[2*i+1]]
			}
		}
		o.before = lastRunes(p[:at[0]], contextChars)
		if i := strings.LastIndexAny(o.before, "。；"); i >= 0 {
			_, size := utf8.DecodeRuneInString(o.before[i:])
			o.before = o.before[i+size:]
		}
		o.behind = firstRunes(p[at[1]:], contextChars)
		if i := strings.IndexAny(o.behind, "。；"); i >= 0 {
			o.behind = o.behind[:i]
		}
		o.asks = containsAny(o.before, words...) || containsAny(o.behind, words...) || sendsIt.MatchString(o.behind) && asksNow.MatchString(o.before)
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
