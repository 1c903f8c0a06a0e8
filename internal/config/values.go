package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"dibao/internal/fetch"
	"dibao/internal/redact"
)

// maxSiteName limits the name of the site, which is in the subjects of emails.
const maxSiteName = 40

func text(f func(*Config) *string) func(*Config, string) error {
	return func(c *Config, v string) error { *f(c) = v; return nil }
}

func secret(f func(*Config) *redact.Secret) func(*Config, string) error {
	return func(c *Config, v string) error { *f(c) = redact.Secret(v); return nil }
}

func oneOf(f func(*Config) *string, allowed ...string) func(*Config, string) error {
	return func(c *Config, v string) error {
		for _, a := range allowed {
			if v == a {
				*f(c) = v
				return nil
			}
		}
		return fmt.Errorf("is not one of %s", strings.Join(allowed, ", "))
	}
}

func integer(f func(*Config) *int, least, most int) func(*Config, string) error {
	return func(c *Config, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < least || n > most {
			return fmt.Errorf("is not a number from %d to %d", least, most)
		}
		*f(c) = n
		return nil
	}
}

func address(f func(*Config) *string) func(*Config, string) error {
	return func(c *Config, v string) error {
		_, port, err := net.SplitHostPort(v)
		if n, convErr := strconv.Atoi(port); err != nil || convErr != nil || n < 0 || n > 65535 {
			return errors.New("is not HOST:PORT, such as 127.0.0.1:8080")
		}
		*f(c) = v
		return nil
	}
}

func setBrowser(c *Config, v string) error {
	if v != "" && !filepath.IsAbs(v) {
		return errors.New("is not an absolute path, such as /usr/bin/chromium")
	}
	c.Fetch.Browser = v
	return nil
}

func setBaseURL(c *Config, v string) error {
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.User != nil {
		return errors.New("is not an address such as https://policy.example.org")
	}
	c.Server.BaseURL = strings.TrimRight(v, "/")
	return nil
}

func setProxies(c *Config, v string) (err error) {
	c.Server.TrustedProxies, err = networks(v)
	return err
}

// networks reads a list of networks or addresses, separated by commas.
func networks(v string) (all []netip.Prefix, err error) {
	for part := range strings.SplitSeq(v, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		p, err := netip.ParsePrefix(part)
		if err != nil {
			addr, err := netip.ParseAddr(part)
			if err != nil {
				return nil, fmt.Errorf("contains %q, which is not a network such as 10.0.0.0/8", part)
			}
			p = netip.PrefixFrom(addr, addr.BitLen())
		}
		all = append(all, p)
	}
	return all, nil
}

// words reads a list of words, separated by commas.
func words(f func(*Config) *[]string) func(*Config, string) error {
	return func(c *Config, v string) error {
		for part := range strings.SplitSeq(v, ",") {
			if part = strings.TrimSpace(part); part != "" {
				*f(c) = append(*f(c), part)
			}
		}
		return nil
	}
}

func setHubs(c *Config, v string) error {
	if err := words(func(c *Config) *[]string { return &c.Server.Hubs })(c, v); err != nil {
		return err
	}
	for _, hub := range c.Server.Hubs {
		if u, err := url.Parse(hub); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("contains %q, which is not an address such as https://hub.example.org/", hub)
		}
	}
	return nil
}

func setSiteName(c *Config, v string) error {
	if v = strings.TrimSpace(v); v == "" || utf8.RuneCountInString(v) > maxSiteName || strings.ContainsFunc(v, unicode.IsControl) {
		return fmt.Errorf("is not a name of 1 to %d characters", maxSiteName)
	}
	c.Server.Name = v
	return nil
}

func setContact(c *Config, v string) error {
	if v != "" && !strings.HasPrefix(v, "mailto:") && !strings.HasPrefix(v, "https://") && !strings.HasPrefix(v, "tel:") || strings.ContainsAny(v, "\r\n") {
		return errors.New("is not an address such as mailto:security@example.org")
	}
	c.Server.Contact = v
	return nil
}

func setDatabase(c *Config, v string) error {
	if !strings.HasPrefix(v, "sqlite:") && !strings.HasPrefix(v, "postgres://") && !strings.HasPrefix(v, "postgresql://") {
		return errors.New("is neither sqlite:PATH nor postgres://…")
	}
	c.Database.URL = redact.Address(v)
	return nil
}

func setReadDatabase(c *Config, v string) error {
	if v != "" && !strings.HasPrefix(v, "postgres://") && !strings.HasPrefix(v, "postgresql://") {
		return errors.New("is not postgres://…; SQLite needs no read_url")
	}
	c.Database.ReadURL = redact.Address(v)
	return nil
}

func setTimeout(c *Config, v string) error {
	d, err := time.ParseDuration(v)
	if err != nil || d < time.Second || d > 10*time.Minute {
		return errors.New("is not a duration from 1s to 10m")
	}
	c.Fetch.Timeout = d
	return nil
}

func setMaxBytes(c *Config, v string) error {
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 1<<10 || n > 1<<30 {
		return errors.New("is not a number from 1024 to 1073741824")
	}
	c.Fetch.MaxBytes = n
	return nil
}

func setPrivate(c *Config, v string) (err error) {
	if c.Fetch.Private, err = networks(v); err != nil {
		return err
	}
	for _, p := range c.Fetch.Private {
		if !fetch.IsOwnNetwork(p) {
			return fmt.Errorf("contains %s, which is not within a private or loopback network (RFC 1918, 4193, 6598)", p)
		}
	}
	return nil
}

func setZone(c *Config, v string) (err error) {
	if c.Schedule.Zone, err = time.LoadLocation(v); err != nil || v == "" {
		return errors.New("is not a time zone such as Asia/Shanghai")
	}
	return nil
}

func setLevel(c *Config, v string) error {
	if err := c.Log.Level.UnmarshalText([]byte(v)); err != nil {
		return errors.New("is not debug, info, warn or error")
	}
	return nil
}

func setInbound(c *Config, v string) error {
	scheme, where, _ := strings.Cut(v, ":")
	switch {
	case v == "":
	case scheme == "maildir" && where != "":
	case scheme == "lmtp" || scheme == "smtp":
		if err := address(func(*Config) *string { return new(string) })(c, where); err != nil {
			return errors.New("is not lmtp:HOST:PORT, smtp:HOST:PORT or maildir:PATH")
		}
	default:
		return errors.New("is not lmtp:HOST:PORT, smtp:HOST:PORT or maildir:PATH")
	}
	c.Mail.Inbound = v
	return nil
}

// setRetention reads days, such as 365d, in addition to what time.ParseDuration reads.
func setRetention(c *Config, v string) error {
	days, isDays := strings.CutSuffix(v, "d")
	n, err := strconv.Atoi(days)
	d := time.Duration(n) * 24 * time.Hour
	if !isDays {
		d, err = time.ParseDuration(v)
	}
	if err != nil || d < 24*time.Hour || d > 3650*24*time.Hour {
		return errors.New("is not a number of days from 1d to 3650d, such as 365d")
	}
	c.Privacy.Retention = d
	return nil
}

func setAPI(c *Config, v string) (err error) {
	if c.Server.API, err = strconv.ParseBool(v); err != nil {
		return errors.New("is neither true nor false")
	}
	return nil
}

// setEhlo reads the name of a host; line ends and spaces must not get into an SMTP
// dialogue.
func setEhlo(c *Config, v string) error {
	if strings.ContainsFunc(v, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(".-[]:", r)
	}) {
		return fmt.Errorf("%q is not a host name such as mail.example.org", v)
	}
	c.Mail.Ehlo = v
	return nil
}
