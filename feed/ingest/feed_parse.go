package ingest

import (
	"errors"
	"fmt"
	"html"
	"net/url"
	"strings"

	"github.com/mmcdole/gofeed"
	"github.com/mmcdole/gofeed/atom"
	jsonfeed "github.com/mmcdole/gofeed/json"
	"github.com/mmcdole/gofeed/rss"

	"dibao/feed/ingest/decode"
	"dibao/feed/ingest/feedtext"
	"dibao/internal/lazyregexp"
)

// parseFeed decodes the bytes, checks the limits and calls gofeed.
func parseFeed(p Page, override string) (feed *gofeed.Feed, truncated bool, err error) {
	if len(p.Body) > maxFeedBytes {
		return nil, false, fmt.Errorf("the feed is larger than %d MB", maxFeedBytes>>20)
	}
	body, err := decode.Gunzip(p.Body, maxFeedBytes)
	if err != nil {
		return nil, false, err
	}
	text, _ := decode.Text(body, p.ContentType, override)
	text = strings.TrimLeft(text, " \t\r\n\uFEFF")
	if text == "" {
		return nil, false, errors.New("the feed is empty")
	}
	defer func() {
		// The input is untrusted; a panic of the parser means that the feed can't be read.
		if p := recover(); p != nil {
			feed, err = nil, fmt.Errorf("the parser failed on this feed: %v", p)
		}
	}()
	if text[0] == '{' {
		feed, err = parseJSON(text)
	} else {
		feed, truncated, err = parseXML(text)
	}
	return feed, truncated, err
}

func parseJSON(text string) (*gofeed.Feed, error) {
	text, err := feedtext.JSON(text)
	if err != nil {
		return nil, err
	}
	feed, err := (&jsonfeed.Parser{}).Parse(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("this is not a valid JSON Feed: %v", err)
	}
	return (&gofeed.DefaultJSONTranslator{}).Translate(feed)
}

// parseXML chooses gofeed's parser itself, because gofeed searches for the root only in the
// first 4 KiB. From a truncated feed it reads the complete items.
func parseXML(text string) (feed *gofeed.Feed, truncated bool, err error) {
	text, root, err := feedtext.XML(text)
	if err != nil {
		return nil, false, err
	}
	feed, err = parseRoot(text, root)
	if err != nil {
		if complete, ok := feedtext.Complete(text); ok {
			feed, err = parseRoot(complete, root)
			return feed, true, err
		}
	}
	return feed, false, err
}

func parseRoot(text, root string) (*gofeed.Feed, error) {
	switch root {
	case "rss", "rdf", "channel":
		feed, err := (&rss.Parser{}).Parse(strings.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("this is not valid RSS: %v", err)
		}
		out, err := (&gofeed.DefaultRSSTranslator{DisableContentImageScan: true}).Translate(feed) // otherwise the library would parse each content as HTML
		if err == nil {
			addPermalinks(out, feed)
		}
		return out, err
	case "feed":
		feed, err := (&atom.Parser{}).Parse(strings.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("this is not valid Atom: %v", err)
		}
		out, err := (&gofeed.DefaultAtomTranslator{}).Translate(feed)
		if err == nil {
			keepIDs(out, text)
		}
		return out, err
	case "cdf":
		return nil, errors.New("this is a channel in CDF, which is not supported; look for a feed in RSS or Atom")
	}
	return nil, fmt.Errorf("this is not a feed: its first element is %q", clip(root, 40))
}

var atomID = lazyregexp.New(`<(?:atom:)?id>([^<>]+)</`)

// keepIDs restores ids that are addresses and that the parser changed: ids are compared
// character by character (RFC 4287 §4.2.6.1).
func keepIDs(feed *gofeed.Feed, text string) {
	written := make(map[string]string) // ids in the feed, by the id that the parser returns
	for _, m := range atomID.FindAllStringSubmatch(text, 2*maxFeedItems) {
		raw := html.UnescapeString(strings.TrimSpace(m[1]))
		u, err := url.Parse(raw)
		if err != nil || u.Scheme == "" {
			continue
		}
		written[raw] = raw // an id that the parser does not change
		if rewritten := u.String(); written[rewritten] == "" {
			written[rewritten] = raw
		}
	}
	for _, it := range feed.Items {
		if it == nil {
			continue
		}
		if raw, ok := written[it.GUID]; ok {
			it.GUID = raw
		} else if u, err := url.Parse(it.GUID); err == nil && written[u.String()] != "" {
			it.GUID = written[u.String()]
		}
	}
}

// addPermalinks uses the guid of RSS items without a link as their address,
// unless isPermaLink is false (RSS 2.0, guid).
func addPermalinks(feed *gofeed.Feed, original *rss.Feed) {
	if len(original.Items) != len(feed.Items) {
		return
	}
	for i, it := range original.Items {
		if it == nil || it.GUID == nil || strings.EqualFold(it.GUID.IsPermalink, "false") {
			continue
		}
		if f := feed.Items[i]; f != nil && strings.TrimSpace(f.Link) == "" {
			f.Link = resolve("", it.GUID.Value)
		}
	}
}
