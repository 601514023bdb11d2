package democam

import (
	"errors"
	"time"
)

var errTable = errors.New("sample tables contradict each other")

// samples fills the track's samples from the tables and returns how long they last.
func (b *boxes) samples(t *Track, movie uint32, size int64) (time.Duration, error) {
	count := int64(b.stsz.SampleCount)
	if count > maxSamples || (b.stsz.SampleSize == 0 && int64(len(b.stsz.EntrySize)) != count) {
		return 0, errTable
	}
	scale := b.mdhd.Timescale
	shift := b.shift(movie)
	t.samples = make([]sample, 0, count)
	var at int64
	for _, e := range b.stts.Entries {
		for range e.SampleCount {
			if int64(len(t.samples)) == count {
				break
			}
			s := sample{size: int(b.stsz.SampleSize), key: b.stss == nil}
			if s.size == 0 {
				s.size = int(b.stsz.EntrySize[len(t.samples)])
			}
			s.dts = scaled(at, scale) + shift
			s.pts = s.dts
			t.samples = append(t.samples, s)
			at += int64(e.SampleDelta)
		}
	}
	if int64(len(t.samples)) != count {
		return 0, errTable
	}
	b.compose(t, scale)
	if b.stss != nil {
		for _, n := range b.stss.SampleNumber {
			if n >= 1 && int64(n) <= count {
				t.samples[n-1].key = true
			}
		}
	}
	return scaled(at, scale), b.place(t, size)
}

// shift is where the edit list moves the track's time zero.
func (b *boxes) shift(movie uint32) time.Duration {
	if b.elst == nil {
		return 0
	}
	var shift time.Duration
	for _, e := range b.elst.Entries {
		begin, lasts := int64(e.MediaTimeV0), int64(e.SegmentDurationV0)
		if b.elst.GetVersion() == 1 {
			begin, lasts = e.MediaTimeV1, int64(min(e.SegmentDurationV1, 1<<40))
		}
		if begin >= 0 {
			return shift - scaled(begin, b.mdhd.Timescale)
		}
		shift += scaled(lasts, movie)
	}
	return shift
}

// compose moves presentation behind decoding where pictures are reordered.
func (b *boxes) compose(t *Track, scale uint32) {
	if b.ctts == nil {
		return
	}
	n := 0
	for i, e := range b.ctts.Entries {
		for range e.SampleCount {
			if n == len(t.samples) {
				return
			}
			t.samples[n].pts += scaled(b.ctts.GetSampleOffset(i), scale)
			n++
		}
	}
}

// place finds each sample in the file.
func (b *boxes) place(t *Track, size int64) error {
	n, entry := 0, 0
	for chunk, offset := range b.stco {
		for entry+1 < len(b.stsc.Entries) && int64(b.stsc.Entries[entry+1].FirstChunk) <= int64(chunk)+1 {
			entry++
		}
		if entry >= len(b.stsc.Entries) {
			return errTable
		}
		for range b.stsc.Entries[entry].SamplesPerChunk {
			if n == len(t.samples) {
				return nil
			}
			s := &t.samples[n]
			if offset > uint64(size) || uint64(s.size) > uint64(size)-offset {
				return errors.New("a sample lies outside the file")
			}
			s.offset = int64(offset)
			offset += uint64(s.size)
			n++
		}
	}
	if n != len(t.samples) {
		return errTable
	}
	return nil
}
