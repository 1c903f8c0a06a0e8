package subscribers

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"dibao/internal/database"
	"dibao/subscribers/mailaddr"
	"dibao/subscribers/tokens"
)

// Forget deletes a reader with all their data, including emails and reports, and adds the
// hash of the address to the suppressions, so that no import adds them again. Only the
// reader can subscribe again, with the form. If no reader has the address, it may be
// misspelled: nothing is stored, and the error is [ErrNotFound].
func (s *Store) Forget(ctx context.Context, address string) error {
	x, err := s.SubscriberByAddress(ctx, address)
	if err != nil {
		return err
	}
	return s.ForgetReader(ctx, x.ID)
}

// ForgetReader is Forget for the reader of a token.
func (s *Store) ForgetReader(ctx context.Context, subscriber int64) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		x, err := database.Collect(ctx, tx, database.ScanOne[string], `SELECT address FROM subscribers WHERE id = $1`, subscriber)
		if err != nil {
			return err
		}
		if len(x) == 0 {
			return ErrNotFound
		}
		return s.forget(ctx, tx, subscriber, x[0])
	})
	if err != nil {
		return err
	}
	return s.db.Flush(ctx)
}

func (s *Store) forget(ctx context.Context, tx *sql.Tx, id int64, address string) error {
	if err := s.remember(ctx, tx, id, address); err != nil {
		return err
	}
	// All other rows about the reader reference this one (ON DELETE CASCADE).
	if _, err := tx.ExecContext(ctx, `DELETE FROM subscribers WHERE id = $1`, id); err != nil {
		return err
	}
	// A change to this address, whoever requested it.
	if _, err := tx.ExecContext(ctx, `DELETE FROM address_changes WHERE LOWER(address) = $1`, mailaddr.Key(address)); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO suppressions (address_hash, reason, at) VALUES ($1, $2, $3) ON CONFLICT (address_hash) DO NOTHING`,
		s.addressHash(address), ReasonForgotten, s.now())
	return err
}

// unconfirmedDays is the number of days after which a reader who has not confirmed a
// request is deleted. The link works for a shorter time.
const unconfirmedDays = 30

// Pruned counts what Prune deleted.
type Pruned struct {
	Unconfirmed int // readers who never confirmed
	Left        int // readers who unsubscribed from everything long ago; a hash remains
	Networks    int // consent events without their address block
	Audit       int
}

// Prune deletes expired data: readers who never confirmed after 30 days; after
// retention, readers who unsubscribed from all lists, address blocks of the
// consent log, and the audit log. Running it again changes nothing.
func (s *Store) Prune(ctx context.Context, retention time.Duration) (Pruned, error) {
	ctx = database.Background(ctx)
	var out Pruned
	now := s.now()
	if err := s.pruneReaders(ctx, now.AddDate(0, 0, -unconfirmedDays), now.Add(-retention), &out); err != nil {
		return out, err
	}
	for _, step := range []struct {
		count *int
		query string
		until time.Time
	}{
		{&out.Networks, `UPDATE consents SET network = '' WHERE id IN (SELECT id FROM consents WHERE network <> '' AND at < $1 LIMIT $2)`, now.Add(-retention)},
		{&out.Audit, `DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < $1 LIMIT $2)`, now.Add(-retention)},
		{new(int), `DELETE FROM address_changes WHERE asked_at < $1`, now.AddDate(0, 0, -tokens.ConfirmDays)},
		{new(int), `DELETE FROM request_mails WHERE at < $1`, now.AddDate(0, 0, -1)},
	} {
		if err := s.pruneRows(ctx, step.query, step.until, step.count); err != nil {
			return out, err
		}
	}
	return out, s.db.Flush(ctx)
}

// pruneRows runs a query until it changes nothing more, one batch at a time if it takes a
// batch size. It returns the number of rows that it changed.
func (s *Store) pruneRows(ctx context.Context, query string, until time.Time, count *int) error {
	args := []any{until}
	if strings.Contains(query, "$2") {
		args = append(args, pruneBatch)
	}
	for {
		var n int64
		err := s.db.Write(ctx, func(tx *sql.Tx) error {
			res, err := tx.ExecContext(ctx, query, args...)
			if err != nil {
				return err
			}
			n, err = res.RowsAffected()
			return err
		})
		if err != nil {
			return err
		}
		if *count += int(n); n < pruneBatch || len(args) == 1 {
			return nil
		}
	}
}

const pruneBatch = 200 // readers or rows per transaction

// prunable is the beginning of a query for readers to delete; a condition follows.
const prunable = `SELECT u.id, u.address, COUNT(x.ended_at) FROM subscribers u LEFT JOIN subscriptions x ON x.subscriber = u.id
	WHERE u.created_at < $1 AND (u.last_confirmation_at IS NULL OR u.last_confirmation_at < $1) AND `

// prunableEnd is the end of that query, after the condition.
const prunableEnd = ` GROUP BY u.id, u.address
	HAVING COUNT(CASE WHEN x.state = 'confirmed' THEN 1 END) = 0 AND COUNT(CASE WHEN x.state = 'unsubscribed' AND x.ended_at >= $2 THEN 1 END) = 0
	ORDER BY u.id LIMIT $4`

// gone is a reader to be deleted.
type gone struct {
	id      int64
	address string
	ended   int // subscriptions
}

func scanGone(r database.Row) (g gone, err error) {
	err = r.Scan(&g.id, &g.address, &g.ended)
	return g, err
}

// pruneReaders deletes readers. It searches all readers outside of the transactions that
// delete them, which are short, because a reader may have many deliveries.
func (s *Store) pruneReaders(ctx context.Context, asked, left time.Time, out *Pruned) error {
	pieces := database.NewPieces(10, 1, pruneBatch)
	for after := int64(0); ; {
		var found []gone
		err := s.db.Read(ctx, func(tx *sql.Tx) (err error) {
			found, err = database.Collect(ctx, tx, scanGone, prunable+`u.id > $3`+prunableEnd, asked, left, after, pruneBatch)
			return err
		})
		if err != nil || len(found) == 0 {
			return err
		}
		after = found[len(found)-1].id
		for len(found) > 0 {
			n := min(len(found), pieces.Size())
			begun := time.Now()
			if err := s.prunePiece(ctx, asked, left, found[:n], out); err != nil {
				return err
			}
			pieces.Took(n, time.Since(begun))
			found = found[n:]
		}
	}
}

// prunePiece deletes those readers that must still be deleted.
func (s *Store) prunePiece(ctx context.Context, asked, left time.Time, found []gone, out *Pruned) error {
	ids := make([]int64, len(found))
	for i, g := range found {
		ids[i] = g.id
	}
	var batch []gone
	err := s.db.Write(ctx, func(tx *sql.Tx) (err error) {
		batch, err = database.Collect(ctx, tx, scanGone, prunable+`u.id IN (`+s.db.Dialect().IDs("$3")+`)`+prunableEnd,
			asked, left, string(database.JSON(ids)), pruneBatch)
		if err != nil {
			return err
		}
		for _, g := range batch {
			if err := s.remember(ctx, tx, g.id, g.address); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM subscribers WHERE id = $1`, g.id); err != nil {
				return err
			}
			if g.ended == 0 {
				continue
			}
			// Readers who unsubscribed stay unsubscribed: no import may add them again.
			if _, err := tx.ExecContext(ctx, `INSERT INTO suppressions (address_hash, reason, at) VALUES ($1, $2, $3) ON CONFLICT (address_hash) DO NOTHING`,
				s.addressHash(g.address), ReasonForgotten, s.now()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, g := range batch {
		if g.ended > 0 {
			out.Left++
		} else {
			out.Unconfirmed++
		}
	}
	return nil
}
