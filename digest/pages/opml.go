package pages

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"dibao/feed"
	"dibao/feed/publish"
)

// opml serves a file of the feeds of all lists and sources, for subscribing to all of
// them at once.
func (h *Web) opml(w http.ResponseWriter, r *http.Request) {
	h.serveProgram(w, r, "/opml", func(ctx context.Context) (programBytes, error) {
		o := h.Feeds
		lists, err := h.publicLists(ctx)
		if err != nil {
			return programBytes{}, err
		}
		sources, err := h.Feeds.Store.Sources(ctx)
		if err != nil {
			return programBytes{}, err
		}
		all := publish.Group{Title: o.SiteName, Feeds: []publish.Subscribable{{Title: o.SiteName, XML: o.BaseURL + "/feed.xml", HTML: o.BaseURL + "/"}}}
		changed := time.Time{}
		for _, l := range lists {
			path := o.BaseURL + l.Path()
			all.Feeds = append(all.Feeds, publish.Subscribable{Title: l.Title, Description: l.Description, XML: path + "feed.xml", HTML: path})
		}
		groups := []publish.Group{all}
		themes := make(map[string]int)
		for _, s := range sources {
			if s.State == feed.StateRemoved {
				continue
			}
			folder := s.Theme
			if folder == "" {
				folder = "来源"
			}
			at, ok := themes[folder]
			if !ok {
				at = len(groups)
				themes[folder] = at
				groups = append(groups, publish.Group{Title: folder})
			}
			path := fmt.Sprintf("%s/sources/%d/", o.BaseURL, s.ID)
			groups[at].Feeds = append(groups[at].Feeds, publish.Subscribable{Title: s.Name, XML: path + "feed.xml", HTML: path})
			if s.CreatedAt.After(changed) {
				changed = s.CreatedAt
			}
		}
		var buf bytes.Buffer
		err = publish.WriteOPML(&buf, o.SiteName, changed, groups)
		return programBytes{buf.Bytes(), publish.OPMLType, changed}, err
	})
}
