package digest

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"dibao/internal/database"
	"dibao/policy"
	"dibao/subscribers"
)

// Mail is a rendered email; its links for a reader do not work.
type Mail struct {
	Subject, HTML, Text string

	// In a reader's preview:
	Held  []Issue               // its issues that wait for an admin
	Later map[int64]policy.Date // lists of which the reader wants no email yet, with the first day on which they do
}

// PreviewMail renders the next issue of l as an email, as it would be now.
func (s *Service) PreviewMail(ctx context.Context, l subscribers.List) (Mail, error) {
	e, err := s.nextEdited(ctx, l)
	if err != nil {
		return Mail{}, err
	}
	return s.mailOf(e, time.Time{})
}

// nextEdited returns the next issue of a list as it would be now.
func (s *Service) nextEdited(ctx context.Context, l subscribers.List) (edited, error) {
	draft, err := s.next(ctx, l)
	if err != nil {
		return edited{}, err
	}
	items := draft.items
	issues, err := s.Issues(ctx, l.ID, 1)
	if err != nil {
		return edited{}, err
	}
	next := Issue{List: l, Number: 1, DueAt: s.now(), Backfill: draft.backfill}
	if len(issues) > 0 {
		next.Number = issues[0].Number + 1
	}
	for i := range items {
		items[i].Issue = next.ID
	}
	return edited{due: next.DueAt, language: l.Language, format: subscribers.HTML, issues: []Issue{next}, items: items}, nil
}

// Variant is a set of deliveries of a mailing that differ only in their
// readers' own addresses and links.
type Variant struct {
	ID       int64              `json:"variant"`
	Readers  int                `json:"readers"`
	Language string             `json:"language"`
	Format   subscribers.Format `json:"format"`
	Lists    []string           `json:"lists"` // lists of which it contains articles
	Articles int                `json:"articles"`
}

// Variants returns the variants of a mailing, those with the most readers first.
func (s *Service) Variants(ctx context.Context, mailing int64) ([]Variant, error) {
	var all []Variant
	issuesOf := make(map[int64][]int64) // by variant
	ids := []int64{}
	err := s.db.Read(ctx, func(tx *sql.Tx) (err error) {
		all, err = database.Collect(ctx, tx, func(r database.Row) (v Variant, err error) {
			var text, items string
			if err := r.Scan(&v.ID, &v.Language, &v.Format, &text, &items, &v.Readers); err != nil {
				return v, err
			}
			var issues []int64
			var contents []contentItem
			err = errors.Join(json.Unmarshal([]byte(text), &issues), json.Unmarshal([]byte(items), &contents))
			v.Articles, issuesOf[v.ID] = len(contents), issues
			ids = append(ids, issues...)
			return v, err
		}, `SELECT v.id, v.language, v.format, v.issues, v.items, COALESCE(d.readers, 0) FROM variants v
			LEFT JOIN (SELECT variant, COUNT(*) AS readers FROM deliveries WHERE mailing = $1 GROUP BY variant) d ON d.variant = v.id
			WHERE v.mailing = $1 ORDER BY v.id`, mailing)
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(ids)
	issues, err := s.issuesByID(ctx, slices.Compact(ids))
	if err != nil {
		return nil, err
	}
	slugs := make(map[int64]string, len(issues))
	for _, i := range issues {
		slugs[i.ID] = i.List.Slug
	}
	for i := range all {
		all[i].Lists = []string{}
		for _, id := range issuesOf[all[i].ID] {
			if slug := slugs[id]; slug != "" && !slices.Contains(all[i].Lists, slug) { // a list that was removed has no slug
				all[i].Lists = append(all[i].Lists, slug)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Variant) int { return cmp.Compare(b.Readers, a.Readers) })
	return all, nil
}

// MailOfVariant renders a variant as it is or was sent.
func (s *Service) MailOfVariant(ctx context.Context, variant int64) (Mail, error) {
	r := newRenderer(s, nil)
	stored, err := r.read(ctx, variant)
	if err != nil {
		return Mail{}, err
	}
	e, err := r.pieces.edit(ctx, stored)
	if err != nil {
		return Mail{}, err
	}
	return s.mailOf(e, time.Time{})
}

// sampleSlots are the links of a reader who does not exist. Their addresses
// do not work (RFC 6761 reserves .invalid).
func sampleSlots(why reasonTexts) []string {
	return slotsOf("https://unsubscribe.invalid/", "https://preferences.invalid/", why)
}

// mailOf assembles an email and returns it as a reader's program would show it. added is when
// an admin added the reader; zero means that the reader confirmed.
func (s *Service) mailOf(e edited, added time.Time) (Mail, error) {
	from, err := s.senderOf(e.issues[0].List)
	if err != nil {
		return Mail{}, err
	}
	p, err := newPieceRenderer(s).renderMail(e, from)
	if err != nil {
		return Mail{}, err
	}
	m := Mail{Subject: p.subject}
	var html, text strings.Builder
	nobody := sampleSlots(receiptReasonOf(e, from).of(added))
	for i := range p.html {
		html.WriteString(p.html[i].Decoded(nobody))
		text.WriteString(p.text[i].Decoded(nobody))
	}
	m.HTML, m.Text = tidy(html.String()), tidy(text.String())
	return m, nil
}

// tidy removes the spaces with which pieces are padded.
func tidy(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n")
}
