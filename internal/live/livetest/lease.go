package livetest

import (
	"context"
	"testing"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
)

// Lease is an open lease to watch a camera. It ends with the test at the latest.
func Lease(t testing.TB) *permit.Lease {
	t.Helper()
	l := permit.NewIssuer(clock.Wall).Lease(context.Background(), permit.Grant{
		Tenant: id.DefaultTenant, Subject: id.Subject{1}, Binding: id.Binding{2},
		Action: permit.CameraWatch, Purpose: passport.Live, Categories: []passport.Category{passport.LiveMedia},
	})
	t.Cleanup(func() { l.End(nil) })
	return l
}
