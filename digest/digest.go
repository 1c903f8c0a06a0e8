// Package digest is where articles and readers meet: matching articles to
// lists, composing issues and mailings, rendering variants, the delivery ledger
// and what a reply means for a reader.
//
// The database carries the promises: one issue per list and due time, one
// mailing per due time, one delivery per mailing and reader, one match per list
// and article. Every step may be run again, by any node, and does nothing twice.
// Due times are UTC instants computed from the schedule of a list and the last
// due time stored, never from a timer.
package digest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/mail"
	"time"

	"dibao/feed"
	"dibao/internal/database"
	"dibao/subscribers"
)

// Options say how a node composes and sends. The zero value of a field is the
// default named beside it.
type Options struct {
	SiteName     string           // 邸报
	BaseURL      string           // of the web pages, without a slash at the end; required
	From         mail.Address     // the sender of lists that name none
	BounceDomain string           // of envelope senders (VERP); "": From is the envelope sender
	Now          func() time.Time // time.Now
	Logger       *slog.Logger     // slog.Default
	// Notify is told what an admin should know; nil: only the log is.
	Notify func(ctx context.Context, n Notice)
}

// Service composes and delivers.
type Service struct {
	db          *database.DB
	articles    *feed.Store
	subscribers *subscribers.Store
	opts        Options
	sizes       domainSizes
}

// New returns a service on one database.
func New(db *database.DB, articles *feed.Store, readers *subscribers.Store, opts Options) (*Service, error) {
	if opts.BaseURL == "" {
		return nil, fmt.Errorf("digest needs the base address of its web pages; set base_url in [server]")
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
	return &Service{db: db, articles: articles, subscribers: readers, opts: opts}, nil
}

func (s *Service) now() time.Time { return s.opts.Now().UTC().Truncate(time.Microsecond) }

// toJSON writes our own plain values; no ids are [], as the database wants them.
func toJSON(v any) string {
	if ids, ok := v.([]int64); ok && ids == nil {
		return "[]"
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("digest: %T does not marshal: %v", v, err)) // only our own plain structs come here
	}
	return string(b)
}
