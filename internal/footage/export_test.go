package footage

import (
	"candor/internal/clock"
	"candor/internal/media"
)

// SummaryForBench is the plain text of an hour with one run.
func SummaryForBench(hour int64, from clock.Millis, lasts int64) []byte {
	s := &summary{runs: []run{{media.Main, from, from + clock.Millis(lasts), 1 << 20}}}
	b, err := s.marshal(hour)
	if err != nil {
		panic(err)
	}
	return b
}
