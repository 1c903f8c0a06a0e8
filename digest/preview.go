package digest

import (
	"context"
	"strings"

	"dibao/subscribers"
)

// Mail is a rendered mail; its links for one reader lead nowhere.
type Mail struct{ Subject, HTML, Text string }

// PreviewMail renders the mail that the next issue of l would be now.
func (s *Service) PreviewMail(ctx context.Context, l subscribers.List) (Mail, error) {
	items, err := s.Preview(ctx, l)
	if err != nil {
		return Mail{}, err
	}
	issues, err := s.Issues(ctx, l.ID, 1)
	if err != nil {
		return Mail{}, err
	}
	next := Issue{List: l, Number: 1, DueAt: s.now()}
	if len(issues) > 0 {
		next.Number = issues[0].Number + 1
	}
	for i := range items {
		items[i].Issue = next.ID
	}
	return s.mailOf(edited{due: next.DueAt, language: l.Language, format: subscribers.HTML, issues: []Issue{next}, items: items})
}

// mailOf sets a mail and returns it as a reader's program would show it.
func (s *Service) mailOf(e edited) (Mail, error) {
	from, err := s.senderOf(e.issues[0].List)
	if err != nil {
		return Mail{}, err
	}
	p, err := newPress(s).compose(e, from)
	if err != nil {
		return Mail{}, err
	}
	m := Mail{Subject: p.subject}
	var html, text strings.Builder
	for i := range p.html {
		html.WriteString(p.html[i].Decoded())
		text.WriteString(p.text[i].Decoded())
	}
	m.HTML, m.Text = tidy(html.String()), tidy(text.String())
	return m, nil
}

// tidy takes away the spaces with which pieces are padded.
func tidy(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n")
}
