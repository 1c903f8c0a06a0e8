package collect

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"dibao/feed"
	"dibao/feed/visit"
)

// ErrNoBrowser is the error of a node without a browser for a source that needs rendering.
var ErrNoBrowser = errors.New("this source needs a browser to render its pages, and none is set; set browser in [fetch] to the path of a Chromium")

// Visitor returns what requests the pages of a source: HTTP or a browser.
func (c *Collector) Visitor(s feed.Source) (*visit.Visitor, error) { return c.visitor(&s) }

func (c *Collector) visitor(src *feed.Source) (*visit.Visitor, error) {
	v := &visit.Visitor{Client: c.Client, Base: src.Request(src.URL, true), Charset: src.Settings.Charset, Now: c.Store.Now}
	if src.Settings.Render {
		if c.Browser == nil {
			return nil, ErrNoBrowser
		}
		v.Browser = c.Browser
	}
	return v, nil
}

func hashOf(sum [sha256.Size]byte) string { return hex.EncodeToString(sum[:]) }
