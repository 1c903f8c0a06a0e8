package digest_test

import (
	"context"
	"testing"
	"time"

	"dibao/digest/delivery"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/mail"
	"dibao/internal/trust"
	"dibao/subscribers"
)

// PostgreSQL is restarted in the middle of a delivery as if it had crashed: the delivery
// stops and says so, and the next one continues. Every reader gets the email, and only
// emails that were being sent arrive twice; none if the server is back in time.
func TestRestartedPostgresLosesNobody(t *testing.T) {
	t.Parallel()
	const connections = 4
	readers, restarts := long(500, 5000), long(4, 40)
	url, restart := databasetest.PostgresOfItsOwn(t)
	db := must[*database.DB](t)(database.Open(t.Context(), url, database.Options{}))
	t.Cleanup(func() { db.Close() })
	w := newWorld(t, db)
	w.readersAt("a.example", readers, w.list("weekly", subscribers.Query{}))
	w.composeOne()
	d := must[*delivery.Deliverer](t)(w.service.NewDeliverer(delivery.Options{
		Server: mail.Options{Addr: w.addr, TLS: mail.TLSNone}, Connections: connections, MessageKey: []byte("key"),
	}))
	stopped, between := 0, 0
	for n := range restarts {
		ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
		restarted := make(chan struct{})
		go func() {
			defer close(restarted)
			w.box.Wait(ctx, (n+1)*readers/(restarts+1))
			restart()
			if w.box.Count() < readers {
				between++
			}
		}()
		if _, err := d.Deliver(ctx); err != nil {
			stopped++
		}
		<-restarted
		stop()
	}
	for range 12 {
		w.advance(time.Hour)
		must[delivery.Delivered](t)(d.Deliver(t.Context()))
	}
	lost, twice := tally(t, readers, w.byReader())
	trust.Report(t, "PostgreSQL restarted", "%d restarts, %d of them during delivery: %d lost, %d twice", restarts, between, lost, twice)
	if lost > 0 || twice > restarts*connections || between == 0 {
		t.Errorf("%d lost, %d twice, %d restarts before all was sent; want none lost, at most %d twice", lost, twice, between, restarts*connections)
	}
}
