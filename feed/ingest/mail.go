package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"dibao/feed/ingest/sanitize"
	"dibao/feed/ingest/textblock"
	"dibao/policy/warn"

	"github.com/PuerkitoBio/goquery"
	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // GBK, Big5 and others
	"github.com/emersion/go-message/mail"

	"dibao/internal/lazyregexp"
	"dibao/policy"
)

// mailReader reads a message of a mailbox, such as a newsletter of a ministry.
type mailReader struct{}

var _ Reader = mailReader{}

const maxMailParts = 100

// webVersion matches the text of a message's link to its version on the web.
var webVersion = lazyregexp.New(`(?i)在线阅读|网页版|浏览器(?:中|里)?(?:查看|打开|阅读)|查看原文|阅读原文|view (?:this|it|online|in)|in (?:your|a) browser|web version`)

// Read returns the message as one item. Its address is that of its version on the web
// (Archived-At, RFC 5064, or a link that says so), or else its own id (RFC 2392).
func (mailReader) Read(p Page, src Source) ([]Item, error) {
	if len(p.Body) > maxFeedBytes {
		return nil, fmt.Errorf("the message is larger than %d MB", maxFeedBytes>>20)
	}
	r, err := mail.CreateReader(bytes.NewReader(p.Body))
	if err != nil && !message.IsUnknownCharset(err) {
		return nil, fmt.Errorf("the message can't be read: %w", err)
	}
	defer r.Close()
	subject, err := r.Header.Subject()
	if err != nil {
		subject = r.Header.Get("Subject")
	}
	id, err := r.Header.MessageID()
	if err != nil || id == "" {
		return nil, errors.New("the message has no Message-ID")
	}
	var plain, markup string
	files := 0
	for n := 0; n < maxMailParts; n++ {
		part, err := r.NextPart()
		if part == nil {
			if err != nil && !errors.Is(err, io.EOF) && plain+markup == "" {
				return nil, fmt.Errorf("the message can't be read: %w", err)
			}
			break
		}
		h, ok := part.Header.(*mail.InlineHeader)
		if !ok {
			files++
			continue
		}
		body, _ := io.ReadAll(io.LimitReader(part.Body, maxFeedBytes)) // up to the first error
		switch kind, _, _ := h.ContentType(); {
		case kind == "text/html" && markup == "":
			markup = string(body)
		case strings.HasPrefix(kind, "text/") && plain == "":
			plain = string(body)
		}
	}
	it := Item{GUID: id, URL: "mid:" + id, Title: clip(collapse(subject), maxTitle)}
	var blocks []string
	var tree *goquery.Selection
	if markup != "" {
		var warning warn.Warning
		if it.HTML, warning = sanitize.Markup(markup, ""); warning.Code != "" {
			it.Warnings = append(it.Warnings, warning)
		}
		tree = fromMarkup(it.HTML)
		blocks = textblock.Of(tree.Nodes[0])
	} else {
		blocks = strings.FieldsFunc(plain, func(r rune) bool { return r == '\n' })
		for i, b := range blocks {
			blocks[i] = collapse(b)
		}
		it.HTML = sanitize.Clean(sanitize.Paragraphs(blocks), "")
		tree = fromMarkup(it.HTML)
	}
	if address := strings.Trim(r.Header.Get("Archived-At"), "<> "); strings.HasPrefix(address, "http") {
		it.URL = address
	} else if address := webLink(tree); address != "" {
		it.URL = address
	}
	it.Evidence = policy.Evidence{
		URL: it.URL, Title: it.Title, SiteName: src.Name, Zone: src.Zone, Issuer: src.Issuer, Region: src.Region, Paragraphs: blocks,
	}
	if sent, err := r.Header.Date(); err == nil && !sent.IsZero() {
		it.Evidence.FeedPublished = &sent
	}
	if from, err := r.Header.AddressList("From"); err == nil && len(from) > 0 {
		it.Evidence.FeedAuthor = clip(collapse(from[0].Name), maxName)
	}
	if files > 0 {
		it.Warnings = append(it.Warnings, warn.New("files-left-in-mailbox", files))
	}
	if it.Title == "" && len(blocks) > 0 {
		it.Title = clip(blocks[0], 60)
	}
	return []Item{it}, nil
}

func webLink(tree *goquery.Selection) (address string) {
	tree.Find("a[href]").EachWithBreak(func(_ int, a *goquery.Selection) bool {
		if href := a.AttrOr("href", ""); strings.HasPrefix(href, "http") && webVersion.MatchString(collapse(a.Text())) {
			address = href
		}
		return address == ""
	})
	return address
}
