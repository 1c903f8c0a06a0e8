package literal

import (
	"encoding/json"
	"errors"
	"strings"

	"dibao/internal/lazyregexp"
)

// errNoJSON is the error for a response that is neither JSON nor JSONP.
var errNoJSON = errors.New("this is not valid JSON")

// jsonp matches the call or assignment around a JSONP response.
var jsonp = lazyregexp.New(`^\s*(?:/\*.{0,200}?\*/\s*)?(?:try\s*\{\s*)?(?:(?:var|let|const|window)[\s.]+)?[\w.$\[\]"']{1,100}\s*(?:&&\s*[\w.$]{1,100}\s*)?[=(]\s*[{\["']`)

// IsJSON reports whether a body is a JSON object or array, possibly after a
// byte order mark, or wrapped in a call (JSONP).
func IsJSON(body []byte) bool {
	head := strings.TrimLeft(string(body[:min(len(body), 400)]), "\uFEFF \t\r\n")
	switch {
	case head == "":
		return false
	case head[0] == '{' || head[0] == '[':
		return true
	}
	return head[0] != '<' && jsonp.MatchString(head)
}

// ParseJSON parses JSON, JSONP, or a similar literal of a script.
func ParseJSON(text string) (any, error) {
	text = strings.TrimLeft(text, "\uFEFF \t\r\n")
	if text == "" {
		return nil, errNoJSON
	}
	if text[0] != '{' && text[0] != '[' {
		m := jsonp.FindStringIndex(text[:min(len(text), 800)])
		if m == nil {
			return nil, errNoJSON
		}
		text = text[m[1]-1:]
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var doc any
	if d.Decode(&doc) == nil {
		if inner, ok := doc.(string); ok && IsJSON([]byte(inner)) {
			return ParseJSON(inner)
		}
		return Unpack(doc), nil
	}
	doc, _, ok := Value(text, 0)
	if _, isText := doc.(string); !ok || isText {
		return nil, errNoJSON
	}
	return doc, nil
}

// maxPacked is the maximum depth at which JSON is parsed in the strings of JSON.
const maxPacked = 2

// Unpack parses the strings of a value that are JSON objects or arrays themselves:
// {"data":"{\"rows\":[…]}"}.
func Unpack(v any) any { return unpacked(v, 0) }

func unpacked(v any, depth int) any {
	switch x := v.(type) {
	case map[string]any:
		for name, value := range x {
			x[name] = unpacked(value, depth)
		}
	case []any:
		for i, value := range x {
			x[i] = unpacked(value, depth)
		}
	case string:
		text := strings.TrimSpace(x)
		if depth == maxPacked || len(text) < 20 || text[0] != '{' && text[0] != '[' {
			return v
		}
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		var inner any
		if d.Decode(&inner) == nil && !d.More() {
			return unpacked(inner, depth+1)
		}
	}
	return v
}
