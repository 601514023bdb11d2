package motion

import (
	"time"

	"candor/internal/media"
)

// gop knows how far apart a stream's key pictures are.
type gop struct {
	track   *media.Track
	last    *media.Unit // key
	shorts  int         // short distances in a row
	long    bool        // the one that runs is already long
	changed bool        // the last key picture has other parameters than the one before
}

func (g *gop) see(u *media.Unit) {
	if !u.Key {
		g.long = g.last != nil && ticks(u.DTS-g.last.DTS) > shortGOP
		if g.long {
			g.shorts = 0
		}
		return
	}
	g.changed = g.track != u.Track
	if g.last != nil && ticks(u.DTS-g.last.DTS) <= shortGOP {
		g.shorts++
	} else {
		g.shorts = 0
	}
	g.track, g.last, g.long = u.Track, u, false
}

// short reports whether key pictures come often enough to be looked at alone: two distances tell.
func (g *gop) short() bool { return g.shorts >= 2 && !g.long }

// timeLine joins the times of several streams, or of one before and after a break, to one that
// only grows.
type timeLine struct {
	track *media.Track
	shift time.Duration
	now   time.Duration
	seen  time.Time
	wall  int64
}

// at is the time of a unit on the line. A change of the track may be another stream with another
// time line: then the wall clock tells how much time has passed.
func (l *timeLine) at(u *media.Unit) time.Duration {
	at := ticks(u.PTS)
	if u.Track != l.track {
		passed := min(max(time.Duration(int64(u.Wall)-l.wall)*time.Millisecond, time.Millisecond), 24*time.Hour)
		l.shift = l.now + passed - at
		l.track = u.Track
	}
	l.now = max(at+l.shift, l.now+1)
	l.wall, l.seen = int64(u.Wall), time.Now()
	return l.now
}

// since is how long ago the last picture came.
func (l *timeLine) since() time.Duration { return time.Since(l.seen) }
