package digest

import (
	"context"
	"fmt"
	netmail "net/mail"
	"strings"
	"time"

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

// item returns an item as a variant names it.
func (p *press) item(ctx context.Context, c contentItem) (IssueItem, error) {
	e, err := p.edition(ctx, c.Issue)
	if err != nil {
		return IssueItem{}, err
	}
	it, ok := e.items[mailed{c.Article, c.Event}]
	if !ok {
		return IssueItem{}, fmt.Errorf("article %d is not in issue %d", c.Article, c.Issue)
	}
	it.Issue, it.Chosen = c.Issue, c.Chosen
	return it, nil
}

// paper is a mail that is set.
type paper struct {
	subject    string
	text, html []mail.Piece
	own        int // bytes that it shares with no other
}

// compose sets a mail: its head, the sections with their items, its foot.
func (p *press) compose(e edited, from netmail.Address) (paper, error) {
	v := p.s.digestView(e, from)
	out := paper{subject: v.Subject}
	size := 0
	add := func(x piece) {
		out.text, out.html = append(out.text, x.text), append(out.html, x.html)
		size += x.size
	}
	head, err := encode(v.DigestHead.Mail())
	if err != nil {
		return paper{}, err
	}
	add(head)
	out.own = head.text.Size() + head.html.Size() + 4096 // and what joins the pieces
	left := 0
	for i, section := range v.Sections {
		x, err := p.piece(fmt.Sprint("section ", e.language, section.Key, " ", section.Count), section.Heading)
		if err != nil {
			return paper{}, err
		}
		begun := false
		rest := restOf(v.Sections[i:])
		for j, it := range section.Items {
			x2, err := p.itemPiece(it, e, v.keys[i][j])
			if err != nil {
				return paper{}, err
			}
			// What follows has room at least as titles.
			if short := shortSize * (rest - j - 1); size+x.size+x2.size+short+footRoom > maxHTML {
				it.Short = true
				if x2, err = p.itemPiece(it, e, v.keys[i][j]); err != nil {
					return paper{}, err
				}
			}
			if size+x.size+x2.size+footRoom > maxHTML {
				left++
				continue
			}
			if !begun {
				add(x)
				begun = true
			}
			add(x2)
		}
		for _, f := range section.Folds {
			x2, err := encode(f.Mail())
			if err != nil {
				return paper{}, err
			}
			if size+x.size+x2.size+footRoom > maxHTML {
				left += len(f.Items)
				continue
			}
			if !begun {
				add(x)
				begun = true
			}
			add(x2)
			out.own += x2.text.Size() + x2.html.Size()
		}
	}
	if left > 0 {
		v.DigestFoot.Remarks = append(v.DigestFoot.Remarks, templates.Words(e.language, "mail.more", left))
	}
	foot, err := p.piece(fmt.Sprint("foot ", e.language, v.ArchiveURL, v.Lists, v.Sender, v.Remarks), v.DigestFoot.Mail)
	if err != nil {
		return paper{}, err
	}
	add(foot)
	return out, nil
}

// shortSize is about the HTML of an item that is shortened.
const shortSize = 420

// restOf counts the items of sections.
func restOf(sections []templates.DigestSection) (n int) {
	for _, s := range sections {
		n += len(s.Items) + len(s.Folds)
	}
	return n
}

// itemPiece returns the piece of an item.
func (p *press) itemPiece(it templates.DigestItem, e edited, key string) (piece, error) {
	return p.piece(fmt.Sprint("item ", e.language, " ", key, it.Short, it.Under, it.Lead), it.Mail)
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
	return piece{text: mail.Encode(m.Text, slots), html: mail.Encode(m.HTML, slots), size: len(m.HTML)}, nil
}

// digestMail is a mail's view with, for each of its items, a key of what it is
// made of.
type digestMail struct {
	templates.Digest
	keys [][]string
}

// digestView fills the view of a mail.
func (s *Service) digestView(e edited, from netmail.Address) digestMail {
	first := e.issues[0]
	title, number, archive := titleOf(e)
	v := digestMail{Digest: templates.Digest{
		DigestHead: templates.DigestHead{
			Language: e.language, SiteName: s.opts.SiteName, Title: title, Number: numberText(e),
			Date: localDate(e.due, first.List.Zone).String(), Total: len(e.items),
		},
		DigestFoot: templates.DigestFoot{
			Language: e.language, HomeURL: s.opts.BaseURL + "/", ArchiveURL: s.opts.BaseURL + "/",
			UnsubscribeURL: slotUnsubscribe, PreferencesURL: slotPreferences, Lists: title, Sender: from.Name + " · " + s.opts.BaseURL,
		},
	}}
	if archive != nil {
		v.ArchiveURL = s.issueURL(*archive)
	}
	var notes []string
	for _, i := range e.issues {
		if i.Note != "" {
			notes = append(notes, i.Note)
		}
	}
	v.Note = strings.Join(notes, "\n")
	today := localDate(e.due, first.List.Zone)
	blocks := layOut(e.items)
	for _, b := range blocks {
		section, keys := s.sectionView(b, e, today)
		v.Sections, v.keys = append(v.Sections, section), append(v.keys, keys)
		v.Counts = append(v.Counts, fmt.Sprint(templates.Words(e.language, "section."+b.section), " ", len(b.items)))
	}
	v.Remarks = remarks(e)
	lead := ""
	if len(blocks) > 0 {
		lead = blocks[0].items[0].Article.Title()
	}
	v.Subject = templates.Subject(e.language, title, number, lead)
	v.Preheader = preheader(blocks)
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
		for _, it := range b.items {
			titles = append(titles, it.Article.Title())
		}
	}
	return strings.Join(titles[min(1, len(titles)):min(5, len(titles))], " · ")
}

// sectionView fills a section. keys name what each of its items is made of.
func (s *Service) sectionView(b block, e edited, today policy.Date) (section templates.DigestSection, keys []string) {
	section = templates.DigestSection{Language: e.language, Key: b.section, Count: len(b.items)}
	folds := make(map[string]int)
	for _, it := range b.items {
		if kind := foldedAs(it, b.section, e); kind != "" {
			issuer := strings.Join(it.Article.Facts.Issuers, "、")
			at, ok := folds[kind+issuer]
			if !ok {
				at = len(section.Folds)
				folds[kind+issuer] = at
				section.Folds = append(section.Folds, templates.DigestFold{Language: e.language, Issuer: issuer, Label: kind})
			}
			f := &section.Folds[at]
			f.Items = append(f.Items, templates.DocLink{Title: it.Article.Title(), URL: feed.ArticleURL(s.opts.BaseURL, it.Article.ID)})
			continue
		}
		section.Items = append(section.Items, s.digestItem(it, e.language, today))
		keys = append(keys, fmt.Sprint(it.Issue, " ", it.Article.ID, it.Event, " ", today, " ", it.Chosen))
	}
	for i := range section.Folds {
		f := &section.Folds[i]
		f.Label = templates.Words(e.language, "fold."+f.Label, len(f.Items))
	}
	if b.section == sectionHighlights {
		for i := range section.Items {
			section.Items[i].Lead = templates.Words(e.language, "lead."+b.items[i].Reason)
		}
	}
	return section, keys
}

// foldedAs says as what an item is folded here: nothing that leads, and nothing
// that its list asks for by name.
func foldedAs(it IssueItem, section string, e edited) string {
	kind := folds(it.Article)
	if kind == "" || section != sectionDocuments {
		return ""
	}
	for _, i := range e.issues {
		if i.ID == it.Issue && len(i.List.Query.Types) > 0 {
			return ""
		}
	}
	return kind
}

func (s *Service) itemView(it IssueItem, language string) templates.Item {
	v := feed.ItemView(it.Article, s.opts.BaseURL)
	for _, w := range it.Why {
		v.Why = append(v.Why, templates.Words(language, "why."+w.Field, w.Value))
	}
	for _, w := range it.Chosen {
		v.Why = append(v.Why, templates.Words(language, "mail.chosen", templates.Words(language, "why."+w.Field, w.Value)))
	}
	return v
}

// digestItem fills what a mail shows of an item.
func (s *Service) digestItem(it IssueItem, language string, today policy.Date) templates.DigestItem {
	f := it.Article.Facts
	v := templates.DigestItem{Item: s.itemView(it, language), Language: language}
	v.Summary = clip(v.Summary, maxSummary)
	v.Dates = shownDates(v.Dates)
	v.Badge, v.Urgent = badge(it, language, today)
	for _, c := range f.Citations {
		if c.Relation != policy.RelationRepeals && c.Relation != policy.RelationAmends && c.Relation != policy.RelationImplements || len(v.Says) == maxSays {
			continue
		}
		title := c.Title
		if title != "" {
			title = "《" + title + "》"
		}
		v.Says = append(v.Says, templates.DocLink{Verb: templates.Words(language, "says."+c.Relation), Title: title + c.Number})
	}
	if n := len(it.Same); n > 0 && it.Event == "" {
		v.Remarks = append(v.Remarks, templates.Words(language, "mail.reposts", n))
	}
	if f.LateDays > 0 {
		v.Remarks = append(v.Remarks, templates.Words(language, "mail.late", f.LateDays))
	}
	return v
}

const (
	// maxSummary bounds a summary in a mail, in bytes.
	maxSummary = 600
	// maxSays bounds the documents that an item names.
	maxSays = 3
)

// shownDates leaves out what the badge says better.
func shownDates(all []templates.DateFact) []templates.DateFact {
	var out []templates.DateFact
	for _, d := range all {
		if d.Key == "published" || d.Key == "issued" || d.Key == "effective" || d.Key == "expires" {
			out = append(out, d)
		}
	}
	return out
}

// badge says the date or the state for which an item stands where it stands.
func badge(it IssueItem, language string, today policy.Date) (text string, urgent bool) {
	f := it.Article.Facts
	day := func(d policy.Date) string { return templates.Words(language, "date.short", int(d.Month), d.Day) }
	switch it.Event {
	case eventEffective:
		return templates.Words(language, "badge.effective", day(f.EffectiveOn)), false
	case eventExpiring:
		return templates.Words(language, "badge.expiring", f.ExpiresOn.String()), true
	case eventRepealed, eventAmended:
		if it.By != "" {
			return templates.Words(language, "badge."+it.Event+".by", it.By), true
		}
		return templates.Words(language, "badge."+it.Event), true
	}
	switch it.Section {
	case sectionDeadlines:
		if f.DeadlineOn.IsZero() {
			return templates.Words(language, "badge.open"), false
		}
		if f.DeadlineOn == today {
			return templates.Words(language, "badge.deadline.today", day(f.DeadlineOn)), true
		}
		days := int(f.DeadlineOn.In(time.UTC).Sub(today.In(time.UTC)).Hours() / 24)
		return templates.Words(language, "badge.deadline", day(f.DeadlineOn), days), days <= 14
	case sectionEffective:
		return templates.Words(language, "badge.effective", day(f.EffectiveOn)), false
	}
	return "", false
}
