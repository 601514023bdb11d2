package httpapi

import (
	"strconv"
	"time"

	"candor/internal/metrics"
	"candor/internal/passport"
)

// Passports says what the door itself keeps: counts of requests. Replays, events and throttles
// are in memory only and end with what they are about.
func Passports() []passport.Passport {
	return []passport.Passport{metrics.Passport("http_request_duration_seconds", "route", "method", "class")}
}

// meter counts requests in Prometheus' form.
type meter struct{ took metrics.Histogram }

// NewMeter makes the Meter of a registry.
func NewMeter(r *metrics.Registry) Meter {
	return meter{r.Histogram("http_request_duration_seconds", "How long requests took, by route, method and class of status.", nil, "route", "method", "class")}
}

func (m meter) Request(route, method string, status int, took time.Duration) {
	m.took.With(route, method, strconv.Itoa(status/100)+"xx").Observe(took.Seconds())
}
