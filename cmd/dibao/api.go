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

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/remote"
	"dibao/digest"
	"dibao/feed"
	"dibao/internal/web"
	"dibao/subscribers"
	"dibao/subscribers/tokens"
)

// apiVerbs are the commands that the admin API offers: those that neither read
// nor write files of the server and that end soon.
var apiVerbs = []string{
	"source list", "source show", "source pause", "source resume", "source test", "source edit", "source release", "source remove",
	"article list", "article show", "article search", "article diff", "article history", "article edit",
	"document list", "document show", "document chain",
	"list show", "list preview", "list create", "list edit", "list remove", "list invite",
	"list channel add", "list channel list", "list channel test", "list channel remove",
	"subscriber list", "subscriber show", "subscriber add", "subscriber edit", "subscriber unsubscribe", "subscriber suppress", "subscriber unsuppress", "subscriber forget",
	"issue list", "issue show", "issue preview", "issue report", "issue compose", "issue send", "issue resend",
	"issue pause", "issue resume", "issue cancel", "issue note", "issue drop",
	"bounce list", "audit", "status",
}

// apiClosedFlags are flags that name files or other resources of the server,
// that keep a command from ending, or that open the server's network.
var apiClosedFlags = []string{
	"config", "database", "server", "token-file", "secret-file", "file", "out", "report", "watch", "every", "json", "quiet", "help", "private", "proxy",
}

var apiFlag = regexp.MustCompile(`^[a-z][a-z-]{0,30}$`)

// api runs commands for programs with a token.
type api struct {
	app     *app
	from    globals // the configuration and database of this node
	failed  *web.Limiter
	maxBody int64
}

func newAPI(a *app, from globals) *api {
	return &api{app: a, from: from, maxBody: 1 << 20, failed: &web.Limiter{Burst: 20, Every: 10 * time.Second, Global: 10, Now: time.Now}}
}

// Register registers the API on the admin address.
func (s *api) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/openapi.json", func(w http.ResponseWriter, r *http.Request) {
		s.answer(w, http.StatusOK, describeAPI("http://"+s.app.config.Server.AdminAddr))
	})
	mux.HandleFunc("POST /api/{group}/{of}/{verb}", s.run) // a group within a group: list channel add
	mux.HandleFunc("POST /api/{group}/{verb}", s.run)
	mux.HandleFunc("POST /api/{group}", s.run) // a command without a group: audit
}

// describeAPI describes the API at an address.
func describeAPI(server string) map[string]any {
	version, _ := cli.BuiltFrom()
	return remote.Describe(newRootWith(&globals{inServer: true}), apiVerbs, apiClosedFlags, server, version)
}

// apiProblem is the response to a failed request.
type apiProblem struct {
	Error string `json:"error"`
}

func (s *api) run(w http.ResponseWriter, r *http.Request) {
	group, verb := r.PathValue("group"), strings.TrimSpace(r.PathValue("of")+" "+r.PathValue("verb"))
	name := strings.TrimSpace(group + " " + verb)
	token, err := s.token(r)
	switch {
	case errors.Is(err, tokens.ErrInvalid):
		if !s.failed.Allow(web.ClientNetwork(r)) {
			s.refuse(w, http.StatusTooManyRequests, errors.New("too many invalid tokens; try again in a minute"))
			return
		}
		w.Header().Set("WWW-Authenticate", "Bearer")
		s.refuse(w, http.StatusUnauthorized, errors.New("no such token; create one with: dibao token create"))
		return
	case err != nil:
		s.app.log.Error("token not checked", "err", err)
		s.refuse(w, http.StatusInternalServerError, errors.New("the token could not be checked; see the log of dibao serve"))
		return
	case !slices.Contains(apiVerbs, name):
		s.refuse(w, http.StatusNotFound, fmt.Errorf("the API has no command %q; /api/openapi.json lists the commands", name))
		return
	case !token.Allows(group, verb, slices.Contains(audited, name)):
		s.refuse(w, http.StatusForbidden, fmt.Errorf("this token does not allow %q; create one with that scope: dibao token create", name))
		return
	}
	terminal, args, err := s.arguments(w, r, name)
	if err != nil {
		s.refuse(w, http.StatusBadRequest, err)
		return
	}
	// A command may request the site of a source, which can take longer than the usual time
	// limit of a response.
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(remote.Timeout)); err != nil {
		s.app.log.Debug("deadline not set", "err", err) // happens in tests that write to memory
	}
	var out, talk bytes.Buffer
	g := s.from
	g.actor, g.inServer = "token:"+token.Name, true
	if terminal != nil {
		g.chinese, g.asks = terminal.Chinese, true
	}
	root := newRootFor(&g, args)
	root.SetArgs(args)
	root.SetIn(strings.NewReader(""))
	root.SetOut(&out)
	root.SetErr(&talk)
	if terminal != nil {
		root.SetOut(cli.Screen{Writer: &out, Columns: terminal.Columns})
	}
	err = root.ExecuteContext(r.Context())
	status := http.StatusOK
	var part *partialError
	switch {
	case terminal != nil:
		s.answer(w, status, ended(err, out.String(), talk.String()))
		return
	case err == nil:
	case errors.As(err, &part):
		status = http.StatusMultiStatus
	case errors.Is(err, subscribers.ErrNotFound), errors.Is(err, feed.ErrNotFound), errors.Is(err, digest.ErrNotFound):
		s.refuse(w, http.StatusNotFound, err)
		return
	default:
		s.refuse(w, http.StatusUnprocessableEntity, err)
		return
	}
	w.Header().Set("Content-Type", "application/jsonl; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if _, err := w.Write(out.Bytes()); err != nil {
		s.app.log.Debug("response not written", "err", err) // the client disconnected
	}
}

// ended returns the response for a command that ran: what a terminal would show.
func ended(err error, out, talk string) remote.Answer {
	a := remote.Answer{Out: out, Talk: talk}
	var q question
	if errors.As(err, &q) {
		a.Question = string(q)
	} else if err != nil {
		a.Error, a.Status = exit(err)
	}
	return a
}

func (s *api) token(r *http.Request) (subscribers.APIToken, error) {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return subscribers.APIToken{}, tokens.ErrInvalid
	}
	return s.app.subscribers.CheckAPIToken(r.Context(), text)
}

// arguments builds the command line of a request. Each value stays one argument: none can
// become a flag.
func (s *api) arguments(w http.ResponseWriter, r *http.Request, name string) (*remote.Terminal, []string, error) {
	var asked remote.Request
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, s.maxBody))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	if err := dec.Decode(&asked); err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("the body is not {\"args\": […], \"flags\": {…}}: %w", err)
	}
	args := strings.Fields(name)
	if t := asked.Terminal; t == nil {
		args = append(args, "--json", "--quiet")
	} else {
		args = append(args, fmt.Sprintf("--json=%t", t.JSON), fmt.Sprintf("--quiet=%t", t.Quiet))
	}
	for _, flag := range slices.Sorted(maps.Keys(asked.Flags)) {
		if slices.Contains(apiClosedFlags, flag) {
			return nil, nil, fmt.Errorf("the API does not accept --%s; run the command on the machine of the service, without --server", flag)
		}
		if !apiFlag.MatchString(flag) {
			return nil, nil, fmt.Errorf("the API has no flag %q; /api/openapi.json lists the flags", flag)
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
				return nil, nil, fmt.Errorf("flag %q must be a string, a number, a boolean, or an array of these", flag)
			}
		}
	}
	return asked.Terminal, append(append(args, "--"), asked.Args...), nil
}

// refuse answers a request with the reason for its refusal.
func (s *api) refuse(w http.ResponseWriter, status int, err error) {
	s.answer(w, status, apiProblem{oneLine(err)})
}

func (s *api) answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := writeJSON(w, body); err != nil {
		s.app.log.Debug("response not written", "err", err)
	}
}
