package footage

import (
	"math"

	"candor/internal/clock"
	"candor/internal/footage/segment"
)

// firstKey is when the first key picture at or after a moment is shown. Playback under a window
// begins there: what lies before it would have to be handed out to be decoded from.
func firstKey(segs []*segment.Segment, from clock.Millis) clock.Millis {
	first := clock.Millis(math.MaxInt64)
	for _, s := range segs {
		for _, c := range s.Chunks {
			for k, frames := range c.Tracks {
				if !s.Tracks[k].Video() {
					continue
				}
				for _, f := range frames {
					shown := s.Start + clock.Millis((f.PTS()+ticksPerMilli-1)/ticksPerMilli)
					if f.Key && shown >= from {
						first = min(first, shown)
					}
				}
			}
		}
	}
	return first
}
