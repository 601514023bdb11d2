package door

import (
	"context"
	"time"

	"candor/internal/clock"
	"candor/internal/device"
	"candor/internal/footage"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/ingest"
	"candor/internal/permit"
)

const day = 24 * time.Hour

// Health says how the person's cameras are doing: from what runs, and from the footage's index.
// Nothing sealed is opened but the names.
func (c Cameras) Health(ctx context.Context, p permit.Permit, a id.Account) ([]httpapi.CameraHealth, error) {
	g, err := granted(p)
	if err != nil {
		return nil, err
	}
	mine, err := c.Devices.List(ctx, p, g.Tenant, a)
	if err != nil {
		return nil, err
	}
	ids := make([]id.Binding, 0, len(mine))
	for _, cam := range mine {
		ids = append(ids, cam.Binding)
	}
	now := c.Clock.Now()
	kept, err := c.Footage.Kept(ctx, g.Tenant, ids, clock.At(now.Add(-day)))
	if err != nil {
		return nil, err
	}
	out := make([]httpapi.CameraHealth, 0, len(mine))
	for _, cam := range mine {
		seen, err := c.show(ctx, cam)
		if err != nil {
			return nil, err
		}
		k := kept[cam.Binding]
		age := time.Duration(0)
		if k.Oldest > 0 {
			age = max(0, now.Sub(k.Oldest.Time()))
		}
		out = append(out, httpapi.CameraHealth{
			ID: cam.Binding, Name: cam.Name, Phase: seen.State.Phase, Wanted: seen.Recording.Mode == string(device.On),
			Recording: seen.Recording.Actual && seen.State.Phase == string(ingest.Live), // a recorder that waits for pictures writes none
			Away:      seen.State.Away, Newest: httpapi.Moment(k.Newest), Oldest: httpapi.Moment(k.Oldest),
			KeptDays: int(age / day), KeepsDays: forecast(cam.Retention, k, age), Gaps: k.Gaps, GapSeconds: k.Missing / 1000,
			Code: seen.State.Code, Args: seen.State.Args, Trouble: seen.Recording.Trouble,
		})
	}
	return out, nil
}

// forecast is how many days the footage will reach back: as long as was chosen, or until the room
// that was given is full at the pace so far.
func forecast(r device.Retention, k footage.Kept, age time.Duration) int {
	if r.Bytes <= 0 || k.Bytes <= 0 || age < time.Hour {
		return r.Days
	}
	pace := float64(k.Bytes) / age.Hours() * 24 // bytes a day
	return min(r.Days, max(1, int(float64(r.Bytes)/pace)))
}
