// Package channel sends issues of lists to groups: bots of WeCom (企业微信), Feishu (飞书) and
// DingTalk (钉钉), Telegram, ntfy, Matrix, and any server that verifies signed webhooks.
//
// An issue becomes a [Card], which each service gets in its own format and within its own
// limits. The ledger is a row for each issue and channel: the row is claimed, the hand-over
// is committed before the service gets the message, and the service's response is written to
// the row. A message is sent a second time only if it was handed over and no response came; a
// service that ignores repetitions (Matrix) shows it once.
package channel

import (
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"dibao/internal/fetch"
)

// Channel is a group that gets the issues of a list.
type Channel struct {
	ID         int64
	List       int64
	Kind       string // one of Kinds
	Address    string // address of the server; "" if the address is part of the secret
	Room       string // chat, topic or room; "" if the address identifies the group
	SecretFile string // absolute path; "" if there is none. Its content is not stored in the database
	Private    bool   // the host may have a private address
	Proxy      string // http, https or socks5; "" means no proxy
	Key        string // random; part of the ids of its messages
	CreatedAt  time.Time
}

// service describes how messages are sent to the channels of a kind.
type service struct {
	address string // default; "" means that it must be specified
	room    string // meaning of Channel.Room; "" means not used
	// bot says that the file contains the address of the bot, and its signing key if it has
	// one.
	bot      bool
	optional bool          // no file is needed
	pause    time.Duration // between two messages to one group
	wait     time.Duration // wait after too many messages, if the service does not say how long
	repeats  bool          // it recognizes a repeated message by its id and ignores it
	check    func(t target) error
	request  func(t target, m message) (fetch.Request, error)
	judge    func(body []byte) verdict // interprets the body of a response whose status is not an error
}

// services contains every kind. The pauses keep within the published limits of the services: 20
// messages a minute for bots of WeCom and DingTalk, and for groups of Telegram; 100 a minute and
// 5 a second for bots of Feishu. DingTalk blocks a bot that exceeds its limit for ten minutes.
// ntfy.sh and Matrix servers let a few messages pass, then one about every five seconds, and say
// how long to wait.
var services = map[string]service{
	"wecom":    {bot: true, pause: 3200 * time.Millisecond, wait: time.Minute, request: wecomRequest, judge: wecomVerdict},
	"feishu":   {bot: true, pause: 700 * time.Millisecond, wait: time.Minute, request: feishuRequest, judge: feishuVerdict},
	"dingtalk": {bot: true, pause: 3200 * time.Millisecond, wait: 10 * time.Minute, request: dingtalkRequest, judge: dingtalkVerdict},
	"telegram": {address: "https://api.telegram.org", room: "the chat, such as -1001234567890 or @name", pause: 3200 * time.Millisecond, wait: time.Minute,
		request: telegramRequest, judge: telegramVerdict},
	"ntfy": {address: "https://ntfy.sh", room: "the topic", optional: true, pause: time.Second, wait: time.Minute, check: checkTopic, request: ntfyRequest, judge: ntfyVerdict},
	"matrix": {room: "the id of the room, such as !abc:example.org", pause: time.Second, wait: 5 * time.Second, repeats: true, check: checkMatrixRoom,
		request: matrixRequest, judge: matrixVerdict},
	"webhook": {pause: 200 * time.Millisecond, wait: time.Minute, check: checkWebhook, request: webhookRequest, judge: func([]byte) verdict { return verdict{state: stateSent} }},
}

// Kinds returns the sorted names of the kinds.
func Kinds() []string { return slices.Sorted(maps.Keys(services)) }

// New returns a channel of a list. The address "" means the default of the kind.
func New(list int64, kind, address, room string) (Channel, error) {
	s, ok := services[kind]
	c := Channel{List: list, Kind: kind, Address: strings.TrimSuffix(address, "/"), Room: room, Key: rand.Text()}
	switch {
	case !ok:
		return c, fmt.Errorf("there is no kind of channel %q; use one of: %s", kind, strings.Join(Kinds(), ", "))
	case s.bot && address != "":
		return c, fmt.Errorf("the address of a %s bot contains its key; write it into the file of --secret-file instead", kind)
	case s.room != "" && room == "":
		return c, fmt.Errorf("%s needs --room: %s", kind, s.room)
	case s.room == "" && room != "":
		return c, fmt.Errorf("%s does not use --room: its address names the group", kind)
	}
	if c.Address == "" {
		c.Address = s.address
	}
	if !s.bot {
		if c.Address == "" {
			return c, fmt.Errorf("%s needs --address, such as https://example.org", kind)
		}
		if err := checkAddress(c.Address); err != nil {
			return c, err
		}
	}
	return c, nil
}

func checkAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%q is not the address of a server; begin it with https://", address)
	}
	if u.User != nil {
		return fmt.Errorf("write a user name or password into the secret file, not into the address")
	}
	return nil
}

// checkProxy refuses a proxy that can't be used, or whose address contains a password,
// which the database would then store.
func checkProxy(proxy string) error {
	if proxy == "" {
		return nil
	}
	if err := fetch.CheckProxy(proxy); err != nil {
		return err
	}
	if u, err := url.Parse(proxy); err == nil && u.User != nil {
		return fmt.Errorf("the proxy of a channel can't have a user name or password: they would be stored in the database")
	}
	return nil
}

// target is a channel with its secret.
type target struct {
	Channel
	secret secret
}

// message is a card and the id of its message.
type message struct {
	Card
	id string    // id of the message in its service; the same for each attempt
	at time.Time // time of this attempt
}

// post returns a request that posts a JSON document.
func (t target) post(address string, body []byte) fetch.Request {
	req := fetch.Request{
		URL: address, Method: http.MethodPost, Body: body, ContentType: "application/json; charset=utf-8", Accept: "application/json", NoRedirect: true,
	}
	if t.Private {
		req.Private = fetch.Origin(address)
	}
	return req
}

// host returns the host of the channel, for logs and lists: the whole address may contain a
// key.
func (t target) host() string {
	address := t.Address
	if address == "" {
		address = t.secret.address
	}
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}
