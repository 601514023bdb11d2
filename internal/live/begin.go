package live

import (
	"time"

	"candor/internal/media"
)

// catchUp is how long a player may take to decode what it has missed before a live picture
// shows; above that the sub stream, which decodes faster, is shown first.
const catchUp = 100 * time.Millisecond

// DecodeTime estimates how long a software decoder takes for one picture: 1.5, 4 and 8 ms for
// 360, 720 and 1080 lines.
func DecodeTime(t *media.Track) time.Duration {
	pixels := time.Duration(t.Width * t.Height)
	return 700*time.Microsecond + pixels*7/2*time.Nanosecond
}

// pictures counts the video units of a backlog.
func pictures(units []*media.Unit) int {
	n := 0
	for _, u := range units {
		if u.Track.Video() {
			n++
		}
	}
	return n
}

// begin is the profile whose pictures a viewer sees first.
func (s Source) begin(o Options) media.Profile {
	showsPictures := func(st *media.Stream) bool { return st != nil && st.Running() && st.Description().Video() != nil }
	switch {
	case s.Main == nil:
		return media.Sub
	case o.Quality == Main || !showsPictures(s.Sub):
		return media.Main
	case o.Quality == Sub || !showsPictures(s.Main):
		return media.Sub
	}
	key, gop := s.Main.Last()
	if key == nil || len(gop) == 0 {
		return media.Sub
	}
	d := o.Decode
	if d <= 0 {
		d = DecodeTime(key.Track)
	}
	if time.Duration(pictures(gop))*d <= catchUp {
		return media.Main
	}
	return media.Sub
}
