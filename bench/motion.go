package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"candor/internal/clock"
	"candor/internal/decode"
	"candor/internal/id"
	"candor/internal/ingest"
	"candor/internal/media"
	"candor/internal/motion"
	"candor/internal/permit"
)

const (
	motionWindow   = 20 * time.Second
	motionRuns     = 2
	motionCameras  = 4 // looked at side by side
	emptyHours     = 1 // stream time of each variant of the empty room
	motionPictures = motion.Width * motion.Height
)

// motions measures what looking for motion costs a camera, and how often it sees what is not there.
func motions(ctx context.Context, b *bench) error {
	for _, row := range []struct {
		name              string
		height, gop, kbit int
	}{{"keys_360p", 360, 2, 400}, {"through_360p", 360, 10, 400}, {"keys_720p", 720, 2, 1500}, {"through_720p", 720, 10, 1500}} {
		clip, err := makeClip(ctx, b.clips, row.height, row.gop, row.kbit)
		if err != nil {
			return err
		}
		if err := motionCost(ctx, b, row.name, clip); err != nil {
			return err
		}
	}
	return falseEvents(ctx, b)
}

// motionCost looks at one stream with several watchers at once. What the child spent is exact; what
// this process spent besides pulling the stream is less so.
func motionCost(ctx context.Context, b *bench, name, clip string) error {
	cam, err := startCamera(ctx, clip)
	if err != nil {
		return err
	}
	defer cam.stop()
	hub, key := media.NewHub(), media.Key{Device: id.Make[id.Device](), Profile: media.Main}
	pull := &ingest.Supervisor{Hub: hub, Clock: clock.Wall, Log: slog.New(slog.DiscardHandler), Dialer: func(id.Binding) ingest.Dialer { return &net.Dialer{} }}
	defer pull.Close()
	issuer := permit.NewIssuer(clock.Wall)
	g := permit.Grant{Binding: id.Make[id.Binding](), Actor: permit.System("bench"), Action: permit.CameraPull, Expires: time.Now().Add(time.Hour)}
	lease := issuer.Lease(ctx, g)
	defer lease.End(nil)
	pull.Start(lease, ingest.Spec{Binding: g.Binding, Device: key.Device, Main: ingest.Address{URL: cam.main}})
	stream := hub.Open(key)
	if err := stream.Ready(ctx); err != nil {
		return err
	}
	runs := b.n
	if runs == 0 {
		runs = motionRuns
	}
	var child, own, looked []float64
	for range runs {
		base, _, err := spending(ctx, func() {})
		if err != nil {
			return err
		}
		pool := &decode.Pool{Path: filepath.Join(filepath.Dir(b.binary), "candor-decode")}
		if pool.Path, err = filepath.Abs(pool.Path); err != nil {
			return err
		}
		watching := issuer.Lease(ctx, g)
		var watchers []*motion.Watcher
		done := make(chan struct{})
		for range motionCameras {
			w := &motion.Watcher{Decoder: pool, Sink: nobody{}, Streams: func() []*media.Stream { return []*media.Stream{stream} }}
			watchers = append(watchers, w)
			go func() {
				w.Run(watching)
				done <- struct{}{}
			}()
		}
		mine, dead, err := spending(ctx, func() {
			watching.End(nil)
			for range watchers {
				<-done
			}
			pool.Close()
		})
		if err != nil {
			return err
		}
		n := uint64(0)
		for _, w := range watchers {
			n += w.Stats().Looked
		}
		hour := 3600 / motionWindow.Seconds() / motionCameras
		child, own = append(child, dead*hour), append(own, (mine-base)*hour)
		looked = append(looked, float64(n)/motionCameras/motionWindow.Seconds())
		say("motion: %s, %.1f s of the child in a camera's hour, load %s", name, dead*hour, loadNow())
	}
	b.add(of("motion_"+name+"_child_s_per_camera_hour", "CPU s", 0.5, child),
		of("motion_"+name+"_own_s_per_camera_hour", "CPU s", 0.5, own),
		of("motion_"+name+"_pictures_per_s", "1/s", 0.5, looked))
	return nil
}

// spending is the CPU time in a window of this process, and of the children that ended in it.
func spending(ctx context.Context, end func()) (own, dead float64, err error) {
	read := func() (own, dead float64, err error) {
		f, err := stat(os.Getpid())
		if err != nil {
			return 0, 0, err
		}
		return ticks(f[11]) + ticks(f[12]), ticks(f[13]) + ticks(f[14]), nil
	}
	o, d, err := read()
	if err != nil {
		return 0, 0, err
	}
	err = pause(ctx, motionWindow)
	end()
	if err != nil {
		return 0, 0, err
	}
	own, dead, err = read()
	return own - o, dead - d, err
}

// nobody is told of the events.
type nobody struct{}

func (nobody) Begin(motion.Moment)          {}
func (nobody) Update(motion.Moment)         {}
func (nobody) End(clock.Millis, motion.Why) {}

// falseEvents loops the seconds in which the room of the people clip is empty, as they are and made
// worse, and counts what is seen in them.
func falseEvents(ctx context.Context, b *bench) error {
	var truth struct{ Events [][2]float64 }
	text, err := os.ReadFile("clips/people.truth.json")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &truth); err != nil {
		return err
	}
	choice, last := "0", 0.0
	for _, e := range append(truth.Events, [2]float64{140, 0}) {
		choice += fmt.Sprintf("+between(t,%.1f,%.1f)", last, e[0]-1.3)
		last = e[1] + 1.3
	}
	all, hours := 0, 0
	for _, v := range []struct{ name, filter, quality string }{
		{"as it is", "null", "20"}, {"dark", "lutyuv=y=16+(val-16)*0.2", "34"}, {"noisy", "noise=alls=30:allf=t", "28"},
		{"dark and noisy", "lutyuv=y=16+(val-16)*0.2,noise=alls=15:allf=t", "34"},
	} {
		var raw, errs bytes.Buffer
		encode := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-i", "clips/people.sub.mp4", "-an", "-vf", v.filter, "-c:v", "libx264",
			"-preset", "veryfast", "-crf", v.quality, "-g", "40", "-f", "matroska", "pipe:1")
		decode := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-i", "pipe:0", "-vf",
			fmt.Sprintf("select='%s',scale=%d:%d:flags=area,format=gray", choice, motion.Width, motion.Height), "-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1")
		if decode.Stdin, err = encode.StdoutPipe(); err != nil {
			return err
		}
		decode.Stdout, decode.Stderr = &raw, &errs
		if err := encode.Start(); err != nil {
			return err
		}
		if err := decode.Run(); err != nil {
			return fmt.Errorf("ffmpeg: %w: %s", err, strings.TrimSpace(errs.String()))
		}
		if err := encode.Wait(); err != nil {
			return fmt.Errorf("ffmpeg: %w", err)
		}
		pictures := slices.Collect(slices.Chunk(raw.Bytes(), motionPictures))
		d, seen := motion.NewDetector(motion.Settings{}), 0
		for n := range emptyHours * 3600 {
			for _, c := range d.Look(motion.Picture{At: time.Duration(n) * time.Second, Luma: pictures[n*13%len(pictures)]}) {
				if c.Kind == motion.Began {
					seen++
				}
			}
		}
		say("motion: %d false events in %d h of the empty room, %s", seen, emptyHours, v.name)
		all, hours = all+seen, hours+emptyHours
	}
	b.add(one("motion_false_events", "events", float64(all)), one("motion_false_events_hours", "h", float64(hours)),
		one("motion_false_events_per_camera_hour", "1/h", float64(all)/float64(hours)))
	return nil
}
