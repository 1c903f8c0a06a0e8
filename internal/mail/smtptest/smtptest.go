// Package smtptest is a mail server for tests that works properly up to one phase of the
// dialogue, and there behaves like a broken, overloaded or hostile server.
package smtptest

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Phases are the phases in which a Server can fail, in their order.
var Phases = []string{"greeting", "ehlo", "starttls", "handshake", "auth", "mail", "rcpt", "data", "body", "dot", "rset", "quit"}

// A Fault is what a server does instead of its reply.
type Fault struct {
	Name string
	Code int // code of the reply, if it is one
	do   func(c net.Conn)
}

// Faults are all the ways in which a Server can fail. After one that is not a reply, or
// after a 421, it sends nothing more.
var Faults = []Fault{
	{"4xx", 451, say("451 4.3.0 try later\r\n")},
	{"5xx", 550, say("550 5.1.1 no such user\r\n")},
	{"421", 421, say("421 4.3.2 closing\r\n")},
	{"reset", 0, func(c net.Conn) { c.(*net.TCPConn).SetLinger(0); c.Close() }},
	{"close", 0, func(c net.Conn) { c.Close() }},
	{"stall", 0, func(net.Conn) {}},
	{"garbage", 0, say("\x00\xff\xfe hello\r\n")},
	{"longline", 0, func(c net.Conn) { fmt.Fprint(c, "250-"+strings.Repeat("x", 1<<20)+"\r\n") }},
	{"manylines", 0, func(c net.Conn) { fmt.Fprint(c, strings.Repeat("250-x\r\n", 100_000)) }},
	{"drip", 0, func(c net.Conn) {
		for range 100 {
			if _, err := fmt.Fprint(c, "2"); err != nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}},
}

func say(s string) func(net.Conn) { return func(c net.Conn) { fmt.Fprint(c, s) } }

// Server is a running mail server. It rejects recipients that begin with
// "refused" as unknown.
type Server struct {
	Addr string

	mu       sync.Mutex
	phase    string
	fault    Fault
	faults   int
	received map[string]int
	longest  time.Duration
	security *Security // nil means no TLS
	logins   []Login
	script   func(phase, from, to string) string // nil means no script
}

// Start serves on l until the test ends, with a fault in the phase.
func Start(t testing.TB, l net.Listener, phase string, fault Fault) *Server {
	s := &Server{Addr: l.Addr().String(), phase: phase, fault: fault, received: make(map[string]int)}
	s.start(t, l)
	return s
}

// StartScript serves on l until the test ends, and calls script for the reply
// in a phase: a reply without its line end, or "" to behave like an ordinary
// server. from and to are those of the transaction, if they are known yet. It
// may be called concurrently.
func StartScript(t testing.TB, l net.Listener, script func(phase, from, to string) string) *Server {
	s := &Server{Addr: l.Addr().String(), received: make(map[string]int), script: script}
	s.start(t, l)
	return s
}

func (s *Server) start(t testing.TB, l net.Listener) {
	var all sync.WaitGroup
	var mu sync.Mutex
	open := make(map[net.Conn]bool)
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[c] = true
			mu.Unlock()
			all.Go(func() {
				s.converse(c)
				c.Close()
				mu.Lock()
				delete(open, c)
				mu.Unlock()
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for c := range open {
			c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
}

// Heal makes the server work properly from now on.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase = ""
}

// Received returns how many messages arrived for each reader: those whose final dot
// arrived, whatever the reply, but not refused ones.
func (s *Server) Received() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.received)
}

// Faults returns how often the server failed, and the longest time for which a client then
// kept the connection open.
func (s *Server) Faults() (n int, longest time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults, s.longest
}

// dialogue is one connection.
type dialogue struct {
	*Server
	c       net.Conn
	r       *bufio.Reader
	from    string
	to      string
	refused bool // the recipient of this transaction is refused

	encrypted bool
}

func (s *Server) converse(c net.Conn) {
	c.SetDeadline(time.Now().Add(time.Minute))
	d := &dialogue{Server: s, c: c, r: bufio.NewReader(c)}
	if !d.answer("greeting", "220 test\r\n") {
		return
	}
	for {
		line, err := d.r.ReadString('\n')
		if err != nil || !d.command(line) {
			return
		}
	}
}

// command answers a command; ok is false if the connection ends.
func (d *dialogue) command(line string) (ok bool) {
	switch strings.ToUpper(line[:min(4, len(line))]) {
	case "EHLO":
		return d.answer("ehlo", "250-test\r\n250-PIPELINING\r\n"+d.extensions()+"250 SIZE 10000000\r\n")
	case "HELO":
		return d.answer("", "250 test\r\n")
	case "STAR":
		if d.security != nil {
			return d.encrypt()
		}
		return d.answer("starttls", "220 go\r\n") && d.handshake()
	case "AUTH":
		d.noteLogin(line)
		return d.answer("auth", "235 2.7.0 ok\r\n")
	case "MAIL":
		d.from, d.to, d.refused = inBrackets(line), "", false
		return d.answer("mail", "250 2.1.0 ok\r\n")
	case "RCPT":
		if d.refused && d.script != nil {
			return d.answer("", "503 5.5.1 no sender\r\n")
		}
		d.to = inBrackets(line)
		if d.refused = strings.HasPrefix(d.to, "refused"); d.refused {
			return d.answer("", "550 5.1.1 no such user\r\n")
		}
		return d.answer("rcpt", "250 2.1.5 ok\r\n")
	case "RSET":
		return d.answer("rset", "250 ok\r\n")
	case "QUIT":
		d.answer("quit", "221 bye\r\n")
		return false
	case "DATA":
		if d.refused {
			return d.answer("", "503 5.5.1 no recipient\r\n")
		}
		return d.answer("data", "354 go\r\n") && d.body()
	}
	return d.answer("", "500 5.5.1 what?\r\n")
}

// inBrackets returns the address of a MAIL or RCPT command.
func inBrackets(line string) string {
	_, address, _ := strings.Cut(line, "<")
	address, _, _ = strings.Cut(address, ">")
	return address
}

// handshake does no TLS: it is only for servers that fail at it.
func (d *dialogue) handshake() (ok bool) {
	if !d.failsIn("handshake") {
		return true
	}
	if d.fail() {
		io.Copy(io.Discard, d.r) // until the client closes
	}
	return false
}

// body receives a message.
func (d *dialogue) body() (ok bool) {
	early := d.failsIn("body")
	if early && !d.fail() {
		return false
	}
	for {
		line, err := d.r.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
	}
	if early {
		return true // the reply was sent
	}
	if d.script != nil {
		d.refused = false
		ok = d.answer("dot", "250 2.0.0 queued\r\n")
		d.mu.Lock()
		if !d.refused {
			d.received[d.to]++
		}
		d.mu.Unlock()
		return ok
	}
	if !d.failsIn("dot") || d.fault.Code == 0 {
		d.mu.Lock()
		d.received[d.to]++
		d.mu.Unlock()
	}
	return d.answer("dot", "250 2.0.0 queued\r\n")
}

func (d *dialogue) failsIn(phase string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.phase == phase && phase != ""
}

func (d *dialogue) answer(phase, reply string) (ok bool) {
	if d.failsIn(phase) {
		return d.fail()
	}
	if d.script != nil && phase != "" {
		if said := d.script(phase, d.from, d.to); said != "" {
			d.refused = said[0] != '2' && said[0] != '3'
			_, err := io.WriteString(d.c, said+"\r\n")
			return err == nil && !strings.HasPrefix(said, "421") && !(d.refused && phase == "greeting")
		}
	}
	_, err := io.WriteString(d.c, reply)
	return err == nil
}

// fail carries out the fault; unless it is a reply, it waits for the client to
// disconnect. After 421 the server disconnects first (RFC 5321 §4.2.1).
func (d *dialogue) fail() (ok bool) {
	d.mu.Lock()
	d.faults++
	d.mu.Unlock()
	began := time.Now()
	d.fault.do(d.c)
	if d.fault.Code != 0 {
		return d.fault.Code != 421
	}
	io.Copy(io.Discard, d.r) // until the client closes
	d.mu.Lock()
	defer d.mu.Unlock()
	d.longest = max(d.longest, time.Since(began))
	return false
}
