package live

import (
	"context"
	"errors"
	"io"

	"candor/internal/media"
)

// Item is one unit on its way to a viewer.
type Item struct {
	Unit    *media.Unit
	Profile media.Profile
	Shift   int64 // add to the unit's times: every item of a feed is on one time line, that of main
	Gap     bool  // units before this one were lost: the viewer was too slow
}

// PTS is the presentation time on the feed's time line.
func (i Item) PTS() int64 { return i.Unit.PTS + i.Shift }

// DTS is the decoding time on the feed's time line.
func (i Item) DTS() int64 { return i.Unit.DTS + i.Shift }

// Feed is what one viewer gets: first the units since the last key picture, then each new one,
// of one video and at most one audio track. It may begin with the sub stream and change to main
// at main's next key picture; the sound is main's throughout.
//
// One goroutine uses a Feed.
type Feed struct {
	backlog []Item
	video   media.Profile // whose pictures are shown
	upgrade bool          // main's next key picture takes over

	main, sub *source // nil when not watched
	cancel    context.CancelFunc
	items     chan pumped // from the pumps, when two streams are watched
}

// source is one stream of a feed.
type source struct {
	viewer  *media.Viewer
	profile media.Profile
	shift   int64
	audio   bool // its sound is wanted

	dropped uint64 // as last seen
	lost    bool   // units were lost and the gap has not come yet
	last    int64  // decoding time of the last picture
}

// gap reports whether units are missing right before u. The loss is known when it happens, some
// units before its place in the stream is reached.
func (s *source) gap(u *media.Unit) bool {
	if d := s.viewer.Dropped(); d != s.dropped {
		s.dropped, s.lost = d, true
	}
	jump := u.DTS - s.last
	s.last = u.DTS
	if !s.lost || !u.Key || jump < media.TickRate/5 {
		return false
	}
	s.lost = false
	return true
}

type pumped struct {
	from *source
	unit *media.Unit
	err  error
}

// Join begins a feed, now.
func Join(ctx context.Context, src Source, o Options) (*Feed, error) {
	if _, _, err := src.Ready(ctx, o); err != nil {
		return nil, err
	}
	f := &Feed{video: media.Main}
	join := func(s *media.Stream, p media.Profile) (*source, []*media.Unit) {
		v := s.Join(media.JoinOptions{Backlog: true})
		return &source{viewer: v, profile: p}, v.Backlog()
	}
	soundOfMain := o.Audio && src.Main != nil && src.Main.Description().Audio() != nil
	first := src.begin(o)
	var mainLog, subLog []*media.Unit
	if first == media.Sub {
		f.video = media.Sub
		f.sub, subLog = join(src.Sub, media.Sub)
		f.upgrade = o.Quality != Sub && src.Main != nil
		f.sub.audio = o.Audio && !soundOfMain
	}
	if first == media.Main || f.upgrade || soundOfMain {
		f.main, mainLog = join(src.Main, media.Main)
		f.main.audio = soundOfMain
	}
	if f.main != nil && f.sub != nil {
		f.sub.shift = shift(mainLog, subLog)
		ctx, cancel := context.WithCancel(context.Background())
		f.cancel, f.items = cancel, make(chan pumped)
		f.merge(mainLog, subLog)
		go f.pump(ctx, f.main)
		go f.pump(ctx, f.sub)
		return f, nil
	}
	f.merge(mainLog, subLog)
	return f, nil
}

// shift is what takes sub's times to main's time line: both know the wall clock. Without a unit
// of each there is no common time and none is needed.
func shift(main, sub []*media.Unit) int64 {
	if len(main) == 0 || len(sub) == 0 {
		return 0
	}
	m, s := main[len(main)-1], sub[len(sub)-1]
	return m.DTS - s.DTS + int64(s.Wall-m.Wall)*(media.TickRate/1000)
}

// merge makes the backlog: the pictures of the stream that is shown, the sound of the one that
// is heard, by decoding time.
func (f *Feed) merge(main, sub []*media.Unit) {
	for len(main) > 0 || len(sub) > 0 {
		s, log := f.main, &main
		if len(main) == 0 || len(sub) > 0 && sub[0].DTS+f.sub.shift < main[0].DTS+f.main.shift {
			s, log = f.sub, &sub
		}
		u := (*log)[0]
		*log = (*log)[1:]
		if u.Track.Video() && s.profile == f.video || !u.Track.Video() && s.audio {
			f.backlog = append(f.backlog, Item{Unit: u, Profile: s.profile, Shift: s.shift})
		}
	}
}

// Backlog is the units since the last key picture of the stream that is shown first, and the
// sound since the last key picture of main. It is let go at the first Next.
func (f *Feed) Backlog() []Item { return f.backlog }

// Next is the next unit. It returns io.EOF when the camera's stream is closed.
func (f *Feed) Next(ctx context.Context) (Item, error) {
	f.backlog = nil
	for {
		s, u, err := f.next(ctx)
		if err != nil {
			if s == f.sub && f.upgrade && errors.Is(err, io.EOF) {
				f.endSub() // main goes on
				continue
			}
			return Item{}, err
		}
		if s == nil {
			continue
		}
		gap := false
		if u.Track.Video() {
			gap = s.gap(u)
			if s == f.main && f.upgrade && u.Key {
				f.upgrade, f.video = false, media.Main
				f.endSub()
			}
			if s.profile != f.video {
				continue
			}
		} else if !s.audio {
			continue
		}
		return Item{Unit: u, Profile: s.profile, Shift: s.shift, Gap: gap}, nil
	}
}

func (f *Feed) next(ctx context.Context) (*source, *media.Unit, error) {
	if f.items == nil {
		s := f.main
		if s == nil {
			s = f.sub
		}
		u, err := s.viewer.Next(ctx)
		return s, u, err
	}
	select {
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	case p := <-f.items:
		if p.from != f.main && p.from != f.sub {
			return nil, nil, nil
		}
		return p.from, p.unit, p.err
	}
}

func (f *Feed) pump(ctx context.Context, s *source) {
	for {
		u, err := s.viewer.Next(ctx)
		select {
		case <-ctx.Done():
			return
		case f.items <- pumped{s, u, err}:
		}
		if err != nil {
			return
		}
	}
}

func (f *Feed) endSub() {
	if f.sub != nil {
		f.sub.viewer.Close()
		f.sub = nil
	}
}

// Close leaves the streams.
func (f *Feed) Close() {
	if f.cancel != nil {
		f.cancel()
	}
	for _, s := range []*source{f.main, f.sub} {
		if s != nil {
			s.viewer.Close()
		}
	}
}
