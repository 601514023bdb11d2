package rtsp

import (
	"errors"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// facts are what a sequence parameter set tells.
type facts struct {
	width, height int
	fps           float64 // 0: not told
	profile       string  // RFC 6381
	reorder       order
	delay         int  // pictures that may come before one that is shown earlier; -1: not told
	plain         bool // the order of pictures can be read by h264.DTSExtractor
}

// order says whether pictures are shown in another order than they are sent.
type order int

const (
	orderUnknown order = iota // the parameters allow both; watch
	orderKept
	orderChanged
)

// Sizes beyond these are broken parameters, not cameras.
const (
	maxSide = 16384
	maxFPS  = 1000
)

var errSize = errors.New("picture size makes no sense")

// readSPS reads a sequence parameter set, which comes from a camera and may be anything.
func readSPS(nal []byte) (f facts, err error) {
	if len(nal) < 4 {
		return f, errors.New("too short")
	}
	var s h264.SPS
	if err := s.Unmarshal(nal); err != nil {
		return f, err
	}
	if s.PicWidthInMbsMinus1 > maxSide/16 || s.PicHeightInMapUnitsMinus1 > maxSide/16 {
		return f, errSize
	}
	f.width, f.height = s.Width(), s.Height()
	if f.width < 16 || f.height < 16 || f.width > maxSide || f.height > maxSide {
		return f, errSize
	}
	if fps := s.FPS(); fps > 0 && fps <= maxFPS {
		f.fps = fps
	}
	f.profile = fmt.Sprintf("avc1.%02x%02x%02x", nal[1], nal[2], nal[3])
	f.plain = s.FrameMbsOnlyFlag && s.PicOrderCntType != 1 &&
		s.Log2MaxFrameNumMinus4 <= 12 && s.Log2MaxPicOrderCntLsbMinus4 <= 12
	f.reorder, f.delay = reordering(&s)
	return f, nil
}

// reordering tells what H.264 annex E (bitstream_restriction), clause 8.2.1.3 (picture order
// count type 2) and clause A.2.1 (Baseline has no B slices) say about the order of pictures.
func reordering(s *h264.SPS) (order, int) {
	if s.VUI != nil && s.VUI.BitstreamRestriction != nil {
		n := s.VUI.BitstreamRestriction.MaxNumReorderFrames
		switch {
		case n == 0:
			return orderKept, 0
		case n <= 16:
			return orderChanged, int(n)
		}
	}
	const baseline = 66
	if s.PicOrderCntType == 2 || s.ProfileIdc == baseline {
		return orderKept, 0
	}
	return orderUnknown, -1
}
