package door

import (
	"context"

	"candor/internal/account"
	"candor/internal/consent"
	"candor/internal/device"
	"candor/internal/gate"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/words"
)

// Setup makes the first account.
type Setup struct {
	Tenant   id.Tenant
	People   *account.Room
	Devices  *device.Room
	Gate     *gate.Gate
	Versions *consent.Versions
	Sessions Sessions
	Cameras  Cameras
	Secret   func() string // the set-up code
	Done     func()        // the code is not needed any more
}

var _ httpapi.Setup = Setup{}

// Needed reports whether no account exists yet.
func (s Setup) Needed(ctx context.Context) (bool, error) {
	any, err := s.People.Any(ctx, s.Tenant)
	return !any, err
}

// Code is the code that was printed.
func (s Setup) Code() string { return s.Secret() }

// DemoCamera reports whether there is one.
func (s Setup) DemoCamera() bool { return s.Cameras.Demo != nil }

// Begin makes the account, its place and, if wanted, the demo camera with what was said about
// recording. What comes after the account cannot undo it: the person is in, and can add the rest.
func (s Setup) Begin(ctx context.Context, n httpapi.Newcomer) (httpapi.SignedIn, error) {
	zone := n.TimeZone
	if zone == "" {
		zone = "UTC"
	}
	a, err := s.People.Create(ctx, s.Tenant, account.New{Name: n.Name, Email: n.Email, Password: n.Password, Language: n.Language, TimeZone: zone, First: true})
	if err != nil {
		return httpapi.SignedIn{}, err
	}
	s.Done()
	ctx = context.WithoutCancel(ctx) // a browser that leaves now finds everything when it comes back
	in, err := s.People.Begin(ctx, s.Tenant, a, n.Client.Agent)
	if err != nil {
		return httpapi.SignedIn{}, err
	}
	if err := joined(ctx, s.Versions, s.Tenant, a, in.Session); err != nil {
		return httpapi.SignedIn{}, err
	}
	if _, err := s.Devices.AddSite(ctx, s.Tenant, a, words.Sentence(n.Language, "site.default_name", nil), zone); err != nil {
		return httpapi.SignedIn{}, err
	}
	if n.DemoCamera && s.DemoCamera() {
		p, err := s.Gate.Permit(ctx, gate.Request{Tenant: s.Tenant, Actor: permit.Person(a, in.Session), Action: permit.CameraAdd, Account: a})
		if err != nil {
			return httpapi.SignedIn{}, err
		}
		demo := httpapi.NewCamera{Demo: true, Recording: n.Recording.State, RecordingText: n.Recording.TextHash, Language: n.Language}
		_, err = s.Cameras.Add(ctx, p, a, demo)
		if problem.Is(err, "consent.text_changed") { // not recorded, then
			demo.Recording = ""
			_, err = s.Cameras.Add(ctx, p, a, demo)
		}
		if err != nil {
			return httpapi.SignedIn{}, err
		}
	}
	return s.Sessions.signedIn(ctx, in)
}
