package democam

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/abema/go-mp4"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"candor/internal/media"
)

// maxSamples of a track: two days at 30 pictures a second.
const maxSamples = 2 * 24 * 3600 * 30

// readClip reads the index of an MP4 file that is not fragmented.
func readClip(file io.ReaderAt, size int64) (*Clip, error) {
	r := io.NewSectionReader(file, 0, size)
	movie := uint32(1000)
	if b, err := mp4.ExtractBoxWithPayload(r, nil, mp4.BoxPath{mp4.BoxTypeMoov(), mp4.BoxTypeMvhd()}); err == nil && len(b) > 0 {
		if s := b[0].Payload.(*mp4.Mvhd).Timescale; s > 0 {
			movie = s
		}
	}
	traks, err := mp4.ExtractBox(r, nil, mp4.BoxPath{mp4.BoxTypeMoov(), mp4.BoxTypeTrak()})
	if err != nil {
		return nil, fmt.Errorf("not an MP4 file: %w", err)
	}
	c := &Clip{file: file}
	for _, trak := range traks {
		t, period, err := readTrack(r, trak, movie, size)
		switch {
		case err != nil:
			return nil, err
		case t == nil:
		case t.Codec == media.H264 && c.Video == nil:
			c.Video, c.Period = t, period
		case t.Codec != media.H264 && c.Audio == nil:
			c.Audio = t
		}
	}
	return c, c.arrange()
}

// boxes are those of a trak that matter.
type boxes struct {
	mdhd *mp4.Mdhd
	elst *mp4.Elst
	stts *mp4.Stts
	ctts *mp4.Ctts
	stsc *mp4.Stsc
	stsz *mp4.Stsz
	stss *mp4.Stss
	stco []uint64
	avcC *mp4.AVCDecoderConfiguration
	dOps *mp4.DOps
	esds *mp4.Esds
}

// readTrack returns nil for a track that cannot be carried.
func readTrack(r io.ReadSeeker, trak *mp4.BoxInfo, movie uint32, size int64) (*Track, time.Duration, error) {
	stbl := mp4.BoxPath{mp4.BoxTypeMdia(), mp4.BoxTypeMinf(), mp4.BoxTypeStbl()}
	in := func(path mp4.BoxPath, more ...mp4.BoxType) mp4.BoxPath {
		return append(append(mp4.BoxPath{}, path...), more...)
	}
	stsd := in(stbl, mp4.BoxTypeStsd())
	found, err := mp4.ExtractBoxesWithPayload(r, trak, []mp4.BoxPath{
		{mp4.BoxTypeMdia(), mp4.BoxTypeMdhd()},
		{mp4.BoxTypeEdts(), mp4.BoxTypeElst()},
		in(stbl, mp4.BoxTypeStts()), in(stbl, mp4.BoxTypeCtts()), in(stbl, mp4.BoxTypeStsc()),
		in(stbl, mp4.BoxTypeStsz()), in(stbl, mp4.BoxTypeStss()), in(stbl, mp4.BoxTypeStco()),
		in(stbl, mp4.BoxTypeCo64()),
		in(stsd, mp4.BoxTypeAvc1(), mp4.BoxTypeAvcC()),
		in(stsd, mp4.BoxTypeMp4a(), mp4.BoxTypeEsds()),
		in(stsd, mp4.BoxTypeOpus(), mp4.BoxTypeDOps()),
	})
	if err != nil {
		return nil, 0, err
	}
	var b boxes
	for _, f := range found {
		b.take(f.Payload)
	}
	t := b.codec()
	if t == nil {
		return nil, 0, nil
	}
	if b.mdhd == nil || b.mdhd.Timescale == 0 || b.stts == nil || b.stsc == nil || b.stsz == nil {
		return nil, 0, errors.New("incomplete track")
	}
	period, err := b.samples(t, movie, size)
	return t, period, err
}

func (b *boxes) take(box mp4.IBox) {
	switch x := box.(type) {
	case *mp4.Mdhd:
		b.mdhd = x
	case *mp4.Elst:
		b.elst = x
	case *mp4.Stts:
		b.stts = x
	case *mp4.Ctts:
		b.ctts = x
	case *mp4.Stsc:
		b.stsc = x
	case *mp4.Stsz:
		b.stsz = x
	case *mp4.Stss:
		b.stss = x
	case *mp4.Stco:
		b.stco = make([]uint64, len(x.ChunkOffset))
		for i, o := range x.ChunkOffset {
			b.stco[i] = uint64(o)
		}
	case *mp4.Co64:
		b.stco = x.ChunkOffset
	case *mp4.AVCDecoderConfiguration:
		b.avcC = x
	case *mp4.DOps:
		b.dOps = x
	case *mp4.Esds:
		b.esds = x
	}
}

// codec makes the track, or nil when the codec cannot be carried.
func (b *boxes) codec() *Track {
	switch {
	case b.avcC != nil:
		if len(b.avcC.SequenceParameterSets) == 0 || len(b.avcC.PictureParameterSets) == 0 {
			return nil
		}
		return &Track{
			Codec:  media.H264,
			SPS:    b.avcC.SequenceParameterSets[0].NALUnit,
			PPS:    b.avcC.PictureParameterSets[0].NALUnit,
			prefix: int(b.avcC.LengthSizeMinusOne) + 1,
		}
	case b.dOps != nil && b.dOps.ChannelMappingFamily == 0:
		return &Track{Codec: media.Opus, SampleRate: 48000, Channels: int(b.dOps.OutputChannelCount)}
	case b.esds != nil:
		for _, d := range b.esds.Descriptors {
			var config mpeg4audio.AudioSpecificConfig
			if d.Tag == mp4.DecSpecificInfoTag && config.Unmarshal(d.Data) == nil {
				return &Track{Codec: media.AAC, Config: d.Data, SampleRate: config.SampleRate, Channels: int(config.ChannelConfig)}
			}
		}
	}
	return nil
}
