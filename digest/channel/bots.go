package channel

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"dibao/internal/fetch"
)

// The bots answer 200 even if they refuse a message: the body says whether they do.

// wecomLimit is the maximum size of a Markdown message, in bytes of UTF-8. Source:
// developer.work.weixin.qq.com/document/path/91770.
const wecomLimit = 4096

func wecomRequest(t target, m message) (fetch.Request, error) {
	content, err := fit(m.Card, wecomLimit, func(c Card) string {
		lines := append([]string{"**" + forMarkdown.Replace(c.Title) + "**"}, c.lines(markdownLink, forMarkdown.Replace)...)
		return strings.Join(append(lines, markdownLink(c.Archive)), "\n")
	}, bytesOf)
	if err != nil {
		return fetch.Request{}, err
	}
	body, err := json.Marshal(map[string]any{"msgtype": "markdown", "markdown": map[string]string{"content": content}})
	return t.post(t.secret.address, body), err
}

// botAnswer is the response of bots of WeCom and DingTalk.
type botAnswer struct {
	Code *int   `json:"errcode"`
	Text string `json:"errmsg"`
}

func readBotAnswer(body []byte) (a botAnswer, ok bool) {
	err := json.Unmarshal(body, &a)
	return a, err == nil && a.Code != nil
}

func wecomVerdict(body []byte) verdict {
	a, ok := readBotAnswer(body)
	if !ok {
		return notUnderstood(body)
	}
	text := fmt.Sprintf("%d %s", *a.Code, a.Text)
	switch *a.Code {
	case 0:
		return verdict{state: stateSent}
	case 45009, 45033: // too many calls per minute, or at the same time
		return verdict{state: stateWaiting, text: text, limited: true}
	case -1: // the system is busy
		return verdict{state: stateWaiting, text: text}
	case 93000, 93008: // not the address of a bot, or the bot is not in the group
		return verdict{state: stateFailed, text: text, advice: "the bot was removed from the group, or its address is wrong; add a bot and write its address into the secret file"}
	}
	return verdict{state: stateFailed, text: text}
}

// feishuLimit is the maximum size of a request: 20 kB. Source:
// open.feishu.cn/document/client-docs/bot-v3/add-custom-bot.
const feishuLimit = 20_000

// feishuText is an element of a rich text (post).
type feishuText struct {
	Tag  string `json:"tag"` // text or a
	Text string `json:"text"`
	URL  string `json:"href,omitempty"`
}

func feishuRequest(t target, m message) (fetch.Request, error) {
	head := map[string]any{"msg_type": "post"}
	if t.secret.token != "" {
		// The string is the key of the HMAC; the signed text is empty.
		timestamp := strconv.FormatInt(m.at.Unix(), 10)
		head["timestamp"], head["sign"] = timestamp, base64.StdEncoding.EncodeToString(hmac256(timestamp+"\n"+t.secret.token, ""))
	}
	language := map[string]string{"zh": "zh_cn"}[m.Language]
	if language == "" {
		language = "en_us"
	}
	var failed error
	body, err := fit(m.Card, feishuLimit, func(c Card) string {
		var rows [][]feishuText
		for i, it := range c.Items {
			rows = append(rows, []feishuText{{Tag: "text", Text: fmt.Sprintf("%d. ", i+1)}, {Tag: "a", Text: it.Title, URL: it.URL}})
		}
		if more := c.more(); more != "" {
			rows = append(rows, []feishuText{{Tag: "text", Text: more}})
		}
		rows = append(rows, []feishuText{{Tag: "a", Text: c.Archive.Title, URL: c.Archive.URL}})
		head["content"] = map[string]any{"post": map[string]any{language: map[string]any{"title": c.Title, "content": rows}}}
		text, err := json.Marshal(head)
		failed = err
		return string(text)
	}, bytesOf)
	if err == nil {
		err = failed
	}
	return t.post(t.secret.address, []byte(body)), err
}

func feishuVerdict(body []byte) verdict {
	var a struct {
		Code    *int   `json:"code"`
		Text    string `json:"msg"`
		Status  *int   `json:"StatusCode"` // used by older bots
		Message string `json:"StatusMessage"`
	}
	if json.Unmarshal(body, &a) != nil || a.Code == nil && a.Status == nil {
		return notUnderstood(body)
	}
	if a.Code == nil {
		a.Code, a.Text = a.Status, a.Message
	}
	text := fmt.Sprintf("%d %s", *a.Code, a.Text)
	tooMany := strings.Contains(strings.ToLower(a.Text), "too many request") || strings.Contains(strings.ToLower(a.Text), "frequency limit")
	switch {
	case *a.Code == 0:
		return verdict{state: stateSent}
	case *a.Code == 11232 || tooMany: // 9499 means a bad request or too many requests
		return verdict{state: stateWaiting, text: text, limited: true}
	case *a.Code == 19001:
		return verdict{state: stateFailed, text: text, advice: "the bot was removed, or its address is wrong; write the address of the bot into the secret file"}
	case *a.Code == 19021:
		return verdict{state: stateFailed, text: text, advice: "check the second line of the secret file (the key of 签名校验) and the clock of this machine"}
	case *a.Code == 19022:
		return verdict{state: stateFailed, text: text, advice: "add the address of this machine to the IP 白名单 of the bot"}
	case *a.Code == 19024:
		return verdict{state: stateFailed, text: text, advice: "the card has none of the bot's 自定义关键词; add a word of the list's title to them, or use 签名校验 instead"}
	}
	return verdict{state: stateFailed, text: text}
}

// dingtalkLimit is the maximum size of a request, in bytes. Source:
// open.dingtalk.com/document/robots/custom-robot-access (message too long, exceed 20000 bytes).
const dingtalkLimit = 20_000

func dingtalkRequest(t target, m message) (fetch.Request, error) {
	var failed error
	body, err := fit(m.Card, dingtalkLimit, func(c Card) string {
		lines := append([]string{"#### " + forMarkdown.Replace(c.Title)}, c.lines(markdownLink, forMarkdown.Replace)...)
		text, err := json.Marshal(map[string]any{"msgtype": "actionCard", "actionCard": map[string]string{
			"title": c.Title, "text": strings.Join(lines, "\n\n"), "singleTitle": c.Archive.Title, "singleURL": c.Archive.URL,
		}})
		failed = err
		return string(text)
	}, bytesOf)
	if err == nil {
		err = failed
	}
	if err != nil {
		return fetch.Request{}, err
	}
	address := t.secret.address
	if t.secret.token != "" {
		u, err := url.Parse(address)
		if err != nil {
			return fetch.Request{}, fmt.Errorf("the address in %s can't be read", t.SecretFile)
		}
		timestamp := strconv.FormatInt(m.at.UnixMilli(), 10)
		query := u.Query()
		query.Set("timestamp", timestamp)
		query.Set("sign", base64.StdEncoding.EncodeToString(hmac256(t.secret.token, timestamp+"\n"+t.secret.token)))
		u.RawQuery = query.Encode()
		address = u.String()
	}
	return t.post(address, []byte(body)), nil
}

func dingtalkVerdict(body []byte) verdict {
	a, ok := readBotAnswer(body)
	if !ok {
		return notUnderstood(body)
	}
	text := fmt.Sprintf("%d %s", *a.Code, a.Text)
	v := verdict{state: stateFailed, text: text}
	switch *a.Code {
	case 0:
		return verdict{state: stateSent}
	case -1: // the system is busy
		v.state = stateWaiting
	case 130101, 410100, 90030:
		v.state, v.limited = stateWaiting, true
	case 310000: // one code for the three checks of a bot
		switch {
		case strings.Contains(a.Text, "keyword"):
			v.advice = "the card has none of the bot's 自定义关键词; add a word of the list's title to them, or use 加签 instead"
		case strings.Contains(a.Text, "sign") || strings.Contains(a.Text, "timestamp"):
			v.advice = "check the second line of the secret file (the key of 加签, SEC…) and the clock of this machine"
		case strings.Contains(a.Text, "ip"):
			v.advice = "add the address of this machine to the IP 地址 of the bot"
		}
	case 300001, 300005, 400101, 400106:
		v.advice = "the bot was removed, or its address is wrong; write the address of the bot into the secret file"
	case 400013, 400102:
		v.advice = "the group was deleted, or the bot is switched off"
	}
	return v
}

func hmac256(key, text string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text)) // never fails
	return h.Sum(nil)
}
