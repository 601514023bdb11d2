// Package footagetest turns real clips into units, as an ingest would. Tests import it.
package footagetest

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"testing"

	"github.com/abema/go-mp4"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"candor/internal/clock"
	"candor/internal/media"
)

// Clip is a clip's description and its units in the order a camera would send them.
type Clip struct {
	Description *media.Description
	Units       []*media.Unit
	Ticks       int64 // one round
}

// Path is a file among the module's clips.
func Path(name string) string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "..", "..", "clips", name)
}

// Open reads a clip of the clips folder, or the file at an absolute path.
func Open(t testing.TB, name string) *Clip {
	t.Helper()
	if !filepath.IsAbs(name) {
		name = Path(name)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	c, err := read(b)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return c
}

func read(b []byte) (*Clip, error) {
	r := bytes.NewReader(b)
	info, err := mp4.Probe(r)
	if err != nil {
		return nil, err
	}
	c := &Clip{Description: &media.Description{}}
	for _, t := range info.Tracks {
		track, err := describe(r, t)
		if err != nil {
			return nil, err
		}
		if track == nil {
			continue
		}
		track.ID = uint8(len(c.Description.Tracks))
		c.Description.Tracks = append(c.Description.Tracks, track)
		c.units(b, t, track)
	}
	sort.SliceStable(c.Units, func(i, k int) bool { return c.Units[i].DTS < c.Units[k].DTS })
	return c, nil
}

// describe makes the media.Track of a video or sound track, nil for others.
func describe(r io.ReadSeeker, t *mp4.Track) (*media.Track, error) {
	traks, err := mp4.ExtractBox(r, nil, mp4.BoxPath{mp4.BoxTypeMoov(), mp4.BoxTypeTrak()})
	if err != nil {
		return nil, err
	}
	trak := traks[int(t.TrackID)-1]
	entry := mp4.BoxPath{mp4.BoxTypeMdia(), mp4.BoxTypeMinf(), mp4.BoxTypeStbl(), mp4.BoxTypeStsd()}
	get := func(path ...mp4.BoxType) (any, error) {
		found, err := mp4.ExtractBoxWithPayload(r, trak, append(entry[:len(entry):len(entry)], path...))
		if err != nil || len(found) == 0 {
			return nil, err
		}
		return found[0].Payload, nil
	}
	if p, err := get(mp4.BoxTypeAvc1(), mp4.BoxTypeAvcC()); err != nil {
		return nil, err
	} else if p != nil {
		return picture(p.(*mp4.AVCDecoderConfiguration))
	}
	if p, err := get(mp4.BoxTypeMp4a(), mp4.BoxTypeEsds()); err != nil {
		return nil, err
	} else if p != nil {
		out := &media.Track{Codec: media.AAC, Profile: "mp4a.40.2", SampleRate: int(t.Timescale), Channels: 1}
		for _, d := range p.(*mp4.Esds).Descriptors {
			if d.Tag == mp4.DecSpecificInfoTag {
				out.Config = d.Data
				if len(d.Data) >= 2 {
					out.Channels = int(d.Data[1]>>3) & 15
				}
			}
		}
		return out, nil
	}
	if p, err := get(mp4.BoxTypeOpus(), mp4.BoxTypeDOps()); err != nil {
		return nil, err
	} else if p != nil {
		return &media.Track{Codec: media.Opus, Profile: "opus", SampleRate: 48000, Channels: int(p.(*mp4.DOps).OutputChannelCount)}, nil
	}
	return nil, nil
}

func picture(c *mp4.AVCDecoderConfiguration) (*media.Track, error) {
	t := &media.Track{Codec: media.H264, SPS: c.SequenceParameterSets[0].NALUnit, PPS: c.PictureParameterSets[0].NALUnit}
	var sps h264.SPS
	if err := sps.Unmarshal(t.SPS); err != nil {
		return nil, err
	}
	t.Width, t.Height, t.FPS = sps.Width(), sps.Height(), sps.FPS()
	t.Reorder = sps.VUI == nil || sps.VUI.BitstreamRestriction == nil || sps.VUI.BitstreamRestriction.MaxNumReorderFrames > 0
	t.Profile = "avc1"
	return t, nil
}

// units cuts the samples of one track out of the file.
func (c *Clip) units(b []byte, t *mp4.Track, track *media.Track) {
	ticks := func(v int64) int64 { return v * media.TickRate / int64(t.Timescale) }
	n, at := 0, int64(0)
	for _, chunk := range t.Chunks {
		off := int(chunk.DataOffset)
		for range chunk.SamplesPerChunk {
			s := t.Samples[n]
			u := &media.Unit{Track: track, DTS: ticks(at), PTS: ticks(at + s.CompositionTimeOffset), Data: b[off : off+int(s.Size)], Key: !track.Video()}
			if track.Video() {
				for nal := range media.NALs(u.Data) {
					u.Key = u.Key || (len(nal) > 0 && nal[0]&31 == 5)
				}
			}
			c.Units = append(c.Units, u)
			off += int(s.Size)
			at += int64(s.TimeDelta)
			n++
		}
	}
	if track.Video() {
		c.Ticks = ticks(at)
	}
}

// Play is the first ticks of the clip, again and again, as a camera that was switched on at start
// and whose time line began at origin would send it. Units of the clip are not touched.
func (c *Clip) Play(origin int64, start clock.Millis, ticks int64) []*media.Unit {
	var out []*media.Unit
	for round := int64(0); round*c.Ticks < ticks; round++ {
		for _, u := range c.Units {
			at := round*c.Ticks + u.DTS
			if u.DTS >= c.Ticks || at >= ticks {
				continue
			}
			v := *u
			v.DTS = origin + at
			v.PTS = v.DTS + u.PTS - u.DTS
			v.Wall = start + clock.Millis(at/(media.TickRate/1000))
			out = append(out, &v)
		}
	}
	return out
}
