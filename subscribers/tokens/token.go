package tokens

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"dibao/subscribers/mailaddr"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Action is what a token allows; each token allows one.
type Action byte

// The actions. Their numbers are in tokens that were mailed: never change them.
const (
	ActionConfirm     Action = 1
	ActionUnsubscribe Action = 2
	ActionPreferences Action = 3
	ActionBounce      Action = 4
	actionForm        Action = 5
	ActionInvite      Action = 6 // to a list; of no subscriber
	ActionChangeOld   Action = 7 // of address, said by the mailbox that is left
	ActionChangeNew   Action = 8 // of address, said by the new mailbox
	ActionDelete      Action = 9 // of the reader
	ActionData        Action = 10
	ActionCalendar    Action = 11
)

// ErrInvalid says that a token is not ours, is for something else, or is damaged.
var ErrInvalid = errors.New("invalid token")

// ErrExpired says that a token was good and is too old.
var ErrExpired = errors.New("expired token")

// ConfirmDays is how long a confirmation link works. An unsubscribe link never
// expires.
const ConfirmDays = 7

// PreferencesDays is how long the link to the preferences of an email works. Behind
// an older one a new one can be asked for.
const PreferencesDays = 90

const (
	macSize   = 16  // 128 bits of HMAC-SHA-256
	MaxLength = 160 // characters; ours have at most 110
)

// Token says what a link allows, and to whom. List 0 stands for all lists.
type Token struct {
	Action     Action
	Subscriber int64
	List       int64
	Expires    time.Time // to the second; zero: never
}

// seal returns payload and MAC as bytes.
func (k *Keys) seal(t Token) []byte {
	set := k.set.Load()
	payload := make([]byte, 0, 64)
	payload = append(payload, byte(t.Action))
	payload = binary.AppendUvarint(payload, uint64(set.current))
	payload = binary.AppendUvarint(payload, uint64(t.Subscriber))
	payload = binary.AppendUvarint(payload, uint64(t.List))
	expires := int64(0)
	if !t.Expires.IsZero() {
		expires = t.Expires.Unix()
	}
	payload = binary.AppendUvarint(payload, uint64(expires))
	return set.tokens[set.current].append(payload, payload)
}

// macKey makes the MACs of one key. An email has four; to key each anew takes
// longer than to compute it.
type macKey struct {
	key   []byte
	ready sync.Pool // of hash.Hash, keyed
}

func newMACKey(key []byte) *macKey {
	return &macKey{key: key, ready: sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// append writes the MAC of payload behind dst.
func (k *macKey) append(dst, payload []byte) []byte {
	m := k.ready.Get().(hash.Hash)
	defer k.ready.Put(m)
	m.Reset()
	m.Write(payload)
	n := len(dst)
	return m.Sum(dst)[:n+macSize]
}

// open checks what seal made.
func (k *Keys) open(ctx context.Context, b []byte) (Token, error) {
	if len(b) < macSize+5 {
		return Token{}, ErrInvalid
	}
	payload, sum := b[:len(b)-macSize], b[len(b)-macSize:]
	var fields [4]uint64
	rest := payload[1:]
	for i := range fields {
		v, n := binary.Uvarint(rest)
		if n <= 0 {
			return Token{}, ErrInvalid
		}
		fields[i], rest = v, rest[n:]
	}
	id := int64(fields[0])
	k.learn(ctx, id)
	key, ok := k.set.Load().tokens[id]
	if !ok || len(rest) > 0 || !hmac.Equal(sum, key.append(nil, payload)) {
		return Token{}, ErrInvalid
	}
	t := Token{Action: Action(payload[0]), Subscriber: int64(fields[1]), List: int64(fields[2])}
	if fields[3] != 0 {
		t.Expires = time.Unix(int64(fields[3]), 0).UTC()
	}
	return t, nil
}

// Sign returns the token as text that is safe in an address.
func (k *Keys) Sign(t Token) string { return base64.RawURLEncoding.EncodeToString(k.seal(t)) }

// Check returns what a token says, if it is ours and for this action; else
// ErrInvalid. For an expired token it also returns ErrExpired.
func (k *Keys) Check(ctx context.Context, text string, action Action) (Token, error) {
	if len(text) > MaxLength {
		return Token{}, ErrInvalid
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	// One text for one token: the decoder itself skips line ends and spare bits.
	if err != nil || base64.RawURLEncoding.EncodeToString(b) != text {
		return Token{}, ErrInvalid
	}
	t, err := k.open(ctx, b)
	switch {
	case err != nil:
		return Token{}, err
	case t.Action != action:
		return Token{}, ErrInvalid
	case !t.Expires.IsZero() && !k.now().Before(t.Expires):
		return t, ErrExpired
	}
	return t, nil
}

// UnsubscribeToken ends a subscription, or with list 0 all of a reader's. It never expires.
func (k *Keys) UnsubscribeToken(subscriber, list int64) string {
	return k.Sign(Token{Action: ActionUnsubscribe, Subscriber: subscriber, List: list})
}

// PreferencesToken opens a reader's preferences for PreferencesDays, as long as
// the reader keeps the address.
func (k *Keys) PreferencesToken(subscriber int64, address string) string {
	return k.Sign(Token{
		Action: ActionPreferences, Subscriber: subscriber, List: k.Binding(address), Expires: k.now().AddDate(0, 0, PreferencesDays),
	})
}

// CalendarToken opens a reader's own calendar and nothing else, as long as the reader
// keeps the address: calendar programs ask for it for years.
func (k *Keys) CalendarToken(subscriber int64, address string) string {
	return k.Sign(Token{Action: ActionCalendar, Subscriber: subscriber, List: k.Binding(address)})
}

// Binding ties a token to an address without naming it: 32 bits of a MAC.
func (k *Keys) Binding(address string) int64 {
	var sum [macSize]byte
	return int64(binary.BigEndian.Uint32(k.set.Load().address.append(sum[:0], []byte(mailaddr.Key(address)))))
}

// InviteDays is how long an invitation works.
const InviteDays = 90

// InviteToken lets whoever holds it ask for a list that is by invitation.
func (k *Keys) InviteToken(list int64) string {
	return k.Sign(Token{Action: ActionInvite, List: list, Expires: k.now().AddDate(0, 0, InviteDays)})
}

// lower is base32 in lower case: a local part may come back in any case.
var lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// BounceToken identifies a delivery in an envelope sender (VERP): lowercase
// letters and digits, at most 54 of them while ids are below 2^56.
func (k *Keys) BounceToken(delivery int64) string {
	return lower.EncodeToString(k.seal(Token{Action: ActionBounce, Subscriber: delivery}))
}

// ParseBounceToken returns the delivery of a BounceToken, in any case of
// letters, or ErrInvalid.
func (k *Keys) ParseBounceToken(ctx context.Context, text string) (delivery int64, err error) {
	t, err := k.openLower(ctx, text)
	if err != nil || t.Action != ActionBounce {
		return 0, ErrInvalid
	}
	return t.Subscriber, nil
}

func (k *Keys) openLower(ctx context.Context, text string) (Token, error) {
	if len(text) > MaxLength {
		return Token{}, ErrInvalid
	}
	text = strings.ToLower(text)
	b, err := lower.DecodeString(text)
	if err != nil || lower.EncodeToString(b) != text {
		return Token{}, ErrInvalid
	}
	return k.open(ctx, b)
}

// MailUnsubscribeToken is UnsubscribeToken for the address of an email.
func (k *Keys) MailUnsubscribeToken(subscriber, list int64) string {
	_, mail := k.UnsubscribeTokens(subscriber, list)
	return mail
}

// UnsubscribeTokens returns UnsubscribeToken and MailUnsubscribeToken, for one MAC.
func (k *Keys) UnsubscribeTokens(subscriber, list int64) (web, mail string) {
	sealed := k.seal(Token{Action: ActionUnsubscribe, Subscriber: subscriber, List: list})
	return base64.RawURLEncoding.EncodeToString(sealed), lower.EncodeToString(sealed)
}

// ParseMailUnsubscribeToken returns the content of a MailUnsubscribeToken, in
// any case of letters, or ErrInvalid.
func (k *Keys) ParseMailUnsubscribeToken(ctx context.Context, text string) (subscriber, list int64, err error) {
	t, err := k.openLower(ctx, text)
	if err != nil || t.Action != ActionUnsubscribe {
		return 0, 0, ErrInvalid
	}
	return t.Subscriber, t.List, nil
}

// FormStamp says when a form was shown, so that a form that returns at once can be
// recognized as a program's, and to which network, so that its proof is valid only for
// that one.
func (k *Keys) FormStamp(network netip.Prefix) string {
	return k.Sign(Token{Action: actionForm, Subscriber: k.now().UnixMilli(), List: k.Binding(network.String())})
}

// FormAge returns how long ago a form was shown, and whether to this network.
func (k *Keys) FormAge(ctx context.Context, stamp string, network netip.Prefix) (age time.Duration, same bool, err error) {
	t, err := k.Check(ctx, stamp, actionForm)
	if err != nil {
		return 0, false, err
	}
	return k.now().Sub(time.UnixMilli(t.Subscriber)), t.List == k.Binding(network.String()), nil
}
