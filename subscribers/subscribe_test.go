package subscribers

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/subscribers/mailaddr"
	"dibao/subscribers/tokens"
)

func TestConfirmedOptIn(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		mail := f.ask("Reader@Example.org", f.weekly, f.monthly)
		if mail == nil {
			t.Fatal("no confirmation email")
		}
		want := &Confirmation{Address: "Reader@example.org", Language: "zh", Token: mail.Token, Lists: []List{f.weekly, f.monthly}}
		if diff := cmp.Diff(want, mail); diff != "" {
			t.Errorf("confirmation email:\n%s", diff)
		}
		if got, want := f.states("reader@example.org"), "weekly=pending monthly=pending"; got != want {
			t.Errorf("before confirming: %q, want %q", got, want)
		}
		if readers, err := f.ForMailing(t.Context(), ids([]List{f.weekly}), 0, 10); err != nil || len(readers) != 0 {
			t.Errorf("a reader who has not confirmed gets mail: %+v, %v", readers, err)
		}

		f.clock.Advance(time.Hour)
		lists, err := f.Confirm(t.Context(), mail.Token, ids([]List{f.weekly, f.monthly}), netip.MustParsePrefix("2001:db8:1:2::/64"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]List{f.weekly, f.monthly}, lists); diff != "" {
			t.Errorf("lists confirmed:\n%s", diff)
		}
		wantLog := "weekly asked 192.0.2.0/24 \nmonthly asked 192.0.2.0/24 \n- confirmation mailed 192.0.2.0/24 \n" +
			"weekly confirmed 2001:db8:1:2::/64 by the button behind the mailed link\nmonthly confirmed 2001:db8:1:2::/64 by the button behind the mailed link\n"
		if got := f.log("reader@example.org"); got != wantLog {
			t.Errorf("log:\n%swant:\n%s", got, wantLog)
		}
		if got := f.query(`SELECT DISTINCT text_version FROM consents`); got != TextVersion+"\n" {
			t.Errorf("text versions in the log: %q, want %q", got, TextVersion)
		}

		before := f.dump()
		f.clock.Advance(time.Hour)
		f.confirm(mail.Token, f.weekly, f.monthly)
		if diff := cmp.Diff(before, f.dump()); diff != "" {
			t.Errorf("confirming twice changed:\n%s", diff)
		}
	})
}

// Lists that somebody requests while the page is open are not confirmed by its button.
func TestConfirmTakesOnlyWhatWasShown(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		mail := f.ask("a@example.org", f.weekly)
		f.ask("a@example.org", f.monthly)
		f.confirm(mail.Token, f.weekly)
		if got, want := f.states("a@example.org"), "weekly=confirmed monthly=pending"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestConfirmationTokens(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		mail := f.ask("a@example.org", f.weekly)
		x, err := f.SubscriberByAddress(t.Context(), "a@example.org")
		if err != nil {
			t.Fatal(err)
		}
		before := f.dump()
		for name, c := range map[string]struct {
			token string
			after time.Duration
			want  error
		}{
			"Forged":           {strings.ToUpper(mail.Token), 0, tokens.ErrInvalid},
			"Empty":            {"", 0, tokens.ErrInvalid},
			"OfUnsubscribing":  {f.keys.UnsubscribeToken(x.ID, 0), 0, tokens.ErrInvalid},
			"OfPreferences":    {f.keys.PreferencesToken(x.ID, x.Address), 0, tokens.ErrInvalid},
			"OfABounce":        {f.keys.BounceToken(x.ID), 0, tokens.ErrInvalid},
			"Expired":          {mail.Token, tokens.ConfirmDays * 24 * time.Hour, tokens.ErrExpired},
			"OfNobodyWeKnow":   {f.keys.Sign(tokens.Token{Action: tokens.ActionConfirm, Subscriber: 999, Expires: testStart.Add(time.Hour)}), 0, ErrNotFound},
			"ForgedAndExpired": {mail.Token + "A", tokens.ConfirmDays * 24 * time.Hour, tokens.ErrInvalid},
		} {
			f.clock.Advance(c.after)
			if _, err := f.Confirm(t.Context(), c.token, ids([]List{f.weekly}), testNetwork); !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", name, err, c.want)
			}
			f.clock.Advance(-c.after)
		}
		if diff := cmp.Diff(before, f.dump()); diff != "" {
			t.Errorf("bad tokens changed:\n%s", diff)
		}
	})
}

func TestConfirmationMailsAreFew(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		mails := 0
		count := func(address string) {
			if f.ask(address, f.weekly) != nil {
				mails++
			}
		}
		for i, c := range []struct {
			after time.Duration
			want  int
		}{{0, 1}, {0, 1}, {23 * time.Hour, 1}, {time.Hour, 2}, {25 * time.Hour, 3}, {25 * time.Hour, 3}, {365 * 24 * time.Hour, 3}} {
			f.clock.Advance(c.after)
			count([]string{"A@example.org", "a@EXAMPLE.org"}[i%2])
			if mails != c.want {
				t.Fatalf("after request %d: %d emails, want %d", i+1, mails, c.want)
			}
		}
	})
}

func TestConfirmationMailsAreCountedAnewForWhoConfirmed(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		for round := range 5 {
			mail := f.ask("a@example.org", f.weekly)
			if mail == nil {
				t.Fatalf("round %d: no mail", round+1)
			}
			f.confirm(mail.Token, f.weekly)
			x, err := f.SubscriberByAddress(t.Context(), "a@example.org")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Unsubscribe(t.Context(), x.ID, 0, "page", testNetwork); err != nil {
				t.Fatal(err)
			}
			f.clock.Advance(25 * time.Hour)
		}
	})
}

// Many requests at the same time for one address result in one email.
func TestConcurrentRequestsGetOneMail(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		mails := make(chan *Confirmation, 16)
		var all sync.WaitGroup
		for range cap(mails) {
			all.Go(func() {
				mail, err := f.Subscribe(t.Context(), Request{Address: "a@example.org", Lists: []List{f.weekly, f.monthly}})
				if err != nil {
					t.Error(err)
				}
				if mail != nil {
					mails <- mail
				}
			})
		}
		all.Wait()
		if len(mails) != 1 {
			t.Errorf("%d emails, want 1", len(mails))
		}
		if got, want := f.log("a@example.org"), "weekly asked  \nmonthly asked  \n- confirmation mailed  \n"; got != want {
			t.Errorf("log:\n%swant:\n%s", got, want)
		}
	})
}

func TestSuppressedAddress(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		ctx := t.Context()
		id := f.reader("a@example.org", f.weekly)
		other := f.reader("b@example.org", f.weekly)
		for _, reason := range []string{"bounce", "complaint"} {
			if err := f.Suppress(ctx, "A@Example.org", reason, "550 5.1.1"); err != nil {
				t.Fatal(err)
			}
		}
		x, err := f.SubscriberByAddress(ctx, "a@example.org")
		if err != nil || x.Suppressed != "bounce" {
			t.Errorf("suppressed for %q, %v; want the first reason", x.Suppressed, err)
		}
		for address, want := range map[string]bool{"a@example.org": true, "A@EXAMPLE.ORG": true, "b@example.org": false, "a+x@example.org": false} {
			if got, err := f.IsSuppressed(ctx, address); err != nil || got != want {
				t.Errorf("IsSuppressed(%s) = %v, %v; want %v", address, got, err, want)
			}
		}
		if strings.Contains(f.query(`SELECT * FROM suppressions`), "example") {
			t.Error("the suppression list keeps the address")
		}
		if got, want := f.log("a@example.org"), "weekly added  signed a form\n- suppressed  bounce\n"; got != want {
			t.Errorf("log:\n%swant:\n%s", got, want)
		}
		page, err := f.ForMailing(ctx, []int64{f.weekly.ID}, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		want := []Reader{{ID: id, Address: "a@example.org", Language: "zh", Format: HTML, Suppressed: true}, {ID: other, Address: "b@example.org", Language: "zh", Format: HTML, Lists: []int64{f.weekly.ID}}}
		if diff := cmp.Diff(want, page); diff != "" {
			t.Errorf("ForMailing:\n%s", diff)
		}
		if readers, err := f.Readers(ctx, []int64{id}); err != nil || !readers[id].Suppressed {
			t.Errorf("Readers: %+v, %v; want suppressed", readers, err)
		}

		if err := f.Suppress(ctx, "new@example.org", "admin", ""); err != nil {
			t.Fatal(err)
		}
		if mail := f.ask("new@example.org", f.weekly); mail != nil {
			t.Error("a suppressed address gets a confirmation email")
		}
		if _, err := f.AddConfirmed(ctx, "new@example.org", "zh", []List{f.weekly}, "a form"); err == nil || !strings.Contains(err.Error(), "suppressed") {
			t.Errorf("an admin adds a suppressed address: %v", err)
		}
	})
}

func TestAddConfirmed(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		ctx := t.Context()
		if _, err := f.AddConfirmed(ctx, "a@example.org", "zh", []List{f.weekly}, ""); err == nil || !strings.Contains(err.Error(), "proof of consent") {
			t.Errorf("without a basis: got %v", err)
		}
		if _, err := f.AddConfirmed(ctx, "nobody", "zh", []List{f.weekly}, "a form"); !errors.Is(err, mailaddr.ErrInvalid) {
			t.Errorf("bad address: got %v", err)
		}
		if got := f.states("a@example.org"); got != "unknown" {
			t.Errorf("refused, and yet stored: %s", got)
		}
		id := f.reader("a@example.org", f.weekly, f.inner)
		before := f.dump()
		if again := f.reader("A@example.org", f.weekly); again != id {
			t.Errorf("added again as %d, was %d", again, id)
		}
		if diff := cmp.Diff(before, f.dump()); diff != "" {
			t.Errorf("adding again changed:\n%s", diff)
		}
		if _, err := f.Unsubscribe(ctx, id, f.weekly.ID, "admin", netip.Prefix{}); err != nil {
			t.Fatal(err)
		}
		before = f.dump()
		if _, err := f.AddConfirmed(ctx, "a@example.org", "zh", []List{f.monthly, f.weekly}, "a form"); err == nil || !strings.Contains(err.Error(), "unsubscribed from the list weekly") {
			t.Errorf("an admin subscribed a reader again who had unsubscribed: %v", err)
		}
		if diff := cmp.Diff(before, f.dump()); diff != "" {
			t.Errorf("a refused request changed the reader:\n%s", diff)
		}
	})
}

func TestUnsubscribe(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		ctx := t.Context()
		id := f.reader("a@example.org", f.weekly, f.monthly, f.inner)
		for _, c := range []struct {
			list   int64
			want   []int64
			states string
		}{
			{f.weekly.ID, []int64{f.weekly.ID}, "weekly=unsubscribed monthly=confirmed inner=confirmed"},
			{f.weekly.ID, nil, "weekly=unsubscribed monthly=confirmed inner=confirmed"},
			{0, []int64{f.monthly.ID, f.inner.ID}, "weekly=unsubscribed monthly=unsubscribed inner=unsubscribed"},
			{0, nil, "weekly=unsubscribed monthly=unsubscribed inner=unsubscribed"},
			{999, nil, "weekly=unsubscribed monthly=unsubscribed inner=unsubscribed"},
		} {
			got, err := f.Unsubscribe(ctx, id, c.list, "one-click", testNetwork)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" || f.states("a@example.org") != c.states {
				t.Errorf("unsubscribe from %d: ended %v, want %v; states %q, want %q", c.list, got, c.want, f.states("a@example.org"), c.states)
			}
		}
		if _, err := f.Unsubscribe(ctx, 999, 0, "one-click", testNetwork); !errors.Is(err, ErrNotFound) {
			t.Errorf("nobody unsubscribes: got %v, want ErrNotFound", err)
		}
		readers, err := f.Readers(ctx, []int64{id, 999})
		if diff := cmp.Diff(map[int64]Reader{id: {ID: id, Address: "a@example.org", Language: "zh", Format: HTML}}, readers); diff != "" || err != nil {
			t.Errorf("readers: %v\n%s", err, diff)
		}
		both := f.reader("b@example.org", f.weekly, f.monthly)
		bounced := f.reader("c@example.org", f.weekly)
		if err := f.Suppress(ctx, "c@example.org", "bounce", "550 5.1.1"); err != nil {
			t.Fatal(err)
		}
		readers, err = f.Recipients(ctx, []int64{bounced, both, id, 999})
		added := f.clock.Now() // by the admin, as for every reader in this test
		if diff := cmp.Diff(map[int64]Reader{
			id:      {ID: id, Address: "a@example.org"},
			both:    {ID: both, Address: "b@example.org", Lists: []int64{f.weekly.ID, f.monthly.ID}, Added: map[int64]time.Time{f.weekly.ID: added, f.monthly.ID: added}},
			bounced: {ID: bounced, Address: "c@example.org", Lists: []int64{f.weekly.ID}, Suppressed: true, Added: map[int64]time.Time{f.weekly.ID: added}},
		}, readers); diff != "" || err != nil {
			t.Errorf("readers right before sending: %v\n%s", err, diff)
		}
	})
}

// event is an event for a reader's subscription to weekly.
type event struct {
	name string
	do   func(f *fixture, id int64, token string) error
	// next is the state after it, by the state before: "" means no subscription; if a state
	// is missing, nothing changes.
	next map[State]State
}

var events = []event{
	{"Subscribe", func(f *fixture, _ int64, _ string) error {
		_, err := f.Subscribe(f.t.Context(), Request{Address: "a@example.org", Lists: []List{f.weekly}})
		return err
	}, map[State]State{"": StatePending, StateUnsubscribed: StatePending}},
	{"Confirm", func(f *fixture, _ int64, token string) error {
		_, err := f.Confirm(f.t.Context(), token, []int64{f.weekly.ID}, testNetwork)
		return err
	}, map[State]State{StatePending: StateConfirmed}},
	{"UnsubscribeFromTheList", func(f *fixture, id int64, _ string) error {
		_, err := f.Unsubscribe(f.t.Context(), id, f.weekly.ID, "page", testNetwork)
		return err
	}, map[State]State{StatePending: StateUnsubscribed, StateConfirmed: StateUnsubscribed}},
	{"UnsubscribeFromAll", func(f *fixture, id int64, _ string) error {
		_, err := f.Unsubscribe(f.t.Context(), id, 0, "one-click", testNetwork)
		return err
	}, map[State]State{StatePending: StateUnsubscribed, StateConfirmed: StateUnsubscribed}},
	{"UnsubscribeFromAnother", func(f *fixture, id int64, _ string) error {
		_, err := f.Unsubscribe(f.t.Context(), id, f.monthly.ID, "page", testNetwork)
		return err
	}, nil},
	{"ChooseIt", func(f *fixture, id int64, _ string) error {
		return f.SetPreferences(f.t.Context(), id, Preferences{Lists: map[int64]Choice{f.weekly.ID: {}}}, testNetwork)
	}, map[State]State{"": StateConfirmed, StatePending: StateConfirmed, StateUnsubscribed: StateConfirmed}},
	{"ChooseNone", func(f *fixture, id int64, _ string) error {
		return f.SetPreferences(f.t.Context(), id, Preferences{}, testNetwork)
	}, map[State]State{StatePending: StateUnsubscribed, StateConfirmed: StateUnsubscribed}},
	{"Suppress", func(f *fixture, _ int64, _ string) error {
		return f.Suppress(f.t.Context(), "a@example.org", "bounce", "")
	}, nil},
	{"RemoveAnotherList", func(f *fixture, _ int64, _ string) error {
		return f.RemoveList(f.t.Context(), f.inner.ID)
	}, nil},
	{"RemoveTheList", func(f *fixture, _ int64, _ string) error {
		return f.RemoveList(f.t.Context(), f.weekly.ID)
	}, map[State]State{StatePending: StateUnsubscribed, StateConfirmed: StateUnsubscribed}},
}

// arrive puts a@example.org into a state for weekly.
func (f *fixture) arrive(state State) (id int64, token string) {
	f.t.Helper()
	id = f.reader("a@example.org") // without a list
	token = f.keys.Sign(tokens.Token{Action: tokens.ActionConfirm, Subscriber: id, Expires: testStart.Add(time.Hour)})
	if state != "" {
		f.ask("a@example.org", f.weekly)
	}
	if state == StateConfirmed || state == StateUnsubscribed {
		f.confirm(token, f.weekly)
	}
	if state == StateUnsubscribed {
		if _, err := f.Unsubscribe(f.t.Context(), id, 0, "page", testNetwork); err != nil {
			f.t.Fatal(err)
		}
	}
	return id, token
}

func (f *fixture) state(id int64) State {
	f.t.Helper()
	return State(strings.TrimSpace(f.query(`SELECT state FROM subscriptions WHERE subscriber = $1 AND list = $2`, id, f.weekly.ID)))
}

// Every event in every state leads to the state in the table, is logged if and only if the
// state changed, and changes nothing the second time.
func TestEveryEventInEveryState(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		for _, before := range []State{"", StatePending, StateConfirmed, StateUnsubscribed} {
			for _, e := range events {
				t.Run(fmt.Sprintf("%s/%s", before, e.name), func(t *testing.T) {
					wipe(t, db)
					f := newFixture(t, db)
					id, token := f.arrive(before)
					logged := f.consentsOf(id)
					want, changes := e.next[before]
					if !changes {
						want = before
					}
					for range 2 {
						if err := e.do(f, id, token); err != nil && !errors.Is(err, ErrNotFound) {
							t.Fatal(err)
						}
						if got := f.state(id); got != want {
							t.Fatalf("state %q, want %q", got, want)
						}
						news := f.consentsOf(id) - logged
						if changes && news != 1 || !changes && news != 0 {
							t.Errorf("%d consent events of the list, want 1 if the state changed: %v", news, changes)
						}
					}
				})
			}
		}
	})
}

func (f *fixture) consentsOf(id int64) (n int) {
	f.t.Helper()
	out := f.query(`SELECT COUNT(*) FROM consents WHERE subscriber = $1 AND list = $2`, id, f.weekly.ID)
	if _, err := fmt.Sscan(out, &n); err != nil {
		f.t.Fatal(err)
	}
	return n
}

// Whatever happens in whatever order: nobody gets mail who did not confirm after they last
// unsubscribed, and the last event of the log gives the state.
func TestAnyOrderOfEvents(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		rapid.Check(t, func(rt *rapid.T) {
			wipe(t, db)
			f := newFixture(t, db)
			id, token := f.arrive("")
			want := State("")
			var names []string
			for range rapid.IntRange(1, 6).Draw(rt, "length") {
				e := events[rapid.IntRange(0, len(events)-3).Draw(rt, "event")] // lists stay the same
				names = append(names, e.name)
				if next, changes := e.next[want]; changes {
					want = next
				}
				if err := e.do(f, id, token); err != nil {
					rt.Fatalf("%v: %v", names, err)
				}
			}
			if got := f.state(id); got != want {
				rt.Fatalf("%v: state %q, want %q", names, got, want)
			}
			last := strings.TrimSpace(f.query(`SELECT event FROM consents WHERE subscriber = $1 AND list = $2 ORDER BY id DESC LIMIT 1`, id, f.weekly.ID))
			told := map[string]State{"": "", "asked": StatePending, "confirmed": StateConfirmed, "unsubscribed": StateUnsubscribed}
			if told[last] != want {
				rt.Fatalf("%v: the log ends with %q, the state is %q", names, last, want)
			}
		})
	})
}

func TestLanguageOfAReader(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		ask := func(language string, want string) *Confirmation {
			t.Helper()
			mail, err := f.Subscribe(t.Context(), Request{Address: "a@example.org", Language: language, Lists: []List{f.weekly, f.monthly}})
			if err != nil {
				t.Fatal(err)
			}
			x, err := f.SubscriberByAddress(t.Context(), "a@example.org")
			if err != nil || x.Language != want {
				t.Errorf("after a request in %q: language %q, %v; want %q", language, x.Language, err, want)
			}
			return mail
		}
		ask("xx", "zh")
		f.clock.Advance(25 * time.Hour)
		mail := ask("en", "en")
		f.confirm(mail.Token, f.weekly)
		ask("zh", "en") // possibly somebody else's request
	})
}

func TestForMailingPages(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		ctx := t.Context()
		want := map[int64][]int64{}
		for i := range 25 {
			lists := []List{f.weekly, f.monthly, f.inner}[i%3:][:1+i%2%(3-i%3)]
			id := f.reader(fmt.Sprintf("r%d@example.org", i), lists...)
			for _, l := range lists {
				if l.ID != f.inner.ID {
					want[id] = append(want[id], l.ID)
				}
			}
		}
		got := map[int64][]int64{}
		pages := 0
		for after := int64(0); ; pages++ {
			page, err := f.ForMailing(ctx, []int64{f.weekly.ID, f.monthly.ID}, after, 4)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page {
				if r.ID <= after {
					t.Fatalf("reader %d comes after %d", r.ID, after)
				}
				after, got[r.ID] = r.ID, r.Lists
			}
			if len(page) < 4 {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || pages < 2 {
			t.Errorf("%d pages; lists by reader:\n%s", pages, diff)
		}
		if readers, err := f.ForMailing(ctx, nil, 0, 10); err != nil || len(readers) != 0 {
			t.Errorf("of no list: %v, %v", readers, err)
		}
	})
}

func TestSubscribersAreListed(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		f.reader("wang_1@example.org", f.weekly)
		f.reader("wangx1@example.org", f.monthly)
		f.ask("li%@example.com", f.weekly)
		for name, c := range map[string]struct {
			sel  Selection
			want string
		}{
			"All":        {Selection{}, "wang_1@example.org wangx1@example.org li%@example.com"},
			"OfAList":    {Selection{List: f.weekly.ID}, "wang_1@example.org li%@example.com"},
			"InAState":   {Selection{State: StatePending}, "li%@example.com"},
			"Both":       {Selection{List: f.weekly.ID, State: StateConfirmed}, "wang_1@example.org"},
			"Part":       {Selection{Like: "EXAMPLE.ORG"}, "wang_1@example.org wangx1@example.org"},
			"Underscore": {Selection{Like: "g_1"}, "wang_1@example.org"},
			"Percent":    {Selection{Like: "%"}, "li%@example.com"},
			"Star":       {Selection{Like: "wang*1@*"}, "wang_1@example.org wangx1@example.org"},
			"Backslash":  {Selection{Like: `\`}, ""},
			"Limit":      {Selection{Limit: 1}, "wang_1@example.org"},
			"After":      {Selection{After: 1, Limit: 1}, "wangx1@example.org"},
		} {
			all, err := f.Subscribers(t.Context(), c.sel)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, x := range all {
				got = append(got, x.Address)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%s: %+v: got %v, want %s", name, c.sel, got, c.want)
			}
		}
	})
}
