// Package metrics counts for the operator, in Prometheus' form.
//
// A metric is made by name, and the name with its labels must have a passport
// ("metric:candor_cameras{state}"): a label that names a person, a camera or an address would
// put somebody's life into a time series. Without a passport the constructor panics, so the
// program does not start and the test does not pass. There is no per-camera label.
package metrics

import (
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"candor/internal/passport"
)

// Prefix begins every name.
const Prefix = "candor_"

// Registry holds the metrics of the program.
type Registry struct {
	prom    *prometheus.Registry
	allowed map[string]bool
}

// New makes the registry. The passports of all rooms are given; those that begin with
// "metric:" count.
func New(version string, passports []passport.Passport) *Registry {
	r := &Registry{prom: prometheus.NewRegistry(), allowed: map[string]bool{}}
	for _, p := range append(Passports(), passports...) {
		if where, ok := strings.CutPrefix(p.Where, "metric:"); ok {
			r.allowed[where] = true
		}
	}
	r.prom.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	r.Gauge("build_info", "The version that runs; always 1.", "version", "go").With(version, runtime.Version()).Set(1)
	return r
}

// Where is how a passport names a metric.
func Where(name string, labels ...string) string {
	labels = slices.Sorted(slices.Values(labels))
	return fmt.Sprintf("metric:%s%s{%s}", Prefix, name, strings.Join(labels, ","))
}

func (r *Registry) check(name string, labels []string) string {
	where, _ := strings.CutPrefix(Where(name, labels...), "metric:")
	if !r.allowed[where] {
		panic("metrics: " + where + " has no passport")
	}
	return Prefix + name
}

// Counter only grows. Its name ends in _total.
type Counter struct{ vec *prometheus.CounterVec }

// Counter makes one.
func (r *Registry) Counter(name, help string, labels ...string) Counter {
	if !strings.HasSuffix(name, "_total") {
		panic("metrics: the counter " + name + " does not end in _total")
	}
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: r.check(name, labels), Help: help}, labels)
	r.prom.MustRegister(vec)
	return Counter{vec}
}

// With is the counter of these label values, in the order the labels were declared.
func (c Counter) With(values ...string) prometheus.Counter { return c.vec.WithLabelValues(values...) }

// Gauge goes up and down.
type Gauge struct{ vec *prometheus.GaugeVec }

// Gauge makes one.
func (r *Registry) Gauge(name, help string, labels ...string) Gauge {
	vec := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: r.check(name, labels), Help: help}, labels)
	r.prom.MustRegister(vec)
	return Gauge{vec}
}

// With is the gauge of these label values.
func (g Gauge) With(values ...string) prometheus.Gauge { return g.vec.WithLabelValues(values...) }

// GaugeFunc is a gauge that is read when somebody looks.
func (r *Registry) GaugeFunc(name, help string, read func() float64) {
	r.prom.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: r.check(name, nil), Help: help}, read))
}

// Histogram counts how often a value fell where.
type Histogram struct{ vec *prometheus.HistogramVec }

// Histogram makes one. Without buckets, those of a request's duration in seconds.
func (r *Registry) Histogram(name, help string, buckets []float64, labels ...string) Histogram {
	if buckets == nil {
		buckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	}
	vec := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: r.check(name, labels), Help: help, Buckets: buckets}, labels)
	r.prom.MustRegister(vec)
	return Histogram{vec}
}

// With is the histogram of these label values.
func (h Histogram) With(values ...string) prometheus.Observer {
	return h.vec.WithLabelValues(values...)
}

// Handler serves the page.
func (r *Registry) Handler() http.Handler {
	return promhttp.HandlerFor(r.prom, promhttp.HandlerOpts{MaxRequestsInFlight: 2})
}
