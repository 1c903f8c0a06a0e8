package list

import "strings"

// Reason is the code of the reason why part of a list was left out.
type Reason string

// The reasons.
const (
	BeyondLimit   Reason = "behind-limit"
	ManyLinks     Reason = "many-links"
	NoLink        Reason = "no-link"
	Placeholder   Reason = "template"
	NoText        Reason = "no-text"
	Twice         Reason = "twice"
	Crumbs        Reason = "breadcrumbs"
	Menu          Reason = "menu"
	MenuOnly      Reason = "menu-only" // nothing else was found
	Undated       Reason = "undated"   // the rows are read anyway
	Heading       Reason = "heading"
	ToMore        Reason = "more"
	Another       Reason = "another-list"  // Detail names its element
	Parts         Reason = "several-lists" // Detail is their headings
	SameAddress   Reason = "same-address"
	NoPage        Reason = "no-page"
	UnreadDate    Reason = "unread-date"
	NoDateThere   Reason = "no-date-at-selector"
	NoLinkThere   Reason = "no-link-at-selector"
	NoTitleMember Reason = "no-title"
	NoAddress     Reason = "no-address"
	ManyKeys      Reason = "many-keys" // Detail names the path
)

// sentences are the reasons in words for admins, in English and Chinese; %s is the detail.
var sentences = map[Reason][2]string{
	BeyondLimit:   {"the list has more than %s rows", "列表超过 %s 行"}, // that are read
	ManyLinks:     {"the page has more than %s links; the others were not read", "页面上的链接超过 %s 个，其余没有读取"},
	NoLink:        {"the row has no link", "这一行没有链接"},
	Placeholder:   {"the row is a template without content", "这一行是没有内容的模板"},
	NoText:        {"the link of the row has no text", "这一行的链接没有文字"},
	Twice:         {"the row is on the page twice", "这一行在页面上出现了两次"},
	Crumbs:        {"the row is the breadcrumb trail of the page", "这一行是页面在网站中的位置"},
	Menu:          {"all links of the row are in a list inside it", "这一行的链接都在行内的另一个列表中"},
	MenuOnly:      {"the row looks like part of a menu: it has no date, and its list leads to columns or other sites", "这一行像是导航菜单：没有日期，所在列表指向栏目或其他网站"},
	Undated:       {"no row of the list has a date", "列表中没有任何一行带日期"},
	Heading:       {"the row is the heading of a part of the list", "这一行是列表中一部分的标题"},
	ToMore:        {"the row leads to another list", "这一行通向另一个列表页面"},
	Another:       {"another list of the page: %s", "页面上的另一个列表：%s"},
	Parts:         {"the list is made of several lists of the page: %s", "这个列表由页面上的几个列表组成：%s"},
	SameAddress:   {"the row has the same address as another row", "这一行与另一行的网址相同"},
	NoPage:        {"the link of the row does not lead to a page", "这一行的链接不指向任何页面"},
	UnreadDate:    {"the date of the row was not read: its form is unknown", "这一行的日期没有读出：写法无法识别"},
	NoDateThere:   {"the date selector finds no date in the row", "按日期选择器在这一行找不到日期"},
	NoLinkThere:   {"the link selector finds no link in the row", "按链接选择器在这一行找不到链接"},
	NoTitleMember: {"the element has no title", "这个元素没有标题"},
	NoAddress:     {"the element has no address", "这个元素没有网址"},
	ManyKeys:      {"the object has more than 1,000 keys and was not searched: %s", "这个对象的键超过 1000 个，未在其中查找：%s"},
}

// Drop is a part that was left out, and why.
type Drop struct {
	Code    Reason `json:"code"`
	Reason  string `json:"reason"` // the sentence in English
	Count   int    `json:"count"`
	Example string `json:"example"`

	detail string
}

// Say returns the sentence that says why, in Chinese or English.
func (d Drop) Say(chinese bool) string {
	if !chinese {
		return d.Reason
	}
	return strings.ReplaceAll(sentences[d.Code][1], "%s", d.detail)
}

// Drops lists the parts of a list that were left out; each reason occurs once.
type Drops []Drop

// Add records a part that was left out. Detail is the value in the sentence, "" for none.
func (d *Drops) Add(code Reason, detail, example string) {
	if !strings.Contains(sentences[code][0], "%s") {
		detail = ""
	}
	for i := range *d {
		if x := &(*d)[i]; x.Code == code && x.detail == detail {
			x.Count++
			return
		}
	}
	*d = append(*d, Drop{code, strings.ReplaceAll(sentences[code][0], "%s", detail), 1, cut(example), detail})
}
