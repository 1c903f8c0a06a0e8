// Package delivery sends composed mailings to the readers' servers. It contains the queue,
// its lanes and connections, the ledger and its journal, the meaning of replies for
// readers, and reports.
package delivery

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"dibao/internal/database"
	"dibao/internal/mail"
	"dibao/subscribers"
)

// ErrNotFound says that a mailing does not exist.
var ErrNotFound = errors.New("not found")

// ServiceOptions are the options for delivering on a node.
type ServiceOptions struct {
	BounceDomain string // domain of envelope senders (VERP); "" means that the envelope sender is the sender's own address
	Now          func() time.Time
	Logger       *slog.Logger
	Notify       func(ctx context.Context, n Notice) // reports what an admin should know; nil means that it is only logged
}

// Service stores the deliveries of one database.
type Service struct {
	db          *database.DB
	subscribers *subscribers.Store
	opts        ServiceOptions
	sizes       domainSizes
}

// New returns a service for one database.
func New(db *database.DB, readers *subscribers.Store, opts ServiceOptions) *Service {
	return &Service{db: db, subscribers: readers, opts: opts}
}

func (s *Service) now() time.Time { return s.opts.Now().UTC().Truncate(time.Microsecond) }

// Delivered counts the results of one call of Deliver.
type Delivered struct {
	Sent, Failed, Deferred, Uncertain, Suppressed int
	Recovered                                     int // claims released because their process ended
	// Refused is the reply of the mail servers if none accepts our mail now, ""
	// if one does; due deliveries wait.
	Refused string
}

func (d *Delivered) add(more Delivered) {
	d.Sent, d.Failed, d.Deferred = d.Sent+more.Sent, d.Failed+more.Failed, d.Deferred+more.Deferred
	d.Uncertain, d.Suppressed, d.Recovered = d.Uncertain+more.Uncertain, d.Suppressed+more.Suppressed, d.Recovered+more.Recovered
	d.Refused = more.Refused
}

// Renderer renders the messages of deliveries.
type Renderer interface {
	// Render returns the email of a variant, which many deliveries share.
	Render(ctx context.Context, variant int64) (Message, error)
	// Forget removes rendered emails from memory once the mailings are finished.
	Forget()
}

// Message is a rendered email that lacks only the parts for one reader.
type Message interface {
	// Sender returns the address in From.
	Sender() string
	// WantedBy reports whether the email still contains something that the reader wants.
	WantedBy(reader subscribers.Reader) bool
	// Assemble fills in the parts for one reader.
	Assemble(to *mail.Assembly, reader subscribers.Reader, messageID string) error
}
