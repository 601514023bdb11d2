package mse

import (
	"context"
	"time"

	"candor/internal/fmp4"
	"candor/internal/live"
	"candor/internal/media"
	"candor/internal/permit"
)

// lead keeps media times above zero when the sub stream began a little before main, whose time
// line it is put on.
const lead = 60 * media.TickRate

const (
	videoRun = 1
	audioRun = 2
)

// hello describes what follows; see the package's documentation.
type hello struct {
	Type    string        `json:"type"`
	Mime    string        `json:"mime"`
	Profile media.Profile `json:"profile"`
	Width   int           `json:"width"`
	Height  int           `json:"height"`
	Start   float64       `json:"start"`
	Edge    float64       `json:"edge"`
	Wall    string        `json:"wall,omitempty"`
	Reorder float64       `json:"reorder,omitempty"`
	Units   int           `json:"gop_units"`
	Audio   string        `json:"audio"`
	Reason  live.Reason   `json:"reason,omitempty"`
}

type skip struct {
	Type string  `json:"type"`
	From float64 `json:"from"`
	To   float64 `json:"to"`
}

// view is one viewer. One goroutine uses it.
type view struct {
	conn  *Conn
	lease *permit.Lease
	write context.Context // writes end with it
	feed  *live.Feed
	buf   []byte
	head  []byte

	video, audio *media.Track // as in the last initialisation segment; audio nil without sound
	reason       live.Reason  // why there is no sound
	waits        bool         // nothing goes on before a key picture
	sequence     uint32
	interval     int64 // between two pictures, smoothed
	lastDTS      int64
	sent         bool  // there was a picture
	end          int64 // presentation time up to which pictures were sent
	shift        int64 // of the group that is going on
}

// begin sends what a joiner gets at once.
func (v *view) begin(ctx context.Context, src live.Source, o live.Options) error {
	backlog := v.feed.Backlog()
	var pictures, sounds []live.Item
	for _, i := range backlog {
		if i.Unit.Track.Video() {
			pictures = append(pictures, i)
		} else if fmp4.Carries(i.Unit.Track.Codec) {
			sounds = append(sounds, i)
		}
	}
	profile := media.Main
	if len(pictures) > 0 {
		profile, v.video = pictures[0].Profile, pictures[0].Unit.Track
	}
	_, audio, err := src.Ready(ctx, o)
	if err != nil {
		return err
	}
	if v.video == nil {
		if v.video, _, err = src.Ready(ctx, o); err != nil {
			return err
		}
	}
	if o.Audio && audio != nil {
		if fmp4.Carries(audio.Codec) {
			v.audio = audio
		} else {
			v.reason = live.ReasonNoSound
		}
	}
	v.interval = nominal(v.video)
	h := v.describe("hello", profile)
	h.Units = len(pictures)
	if len(pictures) > 0 {
		newest := pictures[len(pictures)-1]
		h.Start, h.Edge = seconds(pictures[0].PTS()), seconds(newest.DTS())
		for _, i := range pictures {
			h.Reorder = max(h.Reorder, seconds(i.PTS())-seconds(i.DTS()))
		}
		if v.audio != nil && len(sounds) > 0 {
			h.Start = max(h.Start, seconds(sounds[0].PTS()))
		}
		h.Wall = newest.Unit.Wall.Time().Format("2006-01-02T15:04:05.000Z07:00")
	}
	if err := v.start(h); err != nil {
		return err
	}
	return v.group(pictures, sounds)
}

func nominal(t *media.Track) int64 {
	if t.FPS >= 1 && t.FPS <= 240 {
		return int64(media.TickRate / t.FPS)
	}
	return media.TickRate / 15
}

func (v *view) describe(kind string, p media.Profile) hello {
	h := hello{Type: kind, Mime: fmp4.Mime(v.tracks()...), Profile: p, Width: v.video.Width, Height: v.video.Height, Reason: v.reason}
	if v.audio != nil {
		h.Audio = v.audio.Profile
	}
	return h
}

func (v *view) tracks() []*media.Track {
	if v.audio == nil {
		return []*media.Track{v.video}
	}
	return []*media.Track{v.video, v.audio}
}

// start sends a description and the initialisation segment it describes.
func (v *view) start(h hello) error {
	init, err := fmp4.Init(v.tracks()...)
	if err != nil {
		return live.Refused("live.browser").Because(err)
	}
	if err := v.say(h); err != nil {
		return err
	}
	return v.send(init)
}

// group sends the pictures since the last key picture, and their sound, as one fragment.
func (v *view) group(pictures, sounds []live.Item) error {
	if v.waits = len(pictures) == 0; v.waits {
		return nil
	}
	for n := 1; n < len(pictures); n++ {
		v.learn(pictures[n].DTS() - pictures[n-1].DTS())
	}
	runs := []fmp4.Run{v.run(videoRun, pictures)}
	var data [][]byte
	for _, i := range pictures {
		data = append(data, i.Unit.Data)
		v.sawTo(i.PTS())
	}
	v.lastDTS = pictures[len(pictures)-1].DTS()
	if v.audio != nil && len(sounds) > 0 {
		runs = append(runs, v.run(audioRun, sounds))
		for _, i := range sounds {
			data = append(data, i.Unit.Data)
		}
	}
	v.sequence++
	return v.send(append([][]byte{fmp4.Head(nil, v.sequence, runs...)}, data...)...)
}

// run makes samples of items: each lasts until the next one.
func (v *view) run(track uint32, items []live.Item) fmp4.Run {
	r := fmp4.Run{Track: track, Time: uint64(max(items[0].DTS()+lead, 0))}
	for n, i := range items {
		d := v.lasts(i.Unit)
		if n+1 < len(items) {
			d = items[n+1].DTS() - i.DTS()
		}
		r.Samples = append(r.Samples, fmp4.Sample{
			Data: i.Unit.Data, Duration: uint32(min(max(d, 1), 1<<31)), Offset: int32(i.Unit.PTS - i.Unit.DTS), Key: i.Unit.Key,
		})
	}
	return r
}

// lasts is how long the newest unit is said to last. A picture lasts half an interval longer than is
// expected of it: a browser takes a distance of more than two durations for a break and drops
// everything up to the next key picture, and cameras do slow down in the dark.
func (v *view) lasts(u *media.Unit) int64 {
	if u.Track.Video() {
		return v.interval * 3 / 2
	}
	if d := fmp4.FrameTicks(u.Track, u.Data); d > 0 {
		return d
	}
	return media.TickRate / 50
}

func (v *view) sawTo(pts int64) {
	if !v.sent || pts > v.end {
		v.sent, v.end = true, pts
	}
}

// learn smooths the interval between pictures.
func (v *view) learn(d int64) {
	if d > 0 && d < 10*media.TickRate {
		v.interval += (d - v.interval) / 8
	}
}

// live sends what comes.
func (v *view) live(ctx context.Context) error {
	for {
		i, err := v.feed.Next(ctx)
		if err != nil {
			return err
		}
		if i.Unit.Track.Video() {
			err = v.picture(i)
		} else {
			err = v.sound(i)
		}
		if err != nil {
			return err
		}
	}
}

func (v *view) picture(i live.Item) error {
	u := i.Unit
	if u.Key {
		v.waits = false
		// A browser that has decoded beyond a key picture does not go back to it; it would wait
		// for the next one. So no group begins before what was sent: main may run a little
		// behind sub. The group after it is back on time.
		v.shift = 0
		if v.sent {
			v.shift = max(0, v.end+media.TickRate/1000-i.PTS())
		}
	}
	i.Shift += v.shift
	if v.waits || i.DTS()+lead < 0 {
		return nil
	}
	if u.Track != v.video {
		if !u.Key {
			return nil
		}
		v.video, v.interval = u.Track, nominal(u.Track)
		h := v.describe("switch", i.Profile)
		h.Start, h.Edge = seconds(i.PTS()), seconds(i.PTS())
		h.Wall = u.Wall.Time().Format(time.RFC3339Nano)
		if err := v.start(h); err != nil {
			return err
		}
	} else if d := i.DTS() - v.lastDTS; !i.Gap {
		v.learn(d)
	}
	if i.Gap {
		if err := v.say(skip{"skip", seconds(v.end), seconds(i.PTS())}); err != nil {
			return err
		}
	}
	v.lastDTS = i.DTS()
	v.sawTo(i.PTS())
	return v.one(videoRun, i)
}

func (v *view) sound(i live.Item) error {
	t := i.Unit.Track
	if v.audio == nil || i.DTS()+lead < 0 || len(i.Unit.Data) == 0 {
		return nil
	}
	if t != v.audio {
		if t.Codec != v.audio.Codec || t.SampleRate != v.audio.SampleRate || t.Channels != v.audio.Channels {
			return errChanged
		}
		v.audio = t
	}
	return v.one(audioRun, i)
}

// one sends a fragment with a single unit.
func (v *view) one(track uint32, i live.Item) error {
	v.sequence++
	v.head = fmp4.Head(v.head[:0], v.sequence, v.run(track, []live.Item{i}))
	return v.send(v.head, i.Unit.Data)
}
