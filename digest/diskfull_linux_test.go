package digest_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"dibao/digest/delivery"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/mail"
	"dibao/internal/trust"
	"dibao/subscribers"
)

// The disk is full, while composing and in the middle of a delivery, and has space again:
// the error says so, no reader is lost, and only emails that were being sent arrive twice;
// none if space is available in time.
func TestFullDiskLosesNobody(t *testing.T) {
	t.Parallel()
	dir := databasetest.SmallDisk(t)
	if dir == "" {
		return
	}
	const connections = 4
	readers, times := long(2400, 12_000), long(2, 10)
	empty := must[[]byte](t)(os.ReadFile(strings.TrimPrefix(databasetest.SQLite(t), "sqlite:")))
	path := filepath.Join(dir, "dibao.db")
	if err := os.WriteFile(path, empty, 0o600); err != nil {
		t.Fatal(err)
	}
	db := must[*database.DB](t)(database.Open(t.Context(), "sqlite:"+path, database.Options{}))
	defer db.Close()
	w := newWorld(t, db)
	w.readersAt("a.example", readers, w.list("weekly", subscribers.Query{}))
	w.article("甲通知")
	w.week()
	// fillUp fills the disk after moving SQLite's log into its file, so that the next
	// commit needs space.
	fillUp := func() (free func()) {
		if err := db.Flush(context.Background()); err != nil {
			t.Error(err)
		}
		return databasetest.Fill(t, dir)
	}
	free := fillUp()
	if made, err := w.service.ComposeDue(t.Context()); err == nil || !strings.Contains(err.Error(), "disk is full") {
		t.Errorf("composed %v, %v; want an error that says that the disk is full", made, err)
	}
	free()
	made := 0
	for range 2 {
		for _, c := range w.composeDue() {
			made += len(c.Issues)
		}
	}
	if made != 1 {
		t.Fatalf("%d issues when the disk had space again, want 1", made)
	}
	d := must[*delivery.Deliverer](t)(w.service.NewDeliverer(delivery.Options{
		Server: mail.Options{Addr: w.addr, TLS: mail.TLSNone}, Connections: connections, MessageKey: []byte("key"),
	}))
	stopped, late := 0, 0
	for n := range times {
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		freed := make(chan func(), 1)
		var gate sync.Mutex
		came := 0
		w.rejecting(func(string) *smtp.SMTPError { // all wait while the disk is being filled
			gate.Lock()
			defer gate.Unlock()
			if came++; came == 100 {
				free := fillUp()
				if n%2 == 0 { // space is available again while the delivery ends
					time.AfterFunc(2*time.Second, free)
					free = func() {}
				}
				freed <- free
			}
			return nil
		})
		_, err := d.Deliver(ctx)
		if err != nil {
			stopped++
			late += n % 2
			if !strings.Contains(err.Error(), "disk is full") {
				t.Errorf("the delivery stopped with %v; want that the disk is full", err)
			}
		}
		(<-freed)()
		stop()
	}
	w.rejecting(nil)
	for range 12 {
		w.advance(time.Hour)
		must[delivery.Delivered](t)(d.Deliver(t.Context()))
	}
	lost, twice := tally(t, readers, w.byReader())
	trust.Report(t, "disk full", "%d times: %d lost, %d twice", times, lost, twice)
	if lost > 0 || twice > late*connections || stopped == 0 {
		t.Errorf("want none lost, at most %d twice, and a delivery broken off", late*connections)
	}
}
