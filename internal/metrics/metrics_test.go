package metrics_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"candor/internal/metrics"
	"candor/internal/passport"
)

func TestMetricsAreServed(t *testing.T) {
	r := metrics.New("1.2.3", []passport.Passport{metrics.Passport("cameras", "state"), metrics.Passport("seen_total"), metrics.Passport("took_seconds"), metrics.Passport("open")})
	r.Gauge("cameras", "Cameras by state.", "state").With("live").Set(2)
	r.Counter("seen_total", "Seen.").With().Inc()
	r.Histogram("took_seconds", "Took.", nil).With().Observe(.2)
	r.GaugeFunc("open", "Open.", func() float64 { return 7 })
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{`candor_build_info{go="go`, `version="1.2.3"`, `candor_cameras{state="live"} 2`, "candor_seen_total 1",
		`candor_took_seconds_bucket{le="0.25"} 1`, "candor_open 7", "go_goroutines"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

func TestAMetricWithoutAPassportStopsTheProgram(t *testing.T) {
	r := metrics.New("dev", []passport.Passport{metrics.Passport("cameras", "state"), metrics.Passport("views")})
	for name, make := range map[string]func(){
		"unknown name":     func() { r.Gauge("people", "") },
		"one label more":   func() { r.Gauge("cameras", "", "state", "name") },
		"another label":    func() { r.Gauge("cameras", "", "email") },
		"counter unnamed":  func() { r.Counter("views", "") },
		"unknown function": func() { r.GaugeFunc("x", "", nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: was accepted", name)
				}
			}()
			make()
		}()
	}
}

func TestPassportsAreComplete(t *testing.T) {
	for _, p := range metrics.Passports() {
		if err := p.Check(); err != nil {
			t.Error(err)
		}
	}
	if got := metrics.Where("a", "z", "b"); got != "metric:candor_a{b,z}" {
		t.Errorf("Where gives %s", got)
	}
}
