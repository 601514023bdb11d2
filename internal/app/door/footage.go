package door

import (
	"bytes"
	"context"
	"image/jpeg"
	"time"

	"candor/internal/clock"
	"candor/internal/decode"
	"candor/internal/footage"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/media"
	"candor/internal/permit"
)

// Footage plays what was recorded.
type Footage struct {
	Cameras Bound
	Room    *footage.Room
	Decoder *decode.Pool
	Zones   Zones
}

var _ httpapi.Footage = Footage{}

// Zones knows in which time zone a camera's days are cut.
type Zones interface {
	Zone(ctx context.Context, p permit.Permit, b id.Binding) (*time.Location, error)
}

func (f Footage) camera(ctx context.Context, g permit.Grant, b id.Binding) (footage.Camera, error) {
	ref, err := bound(ctx, f.Cameras, g, b)
	if err != nil {
		return footage.Camera{}, err
	}
	return footage.Camera{Tenant: ref.Tenant, Subject: id.SubjectOf(ref.Account), Binding: ref.Binding, Device: ref.Device}, nil
}

// Timeline tells what there is between two moments.
func (f Footage) Timeline(ctx context.Context, p permit.Permit, b id.Binding, profile media.Profile, from, to clock.Millis) (httpapi.Timeline, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.Timeline{}, err
	}
	cam, err := f.camera(ctx, g, b)
	if err != nil {
		return httpapi.Timeline{}, err
	}
	t, err := f.Room.Timeline(ctx, p, cam, profile, from, to)
	if err != nil {
		return httpapi.Timeline{}, err
	}
	out := httpapi.Timeline{From: httpapi.Moment(from), To: httpapi.Moment(to), Oldest: httpapi.Moment(t.Oldest), Newest: httpapi.Moment(t.Newest), Bytes: t.Bytes}
	for _, r := range t.Ranges {
		out.Ranges = append(out.Ranges, httpapi.Range{From: httpapi.Moment(r.From), To: httpapi.Moment(r.To)})
	}
	for _, gap := range t.Gaps {
		out.Gaps = append(out.Gaps, httpapi.Gap{From: httpapi.Moment(gap.From), To: httpapi.Moment(gap.To), Reason: string(gap.Reason)})
	}
	return out, nil
}

// Days lists the days with footage of the last 400 days, in the site's zone.
func (f Footage) Days(ctx context.Context, p permit.Permit, b id.Binding) ([]httpapi.Day, error) {
	g, err := granted(p)
	if err != nil {
		return nil, err
	}
	cam, err := f.camera(ctx, g, b)
	if err != nil {
		return nil, err
	}
	zone, err := f.Zones.Zone(ctx, p, b)
	if err != nil {
		return nil, err
	}
	now := f.Room.Clock.Now()
	days, err := f.Room.Days(ctx, p, cam, media.Main, clock.At(now.AddDate(0, 0, -400)), clock.At(now.Add(time.Minute)), zone)
	if err != nil {
		return nil, err
	}
	out := make([]httpapi.Day, 0, len(days))
	for _, d := range days {
		out = append(out, httpapi.Day{Day: d.Date.Format(time.DateOnly), Seconds: float64(d.Millis) / 1000})
	}
	return out, nil
}

// Movie makes an MP4 of a range.
func (f Footage) Movie(ctx context.Context, l *permit.Lease, b id.Binding, profile media.Profile, from, to clock.Millis) (httpapi.Movie, error) {
	cam, err := f.camera(ctx, l.Grant(), b)
	if err != nil {
		return nil, err
	}
	m, err := f.Room.Movie(ctx, l, cam, profile, from, to)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Frame is the key picture at or before a moment.
func (f Footage) Frame(ctx context.Context, l *permit.Lease, b id.Binding, at clock.Millis, width int) (httpapi.Picture, error) {
	cam, err := f.camera(ctx, l.Grant(), b)
	if err != nil {
		return httpapi.Picture{}, err
	}
	track, unit, err := f.Room.KeyUnit(ctx, l.Permit(), cam, media.Main, at)
	if err != nil {
		return httpapi.Picture{}, err
	}
	picture, err := f.Decoder.JPEG(ctx, track, unit, width)
	if err != nil {
		return httpapi.Picture{}, err
	}
	c, err := jpeg.DecodeConfig(bytes.NewReader(picture))
	return httpapi.Picture{JPEG: picture, At: unit.Wall, Width: c.Width, Height: c.Height}, err
}
