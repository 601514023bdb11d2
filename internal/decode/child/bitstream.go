package child

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"candor/internal/decode/wire"
)

// maxPixels refuses what no camera sends and only an attacker would: a small picture that
// claims to be enormous.
const maxPixels = 8192 * 4608

// dimensions is what the parameter set says of the picture.
type dimensions struct {
	width, height int
	colour        colour
}

// measure reads the size and the colour coding from a sequence parameter set.
func measure(sps []byte) (dimensions, error) {
	var s h264.SPS
	if err := s.Unmarshal(sps); err != nil {
		return dimensions{}, fmt.Errorf("sequence parameter set: %w", err)
	}
	d := dimensions{width: s.Width(), height: s.Height()}
	if d.width < 16 || d.height < 16 || d.width > 16384 || d.height > 16384 || d.width*d.height > maxPixels {
		return dimensions{}, fmt.Errorf("picture of %d x %d", d.width, d.height)
	}
	// Without a word from the camera, high definition is BT.709 and the rest BT.601, as
	// browsers assume: the still must not change its tint when the live picture takes over.
	d.colour.bt709 = d.height >= 720
	if s.VUI != nil && s.VUI.VideoSignalTypePresentFlag {
		d.colour.full = s.VUI.VideoFullRangeFlag
		if s.VUI.ColourDescriptionPresentFlag {
			switch s.VUI.MatrixCoefficients {
			case 1:
				d.colour.bt709 = true
			case 4, 5, 6:
				d.colour.bt709 = false
			}
		}
	}
	return d, nil
}

// annexB joins the slices of an access unit behind start codes, after the parameter sets if it
// begins something. Everything else that a camera may put into a unit is left out: a decoder
// needs it not.
func annexB(q wire.Request, unit []byte, begins bool) ([]byte, error) {
	if len(q.PPS) == 0 {
		return nil, errors.New("no picture parameter set")
	}
	out := make([]byte, 0, len(q.SPS)+len(q.PPS)+len(unit)+64)
	put := func(nal []byte) { out = append(append(out, 0, 0, 0, 1), nal...) }
	if begins {
		put(q.SPS)
		put(q.PPS)
	}
	slices := 0
	for b := unit; len(b) > 0; {
		if len(b) < 4 {
			return nil, errors.New("unit is cut short")
		}
		n := uint64(binary.BigEndian.Uint32(b))
		if n == 0 || n > uint64(len(b)-4) {
			return nil, errors.New("unit is cut short")
		}
		if t := b[4] & 0x1f; t >= 1 && t <= 5 {
			put(b[4 : 4+n])
			slices++
		}
		b = b[4+n:]
	}
	if slices == 0 {
		return nil, errors.New("unit without a slice")
	}
	return out, nil
}
