// Package fmp4 writes fragmented MP4 for live viewing: an initialisation segment for a set of
// tracks, then fragments whose media bytes are the units' own, never copied.
//
// Every track counts in ticks of 1/90000 s, whatever the codec's own clock, so times are those
// of the stream. A fragment is written as a head (moof and the start of mdat), made anew for
// each viewer in some hundred bytes, and the units' data after it.
package fmp4

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	mc "github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"

	"candor/internal/media"
)

// ErrCodec is a codec that MP4 does not carry for browsers.
var ErrCodec = errors.New("codec is not carried in MP4")

// Carries reports whether a codec has a place in a fragment.
func Carries(c media.Codec) bool { return c == media.H264 || c == media.AAC || c == media.Opus }

// Init is the initialisation segment for tracks; the first has number 1.
//
// A segment without a duration is live to a browser, which then decodes with the least delay and
// shows pictures in the order they come out. With B-frames that is the wrong order, and most of
// them are dropped (seen in Chromium): those get a duration of a month.
func Init(tracks ...*media.Track) ([]byte, error) {
	var init mc.Init
	for i, t := range tracks {
		it := &mc.InitTrack{ID: i + 1, TimeScale: media.TickRate}
		switch t.Codec {
		case media.H264:
			it.Codec = &codecs.H264{SPS: t.SPS, PPS: t.PPS}
		case media.AAC:
			c := &codecs.MPEG4Audio{}
			if err := c.Config.Unmarshal(t.Config); err != nil {
				return nil, fmt.Errorf("AAC configuration: %w", err)
			}
			it.Codec = c
		case media.Opus:
			it.Codec = &codecs.Opus{ChannelCount: max(1, t.Channels)}
		default:
			return nil, fmt.Errorf("%w: %s", ErrCodec, t.Codec)
		}
		init.Tracks = append(init.Tracks, it)
	}
	var buf seekablebuffer.Buffer
	if err := init.Marshal(&buf); err != nil {
		return nil, err
	}
	b := buf.Bytes()
	for _, t := range tracks {
		if t.Reorder {
			return b, lastsAMonth(b)
		}
	}
	return b, nil
}

// lastsAMonth writes a duration into the movie header (version 0, which counts milliseconds).
func lastsAMonth(b []byte) error {
	const month = 30 * 24 * 3600 * 1000
	at := bytes.Index(b, []byte("mvhd\x00"))
	if at < 0 || len(b) < at+24 || binary.BigEndian.Uint32(b[at+16:]) != 1000 {
		return errors.New("the movie header is not as expected")
	}
	binary.BigEndian.PutUint32(b[at+20:], month)
	return nil
}

// Mime is the content type of tracks, with the codecs as browsers want to hear them.
func Mime(tracks ...*media.Track) string {
	list := ""
	for i, t := range tracks {
		if i > 0 {
			list += ","
		}
		list += t.Profile
	}
	return `video/mp4; codecs="` + list + `"`
}

// FrameTicks is how long one audio frame of t lasts, or 0 when the data does not tell.
func FrameTicks(t *media.Track, data []byte) int64 {
	switch t.Codec {
	case media.AAC:
		if t.SampleRate > 0 {
			return mpeg4audio.SamplesPerAccessUnit * media.TickRate / int64(t.SampleRate)
		}
	case media.Opus:
		return opusTicks(data)
	}
	return 0
}

// opusTicks reads the table-of-contents byte (RFC 6716, 3.1).
func opusTicks(data []byte) int64 {
	if len(data) == 0 {
		return 0
	}
	const ms = media.TickRate / 1000
	config := data[0] >> 3
	var frame int64
	switch {
	case config < 12:
		frame = []int64{10, 20, 40, 60}[config&3] * ms
	case config < 16:
		frame = []int64{10, 20}[config&1] * ms
	default:
		frame = []int64{ms * 5 / 2, 5 * ms, 10 * ms, 20 * ms}[config&3]
	}
	switch data[0] & 3 {
	case 0:
		return frame
	case 1, 2:
		return 2 * frame
	}
	if len(data) < 2 {
		return 0
	}
	return frame * int64(data[1]&0x3f)
}

// Sample is one unit in a fragment.
type Sample struct {
	Data     []byte
	Duration uint32
	Offset   int32 // presentation time minus decoding time
	Key      bool
}

// Run is consecutive samples of one track.
type Run struct {
	Track   uint32 // number, from 1
	Time    uint64 // decoding time of the first sample
	Samples []Sample
}

const (
	flagsKey    = 0x02000000 // depends on no other sample
	flagsNotKey = 0x01010000 // depends on others, is no sync sample

	trunFlags = 0x000001 | 0x000100 | 0x000200 | 0x000400 | 0x000800 // offset, duration, size, flags, composition
)

// Head appends moof and the beginning of mdat of a fragment to b. The samples' data follows it,
// run by run. Runs without samples are not allowed.
func Head(b []byte, sequence uint32, runs ...Run) []byte {
	start := len(b)
	size := 8 + 16
	media := 0
	for _, r := range runs {
		size += 8 + 16 + 20 + 20 + 16*len(r.Samples)
		for _, s := range r.Samples {
			media += len(s.Data)
		}
	}
	u32 := binary.BigEndian.AppendUint32
	box := func(n int, name string) { b = append(u32(b, uint32(n)), name...) }
	box(size, "moof")
	box(16, "mfhd")
	b = u32(u32(b, 0), sequence)
	at := size + 8
	for _, r := range runs {
		trun := 20 + 16*len(r.Samples)
		box(8+16+20+trun, "traf")
		box(16, "tfhd")
		b = u32(u32(b, 0x020000), r.Track) // offsets count from moof
		box(20, "tfdt")
		b = binary.BigEndian.AppendUint64(u32(b, 1<<24), r.Time)
		box(trun, "trun")
		b = u32(u32(u32(b, 1<<24|trunFlags), uint32(len(r.Samples))), uint32(at))
		for _, s := range r.Samples {
			flags := uint32(flagsNotKey)
			if s.Key {
				flags = flagsKey
			}
			b = u32(u32(u32(u32(b, s.Duration), uint32(len(s.Data))), flags), uint32(s.Offset))
			at += len(s.Data)
		}
	}
	if len(b)-start != size {
		panic("fmp4: moof has another size than was computed")
	}
	box(8+media, "mdat")
	return b
}
