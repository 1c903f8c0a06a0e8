package markup

import (
	"strings"

	"golang.org/x/net/html"
)

const (
	maxToken = 1 << 20 // bytes that the tokenizer keeps
	maxAttrs = 256     // attributes of one tag
	overlap  = 16      // bytes; longer than any end tag of an element with raw text
)

// tokens reads the tokens of markup in linear time and with little memory.
// After a tag with many attributes, the tokenizer of x/net/html takes more time
// for each later tag, so it is then replaced by a new one.
type tokens struct {
	z         *html.Tokenizer
	text      string
	start, at int    // the token is text[start:at]
	name      string // name of the tag
	attrs     int    // attributes of the tag
	raw       string // the element whose raw text, which contains no tags, comes next
	// broken says that a token was cut because of its length, so that the tree builder may
	// parse what follows in a different way.
	broken bool
}

func newTokens(text string) *tokens {
	t := &tokens{text: text}
	t.restart()
	return t
}

func (t *tokens) restart() {
	t.z = html.NewTokenizerFragment(strings.NewReader(t.text[t.at:]), t.raw)
	t.z.SetMaxBuf(maxToken)
}

// next reads a token. Its text is that of t.z until the next call.
func (t *tokens) next() html.TokenType {
	if t.attrs > maxAttrs {
		t.restart()
	}
	t.attrs, t.name = 0, ""
	kind := t.z.Next()
	if kind == html.ErrorToken && t.z.Err() == html.ErrBufferExceeded {
		if len(t.z.Raw()) > 0 { // a tag
			t.broken = true
		}
		t.at += len(t.z.Raw())
		t.restart()
		kind = t.z.Next()
	}
	length := len(t.z.Raw())
	t.start, t.at = t.at, t.at+length
	switch kind {
	case html.TextToken:
		if length >= maxToken {
			t.cutText()
		} else {
			t.raw = ""
		}
	case html.CommentToken, html.DoctypeToken:
		t.broken = t.broken || length >= maxToken
	case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
		t.readTag(kind)
	}
	return kind
}

// cutText continues after a text that was too long for the tokenizer.
func (t *tokens) cutText() {
	text := t.text[t.start:t.at]
	switch {
	case t.raw == "":
		t.broken = t.broken || strings.Contains(text[len(text)-overlap:], "<")
	case t.raw == "script" && strings.Contains(text, "<!--"):
		t.broken = true // only the whole script shows which of its end tags ends it
	default:
		t.at -= overlap // may contain the beginning of the end tag
	}
}

func (t *tokens) readTag(kind html.TokenType) {
	name, more := t.z.TagName()
	t.name = string(name)
	for more {
		_, _, more = t.z.TagAttr()
		t.attrs++
	}
	t.raw = ""
	if kind == html.EndTagToken {
		return
	}
	switch t.name {
	case "iframe", "noembed", "noframes", "plaintext", "script", "style", "textarea", "title", "xmp":
		t.raw = t.name
	case "noscript":
		t.z.NextIsNotRawText() // as the tree builder does if scripts are disabled
	}
}
