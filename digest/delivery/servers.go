package delivery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"dibao/digest/verdict"
	"dibao/internal/mail"
)

// servers are the configured relays.
type servers struct {
	all    []mail.Options
	pauses *pauses

	mu      sync.Mutex
	down    map[string]time.Time // by relay: end of the time in which it is skipped because it could not be reached
	probing map[string]bool      // one message is testing whether the relay accepts our mail again
}

func newServers(all []mail.Options, p *pauses) *servers {
	return &servers{all: all, pauses: p, down: make(map[string]time.Time), probing: make(map[string]bool)}
}

func (s *servers) names() []string {
	names := make([]string, len(s.all))
	for i, o := range s.all {
		names[i] = o.Addr
	}
	return names
}

// refusedError says that no relay accepts our mail now.
type refusedError struct {
	pause Pause // the pause that ends first
}

func (e *refusedError) Error() string {
	return fmt.Sprintf("the mail server %s refuses our mail before we name a recipient: %s", e.pause.Name, e.pause.Reply)
}

// unproven reports whether every relay refused our mail when last tried, so
// that one message has to test whether that is over.
func (s *servers) unproven() bool {
	for _, o := range s.all {
		if s.pauses.of(o.Addr).Tries == 0 {
			return false
		}
	}
	return true
}

// refusing returns the pause that ends first if no relay may be tried now.
func (s *servers) refusing(now time.Time) *refusedError {
	known := s.pauses.all()
	var first Pause
	for _, o := range s.all {
		p := known[o.Addr]
		if !p.open(now) {
			return nil
		}
		if first.Name == "" || p.NextTryAt.Before(first.NextTryAt) {
			first = p
		}
	}
	return &refusedError{first}
}

// candidates returns the relays to try, in order: recently unreachable ones
// come last, and those that refuse our mail are left out.
func (s *servers) candidates(now time.Time) []mail.Options {
	known := s.pauses.all()
	s.mu.Lock()
	defer s.mu.Unlock()
	var up, down []mail.Options
	for _, o := range s.all {
		p := known[o.Addr]
		switch {
		case p.open(now), p.Tries > 0 && s.probing[o.Addr]:
		case now.Before(s.down[o.Addr]):
			down = append(down, o)
		default:
			up = append(up, o)
		}
	}
	return append(up, down...)
}

// probe claims the right to test a relay that refused our mail; ok is false if another
// connection has it.
func (s *servers) probe(name string) (probes, ok bool) {
	if s.pauses.of(name).Tries == 0 {
		return false, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.probing[name] {
		return false, false
	}
	s.probing[name] = true
	return true, true
}

func (s *servers) probed(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.probing, name)
}

func (s *servers) noteDown(name string, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down[name] = until
}

// dial connects to the first relay that can be reached and does not refuse us
// from the start; it calls refused for one that does. probes says that the
// connection tests whether the relay accepts our mail again.
func (s *servers) dial(ctx context.Context, now time.Time, pause time.Duration, refused func(string, *mail.ReplyError)) (conn *mail.Conn, name string, probes bool, err error) {
	var errs []error
	for _, o := range s.candidates(now) {
		probes, ok := s.probe(o.Addr)
		if !ok {
			continue
		}
		conn, err := mail.Dial(ctx, o)
		if err == nil {
			s.noteDown(o.Addr, time.Time{})
			return conn, o.Addr, probes, nil
		}
		if probes {
			s.probed(o.Addr)
		}
		if ctx.Err() != nil {
			return nil, "", false, err
		}
		var reply *mail.ReplyError
		if errors.As(err, &reply) && verdict.Phase(reply.Phase).BeforeReader() {
			refused(o.Addr, reply)
			continue
		}
		s.noteDown(o.Addr, now.Add(pause))
		errs = append(errs, err)
	}
	if len(errs) == 0 {
		if r := s.refusing(now); r != nil {
			return nil, "", false, r
		}
		return nil, "", false, errProbing
	}
	return nil, "", false, fmt.Errorf(unreachedPrefix+"%s: %w", strings.Join(s.names(), ", "), errors.Join(errs...))
}

// errProbing says that another connection is testing whether the only relay
// accepts our mail again.
var errProbing = errors.New("another connection checks whether the mail server accepts our mail again")
