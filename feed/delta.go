package feed

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"dibao/feed/publish"
	"dibao/internal/web"
)

// maxSeen is how many versions of feeds are remembered, each by a few hundred
// bytes; to who has an older one all of the feed is new.
const maxSeen = 4096

// seenVersions remembers which items the versions of feeds held that readers may
// have, by the digest in their ETag.
type seenVersions struct {
	mu    sync.Mutex
	items map[string]map[string][sha256.Size]byte // what each said, by id: a correction need not be an update
	order []string                                // of items, the oldest first
}

func (s *seenVersions) keep(key, digest string, items []publish.Item) {
	version := make(map[string][sha256.Size]byte, len(items))
	for _, it := range items {
		version[it.ID] = fingerprint(it)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.items == nil {
		s.items = make(map[string]map[string][sha256.Size]byte)
	}
	name := key + " " + digest
	if _, known := s.items[name]; !known {
		s.order = append(s.order, name)
	}
	s.items[name] = version
	if len(s.order) > maxSeen {
		delete(s.items, s.order[0])
		s.order = append([]string(nil), s.order[1:]...)
	}
}

func (s *seenVersions) find(key, digest string) map[string][sha256.Size]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.items[key+" "+digest]
}

func fingerprint(it publish.Item) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%+v", it))
}

// acceptsFeedDelta reports whether the client takes a feed with nothing in it
// but what is new to it (RFC 3229 with the instance manipulation «feed»).
func acceptsFeedDelta(r *http.Request) bool {
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("A-IM"), ","), ",") {
		name, params, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), "feed") {
			q := strings.ReplaceAll(params, " ", "")
			return q != "q=0" && !strings.HasPrefix(q, "q=0.0")
		}
	}
	return false
}

// serveDelta answers 226 with what changed since a version that the request
// names, if that is one we remember.
func (h *Web) serveDelta(w http.ResponseWriter, r *http.Request, ask feedRequest, stamp string, full *web.Entry) (served bool, err error) {
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("If-None-Match"), ","), ",") {
		part = strings.TrimSpace(part)
		base := web.Tag(part)
		has := h.seen.find(ask.key(), base)
		if base == "" || has == nil {
			continue
		}
		delta, err := h.Cache.Get(r.Context(), fmt.Sprintf("%s since %s", ask.key(), base), stamp, func() (web.Document, error) {
			feed, err := h.fillFeed(r.Context(), ask)
			if err != nil {
				return web.Document{}, err
			}
			all := feed.Items
			feed.Items = nil
			for _, it := range all {
				if was, ok := has[it.ID]; !ok || was != fingerprint(it) {
					feed.Items = append(feed.Items, it)
				}
			}
			doc, err := h.document(ask, feed)
			doc.Digest = full.Digest() // what the client then has is the whole feed of now
			if err == nil {
				doc.Header["Im"], doc.Header["Delta-Base"] = []string{"feed"}, []string{strings.TrimPrefix(part, "W/")}
				doc.Header["Cache-Control"] = []string{"no-store, im"} // caches that don't know deltas keep off
			}
			return doc, err
		})
		if err != nil {
			return false, err
		}
		delta.ServeStatus(w, r, http.StatusIMUsed)
		return true, nil
	}
	return false, nil
}
