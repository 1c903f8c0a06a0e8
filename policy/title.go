package policy

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"dibao/policy/division"
	"dibao/policy/words"
)

// Title is a parsed headline of an official text.
type Title struct {
	Title    string   // cleaned
	Issuers  []string // as far as the title names them
	Subject  string
	Type     string   // 文种 in its base form: 意见 for 实施意见
	Inner    []string // titles that it distributes or mentions
	Relation string   // 印发, 转发, 批转, 公布, 废止, 修改
	Number   string   // canonical; "" if there is none before the title or in a bracket after it
	Marker   string   // 有效, 失效 …: the document's status, not part of the title
	InForce  string   // 2024年2月18日起施行…: the content of a bracket at its beginning or end
}

// types are the forms of official texts, longest first, with their base (条例第八条 and the
// forms of legislation).
var types = []struct{ name, base string }{
	{"实施细则", "细则"}, {"实施办法", "办法"}, {"实施方案", "方案"}, {"行动计划", "计划"}, {"指导意见", "意见"}, {"实施意见", "意见"},
	{"若干意见", "意见"}, {"若干规定", "规定"}, {"若干措施", "措施"}, {"暂行办法", "办法"}, {"暂行规定", "规定"}, {"管理办法", "办法"},
	{"命令", "令"}, {"决定", "决定"}, {"决议", "决议"}, {"公报", "公报"}, {"公告", "公告"}, {"通告", "通告"}, {"意见", "意见"},
	{"通知", "通知"}, {"通报", "通报"}, {"报告", "报告"}, {"请示", "请示"}, {"批复", "批复"}, {"复函", "函"}, {"议案", "议案"},
	{"纪要", "纪要"}, {"答复", "答复"}, {"办法", "办法"}, {"规定", "规定"}, {"条例", "条例"}, {"细则", "细则"}, {"规则", "规则"},
	{"规程", "规程"}, {"章程", "章程"}, {"准则", "准则"}, {"规划", "规划"}, {"纲要", "纲要"}, {"方案", "方案"}, {"计划", "计划"},
	{"预案", "预案"}, {"目录", "目录"}, {"清单", "清单"}, {"名单", "名单"}, {"标准", "标准"}, {"指南", "指南"}, {"要点", "要点"},
	{"措施", "措施"}, {"规范", "规范"}, {"制度", "制度"}, {"解释", "解释"}, {"法", "法"}, {"令", "令"}, {"函", "函"},
}

var (
	forceMarker = words.New(`^[（(]([^（）()]{0,6}\d{4}年[^（）()]{2,12}起(?:正式)?(?:施行|实施|执行)[^（）()]{0,24})[）)]|[（(]([^（）()]{0,6}\d{4}年[^（）()]{2,12}起(?:正式)?(?:施行|实施|执行)[^（）()]{0,24})[）)]$`)
	stateMarker = words.New(`^[\[【（(](现行有效|有效|失效|已失效|已废止|已修改|部分失效)[\]】）)]|[\[【（(](现行有效|有效|失效|已失效|已废止|已修改|部分失效|此文件已于[^）)]{4,30})[\]】）)]$`)
	debris      = words.New(`^.{0,60}">`)
	actionFirst = words.New(`^(?:废止|修改|修订|印发|转发|批转|发布|公布|下发)`)
	// The issuer answers or implements: 国务院对…的批复, 四川省人民政府贯彻落实国务院关于….
	issuerActs = words.New(`^(.{2,60}?)(对|给|致|贯彻落实|贯彻)(.+)$`)
	noIssuer   = words.New(`^(?:贯彻|落实|对|给|做好|关于)`)
	issuerEnds = []string{"部", "委员会", "委", "局", "厅", "署", "院", "办公室", "办", "政府", "国务院", "中央", "军委", "大", "会", "行", "社", "集团", "公司", "法院", "检察院", "区", "司", "处", "所", "中心", "小组", "机制", "党组", "政协", "大学", "联合会", "总队", "支队", "国办", "中办", "馆", "站", "台", "协", "联"}
	quoted     = words.New(`《((?:[^《》]|〈[^〉]*〉)+)》`)
)

// maxTitle is the maximum length, in bytes, of a headline that is parsed.
const maxTitle = 1000

// ParseTitle parses a headline by the formula of official texts: issuer + 关于
// + subject + 的 + type (条例第九条).
func ParseTitle(s string) Title {
	var t Title
	s = strings.TrimSpace(strings.Join(strings.Fields(withoutPrivate(fold(strings.ToValidUTF8(s, "")))), " "))
	if len(s) > maxTitle {
		t.Title = s
		return t
	}
	s = t.clean(s)
	t.Title = s
	for _, m := range quoted.FindAllStringSubmatch(s, -1) {
		t.Inner = append(t.Inner, strings.NewReplacer("〈", "《", "〉", "》").Replace(m[1]))
	}
	core := withoutTrailing(s)
	if n, ok := ParseNumber(core); ok && utf8.RuneCountInString(squeeze(core)) <= utf8.RuneCountInString(n)+1 && !strings.Contains(n, "关于") {
		t.Number = n // a title that is only a number
		t.Type = typeOfNumber(n)
		return t
	}
	core = spaced.ReplaceAllString(core, "$1$2")
	formName, base := typeOf(core)
	issuers, verb, rest, ok := splitAtVerb(core)
	if acts := issuerActs.FindStringSubmatch(core); acts != nil && formName != "" && namesIssuers(acts[1]) && !strings.Contains(acts[1], "关于") && (!ok || len(acts[1]) < len(issuers)) {
		t.Issuers, t.Type = splitIssuers(acts[1]), base
		t.Subject = strings.TrimSuffix(strings.TrimSuffix(acts[3], formName), "的")
		return t
	}
	if lead := andOthers.FindStringSubmatch(issuers); lead != nil {
		issuers = lead[1] // 教育部等八部门: the others are in the text
	}
	if !ok || issuers != "" && !namesIssuers(issuers) {
		if formName != "" {
			t.Type = base
			if issuer := ordering(core, formName); issuer != "" {
				t.Issuers = []string{issuer}
				return t
			}
			t.Subject = strings.TrimSuffix(strings.TrimSuffix(core, formName), "的")
		}
		return t
	}
	if !noIssuer.MatchString(issuers) {
		t.Issuers = splitIssuers(issuers)
	}
	if verb != "关于" {
		t.Relation = verb
	} else if verb := actionFirst.FindString(rest); verb != "" {
		t.Relation = verb
		rest = strings.TrimPrefix(rest, verb)
	}
	if t.Relation == "批转" || t.Relation == "转发" {
		// The type of the enclosed document is not that of the document itself.
		if base != "通知" {
			formName, base = "", ""
		}
	}
	t.Type = base
	t.Subject = strings.TrimSuffix(strings.TrimSuffix(rest, formName), "的")
	switch t.Relation {
	case "印发", "转发", "批转", "公布", "发布":
		if len(t.Inner) == 0 {
			t.Inner = []string{t.Subject}
			if _, inner := typeOf(withoutTrailing(t.Subject)); t.Relation == "转发" && inner == "" && strings.Contains(t.Subject, "关于") {
				t.Inner[0] = rest // one 的通知 ends both titles
			}
		}
	}
	return t
}

// spaced matches a type that is spread out with spaces: 通 知.
var spaced = words.New(`([通公决意批复办规]) +([知告定见复函法])$`)

// withoutPrivate removes private-use characters, which old systems leave behind.
func withoutPrivate(s string) string {
	if strings.IndexByte(s, 0xEE) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Co, r) {
			return -1
		}
		return r
	}, s)
}

// andOthers matches the end of the issuers in a title that names only the first of them.
var andOthers = words.New(`^(.{2,60}?)等\s*[一二三四五六七八九十\d]{1,3}\s*(?:个)?(?:部委|部门|单位|部|委|机关|厅局|家单位)$`)

// ordering returns the issuer in a title that consists only of an issuer and a
// type: 中华人民共和国财政部令, 海关总署公告.
func ordering(title, form string) string {
	switch form {
	case "令", "公告", "通告":
	default:
		return ""
	}
	issuer := strings.TrimPrefix(strings.TrimSpace(strings.TrimSuffix(title, form)), "中华人民共和国")
	if _, _, known := division.OfIssuer(issuer, ""); known && namesIssuers(issuer) && onlyHan(issuer) {
		return issuer
	}
	return ""
}

// typeOfNumber returns the form that a number names: 财政部令第108号.
func typeOfNumber(number string) string {
	for _, form := range [...]string{"令", "公告", "通告"} {
		if _, after, ok := strings.Cut(number, form); ok && strings.IndexAny(after, "第〔0123456789") == 0 {
			return form
		}
	}
	return ""
}

// longestIssuers is the maximum number of characters before the verb of a title.
const longestIssuers = 60

// splitAtVerb splits a title at the first verb of the formula.
func splitAtVerb(s string) (issuers, verb, rest string, ok bool) {
	at := len(s)
	for _, v := range [...]string{"关于", "印发", "转发", "批转", "发布", "公布"} {
		if i := strings.Index(s[:min(len(s), at+len(v))], v); i >= 0 && i < at {
			at, verb = i, v
		}
	}
	issuers = strings.TrimRightFunc(s[:at], unicode.IsSpace)
	if verb == "" || at+len(verb) == len(s) || utf8.RuneCountInString(issuers) > longestIssuers {
		return "", "", "", false
	}
	return issuers, verb, s[at+len(verb):], true
}

// withoutTrailing removes brackets and spaces at the end of a title: （试行）,
// and the number of the document in brackets of any form.
func withoutTrailing(s string) string {
	for {
		s = strings.TrimRightFunc(s, unicode.IsSpace)
		before, inner, ok := lastBracket(s)
		if !ok || before == "" || utf8.RuneCountInString(inner) > longestFirst {
			return s
		}
		if !endsInAny(s, "）", ")") && closingNumber(s) == "" {
			return s
		}
		s = before
	}
}

// clean removes from a title what does not belong to it: the rest of a truncated attribute,
// a mark of its status, a number before it.
func (t *Title) clean(s string) string {
	if strings.Contains(s, `">`) {
		s = debris.ReplaceAllString(s, "")
	}
	if m := stateMarker.FindStringSubmatch(s); m != nil {
		t.Marker = m[1] + m[2]
		s = strings.TrimSpace(stateMarker.ReplaceAllString(s, ""))
	}
	if m := forceMarker.FindStringSubmatch(s); m != nil {
		t.InForce = m[1] + m[2]
		s = strings.TrimSpace(forceMarker.ReplaceAllString(s, ""))
	}
	if !strings.Contains(s, "号") {
		return s
	}
	if number, title, ok := inFirstBracket(s); ok {
		t.Number = number
		return title
	}
	if number, title, ok := leadingNumber(s); ok {
		t.Number = number
		return title
	}
	if title, number, ok := afterTitle(s); ok {
		t.Number = number
		return title
	}
	t.Number = closingNumber(s)
	return s
}

// typeOf returns the type at the end of s, and its base form.
func typeOf(s string) (name, base string) {
	for _, x := range types {
		if strings.HasSuffix(s, x.name) {
			return x.name, x.base
		}
	}
	return "", ""
}

// namesIssuers reports whether s ends like an organization's name.
func namesIssuers(s string) bool {
	return endsInAny(strings.TrimSpace(s), issuerEnds...) && !strings.ContainsAny(s, "，。！？：[]【】")
}

// splitIssuers splits joint issuers; the first is the lead issuer (主办).
func splitIssuers(s string) []string {
	var all []string
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '、' || r == '\u3000' }) {
		for part != "" {
			n := gluedAt(part)
			all = append(all, part[:n])
			part = part[n:]
		}
	}
	return all
}

var (
	glued       = words.New(`(?:人民政府|办公厅|部|委员会|委|局|署|院|行|会)`)
	issuerStart = []string{"国家", "中国", "中华人民共和国", "中共", "教育部", "公安部", "民政部", "司法部", "财政部", "海关总署", "最高人民", "税务总局", "市场监管总局", "发展改革委", "工业和信息化部", "人力资源社会保障部", "住房城乡建设部", "交通运输部", "生态环境部", "农业农村部", "文化和旅游部", "商务部", "科技部"}
)

// gluedAt returns where the first issuer of s ends: joint issuers are sometimes
// written without a separator (福建省人民政府广东省人民政府).
func gluedAt(s string) int {
	for _, at := range glued.FindAllStringIndex(s, 20) {
		rest := s[at[1]:]
		if len(rest) < 3*3 || !namesIssuers(rest) {
			continue
		}
		for _, start := range issuerStart {
			if strings.HasPrefix(rest, start) {
				return at[1]
			}
		}
		if _, _, ok := division.CutProvince(rest); ok && strings.HasSuffix(s[:at[1]], "府") {
			return at[1]
		}
	}
	return len(s)
}
