package digest_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"dibao/digest"
	"dibao/digest/delivery"
	"dibao/internal/mail"
	"dibao/subscribers"
)

// While a group of domains stalls and two other domains greylist every reader, mail to the
// others continues at its usual rate: all of it is delivered while the first stalled
// message still waits. The rates are measured in one run, through a network with delays,
// and logged.
func TestHealthyDomainsKeepTheirRate(t *testing.T) {
	t.Parallel()
	const domains = 10
	each := long(25, 200) // readers of each healthy domain
	w := newWorld(t, sqlite(t))
	healthy, everybody := w.list("healthy", subscribers.Query{}), w.list("everybody", subscribers.Query{})
	for i := range each {
		add := func(domain string, lists ...subscribers.List) {
			must[int64](t)(w.readers.AddConfirmed(t.Context(), fmt.Sprintf("r%d@%s", i, domain), "zh", lists, "test"))
		}
		for n := range domains {
			add(fmt.Sprintf("fine%d.example", n), healthy, everybody)
		}
		for _, domain := range []string{"qq.com", "foxmail.com", "grey.example", "also.grey.example"} {
			add(domain, everybody)
		}
	}
	proxy := slowProxy(t, w.addr, 4*time.Millisecond)
	release := make(chan struct{})
	var fine, stalled, grey atomic.Int64
	var through chan struct{}
	w.rejecting(func(to string) *smtp.SMTPError {
		switch {
		case strings.HasSuffix(to, "@qq.com"), strings.HasSuffix(to, "@foxmail.com"):
			stalled.Add(1)
			<-release
		case strings.HasSuffix(to, "grey.example"):
			grey.Add(1)
			return &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted"}
		default:
			if fine.Add(1) == int64(domains*each) {
				close(through)
			}
		}
		return nil
	})
	// send returns the time for the mail to the healthy domains.
	send := func(l subscribers.List, also func()) time.Duration {
		fine.Store(0)
		through = make(chan struct{})
		w.article("甲通知")
		must[digest.Composed](t)(w.service.ComposeNow(t.Context(), []subscribers.List{l}))
		d := must[*delivery.Deliverer](t)(w.service.NewDeliverer(delivery.Options{
			Server: mail.Options{Addr: proxy.Listen, TLS: mail.TLSNone}, Connections: 4, StallAfter: 100 * time.Millisecond, MessageKey: []byte("key"),
		}))
		began := time.Now()
		ended := make(chan error, 1)
		go func() {
			_, err := d.Deliver(context.WithoutCancel(t.Context()))
			ended <- err
		}()
		select {
		case <-through:
		case <-time.After(5 * time.Minute):
			t.Errorf("%d of %d messages to healthy domains", fine.Load(), domains*each)
		}
		took := time.Since(began)
		also()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		return took
	}
	alone := send(healthy, func() {})
	var beside string
	together := send(everybody, func() {
		beside = fmt.Sprintf("%d stalled and %d greylisted beside", stalled.Load(), grey.Load())
		if stalled.Load() == 0 || grey.Load() == 0 {
			t.Errorf("there was nothing to hold the others up: %s", beside)
		}
		if most := int64(2 * (domains*each/20 + 8)); grey.Load() > most {
			t.Errorf("%s; want at most %d messages to servers that refuse them, because each delays the others", beside, most)
		}
		close(release)
	})
	t.Logf("%d messages to healthy domains: %s alone, %s together: %.0f %% of the rate; %s", domains*each,
		alone.Round(time.Millisecond), together.Round(time.Millisecond), 100*alone.Seconds()/together.Seconds(), beside)
}
