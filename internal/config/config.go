// Package config reads how a node runs: config.toml, overridden by the environment, with
// defaults. What the service does (sources, lists, readers) is in the database.
//
// One table of keys gives the defaults, the commented file of "dibao init", the
// names in the environment and the checks, so that they can't disagree. The
// file is strict: an unknown key or a bad value is refused with its line.
package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"dibao/internal/redact"
)

// Config is the configuration of one node, checked.
type Config struct {
	Server struct {
		Addr, BaseURL, AdminAddr string
		TrustedProxies           []netip.Prefix
		TLSCert, TLSKey          string   // files; "": no TLS of our own
		ACMEHosts                []string // names to get certificates for; none: no ACME
		ACMEDir                  string
		ACMEDirectory            string   // of another authority; "": Let's Encrypt
		Hubs                     []string // other WebSub hubs
		HubRate                  int      // megabytes an hour that our own pushes
		Contact                  string   // for security.txt
		API                      bool
		Memory                   int64 // bytes
	}
	Database struct {
		URL     redact.Address
		ReadURL redact.Address // "": URL
	}
	Fetch struct {
		UserAgent   string
		Concurrency int
		PerHost     int
		Timeout     time.Duration
		MaxBytes    int64
		Private     []netip.Prefix // that private sources may be in; none: any of one's own
		Browser     string         // path of a Chromium that renders pages; "": none
	}
	Mail struct {
		Host                    string
		Port                    int
		Username                string
		Password                redact.Secret
		TLS                     string
		From, BounceDomain      string
		Ehlo                    string // "": of base_url's host
		Connections             int
		Rate                    int // messages a minute in all; 0: no limit
		Direct                  bool
		Admin                   string           // address that gets a mail when a mailing is done or stuck
		Limits                  map[string]Limit // by domain
		Inbound                 string           // "", lmtp:HOST:PORT, smtp:HOST:PORT or maildir:PATH
		InboundCert, InboundKey string           // files; "": no STARTTLS
	}
	DKIM struct {
		Domain, Selector, EdSelector string
		Key, EdKey                   redact.Secret
	}
	Schedule struct{ Zone *time.Location }
	Privacy  struct{ Retention time.Duration }
	Summary  struct {
		URL        redact.Address // "" is off
		Model      string
		Key        redact.Secret
		Languages  []string
		DailyLimit int // tokens
		Timeout    time.Duration
	}
	Log struct {
		Level  slog.Level
		Format string
	}

	File        string    // that was read; "" for none
	Settings    []Setting // every key with its value and where that came from
	SecretFiles []string  // that passwords and keys were read from, this file among them if it holds one
}

// Setting is the effective value of one key.
type Setting struct {
	Section string `json:"section"`
	Name    string `json:"name"`
	Value   string `json:"value"` // without passwords; of a secret: "(set)", or "" where there is none
	From    string `json:"from"`  // FILE:LINE, the name of a variable, or "default"
}

// key is one line of the configuration.
type key struct {
	section, name string
	standard      string
	doc           string
	secret        bool // its value is read from the file named by name_file, too
	set           func(c *Config, value string) error
}

// keys is the whole configuration, in the order of the file.
var keys = []key{
	{"server", "addr", "127.0.0.1:8080", "address that serves pages and feeds", false, address(func(c *Config) *string { return &c.Server.Addr })},
	{"server", "base_url", "http://127.0.0.1:8080", "public address of this server; it is in every mail and feed", false, setBaseURL},
	{"server", "admin_addr", "127.0.0.1:9090", "address of the pages for admins, metrics, profiles and the admin API; keep it private", false, address(func(c *Config) *string { return &c.Server.AdminAddr })},
	{"server", "trusted_proxies", "", "networks of reverse proxies whose X-Forwarded-For is trusted, separated by commas", false, setProxies},
	{"server", "tls_cert", "", "file with the certificate chain, for HTTPS without a proxy; dibao reloads it when it changes", false, text(func(c *Config) *string { return &c.Server.TLSCert })},
	{"server", "tls_key", "", "file with the private key of tls_cert", false, text(func(c *Config) *string { return &c.Server.TLSKey })},
	{"server", "acme_hosts", "", "host names for which dibao requests certificates (Let's Encrypt), separated by commas; addr must be reachable at port 443", false, words(func(c *Config) *[]string { return &c.Server.ACMEHosts })},
	{"server", "acme_directory", "", "ACME directory URL of another authority; empty: Let's Encrypt", false, text(func(c *Config) *string { return &c.Server.ACMEDirectory })},
	{"server", "acme_dir", "acme", "folder that stores these certificates", false, text(func(c *Config) *string { return &c.Server.ACMEDir })},
	{"server", "hubs", "", "WebSub hubs to notify of new articles besides the built-in hub at /hub, separated by commas", false, setHubs},
	{"server", "hub_rate", "1000", "maximum number of megabytes an hour that the built-in hub pushes; it pushes the rest later", false, integer(func(c *Config) *int { return &c.Server.HubRate }, 1, 1_000_000)},
	{"server", "contact", "", "where to report a vulnerability: a mailto: or https: address, for security.txt", false, setContact},
	{"server", "api", "false", "true serves the admin API on admin_addr, to programs with a token from \"dibao token create\"", false, setAPI},
	{"server", "memory", "256MB", "memory that dibao may use, such as 256MB or 1GB; GOMEMLIMIT in the environment takes precedence", false, setMemory},
	{"database", "url", "sqlite:dibao.db", "sqlite:PATH, or postgres://USER@HOST:PORT/NAME for several nodes; if it contains a password, use url_file instead", false, setDatabase},
	{"database", "read_url", "", "URL of the same PostgreSQL database with a user who may only read; dibao reads pages, feeds and everything else with it; empty: url", false, setReadDatabase},
	{"fetch", "user_agent", "", "User-Agent that sites see; include an address at which they can reach you; empty: dibao (+base_url/)", false, text(func(c *Config) *string { return &c.Fetch.UserAgent })},
	{"fetch", "concurrency", "8", "number of sources collected at the same time", false, integer(func(c *Config) *int { return &c.Fetch.Concurrency }, 1, 256)},
	{"fetch", "per_host", "1", "maximum number of simultaneous requests to one host", false, integer(func(c *Config) *int { return &c.Fetch.PerHost }, 1, 16)},
	{"fetch", "timeout", "30s", "maximum duration of one request", false, setTimeout},
	{"fetch", "max_bytes", "5242880", "maximum size of one response, in bytes", false, setMaxBytes},
	{"fetch", "private", "", "networks of your own that sources with --private may be in, such as 10.1.0.0/16, separated by commas; empty: any private or loopback address of the host that you typed", false, setPrivate},
	{"fetch", "browser", "", "path of a Chromium that renders the pages of sources with --render, such as /usr/bin/chromium; empty: none", false, setBrowser},
	{"mail", "host", "", "mail server that accepts outgoing mail; further servers, separated by commas, are fallbacks; empty: dibao sends no mail", false, text(func(c *Config) *string { return &c.Mail.Host })},
	{"mail", "port", "587", "port of host", false, integer(func(c *Config) *int { return &c.Mail.Port }, 1, 65535)},
	{"mail", "username", "", "login of host; empty: no login", false, text(func(c *Config) *string { return &c.Mail.Username })},
	{"mail", "password", "", "file that contains the password", true, secret(func(c *Config) *redact.Secret { return &c.Mail.Password })},
	{"mail", "tls", "required", "required, implicit (port 465), opportunistic (STARTTLS where it is offered; with a username the same as required) or none", false, oneOf(func(c *Config) *string { return &c.Mail.TLS }, "required", "implicit", "opportunistic", "none")},
	{"mail", "from", "", "default sender of lists, such as 邸报 <dibao@example.org>", false, text(func(c *Config) *string { return &c.Mail.From })},
	{"mail", "bounce_domain", "", "domain of envelope senders (VERP) whose bounces reach dibao; empty: the address in from", false, text(func(c *Config) *string { return &c.Mail.BounceDomain })},
	{"mail", "ehlo", "", "full name of this host, given to mail servers in EHLO; empty: the host in base_url, or else the name of the machine", false, setEhlo},
	{"mail", "connections", "4", "maximum number of simultaneous connections to the mail server", false, integer(func(c *Config) *int { return &c.Mail.Connections }, 1, 100)},
	{"mail", "rate", "0", "maximum number of messages a minute; 0: no limit", false, integer(func(c *Config) *int { return &c.Mail.Rate }, 0, 1_000_000)},
	{"mail", "direct", "false", "true delivers directly to the servers of the readers' domains when host is empty", false, setDirect},
	{"mail", "admin", "", "address to notify when a mailing is finished or stuck", false, text(func(c *Config) *string { return &c.Mail.Admin })},
	{"mail", "inbound", "", "how dibao receives bounces: lmtp:HOST:PORT, smtp:HOST:PORT or maildir:PATH; empty: only with \"dibao bounce read\"", false, setInbound},
	{"mail", "inbound_tls_cert", "", "file with the certificate chain with which inbound offers STARTTLS; dibao reloads it when it changes", false, text(func(c *Config) *string { return &c.Mail.InboundCert })},
	{"mail", "inbound_tls_key", "", "file with the private key of inbound_tls_cert", false, text(func(c *Config) *string { return &c.Mail.InboundKey })},
	{"dkim", "domain", "", "signing domain; empty: dibao does not sign", false, text(func(c *Config) *string { return &c.DKIM.Domain })},
	{"dkim", "selector", "dibao", "selector of the key", false, text(func(c *Config) *string { return &c.DKIM.Selector })},
	{"dkim", "key", "", "file that contains the private key (PEM)", true, secret(func(c *Config) *redact.Secret { return &c.DKIM.Key })},
	{"dkim", "ed25519_selector", "", "selector of a second key, Ed25519; empty: one signature", false, text(func(c *Config) *string { return &c.DKIM.EdSelector })},
	{"dkim", "ed25519_key", "", "file that contains the second private key (PEM)", true, secret(func(c *Config) *redact.Secret { return &c.DKIM.EdKey })},
	{"schedule", "zone", "Asia/Shanghai", "time zone of new lists and of times shown to admins", false, setZone},
	{"privacy", "retention", "365d", "how long to keep the bounce log, network blocks and the audit log", false, setRetention},
	{"summary", "url", "", "OpenAI-compatible endpoint that writes additional summaries, such as https://models.example.org/v1; empty: none; if it contains a password, use url_file instead", false, setSummaryURL},
	{"summary", "model", "", "name of the model", false, text(func(c *Config) *string { return &c.Summary.Model })},
	{"summary", "key", "", "file that contains the API key", true, secret(func(c *Config) *redact.Secret { return &c.Summary.Key })},
	{"summary", "languages", "en", "languages of the summaries, separated by commas: en, zh", false, setSummaryLanguages},
	{"summary", "daily_limit", "200000", "maximum number of tokens a day", false, integer(func(c *Config) *int { return &c.Summary.DailyLimit }, 1000, 1_000_000_000)},
	{"summary", "timeout", "60s", "maximum duration of one summary request", false, setSummaryTimeout},
	{"log", "level", "info", "debug, info, warn or error", false, setLevel},
	{"log", "format", "text", "text or json", false, oneOf(func(c *Config) *string { return &c.Log.Format }, "text", "json")},
}

// isFromFile reports whether the value may also stand in a file, named by the
// key with _file behind it: a secret, or an address with a password.
func (k key) isFromFile() bool {
	return k.secret || k.name == "url" || k.name == "read_url"
}

// show returns a value as it may be shown, and registers what it hides.
func (k key) show(value string) string {
	if !k.secret {
		redact.RegisterURL(value)
		return redact.Text(value)
	}
	redact.Register(value)
	if value == "" {
		return ""
	}
	return "(set)"
}

func (k key) env() string { return "DIBAO_" + strings.ToUpper(k.section+"_"+k.name) }

// maxFile is the largest configuration file, in bytes. The library compares each
// key of a table with all others.
const maxFile = 128 << 10

// Load reads the file at path, else config.toml here, else the one in the user's
// config folder, else that of an installed package, else none. getenv is os.Getenv.
// All mistakes are reported together.
func Load(path string, getenv func(string) string) (Config, error) {
	file, content, err := find(path)
	if err != nil {
		return Config{}, err
	}
	c, err := parse(file, content, getenv)
	c.File = file
	return c, err
}

// systemFile is the configuration of the daemon where a package installed dibao.
const systemFile = "/etc/dibao/config.toml"

func find(path string) (name string, content []byte, err error) {
	names := []string{path}
	if path == "" {
		names = []string{"config.toml"}
		if dir, err := os.UserConfigDir(); err == nil {
			names = append(names, filepath.Join(dir, "dibao", "config.toml"))
		}
		names = append(names, systemFile)
	}
	for _, name := range names {
		f, err := os.Open(name)
		if errors.Is(err, os.ErrNotExist) {
			if path != "" {
				return "", nil, fmt.Errorf("configuration %s does not exist; create one with: dibao init --config %s", path, path)
			}
			continue
		}
		if errors.Is(err, os.ErrPermission) && name == systemFile {
			return "", nil, fmt.Errorf("configuration: %w; run the command as the user of the daemon: sudo -u dibao dibao …, or name a file of yours with --config", err)
		}
		if err != nil {
			return "", nil, fmt.Errorf("configuration: %w", err)
		}
		defer f.Close()
		content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
		if len(content) > maxFile {
			err = fmt.Errorf("configuration: %s is larger than %d kB", name, maxFile>>10)
		}
		return name, content, err
	}
	return "", nil, nil
}

// parse checks a file's content and puts defaults and environment around it.
func parse(file string, content []byte, getenv func(string) string) (Config, error) {
	var c Config
	var problems []error
	var tree map[string]any
	if err := toml.Unmarshal(content, &tree); err != nil {
		var decode *toml.DecodeError
		if errors.As(err, &decode) {
			line, _ := decode.Position()
			return c, fmt.Errorf("%s:%d: this is not TOML: %s; put text in quotes, as in host = \"smtp.example.org\"", file, line, strings.TrimPrefix(decode.Error(), "toml: "))
		}
		return c, fmt.Errorf("%s: this is not TOML: %w", file, err)
	}
	problems = append(problems, c.setLimits(file, content, tree)...)
	problems = append(problems, retired(file, content, tree, getenv)...)
	problems = append(problems, unknown(file, content, tree)...)
	given := given{file, content, tree, getenv}
	for _, k := range keys {
		value, from, wrong := c.find(given, k)
		problems = append(problems, wrong...)
		shown := k.show(value)
		c.Settings = append(c.Settings, Setting{k.section, k.name, shown, from})
		if err := k.set(&c, value); err != nil {
			shown = strconv.Quote(shown)
			if k.secret {
				shown = "the value"
			}
			problems = append(problems, fmt.Errorf("%s: %s in [%s]: %s %w", from, k.name, k.section, shown, err))
		}
	}
	return c, errors.Join(problems...)
}

// scalar writes a TOML value as the text that the environment would hold.
func scalar(v any) string {
	if list, ok := v.([]any); ok {
		parts := make([]string, len(list))
		for i, x := range list {
			parts[i] = scalar(x)
		}
		return strings.Join(parts, ",")
	}
	return fmt.Sprint(v)
}

// Write writes a commented file with every key at its default.
func Write(w io.Writer) error {
	section := ""
	var b strings.Builder
	b.WriteString("# This file configures one node of dibao. Sources, lists and readers are in the database: see dibao help.\n" +
		"# 本文件是本节点的运行配置；来源、列表与读者都在数据库里，用 dibao 命令管理。\n" +
		"# Lines that start with # show the defaults. Environment variables named DIBAO_SECTION_KEY override this file.\n")
	for _, k := range keys {
		if k.section != section {
			section = k.section
			fmt.Fprintf(&b, "\n[%s]\n", section)
		}
		if k.doc != "" {
			fmt.Fprintf(&b, "# %s\n", k.doc)
		}
		name := k.name
		if k.secret {
			name += "_file"
		}
		fmt.Fprintf(&b, "# %s = %s\n", name, quote(k.standard))
	}
	b.WriteString(limitsExample)
	_, err := io.WriteString(w, b.String())
	return err
}

// quote writes a default as TOML.
func quote(v string) string {
	if _, err := strconv.Atoi(v); err == nil || v == "true" || v == "false" {
		return v
	}
	return strconv.Quote(v)
}
