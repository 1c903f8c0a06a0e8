// Package deadline reads the last day on which readers of a text may comment,
// apply or bid.
//
// Each day in a sentence is judged by what governs it: the label before it (报名时间：…), or the
// verb after it with its subject (请于…前报送我厅). A day that is governed by nothing known is not
// a deadline: no deadline is better than a wrong one.
package deadline

import (
	"strings"

	"dibao/policy/cut"
	"dibao/policy/hans"
	"dibao/policy/when"
	"dibao/policy/words"
)

// Reader reads the lines of one text. Its fields are the facts about the text that decide
// which deadlines its sentences may set.
type Reader struct {
	Title    string
	Asks     bool      // the title asks readers for something
	Comments bool      // only comments are asked for (征求意见)
	Notice   bool      // the text is a notice (通知), which asks those whom it addresses
	Lasting  bool      // the text is a rule that is valid for years: a day without a year recurs every year
	From     when.Date // a day without a year is the first one on or after this date
}

// Term is a period in which readers can act. First is the zero Date if the text gives only
// the last day.
type Term struct {
	First, Last when.Date
	Yearless    bool   // none of the days in its line has a year
	Moved       bool   // it replaces an earlier term: 延长至
	Text        string // as written
}

// Asks reports whether a title asks its readers for something.
func Asks(title string) bool { return asksTitle.MatchString(hans.Simplify(title)) }

// IsHeading reports whether a line is the heading of the next one: 三、报名时间.
func IsHeading(line string) bool {
	return len(line) <= longestHeading && heading.MatchString(hans.Simplify(line))
}

// longestHeading is the maximum length of a heading, in bytes.
const longestHeading = 25 * 3

// Terms returns the terms of a line whose dates are written with 年, 月 and 日.
// above is the preceding line, if it is a heading.
func (r Reader) Terms(line, above string) (all []Term) {
	for _, d := range r.Days(line, above) {
		if d.Ours {
			all = append(all, d.Term)
		}
	}
	return all
}

// Day is a day or a range of days in a line, with the text around it.
type Day struct {
	Term
	Ours  bool   // it is a term for readers
	Until bool   // something is due by then: 前, 止, a range or 截止时间
	At    int    // where it begins in the line, in bytes
	End   int    // where it ends, including 前
	Left  string // what precedes it in its sentence, in Simplified characters
	Right string // what follows it in its sentence
}

// Days returns the days of a line: terms for readers, days by which other bodies have
// duties, and days on which something happened.
func (r Reader) Days(line, above string) (all []Day) {
	written := false // a day had a year, which also applies to the following days
	for _, m := range mentions(line, above) {
		written = written || !m.yearless
		first, last := m.dates(r.From)
		if last.IsZero() {
			continue
		}
		l := labelOf(m.left)
		ours := r.governs(m, l) && (!r.isFar(last) || l.closes || m.isSpan)
		if !m.isSpan {
			first = when.Date{}
		}
		all = append(all, Day{
			Term: Term{first, last, !written, moved.MatchString(m.left), m.text},
			Ours: ours, Until: m.isSpan || m.until != "" || l.closes, At: m.at, End: m.end, Left: m.left, Right: m.right,
		})
	}
	return all
}

// isFar reports whether a day is so far in the future that it must be the due date of a
// report on something that the text begins.
func (r Reader) isFar(day when.Date) bool {
	return !r.From.IsZero() && r.From.AddDays(farDays).Before(day)
}

// farDays is more than a year, because From may be some days before the text.
const farDays = 396

// Within returns a term that begins with the publication, given its length, its unit (日, 天,
// 个工作日, 个自然日) and the words.
func (r Reader) Within(line string) (count, unit, text string) {
	if !r.Asks && !r.Comments || !strings.Contains(line, "日") && !strings.Contains(line, "天") {
		return "", "", ""
	}
	plain := hans.Simplify(line)
	for _, at := range fromPublication.FindAllStringSubmatchIndex(plain, maxMentions) {
		m := mention{left: cut.AfterLast(cut.Last(plain[:at[0]], leftChars), "。；;"), right: cut.BeforeFirst(cut.First(plain[at[1]:], rightChars), "。；;"), until: "内"}
		if r.isAsked(m, false) {
			return plain[at[2]:at[3]], plain[at[4]:at[5]], line[at[0]:at[1]]
		}
	}
	for _, re := range []*words.Regexp{lasts, shownFor} {
		for _, at := range re.FindAllStringSubmatchIndex(plain, maxMentions) {
			if what := plain[at[2]:at[3]]; r.isFor(what) && !(what == "公告" && calls.MatchString(r.Title)) && len(daysIn(plain[at[1]:])) == 0 {
				return plain[at[4]:at[5]], plain[at[6]:at[7]], line[at[0]:at[1]]
			}
		}
	}
	return "", "", ""
}

// isFor reports whether a term applies to this text: the 公示期 in a call for applications
// begins only when there are results.
func (r Reader) isFor(what string) bool {
	title := hans.Simplify(r.Title)
	return r.Comments || strings.Contains(title, what) || what == "公示" && shownTitle.MatchString(title)
}

// governs reports whether the words that govern a day make it the last day for readers.
func (r Reader) governs(m mention, l label) bool {
	if m.joined || m.quoted || past.MatchString(m.left) || samples.MatchString(m.left) || lapses.MatchString(m.right) || holiday.MatchString(exceptHolidays.ReplaceAllString(m.right, "")) || answersAll.MatchString(m.right) || recurring.MatchString(m.left) || !m.isSpan && m.until == "" && later.MatchString(m.right) || m.yearless && !r.Asks && !r.Comments && r.Lasting {
		return false
	}
	if l.closes && counted.MatchString(m.left) && !actLabel.MatchString(l.text) {
		return false
	}
	switch r.judge(l) {
	case foreign:
		return false
	case ours:
		if afterwards.MatchString(cut.First(m.left, shortLeft)) && !shows.MatchString(l.text) {
			return false
		}
		return l.closes && (l.isLabel || !stood.MatchString(m.right)) || m.isSpan || m.until != "" || l.fromNow || overdue.MatchString(m.right)
	}
	switch {
	case moved.MatchString(m.left) && r.isMoved(m), m.until != "" && begun.MatchString(m.left) && r.Asks && !thoseWho.MatchString(m.right), (endsIt.MatchString(m.until+m.right) && acts.MatchString(m.left) || goesOn.MatchString(m.left) && !stood.MatchString(m.right)) && r.Asks, m.isSpan && onDisplay.MatchString(m.left) && strings.Contains(m.right, "意见"):
		return true
	case namesTerm.MatchString(m.right):
		return fromPosting.MatchString(m.left) || r.isFor("公示")
	case namesEnd.MatchString(m.right), m.isSpan && namesPeriod.MatchString(m.right):
		return r.Asks && !ofEvent.MatchString(m.left) && !afterwards.MatchString(m.right)
	case r.Notice && !issues.MatchString(r.Title) && onlyEnd.MatchString(m.left) && strings.Trim(m.right, "。 ") == "":
		return true
	case m.closed && (r.Asks || r.Comments):
		return true
	case m.headed && (m.isSpan || m.until != "" || l.closes || l.fromNow) && !afterwards.MatchString(m.left) && !isBody(m.left) && !held.MatchString(m.right):
		return true
	case l.fromNow && (r.Asks || r.Comments || m.until != "" && r.isAsked(m, true)):
		return true
	case m.isSpan:
		return r.isOpen(m)
	case m.until != "" || l.closes:
		return r.isAsked(m, l.closes)
	}
	return (r.Asks || r.Notice && !onThatDay.MatchString(m.left+m.right)) && (pleaseOn.MatchString(m.left) || mayOn.MatchString(m.left) && hands.MatchString(m.right)) && r.isAsked(m, false) || r.Asks && ((strings.HasSuffix(m.left, "于") || strings.HasSuffix(m.left, "在")) && onTheDay.MatchString(m.right))
}

// isMoved reports whether a new day replaces an earlier deadline for readers:
// 原投标截止时间：3月24日，现更正为4月2日.
func (r Reader) isMoved(m mention) bool {
	labels := movedLabel.FindAllString(m.left, -1)
	if len(labels) == 0 {
		return r.Asks && postpones.MatchString(r.Title) && !foreignWords.MatchString(strings.TrimPrefix(m.left, "原"))
	}
	what := strings.TrimPrefix(strings.TrimSpace(labels[len(labels)-1]), "原")
	return r.judge(labelOf(what)) == ours
}

// isOpen reports whether a range without a label is one in which readers can act.
func (r Reader) isOpen(m mention) bool {
	switch {
	case overdue.MatchString(m.right):
		return true
	case shownHere.MatchString(m.left):
		return !r.Asks || r.isFor("公示")
	case fromShown.MatchString(m.left):
		return r.isFor("公示") || r.Asks
	case shownAt.MatchString(m.left):
		return r.isFor("公示")
	case r.Notice && !r.Asks && ofApplicants.MatchString(m.left) && onSite.MatchString(m.right):
		_, last := m.dates(r.From)
		return !r.isFar(last) && r.isAsked(m, false)
	case !r.Asks && !r.Comments:
		return false
	case spanFor.MatchString(m.right):
		return true
	case pleaseOn.MatchString(m.left), (mayOn.MatchString(m.left) || handsIn.MatchString(m.left) && hands.MatchString(m.right)) && verbOf(m.right) == sends, enumerated.ReplaceAllString(m.left, "") == "" && byApplicant.MatchString(m.right):
		return r.isAsked(m, false)
	case ofAThing.MatchString(m.right):
		return false
	}
	at := spanOf.FindStringSubmatch(m.left)
	return at != nil && !foreignWords.MatchString(at[0]) && !checks.MatchString(strings.TrimSuffix(m.left, at[0])) && (!ofSystem.MatchString(m.left) || opens.MatchString(m.right))
}

// isAsked reports whether the verb that governs a day asks readers to send something to the
// issuer. closes says that 截至 or a similar word precedes the day.
func (r Reader) isAsked(m mention, closes bool) bool {
	sentence := m.left + m.right
	if r.Comments && !ofComments.MatchString(sentence) || closes && m.until == "" && stood.MatchString(m.right) || thoseWho.MatchString(m.right) || handsOut.MatchString(m.right) {
		return false
	}
	switch verbOf(m.right) {
	case does:
		if !r.Asks || !toFinish.MatchString(m.left) || !isFinished.MatchString(m.right) {
			return false
		}
	case sends:
	default: // 申报书请送至我局，不迟于6月5日
		if verbOf(cut.Last(m.left, nearChars)) != sends || !closes && !asksNow.MatchString(m.left) {
			return false
		}
	}
	request := r.Asks || r.Comments || r.Notice || requests.MatchString(sentence)
	switch {
	case !r.Asks && !r.Comments && (isDutyOf(m.right) || ledBy.MatchString(m.left)) && !toUs.MatchString(m.right), r.isOfOthers(m):
		return false
	case !request, announced.MatchString(m.left):
		return false
	case !strings.Contains(m.left, "请") && reviewers.MatchString(m.left):
		return false
	case !pleads.MatchString(m.left) && ofThose.MatchString(m.right):
		return false
	case (afterwards.MatchString(m.left) && !(r.isFor("公示") && dissent.MatchString(m.left)) || promoted.MatchString(m.right)) && (r.Asks || !r.Notice):
		return false
	case m.yearless && !r.Asks && everyYear.MatchString(cut.AfterLast(m.left, "，,")+cut.First(m.right, nearChars)):
		return false
	case others.MatchString(m.left) && !r.Asks && !toUs.MatchString(m.right), provinces.MatchString(m.left), reviewed.MatchString(m.left) && !r.Notice && !toUs.MatchString(m.right):
		return false
	}
	return true
}

// isBody reports whether the subject before a day is a body, not an applicant who uses its
// website.
func isBody(left string) bool { return bodyMust.MatchString(left) && !visits.MatchString(left) }

// isDutyOf reports whether the duty is that of a body after the day: 9月30日前，市数据局会同…. A
// report by all bodies to the issuer (各市要梳理…报送至省) is a duty of readers.
func isDutyOf(right string) bool {
	return itsDuty.MatchString(right) && !(strings.HasPrefix(strings.TrimLeft(right, "，, "), "各") && thenToUs.MatchString(right))
}

// isOfOthers reports whether the subject of a day is not the reader whom the
// title addresses, or whether the request belongs to a later stage.
func (r Reader) isOfOthers(m mention) bool {
	if r.Comments && inDraft.MatchString(m.left) || announces.MatchString(m.left) || results.MatchString(m.left) && returns.MatchString(m.right) || refunds.MatchString(m.right) && !strings.Contains(r.Title, "退") || forPersons.MatchString(r.Title) && (eachBody.MatchString(m.right) || isBody(m.left)) || !r.Asks && !r.Comments && !r.Notice && isBody(m.left) && !toUs.MatchString(m.right) || r.Asks && (undoes.MatchString(m.left) || ofOffice.MatchString(m.left)) {
		return true
	}
	if who := speakers.FindStringSubmatch(m.left); who != nil && !strings.Contains(hans.Simplify(r.Title), who[1]+who[2]) {
		return true
	}
	left, right := cut.Last(m.left, nearChars), cut.First(m.right, nearChars)
	return r.Asks && !r.Comments && !r.isFor("公示") && calls.MatchString(r.Title) && (objects.MatchString(left+right) || fetches.MatchString(cut.AfterLast(left, "，,")+right))
}

// nearChars is the maximum distance, in characters, between a day and the words that belong
// to it.
const nearChars = 40
