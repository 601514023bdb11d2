package footage

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"

	"candor/internal/clock"
	"candor/internal/media"

	"candor/internal/footage/segment"
)

const (
	hourMillis = 3600_000
	// joint is how far two stretches may lie apart in wall time and still be one: clocks drift.
	joint = 500
	// overlap is how far the clock of a run may be put back without a visible seam.
	overlap = 2000
)

func hourOf(at clock.Millis) int64 {
	h := int64(at) / hourMillis
	if int64(at)%hourMillis < 0 {
		h--
	}
	return h
}

// run is a stretch of footage without a gap.
type run struct {
	profile media.Profile
	from    clock.Millis
	to      clock.Millis
	bytes   int64
}

// note says why nothing is recorded from a moment on.
type note struct {
	at     clock.Millis
	reason Reason
}

// summary is what one sealed row of footage_hour tells: the runs that begin in the hour and the
// notes made in it.
type summary struct {
	runs  []run
	notes []note
}

// add extends the last run of the profile if r follows it, or begins another.
func (s *summary) add(r run) {
	for i := len(s.runs) - 1; i >= 0; i-- {
		last := &s.runs[i]
		if last.profile != r.profile {
			continue
		}
		if gap := r.from - last.to; gap <= joint && gap >= -overlap {
			last.to = max(last.to, r.to)
			last.bytes += r.bytes
			return
		}
		break
	}
	s.runs = append(s.runs, r)
}

const summaryV1 = 1

var errSummary = errors.New("hour summary is damaged")

// marshal writes the summary of that hour.
func (s *summary) marshal(hour int64) ([]byte, error) {
	base := clock.Millis(hour * hourMillis)
	b := []byte{summaryV1}
	b = binary.AppendVarint(b, hour)
	b = binary.AppendUvarint(b, uint64(len(s.runs)))
	at := base
	for _, r := range s.runs {
		code, err := segment.ProfileCode(r.profile)
		if err != nil {
			return nil, err
		}
		b = append(b, code)
		b = binary.AppendVarint(b, int64(r.from-at))
		b = binary.AppendUvarint(b, uint64(max(r.to-r.from, 0)))
		b = binary.AppendUvarint(b, uint64(r.bytes))
		at = r.from
	}
	b = binary.AppendUvarint(b, uint64(len(s.notes)))
	at = base
	for _, n := range s.notes {
		b = binary.AppendVarint(b, int64(n.at-at))
		b = append(b, n.reason.code())
		at = n.at
	}
	return b, nil
}

// parseSummary reads what marshal wrote for that hour.
func parseSummary(b []byte, hour int64) (*summary, error) {
	if len(b) == 0 || b[0] != summaryV1 {
		return nil, errSummary
	}
	b = b[1:]
	bad := false
	signed := func() int64 {
		v, n := binary.Varint(b)
		if n <= 0 || v > 1<<50 || v < -1<<50 {
			bad, b = true, nil
			return 0
		}
		b = b[n:]
		return v
	}
	unsigned := func() int64 {
		v, n := binary.Uvarint(b)
		if n <= 0 || v > 1<<50 {
			bad, b = true, nil
			return 0
		}
		b = b[n:]
		return int64(v)
	}
	byte1 := func() byte {
		if len(b) == 0 {
			bad = true
			return 0
		}
		v := b[0]
		b = b[1:]
		return v
	}
	if signed() != hour {
		return nil, errSummary
	}
	s := &summary{}
	at := clock.Millis(hour * hourMillis)
	for n := unsigned(); n > 0 && !bad; n-- {
		profile, err := segment.ProfileOf(byte1())
		if err != nil {
			return nil, errSummary
		}
		at += clock.Millis(signed())
		r := run{profile: profile, from: at}
		r.to = at + clock.Millis(unsigned())
		r.bytes = unsigned()
		s.runs = append(s.runs, r)
	}
	at = clock.Millis(hour * hourMillis)
	for n := unsigned(); n > 0 && !bad; n-- {
		at += clock.Millis(signed())
		code := byte1()
		if int(code) >= len(codes) {
			return nil, errSummary
		}
		s.notes = append(s.notes, note{at, codes[code]})
	}
	if bad || len(b) > 0 {
		return nil, errSummary
	}
	return s, nil
}

// merge sorts runs and joins those that follow each other.
func merge(runs []run) []run {
	slices.SortFunc(runs, func(a, b run) int { return cmp.Compare(a.from, b.from) })
	var out []run
	for _, r := range runs {
		if n := len(out) - 1; n >= 0 && r.from-out[n].to <= joint {
			out[n].to = max(out[n].to, r.to)
			out[n].bytes += r.bytes
			continue
		}
		out = append(out, r)
	}
	return out
}
