package mailbox

import (
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"strconv"
)

//go:embed mailbox.html
var pageText string

var page = template.Must(template.New("mailbox").Parse(pageText))

// view is the data of the page.
type view struct {
	Prefix   string
	Messages []listed // newest first
	Open     *listed
}

type listed struct {
	Number int // from 1, in the order of arrival
	Message
	Selected bool
}

// Handler serves the emails below prefix, which begins and ends with a slash.
// They are untrusted: their HTML can neither run scripts nor load anything.
func (m *Mailbox) Handler(prefix string) http.Handler {
	mux := http.NewServeMux()
	show := func(w http.ResponseWriter, r *http.Request) {
		all := m.Messages()
		v := view{Prefix: prefix}
		open, err := strconv.Atoi(r.PathValue("n"))
		if err != nil {
			open = len(all)
		}
		for i, msg := range slices.Backward(all) {
			l := listed{Number: i + 1, Message: msg, Selected: i+1 == open}
			v.Messages = append(v.Messages, l)
			if l.Selected {
				v.Open = &l
			}
		}
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		page.Execute(w, v) // the client may have disconnected
	}
	mux.HandleFunc("GET "+prefix+"{$}", show)
	mux.HandleFunc("GET "+prefix+"{n}", show)
	one := func(serve func(http.ResponseWriter, Message)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			all := m.Messages()
			n, err := strconv.Atoi(r.PathValue("n"))
			if err != nil || n < 1 || n > len(all) {
				http.NotFound(w, r)
				return
			}
			w.Header().Set("X-Content-Type-Options", "nosniff")
			serve(w, all[n-1])
		}
	}
	mux.HandleFunc("GET "+prefix+"{n}/html", one(func(w http.ResponseWriter, msg Message) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write([]byte(msg.HTML))
	}))
	mux.HandleFunc("GET "+prefix+"{n}/raw", one(func(w http.ResponseWriter, msg Message) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Write(msg.Raw)
	}))
	return mux
}
