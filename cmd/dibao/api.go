package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"dibao/digest"
	"dibao/feed"
	"dibao/internal/web"
	"dibao/subscribers"
)

// apiVerbs are the verbs that the admin API offers: those that read and write no
// file of the server and end in a moment.
var apiVerbs = []string{
	"source list", "source show", "source pause", "source resume",
	"article list", "article show", "article search",
	"list show", "list preview", "list create", "list edit", "list remove", "list invite",
	"subscriber list", "subscriber show", "subscriber add", "subscriber unsubscribe", "subscriber suppress", "subscriber unsuppress", "subscriber forget",
	"issue list", "issue show", "issue report", "issue pause", "issue resume", "issue cancel", "issue note", "issue drop",
	"bounce list", "audit", "status",
}

// apiClosedFlags are flags that name files or other surroundings of the server, or
// that keep a verb from ending.
var apiClosedFlags = []string{"config", "database", "file", "out", "report", "watch", "json", "quiet", "help"}

var apiFlag = regexp.MustCompile(`^[a-z][a-z-]{0,30}$`)

// api runs verbs of the command line for programs that hold a token.
type api struct {
	app     *app
	from    globals // the configuration and database of this node
	failed  *web.Limiter
	maxBody int64
}

func newAPI(a *app, from globals) *api {
	return &api{app: a, from: from, maxBody: 1 << 20, failed: &web.Limiter{Burst: 20, Every: 10 * time.Second, Global: 10, Now: time.Now}}
}

// Register puts the API on the admin address.
func (s *api) Register(mux *http.ServeMux) {
	mux.HandleFunc("POST /api/{group}/{verb}", s.run)
	mux.HandleFunc("POST /api/{group}", s.run) // of a verb without a group: audit
}

// apiRequest is what a program asks for.
type apiRequest struct {
	Args  []string       `json:"args"`
	Flags map[string]any `json:"flags"` // by name; an array gives the flag several times
}

// apiProblem is the answer where something is wrong.
type apiProblem struct {
	Error string `json:"error"`
}

func (s *api) run(w http.ResponseWriter, r *http.Request) {
	group, verb := r.PathValue("group"), r.PathValue("verb")
	name := strings.TrimSpace(group + " " + verb)
	token, err := s.token(r)
	switch {
	case errors.Is(err, subscribers.ErrToken):
		if !s.failed.Allow(web.Client(r)) {
			s.answer(w, http.StatusTooManyRequests, apiProblem{"too many wrong tokens; try again in a minute"})
			return
		}
		w.Header().Set("WWW-Authenticate", "Bearer")
		s.answer(w, http.StatusUnauthorized, apiProblem{"no such token; make one with: dibao token create"})
		return
	case err != nil:
		s.app.log.Error("token not checked", "err", err)
		s.answer(w, http.StatusInternalServerError, apiProblem{"the token could not be checked"})
		return
	case !slices.Contains(apiVerbs, name):
		s.answer(w, http.StatusNotFound, apiProblem{fmt.Sprintf("the API has no verb %q", name)})
		return
	case !token.Allows(group, verb, slices.Contains(audited, name)):
		s.answer(w, http.StatusForbidden, apiProblem{fmt.Sprintf("this token may not use %q", name)})
		return
	}
	args, err := s.arguments(w, r, name)
	if err != nil {
		s.answer(w, http.StatusBadRequest, apiProblem{oneLine(err)})
		return
	}
	var out, talk bytes.Buffer
	g := s.from
	g.actor, g.inServer = "token:"+token.Name, true
	root := newRootWith(&g)
	root.SetArgs(args)
	root.SetIn(strings.NewReader(""))
	root.SetOut(&out)
	root.SetErr(&talk)
	status := http.StatusOK
	var part *partialError
	switch err := root.ExecuteContext(r.Context()); {
	case err == nil:
	case errors.As(err, &part):
		status = http.StatusMultiStatus
	case errors.Is(err, subscribers.ErrNotFound), errors.Is(err, feed.ErrNotFound), errors.Is(err, digest.ErrNotFound):
		s.answer(w, http.StatusNotFound, apiProblem{oneLine(err)})
		return
	default:
		s.answer(w, http.StatusUnprocessableEntity, apiProblem{oneLine(err)})
		return
	}
	w.Header().Set("Content-Type", "application/jsonl; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if _, err := w.Write(out.Bytes()); err != nil {
		s.app.log.Debug("answer not written", "err", err) // the program left
	}
}

func (s *api) token(r *http.Request) (subscribers.APIToken, error) {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return subscribers.APIToken{}, subscribers.ErrToken
	}
	return s.app.subscribers.CheckAPIToken(r.Context(), text)
}

// arguments makes the command line of a request. Values stay one argument each:
// none can become a flag.
func (s *api) arguments(w http.ResponseWriter, r *http.Request, name string) ([]string, error) {
	var asked apiRequest
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, s.maxBody))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	if err := dec.Decode(&asked); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the body is no {\"args\": […], \"flags\": {…}}: %w", err)
	}
	args := append(strings.Fields(name), "--json", "--quiet")
	for _, flag := range slices.Sorted(maps.Keys(asked.Flags)) {
		if slices.Contains(apiClosedFlags, flag) || !apiFlag.MatchString(flag) {
			return nil, fmt.Errorf("the API has no flag %q", flag)
		}
		values, many := asked.Flags[flag].([]any)
		if !many {
			values = []any{asked.Flags[flag]}
		}
		for _, v := range values {
			switch v.(type) {
			case string, bool, json.Number:
				args = append(args, fmt.Sprintf("--%s=%v", flag, v))
			default:
				return nil, fmt.Errorf("flag %q is a text, a number, true or false, or an array of those", flag)
			}
		}
	}
	return append(append(args, "--"), asked.Args...), nil
}

func (s *api) answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := writeJSON(w, body); err != nil {
		s.app.log.Debug("answer not written", "err", err)
	}
}
