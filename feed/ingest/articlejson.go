package ingest

import (
	"bytes"
	"encoding/json"
	"html"
	"slices"
	"strings"

	"dibao/feed/ingest/decode"
	"dibao/feed/ingest/sanitize"
	"dibao/policy/when"
)

// These are the names of JSON members that contain an article's text and its
// metadata, in lower case and without underscores. The first one with a value
// counts.
var (
	jsonBodies = strings.Fields(`content contenthtml htmlcontent doccontent dochtmlcon articlecontent infocontent newscontent articlebody txt text body html detail zw nr`)
	jsonTitles = strings.Fields(`title doctitle articletitle infotitle newstitle headline subject bt name`)
	jsonHead   = []struct {
		label string
		keys  []string
	}{
		{"发布时间", strings.Fields(`publishtime publishdate pubdate pubtime publishedat publishedtime docreltime docpubtime releasetime releasedate fbsj fbrq displaytime showtime date time createtime`)},
		{"来源", strings.Fields(`source docsource docsourcename sourcename infosource ly xxly`)},
		{"作者", strings.Fields(`author docauthor authorname zz`)},
		{"发文字号", strings.Fields(`documentno docno fileno filenum wh fwzh`)},
	}
)

// Limits on a response.
const (
	maxJSONNodes = 50000
	maxJSONDepth = 12
)

// articleOfJSON turns a JSON response that contains an article into the page
// that a script would render from it. It reports whether the body is such a
// response.
func articleOfJSON(p Page, override string) (page Page, ok bool) {
	text, _ := decode.Text(p.Body, p.ContentType, override)
	text = strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
	if !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
		return p, false
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return p, false
	}
	var best map[string]any
	most, left := 0, maxJSONNodes
	var walk func(v any, depth int)
	walk = func(v any, depth int) {
		if left--; left < 0 || depth > maxJSONDepth {
			return
		}
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				walk(x, depth+1)
			}
		case map[string]any:
			if body := bodyMember(v); runes(body) > most && readsAsProse(plainText(body)) {
				best, most = v, runes(body)
			}
			for _, x := range v {
				walk(x, depth+1)
			}
		}
	}
	walk(v, 0)
	if best == nil {
		return p, false
	}
	return Page{URL: p.URL, ContentType: "text/html; charset=utf-8", Body: drawArticle(best)}, true
}

// bodyMember returns the text of an object; its markup may be escaped once more.
func bodyMember(object map[string]any) string {
	body := member(object, jsonBodies)
	if strings.Contains(body, "&lt;") && !strings.Contains(body, "<") {
		return html.UnescapeString(body)
	}
	return body
}

// answerOfJSON returns the message of a JSON response without an article, such
// as that it does not exist; it reports whether the body is JSON.
func answerOfJSON(p Page, override string) (says string, ok bool) {
	text, _ := decode.Text(p.Body, p.ContentType, override)
	text = strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
	if !strings.HasPrefix(text, "{") {
		return "", false
	}
	var object map[string]any
	if json.Unmarshal([]byte(text), &object) != nil {
		return "", false
	}
	return clip(firstOf(member(object, []string{"msg", "message", "error", "errmsg"}), text), 60), true
}

// member returns the string at the first of the keys that has one.
func member(object map[string]any, keys []string) string {
	for _, key := range keys {
		for name, v := range object {
			if strings.TrimSuffix(strings.ReplaceAll(strings.ToLower(name), "_", ""), "str") != key {
				continue
			}
			switch v := v.(type) {
			case string:
				if strings.TrimSpace(v) != "" {
					return v
				}
			case json.Number:
				if n := v.String(); len(n) >= len("1600000000") {
					return n
				}
			}
		}
	}
	return ""
}

// drawArticle renders the article as a page.
func drawArticle(object map[string]any) []byte {
	var b bytes.Buffer
	title := html.EscapeString(plainText(member(object, jsonTitles)))
	b.WriteString("<!DOCTYPE html><html><head><title>" + title + "</title></head><body><h1>" + title + "</h1>")
	for _, x := range jsonHead {
		value := plainText(member(object, x.keys))
		if w, ok := when.Read(value, when.Clock{Zone: when.Shanghai}); ok && len(value) >= 10 && strings.Trim(value, "0123456789") == "" {
			value = stampOf(w) // seconds since 1970
		}
		if value != "" {
			b.WriteString("<div>" + x.label + "：" + html.EscapeString(value) + "</div>")
		}
	}
	b.WriteString(`<div id="zoom">`)
	body := bodyMember(object)
	if !looksLikeHTML.MatchString(body) {
		lines := slices.DeleteFunc(strings.Split(body, "\n"), func(s string) bool { return strings.TrimSpace(s) == "" })
		body = sanitize.Paragraphs(lines)
	}
	b.WriteString(body + "</div></body></html>")
	return b.Bytes()
}
