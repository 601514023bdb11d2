// Package livetest plays real footage into streams, so that the tests of live, decode and their
// ways out see what a camera would send. Only tests import it.
package livetest

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/pmp4"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/media"
)

// Clip is an MP4 file as units, in the order of their decoding time.
type Clip struct {
	Desc  *media.Description
	Units []*media.Unit
	Ticks int64 // how long it lasts
}

// File is the path of one of the project's clips.
func File(name string) string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "..", "..", "clips", name)
}

// Load reads one of the project's clips.
func Load(t testing.TB, name string) *Clip {
	t.Helper()
	return Read(t, File(name))
}

// Read reads an MP4 file.
func Read(t testing.TB, path string) *Clip {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var p pmp4.Presentation
	if err := p.Unmarshal(bytes.NewReader(b)); err != nil {
		fragmented(t, path, &p)
	}
	c := &Clip{Desc: &media.Description{}}
	for _, track := range p.Tracks {
		mt := describe(t, uint8(len(c.Desc.Tracks)), track)
		if mt == nil {
			continue
		}
		c.Desc.Tracks = append(c.Desc.Tracks, mt)
		dts := int64(0)
		scale := func(v int64) int64 { return v * media.TickRate / int64(track.TimeScale) }
		for _, s := range track.Samples {
			data, err := s.GetPayload()
			if err != nil {
				t.Fatal(err)
			}
			u := &media.Unit{Track: mt, DTS: scale(dts), PTS: scale(dts + int64(s.PTSOffset)), Data: bytes.Clone(data), Key: true}
			if mt.Video() {
				u.Key = false
				for nal := range media.NALs(u.Data) {
					u.Key = u.Key || nal[0]&0x1f == 5
				}
			}
			c.Units = append(c.Units, u)
			dts += int64(s.Duration)
		}
		c.Ticks = max(c.Ticks, scale(dts))
	}
	slices.SortStableFunc(c.Units, func(a, b *media.Unit) int { return int(a.DTS - b.DTS) })
	return c
}

// fragmented reads a file that the plain reader does not know how to read (sounds of one size,
// for example), by way of ffmpeg.
func fragmented(t testing.TB, path string, p *pmp4.Presentation) {
	t.Helper()
	b, err := exec.Command("ffmpeg", "-v", "error", "-i", path, "-c", "copy", "-f", "mp4",
		"-movflags", "empty_moov+frag_keyframe+default_base_moof", "pipe:1").Output()
	if err != nil {
		t.Fatal(err)
	}
	var init fmp4.Init
	if err := init.Unmarshal(bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	var parts fmp4.Parts
	if err := parts.Unmarshal(b); err != nil {
		t.Fatal(err)
	}
	p.Tracks = nil
	byID := map[int]*pmp4.Track{}
	for _, it := range init.Tracks {
		track := &pmp4.Track{ID: it.ID, TimeScale: it.TimeScale, Codec: it.Codec}
		p.Tracks, byID[it.ID] = append(p.Tracks, track), track
	}
	for _, part := range parts {
		for _, pt := range part.Tracks {
			for _, s := range pt.Samples {
				byID[pt.ID].Samples = append(byID[pt.ID].Samples, &pmp4.Sample{
					Duration: s.Duration, PTSOffset: s.PTSOffset, IsNonSyncSample: s.IsNonSyncSample,
					GetPayload: func() ([]byte, error) { return s.Payload, nil },
				})
			}
		}
	}
}

func describe(t testing.TB, number uint8, track *pmp4.Track) *media.Track {
	mt := &media.Track{ID: number}
	switch c := track.Codec.(type) {
	case *codecs.H264:
		var sps h264.SPS
		if err := sps.Unmarshal(c.SPS); err != nil {
			t.Fatal(err)
		}
		mt.Codec, mt.SPS, mt.PPS = media.H264, c.SPS, c.PPS
		mt.Width, mt.Height, mt.FPS = sps.Width(), sps.Height(), sps.FPS()
		mt.Profile = "avc1." + hex(c.SPS[1:4])
		for _, s := range track.Samples {
			mt.Reorder = mt.Reorder || s.PTSOffset != track.Samples[0].PTSOffset
		}
	case *codecs.Opus:
		mt.Codec, mt.Profile, mt.SampleRate, mt.Channels = media.Opus, "opus", 48000, c.ChannelCount
	case *codecs.MPEG4Audio:
		conf, err := c.Config.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		mt.Codec, mt.Profile, mt.Config = media.AAC, "mp4a.40.2", conf
		mt.SampleRate, mt.Channels = c.Config.SampleRate, c.Config.ChannelCount
	default:
		return nil
	}
	return mt
}

func hex(b []byte) string {
	const digits = "0123456789abcdef"
	var out []byte
	for _, c := range b {
		out = append(out, digits[c>>4], digits[c&15])
	}
	return string(out)
}

// Without is the clip without its sound or its picture.
func (c *Clip) Without(video bool) *Clip {
	out := &Clip{Desc: &media.Description{}, Ticks: c.Ticks}
	for _, t := range c.Desc.Tracks {
		if t.Video() != video {
			out.Desc.Tracks = append(out.Desc.Tracks, t)
		}
	}
	for _, u := range c.Units {
		if u.Track.Video() != video {
			out.Units = append(out.Units, u)
		}
	}
	return out
}

// Stream is a fresh stream under a hub of its own.
func Stream(profile media.Profile) *media.Stream {
	return media.NewHub().Open(media.Key{Device: id.Device{15: 42}, Profile: profile})
}

// Player writes a clip into a stream, round and round, as a camera would.
type Player struct {
	Clip   *Clip
	Stream *media.Stream
	Shift  int64 // added to every time
	Start  time.Time
	Ahead  time.Duration // how far the camera's wall clock runs ahead

	next  int   // index of the unit to be written
	round int64 // how often the clip has been played
}

// Play describes the stream and returns its player. The stream is closed with the test.
func Play(t testing.TB, c *Clip, s *media.Stream) *Player {
	t.Helper()
	s.Describe(c.Desc)
	t.Cleanup(s.Close)
	return &Player{Clip: c, Stream: s, Start: time.Now()}
}

// At is the time in ticks of the next unit.
func (p *Player) At() int64 {
	return p.Clip.Units[p.next].DTS + p.round*p.Clip.Ticks + p.Shift
}

// Step writes the next unit.
func (p *Player) Step() *media.Unit {
	u := *p.Clip.Units[p.next]
	add := p.round*p.Clip.Ticks + p.Shift
	u.PTS, u.DTS = u.PTS+add, u.DTS+add
	u.Wall = clock.At(p.Start.Add(p.Ahead + time.Duration(u.DTS-p.Shift)*time.Second/media.TickRate))
	p.Stream.Write(&u)
	if p.next++; p.next == len(p.Clip.Units) {
		p.next, p.round = 0, p.round+1
	}
	return &u
}

// Skip writes everything before the time at, without waiting: the past of the stream.
func (p *Player) Skip(at time.Duration) *Player {
	if p.next == 0 && p.round == 0 {
		p.Start = time.Now().Add(-at)
	}
	for p.At()-p.Shift < int64(at*media.TickRate/time.Second) {
		p.Step()
	}
	return p
}

// Run goes on in real time, times speed, until the context ends.
func (p *Player) Run(ctx context.Context, speed float64) {
	began, from := time.Now(), p.At()
	for {
		due := began.Add(time.Duration(float64(p.At()-from) / media.TickRate / speed * float64(time.Second)))
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(due)):
		}
		p.Step()
	}
}

// Go runs the player in the background until the test ends.
func (p *Player) Go(t testing.TB, speed float64) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Run(ctx, speed)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}
