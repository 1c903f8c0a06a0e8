package digest

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	netmail "net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"dibao/digest/delivery"
	"dibao/digest/stars"
	"dibao/internal/database"
	"dibao/internal/mail"
	"dibao/subscribers"
	"dibao/templates"
)

// slotsOf contains a reader's own parts of an email, by templates.Slot.
func slotsOf(unsubscribe, preferences string, why reasonTexts) []string {
	return []string{templates.SlotUnsubscribe: unsubscribe, templates.SlotPreferences: preferences, templates.SlotWhyHTML: why.html, templates.SlotWhyText: why.text}
}

// receiptReason contains what an email needs to say why its reader gets it.
type receiptReason struct{ language, lists, by, zone string }

func receiptReasonOf(e edited, from netmail.Address) receiptReason {
	title, _, _ := titleOf(e)
	return receiptReason{e.language, title, cmp.Or(from.Name, from.Address), e.issues[0].List.Zone}
}

// of returns the reason, given when the reader was added; zero if the reader confirmed.
func (b receiptReason) of(added time.Time) reasonTexts {
	date := ""
	if !added.IsZero() {
		date = dateText(b.language, "date.year", localDate(added, b.zone))
	}
	html, text := templates.Why(b.language, b.lists, b.by, date)
	return reasonTexts{html, text}
}

// reasonTexts say why a reader gets an email.
type reasonTexts struct{ html, text string }

// slots returns a reader's own parts of an email. Most readers of a variant confirmed or
// were imported from one file, so the sentence with the reason is built only once.
func (v *variant) slots(unsubscribe, preferences string, added time.Time) []string {
	quarter := added.Unix() / 900 // the days of all time zones begin with a quarter of an hour
	texts, ok := v.reasons.Load(quarter)
	if !ok {
		texts, _ = v.reasons.LoadOrStore(quarter, v.why.of(added))
	}
	return slotsOf(unsubscribe, preferences, texts.(reasonTexts))
}

// addedAt returns when an admin added a reader to all of the lists that the reader gets; zero
// if the reader confirmed one of them.
func addedAt(reader subscribers.Reader, lists []int64) (at time.Time) {
	for _, l := range lists {
		if !slices.Contains(reader.Lists, l) {
			continue
		}
		added, ok := reader.Added[l]
		if !ok {
			return time.Time{}
		}
		if added.After(at) {
			at = added
		}
	}
	return at
}

const (
	// maxVariants is the number of rendered variants that are cached: readers with equal
	// preferences are spread over all of a mailing. One takes a few kilobytes, because its
	// items are pieces that all variants share.
	maxVariants = 20_000
	// maxVariantBytes limits their size without the shared pieces.
	maxVariantBytes = 64 << 20
)

// renderer renders each variant once.
type renderer struct {
	service *Service
	dkim    *mail.Signer
	mu      sync.Mutex
	cache   map[int64]*variant
	bytes   int // size of the cached variants without shared pieces
	pieces  *pieceRenderer
	rows    map[int64]storedVariant // rows that were read and not rendered yet
}

// variant is a rendered email that lacks only the parts for one reader.
type variant struct {
	renderer *renderer
	message  *mail.Prepared
	subject  string
	from     netmail.Address
	lists    []int64
	slugs    []string
	bytes    int
	why      receiptReason
	reasons  sync.Map // reasonTexts by the quarter of an hour in which its reader was added
	reminder bool     // it reminds readers of calls that they starred
	void     bool     // all its articles are hidden: nobody gets it
}

func newRenderer(s *Service, dkim *mail.Signer) *renderer {
	return &renderer{service: s, dkim: dkim, cache: make(map[int64]*variant), pieces: newPieceRenderer(s), rows: make(map[int64]storedVariant)}
}

// Forget removes rendered variants, up to 110 MB, because nothing needs them between
// mailings, which are days apart.
func (r *renderer) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.cache)
	clear(r.rows)
	r.bytes, r.pieces = 0, newPieceRenderer(r.service)
}

// WantedBy reports whether the variant still has articles and the reader still gets one of
// its lists.
func (v *variant) WantedBy(r subscribers.Reader) bool {
	return !v.void && slices.ContainsFunc(v.lists, func(l int64) bool { return slices.Contains(r.Lists, l) })
}

func (r *renderer) variant(ctx context.Context, id int64) (*variant, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v, ok := r.cache[id]; ok {
		return v, nil
	}
	v, err := r.renderVariant(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(r.cache) >= maxVariants || r.bytes > maxVariantBytes {
		for id, old := range r.cache { // half of them, because it is unknown which are needed next
			if len(r.cache) <= maxVariants/2 && r.bytes <= maxVariantBytes/2 {
				break
			}
			delete(r.cache, id)
			r.bytes -= old.bytes
		}
	}
	r.cache[id] = v
	r.bytes += v.bytes
	return v, nil
}

// Render returns the variant of a delivery, for package delivery.
func (r *renderer) Render(ctx context.Context, variant int64) (delivery.Message, error) {
	return r.variant(ctx, variant)
}

// Sender returns the address in From.
func (v *variant) Sender() string { return v.from.Address }

// Assemble fills in the parts for one reader.
func (v *variant) Assemble(to *mail.Assembly, reader subscribers.Reader, messageID string) error {
	personal, err := v.renderer.personal(v, reader, messageID)
	if err != nil {
		return err
	}
	personal.To = netmail.Address{Address: reader.Address}
	return v.message.Assemble(to, personal)
}

// personal returns the parts for one reader: tokens and addresses.
func (r *renderer) personal(v *variant, reader subscribers.Reader, messageID string) (mail.Personal, error) {
	list := int64(0) // unsubscribing from an email of several lists ends all of them
	if len(v.lists) == 1 {
		list = v.lists[0]
	}
	keys := r.service.subscribers.Keys()
	byWeb, byMail := keys.UnsubscribeTokens(reader.ID, list)
	unsubscribe := r.service.opts.BaseURL + "/u/" + byWeb
	preferences := r.service.opts.BaseURL + "/preferences/" + keys.PreferencesToken(reader.ID, reader.Address)
	leave := "<" + unsubscribe + ">"
	if v.reminder { // a reader who turns off reminders may still want the list
		leave = "<" + unsubscribe + stars.StopPath + ">"
	} else if domain := r.service.opts.BounceDomain; domain != "" { // the web first: most programs use the first one
		leave += ", <mailto:u+" + byMail + "@" + domain + "?subject=unsubscribe>"
	}
	return mail.Personal{
		MessageID: messageID,
		Headers: []mail.Header{
			{Name: "List-Unsubscribe", Value: leave},
			{Name: "List-Unsubscribe-Post", Value: "List-Unsubscribe=One-Click"},
		},
		Slots: v.slots(unsubscribe, preferences, addedAt(reader, v.lists)),
	}, nil
}

// edited is the content from which an email is made.
type edited struct {
	mailing  int64
	due      time.Time
	language string
	format   subscribers.Format
	issues   []Issue // with their lists
	reminder bool    // a reminder of calls that the reader starred
	items    []IssueItem
}

// storedVariant is a variant as stored in its row.
type storedVariant struct {
	id int64
	edited
	issueIDs []int64
	contents []contentItem
}

// variantPage is the number of variants that are read at a time: variants that were created
// in succession are needed in succession.
const variantPage = 200

// read returns a variant's row.
func (r *renderer) read(ctx context.Context, id int64) (storedVariant, error) {
	if v, ok := r.rows[id]; ok {
		delete(r.rows, id)
		return v, nil
	}
	clear(r.rows)
	err := r.service.db.Read(ctx, func(tx *sql.Tx) error {
		_, err := database.Collect(ctx, tx, func(row database.Row) (struct{}, error) {
			var v storedVariant
			var issues, items string
			err := row.Scan(&v.id, &v.language, &v.format, &issues, &items, &v.mailing, &v.due)
			if err == nil {
				err = errors.Join(json.Unmarshal([]byte(issues), &v.issueIDs), json.Unmarshal([]byte(items), &v.contents))
			}
			r.rows[v.id] = v
			return struct{}{}, err
		}, `SELECT v.id, v.language, v.format, v.issues, v.items, v.mailing, m.due_at FROM variants v JOIN mailings m ON m.id = v.mailing
			WHERE v.id >= $1 AND v.id < $2`, id, id+variantPage)
		return err
	})
	v, ok := r.rows[id]
	if err == nil && !ok {
		err = fmt.Errorf("variant %d: %w", id, ErrNotFound)
	}
	delete(r.rows, id)
	return v, err
}

// renderVariant reads a variant and renders it.
func (r *renderer) renderVariant(ctx context.Context, id int64) (*variant, error) {
	stored, err := r.read(ctx, id)
	if err != nil {
		return nil, err
	}
	return r.renderStored(ctx, stored)
}

func (r *renderer) renderStored(ctx context.Context, stored storedVariant) (*variant, error) {
	e, err := r.pieces.edit(ctx, stored)
	if err != nil {
		return nil, err
	}
	v, err := r.render(e)
	if err == nil {
		v.void = len(e.items) == 0 && len(stored.contents) > 0
	}
	return v, err
}

// edit reads the content of a variant.
func (p *pieceRenderer) edit(ctx context.Context, stored storedVariant) (edited, error) {
	e := stored.edited
	for _, id := range stored.issueIDs {
		k, err := p.composedIssue(ctx, id)
		if err != nil {
			return e, err
		}
		e.issues = append(e.issues, k.issue)
	}
	e.items = make([]IssueItem, 0, len(stored.contents))
	for _, c := range stored.contents {
		e.reminder = e.reminder || reminderDays(c.Event) != 0
		it, ok, err := p.item(ctx, c)
		if err != nil {
			return e, err
		}
		if ok {
			e.items = append(e.items, it)
		}
	}
	return e, nil
}

// render renders the email.
func (r *renderer) render(e edited) (*variant, error) {
	s := r.service
	v := &variant{renderer: r, reminder: e.reminder}
	for _, i := range e.issues {
		if !slices.Contains(v.lists, i.List.ID) {
			v.lists = append(v.lists, i.List.ID)
			v.slugs = append(v.slugs, i.List.Slug)
		}
	}
	var err error
	if v.from, err = s.senderOf(e.issues[0].List); err != nil {
		return nil, err
	}
	v.why = receiptReasonOf(e, v.from)
	rendered, err := r.pieces.renderMail(e, v.from)
	if err != nil {
		return nil, err
	}
	v.subject, v.bytes = rendered.subject, rendered.own
	domain := mail.DomainOf(v.from.Address)
	listID, phrase := fmt.Sprintf("mailing-%d.lists.%s", e.mailing, domain), s.opts.SiteName
	if len(v.lists) == 1 {
		listID, phrase = v.slugs[0]+".lists."+domain, e.issues[0].List.Title
	}
	v.message, err = mail.Prepare(mail.Message{
		From: v.from, Subject: v.subject, Date: s.dateOf(e.due), TextPieces: rendered.text, HTMLPieces: rendered.html, TextOnly: e.format == subscribers.Text,
		Headers: []mail.Header{
			{Name: "List-Id", Value: mail.Phrase(phrase) + " <" + listID + ">"},
			{Name: "Auto-Submitted", Value: "auto-generated"},
			{Name: "Precedence", Value: "bulk"},
			{Name: "Feedback-ID", Value: fmt.Sprintf("%d:%s:dibao", e.mailing, strings.Join(v.slugs[:min(len(v.slugs), 3)], "-"))},
		},
		DKIM: r.dkim,
	})
	return v, err
}

// lateAfter is the age from which an email is dated by the time when it is rendered, not by
// its due time: an old Date would sort the email below mail that the reader has already
// seen, and looks like spam.
const lateAfter = time.Hour

// dateOf returns the Date of an email: when it was due or, if the mailing was paused, sent
// again or rendered much later, the current time, to the minute.
func (s *Service) dateOf(due time.Time) time.Time {
	if now := s.now(); now.Sub(due) > lateAfter {
		return now.In(due.Location()).Truncate(time.Minute)
	}
	return due
}

// senderOf returns the sender of a list's emails.
func (s *Service) senderOf(l subscribers.List) (netmail.Address, error) {
	from := s.opts.From
	if l.Sender != "" {
		own, err := netmail.ParseAddress(l.Sender)
		if err != nil {
			return from, fmt.Errorf("sender of list %s: %w", l.Slug, err)
		}
		from = *own
	}
	if from.Name == "" {
		from.Name = s.opts.SiteName
	}
	return from, nil
}

// SectionViews lays items out for a page.
func (s *Service) SectionViews(items []IssueItem, language string) []templates.Section {
	var out []templates.Section
	for _, b := range layOut(items) {
		section := templates.Section{Key: b.section}
		if b.section == sectionAmended {
			section.Key += ".page" // its visitors are not readers who received the issue
		}
		for _, it := range b.items {
			section.Items = append(section.Items, s.itemView(it, language))
		}
		out = append(out, section)
	}
	return out
}

// IssueURL returns the address of an issue's page.
func (s *Service) IssueURL(i Issue) string {
	return fmt.Sprintf("%s%sissues/%d", s.opts.BaseURL, i.List.Path(), i.Number)
}

// issuesByID returns issues with their lists, in the order of ids.
func (s *Service) issuesByID(ctx context.Context, ids []int64) ([]Issue, error) {
	lists, err := s.subscribers.Lists(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Issue, 0, len(ids))
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		all = all[:0]
		for _, id := range ids { // a reader's lists are few
			i, err := scanIssue(tx.QueryRowContext(ctx, `SELECT `+issueColumns+` FROM issues i WHERE i.id = $1`, id))
			if err != nil {
				return fmt.Errorf("issue %d: %w", id, err)
			}
			for _, l := range lists {
				if l.ID == i.List.ID {
					i.List = l
				}
			}
			all = append(all, i)
		}
		return nil
	})
	return all, err
}
