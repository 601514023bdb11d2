package rtsp

import (
	"strconv"
	"strings"

	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/opus"
	"github.com/pion/rtp"

	"candor/internal/media"
	"candor/internal/problem"
)

// offer is what we take of what a camera offers.
type offer struct {
	video  *description.Media
	h264   *format.H264
	audio  *description.Media // nil: none that we carry
	sound  format.Format
	track  *media.Track // of the sound
	unused []string     // names of sound codecs that are not carried
}

// choose takes the first H.264 and the first sound we carry. A camera without pictures, or with
// pictures of other codecs only, is a problem that says what was seen.
func choose(d *description.Session) (offer, error) {
	var o offer
	var seen []string
	for _, m := range d.Medias {
		if m.IsBackChannel {
			continue
		}
		for _, f := range m.Formats {
			switch m.Type {
			case description.MediaTypeVideo:
				if h, ok := f.(*format.H264); ok && o.video == nil {
					o.video, o.h264 = m, h
				} else if !ok {
					seen = append(seen, codecName(f))
				}
			case description.MediaTypeAudio:
				t := soundTrack(f)
				if t == nil {
					o.unused = append(o.unused, codecName(f))
				} else if o.audio == nil {
					o.audio, o.sound, o.track = m, f, t
				}
			}
		}
	}
	switch {
	case o.video != nil:
		return o, nil
	case len(seen) > 0:
		return o, problem.Invalid(CodeCodec).With("codec", strings.Join(seen, ", "))
	}
	return o, problem.Invalid(CodeNoVideo)
}

// soundTrack describes a sound codec, or nil when it is not carried.
func soundTrack(f format.Format) *media.Track {
	switch f := f.(type) {
	case *format.MPEG4Audio:
		config, err := f.Config.Marshal()
		if err != nil || f.Config.SampleRate <= 0 || f.Config.SampleRate > 192000 {
			return nil
		}
		channels := int(f.Config.ChannelConfig)
		if channels == 7 {
			channels = 8 // ISO 14496-3 table 1.19
		}
		return &media.Track{
			ID: 1, Codec: media.AAC, Profile: "mp4a.40." + strconv.Itoa(int(f.Config.Type)),
			Config: config, SampleRate: f.Config.SampleRate, Channels: channels,
		}
	case *format.Opus:
		if f.ChannelCount > 2 {
			return nil
		}
		return &media.Track{ID: 1, Codec: media.Opus, Profile: "opus", SampleRate: 48000, Channels: f.ChannelCount}
	case *format.G711:
		if f.SampleRate <= 0 || f.SampleRate > 48000 || f.ChannelCount < 1 || f.ChannelCount > 2 {
			return nil
		}
		t := &media.Track{ID: 1, Codec: media.PCMA, Profile: "alaw", SampleRate: f.SampleRate, Channels: f.ChannelCount}
		if f.MULaw {
			t.Codec, t.Profile = media.PCMU, "ulaw"
		}
		return t
	}
	return nil
}

// codecName is the name a person would look for.
func codecName(f format.Format) string {
	name, _, _ := strings.Cut(f.RTPMap(), "/")
	switch strings.ToUpper(name) {
	case "":
		return "RTP payload " + strconv.Itoa(int(f.PayloadType()))
	case "H265":
		return "H.265"
	case "JPEG":
		return "Motion JPEG"
	case "MP4V-ES":
		return "MPEG-4 Part 2"
	case "MP4A-LATM":
		return "AAC in LATM"
	}
	return strings.ToUpper(name)
}

// unpacker takes a codec's frames out of RTP packets.
type unpacker struct {
	frames func(*rtp.Packet) ([][]byte, error)
	lasts  func(frame []byte) int64 // in RTP ticks
}

// soundUnpacker makes the one for a sound that soundTrack described.
func soundUnpacker(f format.Format) (unpacker, error) {
	one := func(b []byte, err error) ([][]byte, error) { return [][]byte{b}, err }
	switch f := f.(type) {
	case *format.MPEG4Audio:
		d, err := f.CreateDecoder()
		if err != nil {
			return unpacker{}, err
		}
		return unpacker{d.Decode, func([]byte) int64 { return 1024 }}, nil
	case *format.Opus:
		d, err := f.CreateDecoder()
		if err != nil {
			return unpacker{}, err
		}
		return unpacker{func(p *rtp.Packet) ([][]byte, error) { return one(d.Decode(p)) }, opus.PacketDuration2}, nil
	case *format.G711:
		d, err := f.CreateDecoder()
		if err != nil {
			return unpacker{}, err
		}
		channels := int64(f.ChannelCount)
		return unpacker{
			func(p *rtp.Packet) ([][]byte, error) { return one(d.Decode(p)) },
			func(b []byte) int64 { return int64(len(b)) / channels },
		}, nil
	}
	return unpacker{}, problem.Invalid(CodeCodec).With("codec", codecName(f))
}
