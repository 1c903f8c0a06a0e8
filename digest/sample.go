package digest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	netmail "net/mail"
	"slices"

	"dibao/internal/mail"
	"dibao/subscribers"
)

// Sample is one email of a mailing as it is sent, to a reader who does not exist.
type Sample struct {
	From string // address of the sender
	Raw  []byte
}

// SampleMail returns the first variant of a mailing, unsigned.
func (s *Service) SampleMail(ctx context.Context, mailing int64) (Sample, error) {
	var id int64
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT id FROM variants WHERE mailing = $1 ORDER BY id LIMIT 1`, mailing).Scan(&id)
	})
	if err != nil {
		return Sample{}, err
	}
	r := newRenderer(s, nil)
	v, err := r.renderSample(ctx, id)
	if err != nil {
		return Sample{}, err
	}
	personal, err := r.personal(v, subscribers.Reader{ID: 1}, mail.MessageID(nil, mailing, 1, mail.DomainOf(v.from.Address)))
	if err != nil {
		return Sample{}, err
	}
	personal.To = netmail.Address{Address: "reader@test.example"}
	raw, err := v.message.Append(nil, personal)
	return Sample{From: v.from.Address, Raw: raw}, err
}

// renderSample renders a variant without the parts about its readers: a test may be sent to
// anybody.
func (r *renderer) renderSample(ctx context.Context, id int64) (*variant, error) {
	stored, err := r.read(ctx, id)
	if err != nil {
		return nil, err
	}
	stored.contents = slices.Clone(stored.contents)
	for i := range stored.contents {
		stored.contents[i].Match, stored.contents[i].Chosen = nil, nil
	}
	return r.renderStored(ctx, stored)
}

// TestMail returns the newest composed email as it would be sent to an address, with a
// signature like real mail; its links do not work. It returns ErrNotFound if none was
// composed yet.
func (s *Service) TestMail(ctx context.Context, to, messageID string, dkim *mail.Signer) (Sample, error) {
	var id int64
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT id FROM variants ORDER BY mailing DESC, id LIMIT 1`).Scan(&id)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Sample{}, fmt.Errorf("no issue was composed yet: %w", ErrNotFound)
	}
	if err != nil {
		return Sample{}, err
	}
	r := newRenderer(s, dkim)
	v, err := r.renderSample(ctx, id)
	if err != nil {
		return Sample{}, err
	}
	return r.sampleFor(v, to, messageID)
}

// TestNext returns the next issue of a list as it would be sent to an address,
// like TestMail.
func (s *Service) TestNext(ctx context.Context, l subscribers.List, to, messageID string, dkim *mail.Signer) (Sample, error) {
	e, err := s.nextEdited(ctx, l)
	if err != nil {
		return Sample{}, err
	}
	return s.test(e, to, messageID, dkim)
}

// TestIssue returns an existing issue as it would be sent to an address, like
// TestMail.
func (s *Service) TestIssue(ctx context.Context, issue Issue, to, messageID string, dkim *mail.Signer) (Sample, error) {
	e, err := s.editedIssue(ctx, issue, issue.List.Language)
	if err != nil {
		return Sample{}, err
	}
	return s.test(e, to, messageID, dkim)
}

func (s *Service) test(e edited, to, messageID string, dkim *mail.Signer) (Sample, error) {
	r := newRenderer(s, dkim)
	v, err := r.render(e)
	if err != nil {
		return Sample{}, err
	}
	return r.sampleFor(v, to, messageID)
}

// sampleFor addresses an email to somebody who is not a reader.
func (r *renderer) sampleFor(v *variant, to, messageID string) (Sample, error) {
	personal, err := r.personal(v, subscribers.Reader{}, messageID+"@"+mail.DomainOf(v.from.Address))
	if err != nil {
		return Sample{}, err
	}
	personal.To = netmail.Address{Address: to}
	raw, err := v.message.Append(nil, personal)
	return Sample{From: v.from.Address, Raw: raw}, err
}
