package subscribers

import (
	"net/http"
	"net/url"
	"slices"

	"dibao/internal/web"
	"dibao/subscribers/tokens"
	"dibao/templates"
)

func (h *Web) confirmPage(w http.ResponseWriter, r *http.Request) {
	token := r.PathValue("token")
	_, pending, confirmed, err := h.asked(r)
	switch {
	case err != nil:
		h.fail(w, r, err)
	case len(pending) == 0:
		h.confirmed(w, r, confirmed, templates.FeedLink{})
	default:
		p := h.page(r, "confirm.title")
		// The button confirms the lists that the page shows, not lists that somebody
		// requests while the page is read.
		action := url.Values{"lang": {p.Language}}
		for _, l := range pending {
			action.Add("list", l.Slug)
		}
		h.show(w, http.StatusOK, templates.ConfirmPage{
			Page: p, Action: "/confirm/" + token + "?" + action.Encode(), Lists: cards(pending, p.Language),
		})
	}
}

func (h *Web) confirm(w http.ResponseWriter, r *http.Request) {
	reader, pending, _, err := h.asked(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	var shown []int64
	slugs := r.URL.Query()["list"]
	for _, l := range pending {
		if len(slugs) == 0 || slices.Contains(slugs, l.Slug) {
			shown = append(shown, l.ID)
		}
	}
	confirmed, err := h.Store.Confirm(r.Context(), r.PathValue("token"), shown, web.ClientNetwork(r))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	// Only who has just confirmed something gets a link that changes preferences: the email
	// may be forwarded later.
	var link templates.FeedLink
	if len(shown) > 0 {
		x, err := h.Store.subscriberByID(r.Context(), reader)
		if err != nil {
			h.fail(w, r, err)
			return
		}
		link = templates.FeedLink{Title: templates.Words(web.Language(r), "message.preferences"), URL: "/preferences/" + h.Store.keys.PreferencesToken(x.ID, x.Address)}
	}
	h.confirmed(w, r, confirmed, link)
}

// asked returns the reader of a confirmation link, the lists that they requested, and those
// that are confirmed.
func (h *Web) asked(r *http.Request) (reader int64, pending, confirmed []List, err error) {
	t, err := h.Store.keys.Check(r.Context(), r.PathValue("token"), tokens.ActionConfirm)
	if err != nil {
		return 0, nil, nil, err
	}
	if pending, err = h.Store.listsIn(r.Context(), t.Subscriber, StatePending); err != nil {
		return 0, nil, nil, err
	}
	confirmed, err = h.Store.listsIn(r.Context(), t.Subscriber, StateConfirmed)
	return t.Subscriber, pending, confirmed, err
}

// confirmed shows a reader what is confirmed. Readers who have unsubscribed since must
// subscribe again.
func (h *Web) confirmed(w http.ResponseWriter, r *http.Request, lists []List, link templates.FeedLink) {
	if len(lists) == 0 {
		h.message(w, r, http.StatusGone, "expired", nil)
		return
	}
	p := h.page(r, "message.confirmed.title")
	h.show(w, http.StatusOK, templates.MessagePage{Page: p, Key: "confirmed", Lists: cards(lists, p.Language), Link: link})
}
