package digest_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"dibao/digest"
	"dibao/digest/delivery"
	"dibao/internal/mail"
	"dibao/subscribers"
)

// A provider that greylists every reader gets the first attempts on all connections: one at
// a time, 100,000 readers at 20 ms would take half an hour.
func TestFirstPassOverAGreylistingProvider(t *testing.T) {
	t.Parallel()
	readers, connections := long(200, 3000), 8
	w := newWorld(t, sqlite(t))
	l := w.list("weekly", subscribers.Query{})
	for i := range readers {
		must[int64](t)(w.readers.AddConfirmed(t.Context(), fmt.Sprintf("r%d@grey.example", i), "zh", []subscribers.List{l}, "test"))
	}
	proxy := slowProxy(t, w.addr, 10*time.Millisecond)
	var at, most, refused atomic.Int64
	w.rejecting(func(string) *smtp.SMTPError {
		most.Store(max(most.Load(), at.Add(1)))
		time.Sleep(5 * time.Millisecond) // so that concurrent ones are seen
		at.Add(-1)
		refused.Add(1)
		return &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted"}
	})
	w.article("甲通知")
	must[digest.Composed](t)(w.service.ComposeNow(t.Context(), []subscribers.List{l}))
	d := must[*delivery.Deliverer](t)(w.service.NewDeliverer(delivery.Options{
		Server: mail.Options{Addr: proxy.Listen, TLS: mail.TLSNone}, Connections: connections, MessageKey: []byte("key"),
	}))
	began := time.Now()
	done := must[delivery.Delivered](t)(d.Deliver(t.Context()))
	if done.Deferred != readers || refused.Load() != int64(readers) || done.Failed+done.Suppressed > 0 {
		t.Errorf("%+v and %d refused; want each of %d readers tried once and deferred", done, refused.Load(), readers)
	}
	if most.Load() < int64(connections/2) {
		t.Errorf("at most %d readers were tried at the same time on %d connections", most.Load(), connections)
	}
	t.Logf("%d readers in %s, %d at the same time", readers, time.Since(began).Round(time.Millisecond), most.Load())
}
