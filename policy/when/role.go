package when

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Role is the meaning of a date for a document.
type Role string

// The roles. RoleUnknown means that nothing next to the date gives its meaning.
const (
	RoleUnknown   Role = ""
	RolePublished Role = "published" // 发布日期
	RoleWritten   Role = "written"   // 成文日期, 印发日期
	RoleEffective Role = "effective" // 施行日期
	RoleExpires   Role = "expires"   // 有效期至, 失效日期
	RoleDeadline  Role = "deadline"  // 截止时间
	RolePeriod    Role = "period"    // 征集时间, 公示期
	RoleUpdated   Role = "updated"   // 更新时间
	RoleEvent     Role = "event"     // 会议时间
	RoleNumber    Role = "number"    // 索引号: not a date
	RoleToday     Role = "today"     // 今天是: a page's display of the current date
)

// roleWords are the words in labels and column heads that show a role; the
// first one that a label contains counts, so that 意见征集截止时间 is a
// deadline and 发布时间 is not a period.
var roleWords = []struct {
	role  Role
	words []string
}{
	{RoleNumber, []string{"索引", "文号", "编号", "字号", "序号", "标识码", "电话", "邮编", "阅读", "浏览", "点击", "访问"}},
	{RoleExpires, []string{"有效期", "失效", "废止", "到期"}},
	{RoleDeadline, []string{"截止", "截至", "结束"}},
	{RolePeriod, []string{"征集", "征求意见", "公示期", "公示时间", "起止", "报名", "反馈", "开始"}},
	{RoleEffective, []string{"施行", "实施", "生效", "执行"}},
	{RoleUpdated, []string{"最后发表", "最后回复", "更新", "修改时间", "修改日期", "修订"}},
	{RoleWritten, []string{"成文", "发文", "印发", "签发", "生成", "制发", "制定", "拟稿", "创建", "通过", "签署", "批准"}},
	{RoleEvent, []string{"会议", "活动", "开庭", "考试", "召开", "举办", "开标", "磋商", "谈判", "评标", "面试", "笔试", "培训", "讲座"}},
	{RolePublished, []string{"发布", "发表", "公开", "公布", "刊发", "刊登", "上网", "上线", "发稿", "时间", "日期", "posted", "published", "date"}},
}

// RoleOf returns the role of a date with this label or column head.
func RoleOf(label string) Role {
	label = strings.ToLower(strings.Join(strings.Fields(label), ""))
	if label == "" {
		return RoleUnknown
	}
	for _, x := range roleWords {
		for _, word := range x.words {
			if strings.Contains(label, word) {
				return x.role
			}
		}
	}
	return RoleUnknown
}

// isVague reports whether a label names a time without saying of what, such as 受理时间.
func isVague(label string) bool {
	label = strings.ToLower(strings.Join(strings.Fields(label), ""))
	switch label {
	case "时间", "日期", "date", "posted", "published":
		return false
	}
	for _, word := range []string{"发布", "发表", "公开", "公布", "刊发", "刊登", "上网", "上线", "发稿", "posted", "published"} {
		if strings.Contains(label, word) {
			return false
		}
	}
	return true
}

// maxLabel is the maximum length of a label, in characters.
const maxLabel = 12

// judge finds the label before a date and the role that the words after it give.
func (w *When) judge(s string, all []When, i int) {
	from := 0
	if i > 0 {
		from = all[i-1].end
	}
	between := s[from:w.start]
	w.Label, w.hasColon = labelOf(between)
	w.Role = RoleOf(w.Label)
	w.Alone = isAlone(s, w.start, w.end)
	if i > 0 && isRange(between) { // the end of a range, and its beginning
		w.Role = RoleDeadline
		if all[i-1].Role == RoleUnknown || all[i-1].Role == RolePeriod {
			all[i-1].Role = RolePeriod
		}
		return
	}
	for _, banner := range []string{"今天是", "今日是", "现在是", "当前时间", "当前日期"} {
		if strings.HasSuffix(strings.TrimRight(between, " :\x1f"), banner) {
			w.Role = RoleToday
			return
		}
	}
	if w.Role == RoleUnknown || w.Role == RolePublished {
		if role := roleAfter(between, s[w.end:]); role != RoleUnknown {
			w.Role = role
		} else if strings.HasSuffix(strings.TrimRight(between, " "), "至") {
			w.Role = RoleExpires
		}
	}
}

// isRange reports whether two dates are the ends of a range.
func isRange(between string) bool {
	between = strings.Trim(between, " ()（）[]")
	switch between {
	case "-", "--", "—", "——", "–", "~", "～", "至", "到", "起至", "－":
		return true
	}
	return false
}

// labelOf returns the label at the end of the text before a date: a word with a colon after
// it, or a separate word that gives the date's role.
func labelOf(before string) (label string, hasColon bool) {
	rest := strings.TrimRight(before, " \x1f[(（【〔")
	end := strings.TrimRight(rest, ": \x1f")
	hasColon = strings.Contains(rest[len(end):], ":")
	end = strings.TrimRight(end, " ]】")
	start, n := len(end), 0
	for start > 0 && n < maxLabel {
		r, size := utf8.DecodeLastRuneInString(end[:start])
		if !unicode.IsLetter(r) && !(r == ' ' && n == 1) { // 时 间
			break
		}
		start -= size
		n++
	}
	label = strings.Join(strings.Fields(end[start:]), "")
	if label == "" || !hasColon && (RoleOf(label) == RoleUnknown || utf8.RuneCountInString(label) > 6 || !bareLabel(label)) {
		return "", false
	}
	return label, hasColon
}

// bareLabel reports whether a word is a label without a colon: its ending shows
// that ("点击下载附件" is a link).
func bareLabel(label string) bool {
	for _, end := range []string{"日期", "时间", "日", "号", "至", "期", "于", "阅读", "浏览", "点击", "发布", "更新", "截止", "on", "at", "date"} {
		if strings.HasSuffix(label, end) {
			return true
		}
	}
	return false
}

// maxBeside is the maximum number of letters next to a date that counts as alone.
const maxBeside = 8

// isAlone reports whether a date is the only text of its element, except for a label.
func isAlone(s string, start, end int) bool {
	n := 0
	for _, side := range []string{s[strings.LastIndexByte(s[:start], Border)+1 : start], untilBorder(s[end:])} {
		for _, r := range side {
			if isWordRune(r) {
				if n++; n > maxBeside {
					return false
				}
			}
		}
	}
	return true
}

func untilBorder(s string) string {
	if i := strings.IndexByte(s, Border); i >= 0 {
		return s[:i]
	}
	return s
}

// maxAfter is the number of characters after a date that are searched for words that give
// its role.
const maxAfter = 24

// maxNextText is the maximum length, in characters, of an element after a date that gives its
// role; a longer one is an abstract.
const maxNextText = 4

// roleAfter returns the role that the clause after a date gives it: 起施行, 前报送, 公布. A long
// text in the next element is such a clause only if the text before the date leads to it, as
// 请于 does.
func roleAfter(before, rest string) Role {
	const between = " :\x1f"
	if next := strings.TrimLeft(rest, between); strings.HasPrefix(rest, "\x1f") {
		last, _ := utf8.DecodeLastRuneInString(strings.TrimRight(before, between))
		switch {
		case strings.ContainsRune("于在至到自从", last):
			rest = next
		case utf8.RuneCountInString(untilBorder(next)) > maxNextText:
			return RoleUnknown
		}
	}
	n := 0
	for i, r := range rest {
		if n++; n > maxAfter || strings.ContainsRune(",，。;；)）] 、|\u3000\x1f", r) && i > 0 {
			rest = rest[:i]
			break
		}
	}
	switch {
	case strings.HasPrefix(rest, "前"), strings.HasPrefix(rest, "之前"), strings.HasPrefix(rest, "截止"), strings.HasPrefix(rest, "止"):
		return RoleDeadline
	case strings.HasPrefix(rest, "起") && (strings.Contains(rest, "施行") || strings.Contains(rest, "实施") || strings.Contains(rest, "生效") || strings.Contains(rest, "执行")):
		return RoleEffective
	case strings.Contains(rest, "公布") || strings.Contains(rest, "发布"):
		return RolePublished
	case strings.Contains(rest, "通过") || strings.Contains(rest, "印发") || strings.Contains(rest, "批准"):
		return RoleWritten
	}
	return RoleUnknown
}
