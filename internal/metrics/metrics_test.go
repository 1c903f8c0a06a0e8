package metrics

import (
	"bytes"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"pgregory.net/rapid"
)

func TestPage(t *testing.T) {
	t.Parallel()
	sources := New(Gauge, "dibao_sources", "Sources by\nstate.", "state")
	took := New(Histogram, "dibao_seconds", "Time.", "route")
	pauses := New(Summary, "dibao_pauses_seconds", "Pauses.")
	var p Page
	p.Set(sources, 2, "ok")
	p.Set(sources, 1e9, "blocked")
	p.Distribution(took, 3, 0.75, []float64{0.1, 0.5}, []uint64{1, 2}, "/")
	p.Quantiles(pauses, 2, 0.5, []float64{0, 1}, []float64{0.1, 0.4})
	const want = `# HELP dibao_pauses_seconds Pauses.
# TYPE dibao_pauses_seconds summary
dibao_pauses_seconds{quantile="0"} 0.1
dibao_pauses_seconds{quantile="1"} 0.4
dibao_pauses_seconds_sum 0.5
dibao_pauses_seconds_count 2
# HELP dibao_seconds Time.
# TYPE dibao_seconds histogram
dibao_seconds_bucket{route="/",le="0.1"} 1
dibao_seconds_bucket{route="/",le="0.5"} 2
dibao_seconds_bucket{route="/",le="+Inf"} 3
dibao_seconds_sum{route="/"} 0.75
dibao_seconds_count{route="/"} 3
# HELP dibao_sources Sources by\nstate.
# TYPE dibao_sources gauge
dibao_sources{state="blocked"} 1e+09
dibao_sources{state="ok"} 2
`
	if got := string(p.Bytes()); got != want {
		t.Errorf("got\n%s", got)
	}
}

// TestPageIsRead parses values of every kind with Prometheus's parser.
func TestPageIsRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		label, value := rapid.String().Draw(t, "label"), rapid.Float64().Draw(t, "value")
		var p Page
		p.Set(New(Gauge, "dibao_any", "Any "+label, "name"), value, label)
		parser := expfmt.NewTextParser(model.LegacyValidation)
		families, err := parser.TextToMetricFamilies(bytes.NewReader(p.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		got := families["dibao_any"].GetMetric()[0]
		if got.GetLabel()[0].GetValue() != label || got.GetGauge().GetValue() != value {
			t.Errorf("%q %v was read as %v", label, value, got)
		}
	})
}

func TestProcess(t *testing.T) {
	t.Parallel()
	answer := httptest.NewRecorder()
	Handler(Process{}).ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	text := answer.Body.String()
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	for _, f := range (Process{}).Families() {
		if runtime.GOOS != "linux" && strings.HasPrefix(f.Name, "process_") {
			continue
		}
		if !strings.Contains(text, "# TYPE "+f.Name+" ") {
			t.Errorf("%s is missing", f.Name)
		}
	}
}
