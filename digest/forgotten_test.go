package digest_test

import (
	"database/sql"
	"testing"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

// The figures of a mailing stay when a reader's data are deleted; emails that had not been sent are
// not sent.
func TestForgottenReadersStayCounted(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newInboundWorld(t, db)
		for _, state := range []string{"sent", "failed", "uncertain", "suppressed", "waiting"} {
			w.mailed(state)
		}
		err := db.Write(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE deliveries SET next_at = done_at, done_at = NULL WHERE state = 'waiting'`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		before, err := w.service.Report(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		status, err := w.service.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := w.readers.Forget(t.Context(), inboundReader); err != nil {
			t.Fatal(err)
		}
		after, err := w.service.Report(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		for i, b := range before {
			a := after[i]
			if a.Sent != b.Sent || a.Failed != b.Failed || a.Uncertain != b.Uncertain || a.Suppressed != b.Suppressed || a.Waiting != 0 {
				t.Errorf("mailing %d had %+v, now %+v", b.Mailing, b, a)
			}
		}
		now, err := w.service.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		delete(status.Deliveries, "waiting")
		if len(status.Deliveries) != 4 {
			t.Fatalf("before: %v", status.Deliveries)
		}
		for state, n := range status.Deliveries {
			if now.Deliveries[state] != n {
				t.Errorf("%d %s, before %d", now.Deliveries[state], state, n)
			}
		}
	})
}
