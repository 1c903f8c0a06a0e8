// Package call reads what a notice asks of its readers or offers them: who may
// apply, what they get, what they have to do until when, and where.
//
// Every value includes the sentence that states it. What the text does not state is empty.
// Duties of bodies between the reader and the issuer are listed separately from those of
// the reader. The package never decides whether a reader qualifies.
package call

import (
	"strings"
	"unicode/utf8"

	"dibao/policy/cut"
	"dibao/policy/deadline"
	"dibao/policy/hans"
	"dibao/policy/when"
	"dibao/policy/words"
)

// Kind is what a notice asks of its readers.
type Kind string

// The kinds of calls.
const (
	KindApplication  Kind = "application"  // 申报, 申请, 申领, 认定
	KindCollection   Kind = "collection"   // 征集, 征文
	KindSelection    Kind = "selection"    // 评选, 推荐, 遴选
	KindConsultation Kind = "consultation" // 征求意见
	KindObjection    Kind = "objection"    // 公示: readers can object
	KindTender       Kind = "tender"       // 招标, 采购, 磋商, 询价
	KindIntention    Kind = "intention"    // 采购意向: what a body plans to buy
)

// Said is a value as the text has it, and the sentence that states it.
type Said struct {
	Value    string
	Evidence string
	In       string `json:",omitempty"` // name of the attached file that contains the sentence; "" means the notice
}

// Part is a notice, whose name is "", or a file attached to it.
type Part struct {
	Name       string
	Paragraphs []string
}

// Call is what a notice asks of its readers.
type Call struct {
	Kind      Kind
	Subject   Said // the project, fund, title or text, taken from the title
	Who       Who
	Benefits  []Benefit `json:"Brings"` // the name in stored calls
	Steps     []Step    // what readers do, in the order of the text
	ByOthers  []Step    // what bodies between readers and the issuer do
	Unclear   []Said    // days by which somebody has to act; the text does not say whether readers or bodies, or their year is probably wrong
	Materials []Said
	Platforms []Said // web addresses at which readers apply
	Addresses []Said // postal addresses, as printed
	Contacts  []Contact
	Buyer     Said   // the buyer, if it is not the issuer of the notice
	Plans     []Plan // what a body plans to buy
	Unread    []Said `json:",omitempty"` // rows of planned purchases whose budget or month is empty or not understood
}

// Limits on what is read and returned. A text that exceeds them is read in part.
const (
	maxParagraphs = 2000
	maxParagraph  = 8000  // bytes
	maxText       = 400e3 // bytes
	maxEntries    = 60    // entries in a list of a Call
	maxEvidence   = 300   // characters
)

// line is a paragraph in Simplified characters and half-width punctuation, with its
// section.
type line struct {
	raw     string // as printed
	text    string // the line for reading; each character corresponds to one of raw
	in      string // name of the attached file that contains it; "" for the notice
	above   string // the line before it, if it is a heading
	before  string // the line before it
	heading string // the heading of its section
	section section
	heads   bool   // it contains only the heading of its section
	may     uint64 // bits of the lineWords that may match
}

// reading is the state of reading a text.
type reading struct {
	call  *Call
	title string
	lines []line
	terms deadline.Reader
	// addressed is whom the text addresses: readers, others who pass it on, or either.
	addressed actor
	// isWeak says that neither a label nor a verb explains the last day: 活动时间.
	isWeak bool
	// gathered says that bodies collect or review the applications.
	gathered bool
	// passedOn says that a body collects the documents and passes them on to the issuer.
	passedOn bool
	// hired says that applicants employ graduates. Then graduates do not apply themselves.
	hired   bool
	found   uint   // bits of the entities that the text names
	legal   []Said // conditions that applicants are legal entities
	awaited bool   // the next sentence names the addressees
	listing bool   // the following lines list documents to submit
	// phoned says that the line before ends with a phone number and its office. Numbers of other
	// offices may follow, each in a line of its own.
	phoned bool
	// table is the head of the table of plans that the following rows belong to, nil if there is none.
	table *planTable
	seen  map[string]bool
}

// Extract reads a notice: its title, its paragraphs, and the day from which
// days without a year are counted. It reports false for texts that neither ask
// readers for anything nor offer anything.
func Extract(title string, paragraphs []string, published when.Date) (Call, bool) {
	return ExtractParts(title, []Part{{"", paragraphs}}, published)
}

// ExtractParts reads a notice together with the files attached to it. Values from a file
// have its name.
func ExtractParts(title string, parts []Part, published when.Date) (Call, bool) {
	printed := strings.TrimSpace(strings.ToValidUTF8(firstBytes(title, maxParagraph), ""))
	title = plain(printed)
	kind := kindOf(title)
	if kind == "" {
		return Call{}, false
	}
	c := Call{Kind: kind, Subject: Said{Value: printedSubject(printed, title, kind), Evidence: printed}}
	r := reading{
		call: &c, title: title, seen: make(map[string]bool),
		terms: deadline.Reader{Title: title, Asks: true, Comments: kind == KindConsultation, Notice: strings.HasSuffix(title, "通知"), From: published},
	}
	r.split(parts)
	r.addressed = addresseesOf(r.lines)
	for i := range r.lines {
		l := &r.lines[i]
		l.may = lineWords.May(l.text)
		r.gathered = r.gathered || l.may&mayGather != 0 && gathers.MatchString(l.text) && gathers.MatchString(issuerGathers.ReplaceAllString(l.text, ""))
	}
	r.addressees(title, printed, "")
	for _, l := range r.lines {
		r.passedOn = r.passedOn || strings.Contains(l.text, "由") && passing.MatchString(l.text)
		r.steps(l)
		r.who(l)
		r.readBenefits(l)
		r.materials(l)
		r.places(l)
		r.contacts(l)
		r.plans(l)
	}
	if kind == KindIntention {
		r.buyer(line{raw: printed, text: title})
	}
	r.tidyWho()
	c.tidy(published)
	return c, c.says()
}

// says reports whether a call asks readers for anything or offers them anything.
func (c Call) says() bool {
	w := c.Who
	if c.Kind == KindIntention {
		return len(c.Plans)+len(c.Unread) > 0 || c.Buyer.Value != "" && len(c.Contacts) > 0
	}
	return len(c.Steps)+len(c.ByOthers)+len(c.Unclear)+len(c.Benefits)+len(c.Platforms)+len(c.Addresses)+len(c.Contacts)+len(w.Entities)+len(w.Unknown)+len(w.Thresholds) > 0
}

// longestLabel is the maximum length of a label at the beginning of a line, in characters.
const longestLabel = 10

// split reads the paragraphs within the limits and records the section of each.
func (r *reading) split(parts []Part) {
	left, count := int(maxText), 0
	for _, p := range parts {
		count += len(p.Paragraphs)
	}
	r.lines = make([]line, 0, min(count, maxParagraphs))
	for _, p := range parts {
		above, before, heading, at := "", "", "", noSection
		for _, paragraph := range p.Paragraphs[:min(len(p.Paragraphs), maxParagraphs)] {
			for text := range strings.SplitSeq(paragraph, "\n") {
				raw := strings.TrimSpace(strings.ToValidUTF8(firstBytes(text, maxParagraph), ""))
				if text = plain(raw); r.call.Kind == KindTender && strings.Contains(text, "【") {
					text = boxes.Replace(text)
				}
				if left -= len(text); left < 0 || len(r.lines) >= maxParagraphs {
					return
				}
				if text == "" {
					continue
				}
				if attachment.MatchString(text) {
					at, heading = noSection, ""
				}
				s, heads := sectionOf(text)
				if heads {
					at = s
				}
				in := at
				if label, rest, found := strings.Cut(cut.First(text, longestLabel), ":"); !heads && found && rest != "" {
					if s, heads := sectionOf(label); heads { // 申报条件:(一)…
						in = s
					}
				}
				short := heads && utf8.RuneCountInString(text) <= 25
				r.lines = append(r.lines, line{raw: raw, text: text, in: p.Name, above: above, before: before, heading: heading, section: in, heads: short && !strings.Contains(text, ":")})
				above, before = "", text
				if heads {
					heading = ""
				}
				if short || deadline.IsHeading(text) {
					above, heading = text, text
				}
			}
		}
	}
}

// lineWords are expressions that are searched for in each line. The index is the number of
// the bit.
var lineWords = words.NewGroup(speaksOf, addressLabel, sends, presents, gathers)

const (
	mayName = 1 << iota
	mayLabel
	maySend
	mayHand
	mayGather
)

// is reports whether a value was recorded before, and records it.
func (r *reading) is(parts ...string) bool {
	key := strings.Join(parts, "\x00")
	if r.seen[key] {
		return true
	}
	r.seen[key] = true
	return false
}

// Full-width punctuation that is read as half-width.
const (
	wideSigns   = "！％（），－．／０１２３４５６７８９：；？＠"
	narrowSigns = "!%(),-./0123456789:;?@"
	firstWide   = '！'
	lastWide    = '＠'
)

// narrow contains the half-width form of each full-width character, by its distance from
// firstWide; 0 if there is none.
var narrow = func() (all [lastWide - firstWide + 1]byte) {
	i := 0
	for _, r := range wideSigns {
		all[r-firstWide] = narrowSigns[i]
		i++
	}
	return all
}()

// plain returns a text in Simplified characters and half-width punctuation. Each character
// corresponds to one of the text, so that positions in a line are the same in the printed
// line.
func plain(s string) string {
	s = hans.Simplify(s)
	var b strings.Builder
	from := 0 // s is copied up to there
	for i := 0; i < len(s); {
		size, by := 1, byte(0)
		switch c := s[i]; {
		case c < 0x80:
		case c == 0xC2 && i+1 < len(s) && s[i+1] == 0xA0: // a no-break space
			size, by = 2, ' '
		case c == 0xE3 && i+2 < len(s) && s[i+1] == 0x80 && s[i+2] == 0x80: // U+3000
			size, by = 3, ' '
		case c == 0xEF && i+2 < len(s):
			if r := rune(c&0x0F)<<12 | rune(s[i+1]&0x3F)<<6 | rune(s[i+2]&0x3F); r >= firstWide && r <= lastWide {
				size, by = 3, narrow[r-firstWide]
			}
		}
		if by != 0 {
			if b.Cap() == 0 {
				b.Grow(len(s) - size + 1)
			}
			b.WriteString(s[from:i])
			b.WriteByte(by)
			from = i + size
		}
		i += size
	}
	if from == 0 {
		return s
	}
	b.WriteString(s[from:])
	return b.String()
}

// printed returns a part of a line as printed.
func (l line) printed(from, to int) string {
	if from >= to {
		return ""
	}
	skip, take := utf8.RuneCountInString(l.text[:from]), utf8.RuneCountInString(l.text[from:to])
	rest := l.raw[len(cut.First(l.raw, skip)):]
	return strings.TrimSpace(cut.First(rest, take))
}

// sentence returns the sentence around a position in a line, as printed. The quote of a
// very long sentence begins at the relevant part.
func (l line) sentence(from, to int) string {
	start, end := 0, len(l.text)
	if i := strings.LastIndexAny(l.text[:from], "。;!?"); i >= 0 {
		_, size := utf8.DecodeRuneInString(l.text[i:])
		start = i + size
	}
	if i := strings.IndexAny(l.text[to:], "。;!?"); i >= 0 {
		_, size := utf8.DecodeRuneInString(l.text[to+i:])
		end = to + i + size
	}
	if utf8.RuneCountInString(l.text[start:end]) > maxEvidence {
		start = max(start, from-len(cut.Last(l.text[:from], maxEvidence/3)))
		end = min(end, start+len(cut.First(l.text[start:], maxEvidence)))
	}
	return l.printed(start, end)
}

// clauseEnd returns where the first 。 or ; of a text is, -1 if it has none. strings.IndexAny is slow
// with characters of several bytes.
func clauseEnd(s string) int {
	i := strings.Index(s, "。")
	if i >= 0 {
		s = s[:i]
	}
	if j := strings.IndexByte(s, ';'); j >= 0 {
		return j
	}
	return i
}

// clauseBefore returns the text before a position back to the last punctuation
// mark of the sentence, and the whole sentence before it.
func clauseBefore(text string, at int) (clause, sentence string) {
	sentence = cut.Last(cut.AfterLast(text[:at], "。;!?"), 150)
	return cut.AfterLast(sentence, ","), sentence
}

// clauseAfter returns the text after a position up to the next punctuation mark.
func clauseAfter(text string, at int) string {
	return cut.BeforeFirst(cut.First(text[at:], 80), ",。;!?")
}

// firstBytes truncates a text to at most n bytes, at the end of a character.
func firstBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
