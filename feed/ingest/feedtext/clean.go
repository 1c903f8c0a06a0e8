// Package feedtext prepares the text of a feed for the feed parser: it corrects common
// errors of sites, and refuses text that is built to exhaust a parser.
package feedtext

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"dibao/internal/lazyregexp"
)

// Limits on a feed.
const (
	MaxItems = 2000 // that are read

	maxDepth = 64
	maxNames = 64 // xmlns attributes in scope at one element
)

var (
	// feedStart matches the beginning of a feed: a warning of the program that wrote it, or
	// whitespace, may precede it.
	feedStart      = lazyregexp.New(`(?i)<(?:\?xml|!doctype|(?:[a-z][\w.-]{0,30}:)?(?:rss|feed|rdf|channel))[\s>]`)
	cutEnd         = lazyregexp.New(`(?i)</(?:[\w.-]{1,30}:)?(?:rss|feed|rdf|channel)\s*$`)
	charRef        = lazyregexp.New(`&#(?:\d{1,9}|[xX][0-9a-fA-F]{1,8});`)
	xmlDeclaration = lazyregexp.New(`<\?xml[^>]{0,400}\?>`)
	isHTML         = lazyregexp.New(`(?i)^\s*(?:<!--.{0,400}?-->\s*)*<(?:!doctype html|html|head|body|script|meta)\b`)
)

// XML prepares decoded text for the feed parser: it removes the XML declaration, whose
// character set no longer applies, characters that XML 1.0 forbids, and everything before
// the root. It returns the name of the root in lower case.
func XML(text string) (cleaned, root string, err error) {
	head := text[:min(len(text), 64<<10)]
	at := feedStart.FindStringIndex(head)
	if isHTML.MatchString(head) {
		return "", "", errors.New("this is an HTML page, not a feed")
	}
	if at == nil {
		return "", "", errors.New("this is not a feed: it has no rss, feed or RDF element")
	}
	text = text[at[0]:]
	head = text[:min(len(text), 64<<10)]
	if strings.Contains(head, "<!ENTITY") {
		return "", "", errors.New("the feed declares entities, which are not supported")
	}
	text = WithoutDeclaration(text)
	if tail := text[max(0, len(text)-100):]; cutEnd.MatchString(tail) {
		text += ">"
	}
	if text, root, err = Check(text); err != nil {
		return "", "", err
	}
	if root == "channel" && strings.Contains(head, "<CHANNEL") {
		return "", "cdf", nil
	}
	if strings.Contains(text, "&#") {
		text = charRef.ReplaceAllStringFunc(text, dropForbidden)
	}
	return mapElements(text, root), root, nil
}

// dropForbidden removes references to characters that XML 1.0 forbids: a form feed from a
// word processor in one item must not make the whole feed unreadable.
func dropForbidden(ref string) string {
	digits, base := strings.Trim(ref, "&#;"), 10
	if digits[0] == 'x' || digits[0] == 'X' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseInt(digits, base, 32)
	if r := rune(n); err != nil || dropControl(r) < 0 || !utf8.ValidRune(r) {
		return ""
	}
	return ref
}

func dropControl(r rune) rune {
	if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
		return -1
	}
	return r
}

// WithoutDeclaration removes the declaration of an XML text, whose character set no longer
// applies, and characters that XML 1.0 forbids.
func WithoutDeclaration(text string) string {
	head := text[:min(len(text), 64<<10)]
	return strings.Map(dropControl, xmlDeclaration.ReplaceAllString(head, "")+text[len(head):])
}

// Check refuses documents that are built to exhaust a parser. It leaves broken markup to
// the parser, which is more tolerant. It returns the name of the root, and the text up to
// the first item that is not read.
func Check(text string) (kept, root string, err error) {
	d := newDecoder(text)
	var c depthChecker
	for {
		at := d.InputOffset()
		token, err := d.RawToken()
		if err != nil {
			return text, c.root, nil //nolint:nilerr // left to the parser
		}
		switch t := token.(type) {
		case xml.StartElement:
			if c.isItem(t.Name) {
				if c.items++; c.items > MaxItems+1 {
					return text[:at] + c.ends(), c.root, nil
				}
			}
			if err := c.begin(t); err != nil {
				return text, c.root, err
			}
		case xml.EndElement:
			c.open = c.open[:max(0, len(c.open)-1)]
		}
	}
}

// Complete returns the complete part of a truncated feed: up to the end of its last
// complete item, with end tags for the elements that are open there. It returns false if
// the feed is not truncated, or has no complete item.
func Complete(text string) (string, bool) {
	d := newDecoder(text)
	var c depthChecker
	var end int64 // end of the last complete item
	var ends string
	for {
		token, err := d.RawToken()
		if err != nil {
			var syntax *xml.SyntaxError
			truncated := err == io.EOF && len(c.open) > 0 || errors.As(err, &syntax) && strings.HasPrefix(syntax.Msg, "unexpected EOF")
			return text[:end] + ends, truncated && end > 0
		}
		switch t := token.(type) {
		case xml.StartElement:
			if err := c.begin(t); err != nil {
				return "", false
			}
		case xml.EndElement:
			c.open = c.open[:max(0, len(c.open)-1)]
			if c.isItem(t.Name) {
				end, ends = d.InputOffset(), c.ends()
			}
		}
	}
}

func newDecoder(text string) *xml.Decoder {
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	return d
}

// depthChecker keeps track of the open elements of a feed.
type depthChecker struct {
	root  string // its name, in lower case
	open  []openElement
	items int // number so far
}

type openElement struct {
	name  xml.Name // with the prefix instead of the namespace
	names int      // xmlns attributes in scope
}

// isItem reports whether a start element begins an item of a feed: one directly below the
// root or the channel.
func (c *depthChecker) isItem(name xml.Name) bool {
	below := len(c.open) == 1 || len(c.open) == 2 && strings.EqualFold(c.open[1].name.Local, "channel")
	return below && (name.Local == "item" || name.Local == "entry")
}

func (c *depthChecker) begin(t xml.StartElement) error {
	n, ofRoot := 0, 0
	if len(c.open) > 0 {
		n, ofRoot = c.open[len(c.open)-1].names, c.open[0].names
	}
	if c.root == "" {
		c.root = strings.ToLower(t.Name.Local)
	}
	for _, a := range t.Attr {
		if a.Name.Space == "xmlns" || a.Name.Local == "xmlns" {
			n++
		}
	}
	// Declarations on the root alone cost nothing; a feed may have many of them.
	if len(c.open) > 0 && n > maxNames+ofRoot || len(c.open) >= maxDepth {
		return fmt.Errorf("the feed has more than %d nested elements, or more than %d namespaces on one element", maxDepth, maxNames)
	}
	c.open = append(c.open, openElement{t.Name, n})
	return nil
}

// ends returns the end tags of all open elements.
func (c *depthChecker) ends() string {
	var b strings.Builder
	for _, e := range slices.Backward(c.open) {
		name := e.name.Local
		if e.name.Space != "" {
			name = e.name.Space + ":" + name
		}
		b.WriteString("</" + name + ">")
	}
	return b.String()
}

// JSON prepares a JSON Feed for the feed parser, which stops at the first value of a wrong
// type: numbers become strings where strings are expected (the specification asks readers
// to do so); other values of a wrong type and items that are not objects are removed.
func JSON(text string) (string, error) {
	var doc map[string]any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&doc); err != nil {
		return "", fmt.Errorf("this is not valid JSON: %v", err)
	}
	version, _ := doc["version"].(string)
	items, ok := doc["items"].([]any)
	if !ok || !strings.Contains(version, "jsonfeed.org/version/") {
		return "", errors.New("this is JSON, but not a JSON Feed: it has no version or no list of items")
	}
	keepTyped(doc)
	kept := make([]any, 0, min(len(items), MaxItems+1))
	for _, it := range items {
		if m, ok := it.(map[string]any); ok && len(kept) <= MaxItems {
			keepTyped(m)
			kept = append(kept, m)
		}
	}
	doc["items"] = kept
	out, err := json.Marshal(doc)
	return string(out), err
}

// The types of the keys that are not strings (JSON Feed 1.1).
const (
	jsonText = iota
	jsonNumber
	jsonBool
	jsonStrings
	jsonObject
	jsonObjects
)

var jsonTypes = map[string]int{
	"expired": jsonBool, "size_in_bytes": jsonNumber, "duration_in_seconds": jsonNumber, "tags": jsonStrings,
	"author": jsonObject, "authors": jsonObjects, "attachments": jsonObjects, "hubs": jsonObjects,
}

func keepTyped(m map[string]any) {
	for key, value := range m {
		if key == "items" {
			continue
		}
		if v, ok := typed(jsonTypes[key], value); ok && !strings.HasPrefix(key, "_") {
			m[key] = v
		} else {
			delete(m, key)
		}
	}
}

func typed(want int, value any) (any, bool) {
	switch v := value.(type) {
	case string:
		return v, want == jsonText
	case json.Number:
		if want == jsonNumber {
			n, err := v.Int64()
			return n, err == nil
		}
		return v.String(), want == jsonText
	case bool:
		return v, want == jsonBool
	case map[string]any:
		keepTyped(v)
		return v, want == jsonObject
	case []any:
		kept := []any{}
		for _, x := range v {
			switch x := x.(type) {
			case string:
				if want == jsonStrings {
					kept = append(kept, x)
				}
			case map[string]any:
				if want == jsonObjects {
					keepTyped(x)
					kept = append(kept, x)
				}
			}
		}
		return kept, want == jsonStrings || want == jsonObjects
	}
	return nil, false
}
