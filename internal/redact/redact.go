// Package redact removes passwords, keys and tokens from logs, errors, the
// output of commands and the audit log. It is applied at these boundaries
// (Handler for logs), so that callers do not have to.
//
// Text recognizes secrets by their form (RFC 3986 §3.2.1 user information, query
// parameters, tokens in our own paths, private keys), and the secrets of this process that
// were registered with Register.
package redact

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"dibao/internal/lazyregexp"
)

// Mark replaces a removed secret.
const Mark = "***"

// TokenPaths are the beginnings of paths that continue with a token of a reader or a hub,
// which anybody who reads it can use. Logs hide the rest, and robots.txt disallows them.
var TokenPaths = []string{"/u/", "/confirm/", "/preferences/", "/change/", "/delete/", "/data/", "/websub/"}

// Path returns the path of a request for a log.
func Path(path string) string {
	for _, prefix := range TokenPaths {
		if strings.HasPrefix(path, prefix) {
			return prefix + Mark
		}
	}
	return Text(path)
}

var (
	// userinfo ends at the last @ before the path.
	userinfo = lazyregexp.New(`([a-zA-Z][a-zA-Z0-9+.-]*://)([^\s/?#"'<>]*)@`)
	// queryKey matches a parameter of a query, or a password in a keyword string of
	// PostgreSQL.
	queryKey = lazyregexp.New(`(?i)([?&;](?:[a-z_.-]*(?:token|secret|password|passwd|signature)|(?:[a-z]+_?)?api_?key|key|pwd|auth|sig)=|\b(?:ssl)?password=)('[^']*'|[^\s&"'<>#;]+)`)
	token    = lazyregexp.New(tokenPattern())
	// listKey matches the key in the address of a list that is not public.
	listKey  = lazyregexp.New(`(/lists/[a-z0-9-]+(?:~|%7[Ee]))[A-Za-z0-9]+`)
	bearer   = lazyregexp.New(`(?i)\b(bearer |authorization: ?basic )[A-Za-z0-9+/=._~-]{8,}`)
	apiToken = lazyregexp.New(`\bdibao_[A-Za-z0-9_-]{20,}`)
	pemKey   = lazyregexp.New(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*-----|$)`)
)

// tokenPattern matches tokens in addresses: ours are longer than 16 letters.
func tokenPattern() string {
	names := make([]string, len(TokenPaths))
	for i, p := range TokenPaths {
		names[i] = regexp.QuoteMeta(p)
	}
	return `(` + strings.Join(names, "|") + `)[A-Za-z0-9_.~%-]{16,}`
}

// URL removes the password from an address, and from a web address a user name without a
// password, which is a key. The rest remains, so that the address can be used.
func URL(s string) string {
	return userinfo.ReplaceAllStringFunc(s, func(m string) string {
		parts := userinfo.FindStringSubmatch(m)
		user, _, hasPassword := strings.Cut(parts[2], ":")
		switch {
		case hasPassword:
			return parts[1] + user + ":" + Mark + "@"
		case user != "" && strings.HasPrefix(parts[1], "http"):
			return parts[1] + Mark + "@"
		}
		return m
	})
}

// maxText is the length, in bytes, up to which a text is processed. Messages are shorter.
const maxText = 256 << 10

// Text removes all secrets from a text. It truncates a text longer than 256 kB, and says
// so.
func Text(s string) string {
	if len(s) > maxText {
		return Text(beginning(s)) + fmt.Sprintf(" … (shortened: the text has %d bytes)", len(s))
	}
	if known := registered.Load(); known != nil {
		s = known.replacer.Replace(s)
	}
	if strings.Contains(s, "://") {
		s = URL(s)
	}
	if strings.Contains(s, "=") {
		s = queryKey.ReplaceAllString(s, "${1}"+Mark)
	}
	if strings.Contains(s, "/") {
		s = token.ReplaceAllString(s, "${1}"+Mark)
		s = listKey.ReplaceAllString(s, "${1}"+Mark)
	}
	s = apiToken.ReplaceAllString(s, Mark)
	s = bearer.ReplaceAllString(s, "${1}"+Mark)
	return pemKey.ReplaceAllString(s, "(private key)")
}

// Line joins the lines of an error (errors.Join), without secrets: each error that a
// command prints or the API returns passes through it.
func Line(err error) string {
	return Text(strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; "))
}

// beginning truncates a text before a word, so that it does not contain half a secret.
func beginning(s string) string {
	const margin = 4 << 10 // bytes of the longest secret
	s = s[:maxText]
	if at := strings.LastIndexAny(s, " \n\t"); at >= maxText-margin {
		return s[:at]
	}
	return strings.ToValidUTF8(s[:maxText-margin], "")
}

// shortest is the minimum length, in bytes, of a registered secret that Text searches for:
// shorter ones occur in words.
const shortest = 8

// secrets are the registered secrets.
type secrets struct {
	values   []string // longest first
	replacer *strings.Replacer
}

var (
	registering sync.Mutex
	registered  atomic.Pointer[secrets]
)

// Register makes Text remove a secret of this process wherever it occurs, unchanged or in
// the form for addresses. A secret shorter than 8 bytes is found only by its form.
func Register(secret string) {
	registering.Lock()
	defer registering.Unlock()
	var values []string
	if old := registered.Load(); old != nil {
		values = slices.Clone(old.values)
	}
	before := len(values)
	for _, v := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret)} {
		if len(v) >= shortest && !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	if len(values) == before {
		return
	}
	slices.SortFunc(values, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	pairs := make([]string, 0, 2*len(values))
	for _, v := range values {
		pairs = append(pairs, v, Mark)
	}
	registered.Store(&secrets{values, strings.NewReplacer(pairs...)})
}

// RegisterURL registers the password of an address, even if the address is invalid because
// of missing escapes.
func RegisterURL(address string) {
	_, rest, ok := strings.Cut(address, "://")
	at := strings.LastIndexByte(rest, '@')
	if !ok || at < 0 {
		return
	}
	_, password, _ := strings.Cut(rest[:at], ":")
	Register(password)
	if plain, err := url.PathUnescape(password); err == nil {
		Register(plain)
	}
}
