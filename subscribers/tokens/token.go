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

// The actions. Their numbers are in mailed tokens: never change them.
const (
	ActionConfirm     Action = 1
	ActionUnsubscribe Action = 2
	ActionPreferences Action = 3
	ActionBounce      Action = 4
	actionForm        Action = 5
	ActionInvite      Action = 6 // an invitation to a list, for no particular subscriber
	ActionChangeOld   Action = 7 // the old mailbox agrees to a change of address
	ActionChangeNew   Action = 8 // the new mailbox agrees to a change of address
	ActionDelete      Action = 9 // delete the reader
	ActionData        Action = 10
	ActionCalendar    Action = 11
)

// ErrInvalid says that a token is not ours, is for another action, or is damaged.
var ErrInvalid = errors.New("invalid token")

// ErrExpired says that a token was valid and has expired.
var ErrExpired = errors.New("expired token")

// ConfirmDays is the number of days for which a confirmation link works. An unsubscribe
// link never expires.
const ConfirmDays = 7

// PreferencesDays is the number of days for which an email's link to the preferences works.
// After that, the page offers a new one.
const PreferencesDays = 90

const (
	macSize   = 16  // 128 bits of HMAC-SHA-256
	MaxLength = 160 // characters; our tokens have at most 110
)

// Token says what a link allows, and for whom. List 0 means all lists.
type Token struct {
	Action     Action
	Subscriber int64
	List       int64
	Expires    time.Time // in whole seconds; zero means never
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

// macKey computes the MACs of one key. An email has four; initializing the key for each
// takes longer than the computation.
type macKey struct {
	key   []byte
	ready sync.Pool // keyed hash.Hash values
}

func newMACKey(key []byte) *macKey {
	return &macKey{key: key, ready: sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// append appends the MAC of payload to dst.
func (k *macKey) append(dst, payload []byte) []byte {
	m := k.ready.Get().(hash.Hash)
	defer k.ready.Put(m)
	m.Reset()
	m.Write(payload)
	n := len(dst)
	return m.Sum(dst)[:n+macSize]
}

// open checks the result of seal.
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

// Check returns the content of a token, if it is ours and for this action; otherwise
// ErrInvalid. For an expired token it returns the content and ErrExpired.
func (k *Keys) Check(ctx context.Context, text string, action Action) (Token, error) {
	if len(text) > MaxLength {
		return Token{}, ErrInvalid
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	// Accept only one text per token: the decoder itself ignores line ends and unused bits.
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

// UnsubscribeToken allows ending a subscription, or with list 0 all of a reader's. It never
// expires.
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

// CalendarToken opens a reader's own calendar and nothing else, as long as the reader keeps
// the address. It does not expire, because calendar programs use it for years.
func (k *Keys) CalendarToken(subscriber int64, address string) string {
	return k.Sign(Token{Action: ActionCalendar, Subscriber: subscriber, List: k.Binding(address)})
}

// Binding binds a token to an address without revealing it: 32 bits of a MAC.
func (k *Keys) Binding(address string) int64 {
	var sum [macSize]byte
	return int64(binary.BigEndian.Uint32(k.set.Load().address.append(sum[:0], []byte(mailaddr.Key(address)))))
}

// InviteDays is the number of days for which an invitation works.
const InviteDays = 90

// InviteToken lets anybody who has it subscribe to a list that is by invitation.
func (k *Keys) InviteToken(list int64) string {
	return k.Sign(Token{Action: ActionInvite, List: list, Expires: k.now().AddDate(0, 0, InviteDays)})
}

// lower is base32 in lower case, because servers may change the case of a local part.
var lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// BounceToken identifies a delivery in an envelope sender (VERP). It has lowercase letters
// and digits, at most 54 of them while ids are below 2^56.
func (k *Keys) BounceToken(delivery int64) string {
	return lower.EncodeToString(k.seal(Token{Action: ActionBounce, Subscriber: delivery}))
}

// ParseBounceToken returns the delivery of a BounceToken in any case, or ErrInvalid.
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

// MailUnsubscribeToken is UnsubscribeToken for an email address.
func (k *Keys) MailUnsubscribeToken(subscriber, list int64) string {
	_, mail := k.UnsubscribeTokens(subscriber, list)
	return mail
}

// UnsubscribeTokens returns UnsubscribeToken and MailUnsubscribeToken for the cost of one
// MAC.
func (k *Keys) UnsubscribeTokens(subscriber, list int64) (web, mail string) {
	sealed := k.seal(Token{Action: ActionUnsubscribe, Subscriber: subscriber, List: list})
	return base64.RawURLEncoding.EncodeToString(sealed), lower.EncodeToString(sealed)
}

// ParseMailUnsubscribeToken returns the content of a MailUnsubscribeToken in upper or lower
// case, or ErrInvalid if it is invalid.
func (k *Keys) ParseMailUnsubscribeToken(ctx context.Context, text string) (subscriber, list int64, err error) {
	t, err := k.openLower(ctx, text)
	if err != nil || t.Action != ActionUnsubscribe {
		return 0, 0, ErrInvalid
	}
	return t.Subscriber, t.List, nil
}

// FormStamp says when a form was shown, so that a form that returns at once can be
// recognized as a program's, and to which network, so that its proof is valid only for that
// network.
func (k *Keys) FormStamp(network netip.Prefix) string {
	return k.Sign(Token{Action: actionForm, Subscriber: k.now().UnixMilli(), List: k.Binding(network.String())})
}

// FormAge returns how long ago a form was shown, and whether it was shown to this network.
func (k *Keys) FormAge(ctx context.Context, stamp string, network netip.Prefix) (age time.Duration, same bool, err error) {
	t, err := k.Check(ctx, stamp, actionForm)
	if err != nil {
		return 0, false, err
	}
	return k.now().Sub(time.UnixMilli(t.Subscriber)), t.List == k.Binding(network.String()), nil
}
