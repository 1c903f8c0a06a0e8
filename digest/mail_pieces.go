package digest

import (
	"context"
	"fmt"
	netmail "net/mail"
	"slices"
	"strconv"
	"strings"

	"dibao/digest/forreader"
	"dibao/digest/stars"
	"dibao/feed"
	"dibao/internal/database"
	"dibao/internal/mail"
	"dibao/templates"
)

const (
	// maxHTML is the maximum size of an email's HTML, in bytes: some programs truncate it
	// at 102 kB. Beyond that size, the last items are shortened or left out.
	maxHTML = 100_000
	// ownSize is the approximate number of bytes that a reader's own addresses add to the
	// HTML.
	ownSize = 160
	// footRoom is the space in bytes that is reserved for what follows the items.
	footRoom = 4_000
	// maxPieces is the maximum size of the cached pieces, in bytes.
	maxPieces = 48 << 20
	// maxIssues is the maximum number of issues that are cached with their items.
	maxIssues = 64
)

// piece is a piece of an email, written and encoded once for all variants.
type piece struct {
	text, html mail.Piece
	size       int // size of the HTML, as a mail program counts it
}

// pieceRenderer renders emails from pieces. It is not safe for concurrent use.
type pieceRenderer struct {
	s              *Service
	composedIssues map[int64]*issueItems
	pieces         map[string]piece
	bytes          int // size of the cached pieces
}

// issueItems is an issue with its items, by article and event.
type issueItems struct {
	issue Issue
	items map[mailed]IssueItem

	notices forreader.Notices
}

func newPieceRenderer(s *Service) *pieceRenderer {
	return &pieceRenderer{s: s, composedIssues: make(map[int64]*issueItems), pieces: make(map[string]piece)}
}

func (p *pieceRenderer) composedIssue(ctx context.Context, id int64) (*issueItems, error) {
	if e, ok := p.composedIssues[id]; ok {
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
	notices, err := p.s.notices(ctx, items)
	if err != nil {
		return nil, err
	}
	e := &issueItems{issues[0], make(map[mailed]IssueItem, len(items)), notices}
	for _, it := range items {
		e.items[mailed{it.Article.ID, it.Event}] = it
	}
	if len(p.composedIssues) >= maxIssues {
		clear(p.composedIssues)
	}
	p.composedIssues[id] = e
	return e, nil
}

// item returns the item that a variant refers to; none if an admin hid it since.
func (p *pieceRenderer) item(ctx context.Context, c contentItem) (it IssueItem, ok bool, err error) {
	e, err := p.composedIssue(ctx, c.Issue)
	if err != nil {
		return IssueItem{}, false, err
	}
	if reminderDays(c.Event) != 0 {
		it, ok, err = p.s.reminded(ctx, c.Article)
		it.Issue, it.Event = c.Issue, c.Event
		return it, ok, err
	}
	it, ok = e.items[mailed{c.Article, c.Event}]
	it.Issue, it.Chosen = c.Issue, c.Chosen
	it.Concern = e.notices.Concern(c.Article, c.Match)
	if n, ok := e.notices[c.Article]; ok {
		it.Call = &n.Call
	}
	return it, ok, nil
}

// renderedMail is an email without each reader's own links and addresses.
type renderedMail struct {
	subject    string
	text, html []mail.Piece
	own        int // size of the parts that it does not share, in bytes
}

// renderMail renders an email: its head, the sections with their items, and its footer.
func (p *pieceRenderer) renderMail(e edited, from netmail.Address) (renderedMail, error) {
	v := p.s.outline(e, from)
	m := &mailBuilder{pieceRenderer: p, outline: v, rest: len(e.items), renderedMail: renderedMail{subject: v.Subject, own: 2048}} // joins the pieces
	title := fmt.Sprint(e.language, v.Title, "\n", v.Number, v.Date)
	for _, x := range []struct {
		key   string // "" means that it belongs to this email only
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
			m.own += made.text.Size() + made.html.Size()
		}
		if err != nil {
			return renderedMail{}, err
		}
		m.add(made)
	}
	for _, b := range v.blocks {
		if err := m.section(b); err != nil {
			return renderedMail{}, err
		}
	}
	if m.left > 0 {
		v.foot.Remarks = append(v.foot.Remarks, templates.Words(e.language, "mail.more", m.left))
	}
	foot, err := p.piece(fmt.Sprint("foot ", e.language, v.foot.ArchiveURL, v.foot.Sender, v.foot.Remarks), v.foot.Mail)
	if err != nil {
		return renderedMail{}, err
	}
	m.add(foot)
	return m.renderedMail, nil
}

// mailBuilder builds an email.
type mailBuilder struct {
	*pieceRenderer
	outline
	renderedMail
	size int // bytes of HTML so far
	rest int // items that are not rendered yet
	left int // items for which there is no room
}

func (m *mailBuilder) add(x piece) {
	m.text, m.html = append(m.text, x.text), append(m.html, x.html)
	m.size += x.size
}

// section adds a section: its items, and one line per issuer for those that are
// combined.
func (m *mailBuilder) section(b block) error {
	heading := templates.DigestSection{Language: m.language, Key: b.section, Count: len(b.items)}
	x, err := m.piece(fmt.Sprint("section ", m.language, b.section, " ", len(b.items)), heading.Heading)
	if err != nil {
		return err
	}
	begun := false
	put := func(it piece, n int) {
		if m.size+x.size+it.size+footRoom > maxHTML {
			m.left += n
			return
		}
		if !begun {
			m.add(x)
			begun = true
		}
		m.add(it)
	}
	for _, it := range b.items {
		if m.groupOf(it, b.section) != "" {
			continue
		}
		m.rest--
		full, err := m.item(it, b.section, false)
		if err != nil {
			return err
		}
		// The items that follow fit at least as titles; the first ones are shown in full.
		if m.size+x.size+full.size+min(shortSize*m.rest, maxTitles)+footRoom > maxHTML {
			if full, err = m.item(it, b.section, true); err != nil {
				return err
			}
		}
		put(full, 1)
	}
	for _, f := range m.itemGroups(b) {
		it, err := encode(f.Mail())
		if err != nil {
			return err
		}
		m.own += it.text.Size() + it.html.Size()
		m.rest -= len(f.Items)
		put(it, len(f.Items))
	}
	return nil
}

const (
	// shortSize is the approximate HTML size of a shortened item, in bytes.
	shortSize = 420
	// maxTitles is the part of the HTML that is reserved for titles, so that even an issue
	// of very many articles begins with some complete items.
	maxTitles = maxHTML * 3 / 4
)

// item returns the piece of an item in its section, complete or only its title.
func (m *mailBuilder) item(it IssueItem, section string, short bool) (piece, error) {
	key := make([]byte, 0, 64)
	key = append(append(key, 'i'), m.language...)
	key = strconv.AppendInt(append(key, ' '), it.Issue, 10)
	key = strconv.AppendInt(append(key, ' '), it.Article.ID, 10)
	key = append(append(append(key, it.Event...), ' '), m.today...)
	if short {
		key = append(key, 's')
	}
	if it.Under != 0 {
		key = append(key, 'u')
	}
	if section == sectionHighlights {
		key = append(key, 'h')
	}
	if section == sectionForReader && it.Concern != nil {
		key = append(key, database.JSON(it.Concern.Result)...)
	}
	for _, w := range it.Chosen {
		key = append(append(append(append(key, ' '), w.Field...), '='), w.Value...)
	}
	return m.piece(string(key), func() (templates.Mail, error) {
		v := m.s.digestItem(it, m.language, m.day)
		v.Short, v.Under = short, it.Under != 0
		if m.mayStar(it) {
			v.Star, v.Undated = stars.Path(it.Article.ID), it.Article.Facts.DeadlineOn.IsZero()
		}
		if section == sectionForReader && it.Concern != nil {
			v.ForReader, v.Summary = forreader.View(m.language, it.Article, *it.Concern, m.day), ""
		}
		if section == sectionHighlights && it.Reason != "" { // an interpretation under its original is a highlight for its original's reason
			v.Lead = templates.Words(m.language, "lead."+it.Reason)
		}
		return v.Mail()
	})
}

// mayStar reports whether an item is a call that readers can star: one with time left.
func (m *mailBuilder) mayStar(it IssueItem) bool {
	return it.Call != nil && !it.isCanceled() && forreader.IsOpen(*it.Call, it.Article.Facts.DeadlineOn, m.day)
}

// itemGroups combines items of a section into lines, one for each issuer and group.
func (m *mailBuilder) itemGroups(b block) []templates.ItemGroup {
	var all []templates.ItemGroup
	at := make(map[string]int)
	for _, it := range b.items {
		kind := m.groupOf(it, b.section)
		if kind == "" {
			continue
		}
		issuer := strings.Join(it.Article.Facts.Issuers, "、")
		i, ok := at[kind+issuer]
		if !ok {
			i = len(all)
			at[kind+issuer] = i
			all = append(all, templates.ItemGroup{Language: m.language, Issuer: issuer, Label: kind})
		}
		all[i].Items = append(all[i].Items, templates.DocLink{Title: it.Article.Title(), URL: feed.ArticleURL(m.s.opts.BaseURL, it.Article.ID)})
	}
	for i := range all {
		all[i].Label = templates.Words(m.language, "fold."+all[i].Label, len(all[i].Items))
	}
	return all
}

// groupOf returns the group of an item in its section: "" for highlights, and
// for items whose type the list asks for.
func (m *mailBuilder) groupOf(it IssueItem, section string) string {
	if section != sectionDocuments {
		return ""
	}
	kind := itemGroup(it.Article)
	if kind == "" || slices.ContainsFunc(m.issues, func(i Issue) bool { return i.ID == it.Issue && len(i.List.Query.Types) > 0 }) {
		return ""
	}
	return kind
}

// piece returns the piece with a key, and renders it if it does not exist yet. The key
// contains everything on which the piece depends.
func (p *pieceRenderer) piece(key string, write func() (templates.Mail, error)) (piece, error) {
	if x, ok := p.pieces[key]; ok {
		return x, nil
	}
	x, err := encode(write())
	if err != nil {
		return piece{}, err
	}
	if p.bytes > maxPieces {
		clear(p.pieces) // variants that use them keep them in memory
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
	return piece{text: mail.Encode(m.Text, marks(m.TextMarks)...), html: mail.Encode(m.HTML, marks(m.HTMLMarks)...), size: len(m.HTML) + ownSize*len(m.HTMLMarks)}, nil
}

func marks(of []templates.Mark) []mail.Mark {
	out := make([]mail.Mark, len(of))
	for i, m := range of {
		out[i] = mail.Mark{At: m.At, Slot: int(m.Slot)}
	}
	return out
}
