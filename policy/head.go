package policy

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// labelLine are the labels of a register that stands above the text of a page
// which was saved or copied as text.
var labelLine = regexp.MustCompile(`(索引号|信息索引号|主题分类|主题词|发布机构|发文机关|制发机关|成文日期|成文时间|发文日期|发布日期|发布时间|公开日期|文件登记号|发文字号|公文字号|文号|名称|标题|有效性|时效性|日期|来源|信息来源|浏览次数|点击数)\s*[:：]`)

const (
	registerLines = 12  // paragraphs in which a register may stand
	registerWidth = 120 // characters of a line of it
)

// headLabels reads the lines above a text that are nothing but labels and values,
// and takes them out of it.
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

// labelsOf returns the labels of a line that begins with one; nil if it does not,
// or runs on as a sentence does.
func labelsOf(p string) []Label {
	if !strings.ContainsAny(p, ":：") || len(p) > registerWidth*3 || strings.Contains(p, "。") {
		return nil
	}
	p = strings.TrimSpace(p)
	at := labelLine.FindAllStringSubmatchIndex(p, 20)
	if len(at) == 0 || at[0][0] != 0 || utf8.RuneCountInString(p) > registerWidth {
		return nil
	}
	out := make([]Label, len(at))
	for i, m := range at {
		end := len(p)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		out[i] = Label{Element: "正文", Name: p[m[2]:m[3]], Value: strings.TrimSpace(p[m[1]:end])}
	}
	return out
}

// cutShort ends a title that a list or a head has cut.
var cutShort = regexp.MustCompile(`(?:…+|\.{3,}|。{3})$`)

// completeTitle takes the whole of a title that was cut from the lines above the
// text, or from the list.
func (u *understanding) completeTitle() {
	short := cutShort.ReplaceAllString(u.Title, "")
	if short == u.Title || short == "" {
		return
	}
	want := cleanForComparison(short)
	if list := u.e.ListTitle; list != "" && !cutShort.MatchString(list) && strings.HasPrefix(cleanForComparison(list), want) {
		u.title = ParseTitle(list)
		u.Title = u.title.Title
		return
	}
	for first := range min(3, len(u.Paragraphs)) {
		whole := ""
		for i, p := range u.Paragraphs[first:min(len(u.Paragraphs), first+headlineLines)] {
			whole += p
			clean := cleanForComparison(whole)
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
