package delivery

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"time"

	"dibao/internal/mail"
	"dibao/internal/nodes"
)

// Options are the options for sending on a node. The zero value of a field means the
// default next to it.
type Options struct {
	Server    mail.Options     // required unless Direct is set
	Fallbacks []mail.Options   // servers to use while the first is not reached, in this order
	Direct    *mail.Router     // not nil means that mail goes directly to the servers of the readers' domains, with the settings of Server except its address
	Limits    map[string]Limit // by domain; a limit applies to all domains of a group together
	PerMinute int              // messages to all domains together; 0 means no limit
	// Share is this process's part of Limits and PerMinute, which hold for all
	// nodes of the database together; nil means the whole.
	Share       func() nodes.Share
	Node        string        // ID of this process among the nodes; "" means a random name
	Connections int           // 4; each sends one message at a time
	Lease       time.Duration // 10 m; how long claims are valid if their node does not renew them
	GiveUpAfter time.Duration // 48 h, from the first attempt
	RetryIn     time.Duration // 1 m; how long to wait if the server can't be reached
	StallAfter  time.Duration // 2 s; if a message waits longer for its server, another connection takes over
	DKIM        *mail.Signer  // nil means unsigned
	Probe       bool          // use one message to test at once whether servers that refused our mail accept it now
	BounceToken func(delivery int64) string
	MessageKey  []byte // key of the Message-IDs; the same on every node
	// Notify reports what an admin should know; nil means the Notify of the service.
	Notify func(ctx context.Context, n Notice)
}

func (o *Options) fill() error {
	if o.Server.Addr == "" && o.Direct == nil {
		return errors.New("no mail server is set; set host and port in [mail], or direct = true")
	}
	if o.Connections <= 0 {
		o.Connections = 4
	}
	o.Node = cmp.Or(o.Node, rand.Text())
	if o.Share == nil {
		o.Share = func() nodes.Share { return nodes.Whole }
	}
	for _, f := range []struct {
		d        *time.Duration
		standard time.Duration
	}{
		{&o.Lease, 10 * time.Minute}, {&o.GiveUpAfter, 48 * time.Hour}, {&o.RetryIn, time.Minute}, {&o.StallAfter, 2 * time.Second},
	} {
		if *f.d <= 0 {
			*f.d = f.standard
		}
	}
	return nil
}
