package templates

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// digestOf returns an email with n items in each section.
func digestOf(language, title string, n int) Digest {
	d := Digest{
		DigestHead: DigestHead{
			Language: language, SiteName: "邸报", Subject: title, Preheader: title, Title: title, Number: "第 3 期", Date: "2026-11-23", Note: title,
			Counts: []string{"要点 " + strconv.Itoa(n)}, Total: 5 * n,
		},
		DigestFoot: DigestFoot{
			Language: language, Remarks: []string{title}, ArchiveURL: "https://a.example/lists/weekly/issues/3", HomeURL: "https://a.example/",
			Sender: title,
		},
	}
	for _, key := range []string{"forreader", "highlights", "deadlines", "effective", "documents", "ending", "interpretations", "signed", "news", "other"} {
		s := DigestSection{Language: language, Key: key, Count: n}
		for i, it := range items(n, title) {
			s.Items = append(s.Items, DigestItem{
				Item: it, Language: language, Badge: title, Urgent: i%2 == 0, Says: []DocLink{{"废止", title, ""}, {"落实", title, "https://a.example/documents/1"}},
				Remarks: []DocLink{{"", title, ""}, {"", title, "https://a.example/articles/1"}}, BadgeURL: map[bool]string{true: "https://a.example/articles/2"}[i == 1], Under: key == "interpretations", Short: i == 3, Lead: map[bool]string{true: title}[key == "highlights"],
				ForReader: map[bool]*ForReader{true: {Why: []string{title, title}, Check: []string{title}, Benefits: []string{title}, Next: title, NextURL: "https://a.example/apply"}}[key == "forreader"],
			})
		}
		if key == "documents" {
			s.Groups = []ItemGroup{{Language: language, Label: "批复 2 件", Items: []DocLink{{"", title, "https://a.example/articles/1"}, {"", title, "https://a.example/articles/2"}}}}
		}
		d.Sections = append(d.Sections, s)
	}
	return d
}

// mailRules are what mail programs remove or break. Sources: caniemail.com's tables for
// Outlook on Windows (it uses Word for layout), Gmail, QQ and NetEase.
var mailRules = map[string]*regexp.Regexp{
	"flexbox, grid or columns":       regexp.MustCompile(`display:\s*(?:inline-)?(?:flex|grid)|column-count|flex-|grid-`),
	"position, float or transform":   regexp.MustCompile(`position:|float:|transform|z-index`),
	"a negative margin":              regexp.MustCompile(`margin[a-z-]*:[^;"]*-\d`),
	"a script":                       regexp.MustCompile(`(?i)<script`),
	"an outside resource":            regexp.MustCompile(`(?i)<link|@import|url\(|<svg|<video|<iframe|srcset`),
	"a picture without words":        regexp.MustCompile(`(?i)<img(?:[^>a]|a[^l])*>`),
	"a form":                         regexp.MustCompile(`(?i)<form|<input|<button`),
	"a variable or a computed value": regexp.MustCompile(`var\(|calc\(|clamp\(|min\(|max\(`),
	"a modern colour":                regexp.MustCompile(`(?i)rgba?\(|hsla?\(|oklch|currentcolor`),
	"a unit that Outlook drops":      regexp.MustCompile(`\d(?:rem|vw|vh|ch)\b`),
	"a short font":                   regexp.MustCompile(`[";]\s*font:`),
	"a background picture":           regexp.MustCompile(`background-image|background:`),
	"!important outside <style>":     regexp.MustCompile(`style="[^"]*!important`),
}

// lint returns what is wrong with an email's markup.
func lint(t *testing.T, name, markup string) {
	t.Helper()
	head, body, ok := strings.Cut(markup, "</head>")
	if !ok {
		t.Fatalf("%s has no head", name)
	}
	for what, rule := range mailRules {
		if m := rule.FindString(body); m != "" {
			t.Errorf("%s: the mail holds %s (%s)", name, what, m)
		}
	}
	if !strings.Contains(head, `name="color-scheme"`) || !strings.Contains(head, "prefers-color-scheme: dark") {
		t.Errorf("%s has no dark mode", name)
	}
	root, err := html.Parse(strings.NewReader(markup))
	if err != nil {
		t.Fatal(err)
	}
	level := 0
	count := make(map[string]int)
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		attr := func(key string) string {
			for _, a := range n.Attr {
				if a.Key == key {
					return a.Val
				}
			}
			return ""
		}
		count[n.Data]++
		if attr("role") == "article" {
			count["article"]++
			if attr("lang") == "" || attr("aria-label") == "" {
				t.Errorf("%s: the mail says neither its language nor what it is: %v", name, n.Attr)
			}
		}
		if strings.Contains(attr("style"), "display:none") {
			count["preheader"]++
		}
		switch n.Data {
		case "table":
			if attr("role") != "presentation" || attr("cellpadding") == "" || attr("cellspacing") == "" || attr("border") != "0" {
				t.Errorf("%s: a table for layout without role, cellpadding, cellspacing or border: %v", name, n.Attr)
			}
		case "h1", "h2", "h3":
			to := int(n.Data[1] - '0')
			if to > level+1 {
				t.Errorf("%s: <%s> follows <h%d>", name, n.Data, level)
			}
			level = to
			if !strings.Contains(attr("style"), "margin:") {
				t.Errorf("%s: <%s> has the margins of each program", name, n.Data)
			}
		case "p":
			if !strings.Contains(attr("style"), "margin:") {
				t.Errorf("%s: <p> has the margins of each program", name)
			}
		case "a":
			if !strings.HasPrefix(attr("href"), "https://") || !strings.Contains(attr("style"), "color:") {
				t.Errorf("%s: a link without an address or a color of its own: %v", name, n.Attr)
			}
		case "div":
			if attr("role") != "article" && !strings.Contains(attr("style"), "display:none") {
				t.Errorf("%s: a <div> for layout", name)
			}
		case "style", "link":
			if n.Parent.Data != "head" {
				t.Errorf("%s: <%s> in the body", name, n.Data)
			}
		}
		// The styles of a class must also be inline: QQ and NetEase remove style sheets.
		if class := attr("class"); class != "" && class != "big" && class != "gap" && attr("style") == "" {
			t.Errorf("%s: <%s class=%q> has no style of its own", name, n.Data, class)
		}
	}
	for what, want := range map[string]int{"h1": 1, "article": 1, "preheader": 1} {
		if count[what] != want {
			t.Errorf("%s has %d of %s, want %d", name, count[what], what, want)
		}
	}
	if len(markup) > 100_000 {
		t.Errorf("%s has %d bytes: Gmail cuts it off", name, len(markup))
	}
}

func TestDigestHoldsInMailPrograms(t *testing.T) {
	for _, language := range []string{"zh", "en"} {
		for _, data := range []struct {
			name, title string
			n           int
		}{{"Normal", "关于样例的通知", 4}, {"Hostile", hostileText, 1}, {"Empty", "关于样例的通知", 0}} {
			d := digestOf(language, data.title, data.n)
			if data.n == 0 {
				d.Sections = nil
			}
			m, err := d.Mail()
			if err != nil {
				t.Fatal(err)
			}
			name := language + " " + data.name
			check(t, name, m.HTML)
			if data.name != "Hostile" {
				lint(t, name, withSlots(m))
			}
			checkMarks(t, name, m)
			for _, part := range []string{m.HTML, m.Text} {
				for line := range strings.SplitSeq(part, "\n") {
					if len(line) > 900 {
						t.Errorf("%s: a line of %d bytes", name, len(line))
					}
				}
			}
			if strings.Contains(m.Text, "&lt;") || strings.Contains(m.Text, "<td") || strings.Contains(m.Text, "&amp;") {
				t.Errorf("%s: the text part holds markup:\n%s", name, m.Text)
			}
			for i := range 4 {
				if title := fmt.Sprint(data.title, i); data.name == "Normal" && strings.Count(m.Text, title) < 5 {
					t.Errorf("%s: %s is missing from the text part", name, title)
				}
			}
		}
	}
}

// checkMarks checks that each slot is marked once in each part where its words are; the
// preferences may be marked twice, because the calendar is part of them.
func checkMarks(t *testing.T, name string, m Mail) {
	t.Helper()
	for _, part := range []struct {
		text          string
		marks         []Mark
		before, after string
	}{{m.HTML, m.HTMLMarks, `<a href="`, `" class="red"`}, {m.Text, m.TextMarks, "  ", "\n"}} {
		seen := make(map[Slot]bool)
		for _, mark := range part.marks {
			seen[mark.Slot] = true
			if mark.Slot == SlotWhyHTML && strings.HasPrefix(part.text[mark.At:], "<br>") || mark.Slot == SlotWhyText && strings.HasPrefix(part.text[mark.At:], "\n") {
				continue
			}
			behind := strings.TrimPrefix(strings.TrimPrefix(part.text[mark.At:], "?lang=en"), "#calendar")
			if !strings.HasSuffix(part.text[:mark.At], part.before) || !strings.HasPrefix(behind, part.after) {
				t.Errorf("%s: slot %d is marked behind %q and before %q", name, mark.Slot, part.text[max(0, mark.At-20):mark.At], part.text[mark.At:min(len(part.text), mark.At+20)])
			}
		}
		if len(part.marks) != 4 || len(seen) != 3 {
			t.Errorf("%s: marks %v, want one of each slot and two of the preferences", name, part.marks)
		}
	}
}

// withSlots returns the HTML of an email with an address in each slot.
func withSlots(m Mail) string {
	var out strings.Builder
	from := 0
	for _, mark := range m.HTMLMarks {
		fmt.Fprintf(&out, "%shttps://a.example/%d", m.HTML[from:mark.At], mark.Slot)
		from = mark.At
	}
	return out.String() + m.HTML[from:]
}

// A note keeps the lines and paragraphs of its editor, and has one label.
func TestEditorsNoteKeepsItsLines(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		typed, text  string
		paragraphs   int
		hasLineBreak bool
	}{
		{"编者按：第一行。\n第二行。", "\n编者按  第一行。\n第二行。\n", 1, true},
		{"第一行。\n第二行。", "\n编者按  第一行。\n第二行。\n", 1, true},
		{"  编者按\u3000第一段。\r\n \r\n\r\n第二段。\r\n", "\n编者按  第一段。\n\n第二段。\n", 2, false},
	} {
		m, err := DigestHead{Language: "zh", Note: NoteText(x.typed)}.EditorsNote()
		if err != nil {
			t.Fatal(err)
		}
		if m.Text != x.text {
			t.Errorf("%q: the text %q, want %q", x.typed, m.Text, x.text)
		}
		if strings.Count(m.HTML, "编者按") != 1 || strings.Count(m.HTML, "<p ") != x.paragraphs || strings.Contains(m.HTML, "<br>") != x.hasLineBreak {
			t.Errorf("%q: the HTML %s", x.typed, m.HTML)
		}
	}
	if got := NoteText("编者按语很长"); got != "编者按语很长" {
		t.Errorf("%q: a word that begins like the label was cut", got)
	}
}

func TestSubject(t *testing.T) {
	for _, x := range []struct {
		language, title, lead, want string
		number                      int
	}{
		{"zh", "邸报周刊", "关于样例的通知", "邸报周刊 第 3 期：关于样例的通知", 3},
		{"zh", "养老 · 民政", "关于样例的通知", "养老 · 民政：关于样例的通知", 0},
		{"en", "Weekly", "On examples", "Weekly No. 3: On examples", 3},
		{"zh", "邸报周刊", "", "邸报周刊：本期没有新内容", 3},
	} {
		if got := Subject(x.language, x.title, x.number, x.lead); got != x.want {
			t.Errorf("%q, want %q", got, x.want)
		}
	}
	long := Subject("zh", "邸报周刊", 3, strings.Repeat("长标题", 60))
	if n := len([]rune(long)); n > maxSubject || !strings.HasSuffix(long, "…") {
		t.Errorf("%d characters: %s", n, long)
	}
}

// The contrast of every text color with each background that it can have, light and dark
// (WCAG 2.2, 1.4.3: 4.5 : 1).
func TestDigestContrast(t *testing.T) {
	markup := ""
	for _, name := range []string{"mails/digest.html", "mails/letter.html"} {
		b, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		markup += string(b)
	}
	day := map[string]map[string]bool{"ink": {}, "soft": {}, "red": {}, "card": {}, "tint": {}}
	tag := regexp.MustCompile(`class="([a-z ]*)(?:\{\{[^"]*)?" ?[^>]*style="([^"]*)"`)
	for _, m := range tag.FindAllStringSubmatch(markup, -1) {
		for class := range strings.FieldsSeq(m[1]) {
			property := "color"
			if class == "card" || class == "tint" {
				property = "background-color"
			}
			if c := regexp.MustCompile(`(?:^|;)` + property + `:(#[0-9a-f]{6})`).FindStringSubmatch(m[2]); c != nil && day[class] != nil {
				day[class][c[1]] = true
			}
		}
	}
	night := make(map[string]string)
	for _, m := range regexp.MustCompile(`\.([a-z]+) \{ (?:background-)?color: (#[0-9a-f]{6})`).FindAllStringSubmatch(markup, -1) {
		night[m[1]] = m[2]
	}
	for _, text := range []string{"ink", "soft", "red"} {
		if len(day[text]) != 1 || night[text] == "" {
			t.Errorf("%s has the colors %v by day and %q by night, want one each", text, day[text], night[text])
		}
		for _, ground := range []string{"card", "tint"} {
			for a := range day[text] {
				for b := range day[ground] {
					if c := contrast(t, a, b); c < 4.5 {
						t.Errorf("by day %s on %s: %.2f", text, ground, c)
					}
				}
			}
			if c := contrast(t, night[text], night[ground]); c < 4.5 {
				t.Errorf("by night %s on %s: %.2f", text, ground, c)
			}
		}
	}
	if c := contrast(t, "#ffffff", "#a8321f"); c < 4.5 || strings.Count(markup, "#ffffff") != 2 {
		t.Errorf("the button: %.2f", c)
	}
}

// contrast returns the ratio of the luminances of two colors, as WCAG computes it.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	luminance := func(colour string) float64 {
		sum := 0.0
		for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
			n, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			c := float64(n) / 255
			if c <= 0.04045 {
				c /= 12.92
			} else {
				c = math.Pow((c+0.055)/1.055, 2.4)
			}
			sum += weight * c
		}
		return sum
	}
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// Digest is the email of one variant, whose pieces the program renders one by one: its
// head, for each section a heading and the items, its footer.
type Digest struct {
	DigestHead
	Sections []DigestSection
	DigestFoot
}

// Mail writes the whole email.
func (v Digest) Mail() (Mail, error) {
	var html, text strings.Builder
	var marks Mail
	var failed error
	add := func(m Mail, err error) {
		if err != nil && failed == nil {
			failed = err
		}
		marks.HTMLMarks = append(marks.HTMLMarks, shifted(m.HTMLMarks, html.Len())...)
		marks.TextMarks = append(marks.TextMarks, shifted(m.TextMarks, text.Len())...)
		html.WriteString(m.HTML)
		text.WriteString(m.Text)
	}
	add(v.Top())
	add(v.Teaser())
	add(v.Masthead())
	add(v.Contents())
	add(v.EditorsNote())
	for _, s := range v.Sections {
		add(s.Heading())
		for _, it := range s.Items {
			add(it.Mail())
		}
		for _, f := range s.Groups {
			add(f.Mail())
		}
	}
	add(v.DigestFoot.Mail())
	marks.HTML, marks.Text = html.String(), text.String()
	return marks, failed
}

// shifted returns the marks of a piece that is at this offset in an email.
func shifted(marks []Mark, by int) (out []Mark) {
	for _, m := range marks {
		out = append(out, Mark{m.At + by, m.Slot})
	}
	return out
}
