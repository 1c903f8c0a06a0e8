// Package metrics writes counts for Prometheus, in its text format:
// https://prometheus.io/docs/instrumenting/exposition_formats/. The official
// client does more than dibao needs, and with its protocol buffers it added 2 MB
// to the program.
package metrics

import (
	"bytes"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// A Kind is a type of metrics of Prometheus.
type Kind string

// Kinds of metrics.
const (
	Gauge     Kind = "gauge"
	Counter   Kind = "counter"
	Histogram Kind = "histogram"
	Summary   Kind = "summary"
)

// A Family is a metric with its values for all labels.
type Family struct {
	Name, Help string
	Kind       Kind
	Labels     []string // names of the labels
}

// New describes a metric.
func New(kind Kind, name, help string, labels ...string) *Family {
	return &Family{Name: name, Help: help, Kind: kind, Labels: labels}
}

// A Collector adds its metrics to each page.
type Collector interface {
	Families() []*Family
	Collect(*Page)
}

// Handler serves the metrics of collectors.
func Handler(collectors ...Collector) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var p Page
		for _, c := range collectors {
			c.Collect(&p)
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(p.Bytes())
	})
}

// A Page is the response to one scrape.
type Page struct{ samples map[*Family][]sample }

// A sample is the value for one set of labels: one line, or the lines of a histogram.
type sample struct{ labels, lines string }

// Set adds a value, with a value for each label of the family.
func (p *Page) Set(f *Family, value float64, labels ...string) {
	at := f.labeled(labels, "", "")
	p.add(f, sample{at, f.Name + at + " " + number(value) + "\n"})
}

// Distribution adds a histogram: how many observations there were, their sum,
// and for each upper bound how many did not exceed it.
func (p *Page) Distribution(f *Family, count uint64, sum float64, bounds []float64, upTo []uint64, labels ...string) {
	var b strings.Builder
	for i, bound := range bounds {
		b.WriteString(f.Name + "_bucket" + f.labeled(labels, "le", number(bound)) + " " + strconv.FormatUint(upTo[i], 10) + "\n")
	}
	p.total(f, &b, count, sum, labels, "_bucket"+f.labeled(labels, "le", "+Inf"))
}

// Quantiles adds a summary without labels: its count, sum, and values by quantile.
func (p *Page) Quantiles(f *Family, count uint64, sum float64, quantiles, values []float64) {
	var b strings.Builder
	for i, q := range quantiles {
		b.WriteString(f.Name + f.labeled(nil, "quantile", number(q)) + " " + number(values[i]) + "\n")
	}
	p.total(f, &b, count, sum, nil, "")
}

// total adds the last lines of a distribution: the bucket of all observations, if there are
// buckets, the sum and the count.
func (p *Page) total(f *Family, b *strings.Builder, count uint64, sum float64, labels []string, everything string) {
	at, all := f.labeled(labels, "", ""), strconv.FormatUint(count, 10)
	if everything != "" {
		b.WriteString(f.Name + everything + " " + all + "\n")
	}
	b.WriteString(f.Name + "_sum" + at + " " + number(sum) + "\n" + f.Name + "_count" + at + " " + all + "\n")
	p.add(f, sample{at, b.String()})
}

func (p *Page) add(f *Family, s sample) {
	if p.samples == nil {
		p.samples = make(map[*Family][]sample)
	}
	p.samples[f] = append(p.samples[f], s)
}

// Bytes returns the page, with metrics and labels sorted.
func (p *Page) Bytes() []byte {
	families := make([]*Family, 0, len(p.samples))
	for f := range p.samples {
		families = append(families, f)
	}
	slices.SortFunc(families, func(a, b *Family) int { return strings.Compare(a.Name, b.Name) })
	var b bytes.Buffer
	for _, f := range families {
		b.WriteString("# HELP " + f.Name + " " + helpEscapes.Replace(f.Help) + "\n# TYPE " + f.Name + " " + string(f.Kind) + "\n")
		samples := p.samples[f]
		slices.SortStableFunc(samples, func(a, b sample) int { return strings.Compare(a.labels, b.labels) })
		for _, s := range samples {
			b.WriteString(s.lines)
		}
	}
	return b.Bytes()
}

var (
	helpEscapes  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	labelEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

// labeled writes labels with their values, and one more label if its name is not
// empty.
func (f *Family) labeled(values []string, name, value string) string {
	var parts []string
	for i, v := range values {
		parts = append(parts, f.Labels[i]+`="`+labelEscapes.Replace(strings.ToValidUTF8(v, "\uFFFD"))+`"`)
	}
	if name != "" {
		parts = append(parts, name+`="`+value+`"`)
	}
	if len(parts) == 0 {
		return ""
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func number(v float64) string {
	if math.IsInf(v, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
