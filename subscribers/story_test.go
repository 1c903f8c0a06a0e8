package subscribers

import (
	"errors"
	"strings"
	"testing"
	"time"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

const storyReader = "a@example.org"

// happening is an event for a reader's subscription to the weekly list.
type happening struct {
	name string
	do   func(m *story)
}

// story is one reader with the events so far.
type story struct {
	*fixture
	tokens []string // tokens of confirmation emails
	mails  int
}

func (m *story) id() int64 {
	x, err := m.SubscriberByAddress(m.t.Context(), storyReader)
	if err != nil {
		return 0
	}
	return x.ID
}

// fails is for actions of an admin that are refused: the state shows whether that is right.
func fails(error) {}

var happenings = []happening{
	{"asks", func(m *story) {
		m.clock.Advance(25 * time.Hour)
		if mail := m.ask(storyReader, m.weekly); mail != nil {
			m.tokens, m.mails = append(m.tokens, mail.Token), m.mails+1
		}
	}},
	{"confirms", func(m *story) {
		for _, token := range m.tokens {
			_, err := m.Confirm(m.t.Context(), token, ids([]List{m.weekly}), testNetwork)
			fails(err)
		}
	}},
	{"leaves", func(m *story) {
		_, err := m.Unsubscribe(m.t.Context(), m.id(), m.weekly.ID, "one-click", testNetwork)
		fails(err)
	}},
	{"leaves all", func(m *story) {
		_, err := m.Unsubscribe(m.t.Context(), m.id(), 0, "one-click", testNetwork)
		fails(err)
	}},
	{"chooses it", func(m *story) {
		fails(m.SetPreferences(m.t.Context(), m.id(), Preferences{Lists: map[int64]Choice{m.weekly.ID: {Frequency: Weekly}}}, testNetwork))
	}},
	{"chooses nothing", func(m *story) {
		fails(m.SetPreferences(m.t.Context(), m.id(), Preferences{}, testNetwork))
	}},
	{"is added", func(m *story) {
		_, err := m.AddConfirmed(m.t.Context(), storyReader, "zh", []List{m.weekly}, "form")
		fails(err)
	}},
	{"is imported", func(m *story) { m.take("email\n" + storyReader + "\n") }},
	{"is imported as gone", func(m *story) { m.take("email,state\n" + storyReader + ",unsubscribed\n") }},
	{"is imported as pending", func(m *story) { m.take("email,state\n" + storyReader + ",pending\n") }},
	{"bounces", func(m *story) { fails(m.Suppress(m.t.Context(), storyReader, ReasonBounce, "")) }},
	{"complains", func(m *story) { fails(m.Suppress(m.t.Context(), storyReader, ReasonComplaint, "")) }},
	{"is lifted", func(m *story) {
		_, err := m.Unsuppress(m.t.Context(), storyReader, "asked again")
		fails(err)
	}},
	{"is forgotten", func(m *story) {
		if err := m.Forget(m.t.Context(), storyReader); !errors.Is(err, ErrNotFound) {
			fails(err)
		}
	}},
	{"is pruned", func(m *story) {
		m.clock.Advance(31 * 24 * time.Hour)
		_, err := m.Prune(m.t.Context(), 365*24*time.Hour)
		fails(err)
	}},
}

// rebuilt is the state of the weekly list according to the consent log.
func (m *story) rebuilt() (state, suppressed string) {
	log, err := m.ConsentLog(m.t.Context(), m.id())
	if err != nil {
		m.t.Fatal(err)
	}
	for _, e := range log {
		switch {
		case e.Event == "suppressed":
			suppressed = *e.Detail
		case e.Event == "unsuppressed":
			suppressed = ""
		case e.List == nil || *e.List != m.weekly.Slug:
		case e.Event == "asked", e.Event == "imported as pending":
			state = "pending"
		case e.Event == "confirmed", e.Event == "added", e.Event == "imported":
			state = "confirmed"
		case e.Event == "unsubscribed", e.Event == "imported as unsubscribed":
			state = "unsubscribed"
		}
	}
	return state, suppressed
}

// stored returns the state of the reader in the database.
func (m *story) stored() (state, suppressed string) {
	x, err := m.SubscriberByAddress(m.t.Context(), storyReader)
	if err != nil {
		return "", ""
	}
	for _, s := range x.Subscriptions {
		if s.List == m.weekly.ID {
			state = string(s.State)
		}
	}
	return state, x.Suppressed
}

// Every event happens in every state, followed by every other event: the state follows from
// the log, a reader who unsubscribed returns only by their own action, and a suppressed
// reader is in no mailing.
func TestStoriesOfOneReader(t *testing.T) {
	starts := [][]string{
		{}, {"asks"}, {"asks", "confirms"}, {"asks", "confirms", "leaves"}, {"is added"}, {"is imported"}, {"is imported as gone"}, {"is imported as pending"},
		{"asks", "bounces"}, {"asks", "confirms", "bounces"}, {"is added", "complains"}, {"is added", "leaves", "bounces"},
	}
	own := map[string]bool{"asks": true, "confirms": true, "chooses it": true, "is forgotten": true, "is pruned": true}
	byName := make(map[string]happening)
	for _, h := range happenings {
		byName[h.name] = h
	}
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		pairs := 0
		for _, start := range starts {
			for _, first := range happenings {
				wipe(t, db)
				m := &story{fixture: newFixture(t, db)}
				told := append([]string{}, start...)
				for _, name := range start {
					byName[name].do(m)
				}
				// The second event is a different one each time, so that all pairs occur.
				second := happenings[(len(start)*7+pairs)%len(happenings)]
				for _, h := range []happening{first, second} {
					before, _ := m.stored()
					h.do(m)
					told = append(told, h.name)
					pairs++
					after, suppressed := m.stored()
					state, why := m.rebuilt()
					// A suppression from before the reader existed is not in the reader's
					// log.
					if m.id() != 0 && (state != after || why != suppressed && why != "") {
						t.Errorf("%s: the log tells %q %q, stored is %q %q", strings.Join(told, ", "), state, why, after, suppressed)
					}
					if before == "unsubscribed" && after == "confirmed" && !own[h.name] {
						t.Errorf("%s: brought back from %q to %q", strings.Join(told, ", "), before, after)
					}
					page, err := m.ForMailing(t.Context(), []int64{m.weekly.ID}, 0, 10)
					if err != nil {
						t.Fatal(err)
					}
					mailed := len(page) == 1 && len(page[0].Lists) == 1
					if mailed != (after == "confirmed" && suppressed == "") {
						t.Errorf("%s: mailed %t, stored is %q %q", strings.Join(told, ", "), mailed, after, suppressed)
					}
				}
			}
		}
		if pairs < len(starts)*len(happenings) {
			t.Errorf("only %d", pairs)
		}
		t.Logf("%d states × events", pairs)
	})
}
