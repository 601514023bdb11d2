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
// Nothing sealed is opened but the names. Of a camera that is shared with them they learn whether it
// delivers and records, as everywhere.
func (c Cameras) Health(ctx context.Context, p permit.Permit, a id.Account) ([]httpapi.CameraHealth, error) {
	g, err := granted(p)
	if err != nil {
		return nil, err
	}
	all, err := c.List(ctx, p, a)
	if err != nil {
		return nil, err
	}
	var own []id.Binding
	for _, cam := range all {
		if cam.Relation == "owner" {
			own = append(own, cam.ID)
		}
	}
	now := c.Clock.Now()
	kept, err := c.Footage.Kept(ctx, g.Tenant, own, clock.At(now.Add(-day)))
	if err != nil {
		return nil, err
	}
	out := make([]httpapi.CameraHealth, 0, len(all))
	for _, cam := range all {
		one := httpapi.CameraHealth{
			ID: cam.ID, Name: cam.Name, Phase: cam.State.Phase, Wanted: cam.Recording.Mode == string(device.On), Away: cam.State.Away,
			Recording: cam.Recording.Actual && cam.State.Phase == string(ingest.Live), // a recorder that waits for pictures writes none
			Shared:    cam.Relation != "owner",
		}
		if !one.Shared {
			k := kept[cam.ID]
			age := time.Duration(0)
			if k.Oldest > 0 {
				age = max(0, now.Sub(k.Oldest.Time()))
			}
			one.Newest, one.Oldest, one.Gaps, one.GapSeconds = httpapi.Moment(k.Newest), httpapi.Moment(k.Oldest), k.Gaps, k.Missing/1000
			one.KeptDays, one.KeepsDays = int(age/day), forecast(cam.Retention, k, age)
			one.Code, one.Args, one.Trouble = cam.State.Code, cam.State.Args, cam.Recording.Trouble
		}
		out = append(out, one)
	}
	return out, nil
}

// forecast is how many days the footage will reach back: as long as was chosen, or until the room
// that was given is full at the pace so far.
func forecast(r httpapi.Retention, k footage.Kept, age time.Duration) int {
	if r.Bytes <= 0 || k.Bytes <= 0 || age < time.Hour {
		return r.Days
	}
	pace := float64(k.Bytes) / age.Hours() * 24 // bytes a day
	return min(r.Days, max(1, int(float64(r.Bytes)/pace)))
}
