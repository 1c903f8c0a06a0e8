package digest_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
	"github.com/emersion/go-smtp"

	"dibao/digest/delivery"
	"dibao/internal/mail"
	"dibao/internal/trust"
	"dibao/subscribers"
)

// cutAt is our own toxic for toxiproxy: it cuts a connection at some words of the dialogue.
type cutAt struct {
	Words string `json:"words"`
	After bool   `json:"after"` // the words themselves are passed on
	Times int    `json:"times"` // at one of the first times that the words occur, up to this number
	Hang  bool   `json:"hang"`  // nothing is passed on any more, and no side is notified
}

// cutMade are the channels, by words, on which each cut is reported.
var cutMade sync.Map

type cutState struct {
	left int    // number of times that the words are passed on
	tail []byte // end of what was passed on: words may arrive in two pieces
	cut  bool
}

func init() { toxics.Register("cut_at", new(cutAt)) }

// NewState chooses when this connection is cut.
func (c *cutAt) NewState() any { return &cutState{left: rand.IntN(max(1, c.Times))} }

// Pipe implements toxics.Toxic.
func (c *cutAt) Pipe(stub *toxics.ToxicStub) {
	state := stub.State.(*cutState)
	for {
		select {
		case <-stub.Interrupt:
			return
		case chunk := <-stub.Input:
			if chunk == nil {
				stub.Close()
				return
			}
			data, now := c.pass(state, chunk.Data)
			if len(data) > 0 {
				stub.Output <- &stream.StreamChunk{Data: data, Timestamp: chunk.Timestamp}
			}
			if now {
				if told, ok := cutMade.Load(c.Words); ok {
					told.(chan struct{}) <- struct{}{}
				}
			}
			if state.cut && !c.Hang {
				stub.Close()
				return
			}
		}
	}
}

// pass returns the part of data that is passed on, and whether the cut is made now.
func (c *cutAt) pass(state *cutState, data []byte) (through []byte, now bool) {
	if state.cut {
		return nil, false
	}
	all, from := append(state.tail, data...), 0
	for {
		i := bytes.Index(all[from:], []byte(c.Words))
		if i < 0 {
			break
		}
		if state.left == 0 {
			state.cut = true
			end := from + i
			if c.After {
				end += len(c.Words)
			}
			return data[:max(0, end-len(state.tail))], true
		}
		state.left--
		from += i + len(c.Words)
	}
	state.tail = bytes.Clone(all[max(from, len(all)-len(c.Words)+1):])
	return data, false
}

// The network is cut in every phase of the dialogue, with and without notice: in the end
// every reader has the email, nobody more than twice, and twice only if there was no reply.
func TestCutInEveryPhaseLosesNobody(t *testing.T) {
	t.Parallel()
	phases := []struct {
		name, stream string
		cutAt
	}{
		{"banner", "downstream", cutAt{Words: "220 "}},
		{"EHLO", "upstream", cutAt{Words: "EHLO "}},
		{"extensions", "downstream", cutAt{Words: "250-", After: true}},
		{"MAIL", "upstream", cutAt{Words: "MAIL FROM:", Times: 9}},
		{"RCPT", "upstream", cutAt{Words: "RCPT TO:", Times: 9}},
		{"DATA", "upstream", cutAt{Words: "\r\nDATA\r\n", Times: 9}},
		{"354", "downstream", cutAt{Words: "354 ", Times: 9}},
		{"body", "upstream", cutAt{Words: "Content-Transfer-Encoding: base64", After: true, Times: 9}},
		{"dot", "upstream", cutAt{Words: "\r\n.\r\n", Times: 9}},
		{"reply", "upstream", cutAt{Words: "\r\n.\r\n", After: true, Times: 9}},
		{"half a reply", "downstream", cutAt{Words: "250 2.0.0 OK: q", After: true, Times: 9}},
		{"RSET", "upstream", cutAt{Words: "RSET\r\n"}},
		{"after RSET", "upstream", cutAt{Words: "RSET\r\n", After: true}},
		{"QUIT", "upstream", cutAt{Words: "QUIT\r\n"}},
	}
	readers, each := long(2000, 8000), long(3, 15) // cuts in each phase
	w := newWorld(t, sqlite(t))
	w.readersAt("a.example", readers, w.list("weekly", subscribers.Query{}))
	w.composeOne()
	var tried sync.Map
	w.rejecting(func(to string) *smtp.SMTPError { // one in seven is greylisted, so that RSET occurs
		if _, again := tried.LoadOrStore(to, true); !again && strings.HasSuffix(strings.TrimSuffix(to, "@a.example"), "7") {
			return &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted"}
		}
		return nil
	})
	proxy := cutProxy(t, w.addr)
	d := must[*delivery.Deliverer](t)(w.service.NewDeliverer(delivery.Options{
		Server:  mail.Options{Addr: proxy.Listen, TLS: mail.TLSNone, Timeouts: allTimeouts(400 * time.Millisecond)},
		Limits:  map[string]delivery.Limit{"a.example": {PerConnection: 15}}, // so that QUIT occurs from time to time
		RetryIn: time.Second, StallAfter: 100 * time.Millisecond, Connections: 4, MessageKey: []byte("key"),
	}))
	uncertain := 0
	for round := range 2 * len(phases) {
		p := phases[round%len(phases)]
		p.cutAt.Hang = round >= len(phases)
		made := make(chan struct{}, 1000)
		cutMade.Store(p.Words, made)
		addToxic(t, proxy, map[string]any{"name": "cut", "type": "cut_at", "stream": p.stream, "toxicity": 0.7, "attributes": p.cutAt})
		// A round ends after its cuts. All are over before the first uncertain ones get
		// their second attempt, which is the last.
		ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
		counted := make(chan int, 1)
		go func() {
			defer stop()
			for n := range each {
				select {
				case <-made:
				case <-ctx.Done():
					counted <- n
					return
				}
			}
			counted <- each
		}()
		for range 20 {
			done, _ := d.Deliver(ctx) // it is expected that it is stopped and that the server can't be reached
			uncertain += done.Uncertain
			w.advance(time.Second)
			if ctx.Err() != nil {
				break
			}
		}
		stop()
		n := <-counted
		t.Logf("%s (hang %v): %d cuts, %d of %d messages came", p.name, p.Hang, n, w.box.Count(), readers)
		if n == 0 {
			t.Errorf("%s (hang %v): nothing was cut", p.name, p.Hang)
		}
		if err := proxy.Toxics.RemoveToxic(t.Context(), "cut"); err != nil {
			t.Fatal(err)
		}
	}
	proxy.Stop() // makes connecting impossible
	if done, err := d.Deliver(t.Context()); err == nil || done.Sent > 0 {
		t.Errorf("a server that is down went unnoticed: %+v", done)
	}
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	for range 12 {
		w.advance(time.Hour)
		done, err := d.Deliver(t.Context())
		if err != nil { // on a busy machine even a healthy server takes longer than its timeout; the next hour tries again
			t.Log(err)
		}
		uncertain += done.Uncertain
	}
	lost, twice := tally(t, readers, w.byReader())
	trust.Report(t, "network cut in every phase", "%d lost, %d twice of %d without a reply", lost, twice, uncertain)
	if lost > 0 || twice > uncertain {
		t.Errorf("%d lost, %d twice of %d without a reply; want none lost", lost, twice, uncertain)
	}
}

// allTimeouts are timeouts for tests, instead of the minutes in the standard.
func allTimeouts(d time.Duration) mail.Timeouts {
	return mail.Timeouts{Connect: d, Greeting: d, Command: d, Data: d, Block: d, Dot: d, Quit: d / 4}
}
