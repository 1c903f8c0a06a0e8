package subscribers

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"dibao/internal/web"
	"dibao/subscribers/mailaddr"
	"dibao/subscribers/tokens"
	"dibao/templates"
)

// A form that returns sooner was filled in by a program; one that returns later was stored
// by one.
const (
	minFillTime = 2 * time.Second
	maxFillTime = 24 * time.Hour
)

const (
	recorders    = 4                // requests that Run stores at the same time
	recordWithin = 20 * time.Second // longer than the database waits for its writer
)

// Web serves the pages for readers. GET shows, POST changes.
type Web struct {
	Store    *Store
	Limiter  *web.Limiter // for POSTs to /subscribe, by network
	SiteName string
	BaseURL  string
	// Send sends a confirmation. It must not block, and must retry by itself if the mail
	// server can't be reached.
	Send    func(Confirmation)
	Logger  *slog.Logger
	MinFill time.Duration // minimum time that a person needs for the form; 0 means 2 s
	// History returns the events about a reader's emails, for the download of their data;
	// nil means not shown.
	History func(ctx context.Context, subscriber int64) ([]HistoryEvent, error)
	// Stars returns the calls that a reader starred, for the download of their data;
	// StarItems returns the rows of their preference page; own is the address of that
	// page. If they are nil, no stars are shown.
	Stars     func(ctx context.Context, subscriber int64) ([]Starred, error)
	StarItems func(ctx context.Context, subscriber int64, language, own, base string) ([]templates.StarredItem, error)

	requests chan Request // requests to Run; nothing receives from it if Run is not running
}

// Register registers the handlers on mux.
func (h *Web) Register(mux *http.ServeMux) {
	h.requests = make(chan Request)
	mux.HandleFunc("GET /subscribe", h.form)
	mux.HandleFunc("POST /subscribe", h.subscribe)
	mux.HandleFunc("GET /confirm/{token}", h.confirmPage)
	mux.HandleFunc("POST /confirm/{token}", h.confirm)
	mux.HandleFunc("GET /u/{token}", h.unsubscribePage)
	mux.HandleFunc("POST /u/{token}", h.unsubscribe)
	h.registerPreferences(mux)
}

// page is a view that can be rendered.
type page interface{ Render(io.Writer) error }

// show answers with a page that must not be cached.
func (h *Web) show(w http.ResponseWriter, status int, p page) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer") // the page's address contains its token
	w.WriteHeader(status)
	if err := p.Render(w); err != nil {
		h.Logger.Error("page not rendered", "err", err)
	}
}

func (h *Web) page(r *http.Request, key string) templates.Page {
	l := web.Language(r)
	p := templates.Page{Language: l, Chosen: web.LanguageChosen(r), SiteName: h.SiteName, NoIndex: true}
	if key != "" {
		p.Title = templates.Words(l, key)
	}
	return p
}

func (h *Web) message(w http.ResponseWriter, r *http.Request, status int, key string, lists []List) {
	p := h.page(r, "message."+key+".title")
	view := templates.MessagePage{Page: p, Key: key, Lists: cards(lists, p.Language)}
	if key == "unsubscribed" || key == "expired" || key == "forgotten" {
		view.Link = templates.FeedLink{Title: templates.Words(p.Language, "message.resubscribe"), URL: "/subscribe"}
	}
	h.show(w, status, view)
}

// fail answers with the page for an error of the store.
func (h *Web) fail(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, tokens.ErrExpired):
		h.message(w, r, http.StatusGone, "expired", nil)
	case errors.Is(err, tokens.ErrInvalid):
		h.message(w, r, http.StatusNotFound, "badtoken", nil)
	case errors.Is(err, ErrNotFound):
		h.message(w, r, http.StatusNotFound, "forgotten", nil)
	default:
		h.Logger.Error("request failed", "err", err)
		web.ServerError(w, r)
	}
}

func cards(lists []List, language string) []templates.ListCard {
	out := make([]templates.ListCard, len(lists))
	for i, l := range lists {
		out[i] = templates.ListCard{
			Slug: l.Slug, Title: l.Title, Description: l.Description, URL: l.Path(),
			Schedule: l.ScheduleText(language),
		}
	}
	return out
}

// openLists returns the lists that a visitor can subscribe to: the public ones, and the one
// of an invitation.
func (h *Web) openLists(ctx context.Context, invite string) ([]List, error) {
	invited := int64(0)
	if t, err := h.Store.keys.Check(ctx, invite, tokens.ActionInvite); invite != "" && err == nil {
		invited = t.List
	}
	all, err := h.Store.Lists(ctx)
	return slices.DeleteFunc(all, func(l List) bool {
		return l.Visibility != Public && (l.Visibility != Invitation || l.ID != invited)
	}), err
}

func (h *Web) form(w http.ResponseWriter, r *http.Request) {
	f := filled{chosen: r.URL.Query()["list"], invite: r.URL.Query().Get("invite")}
	// If a proof is needed, the browser can begin to compute it while the form is filled
	// in.
	needed, err := h.Store.ProofNeeded(r.Context(), web.ClientNetwork(r), "")
	if err != nil {
		h.fail(w, r, err)
		return
	}
	f.prove = needed > ProofNone
	h.showForm(w, r, http.StatusOK, f)
}

// filled contains the values with which a form is shown.
type filled struct {
	problem string // key of the catalog, "" if none
	address string
	chosen  []string // slugs
	stamp   string   // "" for a new form
	invite  string   // token of an invitation, "" for none
	meant   string   // the address that was perhaps intended
	prove   bool     // a proof is needed
}

func (h *Web) showForm(w http.ResponseWriter, r *http.Request, status int, f filled) {
	lists, err := h.openLists(r.Context(), f.invite)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	p := h.page(r, "form.title")
	p.NoIndex, p.Canonical, p.Current = false, h.BaseURL+"/subscribe", "subscribe"
	if f.stamp == "" {
		f.stamp = h.Store.keys.FormStamp(web.ClientNetwork(r))
	}
	action := "/subscribe"
	if p.Chosen {
		action += "?lang=" + p.Language
	}
	view := templates.FormPage{
		Page: p, Action: action, Address: mailaddr.Readable(f.address), Error: f.problem,
		Lists: cards(lists, p.Language), Started: f.stamp, Suggestion: f.meant, Invite: f.invite,
	}
	if f.prove {
		view.WorkBits = workBits
		w.Header().Set("Content-Security-Policy", web.PolicyWithScripts)
	}
	for i := range view.Lists {
		view.Lists[i].Subscribed = len(lists) == 1 || slices.Contains(f.chosen, view.Lists[i].Slug)
	}
	h.show(w, status, view)
}

// subscribe processes the form. The response is the same whatever is known about
// the address.
func (h *Web) subscribe(w http.ResponseWriter, r *http.Request) {
	if !h.allow(w, r) {
		return
	}
	if err := r.ParseForm(); err != nil {
		h.showForm(w, r, http.StatusBadRequest, filled{problem: "address"})
		return
	}
	f := filled{address: r.PostForm.Get("address"), chosen: r.PostForm["list"], invite: r.PostForm.Get("invite")}
	if meant := r.PostForm.Get("meant"); meant != "" {
		f.address = meant
	}
	if r.PostForm.Get("website") != "" {
		h.message(w, r, http.StatusOK, "checkmail", nil) // do not let the program know that it was detected
		return
	}
	age, same, err := h.Store.keys.FormAge(r.Context(), r.PostForm.Get("started"), web.ClientNetwork(r))
	if err != nil || age < h.minFill() || age > maxFillTime {
		if err == nil && age < h.minFill() {
			f.stamp = r.PostForm.Get("started") // a person who was too quick submits the form again
		}
		f.problem = "robot"
		h.showForm(w, r, http.StatusBadRequest, f)
		return
	}
	lists, err := h.choose(r.Context(), f)
	address, bad := mailaddr.Parse(f.address)
	switch meant := mailaddr.Suggest(address); {
	case err != nil:
		h.fail(w, r, err)
		return
	case bad != nil:
		f.problem = "address"
	case mailaddr.RoleOf(address) == mailaddr.RoleMachine:
		f.problem = "machine"
	case meant != "" && r.PostForm.Get("insist") != f.address:
		f.problem, f.meant, f.stamp = "suggest", meant, r.PostForm.Get("started")
	case len(lists) == 0:
		f.problem = "lists"
	}
	if f.problem != "" {
		h.showForm(w, r, http.StatusBadRequest, f)
		return
	}
	request := Request{
		Address: f.address, Language: web.LanguageStated(r), Lists: lists, Network: web.ClientNetwork(r),
		Proof: proofOf(r.PostForm.Get("started"), r.PostForm.Get("work"), age, same),
	}
	if !h.proved(w, r, f, request, address, same) {
		return
	}
	select {
	case h.requests <- request:
	default: // Run is behind or not running
		if err := h.storeRequest(r.Context(), request); err != nil {
			h.fail(w, r, err)
			return
		}
	}
	h.message(w, r, http.StatusOK, "checkmail", nil)
}

// proved reports whether a request has the proof that it needs now. If not, the
// form is shown again, filled in, to be sent with the proof.
func (h *Web) proved(w http.ResponseWriter, r *http.Request, f filled, request Request, address string, same bool) bool {
	needed, err := h.Store.ProofNeeded(r.Context(), request.Network, address)
	switch {
	case err != nil:
		h.fail(w, r, err)
		return false
	case needed <= request.Proof:
		return true
	}
	f.problem, f.prove = "prove", true
	if needed == proofNever {
		f.problem, f.prove = "toomany", false
	}
	if same {
		f.stamp = r.PostForm.Get("started") // the time that it was open counts
	}
	w.Header().Set("Retry-After", "60")
	h.showForm(w, r, http.StatusTooManyRequests, f)
	return false
}

// allow reports whether a network may post again; if not, it sends the response.
func (h *Web) allow(w http.ResponseWriter, r *http.Request) bool {
	if h.Limiter.Allow(web.ClientNetwork(r)) {
		return true
	}
	w.Header().Set("Retry-After", "600")
	h.message(w, r, http.StatusTooManyRequests, "toomany", nil)
	return false
}

// storeRequest stores a request and sends the confirmation email, if there is one.
func (h *Web) storeRequest(ctx context.Context, r Request) error {
	mail, err := h.Store.Subscribe(ctx, r)
	if err == nil && mail != nil {
		h.Send(*mail)
	}
	return err
}

// Run records requests in the background until ctx ends, so that the time of a
// response reveals nothing about an address. If Run is not running, or is behind,
// a request is recorded before it is answered.
func (h *Web) Run(ctx context.Context) error {
	var workers sync.WaitGroup
	for range recorders {
		workers.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case r := <-h.requests:
					within, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordWithin)
					if err := h.storeRequest(within, r); err != nil {
						h.Logger.Error("subscription request not stored", "err", err)
					}
					cancel()
				}
			}
		})
	}
	workers.Wait()
	return nil
}

func (h *Web) minFill() time.Duration {
	if h.MinFill > 0 {
		return h.MinFill
	}
	return minFillTime
}

// choose returns the lists in a form.
func (h *Web) choose(ctx context.Context, f filled) ([]List, error) {
	lists, err := h.openLists(ctx, f.invite)
	return slices.DeleteFunc(lists, func(l List) bool { return !slices.Contains(f.chosen, l.Slug) }), err
}

// unsubscribePage shows what the button of a link ends, or that it has ended; a
// link for all lists does not reveal which ones the reader has.
func (h *Web) unsubscribePage(w http.ResponseWriter, r *http.Request) {
	t, err := h.Store.keys.Check(r.Context(), r.PathValue("token"), tokens.ActionUnsubscribe)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	live, err := h.Store.hasLive(r.Context(), t.Subscriber, t.List)
	if err == nil && !live {
		h.message(w, r, http.StatusOK, "unsubscribed", nil)
		return
	}
	all, errLists := h.Store.Lists(r.Context())
	if err = errors.Join(err, errLists); err != nil {
		h.fail(w, r, err)
		return
	}
	ends := slices.DeleteFunc(all, func(l List) bool { return l.ID != t.List })
	p := h.page(r, "unsubscribe.title")
	h.show(w, http.StatusOK, templates.UnsubscribePage{
		Page: p, Action: "/u/" + r.PathValue("token") + "?lang=" + p.Language, Lists: cards(ends, p.Language),
	})
}

// unsubscribe ends the subscriptions of the token at once: no cookie, no login, no redirect
// (RFC 8058). It can be repeated. The body does not matter: a POST to this link is a
// request to unsubscribe.
func (h *Web) unsubscribe(w http.ResponseWriter, r *http.Request) {
	t, err := h.Store.keys.Check(r.Context(), r.PathValue("token"), tokens.ActionUnsubscribe)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	how := "one-click"
	if r.URL.Query().Has("lang") { // only the form on our page adds it
		how = "page"
	}
	_, err = h.Store.Unsubscribe(r.Context(), t.Subscriber, t.List, how, web.ClientNetwork(r))
	if err != nil && !errors.Is(err, ErrNotFound) { // a deleted reader gets no mail anyway
		h.fail(w, r, err)
		return
	}
	h.message(w, r, http.StatusOK, "unsubscribed", nil)
}
