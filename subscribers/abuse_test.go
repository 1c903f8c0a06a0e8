package subscribers

import (
	"database/sql"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/trust"
)

// requests is the number of requests of an attack: with DIBAO_LONG=1, as many as the limits
// are meant for.
func requests() int {
	if os.Getenv("DIBAO_LONG") != "" {
		return 10_000
	}
	return 150
}

// Clients request emails for many addresses, many times: the emails are counted.
func TestOptInIsNoBomb(t *testing.T) {
	asked, sent, above, ways := 0, 0, 0, 0
	t.Cleanup(func() {
		trust.Report(t, "emails that a stranger can cause", "%d above the limits: %d emails for %d requests in %d ways", above, sent, asked, ways)
	})
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		n := requests()
		other := func(i int) netip.Prefix {
			return netip.PrefixFrom(netip.AddrFrom4([4]byte{198, byte(i >> 8), byte(i), 0}), 24)
		}
		for _, c := range []struct {
			name    string
			address func(i int) string
			network func(i int) netip.Prefix
			step    time.Duration // between two requests
			most    int
		}{
			{"OneAddressAtOnce", func(int) string { return "a@example.org" }, other, 0, 1},
			{"OneAddressForWeeks", func(int) string { return "A@example.org" }, other, time.Hour, 3},
			{"TagsOfOneMailbox", func(i int) string { return fmt.Sprintf("b+%d@example.org", i) }, other, 0, 1},
			{"TagsForWeeks", func(i int) string { return fmt.Sprintf("c+%d@example.org", i) }, other, 3 * time.Hour, maxMailboxConfirmations},
			{"OneNetwork", func(i int) string { return fmt.Sprintf("d%d@example.org", i) }, func(int) netip.Prefix { return testNetwork }, 0, networkConfirmations},
			{"ManyNetworks", func(i int) string { return fmt.Sprintf("e%d@example.org", i) }, other, 0, shares[ProofNone].all},
		} {
			t.Run(c.name, func(t *testing.T) {
				wipe(t, db)
				f := newFixture(t, db)
				mails := 0
				for i := range n {
					mail, err := f.Subscribe(t.Context(), Request{Address: c.address(i), Lists: []List{f.weekly}, Network: c.network(i)})
					if err != nil {
						t.Fatal(err)
					}
					if mail != nil {
						mails++
					}
					f.clock.Advance(c.step)
				}
				asked, sent, above, ways = asked+n, sent+mails, above+max(0, mails-c.most), ways+1
				if mails == 0 || mails > c.most {
					t.Errorf("%d requests brought %d emails, want 1 to %d", n, mails, c.most)
				}
				if rows := f.query(`SELECT COUNT(*) FROM subscribers`); c.name == "OneNetwork" && rows != fmt.Sprintln(networkConfirmations) {
					t.Errorf("a flood left %s rows", rows)
				}
			})
		}
	})
}

// Nodes that get requests for tags of one mailbox at the same moment send it one email.
func TestOneMailboxAskedAtOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		var mails atomic.Int64
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				err := db.Write(t.Context(), func(tx *sql.Tx) error {
					free, err := f.mailboxMayBeAsked(t.Context(), tx, fmt.Sprintf("b+%d@example.org", i), f.clock.Now())
					if free {
						mails.Add(1)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := mails.Load(); n != 1 {
			t.Errorf("%d emails, want 1", n)
		}
	})
}

func TestSuppressedAddressIsAskedAgainOnlyWhereItsOwnerCanLiftIt(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		for _, c := range []struct {
			reason string
			after  time.Duration
			asked  bool
		}{
			{ReasonBounce, time.Hour, false}, {ReasonBounce, 31 * 24 * time.Hour, true}, {ReasonForgotten, time.Hour, true},
			{ReasonComplaint, 366 * 24 * time.Hour, false}, {ReasonAdmin, 366 * 24 * time.Hour, false}, {ReasonImported, 366 * 24 * time.Hour, false},
		} {
			wipe(t, db)
			f := newFixture(t, db)
			if err := f.Suppress(t.Context(), "a@example.org", c.reason, "said a@example.org by telephone"); err != nil {
				t.Fatal(err)
			}
			f.clock.Advance(c.after)
			mail := f.ask("a@example.org", f.weekly)
			if (mail != nil) != c.asked {
				t.Errorf("%s, %s later: asked %t, want %t", c.reason, c.after, mail != nil, c.asked)
			}
			if mail != nil {
				f.confirm(mail.Token, f.weekly)
			}
			if is, err := f.IsSuppressed(t.Context(), "a@example.org"); err != nil || is == c.asked {
				t.Errorf("%s: suppressed afterwards: %t, %v", c.reason, is, err)
			}
			if note := f.query(`SELECT note FROM suppressions`); note != "" && note != "said (address) by telephone\n" {
				t.Errorf("note %q keeps the address", note)
			}
		}
	})
}
