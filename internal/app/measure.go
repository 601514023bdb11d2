package app

import (
	"context"

	"candor/internal/metrics"
	"candor/internal/passport"
	"candor/internal/retention"
)

// gauges are what rooms report to, instead of being read.
type gauges struct {
	age     metrics.Gauge
	overdue metrics.Counter
}

func newGauges(m *metrics.Registry) gauges {
	return gauges{
		age:     m.Gauge("oldest_key_age_seconds", "Age of the oldest live bucket key.", "category"),
		overdue: m.Counter("keys_overdue_total", "Bucket keys found older than the policy allows, and destroyed.", "category"),
	}
}

// counted are their passports.
func counted() []passport.Passport {
	return []passport.Passport{
		metrics.Passport("cameras"), metrics.Passport("cameras_recording"), metrics.Passport("live_viewers_webrtc"), metrics.Passport("live_viewers_mse"),
		metrics.Passport("incidents_overdue"), metrics.Passport("promises_broken"), metrics.Passport("policy_review_overdue_days"),
		metrics.Passport("goodbyes_pending"), metrics.Passport("goodbyes_stuck"),
		metrics.Passport("footage_writes"), metrics.Passport("footage_syncs"), metrics.Passport("footage_bytes"), metrics.Passport("footage_faults"),
		metrics.Passport("oldest_key_age_seconds", "category"), metrics.Passport("keys_overdue_total", "category"),
	}
}

// measure wires what is counted.
func (h *house) measure(context.Context) error {
	m := h.metrics
	m.GaugeFunc("cameras", "Cameras looked after.", func() float64 { n, _ := h.station.Count(); return float64(n) })
	m.GaugeFunc("cameras_recording", "Cameras whose footage is being kept.", func() float64 { _, n := h.station.Count(); return float64(n) })
	m.GaugeFunc("goodbyes_pending", "Goodbyes whose sweep goes on.", func() float64 { n, _, _ := h.office.Pending(); return float64(n) })
	m.GaugeFunc("goodbyes_stuck", "Goodbyes that failed three times or more.", func() float64 { _, n, _ := h.office.Pending(); return float64(n) })
	m.GaugeFunc("policy_review_overdue_days", "Days by which the yearly look at the policy is late.", func() float64 { return unreviewed(h.policy.Assessed, h.clock.Now()).Hours() / 24 })
	m.GaugeFunc("promises_broken", "Promises that the last look found not kept.", func() float64 { return float64(h.watch.Broken()) })
	f := &h.footage.Metrics
	m.GaugeFunc("footage_writes", "Write calls of recording since the start.", func() float64 { return float64(f.Writes.Load()) })
	m.GaugeFunc("footage_syncs", "Syncs of segments since the start.", func() float64 { return float64(f.Syncs.Load()) })
	m.GaugeFunc("footage_bytes", "Bytes recorded since the start.", func() float64 { return float64(f.Bytes.Load()) })
	m.GaugeFunc("footage_faults", "Writes of recording that failed since the start.", func() float64 { return float64(f.Faults.Load()) })
	m.GaugeFunc("live_viewers_webrtc", "Viewers by WebRTC.", func() float64 { return float64(h.whep.Watching()) })
	m.GaugeFunc("live_viewers_mse", "Viewers by MSE.", func() float64 { return float64(h.mse.Watching()) })
	return nil
}

// ages is told how old keys are, once an hour.
func (g *gauges) ages(all []retention.Age) {
	for _, a := range all {
		g.age.With(string(a.Category)).Set(a.Oldest.Seconds())
		g.overdue.With(string(a.Category)).Add(float64(a.Overdue))
	}
}
