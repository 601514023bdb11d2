package door

import (
	"context"
	"errors"
	"time"

	"candor/internal/account"
	"candor/internal/alarm"
	"candor/internal/clock"
	"candor/internal/consent"
	"candor/internal/democam"
	"candor/internal/device"
	"candor/internal/egress"
	"candor/internal/footage"
	"candor/internal/gate"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/ingest"
	"candor/internal/ingest/rtsp"
	"candor/internal/media"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/rights"
	"candor/internal/share"
	"candor/internal/station"
	"candor/words"
)

// Cameras is an owner's cameras.
type Cameras struct {
	Devices *device.Room
	People  *account.Room
	Consent *consent.Room
	Alarms  *alarm.Room
	Office  *rights.Office
	Station *station.Station
	Footage *footage.Room
	Clock   clock.Clock
	Puller  *ingest.Supervisor
	Egress  *egress.Room
	Demo    *democam.Server // nil without one
	Shares  *share.Room
	Gate    *gate.Gate
	Tell    func(kind string, a id.Account, b id.Binding)
}

var _ httpapi.Cameras = Cameras{}

// Sites lists the person's places.
func (c Cameras) Sites(ctx context.Context, p permit.Permit, a id.Account) ([]httpapi.Site, error) {
	g, err := granted(p)
	if err != nil {
		return nil, err
	}
	all, err := c.Devices.Sites(ctx, p, g.Tenant, a)
	out := make([]httpapi.Site, 0, len(all))
	for _, s := range all {
		out = append(out, httpapi.Site(s))
	}
	return out, err
}

// Zone is the time zone in which a camera's days are cut.
func (c Cameras) Zone(ctx context.Context, p permit.Permit, b id.Binding) (*time.Location, error) {
	g, err := granted(p)
	if err != nil {
		return nil, err
	}
	return c.Devices.ZoneOf(ctx, p, g.Tenant, b)
}

// List shows the person's cameras, then those that others share with them.
func (c Cameras) List(ctx context.Context, p permit.Permit, a id.Account) ([]httpapi.Camera, error) {
	g, err := granted(p)
	if err != nil {
		return nil, err
	}
	all, err := c.Devices.List(ctx, p, g.Tenant, a)
	if err != nil {
		return nil, err
	}
	out := make([]httpapi.Camera, 0, len(all))
	for _, cam := range all {
		seen, err := c.show(ctx, p, cam)
		if err != nil {
			return nil, err
		}
		out = append(out, seen)
	}
	shared, err := c.Shares.With(ctx, g.Tenant, a)
	if err != nil {
		return nil, err
	}
	for _, s := range shared {
		p, err := c.Gate.Permit(ctx, gate.Request{Tenant: g.Tenant, Actor: g.Actor, Action: permit.CameraRead, Account: s.Owner, Binding: s.Binding})
		if refusal(err) != nil { // ended, or its owner is leaving: it is not there any more
			continue
		}
		if err != nil {
			return nil, err
		}
		seen, err := c.Get(ctx, p, s.Binding)
		if refusal(err) != nil {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, seen)
	}
	return out, nil
}

// Get shows one camera.
func (c Cameras) Get(ctx context.Context, p permit.Permit, b id.Binding) (httpapi.Camera, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.Camera{}, err
	}
	cam, err := c.Devices.Get(ctx, p, g.Tenant, b)
	if err != nil {
		return httpapi.Camera{}, err
	}
	return c.show(ctx, p, cam)
}

// show adds to what is kept of a camera how it is now. Whom it is shared with sees whether it
// delivers and records, and nothing of how it is reached or how long footage stays.
func (c Cameras) show(ctx context.Context, p permit.Permit, cam device.Camera) (httpapi.Camera, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.Camera{}, err
	}
	said, err := c.Consent.State(ctx, cam.Tenant, cam.Subject(), cam.Binding, passport.Recording)
	if err != nil {
		return httpapi.Camera{}, err
	}
	mode := string(cam.Recording)
	if said != consent.Given {
		mode = "off"
	}
	zone, err := c.Devices.ZoneOf(ctx, p, cam.Tenant, cam.Binding)
	if err != nil {
		return httpapi.Camera{}, err
	}
	now, trouble := c.Puller.State(cam.Device), c.Station.Trouble(cam.Binding)
	motion, err := c.motion(ctx, cam)
	if err != nil {
		return httpapi.Camera{}, err
	}
	out := httpapi.Camera{
		ID: cam.Binding, Name: cam.Name, Site: cam.Site, Demo: cam.Demo, CreatedAt: httpapi.Moment(cam.CreatedAt),
		State: httpapi.CameraState{
			Phase: string(now.Phase), Since: httpapi.Moment(now.Since), Away: httpapi.Moment(now.Away), Code: now.Code, Args: now.Args, NextTry: httpapi.Moment(now.NextTry),
		},
		Recording: httpapi.CameraRecording{
			Mode: mode, Consent: string(said), Actual: trouble == "" && c.Station.Recording(cam.Binding), Trouble: string(trouble),
		},
		Motion:    motion,
		Streams:   streams(now),
		Retention: httpapi.Retention{Days: cam.Retention.Days, Bytes: cam.Retention.Bytes},
		Relation:  "owner", Abilities: abilities(share.Abilities), TimeZone: zone.String(),
	}
	if g.Share.IsZero() {
		return out, nil
	}
	can, err := c.Shares.Can(ctx, g.Tenant, g.Actor.Account, cam.Binding)
	out.Relation, out.Abilities, out.Retention = "member", abilities(can), httpapi.Retention{}
	out.State.Code, out.State.Args = "", nil // they may name the camera's address
	return out, err
}

// motion tells whether a camera is looked at for movement.
func (c Cameras) motion(ctx context.Context, cam device.Camera) (httpapi.CameraMotion, error) {
	said, err := c.Consent.State(ctx, cam.Tenant, cam.Subject(), cam.Binding, passport.Motion)
	if err != nil {
		return httpapi.CameraMotion{}, err
	}
	on, err := c.Alarms.On(ctx, cam.Tenant, cam.Binding)
	out := httpapi.CameraMotion{Mode: "off", Consent: string(said), Actual: c.Station.Watching(cam.Binding)}
	switch {
	case said != consent.Given:
	case on:
		out.Mode = "on"
	default:
		out.Mode = "paused"
	}
	return out, err
}

func streams(s ingest.State) []httpapi.Stream {
	var out []httpapi.Stream
	for _, profile := range []media.Profile{media.Main, media.Sub} {
		if st, ok := stream(profile, s.Streams[profile].Description); ok {
			out = append(out, st)
		}
	}
	return out
}

// Check connects to a camera that is not added yet.
func (c Cameras) Check(ctx context.Context, _ permit.Permit, a httpapi.Address) (httpapi.Checked, error) {
	main, err := address(a.Address, a.Username, a.Password)
	if err != nil {
		return httpapi.Checked{}, err
	}
	dial := c.Egress.Device(id.Binding{})
	seen, err := rtsp.Check(ctx, dial, main)
	if err != nil {
		return httpapi.Checked{}, err
	}
	out := httpapi.Checked{}
	if st, ok := stream(media.Main, seen); ok {
		out.Streams = append(out.Streams, st)
	}
	out.Warnings = warnings(seen)
	if a.SubAddress == "" {
		return out, nil
	}
	sub, err := address(a.SubAddress, main.Username, main.Password)
	if err != nil {
		return httpapi.Checked{}, err
	}
	if seen, err = rtsp.Check(ctx, dial, sub); err != nil {
		return httpapi.Checked{}, err
	}
	if st, ok := stream(media.Sub, seen); ok {
		out.Streams = append(out.Streams, st)
	}
	return out, nil
}

// address takes a user name and password out of what was typed; given ones win.
func address(typed, username, password string) (ingest.Address, error) {
	url, in, err := device.ParseAddress(typed)
	if err != nil {
		return ingest.Address{}, err
	}
	if username == "" && password == "" && in != nil {
		username, password = in.Username, in.Password
	}
	return ingest.Address{URL: url, Username: username, Password: password}, nil
}

// Add binds a camera, keeps what was said about recording, and has it connected.
func (c Cameras) Add(ctx context.Context, p permit.Permit, a id.Account, n httpapi.NewCamera) (httpapi.Camera, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.Camera{}, err
	}
	if n.Recording != "" { // before the camera is there: whoever tries again would have it twice
		under, err := c.Consent.Under(ctx, g.Tenant, id.SubjectOf(a))
		if err != nil {
			return httpapi.Camera{}, err
		}
		if _, ok := under.ConsentHash(passport.Recording, n.RecordingText); !ok {
			return httpapi.Camera{}, problem.Conflict("consent.text_changed")
		}
	}
	n.Demo = n.Demo || c.Demo != nil && n.Address == c.Demo.URL(media.Main) // found by search: it is at another port tomorrow
	wanted := device.New{Name: n.Name, Main: n.Address, Sub: n.SubAddress, Credentials: device.Credentials{Username: n.Username, Password: n.Password}}
	if n.Demo {
		if c.Demo == nil {
			return httpapi.Camera{}, problem.Conflict("camera.no_demo")
		}
		wanted.Demo, wanted.Main, wanted.Sub = true, c.Demo.URL(media.Main), c.Demo.URL(media.Sub)
		if wanted.Name == "" {
			wanted.Name = words.Sentence(n.Language, "camera.demo_name", nil)
		}
	}
	added, err := c.Devices.Add(ctx, p, g.Tenant, a, wanted)
	if err != nil {
		return httpapi.Camera{}, err
	}
	if n.Recording != "" {
		_, err = c.Consent.Record(ctx, consent.Decision{
			Tenant: g.Tenant, Subject: id.SubjectOf(a), Binding: added.Binding, Purpose: passport.Recording, State: consent.State(n.Recording),
			TextHash: n.RecordingText, How: "add camera", Actor: g.Actor,
		})
	}
	c.Station.Poke(added.Binding)
	c.Tell("camera.added", a, added.Binding)
	if err != nil { // the camera is there and not recorded, as nobody agreed to that
		return httpapi.Camera{}, err
	}
	return c.show(ctx, p, added)
}

// Change changes a camera and has it looked at anew.
func (c Cameras) Change(ctx context.Context, p permit.Permit, b id.Binding, change httpapi.CameraChange) (httpapi.Camera, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.Camera{}, err
	}
	d := device.Change{Name: change.Name, Main: change.Address, Sub: change.SubAddress}
	if change.RecordingMode != nil {
		d.Recording = new(device.Mode(*change.RecordingMode))
	}
	if change.Retention != nil {
		d.Retention = &device.Retention{Days: change.Retention.Days, Bytes: change.Retention.Bytes}
	}
	if change.Username != nil || change.Password != nil {
		d.Credentials = &device.Credentials{Username: value(change.Username), Password: value(change.Password)}
	}
	cam, err := c.Devices.Change(ctx, p, g.Tenant, b, d)
	if err != nil {
		return httpapi.Camera{}, err
	}
	if d.Main != nil || d.Sub != nil || d.Credentials != nil {
		c.Station.Reconnect(b)
	} else {
		c.Station.Poke(b)
	}
	if d.Recording != nil {
		c.Station.Settle(ctx, b)
	}
	return c.show(ctx, p, cam)
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// Remove says goodbye to a camera.
func (c Cameras) Remove(ctx context.Context, p permit.Permit, b id.Binding, password string) (httpapi.Receipt, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.Receipt{}, err
	}
	if password != "" {
		if err := c.People.VerifyPassword(ctx, g.Tenant, g.Actor.Account, password); err != nil {
			return httpapi.Receipt{}, err
		}
	}
	members, err := c.Shares.Members(ctx, g.Tenant, g.Actor.Account, b)
	if err != nil {
		return httpapi.Receipt{}, err
	}
	ctx = context.WithoutCancel(ctx)
	leaving := c.Devices.Release(ctx, g.Tenant, b) // a full disk must not keep what is to go: the goodbye is said all the same
	r, err := c.Office.RemoveCamera(ctx, p, b)
	if err != nil {
		return httpapi.Receipt{}, errors.Join(err, leaving)
	}
	c.Station.Poke(b)
	for _, a := range append(members, g.Actor.Account) {
		c.Tell("camera.removed", a, b)
	}
	return receipt(r), nil
}
