package app

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"sync"
	"time"

	"candor/internal/alarm"
	"candor/internal/clock"
	"candor/internal/decode"
	"candor/internal/id"
	"candor/internal/media"
	"candor/internal/motion"
	"candor/internal/permit"
	"candor/internal/station"
)

// looker lets the station have a camera looked at: package motion finds what moves, package alarm keeps it.
type looker struct{ house *house }

var _ station.Looker = looker{}

// Look looks until the lease ends or Stop is called.
func (l looker) Look(lease *permit.Lease, r station.Ref) (station.Looking, error) {
	h := l.house
	set, err := h.alarms.Setting(lease.Context(), lease.Permit())
	if err != nil {
		return nil, err
	}
	watch, err := h.alarms.Watch(lease, alarm.Camera{Tenant: r.Tenant, Subject: id.SubjectOf(r.Account), Binding: r.Binding})
	if err != nil {
		return nil, err
	}
	streams := func() (out []*media.Stream) {
		for _, p := range []media.Profile{media.Sub, media.Main} {
			if s, ok := h.hub.Stream(media.Key{Device: r.Device, Profile: p}); ok {
				out = append(out, s)
			}
		}
		return out
	}
	run := &looking{lease: lease, watch: watch, done: make(chan struct{})}
	sink := &noticed{watch: watch, decoder: h.decoder, lease: lease, log: h.room("motion")}
	sink.main = func() (*media.Stream, bool) { return h.hub.Stream(media.Key{Device: r.Device, Profile: media.Main}) }
	w := &motion.Watcher{Decoder: h.decoder, Sink: sink, Streams: streams, Log: h.room("motion")}
	w.Set(chosen(set))
	h.looks.add(r.Binding, w)
	go func() {
		defer close(run.done)
		w.Run(lease)
		h.looks.drop(r.Binding, w)
		watch.Close()
	}()
	return run, nil
}

// looking is one camera being looked at.
type looking struct {
	lease *permit.Lease
	watch *alarm.Watch
	done  chan struct{}
}

// Stop ends an event that is going on while the lease still allows that, and then the lease.
func (l *looking) Stop() {
	l.watch.Close()
	l.lease.End(permit.ErrEnded)
	<-l.done
}

func (l *looking) Done() <-chan struct{} { return l.done }

// looks are the cameras that are being looked at, so that new settings reach them: what is known of a scene is
// kept.
type looks struct {
	mu  sync.Mutex
	now map[id.Binding]*motion.Watcher
}

func (l *looks) add(b id.Binding, w *motion.Watcher) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now == nil {
		l.now = map[id.Binding]*motion.Watcher{}
	}
	l.now[b] = w
}

func (l *looks) drop(b id.Binding, w *motion.Watcher) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now[b] == w {
		delete(l.now, b)
	}
}

func (l *looks) apply(b id.Binding, s alarm.Setting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w := l.now[b]; w != nil {
		w.Set(chosen(s))
	}
}

// chosen is what an owner set, as the detector takes it.
func chosen(s alarm.Setting) motion.Settings {
	return motion.Settings{Sensitivity: s.Sensitivity, Zones: leftOut(s.Out)}
}

// leftOut is the mask as a zone that is not looked at. All cells are one polygon: the way from one to the next
// goes to the picture's left edge and back along the lines between cells, which encloses nothing.
func leftOut(m alarm.Mask) []motion.Zone {
	var points []motion.Point
	for row := range alarm.Rows {
		for from := 0; from < alarm.Columns; from++ {
			to := from
			for to < alarm.Columns && m.Left(to, row) {
				to++
			}
			if to == from {
				continue
			}
			l, t := float64(from)/alarm.Columns, float64(row)/alarm.Rows
			r, b := float64(to)/alarm.Columns, float64(row+1)/alarm.Rows
			points = append(points, motion.Point{Y: t}, motion.Point{X: l, Y: t}, motion.Point{X: r, Y: t}, motion.Point{X: r, Y: b}, motion.Point{X: l, Y: b}, motion.Point{X: l, Y: t}, motion.Point{Y: t})
			from = to
		}
	}
	if points == nil {
		return nil
	}
	return []motion.Zone{{Points: points, Ignore: true}}
}

// noticed hands on what moves, with pictures of it. One goroutine uses it.
type noticed struct {
	watch   *alarm.Watch
	decoder *decode.Pool
	lease   *permit.Lease
	main    func() (*media.Stream, bool)
	log     *slog.Logger

	begun clock.Millis
	best  float64     // the largest share of which there is a picture
	shown *media.Unit // the unit of the newest one
	taken int
}

var _ motion.Sink = (*noticed)(nil)

const (
	wide     = 960             // of an event's picture
	pictures = 4               // that are made of one event, at most
	better   = 1.25            // so much more moves: the moment tells more
	patience = 3 * time.Second // for one picture
)

func (n *noticed) report(m motion.Moment) alarm.Report {
	part := func(x float64) int { return int(math.Round(100 * min(max(x, 0), 1))) }
	return alarm.Report{
		Kind: alarm.Motion, Start: m.At, At: m.At, Score: part(math.Sqrt(m.Share)),
		Area: alarm.Area{Left: part(m.Box.Left), Top: part(m.Box.Top), Right: part(m.Box.Right), Bottom: part(m.Box.Bottom)},
	}
}

// Begin takes the picture that showed it.
func (n *noticed) Begin(m motion.Moment) {
	n.begun, n.best, n.taken, n.shown = m.At, m.Share, 0, nil
	r := n.report(m)
	ctx, cancel := context.WithTimeout(n.lease.Context(), patience)
	defer cancel()
	if len(m.Units) > 0 {
		if jpeg, err := n.decoder.JPEGOf(ctx, m.Units, wide); err == nil {
			r.Picture, r.Shown = jpeg, m.At
		}
	}
	if r.Picture == nil {
		n.large(ctx, &r, 0)
	}
	n.said(n.watch.Begin(r))
}

// Update takes another picture where more moves than before.
func (n *noticed) Update(m motion.Moment) {
	r := n.report(m)
	if n.taken < pictures && m.Share > better*n.best {
		ctx, cancel := context.WithTimeout(n.lease.Context(), patience)
		defer cancel()
		if n.large(ctx, &r, n.begun) {
			n.best = m.Share
		}
	}
	n.said(n.watch.Update(r))
}

// large makes a picture of the large stream's newest key picture, unless that is older than from or is the one
// that there is already.
func (n *noticed) large(ctx context.Context, r *alarm.Report, from clock.Millis) bool {
	s, ok := n.main()
	if !ok {
		return false
	}
	unit, _ := s.Last()
	if unit == nil || unit.Wall < from || unit == n.shown {
		return false
	}
	jpeg, err := n.decoder.JPEG(ctx, unit.Track, unit, wide)
	if err != nil {
		return false
	}
	n.shown, n.taken = unit, n.taken+1
	r.Picture, r.Shown = jpeg, unit.Wall
	return true
}

// End says since when it is quiet, or that no more can be told.
func (n *noticed) End(at clock.Millis, why motion.Why) {
	switch why {
	case motion.Calm:
		n.said(n.watch.End(at))
	case motion.Scene, motion.Silence:
		n.said(n.watch.Abandon())
	}
}

// said tells the log what could not be kept. What comes after the end of a lease is nobody's business.
func (n *noticed) said(err error) {
	if err != nil && !errors.Is(err, permit.ErrEnded) && n.lease.State() != permit.Ended {
		n.log.Warn("an event is not kept", "err", err)
	}
}
