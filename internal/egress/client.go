package egress

import (
	"net/http"
	"time"
)

// Client is an HTTP client that reaches this camera's networks only. It follows no redirect, uses no
// proxy that the environment names and keeps no connection.
func (d *DeviceDialer) Client(timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            d.DialContext,
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: 64 << 10,
		},
	}
}
