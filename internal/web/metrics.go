package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts requests by kind of page, never by address or client.
type Metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	cache    *Cache
}

// NewMetrics returns counters of requests and of what a cache keeps.
func NewMetrics(cache *Cache) *Metrics {
	return &Metrics{
		cache: cache,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dibao_http_requests_total", Help: "Requests answered, by pattern of the path, method and status.",
		}, []string{"route", "method", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "dibao_http_request_seconds", Help: "Time until a request was answered.", Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"route"}),
	}
}

// Register puts the counters into a registry.
func (m *Metrics) Register(r prometheus.Registerer) {
	r.MustRegister(m.requests, m.duration)
	if m.cache != nil {
		r.MustRegister(
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "dibao_http_cache_documents", Help: "Documents kept as bytes."}, func() float64 {
				n, _ := m.cache.Size()
				return float64(n)
			}),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "dibao_http_cache_bytes", Help: "Bytes of the documents that are kept."}, func() float64 {
				_, bytes := m.cache.Size()
				return float64(bytes)
			}))
	}
}

// count notes a request. The pattern of the mux bounds how many routes there are.
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
		method = "other" // anybody can make up methods
	}
	m.requests.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(route).Observe(took.Seconds())
}
