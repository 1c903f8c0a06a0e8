package policy

import (
	"maps"
	"slices"
	"strings"

	"dibao/policy/deadline"
	"dibao/policy/words"
)

// asksWords are the words of which a paragraph needs at least one to set a
// deadline for readers, unless the title asks for something.
var asksWords = []string{"意见", "反馈", "报送", "申报", "提出", "报名", "建议", "来函", "来信", "函告", "上报", "寄送", "寄至", "送至", "日前报", "前将", "提供有关", "提供相关",
	"逾期", "回执", "邮箱", "电子版", "预订", "公示", "公告期", "异议期", "征集", "受理", "截止", "截稿", "起止", "申请时间", "填报", "提交", "递交", "上传", "电邮", "报省", "报我", "报市", "报部", "发送", "发至", "推荐", "反映", "邮寄", "即日", "传真", "交至", "交到", "交回", "报至", "寄到", "回复", "填写",
	"意見", "反饋", "報送", "申報", "報名", "建議", "來函", "來信", "徵集", "填報", "遞交", "發送", "郵寄"}

// lastingRule matches titles of rules that are valid for years.
var lastingRule = words.New(`办法|细则|规定|条例|规则|规程|章程|制度`)

// deadlineLabels and opensLabels are the labels on consultation lists and pages.
var (
	deadlineLabels = map[string]bool{"截止日期": true, "截止时间": true, "结束时间": true, "结束日期": true, "征集截止时间": true, "反馈截止时间": true, "意见反馈截止时间": true, "征求意见截止时间": true, "截止日": true}
	opensLabels    = map[string]bool{"开始时间": true, "开始日期": true, "发起时间": true, "征集开始时间": true}
	windowLabels   = map[string]bool{"征集时间": true, "征求意见时间": true, "起止时间": true, "起止日期": true, "征集期限": true, "公示时间": true, "公示期": true, "征求意见期限": true}
)

// window is the period in which comments or applications are accepted, according to a text:
// dates with their evidence. A text cannot set a deadline before the day on which it was
// made.
type window struct {
	made  Date
	opens map[Date]string
	ends  [3]map[Date]string // the first kind with any dates counts
}

// How the text states an end.
const (
	movedEnd   = iota // it replaces an earlier one: 延长至6月30日
	writtenEnd        // with its year, or counted from the publication
	yearlessEnd
)

func newWindow(made Date) window {
	w := window{made: made, opens: make(map[Date]string)}
	for i := range w.ends {
		w.ends[i] = make(map[Date]string)
	}
	return w
}

func (w window) opensOn(d Date, quote string) {
	if !d.IsZero() {
		w.opens[d] = quote
	}
}

func (w window) endsOn(how int, d Date, quote string) {
	if !d.IsZero() && !d.Before(w.made) {
		w.ends[how][d] = quote
	}
}

// last returns the ends that count.
func (w window) last() map[Date]string {
	for _, ends := range w.ends {
		if len(ends) > 0 {
			return ends
		}
	}
	return nil
}

// deadline finds from when and until when comments or applications are accepted. If there
// are two different dates, it returns neither, because either may be wrong.
func (u *understanding) deadline() {
	from, made := u.PublishedOn, u.IssuedOn
	if from.IsZero() {
		from = u.IssuedOn
	}
	if made.IsZero() {
		made = u.PublishedOn
	}
	r := deadline.Reader{Title: u.Title, Asks: deadline.Asks(u.Title), Comments: u.Kind == KindConsultation, Notice: u.title.Type == "通知", Lasting: u.isLasting(), From: from}
	w := newWindow(made)
	asks := r.Asks || r.Comments
	if asks {
		u.windowLabels(w)
	}
	u.windowOf(r, u.Title, "", "标题", w)
	heading, file := "", fileFrom(u.Facts, u.e)
	for i, p := range u.Paragraphs {
		if u.hinted(i, hintDates) && (asks || heading != "" || u.hinted(i, hintAsks)) {
			u.windowOf(r, p, heading, placeOf(i >= file), w)
		}
		heading = ""
		if deadline.IsHeading(p) {
			heading = p
		}
	}
	ends := w.last()
	if len(ends) > 1 {
		u.lastDays = slices.SortedFunc(maps.Keys(ends), Date.Compare)
		var days []any
		for _, d := range u.lastDays {
			days = append(days, d)
		}
		u.warn("deadlines-differ", days...)
		return
	}
	for d, from := range ends {
		u.DeadlineOn, u.DeadlineFrom = d, from
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

// isLasting reports whether the text is, or puts into force, a rule that is
// valid for years.
func (u *understanding) isLasting() bool {
	title := u.Title
	if u.title.Relation == "" { // 关于学习《样例规定》的通知
		title = quoted.ReplaceAllString(title, "")
	}
	return lastingRule.MatchString(title)
}

// windowLabels reads the labels of the headline block.
func (u *understanding) windowLabels(w window) {
	for _, l := range u.e.Labels {
		name := squeeze(l.Name)
		from := strings.TrimSpace(l.Element + " " + l.Name)
		switch {
		case deadlineLabels[name]:
			if m, ok := readMoment(l.Value, u.zone); ok {
				w.endsOn(writtenEnd, m.on, from)
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
				w.endsOn(writtenEnd, b.on, from)
			}
		}
	}
}

// windowOf reads one paragraph. heading is the preceding line, if it names the
// topic of the paragraph: 报名时间.
func (u *understanding) windowOf(r deadline.Reader, p, heading, where string, w window) {
	p = fold(p)
	var said map[string]string
	if hasOtherDate(p) {
		p, said = plainDates(p)
	}
	quote := func(s string) string { return where + "“" + strings.TrimSpace(saidAs(s, said)) + "”" }
	terms := r.Terms(p, heading)
	if slices.ContainsFunc(terms, func(x deadline.Term) bool { return x.Moved }) {
		terms = slices.DeleteFunc(terms, func(x deadline.Term) bool { return !x.Moved })
	}
	if slices.ContainsFunc(terms, func(x deadline.Term) bool { return x.Last.Before(w.made) }) {
		terms = nil // there are several groups, and the days of some are over
	}
	for _, x := range terms {
		how := writtenEnd
		switch {
		case x.Moved:
			how = movedEnd
		case x.Yearless:
			how = yearlessEnd
		}
		w.opensOn(x.First, quote(x.Text))
		w.endsOn(how, x.Last, quote(x.Text))
	}
	if u.PublishedOn.IsZero() || w.last() != nil {
		return
	}
	count, unit, text := r.Within(p)
	if n, ok := number(count); ok && n > 0 {
		d, exact := after(u.PublishedOn, n, unit)
		from := quote(text)
		if !exact {
			from += "（节假日安排未公布，按周末估算）"
		}
		w.opensOn(u.PublishedOn, from)
		w.endsOn(writtenEnd, d, from)
	}
}

func cutAny(s string, seps ...string) (before, after string, found bool) {
	for _, sep := range seps {
		if before, after, found = strings.Cut(s, sep); found {
			return before, after, true
		}
	}
	return s, "", false
}
