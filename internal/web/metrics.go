package web

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"dibao/internal/metrics"
)

var (
	requestsMetric  = metrics.New(metrics.Counter, "dibao_http_requests_total", "Requests answered, by pattern of the path, method and status.", "route", "method", "status")
	durationMetric  = metrics.New(metrics.Histogram, "dibao_http_request_seconds", "Time until a request was answered.", "route")
	documentsMetric = metrics.New(metrics.Gauge, "dibao_http_cache_documents", "Cached responses.")
	bytesMetric     = metrics.New(metrics.Gauge, "dibao_http_cache_bytes", "Size of the cached responses, in bytes.")
)

// durationBounds are the upper bounds of a histogram's buckets, in seconds.
var durationBounds = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}

// Metrics counts requests by kind of page, never by address or client.
type Metrics struct {
	cache *Cache

	mu       sync.Mutex
	requests map[request]int
	duration map[string]*durations // by route
}

// A request contains the labels under which a request is counted.
type request struct {
	route, method string
	status        int
}

// durations is a histogram.
type durations struct {
	sum     float64 // in seconds
	count   uint64
	buckets []uint64 // number of requests up to each bound
}

// NewMetrics returns counters of requests and of what a cache keeps.
func NewMetrics(cache *Cache) *Metrics {
	return &Metrics{cache: cache, requests: make(map[request]int), duration: make(map[string]*durations)}
}

// Families implements metrics.Collector.
func (m *Metrics) Families() []*metrics.Family {
	return []*metrics.Family{requestsMetric, durationMetric, documentsMetric, bytesMetric}
}

// Collect implements metrics.Collector.
func (m *Metrics) Collect(p *metrics.Page) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for r, n := range m.requests {
		p.Set(requestsMetric, float64(n), r.route, r.method, strconv.Itoa(r.status))
	}
	for route, d := range m.duration {
		p.Distribution(durationMetric, d.count, d.sum, durationBounds, d.buckets, route)
	}
	if m.cache != nil {
		n, bytes := m.cache.Size()
		p.Set(documentsMetric, float64(n))
		p.Set(bytesMetric, float64(bytes))
	}
}

// count counts a request. The number of routes is limited by the patterns of the mux.
func (m *Metrics) count(r *http.Request, status int, took time.Duration) {
	if m == nil {
		return
	}
	route := r.Pattern
	if i := strings.IndexByte(route, ' '); i >= 0 {
		route = route[i+1:]
	}
	method := r.Method
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions:
	default:
		method = "other" // clients can send arbitrary methods
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests[request{route, method, status}]++
	d := m.duration[route]
	if d == nil {
		d = &durations{buckets: make([]uint64, len(durationBounds))}
		m.duration[route] = d
	}
	d.count++
	d.sum += took.Seconds()
	for i := len(durationBounds) - 1; i >= 0 && took.Seconds() <= durationBounds[i]; i-- {
		d.buckets[i]++
	}
}
