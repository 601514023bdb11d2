package whep

import (
	"time"

	"github.com/pion/rtcp"

	"candor/internal/live"
	"candor/internal/media"
)

const (
	reportEvery = time.Second
	repairEvery = 2 * time.Second
	repairLimit = 100 // pictures that may be sent again for one that is lost
)

// show sends one feed to one viewer. One goroutine uses it.
type show struct {
	*viewing
	feed *live.Feed
	pace pacer

	ts       int64 // of the last picture, on the feed's time line; sent tells whether there is one
	sent     bool
	waits    bool // nothing but a key picture helps
	skip     map[media.Profile]int64
	audioAt  int64 // sound from before this moment is stale
	clock    anchor
	reported time.Time
	repaired time.Time
}

// burst sends the pictures since the last key picture, one tick apart, so that the newest one
// has its true time. There is no burst of sound: it begins live.
func (s *show) burst() error {
	var pictures []live.Item
	for _, i := range s.feed.Backlog() {
		if i.Unit.Track.Video() {
			pictures = append(pictures, i)
		}
	}
	began := time.Now()
	s.waits = len(pictures) == 0
	for n, i := range pictures {
		newest := pictures[len(pictures)-1].PTS()
		if err := s.picture(i, newest-int64(len(pictures)-1-n)); err != nil {
			return err
		}
	}
	if len(pictures) > 0 {
		newest := pictures[len(pictures)-1].PTS()
		s.audioAt = newest + ticks(time.Since(began)) - media.TickRate/20
		s.tie(newest)
	}
	return nil
}

// tie fixes the clock that reports of picture and sound share, and sends the first ones.
func (s *show) tie(pts int64) {
	s.clock = anchor{pts, time.Now()}
	s.report()
}

// live sends what comes, until the lease, the browser or the camera's stream ends.
func (s *show) live() error {
	for {
		i, err := s.feed.Next(s.ctx)
		if err != nil {
			return err
		}
		if !i.Unit.Track.Video() {
			err = s.sound(i)
		} else {
			err = s.next(i)
		}
		if err != nil {
			return err
		}
		if time.Since(s.reported) >= reportEvery && !s.clock.wall.IsZero() {
			s.report()
		}
	}
}

// next sends one live picture, with its true time unless that lies before what was sent.
func (s *show) next(i live.Item) error {
	if i.Unit.Track.Reorder { // the camera was set to B-frames meanwhile
		return live.Refused("live.reorder")
	}
	if i.Unit.Key {
		s.asked.Store(0)
		s.waits = false
	} else if done, err := s.repair(i); done || err != nil {
		return err
	}
	if s.waits || i.Unit.DTS <= s.skip[i.Profile] {
		return nil
	}
	if err := s.picture(i, i.PTS()); err != nil {
		return err
	}
	if s.clock.wall.IsZero() && !s.waits {
		s.tie(i.PTS())
	}
	return nil
}

// picture sends one unit with at as its time, paced.
func (s *show) picture(i live.Item, at int64) error {
	if s.sent && at <= s.ts {
		at = s.ts + 1
	}
	parts := s.packetiser(i).payloads(i.Unit)
	for n, b := range parts {
		s.pace.wait()
		ok, err := s.may()
		if err != nil {
			return err
		}
		if !ok { // the rest cannot be decoded without what is left out now
			s.waits = true
			s.asked.Add(1)
			return nil
		}
		if err := s.video.send(b, s.video.stamp(at), n == len(parts)-1); err != nil {
			return err
		}
	}
	s.ts, s.sent = at, true
	s.video.done(at)
	return nil
}

// sound sends one audio frame as it is.
func (s *show) sound(i live.Item) error {
	if s.audio == nil || i.Unit.Track.Codec != s.audio.track || i.PTS() < s.audioAt || len(i.Unit.Data) == 0 {
		return nil
	}
	ok, err := s.may()
	if err != nil || !ok {
		return err
	}
	// Telephone codecs may come in frames larger than a packet: one byte is one sample.
	rest, ts := i.Unit.Data, s.audio.stamp(i.PTS())
	for len(rest) > 0 {
		n := len(rest)
		if n > maxPayload {
			if s.audio.track == media.Opus {
				return nil
			}
			n = maxPayload
		}
		if err := s.audio.send(rest[:n], ts, false); err != nil {
			return err
		}
		rest, ts = rest[n:], ts+uint32(n)
	}
	s.audio.done(i.PTS())
	return nil
}

// repair answers a browser that lost its picture: it gets the pictures since the last key
// picture again, one tick apart behind what it has, unless they are too many; then it waits for
// the next key picture. It reports whether i has been sent.
func (s *show) repair(i live.Item) (bool, error) {
	if s.asked.Load() == 0 || time.Since(s.repaired) < repairEvery {
		return false, nil
	}
	if ok, err := s.may(); !ok {
		return false, err
	}
	s.asked.Store(0)
	s.repaired = time.Now()
	stream := s.src.Main
	if i.Profile == media.Sub {
		stream = s.src.Sub
	}
	_, units := stream.Last()
	var pictures []*media.Unit
	for _, u := range units {
		if u.Track.Video() {
			pictures = append(pictures, u)
		}
	}
	if n := len(pictures); n == 0 || n > repairLimit || pictures[n-1].DTS < i.Unit.DTS {
		return false, nil
	}
	s.waits = false
	for _, u := range pictures {
		if err := s.picture(live.Item{Unit: u, Profile: i.Profile, Shift: i.Shift}, s.ts+1); err != nil || s.waits {
			return true, err
		}
	}
	if s.skip == nil {
		s.skip = map[media.Profile]int64{}
	}
	s.skip[i.Profile] = pictures[len(pictures)-1].DTS
	return true, nil
}

// report sends sender reports of both tracks.
func (s *show) report() {
	s.reported = time.Now()
	var all []rtcp.Packet
	for _, t := range []*sender{s.video, s.audio} {
		if t == nil {
			continue
		}
		if r := t.report(s.clock); r != nil {
			all = append(all, r)
		}
	}
	if ok, _ := s.may(); ok && len(all) > 0 {
		s.pc.WriteRTCP(all) //nolint:errcheck // the next one comes in a second
	}
}
