package digest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"dibao/digest/delivery"
	"dibao/internal/mail"
	"dibao/subscribers"
)

// cutProxy is a proxy in front of the mail server that cuts each connection after some
// bytes.
func cutProxy(t *testing.T, upstream string) *toxiproxy.Proxy {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	p := toxiproxy.NewProxy(server, "smtp", "127.0.0.1:0", upstream)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p
}

// addToxic adds a fault to a proxy; type and attributes are those of toxiproxy.
func addToxic(t *testing.T, p *toxiproxy.Proxy, toxic map[string]any) {
	t.Helper()
	if _, err := p.Toxics.AddToxicJson(bytes.NewReader(must[[]byte](t)(json.Marshal(toxic)))); err != nil {
		t.Fatal(err)
	}
}

// slowProxy delays the bytes of both sides.
func slowProxy(t *testing.T, upstream string, latency time.Duration) *toxiproxy.Proxy {
	t.Helper()
	p := cutProxy(t, upstream)
	for _, stream := range []string{"upstream", "downstream"} {
		addToxic(t, p, map[string]any{"name": stream, "type": "latency", "stream": stream, "attributes": map[string]any{"latency": latency.Milliseconds()}})
	}
	return p
}

// The network is cut after any number of bytes, in either direction: in the end every
// reader has the email, nobody more than twice, and twice only if it had been handed over
// when the network was cut.
func TestCutNetworkLosesNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite(t))
	const readers = 120
	w.readersAt("a.example", readers, w.list("weekly", subscribers.Query{}))
	w.composeOne()
	proxy := cutProxy(t, w.addr)
	d := must[*delivery.Deliverer](t)(w.service.NewDeliverer(delivery.Options{
		Server: mail.Options{Addr: proxy.Listen, TLS: mail.TLSNone, Timeouts: mail.Timeouts{
			Connect: time.Second, Greeting: time.Second, Command: time.Second, Data: time.Second, Block: time.Second, Dot: time.Second,
		}}, Connections: 3, MessageKey: []byte("key"),
	}))
	uncertain := 0
	deliver := func() {
		done, _ := d.Deliver(t.Context()) // it is expected that the server can't be reached
		uncertain += done.Uncertain
	}
	// Cut as often as possible before the first uncertain emails get their second attempt,
	// which is the last.
	for round := range 10 {
		after := rand.IntN(200) // number of bytes: in the greeting, EHLO or the commands
		if round%2 == 0 {
			after = 200 + rand.IntN(60_000) // in or after a message
		}
		stream := []string{"upstream", "downstream"}[rand.IntN(2)]
		if stream == "downstream" {
			after %= 1500
		}
		addToxic(t, proxy, map[string]any{"name": "cut", "type": "limit_data", "stream": stream, "attributes": map[string]any{"bytes": after}})
		deliver()
		if err := proxy.Toxics.RemoveToxic(t.Context(), "cut"); err != nil {
			t.Fatal(err)
		}
		w.advance(time.Minute)
	}
	for range 12 {
		w.advance(time.Hour)
		deliver()
	}
	lost, twice := tally(t, readers, w.byReader())
	t.Logf("%d lost, %d twice, %d uncertain", lost, twice, uncertain)
	if lost > 0 || twice > uncertain {
		t.Errorf("%d lost, %d twice of %d uncertain; want none lost", lost, twice, uncertain)
	}
}

// A deliverer that found the server down with mail in its lanes delivers it when the server
// is back: nothing of the interrupted run blocks it.
func TestDelivererGoesOnAfterAnOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite(t))
	const readers = 40
	w.readersAt("a.example", readers, w.list("weekly", subscribers.Query{}))
	w.composeOne()
	proxy := cutProxy(t, w.addr)
	d := must[*delivery.Deliverer](t)(w.service.NewDeliverer(delivery.Options{
		Server: mail.Options{Addr: proxy.Listen, TLS: mail.TLSNone}, Connections: 3, MessageKey: []byte("key"),
	}))
	proxy.Stop()
	if done, err := d.Deliver(t.Context()); err == nil || done.Sent > 0 {
		t.Fatalf("a server that is down went unnoticed: %+v", done)
	}
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	w.advance(10 * time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if done, err := d.Deliver(ctx); err != nil || done.Sent != readers {
		t.Fatalf("after it came back: %+v, %v", done, err)
	}
}
