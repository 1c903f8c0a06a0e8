package policy

import (
	"slices"
	"strings"
	"unicode/utf8"

	"dibao/policy/cut"
	"dibao/policy/label"
	"dibao/policy/same"
	"dibao/policy/words"
)

// labelLine matches a label at the beginning of a register line above the text of a page
// that was saved or copied as text.
var labelLine = words.New(`(索引号|信息索引号|主题分类|主题词|发布机构|发文机关|制发机关|成文日期|成文时间|发文日期|发布日期|发布时间|公开日期|文件登记号|发文字号|公文字号|文号|名称|标题|有效性|时效性|日期|来源|信息来源|浏览次数|点击数)\s*[:：]`)

const (
	registerLines = 12  // paragraphs at the beginning that can contain a register
	registerWidth = 120 // maximum length of a line of a register, in characters
)

// headLabels reads lines above a text that consist only of labels and values,
// and removes them from it.
func (u *understanding) headLabels() {
	var labels []Label
	var rest []string
	found := false
	for i, p := range u.Paragraphs {
		if i >= registerLines || strings.HasSuffix(p, "：") && labelsOf(p) == nil || strings.Contains(p, "。") { // the text begins
			rest = append(rest, u.Paragraphs[i:]...)
			break
		}
		all := labelsOf(p)
		if all == nil {
			rest = append(rest, p)
			continue
		}
		found = true
		labels = append(labels, all...)
	}
	if found {
		u.e.Labels = append(append([]Label{}, u.e.Labels...), labels...)
		u.Paragraphs = rest
	}
}

// labelsOf returns the labels of a line that begins with one; nil if it does
// not, or continues like a sentence.
func labelsOf(p string) []Label {
	if !strings.ContainsAny(p, ":：") || len(p) > registerWidth*3 || strings.Contains(p, "。") {
		return nil
	}
	p = strings.TrimSpace(p)
	if at := labelLine.FindStringIndex(p); at == nil || at[0] != 0 || utf8.RuneCountInString(p) > registerWidth {
		return nil
	}
	fields, _ := label.Split(p)
	out := make([]Label, len(fields))
	for i, f := range fields {
		out[i] = Label{Element: "正文", Name: f.Name, Value: f.Value}
	}
	return out
}

// cutShort matches the end of a title that a list or a head has truncated.
var cutShort = words.New(`(?:…+|\.{3,}|。{3})$`)

// completeTitle completes a truncated title from the lines above the text, or
// from the list.
func (u *understanding) completeTitle() {
	short := cutShort.ReplaceAllString(u.Title, "")
	if short == u.Title || short == "" {
		return
	}
	want := same.Clean(short)
	if list := u.e.ListTitle; list != "" && !cutShort.MatchString(list) && strings.HasPrefix(same.Clean(list), want) {
		u.title = ParseTitle(list)
		u.Title = u.title.Title
		return
	}
	for first := range min(3, len(u.Paragraphs)) {
		whole := ""
		for i, p := range u.Paragraphs[first:min(len(u.Paragraphs), first+headlineLines)] {
			whole += p
			clean := same.Clean(whole)
			if !strings.HasPrefix(clean, want[:min(len(want), len(clean))]) {
				break
			}
			if t := ParseTitle(whole); len(clean) > len(want) && t.Type != "" {
				u.title, u.Title = t, t.Title
				u.Paragraphs = append(append([]string{}, u.Paragraphs[:first]...), u.Paragraphs[first+i+1:]...)
				return
			}
		}
	}
}

const (
	headlineLines = 8                          // maximum number of lines of a headline
	headLines     = headlineLines + maxSigners // including the lines of its issuers and its number
)

// columnAfter matches the name of a column after a headline that a text repeats.
var columnAfter = words.New(`\s?[（(【][^（）()【】\d]{2,10}[)）】]$`)

// issuesTitle matches the headline of the notice that issues a text, above the text's own
// title.
var issuesTitle = words.New(`^关于(?:印发|公布|发布|下发|颁布).*的(?:通知|公告|通告|决定)$`)

// markBefore matches a mark of the site before a headline: （转载）.
var markBefore = words.New(`^[（(【\[][^（）()【】\[\]\d]{1,6}[)）\]】]\s*`)

// headlineIn returns how many lines at the start of a text repeat its headline,
// and the issuers in separate lines above it.
func headlineIn(paragraphs []string, title string) (lines int, issuers []string) {
	if lines, issuers = repeats(paragraphs, title); lines == 0 {
		if mark := markBefore.FindString(title); mark != "" {
			return repeats(paragraphs, title[len(mark):])
		}
	}
	return lines, issuers
}

// repeats is headlineIn for a headline without a mark before it.
func repeats(paragraphs []string, title string) (lines int, issuers []string) {
	whole := same.Clean(title)
	if whole == "" {
		return 0, nil
	}
	rest := whole
	for i, p := range paragraphs[:min(len(paragraphs), headLines)] {
		clean := same.Clean(p)
		if column := columnAfter.FindStringIndex(p); column != nil && rest == whole && same.Clean(p[:column[0]]) == whole { // …（样例传真）
			return i + 1, issuers
		}
		if at := strings.Index(clean, cut.First(whole, 4)); at > 0 && rest == whole && signs(clean[:at]) { // 样例省能源局关于做好…
			issuers, clean = append(issuers, clean[:at]), clean[at:]
		}
		part, found := strings.CutPrefix(rest, clean)
		switch {
		case !found && rest == whole && strings.Contains(clean, whole) && issuesTitle.MatchString(clean):
			return i + 1, issuers
		case !found && rest == whole && signs(redHead(p)):
			for _, issuer := range splitIssuers(redHead(p)) { // the head repeats the issuer above the title
				if !slices.Contains(issuers, issuer) {
					issuers = append(issuers, issuer)
				}
			}
		case !found && rest == whole && len(issuers) > 0 && squeeze(p) == "文件": // the issuer above the document
		case !found:
			return 0, nil
		case part == "":
			return i + 1, issuers
		}
		if found {
			rest = part
		}
	}
	return 0, nil
}

// redHead returns a line without the word 文件 that follows the issuer at the head of a page.
func redHead(line string) string {
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(fold(line)), "文件"))
}

// dropHeadline removes the headline from the text, which repeats it in one line
// or in several.
func (u *understanding) dropHeadline() {
	n, issuers := headlineIn(u.Paragraphs, u.Title)
	u.Paragraphs = u.Paragraphs[n:]
	if len(issuers) > 0 {
		u.issuers = issuers
	}
}

// numberLine removes the line that consists only of the document's number,
// below or above the headline; if no label gave the number, this one counts.
func (u *understanding) numberLine() {
	for i, p := range u.Paragraphs[:min(headLines, len(u.Paragraphs))] {
		if n := u.numberOf(p); n != "" {
			u.DocumentNumber = n
			u.Paragraphs = append(append([]string{}, u.Paragraphs[:i]...), u.Paragraphs[i+1:]...)
			u.dropHeadline()
			return
		}
		if _, dated := readSignature(p); i >= 2 && !u.ofHead(p) && !(dated && u.isAnnounced()) {
			return
		}
	}
}

// announces matches the announcement above a text that it puts into force, in which a date
// precedes the number: 现予公布，自…起施行.
var announces = words.New(`现予(?:公布|发布)|予以公布`)

// isAnnounced reports whether the text begins with the announcement of the document that
// the title names.
func (u *understanding) isAnnounced() bool {
	return u.title.Relation != "印发" && u.title.Relation != "转发" && u.title.Relation != "批转" && len(u.Paragraphs) > 0 && announces.MatchString(u.Paragraphs[0])
}

// lineDate matches a date after a number: （民发〔2012〕124号 2012年7月10日）.
var lineDate = words.New(`[\s，,]+(?:19|20)\d{2}年\d{1,2}月\d{1,2}日[）)]?$`)

// numberOf returns the number in a line that contains nothing else, "" if it is another
// document's.
func (u *understanding) numberOf(line string) string {
	line = lineDate.ReplaceAllString(line, "")
	n, ok := ParseNumber(line)
	if !ok && u.title.Type != "" && len(u.title.Issuers) == 1 && u.title.Subject == "" { // 样例市人民政府令 with 第77号 below it
		if m := orderNumber.FindStringSubmatch(squeeze(fold(line))); m != nil {
			return u.title.Issuers[0] + u.title.Type + "第" + m[1] + "号"
		}
	}
	if !ok || utf8.RuneCountInString(squeeze(line)) > utf8.RuneCountInString(n)+4 || listedLine.MatchString(line) || u.DocumentNumber != "" && u.DocumentNumber != n {
		return ""
	}
	return n
}

// headWidth is the maximum number of characters in a line of a headline.
const headWidth = 60

// ofHead reports whether a line is a part of the headline, or contains only issuers.
func (u *understanding) ofHead(line string) bool {
	clean := same.Clean(line)
	return utf8.RuneCountInString(line) <= headWidth && clean != "" && (clean == "文件" || strings.Contains(same.Clean(u.Title), clean) || signs(fold(line)))
}

var (
	orderHead   = words.New(`^(?:中华人民共和国)?(\p{Han}{2,20}?)令$`)
	orderNumber = words.New(`^第([0-9]{1,5})号$`)
)

// order reads the head of an order (令) that puts legislation into force: the
// issuer in one line, the number in the next (条例第八条之命令).
func (u *understanding) order() {
	if len(u.Paragraphs) < 2 {
		return
	}
	head := orderHead.FindStringSubmatch(squeeze(fold(u.Paragraphs[0])))
	number := orderNumber.FindStringSubmatch(strings.TrimPrefix(hanSerials("令"+squeeze(fold(u.Paragraphs[1]))), "令"))
	if head == nil || number == nil {
		return
	}
	if u.DocumentNumber == "" { // a register may write it in its own style: 国令第707号
		u.DocumentNumber = head[1] + "令第" + number[1] + "号"
	}
	if u.Issuers == nil && len(u.title.Issuers) == 0 {
		u.Issuers = []string{head[1]}
	}
	u.Paragraphs = append([]string{}, u.Paragraphs[2:]...)
}
