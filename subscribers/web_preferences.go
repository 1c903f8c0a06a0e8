package subscribers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"dibao/internal/web"
	"dibao/policy"
	"dibao/policy/division"
	"dibao/policy/theme"
	"dibao/subscribers/mailaddr"
	"dibao/subscribers/tokens"
	"dibao/templates"
)

// registerPreferences registers the pages of a reader's own link on mux.
func (h *Web) registerPreferences(mux *http.ServeMux) {
	mux.HandleFunc("GET /preferences/{token}", h.withReader(h.preferencesPage))
	mux.HandleFunc("POST /preferences/{token}", h.withReader(h.preferences))
	mux.HandleFunc("POST /preferences/{token}/link", h.ask(AskedLink))
	mux.HandleFunc("GET /preferences/{token}/data", h.askPage(AskedData))
	mux.HandleFunc("POST /preferences/{token}/data", h.ask(AskedData))
	mux.HandleFunc("GET /preferences/{token}/address", h.withReader(h.addressPage))
	mux.HandleFunc("POST /preferences/{token}/address", h.withReader(h.askChange))
	mux.HandleFunc("GET /preferences/{token}/delete", h.askPage(AskedDelete))
	mux.HandleFunc("POST /preferences/{token}/delete", h.ask(AskedDelete))
	mux.HandleFunc("GET /delete/{token}", h.askedPage(AskedDelete))
	mux.HandleFunc("POST /delete/{token}", h.deleteReader)
	mux.HandleFunc("GET /data/{token}", h.askedPage(AskedData))
	mux.HandleFunc("POST /data/{token}", h.data)
	mux.HandleFunc("GET /change/{token}", h.changePage)
	mux.HandleFunc("POST /change/{token}", h.change)
}

// reader returns the reader of a preference token.
func (h *Web) reader(r *http.Request) (Subscriber, error) {
	return h.Store.ReaderOf(r.Context(), r.PathValue("token"))
}

// withReader returns a handler for a link to the preferences that calls handle with its
// reader, or answers with the page for a link that does not work.
func (h *Web) withReader(handle func(w http.ResponseWriter, r *http.Request, reader Subscriber)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		reader, err := h.reader(r)
		if err != nil {
			h.failPreferences(w, r, err)
			return
		}
		handle(w, r, reader)
	}
}

// failPreferences answers with the page for a link to the preferences that does not work.
// For an expired link it offers to send a new one.
func (h *Web) failPreferences(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, tokens.ErrExpired) {
		h.fail(w, r, err)
		return
	}
	p := h.page(r, "button.link.title")
	h.show(w, http.StatusGone, templates.ButtonPage{Page: p, Key: "link", Action: "/preferences/" + r.PathValue("token") + "/link?lang=" + p.Language})
}

// offered returns the lists on a preference page: the public ones, and those to which an
// admin added the reader, so that readers can end these, too.
func (h *Web) offered(ctx context.Context, reader Subscriber) ([]List, error) {
	all, err := h.Store.Lists(ctx)
	return slices.DeleteFunc(all, func(l List) bool { return l.Visibility != Public && !reader.takes(l.ID) }), err
}

func (h *Web) preferencesPage(w http.ResponseWriter, r *http.Request, reader Subscriber) {
	h.showPreferences(w, r, http.StatusOK, reader, "")
}

func (h *Web) showPreferences(w http.ResponseWriter, r *http.Request, status int, reader Subscriber, problem string) {
	lists, err := h.offered(r.Context(), reader)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	prefs, err := h.Store.Preferences(r.Context(), reader.ID)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	p := h.page(r, "preferences.title")
	own := "/preferences/" + r.PathValue("token")
	lang := "?lang=" + p.Language
	view := templates.PreferencesPage{
		Page: p, Action: own + lang, Address: masked(reader.Address), Error: problem, Chosen: prefs.Language, Format: string(prefs.Format),
		PausedUntil: prefs.PausedUntil.String(), WantsEmpty: prefs.WantsEmpty,
		Profile:     profileView(prefs.Profile, p.Language),
		CalendarURL: h.BaseURL + "/preferences/" + h.Store.keys.CalendarToken(reader.ID, reader.Address) + "/calendar.ics",
		DataURL:     own + "/data", AddressURL: own + "/address" + lang, DeleteURL: own + "/delete" + lang,
	}
	if h.StarItems != nil {
		if view.Starred, err = h.StarItems(r.Context(), reader.ID, p.Language, own, h.BaseURL); err != nil {
			h.fail(w, r, err)
			return
		}
	}
	for i, card := range cards(lists, p.Language) {
		choice, takes := prefs.Lists[lists[i].ID]
		card.Subscribed = takes
		if choice.Frequency == "" {
			choice.Frequency = EveryIssue
		}
		view.Lists = append(view.Lists, templates.PreferenceList{
			ListCard: card, Frequency: string(choice.Frequency),
			Themes:  boxes(themesOf(lists[i]), choice.Themes, func(t string) string { return theme.NameIn(t, p.Language) }),
			Regions: boxes(regionsOf(lists[i]), choice.Regions, func(code string) string { return division.NameIn(code, p.Language) }),
		})
	}
	h.show(w, status, view)
}

// themesOf returns the themes that a reader can choose for a list: those of the list, or
// all if it has none.
func themesOf(l List) []string {
	if len(l.Query.Themes) > 0 {
		return l.Query.Themes
	}
	return theme.Names
}

// regionsOf returns the regions that a reader can choose for a list: those of the list, or
// the provinces if it has none.
func regionsOf(l List) []string {
	if len(l.Query.Regions) > 0 {
		return l.Query.Regions
	}
	var all []string
	for code := 11; code <= 82; code++ {
		if full := fmt.Sprintf("%d0000", code); division.Name(full) != "" {
			all = append(all, full)
		}
	}
	return all
}

// boxes returns the checkboxes for values. A single value offers no choice. Values that
// were chosen and are no longer offered remain visible.
func boxes(values, chosen []string, title func(string) string) []templates.Choice {
	values = with(values, chosen)
	if len(values) < 2 && len(chosen) == 0 {
		return nil
	}
	out := make([]templates.Choice, len(values))
	for i, v := range values {
		name := title(v)
		if name == "" {
			name = v
		}
		out[i] = templates.Choice{Value: v, Title: name, Chosen: slices.Contains(chosen, v)}
	}
	return out
}

// with returns the offered values and those of chosen that are not among them.
func with(offered, chosen []string) []string {
	for _, c := range chosen {
		if !slices.Contains(offered, c) {
			offered = append(slices.Clone(offered), c)
		}
	}
	return offered
}

func (h *Web) preferences(w http.ResponseWriter, r *http.Request, reader Subscriber) {
	// Choosing no list ends all subscriptions, so a POST that does not come from the form
	// must not have that effect.
	if err := r.ParseForm(); err != nil || !r.PostForm.Has("language") {
		h.showPreferences(w, r, http.StatusBadRequest, reader, "")
		return
	}
	lists, err := h.offered(r.Context(), reader)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	lists = slices.DeleteFunc(lists, func(l List) bool { return !slices.Contains(r.PostForm["list"], l.Slug) })
	prefs, err := h.Store.Preferences(r.Context(), reader.ID)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	prefs, problem := chosenIn(r.PostForm, prefs, lists, policy.DateOf(h.Store.now()))
	if problem == "" {
		err = h.Store.SetPreferences(r.Context(), reader.ID, prefs, web.ClientNetwork(r))
	}
	switch {
	case problem != "":
		h.showPreferences(w, r, http.StatusBadRequest, reader, problem)
	case err != nil:
		h.fail(w, r, err)
	default:
		h.message(w, r, http.StatusOK, "preferences_saved", lists)
	}
}

// chosenIn returns the preferences in a form; preferences that the form does not contain
// stay unchanged.
func chosenIn(form url.Values, prefs Preferences, lists []List, today policy.Date) (Preferences, string) {
	before := prefs.Lists
	prefs.Language = form.Get("language")
	prefs.Lists = make(map[int64]Choice, len(lists))
	for _, l := range lists {
		prefs.Lists[l.ID] = before[l.ID]
	}
	if !form.Has("choices") {
		return prefs, ""
	}
	prefs.Format, prefs.WantsEmpty, prefs.PausedUntil = Format(form.Get("format")), form.Has("empty"), policy.Date{}
	if typed := form.Get("paused"); typed != "" {
		until, err := policy.ParseDate(typed)
		if err != nil {
			return prefs, "date"
		}
		if today.Before(until) {
			prefs.PausedUntil = until
		}
	}
	for _, l := range lists {
		c := Choice{
			Themes:    among(form["theme."+l.Slug], with(themesOf(l), before[l.ID].Themes)),
			Regions:   among(form["region."+l.Slug], with(regionsOf(l), before[l.ID].Regions)),
			Frequency: Frequency(form.Get("frequency." + l.Slug)),
		}
		if c.check() != nil {
			return prefs, "choice"
		}
		if c.Frequency == EveryIssue {
			c.Frequency = ""
		}
		prefs.Lists[l.ID] = c
	}
	if prefs.Format != HTML && prefs.Format != Text {
		return prefs, "choice"
	}
	if form.Has("profile") { // the form contains it
		var err error
		if prefs.Profile, err = profileIn(form); err != nil {
			return prefs, "choice"
		}
	}
	return prefs, ""
}

// among returns the chosen values that are offered; if all are chosen, it returns none, so
// that the reader also gets values that are added later.
func among(chosen, offered []string) []string {
	var kept []string
	for _, o := range offered {
		if slices.Contains(chosen, o) {
			kept = append(kept, o)
		}
	}
	if len(kept) == len(offered) {
		return nil
	}
	return kept
}

func (h *Web) addressPage(w http.ResponseWriter, r *http.Request, reader Subscriber) {
	h.showAddress(w, r, http.StatusOK, templates.AddressPage{Address: masked(reader.Address)})
}

func (h *Web) showAddress(w http.ResponseWriter, r *http.Request, status int, view templates.AddressPage) {
	view.Page = h.page(r, "address.title")
	view.Action = "/preferences/" + r.PathValue("token") + "/address?lang=" + view.Page.Language
	h.show(w, status, view)
}

// askChange sends emails to both mailboxes. The response is the same for an address that
// another reader has.
func (h *Web) askChange(w http.ResponseWriter, r *http.Request, reader Subscriber) {
	if !h.allow(w, r) {
		return
	}
	typed := r.PostFormValue("address")
	mails, err := h.Store.AskChange(r.Context(), reader.ID, typed, web.ClientNetwork(r))
	if errors.Is(err, mailaddr.ErrInvalid) {
		problem := "address"
		if _, bad := mailaddr.Parse(typed); bad == nil {
			problem = "machine"
		}
		h.showAddress(w, r, http.StatusBadRequest, templates.AddressPage{Address: masked(reader.Address), Typed: typed, Error: problem})
		return
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	for _, m := range mails {
		h.Send(m)
	}
	h.message(w, r, http.StatusOK, "change_asked", nil)
}

func (h *Web) changePage(w http.ResponseWriter, r *http.Request) {
	c, err := h.Store.PendingChange(r.Context(), r.PathValue("token"))
	switch {
	case err != nil:
		h.failAsked(w, r, err)
	case c.Done:
		h.message(w, r, http.StatusOK, "change_done", nil)
	case c.said:
		h.message(w, r, http.StatusOK, "change_half", nil)
	default:
		p := h.page(r, "button.change.title")
		h.show(w, http.StatusOK, templates.ButtonPage{Page: p, Key: "change", Subject: mailaddr.Readable(c.Address), Action: "/change/" + r.PathValue("token") + "?lang=" + p.Language})
	}
}

func (h *Web) change(w http.ResponseWriter, r *http.Request) {
	c, err := h.Store.ConfirmChange(r.Context(), r.PathValue("token"), web.ClientNetwork(r))
	switch {
	case err != nil:
		h.failAsked(w, r, err)
	case c.Done:
		h.message(w, r, http.StatusOK, "change_done", nil)
	default:
		h.message(w, r, http.StatusOK, "change_half", nil)
	}
}
