package call

import (
	"strings"
	"unicode/utf8"

	"dibao/policy/cut"
	"dibao/policy/words"
)

// Contact is where readers can ask, as printed. Only what the text states is set.
type Contact struct {
	Office    string
	Telephone string
	Email     string
	Evidence  string
	In        string `json:",omitempty"` // as in Said
}

var (
	website = words.New(`(?:https?\s*:\s*/\s*/\s*|www\.)[A-Za-z0-9][A-Za-z0-9.:/?=&#%~_+\-]{3,200}`)
	applies = words.New(`登[录陆]|系统|平台|网上|提交|申报|上传|填报|报名|报送|发送|进行|网站\(网址|录入|获取采购文件|网络申报|服务网|提出意见|投稿(?:网[址站]|系统|平台)`)
	// signsIn matches the words before the address of a system in which readers apply.
	signsIn = words.New(`登[录陆][^,。;]{0,24}(?:系统|平台)[^,。;]{0,4}$`)
	// appliesThere matches the words after the address of such a system.
	appliesThere = words.New(`^/?\s*进行[^,。;()]{0,10}(?:申报|申请|报名|填报)`)
	// reads matches words about pages that are only read.
	reads = words.New(`下载|查询|查阅|查看|详见|参见|见全国|公告》|认真学习|认证|注册下载|名单|未被列入|截图|官方网站公示|联网查询|练习|模拟|导出|下载地址`)
	// readsOn matches the words after the address of a page, or of the first of several, that is only read.
	readsOn = words.New(`^[^,。;]{0,160}\)[^,。;()]{0,4}(?:查阅|查看|下载)`)
	// reviewing matches the words after the address of a system in which bodies review applications.
	reviewing = words.New(`^[^,。;申填]{0,8}对[^,。;]{0,20}(?:初审|审核|审查|复核)`)
	// shows matches words after the address of a page on which something is published, submits
	// those about what readers do on it.
	shows   = words.New(`公[示布]|发布`)
	submits = words.New(`登[录陆]|提交|申报|上传|填报|填写|报名|报送|发送|提出|投稿`)

	email = words.New(`[A-Za-z0-9][A-Za-z0-9._+\-]{0,63}\s?@\s?[A-Za-z0-9][A-Za-z0-9.\-]{1,80}\.[A-Za-z]{2,6}`)

	telephone = words.New(`1[3-9]\d(?:[ -]?\d{4}){2}|[48]00[ -]?\d{3}[ -]?\d{4}(?:\s*[-转]\s*\d{1,6})?|\(?0\d{2,3}\)?\s*[-—–]{1,2}\s*\d{4} \d{4}(?:\s*[-转]\s*\d{1,6})?|(?:\(?0\d{2,3}\)?\s*[-—–]{0,2}\s*)?\d{7,8}(?:\s*[-转]\s*\d{1,6})?|(?:0\d{2,3}[-—–])?12\d{3}`)
	withCode  = words.New(`^\(?0\d{2,3}\)?\s*[-—–]{1,2}|^\(0\d{2,3}\)`)
	calls     = words.New(`致电:?\s*$|(?:老师|先生|女士|同志)\s*[(:]?\s*$|电\s*话|联系\s*人|联系方式|咨询|手\s*机|座机|热线|(?:处|科|室|部|办|局|厅|中心|会)\s*(?:\([^()]*\))?\s*:?\s*$`)
	notPhone  = words.New(`(?:传\s*真|QQ|qq|邮\s*编|邮政编码|编号|账号|帐号|群号?|微信|ID|号码|代码|证)[^,。;、:]{0,6}[:为]?\s*(?:[\d\-—、/()\s]*)$`)
	both      = words.New(`电\s*话\s*[/及和、(]\s*传\s*真`)
	office    = words.New(`\p{Han}{2,24}?(?:办公室|中心|学会|公司|处|科|厅|局|司|院|所|股|委员会)`)

	addressLabel = words.New(`(?:地\s*址|地\s*点|信函|信件|来信)\s*(?:及邮编)?\s*[:为]\s*`)
	sends        = words.New(`(?:请寄(?:至|往|送至|到)?|寄送?至|邮寄(?:信件|材料)?至|寄往|送至|送达|送交|送到|交到|交至|投(?:寄|递)?至|统一交(?:至|到|往)?|寄给|邮寄到|报送(?:至|到)|\d份[送交]?至|报送地址。)\s*:?\s*`)
	street       = words.New(`\p{Han}{2,30}?(?:路|街|道|巷|里|庄|园|大街|大道|段)(?:\p{Han}{0,4})?\d{1,5}(?:-\d{1,4})?号[^,。;:()\s]{0,40}`)
	endOfAddress = words.New(`[,。;!?()]|\s*(?:邮\s*编|邮政编码|电\s*话|联\s*系|收件人|传\s*真|电子|E-?mail)|\s{2,}|(?:报名|获取|领取|递交|购买|提交)(?:$|[^点处大])`)
	// there matches the words after an address to which readers go: 到样例路1号报名.
	there      = words.New(`(?:报名|获取|领取|递交|购买|提交)(?:$|[^点处大])`)
	notAddress = words.New(`开启|开标|评标|交货|询价地点|考试|会议|培训|接待`)
)

// places reads where readers apply, on the web and by mail.
func (r *reading) places(l line) {
	if strings.Contains(l.text, "/") || strings.Contains(l.text, "www.") {
		r.platforms(l)
	}
	if len(r.call.Addresses) >= maxEntries {
		return
	}
	labels := l.find(mayLabel, addressLabel)
	for _, at := range labels {
		before := cut.Last(l.text[:at[0]], 8)
		if !notAddress.MatchString(before) {
			r.address(l, at[1], !strings.HasSuffix(strings.TrimSpace(l.text[:at[1]]), "点:"))
		}
	}
	if len(labels) == 0 && (strings.Contains(l.above, "地址") || strings.Contains(l.above, "地点") && !notAddress.MatchString(l.above)) {
		r.address(l, 0, false)
	}
	for _, at := range l.find(maySend, sends) {
		r.address(l, at[1], false)
	}
	for _, at := range r.streets(l) {
		to := at[0] + strings.Index(l.text[at[0]:], "号")
		if i := strings.LastIndexAny(l.text[:to], "在到至"); i >= 0 && i+90 > at[0] && there.MatchString(l.text[to:at[1]]) {
			r.address(l, i+len("在"), false)
		}
	}
	if i := strings.Index(l.text, "电话"); i >= 0 && strings.Contains(l.text[:i], "号") {
		start := i - len(cut.Last(l.text[:i], 50))
		if m := beforePhone.FindStringSubmatchIndex(l.text[start:i]); m != nil {
			r.address(l, start+m[2], false)
		}
	}
	for _, m := range l.roomsAt() {
		r.address(l, m[2], false)
	}
	if (l.section == contactSection || l.section == whereSection) && strings.Contains(l.text, "(") {
		for _, at := range street.FindAllStringIndex(l.text, 8) {
			if i := strings.LastIndexAny(l.text[:at[0]], "("); i >= 0 && i == at[0]-1 {
				r.address(l, at[0], false)
			}
		}
	}
}

// find returns the positions of the matches of an expression of lineWords.
func (l line) find(bit uint64, re *words.Regexp) [][]int {
	if l.may&bit == 0 {
		return nil
	}
	return re.FindAllStringIndex(l.text, 20)
}

// roomsAt returns the rooms in brackets after the offices to which something is submitted, as group 1.
func (l line) roomsAt() [][]int {
	if l.may&mayHand == 0 || !strings.Contains(l.text, "(") {
		return nil
	}
	return roomOf.FindAllStringSubmatchIndex(l.text, 8)
}

// beforePhone matches an address that is a clause of its own before a telephone number: 样例科,样例路1号,咨询电话.
var beforePhone = words.New(`[,。;:]([^,。;:()送寄报交至到]{2,20}(?:路|街|大道)\d{1,5}号[^,。;:()]{0,40}),(?:咨询|联系|办公)?$`)

// roomOf matches an office with its room: 报送样例处(样例楼304室).
var roomOf = words.New(`(?:报|送|交)(?:送|至|到)*[^,。;()]{2,24}(?:处|科|部|室|股|院|办|中心)\((\p{Han}{2,8}[A-Za-z]?(?:楼|馆|区|座|厦)[A-Za-z]?\d{3,4}(?:室|房|办公室)?)\)`)

// streets returns the addresses in a line at which readers fetch or submit something.
func (r *reading) streets(l line) [][]int {
	if !strings.Contains(l.text, "号") || !there.MatchString(l.text) {
		return nil
	}
	return street.FindAllStringIndex(l.text, 8)
}

// address records the text after a position if it has the form of an address.
// After a label, the name of an office is enough.
func (r *reading) address(l line, from int, labeled bool) {
	s := cut.First(l.text[from:], 70)
	if m := inBracket.FindStringSubmatchIndex(s); m != nil && !street.MatchString(s[:m[2]]) && street.MatchString(s[m[2]:m[3]]) {
		from, s = from+m[2], s[m[2]:m[3]] // the office, and its location in brackets
	}
	if at := endOfAddress.FindStringIndex(s); at != nil {
		if rest := s[at[0]:]; at[0] == 0 && strings.HasPrefix(rest, "(") {
			return
		}
		s = s[:at[0]]
	}
	s = toPerson.ReplaceAllString(s, "$1")
	start := from + len(s) - len(strings.TrimLeft(s, " "))
	s = strings.TrimSpace(s)
	n := utf8.RuneCountInString(s)
	if n < 5 || n > 60 || !(street.MatchString(s) || strings.Contains(s, "号") || built.MatchString(s) || room.MatchString(s) || labeled && placed.MatchString(s)) || strings.ContainsAny(s, "@《") {
		return
	}
	if !r.is("address", s) && len(r.call.Addresses) < maxEntries {
		r.call.Addresses = append(r.call.Addresses, Said{l.printed(start, start+len(s)), l.sentence(start, start+len(s)), l.in})
	}
}

// inBracket matches a bracket directly after a name.
var inBracket = words.New(`^[^,。;:(]{2,40}\(([^()]{6,60})\)`)

// toPerson matches a room and the person in it: 样例楼304室张明老师收.
var toPerson = words.New(`(\d室)\p{Han}{1,4}(?:老师|同志|女士|先生|收)收?$`)

// room matches an address on the grounds of an institution: 图书馆304, 样例楼815室.
var room = words.New(`[\p{Han}A-Z](?:楼|厦|馆|厅|座|区|院|科|处)[ A-Za-z]{0,2}\d{3,4}(?:室|房|房间|办公室|\p{Han}{2,8}室)?$|\d{3,5}信箱`)

var placed = words.New(`(?:省|市|区|县|镇)\p{Han}*(?:局|室|楼|厅|中心|大厦|委|科|窗口|院|校)|\d(?:栋|幢|号楼|座|单元|楼|层|室)`)

// built matches an address without a house number.
var built = words.New(`(?:省|市|区|县)\p{Han}{1,20}(?:路|街|道)\p{Han}{2,12}(?:大厦|广场|大楼|中心)`)

// fewWords is the number of characters that are too few to say what a website is for.
const fewWords = 10

func (r *reading) platforms(l line) {
	for _, at := range website.FindAllStringIndex(l.text, 20) {
		_, sentence := clauseBefore(l.text, at[0])
		near := cut.Last(sentence, 60)
		own := near
		if utf8.RuneCountInString(near) < fewWords { // 网址:
			near = cut.Last(l.before, 40) + cut.Last(l.text[:at[0]], 60)
		}
		after := cut.First(l.text[at[1]:], 16)
		rest := cut.BeforeFirst(l.text[at[1]:], "。;")
		if shows.MatchString(rest) && !submits.MatchString(own+rest) || readsOn.MatchString(rest) && !submits.MatchString(rest) {
			continue
		}
		if !applies.MatchString(near+after) && l.section != whereSection || reads.MatchString(cut.Last(near, 24)) || reads.MatchString(after) && !signsIn.MatchString(near) && !appliesThere.MatchString(after) {
			continue
		}
		if reviewing.MatchString(l.text[at[1]:]) {
			if who, _ := subjectOf(sentence); who == others {
				continue
			}
		}
		value := strings.TrimRight(strings.Join(strings.Fields(l.text[at[0]:at[1]]), ""), ".:,/")
		if !r.is("platform", value) && len(r.call.Platforms) < maxEntries {
			r.call.Platforms = append(r.call.Platforms, Said{value, l.sentence(at[0], at[1]), l.in})
		}
	}
}

// contacts reads phone numbers and email addresses. A number without an
// area code counts only after a word that says that it is a phone number.
func (r *reading) contacts(l line) {
	add := func(c Contact) {
		if len(r.call.Contacts) < maxEntries && !r.is("contact", c.Telephone, c.Email) {
			r.call.Contacts = append(r.call.Contacts, c)
		}
	}
	if strings.Contains(l.text, "@") {
		for _, at := range email.FindAllStringIndex(l.text, 20) {
			value := strings.Join(strings.Fields(l.text[at[0]:at[1]]), "")
			add(Contact{Office: officeOf(l.text[:at[0]]), Email: value, Evidence: l.sentence(at[0], at[1]), In: l.in})
		}
	}
	follows := r.phoned && l.text != "" && isDigit(l.text[0])
	r.phoned = false
	if !hasDigits(l.text, minDigits) && !(hasDigits(l.text, minGroup) && grouped.MatchString(l.text)) {
		return
	}
	chain := -1 // end of the previous phone number, which another may follow
	for _, at := range telephone.FindAllStringIndex(l.text, 40) {
		value := l.text[at[0]:at[1]]
		before := cut.Last(alsoFax.ReplaceAllString(l.text[:at[0]], ""), 40)
		if before == "" && ofPhone.MatchString(l.before) {
			before = l.before
		}
		linked := chain >= 0 && joint.MatchString(l.text[chain:at[0]])
		if touches(l.text, at[0], at[1], linked) || notPhone.MatchString(before) && !both.MatchString(before) {
			continue
		}
		next := follows && at[0] == 0
		named := withCode.MatchString(value) || linked || next && !aDate.MatchString(value) || calls.MatchString(cut.Last(before, 24)) || l.section == contactSection && r.person(before)
		if !named || (linked || next) && faxOnly.MatchString(l.text[at[1]:]) {
			continue
		}
		chain = at[1]
		r.phoned = withOffice.MatchString(l.text[at[0]:])
		add(Contact{Office: officeOf(l.text[:at[0]]), Telephone: l.printed(at[0], at[1]), Evidence: l.sentence(at[0], at[1]), In: l.in})
	}
}

var (
	joint  = words.New(`^\s*(?:[、,;/ ]|或|及|和|\([^()]{1,12}\))*\s*$`)
	people = words.New(`\p{Han}{1,4}\s*$`)
	// alsoFax matches the remark, before another number, that the phone number before it is
	// also a fax number.
	alsoFax = words.New(`\([^()]{0,4}传真\)\s*[、,;/]`)
	// faxOnly matches the remark that the second of two numbers is a fax number.
	faxOnly = words.New(`^\s*\(\s*传真\s*\)`)
	// aDate matches a date of eight digits, which could also be a phone number.
	aDate = words.New(`^(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$`)
	// withOffice matches the rest of a line that is a number and its office: 12345678(样例局).
	withOffice = words.New(`^[\d\-—–、/ ]{7,40}\([^()]{2,20}\)[、,;。]?$`)
	// ofPhone matches a label that is a line of its own; its number is the next line.
	ofPhone = words.New(`电话:?$`)
)

// person reports whether a person's name precedes a number.
func (r *reading) person(before string) bool { return people.MatchString(before) }

// touches reports whether a number is part of a longer one, or of a word. linked says that a
// phone number precedes it, so that a slash between them separates two numbers.
func touches(s string, from, to int, linked bool) bool {
	if from > 0 && (isDigit(s[from-1]) || isLetter(s[from-1]) || s[from-1] == '.' || !linked && s[from-1] == '/' && from > 1 && isDigit(s[from-2])) {
		return true
	}
	return to < len(s) && (isDigit(s[to]) || isLetter(s[to]) || s[to] == '@' || s[to] == '.' && to+1 < len(s) && isDigit(s[to+1]))
}

// minDigits is the minimum number of digits of a phone number without an area code.
const minDigits = 7

// minGroup is the minimum number of digits of a hotline, or of a part of a number with spaces, which
// grouped matches the label of.
const minGroup = 4

var grouped = words.New(`电\s*话|热线|手\s*机|致电|联系方式`)

// hasDigits reports whether a text has this many digits in a row.
func hasDigits(s string, count int) bool {
	n := 0
	for i := range len(s) {
		if !isDigit(s[i]) {
			n = 0
		} else if n++; n == count {
			return true
		}
	}
	return false
}

func isDigit(b byte) bool  { return b >= '0' && b <= '9' }
func isLetter(b byte) bool { return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' }

// officeOf returns the last office before a position in its line.
func officeOf(before string) string {
	before = cut.Last(before, 60)
	before = cut.AfterLast(before, "。;")
	all := office.FindAllString(before, 6)
	if len(all) == 0 {
		return ""
	}
	return strings.TrimSpace(all[len(all)-1])
}
