// Package digest connects articles and readers: it matches articles with lists,
// composes issues and mailings, renders variants, and applies the meaning of
// replies to readers.
//
// The database enforces the promises: one issue per list and due time, one mailing per due
// time, one delivery per mailing and reader, one match per list and article. Every step can
// be run again, by any node, and does nothing twice. Due times are UTC instants computed
// from the schedule of a list and the last due time stored, never from a timer.
package digest

import (
	"context"
	"fmt"
	"log/slog"
	"net/mail"
	"time"

	"dibao/digest/channel"
	"dibao/digest/delivery"
	"dibao/digest/stars"
	"dibao/feed"
	"dibao/internal/database"
	"dibao/subscribers"
)

// Options are the options for composing and sending on a node. The zero value of a field
// means the default next to it.
type Options struct {
	SiteName     string           // 邸报
	BaseURL      string           // base address of the web pages, without a trailing slash; required
	From         mail.Address     // the sender for lists that specify none
	BounceDomain string           // domain of envelope senders (VERP); "" means that From is the envelope sender
	Now          func() time.Time // default: time.Now
	Logger       *slog.Logger     // default: slog.Default
	// Notify reports what an admin should know; nil means that it is only logged.
	Notify func(ctx context.Context, n delivery.Notice)
}

// Service composes mailings and delivers them through the Service of package
// delivery.
type Service struct {
	*delivery.Service
	Channels    *channel.Store // channels of lists, and what was sent to them
	Stars       *stars.Store   // stars of readers
	db          *database.DB
	articles    *feed.Store
	subscribers *subscribers.Store
	opts        Options
}

// New returns a service for one database.
func New(db *database.DB, articles *feed.Store, readers *subscribers.Store, opts Options) (*Service, error) {
	if opts.BaseURL == "" {
		return nil, fmt.Errorf("emails need the address of the web pages; set base_url in [server]")
	}
	if opts.SiteName == "" {
		opts.SiteName = "邸报"
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	ledger := delivery.New(db, readers, delivery.ServiceOptions{BounceDomain: opts.BounceDomain, Now: opts.Now, Logger: opts.Logger, Notify: opts.Notify})
	return &Service{Service: ledger, Channels: channel.NewStore(db, opts.Now), Stars: stars.NewStore(db, opts.Now), db: db, articles: articles, subscribers: readers, opts: opts}, nil
}

// NewDeliverer returns a deliverer for what the service composes. It opens no
// connection.
func (s *Service) NewDeliverer(opts delivery.Options) (*delivery.Deliverer, error) {
	return s.Service.NewDeliverer(opts, newRenderer(s, opts.DKIM))
}

func (s *Service) now() time.Time { return s.opts.Now().UTC().Truncate(time.Microsecond) }
