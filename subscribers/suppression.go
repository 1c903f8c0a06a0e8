package subscribers

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"dibao/internal/database"
	"dibao/subscribers/mailaddr"
)

// The reasons of a suppression.
const (
	ReasonBounce    = "bounce"    // the mailbox or host does not exist
	ReasonComplaint = "complaint" // the reader reported an email as spam
	ReasonAdmin     = "admin"     // set by an admin
	ReasonForgotten = "forgotten" // the reader was deleted on request
	ReasonImported  = "imported"  // imported from the list of another provider
)

// reaskAfter is the time after which an address that bounced may be asked again: the
// mailbox may work again, and then whoever requests mail reads it.
const reaskAfter = 30 * 24 * time.Hour

// Suppression is an address that gets no mail; only its hash is stored.
type Suppression struct {
	Reason string
	Note   string
	At     time.Time
}

// Suppress makes sure that an address gets no mail again, whether subscribed or not. Calling it
// again keeps the first reason. reason is one of the constants; note is for people.
func (s *Store) Suppress(ctx context.Context, address, reason, note string) error {
	address, err := mailaddr.Parse(address)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := s.suppress(ctx, tx, address, reason, note)
		return err
	})
}

// SuppressIn is Suppress in a transaction. It reports whether the address was not
// suppressed before.
func (s *Store) SuppressIn(ctx context.Context, tx *sql.Tx, address, reason, note string) (bool, error) {
	address, err := mailaddr.Parse(address)
	if err != nil {
		return false, err
	}
	return s.suppress(ctx, tx, address, reason, note)
}

// LiftBounce lifts, in a transaction, the suppression of a reader that a bounce caused at
// or after a time. It reports whether there was one.
func (s *Store) LiftBounce(ctx context.Context, tx *sql.Tx, subscriber int64, since time.Time, note string) (bool, error) {
	return s.lift(ctx, tx, subscriber, ReasonBounce, since, note)
}

// LiftComplaint lifts the suppression of a reader that a complaint caused. It
// reports whether there was one.
func (s *Store) LiftComplaint(ctx context.Context, subscriber int64, note string) (lifted bool, err error) {
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		lifted, err = s.lift(ctx, tx, subscriber, ReasonComplaint, time.Time{}, note)
		return err
	})
	return lifted, err
}

func (s *Store) lift(ctx context.Context, tx *sql.Tx, subscriber int64, reason string, since time.Time, note string) (bool, error) {
	addresses, err := database.Collect(ctx, tx, database.ScanOne[string], `SELECT address FROM subscribers WHERE id = $1`, subscriber)
	if err != nil || len(addresses) == 0 {
		return false, err
	}
	x, err := s.suppressionOf(ctx, tx, addresses[0])
	if err != nil || x == nil || x.Reason != reason || x.At.Before(since) {
		return false, err
	}
	return s.unsuppress(ctx, tx, addresses[0], note, netip.Prefix{})
}

func (s *Store) suppress(ctx context.Context, tx *sql.Tx, address, reason, note string) (bool, error) {
	now := s.now()
	res, err := tx.ExecContext(ctx, `
		INSERT INTO suppressions (address_hash, reason, note, at) VALUES ($1, $2, $3, $4) ON CONFLICT (address_hash) DO NOTHING`,
		s.addressHash(address), reason, withoutAddresses(note), now)
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); n == 0 || err != nil {
		return false, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO consents (subscriber, event, at, detail)
		SELECT id, 'suppressed', $2, $3 FROM subscribers WHERE address_key = $1`, mailaddr.Key(address), now, reason)
	return true, err
}

// Unsuppress lifts the suppression of an address for the reason that an admin
// gives in note. It reports whether the address was suppressed.
func (s *Store) Unsuppress(ctx context.Context, address, note string) (bool, error) {
	address, err := mailaddr.Parse(address)
	if err != nil {
		return false, err
	}
	lifted := false
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		lifted, err = s.unsuppress(ctx, tx, address, withoutAddresses(note), netip.Prefix{})
		return err
	})
	return lifted, err
}

func (s *Store) unsuppress(ctx context.Context, tx *sql.Tx, address, detail string, network netip.Prefix) (bool, error) {
	res, err := tx.ExecContext(ctx, `DELETE FROM suppressions WHERE address_hash = $1`, s.addressHash(address))
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); n == 0 || err != nil {
		return false, err
	}
	var id int64
	err = tx.QueryRowContext(ctx, `SELECT id FROM subscribers WHERE address_key = $1`, mailaddr.Key(address)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return true, logConsent(ctx, tx, id, 0, "unsuppressed", network, detail, s.now())
}

// IsSuppressed reports whether an address is suppressed.
func (s *Store) IsSuppressed(ctx context.Context, address string) (bool, error) {
	x, err := s.Suppression(ctx, address)
	return x != nil, err
}

// Suppression returns the suppression of an address, nil if there is none.
func (s *Store) Suppression(ctx context.Context, address string) (*Suppression, error) {
	address, err := mailaddr.Parse(address)
	if err != nil {
		return nil, err
	}
	var x *Suppression
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		x, err = s.suppressionOf(ctx, tx, address)
		return err
	})
	return x, err
}

func (s *Store) suppressionOf(ctx context.Context, tx *sql.Tx, address string) (*Suppression, error) {
	var x Suppression
	err := tx.QueryRowContext(ctx, `SELECT reason, note, at FROM suppressions WHERE address_hash = $1`, s.addressHash(address)).Scan(&x.Reason, &x.Note, &x.At)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &x, err
}

// isClosed reports whether a suppressed address must not even get a confirmation email. One
// that bounced long ago or was forgotten may: only its owner can answer, and the answer
// lifts the suppression. Suppressions by a complaint or an admin remain.
func (s *Store) isClosed(ctx context.Context, tx *sql.Tx, address string, now time.Time) (bool, error) {
	x, err := s.suppressionOf(ctx, tx, address)
	switch {
	case err != nil || x == nil:
		return false, err
	case x.Reason == ReasonForgotten:
		return false, nil
	case x.Reason == ReasonBounce:
		return now.Sub(x.At) < reaskAfter, nil
	}
	return true, nil
}

// CountSuppressions returns the number of suppressed addresses, by reason.
func (s *Store) CountSuppressions(ctx context.Context) (map[string]int, error) {
	return s.countBy(ctx, `SELECT reason, COUNT(*) FROM suppressions GROUP BY reason`)
}

// SuppressAll suppresses the addresses of another provider's list in one transaction. It
// returns the number of new ones, and the lines that are not addresses.
func (s *Store) SuppressAll(ctx context.Context, addresses []string, note string) (fresh int, refused []string, err error) {
	parsed := make([]string, 0, len(addresses))
	for _, a := range addresses {
		if p, err := mailaddr.Parse(a); err == nil {
			parsed = append(parsed, p)
		} else {
			refused = append(refused, a)
		}
	}
	slices.Sort(parsed)
	parsed = slices.Compact(parsed)
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		fresh = 0
		for _, a := range parsed {
			is, err := s.suppress(ctx, tx, a, ReasonImported, note)
			if err != nil {
				return err
			}
			if is {
				fresh++
			}
		}
		return nil
	})
	return fresh, refused, err
}

// withoutAddresses removes addresses from a text that is stored even after readers are
// deleted.
func withoutAddresses(text string) string {
	if !strings.Contains(text, "@") {
		return text
	}
	words := strings.Fields(text)
	for i, w := range words {
		if strings.Contains(w, "@") {
			words[i] = "(address)"
		}
	}
	return strings.Join(words, " ")
}

// errSuppressed says why an admin can't add an address.
func errSuppressed(address, reason string) error {
	return fmt.Errorf("%s is suppressed (%s); lift it first with: dibao subscriber unsuppress %s", address, reason, address)
}

// Lifted is a lifted suppression, with the period in which a reader of a list got no mail.
type Lifted struct {
	Subscriber, List int64
	From, To         time.Time
}

// Lifted returns the suppressions that were lifted since a time, for each list
// of the reader. From is when the reader was suppressed or confirmed the list,
// but at most the given time before To.
func (s *Store) Lifted(ctx context.Context, since time.Time, most time.Duration) (all []Lifted, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		all, err = database.Collect(ctx, tx, func(r database.Row) (x Lifted, err error) {
			var suppressed, confirmed sql.Null[time.Time]
			err = r.Scan(&x.Subscriber, &x.List, &x.To, &suppressed, &confirmed)
			x.From = x.To.Add(-most)
			for _, at := range []sql.Null[time.Time]{suppressed, confirmed} {
				if at.Valid && at.V.After(x.From) {
					x.From = at.V
				}
			}
			return x, err
		}, `SELECT c.subscriber, x.list, c.at, b.at, x.confirmed_at FROM consents c
			JOIN subscriptions x ON x.subscriber = c.subscriber AND x.state = 'confirmed'
			LEFT JOIN consents b ON b.id = (SELECT MAX(id) FROM consents WHERE subscriber = c.subscriber AND event = 'suppressed' AND id < c.id)
			WHERE c.event = 'unsuppressed' AND c.at > $1 ORDER BY c.subscriber, x.list, c.id`, since)
		return err
	})
	return all, err
}

// SuppressedSelection says which suppressed readers to select. Its zero value
// selects all of them.
type SuppressedSelection struct {
	Since  time.Time // zero means at any time
	Reason string    // "" means for any reason
	Domain string    // "" means any domain
}

// SuppressedReader is a reader whose address is suppressed.
type SuppressedReader struct {
	Subscriber int64     `json:"subscriber"`
	Address    string    `json:"address"`
	Reason     string    `json:"reason"`
	Note       string    `json:"note"`
	At         time.Time `json:"at"`
}

// suppressedPage is the number of readers that are looked up together: suppressions are
// identified by a hash, which SQL can't compute.
const suppressedPage = 1000

// SuppressedReaders returns the readers whose suppression is in the selection, in the order
// of their ids. Suppressed addresses without a reader are not included: only their hash is
// stored.
func (s *Store) SuppressedReaders(ctx context.Context, sel SuppressedSelection) (all []SuppressedReader, err error) {
	pattern := "%"
	if sel.Domain != "" {
		pattern = "%@" + likeEscaper.Replace(strings.ToLower(sel.Domain))
	}
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		all = nil
		for after := int64(0); ; {
			page, err := database.Collect(ctx, tx, func(r database.Row) (x SuppressedReader, err error) {
				return x, r.Scan(&x.Subscriber, &x.Address)
			}, `SELECT id, address FROM subscribers WHERE id > $1 AND address_key LIKE $2 ESCAPE '\' ORDER BY id LIMIT $3`, after, pattern, suppressedPage)
			if err != nil || len(page) == 0 {
				return err
			}
			after = page[len(page)-1].Subscriber
			if err := s.fillSuppressions(ctx, tx, page, sel, &all); err != nil {
				return err
			}
		}
	})
	return all, err
}

// fillSuppressions appends to all the readers of a page whose suppression matches
// the selection.
func (s *Store) fillSuppressions(ctx context.Context, tx *sql.Tx, page []SuppressedReader, sel SuppressedSelection, all *[]SuppressedReader) error {
	hashes := make([]string, len(page))
	for i, x := range page {
		hashes[i] = s.addressHash(x.Address)
	}
	found, err := database.CollectMap(ctx, tx, func(r database.Row) (hash string, x Suppression, err error) {
		err = r.Scan(&hash, &x.Reason, &x.Note, &x.At)
		return hash, x, err
	}, `SELECT address_hash, reason, note, at FROM suppressions WHERE address_hash IN (`+s.db.Dialect().Texts("$1")+`)`, jsonArray(hashes))
	for i, x := range page {
		f, ok := found[hashes[i]]
		if !ok || sel.Reason != "" && f.Reason != sel.Reason || f.At.Before(sel.Since) {
			continue
		}
		x.Reason, x.Note, x.At = f.Reason, f.Note, f.At
		*all = append(*all, x)
	}
	return err
}

// addressHash returns the hash that identifies an address in the suppression list.
func (s *Store) addressHash(address string) string {
	m := hmac.New(sha256.New, s.suppression)
	m.Write([]byte(mailaddr.Key(address)))
	return hex.EncodeToString(m.Sum(nil))
}
