package digest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"dibao/internal/mail"
)

// servers are the configured relays.
type servers struct {
	mu   sync.Mutex
	all  []mail.Options
	down []time.Time // until when each is passed over
}

func (s *servers) names() string {
	names := make([]string, len(s.all))
	for i, o := range s.all {
		names[i] = o.Addr
	}
	return strings.Join(names, ", ")
}

// dial connects to the first server that can be reached. One that could not is
// passed over for a while, unless all are.
func (s *servers) dial(ctx context.Context, now time.Time, pause time.Duration) (*mail.Conn, error) {
	s.mu.Lock()
	if s.down == nil {
		s.down = make([]time.Time, len(s.all))
	}
	var order []int
	for i := range s.all {
		if !now.Before(s.down[i]) {
			order = append(order, i)
		}
	}
	for i := range s.all {
		if now.Before(s.down[i]) {
			order = append(order, i)
		}
	}
	s.mu.Unlock()
	var errs []error
	for _, i := range order {
		conn, err := mail.Dial(ctx, s.all[i])
		s.mu.Lock()
		if err == nil {
			s.down[i] = time.Time{}
		} else {
			s.down[i] = now.Add(pause)
		}
		s.mu.Unlock()
		if err == nil || ctx.Err() != nil {
			return conn, err
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}
