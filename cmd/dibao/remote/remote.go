// Package remote runs commands on the machine of the service, through the admin
// API.
package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"dibao/internal/redact"
)

// Request is the body of POST /api/GROUP/VERB.
type Request struct {
	Args     []string       `json:"args"`
	Flags    map[string]any `json:"flags"`              // by name; an array sets the flag several times
	Terminal *Terminal      `json:"terminal,omitempty"` // nil if the client is a program that reads JSON
}

// Terminal describes the terminal that shows the response.
type Terminal struct {
	Columns int  `json:"columns"` // 0 if it is not a terminal; then nothing is truncated
	Chinese bool `json:"chinese"`
	JSON    bool `json:"json"`
	Quiet   bool `json:"quiet"`
}

// Answer is the output of the command, and how it ended.
type Answer struct {
	Out      string `json:"out"`      // text for standard output
	Talk     string `json:"talk"`     // text for standard error
	Error    string `json:"error"`    // "" if there is none
	Status   int    `json:"status"`   // the exit status
	Question string `json:"question"` // question to answer with yes before anything is done
}

// Timeout is the maximum time of a command.
const Timeout = 5 * time.Minute

const (
	maxAnswer  = 64 << 20 // bytes
	maxProblem = 64 << 10 // bytes of an error response
)

// Client runs commands on one server.
type Client struct {
	server *url.URL
	token  string
	http   *http.Client
}

// New returns a client of the server at an http or https URL, with the token in
// a file. Plain HTTP is only for this machine: others on the network could read
// the token.
func New(server, tokenFile string) (*Client, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("--server %q is not an http or https URL", redact.URL(server))
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return nil, fmt.Errorf("--server %s would send the token in plain text; use https, or a tunnel such as: ssh -L 9090:localhost:9090 HOST", redact.URL(server))
	}
	if tokenFile == "" {
		return nil, errors.New("--server needs --token-file with a token that the server made with: dibao token create")
	}
	text, err := os.ReadFile(tokenFile)
	if err != nil {
		return nil, fmt.Errorf("read the token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if len(strings.Fields(token)) != 1 {
		return nil, fmt.Errorf("%s must contain one token and nothing else, as dibao token create writes it", tokenFile)
	}
	redact.Register(token)
	return &Client{server: u, token: token, http: &http.Client{
		Timeout:       Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the token must not be sent to another server
	}}, nil
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// Run runs a command such as "issue note". If the command did not run, the error says what to
// do.
func (c *Client) Run(ctx context.Context, verb string, r Request) (Answer, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return Answer{}, err
	}
	at := c.server.JoinPath("api", strings.ReplaceAll(verb, " ", "/"))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at.String(), bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := c.http.Do(req)
	var refused *net.OpError
	switch {
	case errors.As(err, &refused) && refused.Op == "dial":
		return Answer{}, fmt.Errorf("%s does not answer: %w; check --server and admin_addr in [server] there", redact.URL(c.server.String()), refused.Err)
	case err != nil:
		return Answer{}, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return Answer{}, problem(res)
	}
	var a Answer
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&a); err != nil {
		return Answer{}, fmt.Errorf("the response of %s can't be read: %w; check that --server is the admin address of dibao", redact.URL(c.server.String()), err)
	}
	return a, nil
}

// problem returns the error for a response that does not come from a command.
func problem(res *http.Response) error {
	var reply struct {
		Error string `json:"error"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxProblem)).Decode(&reply); err != nil || reply.Error == "" {
		return fmt.Errorf("the server answered %s; check --server, and api = true in [server] there", res.Status)
	}
	return errors.New(reply.Error)
}
