// Package tracetest is a collector of OpenTelemetry traces for tests. It refuses what
// OTLP/HTTP in JSON does not allow.
package tracetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"sync"
	"testing"
)

// Collector accepts spans at URL/v1/traces.
type Collector struct {
	URL string

	t    *testing.T
	mu   sync.Mutex
	all  []Span
	text []byte
}

// Span is a span that arrived.
type Span struct {
	Name, TraceID, SpanID, ParentSpanID string
	Attributes                          map[string]string
	Links                               []string // the ids of the spans
	Failed                              string   // reason
}

// New starts a collector that ends with the test.
func New(t *testing.T) *Collector {
	c := &Collector{t: t}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

// Spans returns the received spans by name; if several have one name, the last one.
func (c *Collector) Spans() map[string]Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(map[string]Span)
	for _, s := range c.all {
		all[s.Name] = s
	}
	return all
}

// Text returns all received bodies.
func (c *Collector) Text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.text)
}

// The messages of OTLP (opentelemetry/proto/trace/v1/trace.proto) in JSON.
type (
	request struct {
		ResourceSpans []struct {
			Resource   struct{ Attributes []attribute } `json:"resource"`
			ScopeSpans []struct {
				Scope struct{ Name, Version string }
				Spans []span
			}
		}
	}
	span struct {
		TraceID           string `json:"traceId"`
		SpanID            string `json:"spanId"`
		ParentSpanID      string `json:"parentSpanId"`
		Name              string
		Kind              int
		StartTimeUnixNano string
		EndTimeUnixNano   string
		Attributes        []attribute
		Links             []struct {
			TraceID string `json:"traceId"`
			SpanID  string `json:"spanId"`
		}
		Status struct {
			Code    int
			Message string
		}
	}
	attribute struct {
		Key   string
		Value struct {
			StringValue *string
			IntValue    *string // int64 is a string in JSON
			BoolValue   *bool
		}
	}
)

var (
	traceID = regexp.MustCompile(`^[0-9a-f]{32}$`)
	spanID  = regexp.MustCompile(`^[0-9a-f]{16}$`)

	capitalKey = regexp.MustCompile(`"[A-Z]\w*":`)
)

// ServeHTTP handles a request. An invalid one fails the test.
func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var req request
	if err == nil {
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.DisallowUnknownFields()
		err = dec.Decode(&req)
	}
	if key := capitalKey.Find(body); key != nil { // Go accepts such a key, other collectors do not
		c.t.Errorf("the key %s is not in lowerCamelCase", key)
	}
	if r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/json" || err != nil {
		c.t.Errorf("%s %s %q: %v", r.Method, r.URL.Path, r.Header.Get("Content-Type"), err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text = append(c.text, body...)
	for _, of := range req.ResourceSpans {
		if service := values(of.Resource.Attributes)["service.name"]; service != "dibao" {
			c.t.Errorf("service.name is %q", service)
		}
		for _, scope := range of.ScopeSpans {
			for _, s := range scope.Spans {
				if problem := s.problem(); problem != "" {
					c.t.Errorf("span %q: %s", s.Name, problem)
				}
				taken := Span{Name: s.Name, TraceID: s.TraceID, SpanID: s.SpanID, ParentSpanID: s.ParentSpanID, Attributes: values(s.Attributes)}
				for _, l := range s.Links {
					taken.Links = append(taken.Links, l.SpanID)
				}
				if s.Status.Code == 2 {
					taken.Failed = s.Status.Message
				}
				c.all = append(c.all, taken)
			}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, "{}")
}

// problem says what is wrong with a span.
func (s span) problem() string {
	begun, errBegun := strconv.ParseUint(s.StartTimeUnixNano, 10, 64)
	ended, errEnded := strconv.ParseUint(s.EndTimeUnixNano, 10, 64)
	switch {
	case !traceID.MatchString(s.TraceID) || !spanID.MatchString(s.SpanID) || s.ParentSpanID != "" && !spanID.MatchString(s.ParentSpanID):
		return fmt.Sprintf("ids %q, %q, %q", s.TraceID, s.SpanID, s.ParentSpanID)
	case errBegun != nil || errEnded != nil || ended < begun:
		return fmt.Sprintf("from %q to %q", s.StartTimeUnixNano, s.EndTimeUnixNano)
	case s.Name == "" || s.Kind < 1 || s.Kind > 5 || s.Status.Code < 0 || s.Status.Code > 2:
		return fmt.Sprintf("kind %d, status %d", s.Kind, s.Status.Code)
	}
	for _, l := range s.Links {
		if !traceID.MatchString(l.TraceID) || !spanID.MatchString(l.SpanID) {
			return "a link with wrong ids"
		}
	}
	return ""
}

func values(attributes []attribute) map[string]string {
	all := make(map[string]string)
	for _, a := range attributes {
		switch v := a.Value; {
		case v.StringValue != nil:
			all[a.Key] = *v.StringValue
		case v.IntValue != nil:
			all[a.Key] = *v.IntValue
		case v.BoolValue != nil:
			all[a.Key] = strconv.FormatBool(*v.BoolValue)
		}
	}
	return all
}
