package door

import (
	"context"

	"candor/internal/alarm"
	"candor/internal/democam"
	"candor/internal/device"
	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/ingest"
	"candor/internal/media"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/station"
)

// Bindings is the list of cameras as the station and the media doors need it.
type Bindings struct {
	Tenant  id.Tenant
	Devices *device.Room
	Alarms  *alarm.Room
	Demo    *democam.Server
}

var (
	_ station.Cameras = Bindings{}
	_ Bound           = Bindings{}
)

func (b Bindings) reference(ctx context.Context, r device.Ref) (station.Ref, error) {
	motion, err := b.Alarms.On(ctx, r.Tenant, r.Binding)
	return station.Ref{Tenant: r.Tenant, Account: r.Account, Binding: r.Binding, Device: r.Device, Record: r.Recording == device.On, Motion: motion}, err
}

// All lists every bound camera.
func (b Bindings) All(ctx context.Context) ([]station.Ref, error) {
	all, err := b.Devices.All(ctx)
	out := make([]station.Ref, 0, len(all))
	for _, r := range all {
		ref, err := b.reference(ctx, r)
		if err != nil {
			return nil, err
		}
		out = append(out, ref)
	}
	return out, err
}

// Find gives one.
func (b Bindings) Find(ctx context.Context, which id.Binding) (station.Ref, bool, error) {
	r, err := b.Devices.Ref(ctx, b.Tenant, which)
	if problem.Is(err, "not_found") {
		return station.Ref{}, false, nil
	}
	if err != nil {
		return station.Ref{}, false, err
	}
	ref, err := b.reference(ctx, r)
	return ref, err == nil, err
}

// Spec opens what connecting takes. The demo camera is where it is today.
func (b Bindings) Spec(ctx context.Context, p permit.Permit, r station.Ref) (ingest.Spec, error) {
	s, err := b.Devices.Spec(ctx, p, r.Tenant, r.Binding)
	if err != nil {
		return ingest.Spec{}, err
	}
	known, err := b.Devices.Ref(ctx, r.Tenant, r.Binding)
	if err != nil {
		return ingest.Spec{}, err
	}
	if known.Demo && b.Demo != nil {
		s.Main, s.Sub, s.Credentials = b.Demo.URL(media.Main), b.Demo.URL(media.Sub), device.Credentials{}
	}
	out := ingest.Spec{Tenant: s.Tenant, Binding: s.Binding, Device: s.Device, Main: ingest.Address{URL: s.Main, Username: s.Credentials.Username, Password: s.Credentials.Password}}
	if s.Sub != "" {
		out.Sub = &ingest.Address{URL: s.Sub, Username: s.Credentials.Username, Password: s.Credentials.Password}
	}
	return out, nil
}

// Leases gives the station its leases.
type Leases struct{ Gate *gate.Gate }

var _ station.Gate = Leases{}

// Pull allows to connect.
func (l Leases) Pull(ctx context.Context, r station.Ref) (*permit.Lease, error) {
	return l.lease(ctx, r, gate.Ingest, permit.CameraPull)
}

// Record allows to keep footage.
func (l Leases) Record(ctx context.Context, r station.Ref) (*permit.Lease, error) {
	return l.lease(ctx, r, gate.Recorder, permit.CameraRecord)
}

// Motion allows to look for movement.
func (l Leases) Motion(ctx context.Context, r station.Ref) (*permit.Lease, error) {
	return l.lease(ctx, r, gate.Motion, permit.CameraMotion)
}

func (l Leases) lease(ctx context.Context, r station.Ref, system string, a permit.Action) (*permit.Lease, error) {
	return l.Gate.Lease(ctx, gate.Request{Tenant: r.Tenant, Actor: permit.System(system), Action: a, Account: r.Account, Binding: r.Binding})
}
