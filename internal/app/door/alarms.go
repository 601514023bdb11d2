package door

import (
	"context"

	"candor/internal/alarm"
	"candor/internal/clock"
	"candor/internal/consent"
	"candor/internal/device"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/share"
	"candor/internal/station"
)

// Alarms shows what was noticed in front of cameras.
type Alarms struct {
	Room    *alarm.Room
	Devices *device.Room
	Consent *consent.Room
	Station *station.Station
	Shares  *share.Room
	Tenant  id.Tenant
	Apply   func(b id.Binding, s alarm.Setting) // has a camera that is being looked at looked at so
	Tell    func(kind string, a id.Account, b id.Binding)
}

var _ httpapi.Alarms = Alarms{}

// Cameras are one's own cameras and those one was let in to.
func (s Alarms) Cameras(ctx context.Context, viewer id.Account) ([]id.Binding, error) {
	own, err := s.Devices.Of(ctx, s.Tenant, viewer)
	if err != nil {
		return nil, err
	}
	var out []id.Binding
	for _, r := range own {
		out = append(out, r.Binding)
	}
	shared, err := s.Shares.With(ctx, s.Tenant, viewer)
	for _, r := range shared {
		out = append(out, r.Binding)
	}
	return out, err
}

// lead is how long before an event playing begins, in ms.
const lead = 5000

func event(e alarm.Event) httpapi.CameraEvent {
	out := httpapi.CameraEvent{
		ID: e.ID, Camera: e.Binding, Kind: string(e.Kind), Start: httpapi.Moment(e.Start), End: httpapi.Moment(e.End), Score: e.Score, More: e.More,
		Seen: e.Seen, Picture: e.Bytes > 0, Recorded: e.Recorded,
		State: map[alarm.State]string{alarm.Open: "open", alarm.Over: "over", alarm.CutOff: "cut_off"}[e.State],
	}
	if e.Area != (alarm.Area{}) {
		out.Area = new(httpapi.EventArea(e.Area))
	}
	if e.Recorded {
		out.PlayFrom = httpapi.Moment(e.Start - lead)
	}
	return out
}

func events(all []alarm.Event) []httpapi.CameraEvent {
	out := make([]httpapi.CameraEvent, len(all))
	for i, e := range all {
		out[i] = event(e)
	}
	return out
}

// List lists what the permits reach.
func (s Alarms) List(ctx context.Context, viewer id.Account, may []permit.Permit, q httpapi.Sought) ([]httpapi.CameraEvent, string, error) {
	page, err := s.Room.List(ctx, viewer, may, alarm.Query{
		Bindings: q.Cameras, Kind: alarm.Kind(q.Kind), Seen: q.Seen, From: q.From, To: q.To, After: q.Cursor, Limit: q.Limit,
	})
	return events(page.Events), page.Next, err
}

// MarkSeen notes what somebody has seen.
func (s Alarms) MarkSeen(ctx context.Context, viewer id.Account, may []permit.Permit, of []id.Sighting, seen bool) error {
	_, err := s.Room.MarkSeen(ctx, viewer, may, of, seen)
	return err
}

// Between lists a camera's events of a stretch of time.
func (s Alarms) Between(ctx context.Context, p permit.Permit, b id.Binding, from, to clock.Millis) ([]httpapi.CameraEvent, error) {
	all, err := s.Room.Between(ctx, p, b, from, to)
	return events(all), err
}

// Get opens one event.
func (s Alarms) Get(ctx context.Context, p permit.Permit, b id.Binding, e id.Sighting) (httpapi.CameraEvent, error) {
	got, err := s.Room.Read(ctx, p, b, e)
	return event(got), err
}

// Picture opens an event's picture.
func (s Alarms) Picture(ctx context.Context, l *permit.Lease, b id.Binding, e id.Sighting) (httpapi.Picture, error) {
	jpeg, at, err := s.Room.Picture(ctx, l.Permit(), b, e)
	return httpapi.Picture{JPEG: jpeg, At: at}, err
}

// Motion tells how a camera is looked at.
func (s Alarms) Motion(ctx context.Context, p permit.Permit, b id.Binding) (httpapi.Motion, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.Motion{}, err
	}
	set, err := s.Room.Setting(ctx, p)
	if err != nil {
		return httpapi.Motion{}, err
	}
	said, err := s.Consent.State(ctx, g.Tenant, g.Subject, b, passport.Motion)
	out := httpapi.Motion{On: set.On, Consent: string(said), Actual: s.Station.Watching(b), Sensitivity: set.Sensitivity}
	if set.Out != (alarm.Mask{}) {
		out.LeftOut = set.Out.String()
	}
	return out, err
}

// ChangeMotion changes how a camera is looked at, and has it looked at so.
func (s Alarms) ChangeMotion(ctx context.Context, p permit.Permit, b id.Binding, c httpapi.MotionChange) (httpapi.Motion, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.Motion{}, err
	}
	set, err := s.Room.Setting(ctx, p)
	if err != nil {
		return httpapi.Motion{}, err
	}
	if c.On != nil {
		set.On = *c.On
	}
	if c.Sensitivity != nil {
		set.Sensitivity = *c.Sensitivity
	}
	if c.LeftOut != nil {
		if set.Out, err = alarm.ParseMask(*c.LeftOut); err != nil {
			return httpapi.Motion{}, err
		}
	}
	if err := s.Room.Set(ctx, p, set); err != nil {
		return httpapi.Motion{}, err
	}
	s.Apply(b, set)
	s.Station.Settle(ctx, b)
	s.Tell("camera.motion", g.Actor.Account, b)
	return s.Motion(ctx, p, b)
}
