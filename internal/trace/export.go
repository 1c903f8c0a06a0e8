package trace

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"dibao/internal/redact"
)

// Options say where spans are sent. All fields are required.
type Options struct {
	Endpoint string // base URL of the collector, such as http://localhost:4318
	Version  string // version of the program
	Host     string // host that dibao runs on
	Now      func() time.Time
	Logger   *slog.Logger
}

const (
	sendEvery   = 5 * time.Second
	sendTimeout = 10 * time.Second
	lastTimeout = 3 * time.Second // for the remaining spans when the program ends
	firstPause  = time.Second     // after a failed request; it doubles with each further failure
	longestWait = time.Minute
)

// New returns a tracer; [Tracer.Run] sends what it records.
func New(o Options) *Tracer { return &Tracer{opts: o, full: make(chan struct{}, 1)} }

// address returns where traces are posted (OTLP specification, OTLP/HTTP request).
func (t *Tracer) address() string {
	base := strings.TrimSuffix(t.opts.Endpoint, "/")
	if strings.HasSuffix(base, "/v1/traces") {
		return base
	}
	return base + "/v1/traces"
}

// Run sends spans until ctx ends, and then the remaining ones.
func (t *Tracer) Run(ctx context.Context) {
	ticker := time.NewTicker(sendEvery)
	defer ticker.Stop()
	pause := firstPause
	for {
		select {
		case <-ctx.Done():
			last, stop := context.WithTimeout(context.WithoutCancel(ctx), lastTimeout)
			defer stop()
			if _, err := t.flush(last); err != nil {
				t.opts.Logger.Warn("traces not sent", "err", err)
			}
			return
		case <-ticker.C:
		case <-t.full:
		}
		wait, err := t.flush(ctx)
		if err == nil || ctx.Err() != nil {
			pause = firstPause
			continue
		}
		t.opts.Logger.Warn("traces not sent yet", "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(max(pause, min(wait, longestWait))):
			pause = min(2*pause, longestWait)
		}
	}
}

// flush sends all waiting spans. On an error it keeps those that may be sent again, and
// wait is the pause that the collector requests.
func (t *Tracer) flush(ctx context.Context) (wait time.Duration, err error) {
	for {
		t.mu.Lock()
		batch := t.waiting[:min(len(t.waiting), batchSize)]
		dropped := t.dropped
		t.dropped = 0
		t.mu.Unlock()
		if dropped > 0 {
			t.opts.Logger.Warn("spans dropped, because the collector of traces does not accept them", "spans", dropped)
		}
		if len(batch) == 0 {
			return 0, nil
		}
		again, wait, err := t.post(ctx, batch)
		if err != nil && again {
			return wait, err
		}
		if err != nil {
			t.opts.Logger.Error("the collector refuses traces", "spans", len(batch), "err", err)
		}
		t.mu.Lock()
		t.waiting = append([]*Span(nil), t.waiting[len(batch):]...)
		t.mu.Unlock()
	}
}

// post sends spans in one request; again says that it may be repeated (OTLP/HTTP, failures).
func (t *Tracer) post(ctx context.Context, batch []*Span) (again bool, wait time.Duration, err error) {
	body, err := json.Marshal(t.request(batch))
	if err != nil {
		return false, 0, err
	}
	ctx, stop := context.WithTimeout(ctx, sendTimeout)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.address(), bytes.NewReader(body))
	if err != nil {
		return false, 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		if failed, ok := err.(*url.Error); ok { // it contains the address, including secrets
			err = failed.Err
		}
		return true, 0, fmt.Errorf("%s does not answer: %w", redact.URL(t.opts.Endpoint), err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return true, 0, err
	}
	if res.StatusCode/100 == 2 {
		return false, 0, partlyRefused(answer)
	}
	switch res.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		again = true
	}
	seconds, _ := strconv.Atoi(res.Header.Get("Retry-After")) // a date is rare: use the usual pause
	return again, time.Duration(seconds) * time.Second, fmt.Errorf("%s answered %s", redact.URL(t.opts.Endpoint), res.Status)
}

// partlyRefused reads the response of a collector that accepted only some spans.
func partlyRefused(answer []byte) error {
	var said struct {
		Partial struct {
			Rejected json.Number `json:"rejectedSpans"`
			Message  string      `json:"errorMessage"`
		} `json:"partialSuccess"`
	}
	if err := json.Unmarshal(answer, &said); err != nil {
		return nil // an empty body, or one that is not JSON: it accepted them
	}
	if n := said.Partial.Rejected.String(); n != "" && n != "0" {
		return fmt.Errorf("%s spans were refused: %s", n, said.Partial.Message)
	}
	return nil
}

// object is a JSON object.
type object = map[string]any

// request returns the body of OTLP/HTTP in JSON: ids are hexadecimal, 64-bit integers are
// strings, enumerations are numbers (OTLP specification, JSON Protobuf encoding).
func (t *Tracer) request(batch []*Span) object {
	spans := make([]object, len(batch))
	for i, s := range batch {
		spans[i] = s.otlp()
	}
	resource := attributes([]slog.Attr{slog.String("service.name", "dibao"), slog.String("service.version", t.opts.Version), slog.String("host.name", t.opts.Host)})
	return object{"resourceSpans": []object{{
		"resource":   object{"attributes": resource},
		"scopeSpans": []object{{"scope": object{"name": "dibao", "version": t.opts.Version}, "spans": spans}},
	}}}
}

const (
	kindInternal = 1 // SPAN_KIND_INTERNAL
	statusError  = 2 // STATUS_CODE_ERROR
)

func (s *Span) otlp() object {
	o := object{
		"traceId": hex.EncodeToString(s.trace[:]), "spanId": hex.EncodeToString(s.span[:]), "name": s.name, "kind": kindInternal,
		"startTimeUnixNano": strconv.FormatInt(s.begun.UnixNano(), 10), "endTimeUnixNano": strconv.FormatInt(s.ended.UnixNano(), 10),
		"attributes": attributes(s.attrs),
	}
	if s.under != ([8]byte{}) {
		o["parentSpanId"] = hex.EncodeToString(s.under[:])
	}
	links := make([]object, len(s.links))
	for i, l := range s.links {
		links[i] = object{"traceId": hex.EncodeToString(l.trace[:]), "spanId": hex.EncodeToString(l.span[:])}
	}
	if len(links) > 0 {
		o["links"] = links
	}
	if s.failed != "" {
		o["status"] = object{"code": statusError, "message": redact.Text(s.failed)}
	}
	return o
}

func attributes(attrs []slog.Attr) []object {
	all := make([]object, len(attrs))
	for i, a := range attrs {
		value := object{"stringValue": redact.Text(a.Value.String())}
		switch a.Value.Kind() {
		case slog.KindInt64:
			value = object{"intValue": strconv.FormatInt(a.Value.Int64(), 10)}
		case slog.KindBool:
			value = object{"boolValue": a.Value.Bool()}
		}
		all[i] = object{"key": a.Key, "value": value}
	}
	return all
}
