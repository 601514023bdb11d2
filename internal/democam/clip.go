package democam

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"time"

	"candor/internal/media"
)

// Clip is an MP4 file, opened for playing.
type Clip struct {
	Video  *Track
	Audio  *Track        // nil when there is none that can be carried
	Period time.Duration // how long one round takes
	file   io.ReaderAt
	close  func() error
	steps  []step
}

// Track is one codec's samples in a clip.
type Track struct {
	Codec      media.Codec
	SPS, PPS   []byte
	prefix     int    // bytes of the length before each NAL unit
	Config     []byte // AAC AudioSpecificConfig
	SampleRate int
	Channels   int

	samples []sample
}

// sample is one access unit; times are on the clip's presentation line, which begins at 0.
type sample struct {
	dts, pts time.Duration
	offset   int64
	size     int
	key      bool
}

// step is one sample in the order of sending.
type step struct {
	track *Track
	sample
}

// OpenClip opens the MP4 file of that name in fsys, or at that path when fsys is nil.
func OpenClip(fsys fs.FS, name string) (*Clip, error) {
	file, size, closer, err := open(fsys, name)
	if err != nil {
		return nil, err
	}
	c, err := readClip(file, size)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read clip: %w", err), closer())
	}
	c.close = closer
	return c, nil
}

func open(fsys fs.FS, name string) (io.ReaderAt, int64, func() error, error) {
	if fsys != nil {
		b, err := fs.ReadFile(fsys, name)
		return bytes.NewReader(b), int64(len(b)), func() error { return nil }, err
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, nil, errors.Join(err, f.Close())
	}
	return f, info.Size(), f.Close, nil
}

// Close lets the file go.
func (c *Clip) Close() error { return c.close() }

// read returns a sample's bytes.
func (c *Clip) read(s sample) ([]byte, error) {
	b := make([]byte, s.size)
	_, err := c.file.ReadAt(b, s.offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b, nil
}

// arrange puts the samples of all tracks in the order of sending and fits them into one round.
func (c *Clip) arrange() error {
	if c.Video == nil {
		return errors.New("no H.264 track")
	}
	if !slices.ContainsFunc(c.Video.samples, func(s sample) bool { return s.key }) {
		return errors.New("no key picture")
	}
	if c.Period <= 0 || c.Period > 1000*time.Hour {
		return errors.New("no duration")
	}
	for _, t := range []*Track{c.Video, c.Audio} {
		if t == nil {
			continue
		}
		for _, s := range t.samples {
			if t != c.Video && (s.pts < 0 || s.pts >= c.Period) {
				continue // priming, or beyond the last picture
			}
			c.steps = append(c.steps, step{t, s})
		}
	}
	slices.SortStableFunc(c.steps, func(a, b step) int { return int(min(max(a.dts-b.dts, -1), 1)) })
	return nil
}

// scaled converts ticks of a time scale without overflow.
func scaled(ticks int64, scale uint32) time.Duration {
	s := int64(scale)
	whole := ticks / s
	if whole > math.MaxInt64/int64(2*time.Second) || whole < math.MinInt64/int64(2*time.Second) {
		return math.MaxInt64 / 4
	}
	return time.Duration(whole)*time.Second + time.Duration(ticks%s)*time.Second/time.Duration(s)
}
