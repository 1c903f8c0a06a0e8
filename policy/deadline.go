package policy

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

var (
	deadlineBy     = regexp.MustCompile(`(?:截止到|截止至|截止|截至)(日期|时间|期限|日)?\s*(?:为|是|：|:|到|至|于)?\s*` + fullDate)
	deadlineBefore = regexp.MustCompile(fullDate + dateTail + `(?:之?前|以前|止|截止)`)
	deadlineRange  = regexp.MustCompile(`(?:征求意见|意见征集|征集|公告|公示|反馈|申报|报名|受理|公开|起止)[^。；\n]{0,12}?(时间|期限|期|日期)?\s*(?:为|是|：|:|自|从|于)*\s*` + fullDate + dateTail + spanTo + laterDate)
	deadlineWithin = regexp.MustCompile(`自\s*(?:本)?(?:公告|公示|通知|通告|征求意见稿)?\s*(?:发布|公布|刊登|印发|公示|公告)之日起\s*` + amount + `\s*(个工作日|个自然日|日|天)(?:之)?内`)
	// deadlineTerm gives only how long: 公示期为5个工作日.
	deadlineTerm = regexp.MustCompile(`(?:公示|征求意见|公开征求意见|意见征集|公告)(?:期限|期|时间)\s*(?:为|是|：|:)?\s*(?:自[^。，]{0,12}起)?\s*` + amount + `\s*(个工作日|个自然日|日|天)`)
	// ofAThing follows a span in which things happened, not one in which to ask.
	ofAThing = regexp.MustCompile(`^\s*(?:期间|之间|的|发生|内发|内完|内取|新|已|购|完成|取得)`)
)

// asksFor are the words of texts that ask something of their readers.
var asksFor = []string{"意见", "反馈", "报送", "申报", "提出", "报名", "建议", "来函", "来信", "函告"}

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
	end := func(d Date, quote string) {
		if !d.IsZero() && (u.IssuedOn.IsZero() || !d.Before(u.IssuedOn)) {
			w.ends[d] = quote
		}
	}
	if u.Kind == KindConsultation || asks {
		u.windowLabels(w, end)
	}
	u.windowOf(fold(u.Title), "标题", asks, w, end)
	for i, p := range u.Paragraphs {
		if u.hinted(i, hintDates) && (asks || u.hinted(i, hintAsks)) {
			u.windowOf(fold(p), "正文", asks, w, end)
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
	if hasYear(p) {
		u.writtenOut(p, where, asks, w, end)
	}
	quote := func(o asking) string { return where + "“" + strings.TrimSpace(o.groups[0]) + "”" }
	if !asks || u.PublishedOn.IsZero() || len(w.ends) > 0 { // a date that is written out says it better
		return
	}
	for _, x := range []struct {
		re    *regexp.Regexp
		hints []string
	}{{deadlineWithin, []string{"之日起"}}, {deadlineTerm, []string{"公示期", "公示时间", "征求意见期", "征求意见时间", "意见征集期", "公告期", "公告时间", "意见征集时间"}}} {
		for _, o := range near(x.re, p, x.hints...) {
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
}

// writtenOut reads dates that are written out.
func (u *understanding) writtenOut(p, where string, asks bool, w window, end func(Date, string)) {
	quote := func(o asking) string { return where + "“" + strings.TrimSpace(o.groups[0]) + "”" }
	for _, o := range near(deadlineRange, p, "日") {
		first := o.date(2)
		if (!asks && !o.asks) || o.groups[1] == "" && ofAThing.MatchString(o.behind) && !o.asks {
			continue
		}
		if last := o.later(5, first); !last.IsZero() {
			w.opensOn(first, quote(o))
			end(last, quote(o))
		}
	}
	for _, o := range near(deadlineBy, p, "截") {
		// 截至2023年12月31日，全市共有…: that is how things stood.
		if o.asks || asks && o.groups[1] != "" {
			end(o.date(2), quote(o))
		}
	}
	for _, o := range near(deadlineBefore, p, "前", "止") {
		if o.asks {
			end(o.date(1), quote(o))
		}
	}
}

// asking is an occurrence with whether something is asked for beside it.
type asking struct {
	occurrence
	behind string // on its line, at most 30 characters
	asks   bool
}

func near(re *regexp.Regexp, p string, hints ...string) []asking {
	if !containsAny(p, hints...) {
		return nil
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
		o.asks = containsAny(o.before, asksFor...) || containsAny(o.behind, asksFor...)
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
