// Package channeltest contains servers for tests that enforce the published rules of the
// services: addresses and keys, signatures, lengths, rates, and error codes.
package channeltest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"
)

// The secrets of every server. The secrets of bots also contain the name of the group.
const (
	SigningKey = "SECsigningkey0123456789abcdef"
	Token      = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
	HookSecret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
)

// Post is a message that a group sees.
type Post struct {
	Group string
	ID    string // id of a webhook message or a Matrix transaction
	Text  string // the whole message as it was sent
}

// Server is a service of one kind.
type Server struct {
	*httptest.Server
	Kind string
	Now  func() time.Time
	// Before is called with each valid request before it is posted; it may answer by
	// itself, such as with an error, by returning true. nil does nothing.
	Before func(w http.ResponseWriter, group string) (answered bool)
	// After is called when a message was posted but not answered yet.
	After func(group string)

	mu      sync.Mutex
	posts   []Post
	times   map[string][]time.Time // when each group got a message
	blocked map[string]time.Time   // end of the block of each group
	events  map[string]bool        // transactions of Matrix
}

// New starts a server of a kind.
func New(t testing.TB, kind string, now func() time.Time) *Server {
	s := &Server{Kind: kind, Now: now, times: make(map[string][]time.Time), blocked: make(map[string]time.Time), events: make(map[string]bool)}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

// Channel returns the address, the room and the contents of the secret file of a group.
func (s *Server) Channel(group string) (address, room, secret string) {
	switch s.Kind {
	case "wecom":
		return "", "", s.URL + "/cgi-bin/webhook/send?key=" + group
	case "feishu":
		return "", "", s.URL + "/open-apis/bot/v2/hook/" + group + "\n" + SigningKey
	case "dingtalk":
		return "", "", s.URL + "/robot/send?access_token=" + group + "\n" + SigningKey
	case "matrix":
		return s.URL, "!" + group + ":example.org", Token
	case "webhook":
		return s.URL + "/" + group, "", HookSecret
	}
	return s.URL, group, Token
}

// Posts returns what was posted to a group, or to all groups if the name is "".
func (s *Server) Posts(group string) (posts []Post) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.posts {
		if group == "" || p.Group == group {
			posts = append(posts, p)
		}
	}
	return posts
}

// post is a request that was found to be valid.
type post struct {
	Post
	ok, tooMany func(w http.ResponseWriter)
	perMinute   int
	repeated    bool
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender stopped in the middle: nothing was posted
	}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") || !json.Valid(body) {
		http.Error(w, "no JSON", http.StatusUnsupportedMediaType)
		return
	}
	p := map[string]func(http.ResponseWriter, *http.Request, []byte) *post{
		"wecom": s.wecom, "feishu": s.feishu, "dingtalk": s.dingtalk, "telegram": s.telegram, "ntfy": s.ntfy, "matrix": s.matrix, "webhook": s.webhook,
	}[s.Kind](w, r, body)
	if p == nil || s.Before != nil && s.Before(w, p.Group) {
		return
	}
	if !s.record(*p) {
		p.tooMany(w)
		return
	}
	if s.After != nil {
		s.After(p.Group)
	}
	p.ok(w)
}

// record stores a message, unless its group has received too many.
func (s *Server) record(p post) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	if now.Before(s.blocked[p.Group]) {
		return false
	}
	n := 0
	for _, at := range s.times[p.Group] {
		if now.Sub(at) < time.Minute {
			n++
		}
	}
	if n >= p.perMinute {
		if s.Kind == "dingtalk" {
			s.blocked[p.Group] = now.Add(10 * time.Minute)
		}
		return false
	}
	s.times[p.Group] = append(s.times[p.Group], now)
	if !p.repeated {
		s.posts = append(s.posts, p.Post)
	}
	return true
}

// answer writes a JSON document.
func answer(status int, format string, args ...any) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, format, args...)
	}
}

func (s *Server) wecom(w http.ResponseWriter, r *http.Request, body []byte) *post {
	var m struct {
		Type     string `json:"msgtype"`
		Markdown struct {
			Content string `json:"content"`
		} `json:"markdown"`
	}
	_ = json.Unmarshal(body, &m) // missing values are refused below
	key := r.URL.Query().Get("key")
	switch {
	case r.Method != http.MethodPost || r.URL.Path != "/cgi-bin/webhook/send" || key == "":
		answer(200, `{"errcode":93000,"errmsg":"invalid webhook url, hint: [1]"}`)(w)
	case m.Type != "markdown" || m.Markdown.Content == "":
		answer(200, `{"errcode":40008,"errmsg":"invalid message type"}`)(w)
	case len(m.Markdown.Content) > 4096:
		answer(200, `{"errcode":40058,"errmsg":"markdown.content exceed max length 4096"}`)(w)
	default:
		return &post{Post{key, "", m.Markdown.Content}, answer(200, `{"errcode":0,"errmsg":"ok"}`), answer(200, `{"errcode":45009,"errmsg":"api freq out of limit, hint: [1]"}`), 20, false}
	}
	return nil
}

func mac(key, text string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func (s *Server) isRecent(unix string, unit, within time.Duration) bool {
	n, err := strconv.ParseInt(unix, 10, 64)
	return err == nil && s.Now().Sub(time.Unix(0, n*int64(unit))).Abs() < within
}

func (s *Server) feishu(w http.ResponseWriter, r *http.Request, body []byte) *post {
	var m struct {
		Timestamp string `json:"timestamp"`
		Sign      string `json:"sign"`
		Type      string `json:"msg_type"`
		Content   struct {
			Post map[string]struct {
				Title   string `json:"title"`
				Content [][]struct {
					Tag, Text, Href string
				} `json:"content"`
			} `json:"post"`
		} `json:"content"`
	}
	_ = json.Unmarshal(body, &m) // missing values are refused below
	group, found := strings.CutPrefix(r.URL.Path, "/open-apis/bot/v2/hook/")
	var text strings.Builder
	for _, p := range m.Content.Post {
		text.WriteString(p.Title)
		for _, row := range p.Content {
			text.WriteString("\n")
			for _, e := range row {
				text.WriteString(e.Text + " " + e.Href)
			}
		}
	}
	switch {
	case r.Method != http.MethodPost || !found || group == "":
		answer(200, `{"code":19001,"msg":"param invalid: incoming webhook access token invalid"}`)(w)
	case m.Sign != mac(m.Timestamp+"\n"+SigningKey, "") || !s.isRecent(m.Timestamp, time.Second, time.Hour):
		answer(200, `{"code":19021,"msg":"sign match fail or timestamp is not within one hour from current time"}`)(w)
	case m.Type != "post" || len(m.Content.Post) != 1 || len(body) > 20<<10:
		answer(200, `{"code":9499,"msg":"Bad Request"}`)(w)
	default:
		return &post{Post{group, "", text.String()}, answer(200, `{"code":0,"msg":"success","data":{},"StatusCode":0,"StatusMessage":"success"}`), answer(200, `{"code":11232,"msg":"frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]"}`), 100, false}
	}
	return nil
}

func (s *Server) dingtalk(w http.ResponseWriter, r *http.Request, body []byte) *post {
	var m struct {
		Type string `json:"msgtype"`
		Card struct{ Title, Text, SingleTitle, SingleURL string }
	}
	var raw struct {
		ActionCard json.RawMessage `json:"actionCard"`
	}
	_ = json.Unmarshal(body, &m) // missing values are refused below
	_ = json.Unmarshal(body, &raw)
	_ = json.Unmarshal(raw.ActionCard, &m.Card)
	q := r.URL.Query()
	group := q.Get("access_token")
	switch {
	case r.Method != http.MethodPost || r.URL.Path != "/robot/send" || group == "":
		answer(200, `{"errcode":300005,"errmsg":"token is not exist"}`)(w)
	case q.Get("sign") != mac(SigningKey, q.Get("timestamp")+"\n"+SigningKey) || !s.isRecent(q.Get("timestamp"), time.Millisecond, time.Hour):
		answer(200, `{"errcode":310000,"errmsg":"sign not match, more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]"}`)(w)
	case len(body) > 20000:
		answer(200, `{"errcode":460101,"errmsg":"message too long, exceed 20000 bytes"}`)(w)
	case m.Type != "actionCard" || m.Card.Title == "" || m.Card.Text == "" || m.Card.SingleTitle == "" || m.Card.SingleURL == "":
		answer(200, `{"errcode":40035,"errmsg":"invalid parameter"}`)(w)
	default:
		return &post{Post{group, "", m.Card.Text + "\n" + m.Card.SingleURL}, answer(200, `{"errcode":0,"errmsg":"ok"}`), answer(200, `{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}`), 20, false}
	}
	return nil
}

var htmlTag = regexp.MustCompile(`</?(b|a)( href="[^"<>]*")?>`)

func (s *Server) telegram(w http.ResponseWriter, r *http.Request, body []byte) *post {
	var m struct {
		Chat string `json:"chat_id"`
		Text string `json:"text"`
		Mode string `json:"parse_mode"`
	}
	_ = json.Unmarshal(body, &m) // missing values are refused below
	plain := htmlTag.ReplaceAllString(m.Text, "")
	switch {
	case r.URL.Path != "/bot"+Token+"/sendMessage":
		answer(401, `{"ok":false,"error_code":401,"description":"Unauthorized"}`)(w)
	case m.Chat == "":
		answer(400, `{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}`)(w)
	case m.Text == "" || m.Mode != "HTML" || strings.ContainsAny(plain, "<>"):
		answer(400, `{"ok":false,"error_code":400,"description":"Bad Request: can't parse entities"}`)(w)
	case len(utf16.Encode([]rune(plain))) > 4096:
		answer(400, `{"ok":false,"error_code":400,"description":"Bad Request: message is too long"}`)(w)
	default:
		return &post{Post{m.Chat, "", m.Text}, answer(200, `{"ok":true,"result":{"message_id":1}}`), answer(429, `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 35","parameters":{"retry_after":35}}`), 20, false}
	}
	return nil
}

func (s *Server) ntfy(w http.ResponseWriter, r *http.Request, body []byte) *post {
	var m struct{ Topic, Title, Message, Click string }
	_ = json.Unmarshal(body, &m) // missing values are refused below
	switch {
	case r.Header.Get("Authorization") != "Bearer "+Token:
		answer(401, `{"code":40101,"http":401,"error":"unauthorized"}`)(w)
	case r.URL.Path != "/" || m.Topic == "" || m.Message == "":
		answer(400, `{"code":40024,"http":400,"error":"invalid request: body must be valid JSON"}`)(w)
	case len(m.Message) > 4096:
		answer(413, `{"code":41301,"http":413,"error":"attachment too large, or bandwidth limit reached"}`)(w)
	default:
		return &post{Post{m.Topic, "", m.Title + "\n" + m.Message + "\n" + m.Click}, answer(200, `{"id":"hwQ2YpKdmg","time":1735541570,"event":"message","topic":"t"}`), answer(429, `{"code":42901,"http":429,"error":"limit reached: too many requests"}`), 60, false}
	}
	return nil
}

func (s *Server) matrix(w http.ResponseWriter, r *http.Request, body []byte) *post {
	var m struct {
		Type      string `json:"msgtype"`
		Body      string `json:"body"`
		Formatted string `json:"formatted_body"`
	}
	_ = json.Unmarshal(body, &m) // missing values are refused below
	rest, found := strings.CutPrefix(r.URL.Path, "/_matrix/client/v3/rooms/!")
	room, id, inRoom := strings.Cut(rest, "/send/m.room.message/")
	switch {
	case r.Header.Get("Authorization") != "Bearer "+Token:
		answer(401, `{"errcode":"M_UNKNOWN_TOKEN","error":"Unrecognized access token"}`)(w)
	case r.Method != http.MethodPut || !found || !inRoom || id == "":
		answer(404, `{"errcode":"M_UNRECOGNIZED","error":"Unrecognized request"}`)(w)
	case m.Type != "m.text" || m.Body == "" || m.Formatted == "":
		answer(400, `{"errcode":"M_BAD_JSON","error":"no body"}`)(w)
	case len(body) > 64<<10:
		answer(413, `{"errcode":"M_TOO_LARGE","error":"event too large"}`)(w)
	default:
		s.mu.Lock()
		repeated := s.events[id]
		s.events[id] = true
		s.mu.Unlock()
		return &post{Post{strings.TrimSuffix(room, ":example.org"), id, m.Body}, answer(200, `{"event_id":"$event"}`), answer(429, `{"errcode":"M_LIMIT_EXCEEDED","error":"Too Many Requests","retry_after_ms":2000}`), 60, repeated}
	}
	return nil
}

func (s *Server) webhook(w http.ResponseWriter, r *http.Request, body []byte) *post {
	id, timestamp := r.Header.Get("Webhook-Id"), r.Header.Get("Webhook-Timestamp")
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(HookSecret, "whsec_"))
	if err != nil || id == "" || r.Header.Get("Webhook-Signature") != "v1,"+mac(string(key), id+"."+timestamp+"."+string(body)) || !s.isRecent(timestamp, time.Second, 5*time.Minute) {
		answer(401, `{"error":"the signature is wrong"}`)(w)
		return nil
	}
	return &post{Post{strings.TrimPrefix(r.URL.Path, "/"), id, string(body)}, answer(204, ""), answer(429, ""), 1000, false}
}
