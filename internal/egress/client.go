package egress

import (
	"fmt"
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

// Nobody is a client for code that wants one and has nobody to reach: every request fails.
func Nobody() *http.Client { return &http.Client{Transport: nobody{}} }

type nobody struct{}

func (nobody) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("%w: nobody may be reached from here", ErrRecipient)
}
