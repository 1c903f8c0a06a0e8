package policy

import (
	"slices"
	"strings"

	"dibao/policy/same"
	"dibao/policy/words"
)

// The relations between a document and one that it mentions.
const (
	RelationDistributes = "印发"
	RelationForwards    = "转发"
	RelationEndorses    = "批转"
	RelationPublishes   = "公布"
	RelationAmends      = "修改"
	RelationRepeals     = "废止"
	RelationRepealsPart = "部分废止" // part of it, such as an annex: the rest remains in force
	RelationExtends     = "延长"   // extends its term
	RelationBasis       = "依据"
	RelationImplements  = "落实"
	RelationInterprets  = "解读"
)

// Relations contains all of them.
var Relations = []string{
	RelationDistributes, RelationForwards, RelationEndorses, RelationPublishes, RelationAmends, RelationRepeals,
	RelationRepealsPart, RelationExtends, RelationBasis, RelationImplements, RelationInterprets,
}

// The states of a cited document, according to the text.
const (
	StatusIssued   = "issued"
	StatusPromised = "promised"
)

var (
	citation     = words.New(`《((?:[^《》]|〈[^〉]*〉){2,120})》(?:[（(]([^（）()]{1,40})[)）])?`)
	citedIssuers = words.New(`([\p{Han}、]{2,40})(?:联合)?(?:下发|印发|发布|制定|出台)的$`)
	promisedNear = words.New(`(?:即将|将|拟|抓紧|尽快|年内|加快|适时)[^，。；》]{0,8}?(?:制定|出台|发布|印发|公布|修订|起草)(?:的)?$`)
	issuerNames  = words.New(`(?:中央|国务院|全国人大|最高人民法院|[\p{Han}]{1,12}(?:部|委|局|厅|署|办公厅|办公室|政府|委员会))`)

	takesUp = words.New(`贯彻(?:落实|执行|实施)?《?(\p{Han}{2,30}关于[^《》]{4,80}?(?:意见|决定|通知|条例|规划|纲要|方案|办法))》?(?:的|精神|有关|实施)`)
	extends = words.New(`(?:延长|继续执行|延续)[^《》]{0,10}《.{2,80}》.{0,30}(?:有效期|执行期限|期限|执行)|《.{2,80}》.{0,10}(?:有效期|执行期限)(?:延长|延续)|继续(?:执行|实施)《`)

	repealed     = words.New(`(?:同时|予以|即行|自行|一并|相应|现)?(?:废止|失效)|宣布失效|停止执行本`)
	noRepeal     = words.New(`不予废止|未废止|是否废止|废止程序|修改或者废止|修改、废止|废止或者|废止、|的废止|未(?:宣布)?失效|继续有效`)
	implementing = words.New(`(?:为|为了|现就)?(?:深入|全面|进一步|切实|认真|扎实|坚决|抓好|推动|加快|推进)*(?:贯彻落实|贯彻执行|贯彻实施|贯彻|落实)[^。；《》]{0,40}$`)
	basis        = words.New(`(?:根据|按照|依据|依照|遵照|参照)[^。；，《》]{0,40}$`)
	partBefore   = words.New(`(?:附件|附录|附表)\d{0,2}$`)
	partAfter    = words.New(`^(?:[（(][^（）()]{1,40}[)）])?(?:的|中|中的)?(?:第[一二三四五六七八九十百\d]+(?:条|章|款|项|部分)|附件)`)
	amendedBy    = words.New(`^(?:作(?:出|如下)|进行)?(?:如下|部分|以下)?(?:修改|修订|修正)`)
	listedLine   = words.New(`^[（(]?(?:\d{1,3}|[一二三四五六七八九十]{1,3})[)）.．、]`)
	amendsLine   = words.New(`修改为|改为|修改如下|作出修改|作如下修改|删去|删除|增加一|修订为`)
	repealsNext  = words.New(`(?:决定[^。；]{0,60}?|同时|一并|现|现予|宣布)废止$`)
	repealsTitle = words.New(`废止|宣布失效|失效的`)
	promisedBare = words.New(`(?:抓紧|尽快|即将|年内|今年将|拟)(?:研究)?(?:制定|出台|修订)(?:出台)?([\p{Han}“”]{4,30}?(?:条例|管理办法|实施办法|办法|规定|实施意见|意见|实施方案|方案|规划|实施细则|细则|行动计划))(?:[，。；、]|等)`)
)

const (
	maxCitations   = 100  // citations that are kept of one text
	basisBefore    = 4    // paragraphs in which a text states its legal basis or what it implements
	longSentence   = 3000 // bytes; a longer one is not examined as a whole
	maxSetsOfMarks = 500  // in one paragraph
	repealReach    = 900  // bytes after a name in which the verb must be
)

// outerMarks replaces the quotation marks of a title within a title by those of a title.
var outerMarks = strings.NewReplacer("〈", "《", "〉", "》")

// citations finds the documents that the text mentions, and its relation to each: those in
// the title first, then those in 《》, then numbers on their own.
func (u *understanding) citations() {
	u.titleCitations()
	repeals := repealsTitle.MatchString(u.Title)
	if legislativePlan.MatchString(u.Title) {
		u.planned()
	}
	if workReport.MatchString(u.Title) {
		u.reportPromises()
	}
	for i, p := range u.Paragraphs {
		if len(u.Citations) >= maxCitations {
			return
		}
		listed := "" // what a repealing decision says about the documents in its list: it may amend some
		if repeals && listedLine.MatchString(p) {
			listed = RelationRepeals
			if amendsLine.MatchString(p) { // 一、将《甲》第三条中的“乙”修改为“丙”
				listed = RelationAmends
			}
		}
		if u.hinted(i, hintQuote) {
			u.quotedCitations(p, i, listed)
		} else if listed != "" {
			title := strings.TrimSpace(listedLine.ReplaceAllString(p, ""))
			if _, base := typeOf(withoutTrailing(title)); base != "" && len(title) < maxTitle {
				u.cite(Citation{Title: title, Status: StatusIssued, Relation: RelationRepeals})
				continue
			}
		}
		if repeals && numberLabel.MatchString(p) && len(u.Citations) > 0 { // 文号：沪科合〔2005〕第11号
			if n, ok := ParseNumber(p); ok && u.Citations[len(u.Citations)-1].Number == "" {
				u.Citations[len(u.Citations)-1].Number = n
				continue
			}
		}
		if u.hinted(i, hintNumber) {
			u.bareNumbers(p, i, listed)
		}
		if u.hinted(i, hintPromise) {
			for _, m := range promisedBare.FindAllStringSubmatch(p, 10) {
				u.cite(Citation{Title: m[1], Status: StatusPromised})
			}
		}
	}
}

// cite adds a citation, or adds what is new to an existing one.
func (u *understanding) cite(c Citation) {
	for i := range u.Citations {
		old := &u.Citations[i]
		if c.Title != "" && sameWords(old.Title, c.Title) || c.Number != "" && old.Number == c.Number && (c.Title == "" || old.Title == "") {
			if old.Number == "" {
				old.Number = c.Number
			}
			if old.Title == "" {
				old.Title = c.Title
			}
			if old.Issuers == nil {
				old.Issuers = c.Issuers
			}
			if old.Relation == "" || c.Relation == RelationRepeals || c.Relation == RelationRepealsPart {
				old.Relation = c.Relation
			}
			return
		}
	}
	if len(u.Citations) < maxCitations {
		u.Citations = append(u.Citations, c)
	}
}

// sameWords reports whether two titles differ only in punctuation.
func sameWords(a, b string) bool {
	return a == b || a != "" && b != "" && max(len(a), len(b))-min(len(a), len(b)) < 40 && same.Clean(a) == same.Clean(b)
}

// titleCitations adds the documents that the headline distributes or mentions.
func (u *understanding) titleCitations() {
	relation := map[string]string{
		"印发": RelationDistributes, "下发": RelationDistributes, "转发": RelationForwards, "批转": RelationEndorses, "公布": RelationPublishes, "发布": RelationPublishes,
		"修改": RelationAmends, "修订": RelationAmends, "废止": RelationRepeals,
	}[u.title.Relation]
	if u.Kind == KindInterpretation {
		relation = RelationInterprets
	}
	switch {
	case relation == RelationInterprets && len(u.title.Inner) == 0:
		if title := interpreted(u.Title); title != "" {
			u.cite(Citation{Title: title, Status: StatusIssued, Relation: relation})
		}
		return
	case relation != "":
	case takesUp.MatchString(u.Title):
		relation = RelationImplements
		if len(u.title.Inner) == 0 {
			inner := takesUp.FindStringSubmatch(u.Title)[1]
			u.cite(Citation{Title: inner, Status: StatusIssued, Relation: relation})
			return
		}
	case extends.MatchString(u.Title):
		relation = RelationExtends
	default:
		return
	}
	for _, inner := range u.title.Inner {
		if _, base := typeOf(withoutTrailing(inner)); base != "" {
			u.cite(Citation{Title: inner, Status: StatusIssued, Relation: relation})
		}
	}
	if relation == RelationRepeals || relation == RelationAmends {
		for _, n := range FindNumbers(fold(u.Title)) {
			u.cite(Citation{Number: n.Number, Status: StatusIssued, Relation: relation})
		}
	}
}

var (
	interpretsAfter = words.New(`^(.{6,}?)的?(?:政策|文件|相关)?(?:解读|问答|答问|图解|答记者问).{0,12}$`)
	interpretsFront = words.New(`^(?:一图读懂|图解|解读|政策解读|一图看懂)\s*[丨|｜:：\s]\s*(.{6,})$`)
)

// interpreted returns the title of a document in the title of its
// interpretation, if it is not in 《》; "" if there is none.
func interpreted(title string) string {
	for _, form := range []*words.Regexp{interpretsFront, interpretsAfter} {
		if m := form.FindStringSubmatch(title); m != nil {
			if name, base := typeOf(withoutTrailing(m[1])); base != "" && m[1] != name {
				return m[1]
			}
		}
	}
	return ""
}

func (u *understanding) quotedCitations(p string, at int, listed string) {
	for _, m := range citation.FindAllStringSubmatchIndex(p, maxSetsOfMarks) {
		title := p[m[2]:m[3]]
		number := ""
		if m[4] >= 0 {
			number, _ = ParseNumber(strings.ReplaceAll(p[m[4]:m[5]], "中华人民共和国", ""))
		}
		if name, base := typeOf(withoutTrailing(title)); (base == "" || title == name) && number == "" {
			continue // a newspaper or a book; 《通知》 stands for what was mentioned before
		}
		c := Citation{Number: number, Title: outerMarks.Replace(title), Status: StatusIssued}
		before := strings.ToValidUTF8(p[max(0, m[0]-150):m[0]], "")
		if endsInAny(before, "制定", "出台", "发布", "印发", "公布", "修订", "起草", "的") && promisedNear.MatchString(before) {
			c.Status = StatusPromised
		}
		if !strings.HasSuffix(before, "的") {
			// The text does not name the issuers.
		} else if x := citedIssuers.FindStringSubmatch(before); x != nil {
			c.Issuers = splitCited(x[1])
		}
		c.Relation = relationAt(p, m[0], m[1], at, listed)
		if c.Status == StatusPromised {
			c.Relation = "" // it does not exist yet
		}
		u.cite(c)
	}
}

// bareNumbers adds the numbers outside of 《》 and the following brackets that the text
// repeals, implements or is based on.
func (u *understanding) bareNumbers(p string, at int, listed string) {
	folded := fold(p)
	for _, n := range FindNumbers(folded) {
		if n.Number == u.DocumentNumber {
			continue
		}
		if belongsToTitle(folded[:n.Start]) {
			continue // it was read with its title
		}
		if r := relationAt(folded, n.Start, n.End, at, listed); r != "" {
			u.cite(Citation{Number: n.Number, Status: StatusIssued, Relation: r})
		}
	}
}

// belongsToTitle reports whether a number is in the brackets after a title.
func belongsToTitle(before string) bool {
	before = strings.TrimSuffix(strings.TrimRight(before, " "), "中华人民共和国")
	return strings.HasSuffix(before, "》（") || strings.HasSuffix(before, "》(")
}

// relationAt returns the relation of a paragraph to the document that it mentions from
// start to end: that of its list, if it is in one; "" for a mere mention. A repeal needs
// the verb after the name in the same sentence; implemented documents and legal bases are
// in the first paragraphs. Very long sentences are not read.
func relationAt(p string, start, end, paragraph int, listed string) string {
	low, to := max(0, start-longSentence-1), min(len(p), end+longSentence+1)
	from := low + strings.LastIndex(p[low:start], "。") + 1
	if i := strings.Index(p[end:to], "。"); i >= 0 {
		to = end + i
	}
	if to-from > longSentence {
		return ""
	}
	after := p[end:to]
	before := strings.ToValidUTF8(p[max(from, start-120):start], "")
	if listed != "" {
		return listed
	}
	if strings.Contains(before, "废止") && repealsNext.MatchString(withoutNames.ReplaceAllString(before, "")) {
		return RelationRepeals
	}
	var m []int
	if containsAny(after, "废止", "失效", "停止执行本") {
		m = repealed.FindStringIndex(after)
	}
	if m != nil && m[0] < repealReach && !strings.ContainsAny(after[:m[0]], "；") && !noRepeal.MatchString(after) && !basis.MatchString(before) {
		if other := strings.LastIndex(after[:m[0]], "施行"); other < 0 { // 《甲》自…起施行，《乙》同时废止
			if partBefore.MatchString(before) || partAfter.MatchString(after) {
				return RelationRepealsPart
			}
			return RelationRepeals
		}
	}
	if endsInAny(before, "对", "修改", "修订", "修正") && (amendedBy.MatchString(after) || strings.HasSuffix(before, "修改")) {
		return RelationAmends
	}
	if paragraph >= basisBefore {
		return ""
	}
	// Several names may follow one verb: 根据《甲》（…）、《乙》.
	if !containsAny(before, "贯彻", "落实", "根据", "按照", "依据", "依照", "遵照", "参照") {
		return ""
	}
	before = withoutNames.ReplaceAllString(before, "")
	switch impl, base := implementing.FindStringIndex(before), basis.FindStringIndex(before); {
	case impl != nil && (base == nil || impl[0] > base[0] || strings.HasPrefix(before[impl[0]:], "为")):
		return RelationImplements
	case base != nil:
		return RelationBasis
	}
	return ""
}

var withoutNames = words.New(`《[^《》]*》(?:[（(][^（）()]*[)）])?(?:[和、及与]|以及|，)?`)

// splitCited returns the issuers in the words before 下发的: 要认真贯彻落实中央办公厅、国务院办公厅.
func splitCited(s string) []string {
	var all []string
	for part := range strings.SplitSeq(s, "、") {
		part = cutPrefix(part)
		if (issuerNames.MatchString(part) && namesIssuers(part) || strings.HasSuffix(part, "办公厅")) && !slices.Contains(all, part) {
			all = append(all, part)
		}
	}
	return all
}
