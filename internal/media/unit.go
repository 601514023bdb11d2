package media

import (
	"encoding/binary"
	"iter"

	"candor/internal/clock"
	"candor/internal/id"
)

// Profile names one of a camera's streams.
type Profile string

// The profiles: main is the best picture, sub the small one.
const (
	Main Profile = "main"
	Sub  Profile = "sub"
)

// Key names a stream.
type Key struct {
	Device  id.Device
	Profile Profile
}

// Codec is a media codec, by the name WebCodecs and RFC 6381 users know it.
type Codec string

// The codecs that are carried.
const (
	H264 Codec = "h264"
	AAC  Codec = "aac"
	Opus Codec = "opus"
	PCMA Codec = "pcma" // G.711 A-law
	PCMU Codec = "pcmu" // G.711 µ-law
)

// TickRate is the time base of every stream, whatever the codec's own clock.
const TickRate = 90000

// Track describes one codec's units in a stream. It is immutable: when a camera changes its
// parameters the stream gets new Tracks, and units point at the one that decodes them, so a
// consumer notices a change by comparing pointers.
type Track struct {
	ID         uint8 // 0-based position in the Description
	Codec      Codec
	SPS, PPS   []byte // H.264 parameter sets, without start codes
	Width      int
	Height     int
	FPS        float64 // 0 when the parameter sets do not tell
	Reorder    bool    // pictures are shown in another order than they are sent (B-frames)
	Profile    string  // RFC 6381 "avc1.4d001f", "mp4a.40.2", "opus", "ulaw", "alaw"
	Config     []byte  // AAC AudioSpecificConfig
	SampleRate int
	Channels   int
}

// Video reports whether the track shows pictures.
func (t *Track) Video() bool { return t.Codec == H264 }

// Description is what a stream consists of at one time. Immutable.
type Description struct {
	Tracks []*Track
}

// Video is the track that shows pictures, or nil.
func (d *Description) Video() *Track { return d.find(true) }

// Audio is the track that sounds, or nil.
func (d *Description) Audio() *Track { return d.find(false) }

func (d *Description) find(video bool) *Track {
	if d == nil {
		return nil
	}
	for _, t := range d.Tracks {
		if t.Video() == video {
			return t
		}
	}
	return nil
}

// Unit is one access unit: a picture or an audio frame. It is immutable once written to a
// stream, and shared by every viewer: nobody changes Data.
type Unit struct {
	Track *Track
	PTS   int64        // presentation time in ticks, on the stream's own monotonic time line
	DTS   int64        // decoding time in ticks; equal to PTS unless the track reorders
	Wall  clock.Millis // our wall clock at DTS, mapped from the camera's
	Key   bool         // decoding can begin here
	Data  []byte       // H.264: NAL units, each behind its length in 4 bytes, no parameter sets; audio: one frame
}

// NALs walks the NAL units of H.264 data. It stops at the first length that does not fit.
func NALs(data []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(data) >= 4 {
			n := binary.BigEndian.Uint32(data)
			if uint64(n) > uint64(len(data)-4) {
				return
			}
			if !yield(data[4 : 4+n]) {
				return
			}
			data = data[4+n:]
		}
	}
}
