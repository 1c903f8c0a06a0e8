package subscribers

import (
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"dibao/subscribers/mailaddr"
	"dibao/subscribers/tokens"
	"dibao/templates"
)

// askPage shows what a link of any email can request: a second link by email.
func (h *Web) askPage(what AskedFor) http.HandlerFunc {
	return h.withReader(func(w http.ResponseWriter, r *http.Request, reader Subscriber) {
		key := "ask" + string(what)
		p := h.page(r, "button."+key+".title")
		own := "/preferences/" + r.PathValue("token")
		h.show(w, http.StatusOK, templates.ButtonPage{
			Page: p, Key: key, Subject: masked(reader.Address), Action: own + "/" + string(what) + "?lang=" + p.Language, Back: own + "?lang=" + p.Language,
		})
	})
}

// ask emails the link that askPage offers. The response does not depend on whether one was
// sent before.
func (h *Web) ask(what AskedFor) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		reader, err := h.reader(r)
		if errors.Is(err, tokens.ErrExpired) && what == AskedLink {
			err = nil // an expired link is allowed to request a new one
		}
		if err != nil {
			h.failPreferences(w, r, err)
			return
		}
		if !h.allow(w, r) {
			return
		}
		mail, err := h.Store.Ask(r.Context(), reader.ID, what)
		if err != nil {
			h.fail(w, r, err)
			return
		}
		if mail != nil {
			h.Send(*mail)
		}
		h.message(w, r, http.StatusOK, "asked", nil)
	}
}

// failAsked answers with the page for a second link that does not work.
func (h *Web) failAsked(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, tokens.ErrExpired) {
		h.message(w, r, http.StatusGone, "askexpired", nil)
		return
	}
	h.fail(w, r, err)
}

// askedPage shows the button of a second link.
func (h *Web) askedPage(what AskedFor) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		reader, err := h.Store.CheckAsked(r.Context(), r.PathValue("token"), what)
		if err != nil {
			h.failAsked(w, r, err)
			return
		}
		p := h.page(r, "button."+string(what)+".title")
		h.show(w, http.StatusOK, templates.ButtonPage{
			Page: p, Key: string(what), Subject: mailaddr.Readable(reader.Address), Action: "/" + string(what) + "/" + r.PathValue("token") + "?lang=" + p.Language,
		})
	}
}

func (h *Web) deleteReader(w http.ResponseWriter, r *http.Request) {
	reader, err := h.Store.CheckAsked(r.Context(), r.PathValue("token"), AskedDelete)
	if errors.Is(err, ErrNotFound) { // the reader is already deleted
		h.message(w, r, http.StatusOK, "deleted", nil)
		return
	}
	if err == nil {
		err = h.Store.ForgetReader(r.Context(), reader.ID)
	}
	if err != nil {
		h.failAsked(w, r, err)
		return
	}
	h.message(w, r, http.StatusOK, "deleted", nil)
}

// data sends a reader all data about them.
func (h *Web) data(w http.ResponseWriter, r *http.Request) {
	reader, err := h.Store.CheckAsked(r.Context(), r.PathValue("token"), AskedData)
	if err != nil {
		h.failAsked(w, r, err)
		return
	}
	person, err := h.Store.Person(r.Context(), reader.ID)
	if err == nil && h.History != nil {
		person.History, err = h.History(r.Context(), reader.ID)
	}
	if err == nil && h.Stars != nil {
		person.Stars, err = h.Stars(r.Context(), reader.ID)
	}
	if err == nil {
		err = h.Store.db.Write(r.Context(), func(tx *sql.Tx) error { return used(r.Context(), tx, reader.ID, AskedData) })
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="dibao.json"`)
	w.Header().Set("Cache-Control", "no-store")
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(person); err != nil {
		h.Logger.Debug("data not written", "err", err) // the client disconnected
	}
}

// masked returns an address that its owner recognizes and nobody else can use:
// r…@example.org.
func masked(address string) string {
	address = mailaddr.Readable(address)
	at := strings.LastIndexByte(address, '@')
	_, n := utf8.DecodeRuneInString(address)
	return address[:min(n, at)] + "…" + address[at:]
}
