package digest

import (
	"context"
	"database/sql"
	netmail "net/mail"

	"dibao/internal/mail"
	"dibao/subscribers"
)

// Sample is one mail of a mailing as it is sent, to a reader that is not there.
type Sample struct {
	From string // address of the sender
	Raw  []byte
}

// SampleMail returns what the first variant of a mailing looks like, unsigned.
func (s *Service) SampleMail(ctx context.Context, mailing int64) (Sample, error) {
	var id int64
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT id FROM variants WHERE mailing = $1 ORDER BY id LIMIT 1`, mailing).Scan(&id)
	})
	if err != nil {
		return Sample{}, err
	}
	r := newRenderer(s, nil)
	v, err := r.renderVariant(ctx, id)
	if err != nil {
		return Sample{}, err
	}
	personal, err := r.personal(v, subscribers.Reader{ID: 1}, mail.MessageID(nil, mailing, 1, domainOf(v.from.Address)))
	if err != nil {
		return Sample{}, err
	}
	personal.To = netmail.Address{Address: "reader@test.example"}
	raw, err := v.message.Append(nil, personal)
	return Sample{From: v.from.Address, Raw: raw}, err
}
