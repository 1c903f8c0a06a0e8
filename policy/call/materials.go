package call

import (
	"strings"
	"unicode/utf8"

	"dibao/policy/cut"
	"dibao/policy/words"
)

var (
	listed = words.New(`^\s*(?:[(]?[一二三四五六七八九十\d]{1,3}[)、.,]\s*|[①-⑳]\s*)`)
	paper  = words.New(`表|书|证|报告|证明|材料|复印件|清单|合同|方案|执照|文件|承诺|简介|光盘|流水|扫描件|函|单|凭证|发票|章程`)
	// announces matches the words before a list of documents to submit: 请提供以下材料:.
	announces = words.New(`(?:提供|提交|携带|报送|递交|上传|准备|备齐|出示|附)[^。;:]{0,20}(?:材料|资料|证件|文件|复印件)[^。;:]{0,20}:$|(?:材料|资料)(?:包括|清单|如下|有|为)?[^。;:]{0,6}:$|(?:务必|须|需|应|请)携带:?$`)
	// presents matches the words before such documents in a sentence: 需提交营业执照、审计报告等材料.
	presents = words.New(`提交|提供|报送|携带?|递交|上传|出示|附上|备齐|准备|持|(?:材料|资料|证件)(?:主要)?(?:包括|为|有|:|清单:|如下:)+`)
	// qualified matches the words between the verb and the documents.
	qualified = words.New(`^(?:包括|主要|以下|下列|如下|本人|相关|有关|加盖公章的|真实|有效的?|纸质|电子版?|书面|完整的?|的|材料|资料|证件|:|\s)+`)
	// aPaper matches names that end as those of documents do.
	aPaper = words.New(`(?:表|书|证|报告|证明|材料|复印件|原件|清单|合同|方案|执照|文件|承诺|简介|光盘|流水|扫描件|函|发票|凭证|协议|成绩单|台账|截图|副本|介绍信|声明|名单|章程|户口本|户口簿|身份证明|》)(?:\([^()]{1,40}\))*(?:及?(?:复印件|原件|扫描件|电子版|纸质版|电子文档))*(?:\([^()]{1,40}\))*(?:各?一式\S{1,4}|各?[一二三四五六七八九十两\d]{1,3}[份张套])?(?:\([^()]{1,40}\))*$`)
	// copies match the form in which a document is submitted: 原件及复印件.
	copies = words.New(`^(?:其)?(?:原件|复印件|扫描件|电子版|纸质版|电子文档)`)
	// unasked matches words about documents that nobody submits, or that others submit.
	unasked = words.New(`不需|无需|无须|免于|不再|不用|未提供|未提交|不能提供|采购人|代理机构|中标|成交|立项后|验收|虚假|伪造|公示|结题|主管部门|推荐单位|归口|取消|如实`)
	// asked matches words of a sentence, which names do not contain.
	asked = words.New(`(?:^|[^申])请|须|应当|需要|不得|发至|发送|报送至|过期|逾期`)
	// pointsBack matches the beginning of a remark about the whole list.
	pointsBack = words.New(`^(?:上述|以上|前述|所有|全部|注)`)
	// more matches the words after the last of several documents: 等材料.
	more = words.New(`^等[^,。;]{0,12}(?:材料|资料|证件|文件|证明|原件)`)
)

// materials reads the documents that applicants submit: the points of a list, and the names
// in one sentence.
func (r *reading) materials(l line) {
	if k := r.call.Kind; k == KindConsultation || k == KindObjection || k == KindIntention || len(r.call.Materials) >= maxEntries {
		return // drafts regulate documents of others
	}
	if r.listing && !r.item(l) {
		r.listing = false
	}
	if l.section == materialsSection && listed.MatchString(l.text) {
		r.item(l)
	}
	if (strings.HasSuffix(l.text, ":") || strings.HasSuffix(l.text, "携带")) && announces.MatchString(l.text) && !unasked.MatchString(l.text) {
		r.listing = true
		return
	}
	if l.may&mayHand != 0 && strings.Contains(l.text, "、") {
		r.papers(l)
	}
}

// item reads one document of a list, and reports whether the line is one.
func (r *reading) item(l line) bool {
	lead := listed.FindString(l.text)
	name := strings.TrimRight(l.text[len(lead):], "。;, ")
	if i := clauseEnd(name); i >= 0 {
		name = name[:i]
	}
	if asked.MatchString(name) {
		return lead != "" && l.section == materialsSection
	}
	if names, _ := namesAt(l.text, len(lead)); len(names) > 1 && utf8.RuneCountInString(name) > longestName {
		r.note(l, names)
		return true
	}
	if n := utf8.RuneCountInString(name); n < 2 || n > longestName || !paper.MatchString(name) || strings.Contains(name, ":") || pointsBack.MatchString(name) {
		return lead != "" && l.section == materialsSection
	}
	if lead == "" && !aPaper.MatchString(name) {
		return false
	}
	if _, heads := sectionOf(l.text); heads {
		return false
	}
	if !r.is("material", name) {
		r.call.Materials = append(r.call.Materials, Said{l.printed(len(lead), len(lead)+len(name)), l.raw, l.in})
	}
	return true
}

// papers reads the names of documents that follow a verb. A single name counts only if the
// text means several documents.
func (r *reading) papers(l line) {
	end := 0
	for _, at := range presents.FindAllStringIndex(l.text, 12) {
		if at[0] < end {
			continue
		}
		clause, _ := clauseBefore(l.text, at[0])
		if unasked.MatchString(cut.Last(clause, 20)) {
			continue
		}
		from := at[1] + len(qualified.FindString(cut.First(l.text[at[1]:], 30)))
		names, to := namesAt(l.text, from)
		if len(names) == 0 {
			continue
		}
		points := listed.MatchString(l.text[from:]) && strings.HasSuffix(l.text[:from], ":")
		if who, _ := subjectOf(clause); who == others {
			continue
		}
		r.listing = r.listing || points
		if len(names) < 2 && !points && !(len(names) == 1 && more.MatchString(cut.First(l.text[to:], 20))) {
			continue
		}
		end = to
		r.note(l, names)
	}
}

// note adds documents, given the positions of their names.
func (r *reading) note(l line, names [][2]int) {
	for _, n := range names {
		if !r.is("material", l.text[n[0]:n[1]]) && len(r.call.Materials) < maxEntries {
			r.call.Materials = append(r.call.Materials, Said{l.printed(n[0], n[1]), l.sentence(n[0], n[1]), l.in})
		}
	}
}

// longestName is the maximum length of the name of one document, in characters.
const longestName = 60

// longestList is the maximum length of the names of documents after the verb, in bytes.
const longestList = 900

// namesAt returns the positions of the names of documents that follow one another from a
// position on, and where the last of them ends.
func namesAt(text string, from int) (names [][2]int, end int) {
	s := firstBytes(text[from:], longestList)
	depth, start := 0, 0
	add := func(to int) bool {
		lead := len(listed.FindString(s[start:to]))
		name := strings.TrimSpace(s[start+lead : to])
		if n := utf8.RuneCountInString(name); n < 2 || n > 50 || !aPaper.MatchString(name) {
			return false
		}
		i := start + lead + strings.Index(s[start+lead:], name)
		names, end = append(names, [2]int{from + i, from + i + len(name)}), from+i+len(name)
		return true
	}
	for i, c := range s {
		switch c {
		case '(', '《', '“':
			depth++
		case ')', '》', '”':
			depth = max(depth-1, 0)
		}
		if depth > 0 {
			continue
		}
		size := utf8.RuneLen(c)
		switch {
		case c == '、' && i > start && strings.Trim(s[start:i], "0123456789 ") == "":
			continue // it is the number of a point: 1、
		case c == '、' || c == ';':
			if !add(i) {
				return names, end
			}
			start = i + size
		case (c == '和' || c == '及' || c == '或') && i > start && aPaper.MatchString(s[start:i]) && !copies.MatchString(s[i+size:]):
			if add(i) {
				start = i + size
			}
		case strings.ContainsRune(",。:!?", c), c == '等', c == '到', c == '至', c == '向', c == '报' && i > start && !strings.HasPrefix(s[i:], "报告") && !strings.HasPrefix(s[i:], "报名表") && !strings.HasPrefix(s[i:], "报表"):
			add(i)
			return names, end
		}
	}
	if len(s) == len(text)-from {
		add(len(s))
	}
	return names, end
}
