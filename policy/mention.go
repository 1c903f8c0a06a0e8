package policy

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// dayTail is what stands behind a day of a term: （星期三）下午17:00（北京时间）.
const dayTail = `(?:\s*[（(][^（）()]{1,12}[)）])?(?:\s*(?:早上|上午|中午|下午|晚上|晚|夜间|凌晨)?\s*\d{1,2}\s*(?:[:：]\d{2}(?:[:：]\d{2})?|时(?:\d{1,2}分)?|点(?:整)?))?(?:\s*[（(][^（）()]{1,12}[)）])?\s*`

// termDay is a day, or a span of days, with or without a year.
var termDay = regexp.MustCompile(`(?:((?:19|20)\d{2})\s*年\s*)?(\d{1,2})\s*月\s*(\d{1,2})\s*日` + dayTail + `(?:` + spanTo + laterDate + dayTail + `)?`)

// labelEnd is what stands between what is asked for and its days.
const labelEnd = `(?:(?:时间|期限|日期|期)\s*(?:为|是|：|:|自|从|在|于|定|安排)*|(?:安排|定)?(?:在|自|从))\s*$`

// mention is a day, or a span of days, that a sentence names.
type mention struct {
	asking            // before and behind of at most 30 characters of the sentence
	groups   []string // of termDay
	left     string   // of the sentence before it
	right    string   // of the sentence behind it
	word     string   // 前, 止, 截止 right behind it
	text     string   // with the words that give it its meaning
	yearless bool
	headed   bool     // nothing but this stands under a heading that asks
	allAsks  bool     // the whole text asks
	words    []string // of which one says that a sentence asks
	notice   bool     // the text is a notice (通知)
	comments bool     // only comments are asked for
}

const (
	leftChars   = 150 // of a sentence that are looked at before a day
	rightChars  = 100 // and behind it
	longestLead = 16  // that are quoted before it
	// longestTermHeading is how many bytes a heading has, shortestLead how many
	// characters stand between it and its day.
	longestTermHeading = 25 * 3
	shortestLead       = 12
)

var (
	enumerated = regexp.MustCompile(`^\s*[（(]?[一二三四五六七八九十\d]{1,3}[)）、.．]\s*`)
	// windowHeading is the heading of a paragraph that gives a term.
	windowHeading = regexp.MustCompile(`^[^。，；]{0,14}(?:报名|申报|征集|公示|受理|征求意见|反馈|填报|提交|推荐|投稿|征稿|报送)[^。，；\d]{0,8}$`)
	untilWord     = regexp.MustCompile(`^(?:下班)?(?:之?前|以前|止|截止|结束|为止|截稿)`)
	lastDayLabel  = regexp.MustCompile(`(?:截止|截至)(?:到|至)?(日期|时间|期限|日)?\s*(?:统一)?(?:调整|延长|延期|延后|顺延|推迟|推后)?(?:为|是|：|:|，|,|到|至|于)?\s*$`)
	fromNow       = regexp.MustCompile(`(?:即日起|(?:本)?(?:公告|公示|通知|通告)?(?:发布|公布|刊登)之日起|发布之日)\s*(?:至|到|—+|－|-)\s*$`)
	spanLabel     = regexp.MustCompile(`(?:征求意见|意见征集|征集|公告|公示|反馈|申报|填报|提交|递交|报送|报名|受理|公开|起止|投稿|征稿|推荐)[^。；\n]{0,12}?(时间|期限|期|日期)?\s*(?:为|是|：|:|自|从|于|定)*\s*$`)
	// spanFor follows a span in which readers may do something.
	spanFor = regexp.MustCompile(`^(?:期间)?[，,]?\s*(?:向社会)?(?:公开)?(?:逾期|过期|征集|征求|接受|受理|面向社会|集中受理)`)
	overdue = regexp.MustCompile(`^[，,]?\s*(?:逾期|过期)`)
	// ofAThing follows a span in which things happened, not one in which to ask.
	ofAThing = regexp.MustCompile(`^\s*(?:期间|之间|的|发生|内发|内完|内取|新|已|购|完成|取得)`)
	// onThatDay follows a day on which something is to be sent.
	onThatDay = regexp.MustCompile(`^[，,]?\s*将[^。；]{0,60}(?:寄|报|送|提交|发)`)
	pleaseOn  = regexp.MustCompile(`请[^，。；]{0,12}(?:于|在)\s*$`)
	// recurring stands before a day that comes every year.
	recurring = regexp.MustCompile(`(?:每年|每月|每季度|每学期|每学年|次年|翌年|当年|上年|次月|此后|同年)[^，。；]{0,8}$`)
	// everyYear are the words of what is reported year by year.
	everyYear = regexp.MustCompile(`上年度|上一年度|上一年|上季度|上月|^[^，]*应当(?:于|在)`)
	// thoseWho follows a day that only says whom a rule means.
	thoseWho = regexp.MustCompile(`^(?:之?前|以前)[^，。；]{1,40}的[，,]`)
	// counted stands before a day until which lives and works are counted.
	counted = regexp.MustCompile(`(?:数据|年龄|学历|学位|资历|资格|年限|工龄|退休|业绩|论文|获奖|计算|任职|聘期|户口|户籍|统计|注册|成立|登记|检验|在岗|毕业|出生|缴费|参保|取得)[^，。；》]{0,24}$`)
	// otherBodies are those to whom a duty falls that is not the reader's.
	otherBodies = regexp.MustCompile(`(?:各|有关|相关)(?:省|市|县|区|地|州|盟|级|镇|乡|街道)[^，。；]{0,24}应(?:当)?(?:于|在)?\s*$`)
	// sends is what is asked of readers, further behind a day.
	sends    = regexp.MustCompile(`报(?:送|省|市|部|我|至|国|县|区|厅|局|给|到|名)|上报|申报|呈报|填报|提交|递交|反馈|寄(?:送|至|到|往|交)|邮寄|发(?:送|至|到)|送(?:至|达|交|省|市|我|到)|交(?:至|到|回)|反映|推荐|提出(?:书面)?(?:意见|申请|异议|建议)`)
	requests = regexp.MustCompile(`请|务必|务于|须|需|要|(?:^|[，、）)．.])各|(?:上报|报送|报|送)(?:至|到|给)?(?:省|市|部|我)`)
	// toUs is how the issuer names itself: 报送我厅.
	toUs = regexp.MustCompile(`(?:报|送|寄|交|发)(?:送|至|到|给)?我(?:厅|局|委|部|办|司|处|会|省|市|县|区|院|中心)`)
	// provinces are another's addressees, but for the ministries'.
	provinces = regexp.MustCompile(`各省(?:份|要|应|可|须|需)`)
	// standing are rules that hold for years: a day without a year in them is that of every year.
	standing = regexp.MustCompile(`办法|细则|规定|条例|规则|规程|章程|制度`)
	// ownLabel says by itself that readers are asked.
	ownLabel   = regexp.MustCompile(`(?:报名|申报|征集|征求意见|意见反馈|受理|投稿|征稿|征文|公示|填写|填报|提交)(?:的|起止)?` + labelEnd)
	askedLabel = regexp.MustCompile(`(?:征集|征求意见|意见反馈|公示)(?:的)?` + labelEnd)
)

// mentions finds the days of a paragraph.
func (u *understanding) mentions(p, heading string, asks bool) (all []mention) {
	if !strings.Contains(p, "月") || !strings.Contains(p, "日") {
		return nil
	}
	words := u.askingWords()
	for _, at := range termDay.FindAllStringSubmatchIndex(p, maxOccurrences) {
		m := mention{groups: make([]string, len(at)/2), allAsks: asks, words: words, notice: u.title.Type == "通知", comments: u.Kind == KindConsultation}
		for i := range m.groups {
			if at[2*i] >= 0 {
				m.groups[i] = p[at[2*i]:at[2*i+1]]
			}
		}
		m.yearless = m.groups[1] == ""
		m.left = lastSentence(lastRunes(p[:at[0]], leftChars))
		m.right = firstSentence(firstRunes(p[at[1]:], rightChars))
		m.word = untilWord.FindString(m.right)
		m.before = lastRunes(m.left, contextChars)
		m.behind = firstRunes(m.right[len(m.word):], contextChars)
		m.text = leadOf(m.left) + m.groups[0] + m.word
		m.headed = heading != "" && utf8.RuneCountInString(m.left) <= shortestLead
		m.asks = asksBeside(m.before, m.behind, words) || m.headed
		all = append(all, m)
	}
	return all
}

// leadOf is what a quotation of a term begins with: the words before the day, back
// to the comma, if they are few.
func leadOf(left string) string {
	left = enumerated.ReplaceAllString(lastClause(left), "")
	if utf8.RuneCountInString(left) > longestLead {
		return ""
	}
	return left
}

func lastSentence(s string) string {
	if i := strings.LastIndexAny(s, "。；"); i >= 0 {
		return s[i+len("。"):]
	}
	return s
}

func lastClause(s string) string {
	if i := strings.LastIndexAny(s, "，,"); i >= 0 {
		_, size := utf8.DecodeRuneInString(s[i:])
		return s[i+size:]
	}
	return s
}

func firstSentence(s string) string {
	if i := strings.IndexAny(s, "。；"); i >= 0 {
		return s[:i]
	}
	return s
}

// window returns the term that a mention gives: its last day, and its first where
// it says so.
func (u *understanding) window(m mention) (first, last Date, ok bool) {
	if recurring.MatchString(m.left) || counted.MatchString(m.left) || m.yearless && !m.allAsks && u.standing() {
		return
	}
	first, last = u.days(m)
	switch {
	case last.IsZero():
		return Date{}, Date{}, false
	case m.groups[6] != "":
		return first, last, m.isTerm()
	case m.byLabel(), fromNow.MatchString(m.left) && (m.asks || m.allAsks), m.word != "" && m.isUntil(),
		m.allAsks && pleaseOn.MatchString(m.left) && onThatDay.MatchString(m.right):
		return Date{}, last, true
	}
	return Date{}, Date{}, false
}

// standing reports whether the text is, or puts into force, a rule that holds for
// years.
func (u *understanding) standing() bool {
	title := u.Title
	if u.title.Relation == "" { // 关于学习《样例规定》的通知
		title = quoted.ReplaceAllString(title, "")
	}
	return standing.MatchString(title)
}

// days returns the days of a mention; what leaves out its year is of the half year
// behind the publication.
func (u *understanding) days(m mention) (first, last Date) {
	g := m.groups
	if m.yearless && g[6] == "" {
		d := u.nextDay(g[2], g[3])
		return d, d
	}
	if m.yearless {
		month := g[5]
		if month == "" {
			month = g[2]
		}
		if last = u.nextDay(month, g[6]); last.IsZero() {
			return
		}
		for year := last.Year; year >= last.Year-1; year-- {
			if first = dateOfParts(fmt.Sprint(year), g[2], g[3]); !first.IsZero() && !last.Before(first) {
				return first, last
			}
		}
		return Date{}, Date{}
	}
	first = dateOfParts(g[1], g[2], g[3])
	if g[6] == "" || first.IsZero() {
		return first, first
	}
	return first, occurrence{groups: g}.later(4, first)
}

// isTerm reports whether a span is one in which readers may apply or comment.
func (m mention) isTerm() bool {
	if m.headed || askedLabel.MatchString(m.left) || !m.comments && ownLabel.MatchString(m.left) {
		return true
	}
	at := spanLabel.FindStringSubmatchIndex(m.left)
	if at == nil {
		return overdue.MatchString(m.right) || m.allAsks && spanFor.MatchString(m.right)
	}
	asks := asksBeside(lastRunes(m.left[:at[0]], contextChars), m.behind, m.words)
	if at[2] < 0 && ofAThing.MatchString(m.right) && !asks { // 可以申报1月1日至3月31日发生的费用
		return false
	}
	return m.allAsks || asks && !m.yearless
}

// byLabel reports whether a label before the day says that it is the last.
func (m mention) byLabel() bool {
	label := lastDayLabel.FindStringSubmatch(m.left)
	// 截至2023年12月31日，全市共有…: that is how things stood.
	return label != nil && (m.asks || m.allAsks && label[1] != "") && (!m.yearless || m.allAsks || label[1] != "" && m.asks) && !stood.MatchString(m.right[len(m.word):])
}

// isUntil reports whether something is asked for until the day.
func (m mention) isUntil() bool {
	far := !m.comments && sends.MatchString(m.right) && (asksNow.MatchString(m.before) || m.left == "" || endsInAny(m.left, "，", ",", "：", ":", "）", ")", "并"))
	request := m.allAsks || m.notice || requests.MatchString(m.left+m.right)
	switch {
	case !m.asks && !(far && request), thoseWho.MatchString(m.right), m.yearless && (!request || !m.allAsks && everyYear.MatchString(lastClause(m.left)+m.behind)), !m.allAsks && otherBodies.MatchString(m.left) && !toUs.MatchString(m.right), provinces.MatchString(m.left):
		return false
	}
	return !m.isTarget()
}
