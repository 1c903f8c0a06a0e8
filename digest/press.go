package digest

import (
	"context"
	"fmt"
	netmail "net/mail"
	"slices"
	"strconv"
	"strings"

	"dibao/feed"
	"dibao/internal/mail"
	"dibao/policy"
	"dibao/templates"
)

const (
	// maxHTML is how large the HTML of a mail may be: some programs cut it off
	// at 102 kB. Past it the last items are shortened, and left out at the end.
	maxHTML = 100_000
	// footRoom is kept for what stands below the items.
	footRoom = 4_000
	// maxPieces bounds the pieces that are kept, in bytes.
	maxPieces = 48 << 20
	// maxEditions bounds the issues that are kept with their items.
	maxEditions = 64
)

// piece is a piece of a mail, written and encoded once for all variants.
type piece struct {
	text, html mail.Piece
	size       int // of the HTML, as a mail program counts it
}

// press sets mails from pieces. Not safe for concurrent use.
type press struct {
	s        *Service
	editions map[int64]*set
	pieces   map[string]piece
	bytes    int // that the pieces hold
}

// set is an issue with its items by what they are mailed for.
type set struct {
	issue Issue
	items map[mailed]IssueItem
}

func newPress(s *Service) *press {
	return &press{s: s, editions: make(map[int64]*set), pieces: make(map[string]piece)}
}

func (p *press) edition(ctx context.Context, id int64) (*set, error) {
	if e, ok := p.editions[id]; ok {
		return e, nil
	}
	issues, err := p.s.issuesByID(ctx, []int64{id})
	if err != nil {
		return nil, err
	}
	items, err := p.s.IssueItems(ctx, id)
	if err != nil {
		return nil, err
	}
	e := &set{issues[0], make(map[mailed]IssueItem, len(items))}
	for _, it := range items {
		e.items[mailed{it.Article.ID, it.Event}] = it
	}
	if len(p.editions) >= maxEditions {
		clear(p.editions)
	}
	p.editions[id] = e
	return e, nil
}

// item returns an item as a variant names it; none if an admin hid it since.
func (p *press) item(ctx context.Context, c contentItem) (it IssueItem, ok bool, err error) {
	e, err := p.edition(ctx, c.Issue)
	if err != nil {
		return IssueItem{}, false, err
	}
	it, ok = e.items[mailed{c.Article, c.Event}]
	it.Issue, it.Chosen = c.Issue, c.Chosen
	return it, ok, nil
}

// paper is a mail that is set.
type paper struct {
	subject    string
	text, html []mail.Piece
	own        int // bytes that it shares with no other
}

// compose sets a mail: its head, the sections with their items, its foot.
func (p *press) compose(e edited, from netmail.Address) (paper, error) {
	v := p.s.outline(e, from)
	sheet := &sheet{press: p, outline: v, rest: len(e.items), paper: paper{subject: v.Subject, own: 2048}} // what joins the pieces
	title := fmt.Sprint(e.language, v.Title, "\n", v.Number, v.Date)
	for _, x := range []struct {
		key   string // "": the mail's own
		write func() (templates.Mail, error)
	}{
		{"top " + title, v.Top}, {"", v.Teaser}, {"masthead " + title, v.Masthead}, {"", v.Contents}, {"note " + e.language + v.Note, v.EditorsNote},
	} {
		var made piece
		var err error
		if x.key != "" {
			made, err = p.piece(x.key, x.write)
		} else {
			made, err = encode(x.write())
			sheet.own += made.text.Size() + made.html.Size()
		}
		if err != nil {
			return paper{}, err
		}
		sheet.add(made)
	}
	for _, b := range v.blocks {
		if err := sheet.section(b); err != nil {
			return paper{}, err
		}
	}
	if sheet.left > 0 {
		v.foot.Remarks = append(v.foot.Remarks, templates.Words(e.language, "mail.more", sheet.left))
	}
	foot, err := p.piece(fmt.Sprint("foot ", e.language, v.foot.ArchiveURL, v.foot.Sender, v.foot.Remarks), v.foot.Mail)
	if err != nil {
		return paper{}, err
	}
	sheet.add(foot)
	return sheet.paper, nil
}

// sheet is a mail that is being set.
type sheet struct {
	*press
	outline
	paper
	size int // of the HTML so far
	rest int // items that are not set yet
	left int // items that found no room
}

func (p *sheet) add(x piece) {
	p.text, p.html = append(p.text, x.text), append(p.html, x.html)
	p.size += x.size
}

// section sets a section: its items, and in lines of their issuers those that fold.
func (p *sheet) section(b block) error {
	heading := templates.DigestSection{Language: p.language, Key: b.section, Count: len(b.items)}
	x, err := p.piece(fmt.Sprint("section ", p.language, b.section, " ", len(b.items)), heading.Heading)
	if err != nil {
		return err
	}
	begun := false
	put := func(it piece, n int) {
		if p.size+x.size+it.size+footRoom > maxHTML {
			p.left += n
			return
		}
		if !begun {
			p.add(x)
			begun = true
		}
		p.add(it)
	}
	for _, it := range b.items {
		if p.foldedAs(it, b.section) != "" {
			continue
		}
		p.rest--
		full, err := p.item(it, b.section, false)
		if err != nil {
			return err
		}
		// What follows has room at least as titles, but what comes first is told whole.
		if p.size+x.size+full.size+min(shortSize*p.rest, maxTitles)+footRoom > maxHTML {
			if full, err = p.item(it, b.section, true); err != nil {
				return err
			}
		}
		put(full, 1)
	}
	for _, f := range p.folds(b) {
		it, err := encode(f.Mail())
		if err != nil {
			return err
		}
		p.own += it.text.Size() + it.html.Size()
		p.rest -= len(f.Items)
		put(it, len(f.Items))
	}
	return nil
}

const (
	// shortSize is about the HTML of an item that is shortened.
	shortSize = 420
	// maxTitles is how much of the HTML is kept for titles: an issue of very many
	// articles begins with some that are whole.
	maxTitles = maxHTML * 3 / 4
)

// item returns the piece of an item where it stands, whole or as its title alone.
func (p *sheet) item(it IssueItem, section string, short bool) (piece, error) {
	key := make([]byte, 0, 64)
	key = append(append(key, 'i'), p.language...)
	key = strconv.AppendInt(append(key, ' '), it.Issue, 10)
	key = strconv.AppendInt(append(key, ' '), it.Article.ID, 10)
	key = append(append(append(key, it.Event...), ' '), p.today...)
	if short {
		key = append(key, 's')
	}
	if it.Under != 0 {
		key = append(key, 'u')
	}
	if section == sectionHighlights {
		key = append(key, 'h')
	}
	for _, w := range it.Chosen {
		key = append(append(append(append(key, ' '), w.Field...), '='), w.Value...)
	}
	return p.piece(string(key), func() (templates.Mail, error) {
		v := p.s.digestItem(it, p.language, p.day)
		v.Short, v.Under = short, it.Under != 0
		if section == sectionHighlights && it.Reason != "" { // an interpretation under its original leads by that
			v.Lead = templates.Words(p.language, "lead."+it.Reason)
		}
		return v.Mail()
	})
}

// folds puts the items of a section that fold into lines, one for each issuer
// and what they are.
func (p *sheet) folds(b block) []templates.DigestFold {
	var all []templates.DigestFold
	at := make(map[string]int)
	for _, it := range b.items {
		kind := p.foldedAs(it, b.section)
		if kind == "" {
			continue
		}
		issuer := strings.Join(it.Article.Facts.Issuers, "、")
		i, ok := at[kind+issuer]
		if !ok {
			i = len(all)
			at[kind+issuer] = i
			all = append(all, templates.DigestFold{Language: p.language, Issuer: issuer, Label: kind})
		}
		all[i].Items = append(all[i].Items, templates.DocLink{Title: it.Article.Title(), URL: feed.ArticleURL(p.s.opts.BaseURL, it.Article.ID)})
	}
	for i := range all {
		all[i].Label = templates.Words(p.language, "fold."+all[i].Label, len(all[i].Items))
	}
	return all
}

// foldedAs says as what an item is folded where it stands: nothing that leads,
// and nothing that its list asks for by its type.
func (p *sheet) foldedAs(it IssueItem, section string) string {
	if section != sectionDocuments {
		return ""
	}
	kind := folds(it.Article)
	if kind == "" || slices.ContainsFunc(p.issues, func(i Issue) bool { return i.ID == it.Issue && len(i.List.Query.Types) > 0 }) {
		return ""
	}
	return kind
}

// piece returns the piece of a key, written if it is not there yet. The key
// names everything that it is made of.
func (p *press) piece(key string, write func() (templates.Mail, error)) (piece, error) {
	if x, ok := p.pieces[key]; ok {
		return x, nil
	}
	x, err := encode(write())
	if err != nil {
		return piece{}, err
	}
	if p.bytes > maxPieces {
		clear(p.pieces) // the variants that hold them keep theirs
		p.bytes = 0
	}
	p.pieces[key] = x
	p.bytes += x.text.Size() + x.html.Size()
	return x, nil
}

func encode(m templates.Mail, err error) (piece, error) {
	if err != nil {
		return piece{}, err
	}
	return piece{text: mail.Encode(m.Text, marks(m.TextMarks)...), html: mail.Encode(m.HTML, marks(m.HTMLMarks)...), size: len(m.HTML)}, nil
}

func marks(of []templates.Mark) []mail.Mark {
	out := make([]mail.Mark, len(of))
	for i, m := range of {
		out[i] = mail.Mark{At: m.At, Slot: int(m.Slot)}
	}
	return out
}

// outline is what a mail says and in which order, before it is set.
type outline struct {
	edited
	templates.DigestHead
	foot   templates.DigestFoot
	blocks []block
	day    policy.Date
	today  string
}

// outline lays a mail out.
func (s *Service) outline(e edited, from netmail.Address) outline {
	title, number, archive := titleOf(e)
	day := localDate(e.due, e.issues[0].List.Zone)
	v := outline{
		edited: e, blocks: layOut(e.items), day: day, today: day.String(),
		DigestHead: templates.DigestHead{
			Language: e.language, SiteName: s.opts.SiteName, Title: title, Number: numberText(e), Date: dateText(e.language, "date.long", day), Total: len(e.items),
		},
		foot: templates.DigestFoot{
			Language: e.language, HomeURL: s.opts.BaseURL + "/", ArchiveURL: s.opts.BaseURL + "/", Remarks: remarks(e),
			Sender: from.Name + " · " + s.opts.BaseURL,
		},
	}
	if archive != nil {
		v.foot.ArchiveURL = s.issueURL(*archive)
	}
	var notes []string
	for _, i := range e.issues {
		if i.Note != "" {
			notes = append(notes, i.Note)
		}
	}
	v.Note = strings.Join(notes, "\n")
	lead := ""
	for i, b := range v.blocks {
		if i == 0 {
			lead = b.items[0].Article.Title()
		}
		v.Counts = append(v.Counts, templates.Words(e.language, "section."+b.section)+" "+strconv.Itoa(len(b.items)))
	}
	v.Subject = templates.Subject(e.language, title, number, lead)
	v.Preheader = preheader(v.blocks)
	return v
}

// titleOf returns what a mail is called, the number of its issue (0 for several
// lists) and the issue that is its archive page, nil if there is no one page.
func titleOf(e edited) (title string, number int, archive *Issue) {
	var titles []string
	seen := make(map[int64]bool)
	for i, issue := range e.issues {
		if !seen[issue.List.ID] {
			seen[issue.List.ID] = true
			titles = append(titles, issue.List.Title)
		}
		if issue.Number > 0 && (archive == nil || issue.Number > archive.Number) {
			archive = &e.issues[i]
		}
	}
	if len(titles) > 1 {
		return strings.Join(titles, " · "), 0, nil
	}
	if archive != nil {
		number = int(archive.Number)
	}
	return titles[0], number, archive
}

// numberText says which issues of one list a mail brings, "" for several lists.
func numberText(e edited) string {
	var least, most int64
	for _, i := range e.issues {
		if i.List.ID != e.issues[0].List.ID {
			return ""
		}
		if i.Number > 0 && (least == 0 || i.Number < least) {
			least = i.Number
		}
		most = max(most, i.Number)
	}
	switch {
	case most == 0:
		return ""
	case least < most:
		return templates.Words(e.language, "mail.numbers", least, most)
	}
	return templates.Words(e.language, "mail.number", most)
}

// remarks are said below the items, in a line each.
func remarks(e edited) (out []string) {
	late, backfill := 0, 0
	for _, it := range e.items {
		if it.Article.Facts.LateDays > 0 {
			late++
		}
	}
	if len(e.items) > 0 {
		for _, i := range e.issues {
			backfill += i.Backfill
		}
	}
	if late > 0 {
		out = append(out, templates.Words(e.language, "mail.latecount", late))
	}
	if backfill > 0 {
		out = append(out, templates.Words(e.language, "mail.backfill", backfill))
	}
	return out
}

// preheader is what a mail program shows beside the subject: the titles after the first.
func preheader(blocks []block) string {
	var titles []string
	for _, b := range blocks {
		for _, it := range b.items[:min(len(b.items), 5)] {
			titles = append(titles, it.Article.Title())
		}
	}
	return strings.Join(titles[min(1, len(titles)):min(5, len(titles))], " · ")
}
