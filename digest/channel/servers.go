package channel

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"dibao/internal/fetch"
)

// telegramLimit is the maximum length of a message, in UTF-16 code units; we also count
// the markup, which Telegram does not. Source: core.telegram.org/bots/api#sendmessage.
const telegramLimit = 4096

func telegramRequest(t target, m message) (fetch.Request, error) {
	link := func(it Item) string {
		return `<a href="` + html.EscapeString(it.URL) + `">` + html.EscapeString(it.Title) + `</a>`
	}
	text, err := fit(m.Card, telegramLimit, func(c Card) string {
		lines := append([]string{"<b>" + html.EscapeString(c.Title) + "</b>"}, c.lines(link, html.EscapeString)...)
		return strings.Join(append(lines, link(c.Archive)), "\n")
	}, utf16Of)
	if err != nil {
		return fetch.Request{}, err
	}
	body, err := json.Marshal(map[string]any{
		"chat_id": t.Room, "text": text, "parse_mode": "HTML", "link_preview_options": map[string]bool{"is_disabled": true},
	})
	return t.post(t.Address+"/bot"+t.secret.token+"/sendMessage", body), err
}

// telegramVerdict also reads responses with an error status.
func telegramVerdict(body []byte) verdict {
	var a struct {
		OK         *bool  `json:"ok"`
		Code       int    `json:"error_code"`
		Text       string `json:"description"`
		Parameters struct {
			RetryAfter int64 `json:"retry_after"` // seconds
			MigratedTo int64 `json:"migrate_to_chat_id"`
		} `json:"parameters"`
	}
	if json.Unmarshal(body, &a) != nil || a.OK == nil {
		return notUnderstood(body)
	}
	v := verdict{state: stateFailed, text: fmt.Sprintf("%d %s", a.Code, a.Text)}
	switch {
	case *a.OK:
		return verdict{state: stateSent}
	case a.Code == http.StatusTooManyRequests:
		v.state, v.limited, v.after = stateWaiting, true, afterOf(a.Parameters.RetryAfter, time.Second)
	case a.Code >= http.StatusInternalServerError:
		v.state = stateWaiting
	case a.Parameters.MigratedTo != 0:
		v.advice = fmt.Sprintf("the group has another id now; add the channel again with --room %d", a.Parameters.MigratedTo)
	case a.Code == http.StatusUnauthorized || a.Code == http.StatusNotFound:
		v.advice = "the token in the secret file is wrong or was revoked; ask @BotFather for it"
	case a.Code == http.StatusForbidden || a.Code == http.StatusBadRequest && strings.Contains(a.Text, "chat not found"):
		v.advice = "add the bot to the chat, let it post there, and check --room"
	}
	return v
}

// ntfyLimit is the maximum size of a message, in bytes: a longer one would become an
// attachment. Source: docs.ntfy.sh/publish/#limitations.
const ntfyLimit = 4096

func checkTopic(t target) error {
	foreign := strings.Trim(strings.ToLower(t.Room), "abcdefghijklmnopqrstuvwxyz0123456789-_")
	if foreign != "" || len(t.Room) > 64 {
		return fmt.Errorf("%q is not a valid ntfy topic; use at most 64 letters, digits, - and _", t.Room)
	}
	return nil
}

func ntfyRequest(t target, m message) (fetch.Request, error) {
	var title string
	text, err := fit(m.Card, ntfyLimit, func(c Card) string {
		title = c.Title
		return strings.Join(c.lines(func(it Item) string { return it.Title + "\n" + it.URL }, strings.TrimSpace), "\n")
	}, bytesOf)
	if err != nil {
		return fetch.Request{}, err
	}
	if text == "" { // a message without text is shown as "triggered"
		text = m.Archive.URL
	}
	body, err := json.Marshal(map[string]any{
		"topic": t.Room, "title": title, "message": text, "click": m.Archive.URL,
		"actions": []map[string]string{{"action": "view", "label": m.Archive.Title, "url": m.Archive.URL}},
	})
	req := t.post(t.Address+"/", body)
	if t.secret.token != "" {
		req.Header = http.Header{"Authorization": {"Bearer " + t.secret.token}}
	}
	return req, err
}

// ntfyVerdict also reads responses with an error status.
func ntfyVerdict(body []byte) verdict {
	var a struct {
		ID   string `json:"id"`
		Code int    `json:"code"` // the HTTP status followed by two more digits
		HTTP int    `json:"http"`
		Text string `json:"error"`
	}
	err := json.Unmarshal(body, &a)
	v := verdict{state: stateFailed, text: fmt.Sprintf("%d %s", a.Code, a.Text)}
	switch {
	case err != nil || a.ID == "" && a.Code == 0:
		return notUnderstood(body)
	case a.Code == 0:
		return verdict{state: stateSent}
	case a.HTTP == http.StatusTooManyRequests:
		v.state, v.limited = stateWaiting, true
	case a.HTTP >= http.StatusInternalServerError:
		v.state = stateWaiting
	case a.HTTP == http.StatusUnauthorized || a.HTTP == http.StatusForbidden:
		v.advice = "the topic requires a token with write access; write one into a secret file"
	}
	return v
}

// matrixLimit is the maximum size of an event, with room for what the server adds; the
// specification allows 65,536 bytes. Source: spec.matrix.org, client-server API, size
// limits.
const matrixLimit = 32 << 10

func checkMatrixRoom(t target) error {
	if !strings.HasPrefix(t.Room, "!") {
		return fmt.Errorf("%q is not the id of a Matrix room; it begins with ! and is in the settings of the room", t.Room)
	}
	return nil
}

func matrixRequest(t target, m message) (fetch.Request, error) {
	link := func(it Item) string {
		return `<a href="` + html.EscapeString(it.URL) + `">` + html.EscapeString(it.Title) + `</a>`
	}
	var failed error
	body, err := fit(m.Card, matrixLimit, func(c Card) string {
		plain := append([]string{c.Title}, c.lines(func(it Item) string { return it.Title + " " + it.URL }, strings.TrimSpace)...)
		plain = append(plain, c.Archive.Title+" "+c.Archive.URL)
		rich := []string{"<p><strong>" + html.EscapeString(c.Title) + "</strong></p>"}
		if len(c.Items) > 0 {
			rich = append(rich, "<ol>")
			for _, it := range c.Items {
				rich = append(rich, "<li>"+link(it)+"</li>")
			}
			rich = append(rich, "</ol>")
		}
		if more := c.more(); more != "" {
			rich = append(rich, "<p>"+html.EscapeString(more)+"</p>")
		}
		rich = append(rich, "<p>"+link(c.Archive)+"</p>")
		text, err := json.Marshal(map[string]any{
			"msgtype": "m.text", "body": strings.Join(plain, "\n"), "format": "org.matrix.custom.html", "formatted_body": strings.Join(rich, ""),
			"m.mentions": map[string]any{}, // a name in a title must not notify anybody
		})
		failed = err
		return string(text)
	}, bytesOf)
	if err == nil {
		err = failed
	}
	// The server ignores a transaction id that it has already seen.
	req := t.post(t.Address+"/_matrix/client/v3/rooms/"+url.PathEscape(t.Room)+"/send/m.room.message/"+url.PathEscape(m.id), []byte(body))
	req.Method, req.Header = http.MethodPut, http.Header{"Authorization": {"Bearer " + t.secret.token}}
	return req, err
}

// matrixVerdict also reads responses with an error status.
func matrixVerdict(body []byte) verdict {
	var a struct {
		Event      string `json:"event_id"`
		Code       string `json:"errcode"`
		Text       string `json:"error"`
		RetryAfter int64  `json:"retry_after_ms"`
	}
	if json.Unmarshal(body, &a) != nil || a.Event == "" && a.Code == "" {
		return notUnderstood(body)
	}
	v := verdict{state: stateFailed, text: a.Code + " " + a.Text}
	switch {
	case a.Event != "":
		return verdict{state: stateSent}
	case a.Code == "M_LIMIT_EXCEEDED":
		v.state, v.limited, v.after = stateWaiting, true, afterOf(a.RetryAfter, time.Millisecond)
	case a.Code == "M_UNKNOWN_TOKEN" || a.Code == "M_MISSING_TOKEN":
		v.advice = "the token in the secret file is wrong or has expired; log in again and write the new one into the file"
	case a.Code == "M_FORBIDDEN":
		v.advice = "invite the user of the token to the room, and let it join and post there"
	}
	return v
}

// webhookKey matches a secret of Standard Webhooks: whsec_ and 24 to 64 bytes in base64.
func webhookKey(token string) ([]byte, error) {
	text, ok := strings.CutPrefix(token, "whsec_")
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, fmt.Errorf(`the secret of a webhook is whsec_ and 24 to 64 bytes in base64; create one with: echo "whsec_$(openssl rand -base64 32)"`)
	}
	return key, nil
}

func checkWebhook(t target) error {
	_, err := webhookKey(t.secret.token)
	return err
}

// webhookRequest signs as standardwebhooks.com specifies: the id, the time of the attempt
// and the body. A receiver recognizes a repeated message by its id.
func webhookRequest(t target, m message) (fetch.Request, error) {
	key, err := webhookKey(t.secret.token)
	if err != nil {
		return fetch.Request{}, err
	}
	items := m.Items
	if items == nil {
		items = []Item{}
	}
	kind := "issue.published"
	if m.Number == 0 {
		kind = "issue.test"
	}
	body, err := json.Marshal(map[string]any{
		"type": kind, "timestamp": m.DueAt.UTC().Format(time.RFC3339), "data": map[string]any{
			"list": m.List, "number": m.Number, "language": m.Language, "title": m.Title, "url": m.Archive.URL, "total": m.Total, "items": items,
		},
	})
	if err != nil {
		return fetch.Request{}, err
	}
	timestamp := strconv.FormatInt(m.at.Unix(), 10)
	signature := base64.StdEncoding.EncodeToString(hmac256(string(key), m.id+"."+timestamp+"."+string(body)))
	req := t.post(t.Address, body)
	req.Header = http.Header{"Webhook-Id": {m.id}, "Webhook-Timestamp": {timestamp}, "Webhook-Signature": {"v1," + signature}}
	return req, nil
}
