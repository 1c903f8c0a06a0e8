// Package config reads how a node runs: config.toml, overridden by the
// environment, with defaults. What the service does (sources, lists, readers)
// is in the database.
//
// One table of keys defines the defaults, the commented file of "dibao init", the names in
// the environment and the checks, so that they can't disagree. The file is strict: an
// unknown key or an invalid value is refused with its line.
package config

import (
	"bytes"
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
		Name                     string // name of the site, as readers see it
		TrustedProxies           []netip.Prefix
		TLSCert, TLSKey          string   // files; "" means without TLS
		ACMEHosts                []string // names to get certificates for; none: no ACME
		ACMEDir                  string
		ACMEDirectory            string   // for another authority; "" means Let's Encrypt
		Hubs                     []string // other WebSub hubs
		HubRate                  int      // megabytes per hour that our hub pushes
		Contact                  string   // for security.txt
		API                      bool
		Memory                   int64 // bytes
	}
	Database struct {
		URL     redact.Address
		ReadURL redact.Address // "" means URL
	}
	Fetch struct {
		UserAgent   string
		Concurrency int
		PerHost     int
		Timeout     time.Duration
		MaxBytes    int64
		Private     []netip.Prefix // networks that may contain private sources; none: any of our own networks
		Browser     string         // path of a Chromium for rendering pages; "" means none
	}
	Mail struct {
		Host                    string
		Port                    int
		Username                string
		Password                redact.Secret
		TLS                     string
		From, BounceDomain      string
		Ehlo                    string // "" means the host in base_url
		Connections             int
		Rate                    int // messages per minute in total; 0 means no limit
		Direct                  bool
		Admin                   string           // address that gets an email when a mailing is finished or stuck
		Limits                  map[string]Limit // by domain
		Inbound                 string           // "", lmtp:HOST:PORT, smtp:HOST:PORT or maildir:PATH
		InboundCert, InboundKey string           // files; "" means no STARTTLS
	}
	DKIM struct {
		Domain, Selector, EdSelector string
		Key, EdKey                   redact.Secret
	}
	Schedule struct{ Zone *time.Location }
	Privacy  struct{ Retention time.Duration }
	Summary  struct {
		URL        redact.Address // "" means off
		Model      string
		Key        redact.Secret
		Languages  []string
		DailyLimit int // tokens
		Timeout    time.Duration
	}
	Trace struct{ Endpoint redact.Address } // collector of OpenTelemetry traces; "" means off
	Log   struct {
		Level  slog.Level
		Format string
	}

	File        string    // the file that was read; "" for none
	Settings    []Setting // every key with its value and origin
	SecretFiles []string  // files from which passwords and keys were read, including this one if it contains any
}

// Setting is the effective value of one key.
type Setting struct {
	Section string `json:"section"`
	Name    string `json:"name"`
	Value   string `json:"value"` // the value without passwords; "(set)" for a secret, or "" if it is not set
	From    string `json:"from"`  // FILE:LINE, the name of a variable, or "default"
}

// isFromFile reports whether the value can also be in a file, which the key with the suffix
// _file names: a secret, or an address with a password.
func (k key) isFromFile() bool {
	return k.secret || k.name == "url" || k.name == "read_url" || k.name == "endpoint"
}

// show returns a value for display, and registers the part that it hides.
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

// maxFile is the maximum size of a configuration file, in bytes. It is small because the
// library compares each key of a table with all others.
const maxFile = 128 << 10

// Load reads the file at path, or else config.toml in the current folder, or else the one
// in the user's config folder, or else that of an installed package, or else none. getenv
// is os.Getenv. All errors are reported together.
func Load(path string, getenv func(string) string) (Config, error) {
	file, content, err := find(path)
	if err != nil {
		return Config{}, err
	}
	c, err := parse(file, content, getenv)
	c.File = file
	return c, err
}

// systemFile is the configuration of the daemon if a package installed dibao.
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
			return "", nil, fmt.Errorf("configuration: %w; run the command as the user of the daemon: sudo -u dibao dibao …, or specify your own file with --config", err)
		}
		if err != nil {
			return "", nil, fmt.Errorf("configuration: %w", err)
		}
		defer f.Close()
		content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
		if len(content) > maxFile {
			err = fmt.Errorf("configuration: %s is larger than %d kB", name, maxFile>>10)
		}
		return name, bytes.TrimPrefix(content, []byte("\ufeff")), err // some editors begin a file with a byte order mark
	}
	return "", nil, nil
}

// parse checks a file's content and adds the defaults and the environment.
func parse(file string, content []byte, getenv func(string) string) (Config, error) {
	var c Config
	var problems []error
	var tree map[string]any
	if err := toml.Unmarshal(content, &tree); err != nil {
		return c, broken(file, err)
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

// scalar returns a TOML value as the text that the environment would contain.
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
