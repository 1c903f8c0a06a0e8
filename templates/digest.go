package templates

import (
	"bytes"
	"html/template"
	"strings"
)

// Mail is an email, or a piece of one, as HTML and as text, with the places for a reader's
// own parts.
type Mail struct {
	HTML, Text           string
	HTMLMarks, TextMarks []Mark
}

// Slot identifies one of a reader's own parts.
type Slot int

// The slots of an email.
const (
	SlotUnsubscribe Slot = iota // the address that ends the subscription
	SlotPreferences             // the address of the reader's preferences
	SlotWhyHTML                 // the reason why the reader gets the email; Why writes it
	SlotWhyText
)

// Mark is a place for a slot: an offset in bytes, recorded while the template
// is written. The text contains nothing there, so that no other text can
// imitate it.
type Mark struct {
	At   int
	Slot Slot
}

// DigestHead is the part above the sections.
type DigestHead struct {
	Language  string
	SiteName  string
	Subject   string
	Preheader string
	Title     string   // title of the list, or titles of the lists of a merged mailing
	Number    string   // 第 N 期, in words; "" for an email of several lists
	Date      string   // YYYY-MM-DD
	Note      string   // the editor's note
	Counts    []string // "新发文件 3", in reading order
	Total     int      // number of items
}

// DigestSection is a heading with its items. Key names the heading in the
// catalog (after "section.").
type DigestSection struct {
	Language string
	Key      string
	Count    int
	Items    []DigestItem
	Groups   []ItemGroup
}

// DigestItem is one article in an email.
type DigestItem struct {
	Item
	Language string
	Lead     string    // why it precedes all others; "" if it does not
	Badge    string    // its date or state, in words: 12月5日截止 · 还有 11 天
	BadgeURL string    // page of what changed it, "" if nothing did
	Urgent   bool      // the badge is a warning
	Says     []DocLink // its relations to other documents
	Remarks  []DocLink // 转载 5 家, 逾期公开 …
	Under    bool      // it explains the item above and is placed below it
	Short    bool      // only title and address, for lack of space

	ForReader *ForReader // for a call that may concern the reader; otherwise nil
	Star      string     // path, below the address of the reader's preferences, of the page for starring the item; "" for none
	Undated   bool       // the call states no last day, so there can be no reminders of it
}

// ForReader is what an email says about a call that may concern its reader.
type ForReader struct {
	Why      []string // conditions that agree with what the reader says
	Check    []string // conditions that the reader has to check
	Benefits []string
	Next     string // what to do next
	NextURL  string // the address for doing it
}

// DocLink is a link to a document; Verb is 废止, 落实 … in the language of the
// email, URL may be "".
type DocLink struct{ Verb, Title, URL string }

// ItemGroup combines many items of one issuer in one line.
type ItemGroup struct {
	Language string
	Label    string // 批复 3 件
	Issuer   string
	Items    []DocLink
}

// DigestFoot is the part below the sections.
type DigestFoot struct {
	Language   string
	Remarks    []string // such as 逾期公开 2 件, 补登旧文 12 件, or what is left out
	ArchiveURL string
	HomeURL    string
	Sender     string // name and postal or web address of the sender
}

// markedFoot is a footer that records the positions of its slots.
type markedFoot struct {
	DigestFoot
	note func(Slot)
}

// markedItem is an item that records the position of its slot.
type markedItem struct {
	DigestItem
	note func(Slot)
}

// PreferencesURL is called where the address of the star begins.
func (v markedItem) PreferencesURL() template.URL { v.note(SlotPreferences); return "" }

// UnsubscribeURL and PreferencesURL are called where their addresses belong.
func (v markedFoot) UnsubscribeURL() template.URL { v.note(SlotUnsubscribe); return "" }

// PreferencesURL is like UnsubscribeURL.
func (v markedFoot) PreferencesURL() template.URL { v.note(SlotPreferences); return "" }

// WhyHTML and WhyText are called at the place for the reason why the reader gets the email.
func (v markedFoot) WhyHTML() template.HTML { v.note(SlotWhyHTML); return "" }

// WhyText is like WhyHTML.
func (v markedFoot) WhyText() string { v.note(SlotWhyText); return "" }

// Why returns why a reader gets an email: the reader confirmed the lists, or, with a date,
// somebody added the reader then. The text has the line ends of emails, and is indented
// where invisible spaces can be added (mail.Encode).
func Why(language, lists, by, date string) (html, text string) {
	why := Words(language, "mail.why", lists)
	if date != "" {
		why = Words(language, "mail.why.added", by, date, lists)
	}
	return template.HTMLEscapeString(why), strings.ReplaceAll(wrap("", why), "\n", "\r\n")
}

// Top writes the beginning of an email, the same for all emails with one title.
func (v DigestHead) Top() (Mail, error) { return mailPiece(v.Language, "top", v) }

// Teaser writes the preheader.
func (v DigestHead) Teaser() (Mail, error) { return mailPiece(v.Language, "teaser", v) }

// Masthead writes the title, the same for all emails of one issue.
func (v DigestHead) Masthead() (Mail, error) { return mailPiece(v.Language, "masthead", v) }

// Contents writes the numbers of items in the email.
func (v DigestHead) Contents() (Mail, error) { return mailPiece(v.Language, "counts", v) }

// NoteText returns an editor's note without the label that dibao writes before it.
func NoteText(note string) string {
	note = strings.TrimSpace(note)
	for name := range languages {
		if rest, ok := strings.CutPrefix(note, Words(name, "mail.note")); ok {
			if text := strings.TrimLeft(rest, ":： \u3000"); text != rest {
				return strings.TrimSpace(text)
			}
		}
	}
	return note
}

// EditorsNote writes the editor's note, nothing if there is none.
func (v DigestHead) EditorsNote() (Mail, error) { return mailPiece(v.Language, "note", v) }

// Heading writes the heading of the section.
func (v DigestSection) Heading() (Mail, error) { return mailPiece(v.Language, "section", v) }

// Mail writes the item.
func (v DigestItem) Mail() (Mail, error) {
	if v.Short {
		return mailPiece(v.Language, "short", v)
	}
	return markedPiece(v.Language, "item", func(note func(Slot)) any { return markedItem{v, note} })
}

// Mail writes the line.
func (v ItemGroup) Mail() (Mail, error) { return mailPiece(v.Language, "group", v) }

// Mail writes the footer.
func (v DigestFoot) Mail() (Mail, error) {
	return markedPiece(v.Language, "foot", func(note func(Slot)) any { return markedFoot{v, note} })
}

// markedPiece records a mark when a template reaches it: everything before it has
// been written by then.
func markedPiece(language, name string, view func(note func(Slot)) any) (m Mail, err error) {
	write := func(name string) (text string, marks []Mark, err error) {
		var buf bytes.Buffer
		err = writeMail(&buf, language, name, view(func(s Slot) { marks = append(marks, Mark{buf.Len(), s}) }))
		return buf.String(), marks, err
	}
	if m.HTML, m.HTMLMarks, err = write(name + ".html"); err != nil {
		return Mail{}, err
	}
	m.Text, m.TextMarks, err = write(name + ".txt")
	return m, err
}

func mailPiece(language, name string, view any) (m Mail, err error) {
	var html, text bytes.Buffer
	if err = writeMail(&html, language, name+".html", view); err == nil {
		err = writeMail(&text, language, name+".txt", view)
	}
	return Mail{HTML: html.String(), Text: text.String()}, err
}

// joinDots joins the nonempty strings and lists of strings.
func joinDots(parts ...any) string {
	var all []string
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			if p != "" {
				all = append(all, p)
			}
		case []string:
			all = append(all, p...)
		}
	}
	return strings.Join(all, " · ")
}

// isWeb reports whether an address can be opened in a browser: articles that arrived by
// email have no such address.
func isWeb(address string) bool {
	return strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://")
}

// foreign marks the language of titles and summaries in an email in another
// language, so that a screen reader pronounces them properly.
func foreign(language string) template.HTMLAttr {
	if language == "zh" {
		return ""
	}
	return ` lang="zh-CN"`
}

// outlook returns the table that sets the width of the email for Outlook for
// Windows, which does not support max-width. Other programs treat it as a
// comment.
func outlook(part string) template.HTML {
	if part == "open" {
		return `<!--[if mso]><table role="presentation" width="640" align="center" cellpadding="0" cellspacing="0" border="0"><tr><td><![endif]-->`
	}
	return `<!--[if mso]></td></tr></table><![endif]-->`
}
