package digest

import (
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

	"dibao/feed"
	"dibao/internal/mail"
	"dibao/subscribers"
	"dibao/templates"
)

// The addresses in a variant that differ for each reader. They stand in the
// templates as addresses that lead nowhere (RFC 6761 keeps .invalid free).
const (
	slotUnsubscribe = "https://unsubscribe.slot.invalid/"
	slotPreferences = "https://preferences.slot.invalid/"
)

// maxVariants is how many rendered variants are kept; deliveries are claimed in
// the order they were made, so that few are needed at a time.
const maxVariants = 64

// renderer renders each variant once.
type renderer struct {
	service *Service
	dkim    *mail.Signer
	mu      sync.Mutex
	cache   map[int64]*variant
	order   []int64 // of the cache, the oldest first
}

// variant is a rendered mail that lacks only what is a reader's own.
type variant struct {
	message *mail.Prepared
	digest  templates.Digest
	from    netmail.Address
	lists   []int64
	slugs   []string
}

func newRenderer(s *Service, dkim *mail.Signer) *renderer {
	return &renderer{service: s, dkim: dkim, cache: make(map[int64]*variant)}
}

// wantedBy reports whether the reader still takes a list of the variant.
func (v *variant) wantedBy(r subscribers.Reader) bool {
	return slices.ContainsFunc(v.lists, func(l int64) bool { return slices.Contains(r.Lists, l) })
}

func (r *renderer) variant(ctx context.Context, id int64) (*variant, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v, ok := r.cache[id]; ok {
		return v, nil
	}
	v, err := r.service.renderVariant(ctx, id, r.dkim)
	if err != nil {
		return nil, err
	}
	if len(r.order) >= maxVariants {
		delete(r.cache, r.order[0])
		r.order = r.order[1:]
	}
	r.cache[id], r.order = v, append(r.order, id)
	return v, nil
}

// personal fills in what is a reader's own: tokens and addresses.
func (r *renderer) personal(v *variant, reader subscribers.Reader, messageID string) (mail.Personal, error) {
	list := int64(0) // a mail of several lists is left with all of them
	if len(v.lists) == 1 {
		list = v.lists[0]
	}
	keys := r.service.subscribers.Keys()
	unsubscribe := r.service.opts.BaseURL + "/u/" + keys.UnsubscribeToken(reader.ID, list)
	preferences := r.service.opts.BaseURL + "/preferences/" + keys.PreferencesToken(reader.ID)
	return mail.Personal{
		MessageID: messageID,
		Headers: []mail.Header{
			{Name: "List-Unsubscribe", Value: "<" + unsubscribe + ">"},
			{Name: "List-Unsubscribe-Post", Value: "List-Unsubscribe=One-Click"},
		},
		Slots: map[string]string{slotUnsubscribe: unsubscribe, slotPreferences: preferences},
	}, nil
}

// renderVariant reads a variant and renders it.
func (s *Service) renderVariant(ctx context.Context, id int64, dkim *mail.Signer) (*variant, error) {
	var language, format, issueList, itemList string
	var due time.Time
	var mailing int64
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT v.language, v.format, v.issues, v.items, v.mailing, m.due_at FROM variants v JOIN mailings m ON m.id = v.mailing WHERE v.id = $1`, id).
			Scan(&language, &format, &issueList, &itemList, &mailing, &due)
	})
	if err != nil {
		return nil, err
	}
	var issueIDs []int64
	var stored []contentItem
	if err := errors.Join(json.Unmarshal([]byte(issueList), &issueIDs), json.Unmarshal([]byte(itemList), &stored)); err != nil {
		return nil, fmt.Errorf("variant %d: %w", id, err)
	}
	issues, err := s.issuesByID(ctx, issueIDs)
	if err != nil {
		return nil, err
	}
	items, err := s.itemsOf(ctx, stored)
	if err != nil {
		return nil, err
	}
	return s.render(language, due, mailing, issues, items, dkim)
}

// itemsOf returns the items of a variant, in its order.
func (s *Service) itemsOf(ctx context.Context, stored []contentItem) ([]IssueItem, error) {
	type place struct{ issue, article int64 }
	all := make(map[place]IssueItem)
	read := make(map[int64]bool)
	items := make([]IssueItem, 0, len(stored))
	for _, c := range stored {
		if !read[c.Issue] {
			read[c.Issue] = true
			found, err := s.IssueItems(ctx, c.Issue)
			if err != nil {
				return nil, err
			}
			for _, it := range found {
				all[place{c.Issue, it.Article.ID}] = it
			}
		}
		it, ok := all[place{c.Issue, c.Article}]
		if !ok {
			return nil, fmt.Errorf("article %d is not in issue %d", c.Article, c.Issue)
		}
		it.Chosen = c.Chosen
		items = append(items, it)
	}
	return items, nil
}

// render makes the mail of some issues with some of their items.
func (s *Service) render(language string, due time.Time, mailing int64, issues []Issue, items []IssueItem, dkim *mail.Signer) (*variant, error) {
	v := &variant{from: s.opts.From}
	for _, i := range issues {
		v.lists = append(v.lists, i.List.ID)
		v.slugs = append(v.slugs, i.List.Slug)
	}
	if first := issues[0].List; first.Sender != "" {
		from, err := netmail.ParseAddress(first.Sender)
		if err != nil {
			return nil, fmt.Errorf("sender of list %s: %w", first.Slug, err)
		}
		v.from = *from
	}
	if v.from.Name == "" {
		v.from.Name = s.opts.SiteName
	}
	v.digest = s.digestView(language, due, issues, items)
	v.digest.Sender = v.from.Name + " · " + s.opts.BaseURL
	html, err := v.digest.HTML()
	if err != nil {
		return nil, err
	}
	text, err := v.digest.Text()
	if err != nil {
		return nil, err
	}
	domain := domainOf(v.from.Address)
	listID := fmt.Sprintf("mailing-%d.lists.%s", mailing, domain)
	phrase := s.opts.SiteName
	if len(issues) == 1 {
		listID = issues[0].List.Slug + ".lists." + domain
		phrase = issues[0].List.Title
	}
	v.message, err = mail.Prepare(mail.Message{
		From: v.from, Subject: v.digest.Subject, Date: due, Text: text, HTML: html,
		Headers: []mail.Header{
			{Name: "List-Id", Value: mail.Phrase(phrase) + " <" + listID + ">"},
			{Name: "Auto-Submitted", Value: "auto-generated"},
			{Name: "Precedence", Value: "bulk"},
			{Name: "Feedback-ID", Value: fmt.Sprintf("%d:%s:dibao", mailing, strings.Join(v.slugs[:min(len(v.slugs), 3)], "-"))},
		},
		Slots: []string{slotUnsubscribe, slotPreferences},
		DKIM:  dkim,
	})
	return v, err
}

// digestView fills the mail's view.
func (s *Service) digestView(language string, due time.Time, issues []Issue, items []IssueItem) templates.Digest {
	first := issues[0]
	d := templates.Digest{
		Language: language, SiteName: s.opts.SiteName, Title: first.List.Title, Number: int(first.Number),
		Date: localDate(due, first.List.Zone).String(), Note: first.Note,
		Sections:   s.sectionViews(items, language),
		ArchiveURL: s.issueURL(first), HomeURL: s.opts.BaseURL + "/",
		UnsubscribeURL: slotUnsubscribe, PreferencesURL: slotPreferences,
	}
	if len(issues) > 1 {
		titles := make([]string, len(issues))
		for i, issue := range issues {
			titles[i] = issue.List.Title
		}
		d.Number, d.ArchiveURL = 0, d.HomeURL
		d.Title = strings.Join(titles, " · ")
	}
	lead := ""
	if len(items) > 0 {
		lead = items[0].Article.Title()
	}
	d.Subject = d.MakeSubject(lead)
	d.Preheader = preheader(items)
	return d
}

// preheader is what a mail program shows beside the subject: the titles after the first.
func preheader(items []IssueItem) string {
	var titles []string
	for _, it := range items[min(1, len(items)):min(5, len(items))] {
		titles = append(titles, it.Article.Title())
	}
	return strings.Join(titles, " · ")
}

// sectionViews lays items out.
func (s *Service) sectionViews(items []IssueItem, language string) []templates.Section {
	var out []templates.Section
	for _, b := range layOut(items) {
		section := templates.Section{Key: b.section}
		for _, it := range b.items {
			section.Items = append(section.Items, s.itemView(it, language))
		}
		out = append(out, section)
	}
	return out
}

func (s *Service) itemView(it IssueItem, language string) templates.Item {
	v := feed.ItemView(it.Article, s.opts.BaseURL)
	for _, w := range it.Why {
		v.Why = append(v.Why, templates.Words(language, "why."+w.Field, w.Value))
	}
	return v
}

func (s *Service) issueURL(i Issue) string {
	return fmt.Sprintf("%s/lists/%s/issues/%d", s.opts.BaseURL, i.List.Slug, i.Number)
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
		for _, id := range ids { // a reader's few lists
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

// domainOf returns what stands after the last @.
func domainOf(address string) string {
	return strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
}
