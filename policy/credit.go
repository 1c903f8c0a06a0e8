package policy

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"dibao/policy/cut"
	"dibao/policy/division"
	"dibao/policy/hans"
	"dibao/policy/label"
	"dibao/policy/surname"
	"dibao/policy/width"
	"dibao/policy/words"
)

// Credit is what a short line near a text says about who wrote and published it, and when:
// 某报记者 张明 2026-11-27. The line is split into words, each of which must be recognized; lines
// of a text contain words that are not.
type Credit struct {
	Fields  []label.Field // labeled values
	Date    string        // the first date without a label, as printed
	Medium  string        // media that printed or sent the text
	Persons []string      // its authors
	Office  string        // office of the persons, or their organization
	Role    bool          // a word says that they wrote it: 记者, 文
	Reports bool          // this word is 记者 or similar
	Editors []string      // persons who edited, checked or photographed it
	Strange string        // the one word that was not recognized
	Whole   bool          // the line contains nothing else
}

// inAuthorWords finds characters and marks, one of which is in each word that introduces
// authors: 记者, 通讯员, 评论员, 作者, 撰文, 图文, 执笔, 采写, 报道.
var inAuthorWords = words.NewFinder(strings.Split("者员撰文笔采报■□◎◆●▲★", "")...)

// mayNameAuthors quickly excludes lines that do not contain a word that introduces authors.
func mayNameAuthors(line string) bool {
	return strings.ContainsFunc(line, func(r rune) bool { return r < utf8.RuneSelf && unicode.IsLetter(r) }) || inAuthorWords.In(hans.Simplify(line))
}

// Author returns the persons with their office, as a label would give them.
func (c Credit) Author() string {
	if c.Office == "" || len(c.Persons) == 0 {
		return strings.Join(c.Persons, "、")
	}
	return strings.Join(c.Persons, "、") + "，" + c.Office
}

// IsCredit reports whether the line is a credit and not part of a text, even
// within one.
func (c Credit) IsCredit() bool {
	return c.Whole && (c.Date != "" || c.Role || len(c.Editors) > 0 || len(c.Fields) > 0)
}

// namesBoth reports whether the value of 来源 names a medium and who wrote the text for it. One
// name of two characters without a word for its role may be a place.
func (c Credit) namesBoth() bool {
	return c.Whole && c.Medium != "" && len(c.Persons) > 0 && (c.Role || len(c.Persons) > 1 || utf8.RuneCountInString(c.Persons[0]) > 2)
}

const (
	maxCredit     = 100 // maximum length of a line of credits, in characters
	maxCreditWord = 24  // maximum length of a name in it, in characters
)

// creditMarks separate the words of a line of credits; closing brackets stay with the
// words, because the name of an office or an issuer may contain one.
const creditMarks = "|｜丨│┃︱/／，,；;、\x1f"

// ReadCredit analyzes a line; site is the name of the page's site, which also
// occurs in names of its channels. The line may contain boundaries between
// elements.
func ReadCredit(line string, site ...string) Credit {
	if utf8.RuneCountInString(line) > maxCredit || strings.ContainsAny(line, "。！？") {
		return Credit{}
	}
	r := creditReader{site: site}
	r.take(line)
	return r.Credit
}

// take reads a line.
func (r *creditReader) take(line string) {
	r.Fields, line = label.Split(unwrap(line))
	if m := byEnglish.FindStringSubmatchIndex(line); m != nil {
		for _, name := range betweenNames.Split(strings.TrimSpace(line[m[2]:m[3]]), -1) {
			if endsInAny(name, "Council", "Administration", "Ministry", "Commission", "Bureau", "Department", "Government", "Office", "Committee", "Agency") {
				continue // an organization
			}
			if len(r.Persons) == 0 || !endsInAny(name, "Correspondent", "Reporter", "Editor", "Writer", "Bureau", "Staff", "Press", "News", "Times", "Post") {
				r.Persons = append(r.Persons, name)
			}
		}
		r.Role = len(r.Persons) > 0
		line = line[:m[0]] + string(label.Boundary) + line[m[3]:]
	}
	if m := periodical.FindStringSubmatchIndex(line); m != nil {
		r.Medium = line[m[2]:m[3]]
		line = line[:m[0]] + string(label.Boundary) + line[m[1]:]
	}
	for range 3 {
		at := label.FindDate(line)
		if at == nil {
			break
		}
		if r.Date == "" {
			r.Date = strings.ReplaceAll(line[at[0]:at[1]], string(label.Boundary), " ")
		}
		line = line[:at[0]] + string(label.Boundary) + line[at[1]:]
	}
	r.left = strings.FieldsFunc(strings.Map(foldCredit, line), func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(creditMarks, r) })
	r.read()
}

// foldCredit is width.HalfRune, but keeps the boundaries of elements, and treats brackets
// as boundaries because they separate words.
func foldCredit(r rune) rune {
	switch r {
	case '（', '）', '(', ')', '【', '】', '[', ']', '〔', '〕', '［', '］', '■', '□', '◎', '◆', '●', '▲', '★', '<', '>', '〈', '〉', '\ufffd':
		return '\x1f'
	case label.Boundary:
		return r
	}
	return width.HalfRune(r)
}

// unwrap removes the brackets and marks around a whole line.
func unwrap(s string) string {
	return strings.Trim(s, "（）()【】[]〔〕■□◎◆●▲★- \u00a0\u3000\x1f")
}

// creditReader is the state of reading one line.
type creditReader struct {
	Credit
	site    []string
	left    []string // words that are still to be read
	strange int      // number of words that were not recognized
	wrote   creditRole

	roleAfter bool // roles follow the names: 张样/文 赵样/图
}

// creditRole is the role of a person who is named after a word.
type creditRole int

const (
	noRole creditRole = iota
	writer
	other // edited, checked, photographed, sent or planned it
)

// englishName matches the name of a person in English: two to four words.
const englishName = `[A-Z][\p{L}.'’-]+(?:\s[A-Z][\p{L}.'’-]+){1,3}`

var (
	// writes matches a word for authors at the end, with a medium before it and names after
	// it.
	writes = words.New(`^(.{0,16}?)(?:(?:首席|特派|特约|见习|实习)?(?:记者|评论员|通讯员|撰稿人?)|撰文|图文|作者|文字|文[:：·])[:·]?(.*)$`)
	// others matches a word for people with another role.
	others = words.New(`^(?:责任?编辑|责编|编辑|编审|审核|审校|校对|审读|初审|复审|终审|摄影|摄|图片?|制图|供图|供稿|来稿|出品|策划|监制|统筹|编译|翻译|设计|美编|主编|值班\p{Han}{2}|视频|剪辑|音频|配音)[:·]?(.*)$`)
	// medium matches the ends of names of media and organizations without a label.
	medium = words.New(`^[\p{Han}A-Za-z0-9·—-]{2,24}(?:报|网|社|台|刊|周刊|月刊|杂志|新闻|财经|传媒|融媒体中心|中文站|网站|频道|公众号|头条|观察|消息|快讯|客户端|网络版|海外版|电子版|新媒体|政府|发布|厅|局|委|委员会|办公室|研究院|研究所|研究中心|学会|协会|联合会|研究会|智库)$`)
	// unit matches the end of the name of an organization, next to which its authors are
	// named.
	unit = words.New(`^\p{Han}{2,30}(?:部|处|室|所|院|中心|大学|学院|厅|局|司|委员会|协会|学会|研究会|党校|公司)$`)
	// columnReport matches kinds of reports that a column is named after: 金融 专题报道.
	columnReport = words.New(`^(?:专题|专项|系列|连续|特别|深度|跟踪|主题|专版)报[道导]`)
	// filler matches words of credits that do not name anybody.
	filler = words.New(`^(?:由|发布|提交于|发表于|发布于|原创|转载|首发|新闻|讯|电|文|\p{Han}{0,4}报[道导]|\p{Han}{2,4}电|更新|整[合理]|综合|编发|采写|进入专栏|星期[一二三四五六日天]|周[一二三四五六日]|文?\p{Han}{0,8}供图|实习|见习|杂志社|(?:19|20)\d{2}年?第?\d+期|https?:?|(?i:(?:[a-z0-9-]+\.)+[a-z]{2,})|[\d,.]{1,10})$`)
	// rank matches an office or a title before or after a name, without the name of an
	// organization.
	rank = words.New(`^(?:副?研究员|副?教授|讲师|博士后?|博士生导师|硕士生导师|院士|(?:特聘|客座)教授|(?:高级|正高级)(?:工程师|经济师|记者|编辑|会计师|研究员|政工师)|首席(?:经济学家|专家|分析师|研究员)|(?:高级)?(?:分析师|评论员|律师|编辑|主编)|秘书长|副?(?:院长|所长|主任|会长|理事长|局长|厅长|部长|处长|司长|校长|书记|省长|市长|县长|区长|主席|总编辑|总经理|董事长))$`)
	// picture matches the words after the name of the photographer.
	picture = words.New(`^(?:图|摄|摄影|图片)$`)
	// courtesy matches words after a name that mean nothing.
	courtesy = words.New(`^(?:先生|女士|同志)$`)
	// reportsEnd matches the word after the name of a reporter: 记者王样报道.
	reportsEnd = words.New(`(?:摄影)?(?:报[道导]|報[道導])$`)
	// periodical matches the name of a medium in quotation marks.
	periodical = words.New(`《([^《》]{2,20})》`)
	// byEnglish matches an English by-line.
	byEnglish = words.New(`(?:^|[|｜·•\x1f]\s*)(?:By|BY)\s+(` + englishName + `(?:(?:,|,?\s+and|\s+&)\s+` + englishName + `){0,4})\s*(?:$|[|｜·•,\x1f]|\d|(?:on|Published|Updated)\b)`)
	// betweenNames matches what separates names.
	betweenNames = words.New(`\s*(?:,\s*and|,|\sand|\s&)\s+`)
)

func (r *creditReader) read() {
	for len(r.left) > 0 {
		word := r.left[0]
		r.left = r.left[1:]
		if !r.recognize(word) {
			r.strange++
			r.Strange = word
		}
	}
	if r.strange > 1 {
		r.Strange = ""
	}
	named := len(r.Persons) + len(r.Editors)
	r.Whole = r.strange == 0 && (named > 0 || r.Role || r.Medium != "" || r.Office != "" || r.Date != "" || len(r.Fields) > 0)
	if r.Office != "" && len(r.Persons) == 0 {
		r.Whole = false
	}
	if len(r.Persons) == 1 && named == 1 && !r.Role && r.Date == "" && len(r.Fields) == 0 && r.Medium == "" && r.Office == "" && utf8.RuneCountInString(r.Persons[0]) == 2 {
		r.Whole = false // it may be an ordinary word of two characters
	}
}

// recognize recognizes one word.
func (r *creditReader) recognize(word string) bool {
	if word = strings.Trim(word, "·-—:："); word == "" {
		return true
	}
	plain := hans.Simplify(word)
	if m := writes.FindStringSubmatchIndex(plain); m != nil && r.names(word[m[4]:m[5]], writer) {
		if m[2] < m[3] && r.Medium == "" && medium.MatchString(plain[m[2]:m[3]]) {
			r.Medium = word[m[2]:m[3]]
		}
		r.wrote, r.Role, r.Reports = writer, true, r.Reports || containsAny(plain, "记者", "通讯员")
		return true
	}
	if r.wrote == writer && len(r.Persons) == 0 && plain == "图" { // 文/图
		return true
	}
	if m := others.FindStringSubmatchIndex(plain); m != nil && r.names(word[m[2]:m[3]], other) {
		r.wrote = other
		return true
	}
	if plain == "文" {
		r.roleAfter = r.wrote == noRole && len(r.Persons) > 0
		r.wrote, r.Role = writer, true
		return true
	}
	if one := utf8.RuneCountInString(word) == 1; one && len(r.left) > 0 && utf8.RuneCountInString(r.left[0]) <= 2 && isPerson(word+r.left[0]) { // 王 样
		word += " " + r.left[0]
		r.left = r.left[1:]
		return r.name(word)
	}
	switch {
	case filler.MatchString(plain), division.IsProvince(plain), IsBoilerplate(word):
		if len(r.Persons) > 0 && r.wrote == noRole && endsInAny(plain, "报道", "报导") && !columnReport.MatchString(plain) { // 王样 样州报道
			r.Role, r.Reports = true, true
		}
		return true
	case isPerson(plain) && (r.wrote == noRole || r.roleAfter) && len(r.left) > 0 && picture.MatchString(hans.Simplify(r.left[0])): // 赵样/图
		r.Editors = append(r.Editors, word)
		r.left = r.left[1:]
		return true
	case isPerson(plain):
		return r.name(word)
	case r.Office == "" && isOffice(plain), r.Office == "" && (len(r.Persons) > 0 || r.personsFollow()) && unit.MatchString(plain):
		r.Office = strings.TrimPrefix(strings.TrimPrefix(word, "系"), "为")
		return true
	case r.Office != "" && (officeEnd.MatchString(plain) || r.Role && len(r.Persons) > 0 && rank.MatchString(plain)):
		r.Office += "、" + word
		return true
	case r.Role && len(r.Persons) > 0 && courtesy.MatchString(plain), r.wrote == writer && len(r.Persons) > 0 && r.personsFollow() && unit.MatchString(plain):
		return true // the unit of the next person
	case r.Role && r.Office == "" && (len(r.Persons) > 0 || r.personsFollow()) && rank.MatchString(plain):
		r.Office = word
		return true
	case r.Role && r.ranked(word):
		return true
	case r.Medium == "" && (medium.MatchString(plain) || r.ofSite(plain)):
		r.Medium = word
		return true
	case r.named(word, plain):
		return true
	}
	return false
}

// ranked reads a name with a rank that follows without a separator: 刘样强研究员.
func (r *creditReader) ranked(word string) bool {
	for _, n := range []int{3, 2, 4} {
		name := cut.First(word, n)
		rest := strings.TrimPrefix(word, name)
		if plain := hans.Simplify(rest); rest != "" && isPerson(name) && (courtesy.MatchString(plain) || rank.MatchString(plain)) {
			if rank.MatchString(plain) && r.Office == "" {
				r.Office = rest
			}
			return r.name(name)
		}
	}
	return false
}

// named reads a word as a person's name.
func (r *creditReader) named(word, plain string) bool {
	if r.wrote != noRole && isName(plain) {
		return r.name(word)
	}
	if r.wrote == other && utf8.RuneCountInString(word) <= maxCreditWord/2 {
		r.Editors = append(r.Editors, word)
		return true
	}
	return false
}

func (r *creditReader) name(word string) bool {
	if r.wrote == other {
		r.Editors = append(r.Editors, word)
	} else {
		r.Persons = append(r.Persons, word)
	}
	return true
}

// names reads names that are attached to the word for a role.
func (r *creditReader) names(word string, role creditRole) bool {
	word = strings.Trim(word, " :：·-")
	if role == writer {
		word = reportsEnd.ReplaceAllString(word, "")
	}
	if word == "" {
		return true
	}
	was := r.wrote
	r.wrote = role
	if role == other && utf8.RuneCountInString(word) <= maxCreditWord/2 || isName(hans.Simplify(word)) {
		return r.name(word)
	}
	r.wrote = was
	return false
}

// personsFollow reports whether the next word is a person's name.
func (r *creditReader) personsFollow() bool {
	return len(r.left) > 0 && isPerson(r.left[0])
}

// ofSite reports whether a word is the name of the site or of one of its channels:
// 样浪娱乐 of 样浪网.
func (r *creditReader) ofSite(word string) bool {
	if n := utf8.RuneCountInString(word); n < 3 || n > 8 || !onlyHan(word) || endsInAny(hans.Simplify(word), "编辑", "记者", "审核", "校对") {
		return false
	}
	for _, s := range r.site {
		if utf8.RuneCountInString(s) >= 3 && strings.HasPrefix(hans.Simplify(s), cut.First(word, 2)) {
			return true
		}
	}
	return false
}

// isPerson reports whether s is the name of one Chinese person, possibly with
// spaces in it (王 样), and not of a place.
func isPerson(s string) bool {
	name := hans.Simplify(squeeze(s))
	return !division.IsProvince(name) && surname.Begins(name)
}
