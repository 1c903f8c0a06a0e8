package subscribers

import (
	"encoding/base64"
	"math/rand/v2"
	"net/url"
	"os"
	"testing"
	"time"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/trust"
	"dibao/subscribers/tokens"
)

// Links that are altered in any bit, truncated, longer, random, expired or for another
// action are posted to every page of readers: nothing changes. A link that was used is used
// again: nothing else changes.
func TestForgedLinksChangeNothing(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		tries := 600
		if os.Getenv("DIBAO_LONG") != "" {
			tries = 100_000
		}
		s := newSite(t, db)
		s.web.Limiter.Burst = 1 << 30
		id := s.reader("a@example.org", s.weekly, s.monthly)
		asked := s.ask("b@example.org", s.weekly)
		old, fresh := s.askChange(id, "c@example.org")
		waiting, err := s.SubscriberByAddress(t.Context(), "b@example.org")
		if err != nil {
			t.Fatal(err)
		}
		good := map[string]string{
			"/confirm/": asked.Token, "/u/": s.keys.UnsubscribeToken(id, 0), "/preferences/": s.preferencesToken(id),
			"/change/": old[len("/change/"):],
		}
		others := []string{
			asked.Token, s.keys.UnsubscribeToken(id, s.weekly.ID), s.preferencesToken(id), old[len("/change/"):], fresh[len("/change/"):], s.keys.InviteToken(s.weekly.ID), s.keys.FormStamp(testNetwork),
			s.keys.Sign(tokens.Token{Action: tokens.ActionBounce, Subscriber: id}), s.keys.Sign(tokens.Token{Action: tokens.ActionConfirm, Subscriber: waiting.ID, Expires: s.clock.Now().Add(-time.Hour)}),
		}
		fits := map[string][]tokens.Action{
			"/confirm/": {tokens.ActionConfirm}, "/u/": {tokens.ActionUnsubscribe}, "/preferences/": {tokens.ActionPreferences}, "/change/": {tokens.ActionChangeOld, tokens.ActionChangeNew},
		}
		paths := []string{"/confirm/", "/u/", "/preferences/", "/change/"}
		random := rand.New(rand.NewPCG(3, 4))
		before := s.dump()
		for i := range tries {
			path := paths[i%len(paths)]
			forged := s.forge(random, good[path], others, fits[path])
			target := path + url.PathEscape(forged)
			if path == "/preferences/" && i%3 == 0 {
				target += []string{"/delete", "/address"}[i%2]
			}
			a := s.do("POST", target, url.Values{"language": {"en"}, "address": {"evil@example.org"}, "List-Unsubscribe": {"One-Click"}})
			if a.status != 404 && a.status != 410 && a.status != 301 && a.status != 405 && a.status != 307 {
				t.Fatalf("try %d, POST %s: got %d", i, target, a.status)
			}
		}
		trust.Report(t, "forged links that change something", "0 of %d on each database", tries)
		if after := s.dump(); after != before {
			t.Errorf("something changed:\n%s\n---\n%s", before, after)
		}
		// The links themselves work, but only once.
		for range 2 {
			s.want(s.do("POST", "/confirm/"+asked.Token, nil), 200, "订阅已确认")
		}
		used := s.dump()
		s.do("POST", "/confirm/"+asked.Token, nil)
		if s.dump() != used {
			t.Error("a confirmation that is replayed changes something")
		}
		s.do("POST", "/u/"+s.keys.UnsubscribeToken(waiting.ID, 0), nil)
		s.want(s.do("POST", "/confirm/"+asked.Token, nil), 410, "链接已过期")
		if s.states("b@example.org") != "weekly=unsubscribed" {
			t.Error("a replayed confirmation subscribed a reader again who had unsubscribed")
		}
	})
}

// forge returns a link that must not work.
func (s *site) forge(random *rand.Rand, good string, others []string, fits []tokens.Action) string {
	for {
		forged := []byte(good)
		switch random.IntN(6) {
		case 0: // an altered bit
			b, _ := base64.RawURLEncoding.DecodeString(good) // our own links are valid
			bit := random.IntN(len(b) * 8)
			b[bit/8] ^= 1 << (bit % 8)
			return base64.RawURLEncoding.EncodeToString(b)
		case 1: // truncated
			return string(forged[:1+random.IntN(len(forged)-1)])
		case 2: // longer
			return string(forged) + string("ABCDabcd0123-_"[random.IntN(14)])
		case 3: // random
			for i := range forged {
				forged[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[random.IntN(64)]
			}
			return string(forged)
		case 4: // for another action, or expired
			other := others[random.IntN(len(others))]
			works := false
			for _, a := range fits {
				_, err := s.keys.Check(s.t.Context(), other, a)
				works = works || err == nil
			}
			if !works {
				return other
			}
		case 5: // halves of two links
			other := others[random.IntN(len(others))]
			cut := 1 + random.IntN(min(len(good), len(other))-1)
			if mixed := good[:cut] + other[cut:]; mixed != good && mixed != other {
				return mixed
			}
		}
	}
}
