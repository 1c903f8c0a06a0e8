// Package delivery sends composed mailings to the readers' servers: the queue, its
// lanes and connections, the ledger and its journal, what replies mean for readers,
// and reports of all that.
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

// ErrNotFound says that there is no such mailing.
var ErrNotFound = errors.New("not found")

// ServiceOptions say how a node delivers.
type ServiceOptions struct {
	BounceDomain string // of envelope senders (VERP); "": the envelope sender is the sender's own address
	Now          func() time.Time
	Logger       *slog.Logger
	Notify       func(ctx context.Context, n Notice) // reports what an admin should know; nil: only to the log
}

// Service keeps the deliveries of one database.
type Service struct {
	db          *database.DB
	subscribers *subscribers.Store
	opts        ServiceOptions
	sizes       domainSizes
}

// New returns a service on one database.
func New(db *database.DB, readers *subscribers.Store, opts ServiceOptions) *Service {
	return &Service{db: db, subscribers: readers, opts: opts}
}

func (s *Service) now() time.Time { return s.opts.Now().UTC().Truncate(time.Microsecond) }

// Delivered counts what one call of Deliver did.
type Delivered struct {
	Sent, Failed, Deferred, Uncertain, Suppressed int
	Recovered                                     int // claims taken back from processes that ended
	// Refused is the reply of the mail servers if none accepts our mail now, ""
	// if one does; due deliveries wait.
	Refused string
}

func (d *Delivered) add(more Delivered) {
	d.Sent, d.Failed, d.Deferred = d.Sent+more.Sent, d.Failed+more.Failed, d.Deferred+more.Deferred
	d.Uncertain, d.Suppressed, d.Recovered = d.Uncertain+more.Uncertain, d.Suppressed+more.Suppressed, d.Recovered+more.Recovered
	d.Refused = more.Refused
}

// Renderer makes the messages of deliveries.
type Renderer interface {
	// Render returns the mail of a variant, which many deliveries share.
	Render(ctx context.Context, variant int64) (Message, error)
	// Forget drops what was rendered once the mailings are finished.
	Forget()
}

// Message is a rendered mail that lacks only what is a reader's own.
type Message interface {
	// Sender is the address that the mail is from.
	Sender() string
	// WantedBy reports whether the mail still contains something that the reader wants.
	WantedBy(reader subscribers.Reader) bool
	// Assemble fills in what is the reader's own.
	Assemble(to *mail.Assembly, reader subscribers.Reader, messageID string) error
}
