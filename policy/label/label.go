// Package label reads labeled values: "来源：某委 作者：张明
// 发布时间：2026-11-27 09:30" above an article, a register of a document, a row
// of a list, a cell of a table.
//
// A value never comes from another label: the value of an empty label is "". A source is
// never a date, and values that a label's kind does not allow are left out.
package label

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"dibao/policy/cut"
	"dibao/policy/hans"
	"dibao/policy/surname"
	"dibao/policy/when"
	"dibao/policy/words"
)

// Boundary is a character in a line where two elements of a page meet, or where a visible
// gap separates two texts.
const Boundary = '\x1f'

// Field is a label and its value; the value is "" if the page leaves it empty.
type Field struct {
	Name  string // as printed, without spaces and colon
	Value string
	Kind  Kind
}

// Limits, in characters.
const (
	maxLine  = 1000 // length of a line that is read
	maxValue = 200
	maxName  = 40 // length of a source or an author
)

const (
	gaps = `[\s\x{a0}\x{3000}\x{1f}]*`
)

// mark matches a label: a name and a colon, or a name that fills an element. unknown
// matches what looks like a label but is not one of the names.
var (
	mark = words.NewFunc(func() string {
		return `(?i)(` + pattern() + `)[\]】）)]?(?:` + gaps + `[:：]|` + gaps + `(?:/\s*)?[丨|｜︱]|[ \x{a0}\x{3000}]*\x{1f}|` + gaps + `$)`
	})
	unknown = words.New(`(?:^|[\s\x{1f}\x{3000}\x{a0}|｜丨【\[（(])(\p{Han}{2,10})[:：]`)
	sizes   = words.New(`^` + gaps + `(?:[\[【（(]?` + gaps + `(?:特大|超大|默认|标准|正常|放大|缩小|大|中|小|A\+|A-|A|T)` + gaps + `[\]】）)]?` + gaps + `[|｜/]?` + gaps + `){2,8}`)
	control = words.New(`[\s\x{1f}](?:浏览|阅读|字号|字体|打印|分享|收藏|举报|点击|访问|评论|参与互动|关注|订阅|下载|作者|责任编辑|编辑|我要|手机看|扫码|更多)`)
)

// pattern returns the alternatives of all names; short ones may be spread out with spaces.
func pattern() string {
	var all []string
	for _, name := range sorted() {
		switch n := utf8.RuneCountInString(name); {
		case name[0] < utf8.RuneSelf:
			all = append(all, `\b`+strings.NewReplacer("date", " ?date", "time", " ?time", "lastu", "last u", "lastm", "last m", "postedon", "posted on").Replace(name))
		case n <= 4:
			all = append(all, strings.Join(strings.Split(name, ""), gaps))
		default:
			all = append(all, name)
		}
	}
	return strings.ReplaceAll(strings.Join(all, "|"), `\b ?`, `\b`)
}

func isGap(r rune) bool { return r == Boundary || unicode.IsSpace(r) }

// found is a label that was found in a line.
type found struct {
	name              string
	kind              Kind
	start, end, value int // beginning and end of the name, and where its value begins
	colon             bool
}

// Split returns the labels of a line with their values, and the rest of the
// line.
func Split(line string) (fields []Field, rest string) {
	line = withColons(line)
	plain := hans.Simplify(line) // has the same length in bytes
	if !mayHold(plain) {
		return nil, line
	}
	at := labelsOf(plain)
	if len(at) == 0 {
		return nil, line
	}
	rest = line[:at[0].start]
	for i, m := range at {
		end := len(line)
		if i+1 < len(at) {
			end = at[i+1].start
		}
		f, left := m.read(line[m.value:end])
		rest += string(Boundary) + left
		if f.Kind != Unknown && f.Kind != Control && (m.colon || f.Value != "") {
			fields = append(fields, f)
		}
	}
	return fields, rest
}

// Labels in brackets or with a slash: [来源]某委, 文/张明.
var (
	bracketed = words.New(`[\[【](来源|作者|时间|日期|发布时间|发布日期|责任编辑|责编|编辑)[\]】][ \x{a0}]*[:：]?`)
	slashed   = words.New(`(^|[\s\x{1f}\x{a0}\x{3000}])(文|撰文|执笔|来源|作者|责编|编辑|摄影|供图)[ ]?[/／][ ]?(\p{Han})`)
	// namesFirst matches names followed by the words for their roles: 张明 文/王样 图.
	namesFirst = words.New(`^\p{Han}{2,4}\s?文\s?[/／]\s?\p{Han}{2,4}\s(?:文|图|摄影?)$`)
)

// Labels without a colon: 来源于 某报, 发布于 2026-11-27, [发布时间2026年11月27日].
var (
	takenFrom = words.New(`(^|[\s\x{1f}])(来源于|转载自|转自|摘自)[ \x{a0}]+(\p{Han})`)
	putOn     = words.New(`(^|[\s\x{1f}\[【（(])((?:发布|发表|更新|上传|录入)(?:于|时间|日期))[ \x{a0}]*((?:19|20)\d{2}[-/.年])`)
)

// withColons adds colons to labels that are in brackets, followed by a slash,
// or followed directly by their value.
func withColons(line string) string {
	if len(line) > 4*maxLine {
		return line
	}
	if strings.ContainsAny(line, "[【") {
		line = bracketed.ReplaceAllString(line, "$1：")
	}
	if strings.ContainsAny(line, "于自") {
		line = takenFrom.ReplaceAllString(line, "$1$2：$3")
	}
	if strings.ContainsAny(line, "布表新传入") && strings.ContainsAny(line, "于时日") {
		line = putOn.ReplaceAllString(line, "$1$2：$3")
	}
	if strings.ContainsAny(line, "/／") && !namesFirst.MatchString(line) {
		line = slashed.ReplaceAllStringFunc(line, func(s string) string {
			m := slashed.FindStringSubmatch(s)
			if m[3] == "图" || m[3] == "摄" { // 张明 文/图
				return s
			}
			if strings.HasSuffix(m[2], "文") {
				m[2] = "作者"
			}
			return m[1] + m[2] + "：" + m[3]
		})
	}
	return line
}

// mayHold quickly excludes lines without a label, which needs a colon or a bar, or fills an
// element.
func mayHold(line string) bool {
	if utf8.RuneCountInString(line) > maxLine {
		return false
	}
	if strings.ContainsAny(line, ":：|｜丨︱") {
		return true
	}
	for run := range strings.SplitSeq(line, string(Boundary)) {
		if len(run) <= 60 && KindOf(run) != Unknown {
			return true
		}
	}
	return false
}

// labelsOf finds the labels of a line in order.
func labelsOf(line string) []found {
	var all []found
	unknowns := unknown.FindAllStringSubmatchIndex(line, -1)
	addUnknown := func(before int) { // adds unknown labels that begin before a position
		for len(unknowns) > 0 && unknowns[0][2] < before {
			if m := unknowns[0]; KindOf(line[m[2]:m[3]]) == Unknown && (len(all) == 0 || m[2] >= all[len(all)-1].value) {
				all = append(all, found{"", Unknown, m[2], m[3], m[1], true})
			}
			unknowns = unknowns[1:]
		}
	}
	for at := 0; at < len(line) && hasName(line[at:]); {
		m := mark.FindStringSubmatchIndex(line[at:])
		if m == nil {
			break
		}
		name := squeezed(line[at+m[2] : at+m[3]])
		f := found{name, KindOf(name), at + m[2], at + m[3], at + m[1], strings.ContainsAny(line[at+m[3]:at+m[1]], ":：|｜丨︱")}
		from := 0
		if len(all) > 0 {
			from = all[len(all)-1].value
		}
		if f.isSeparate(line, from, len(all) > 0) {
			addUnknown(f.start)
			if n := len(all); n == 0 || all[n-1].value <= f.start {
				all = append(all, f)
			}
		}
		at = f.end
	}
	addUnknown(len(line) + 1)
	return all
}

func squeezed(name string) string {
	return strings.Map(func(r rune) rune {
		if isGap(r) && r != ' ' {
			return -1
		}
		return r
	}, strings.Join(strings.Fields(name), map[bool]string{true: " ", false: ""}[name[0] < utf8.RuneSelf]))
}

// isSeparate reports whether a name is a separate label: only the value of the previous label
// may directly precede it ("来源：某委作者：张明"). With other text directly before it, it is part of
// another word ("图片来源：").
func (f found) isSeparate(line string, from int, afterLabel bool) bool {
	before := strings.TrimRightFunc(line[from:f.start], func(r rune) bool { return r == '[' || r == '【' || r == '（' || r == '(' })
	last, _ := utf8.DecodeLastRuneInString(before)
	glued := before != "" && (unicode.Is(unicode.Han, last) || unicode.IsLetter(last))
	if !f.colon {
		return !glued && (strings.TrimRight(before, " ") == "" || strings.HasSuffix(before, string(Boundary)) || strings.HasSuffix(strings.TrimRight(before, " "), "|")) && utf8.RuneCountInString(f.name) >= 2
	}
	if !glued {
		return true
	}
	if !afterLabel {
		return false
	}
	value := strings.TrimLeftFunc(before, isGap)
	return !strings.ContainsFunc(value, isGap) || FindDate(value) != nil
}

// FindDate returns where the first date of a line begins and ends, nil if there
// is none. It may contain boundaries of elements.
func FindDate(line string) []int {
	plain := strings.ReplaceAll(line, string(Boundary), " ")
	for _, w := range when.Find(plain, when.Clock{}) {
		if at := strings.Index(plain, w.Text); at >= 0 && !w.Weak {
			return []int{at, at + len(w.Text)}
		}
	}
	return nil
}

// read reads the value of a label from the text after it, and returns the rest.
func (f found) read(text string) (Field, string) {
	out := Field{Name: f.name, Kind: f.kind}
	switch f.kind {
	case Text:
		if loc := sizes.FindStringIndex(text); loc != nil {
			out.Kind = Control
			return out, text[loc[1]:]
		}
		out.Value = cut.First(strip(plain(beforeControl(text))), maxValue)
		return out, ""
	case Date:
		return f.readDate(out, text)
	case Source, Author, Editor:
		var left string
		out.Value, left = name(text, f.kind != Source)
		return out, left
	}
	if loc := FindDate(text); loc != nil { // belongs to a counter or an unknown label
		return out, text[loc[0]:]
	}
	return out, ""
}

// readDate reads the first date, or else the first text ("长期有效").
func (f found) readDate(out Field, text string) (Field, string) {
	if loc := FindDate(text); loc != nil && utf8.RuneCountInString(strip(plain(text[:loc[0]]))) <= 6 {
		end := loc[1]
		if name := out.Name; strings.Contains(name, "起止") || strings.Contains(name, "征") || strings.Contains(name, "公示") || strings.Contains(name, "报名") || strings.Contains(name, "申报") {
			end = len(text) // a range
		}
		out.Value = cut.First(strip(plain(text[:end])), maxValue)
		return out, text[end:]
	}
	run, left := firstRun(text)
	if out.Value = cut.First(strip(run), maxValue); KindOf(out.Value) != Unknown {
		out.Value = ""
	}
	return out, left
}

// name reads a name: the first text that is not a date, a label or a control of the page. A
// name of two characters may have a space in it.
func name(text string, person bool) (value, left string) {
	run, left := firstRun(text)
	if person && utf8.RuneCountInString(run) == 1 {
		next, rest := firstRun(left)
		if second, after, _ := strings.Cut(next, " "); utf8.RuneCountInString(second) == 1 {
			run, left = run+" "+second, after+string(Boundary)+rest
		}
	}
	if m := moreNames.FindStringSubmatchIndex(left); person && m != nil && personsName.MatchString(run) { // By A and B
		run, left = run+"、"+strings.Join(nextName.FindAllString(plain(left[m[2]:m[3]]), -1), "、"), left[m[3]:]
	}
	if end := strings.IndexAny(left, "\x1f）)】|｜"); person && strings.HasPrefix(left, "，") { // offices before the name
		if end < 0 {
			end = len(left)
		}
		if m := OfficeAndName.FindStringSubmatch(run + left[:end]); m != nil && surname.Begins(m[2]) {
			run, left = run+left[:end], left[end:]
		}
	}
	if loc := FindDate(run); loc != nil {
		run, left = run[:loc[0]], run[loc[0]:]+string(Boundary)+left
	}
	if loc := control.FindStringIndex(run); loc != nil {
		run = run[:loc[0]]
	}
	value = strip(run)
	if KindOf(value) != Unknown || utf8.RuneCountInString(value) > maxName || strings.ContainsAny(value, "。：") || !strings.ContainsFunc(value, unicode.IsLetter) {
		return "", run + string(Boundary) + left
	}
	return value, left
}

// englishName matches the name of a person in English: two to four words.
const englishName = `[A-Z][\p{L}.'’-]+(?:\s[A-Z][\p{L}.'’-]+){1,3}`

// personsName matches a person's name, moreNames more names after it.
var (
	personsName = words.New(`^` + englishName + `$`)
	moreNames   = words.New(`^((?:[\s\x{1f}]*(?:,|,?[\s\x{1f}]+and|&)[\s\x{1f}]+` + englishName + `){1,4})[\s\x{1f}]*(?:$|[\x{1f}|｜·•])`)
	nextName    = words.New(englishName)
)

// OfficeAndName matches one or several offices with a name directly after the last:
// 样例中心部长、研究员徐样忱.
var OfficeAndName = words.New(`^(.{3,60}(?:长|书记|主任|研究员|教授|委员|主席|博士|专家|顾问|学者|大学|学院|研究院|研究所|中心|党校))(\p{Han}{2,3})$`)

// firstRun returns the first text that is not blank up to a boundary, a gap, a
// bar or a comma, and what follows.
func firstRun(text string) (run, left string) {
	text = strings.TrimLeftFunc(text, func(r rune) bool { return isGap(r) || strings.ContainsRune("|｜丨│︱[【（(", r) })
	end := strings.IndexFunc(text, func(r rune) bool { return strings.ContainsRune("\x1f\u3000|｜丨│，,；;】]", r) })
	if end < 0 {
		return plain(text), ""
	}
	return plain(text[:end]), text[end:]
}

// beforeControl truncates a text at the first control of the page.
func beforeControl(text string) string {
	if loc := control.FindStringIndex(text); loc != nil && loc[0] > 0 {
		return text[:loc[0]]
	}
	return text
}

func plain(s string) string { return strings.Join(strings.FieldsFunc(s, isGap), " ") }

func strip(s string) string {
	return strings.Trim(s, " |｜丨│[]【】,，;；:：、·-—<>"+map[bool]string{true: "（）()", false: ""}[strings.Count(s, "（")+strings.Count(s, "(") != strings.Count(s, "）")+strings.Count(s, ")")])
}
