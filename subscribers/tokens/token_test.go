package tokens

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	testStart   = time.Date(2026, 11, 23, 1, 2, 3, 456789000, time.UTC)
	testNetwork = netip.MustParsePrefix("192.0.2.0/24")
)

// testKeys returns keys without a database, with a clock that does not move.
func testKeys(t testing.TB) *Keys {
	t.Helper()
	k := &Keys{now: func() time.Time { return testStart }}
	secret := bytes.Repeat([]byte{7}, 32)
	k.set.Store(&keySet{
		readAt: testStart, current: 3, first: 3,
		secrets: map[int64][]byte{3: secret}, tokens: map[int64]*macKey{3: newMACKey(derive(secret, "token"))}, address: newMACKey(secret),
	})
	return k
}

var actions = []Action{ActionConfirm, ActionUnsubscribe, ActionPreferences, ActionBounce, actionForm, ActionDelete, ActionData}

func anyToken(t *rapid.T) Token {
	tok := Token{
		Action:     rapid.SampledFrom(actions).Draw(t, "action"),
		Subscriber: rapid.Int64Range(0, 1<<62).Draw(t, "subscriber"),
		List:       rapid.Int64Range(0, 1<<62).Draw(t, "list"),
	}
	if rapid.Bool().Draw(t, "expires") {
		tok.Expires = testStart.Truncate(time.Second).Add(time.Duration(rapid.Int64Range(1, 1e6).Draw(t, "seconds")) * time.Second)
	}
	return tok
}

// The content that was signed can be read, for its own action and for no other.
func TestTokenAllowsItsActionOnly(t *testing.T) {
	k := testKeys(t)
	rapid.Check(t, func(rt *rapid.T) {
		want := anyToken(rt)
		text := k.Sign(want)
		for _, action := range actions {
			got, err := k.Check(t.Context(), text, action)
			if action == want.Action && (err != nil || got != want) {
				rt.Fatalf("token %+v, checked for its action: got %+v, %v", want, got, err)
			}
			if action != want.Action && !errors.Is(err, ErrInvalid) {
				rt.Fatalf("token %+v, checked for action %d: got %+v, %v; want ErrInvalid", want, action, got, err)
			}
		}
	})
}

// A token with any altered bit is refused, for every action.
func TestTokenWithFlippedBitIsRefused(t *testing.T) {
	k := testKeys(t)
	rapid.Check(t, func(rt *rapid.T) {
		tok := anyToken(rt)
		b, err := base64.RawURLEncoding.DecodeString(k.Sign(tok))
		if err != nil {
			rt.Fatal(err)
		}
		bit := rapid.IntRange(0, len(b)*8-1).Draw(rt, "bit")
		b[bit/8] ^= 1 << (bit % 8)
		text := base64.RawURLEncoding.EncodeToString(b)
		for _, action := range actions {
			if got, err := k.Check(t.Context(), text, action); !errors.Is(err, ErrInvalid) {
				rt.Fatalf("token %+v with bit %d flipped: got %+v, %v; want ErrInvalid", tok, bit, got, err)
			}
		}
	})
}

// A token has only one form: text that is changed in any character is refused.
func TestTokenWithOtherSpellingIsRefused(t *testing.T) {
	k := testKeys(t)
	text := k.UnsubscribeToken(12345, 6)
	for i := range text {
		for _, c := range []string{"", "\n", "\r", "=", " ", "A", "_", "-", "é"} {
			for _, changed := range []string{text[:i] + c + text[i+1:], text[:i] + c + text[i:]} {
				if changed == text {
					continue
				}
				if got, err := k.Check(t.Context(), changed, ActionUnsubscribe); !errors.Is(err, ErrInvalid) {
					t.Fatalf("Check(%q) = %+v, %v; want ErrInvalid", changed, got, err)
				}
			}
		}
	}
}

func TestTokenExpires(t *testing.T) {
	k := testKeys(t)
	now := testStart
	k.now = func() time.Time { return now }
	text := k.Sign(Token{Action: ActionConfirm, Subscriber: 1, Expires: testStart.Add(time.Hour)})
	for _, c := range []struct {
		after time.Duration
		want  error
	}{{0, nil}, {time.Hour - time.Second, nil}, {time.Hour, ErrExpired}, {1e6 * time.Hour, ErrExpired}} {
		now = testStart.Add(c.after)
		if _, err := k.Check(t.Context(), text, ActionConfirm); !errors.Is(err, c.want) {
			t.Errorf("after %v: got %v, want %v", c.after, err, c.want)
		}
	}
	if _, err := k.Check(t.Context(), k.UnsubscribeToken(1, 0), ActionUnsubscribe); err != nil {
		t.Errorf("an unsubscribe token expired: %v", err)
	}
}

// A bounce token fits in a local part next to "b+", survives a change of case, and
// identifies one delivery.
func TestBounceToken(t *testing.T) {
	k := testKeys(t)
	plain := regexp.MustCompile(`^[a-z0-9]{1,62}$`)
	rapid.Check(t, func(rt *rapid.T) {
		want := rapid.Int64Range(1, 1<<56-1).Draw(rt, "delivery")
		text := k.BounceToken(want)
		if !plain.MatchString(text) {
			rt.Fatalf("token %q of delivery %d is not small letters and digits, 62 at most", text, want)
		}
		for _, spelled := range []string{text, strings.ToUpper(text)} {
			if got, err := k.ParseBounceToken(t.Context(), spelled); err != nil || got != want {
				rt.Fatalf("ParseBounceToken(%q) = %d, %v; want %d", spelled, got, err, want)
			}
		}
		i := rapid.IntRange(0, len(text)-1).Draw(rt, "position")
		c := rapid.SampledFrom([]byte("abcdefghijklmnopqrstuvwxyz234567\n ")).Draw(rt, "letter")
		changed := text[:i] + string(c) + text[i+1:]
		if got, err := k.ParseBounceToken(t.Context(), changed); changed != text && !errors.Is(err, ErrInvalid) {
			rt.Fatalf("ParseBounceToken(%q) = %d, %v; want ErrInvalid", changed, got, err)
		}
	})
}

func FuzzCheck(f *testing.F) {
	k := testKeys(f)
	good := map[string]bool{}
	for _, text := range []string{
		k.UnsubscribeToken(1, 2), k.PreferencesToken(3, "a@example.org"), k.Sign(Token{Action: ActionConfirm, Subscriber: 4, Expires: testStart.Add(time.Hour)}), k.FormStamp(testNetwork),
	} {
		good[text] = true
		f.Add(text)
	}
	f.Add("")
	f.Add(k.BounceToken(5))
	f.Add(strings.Repeat("A", 40))
	f.Fuzz(func(t *testing.T, text string) {
		for _, action := range actions {
			if _, err := k.Check(t.Context(), text, action); err == nil && !good[text] {
				t.Errorf("Check(%q) for action %d takes what was never signed", text, action)
			}
		}
		if n, err := k.ParseBounceToken(t.Context(), text); err == nil && n != 5 {
			t.Errorf("ParseBounceToken(%q) = %d, which was never signed", text, n)
		}
	})
}

func BenchmarkUnsubscribeToken(b *testing.B) {
	k := testKeys(b)
	for b.Loop() {
		k.UnsubscribeToken(123456, 1)
	}
}
