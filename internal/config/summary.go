package config

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"dibao/internal/redact"
)

func setSummaryURL(c *Config, v string) error {
	if u, err := url.Parse(v); v != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return errors.New("is not an address such as https://models.example.org/v1")
	}
	c.Summary.URL = redact.Address(v)
	return nil
}

func setTraceEndpoint(c *Config, v string) error {
	if u, err := url.Parse(v); v != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "") {
		return errors.New("is not an address such as http://localhost:4318")
	}
	c.Trace.Endpoint = redact.Address(v)
	return nil
}

func setSummaryLanguages(c *Config, v string) error {
	c.Summary.Languages = nil
	for part := range strings.SplitSeq(v, ",") {
		switch part = strings.TrimSpace(part); {
		case part != "en" && part != "zh":
			return fmt.Errorf("contains %q, which is neither en nor zh", part)
		case !slices.Contains(c.Summary.Languages, part):
			c.Summary.Languages = append(c.Summary.Languages, part)
		}
	}
	return nil
}

func setSummaryTimeout(c *Config, v string) error {
	d, err := time.ParseDuration(v)
	if err != nil || d < time.Second || d > 10*time.Minute {
		return errors.New("is not a duration from 1s to 10m")
	}
	c.Summary.Timeout = d
	return nil
}
