package rtsp

import (
	"time"

	"candor/internal/clock"
)

// Many cameras do not say whether they reorder pictures. Their first pictures are held until a
// B picture is seen, or enough have gone by without: so a track tells the truth from its first
// unit. What was found holds as long as the parameters do.
const (
	lookAhead    = 6
	lookAheadFor = 500 * time.Millisecond
)

// arrival is a picture and when it came.
type arrival struct {
	picture picture
	rtp     uint32
	at      time.Time
	wall    clock.Millis
}

// watch is the search for the order of pictures.
type watch struct {
	settled bool
	held    []arrival // from a key picture on
}

// ponder holds a picture back, or settles the order and lets go of all.
func (in *intake) ponder(a arrival) {
	w := &in.order
	if len(w.held) > 0 || a.picture.key {
		w.held = append(w.held, a)
	}
	reorders := a.picture.bidirectional()
	switch {
	case reorders:
	case len(w.held) == 0:
		return // in mid-group: nothing to be seen without a key picture
	case len(w.held) < lookAhead && a.at.Sub(w.held[0].at) < lookAheadFor:
		return
	}
	held := w.held
	w.settled, w.held = true, nil
	if reorders {
		in.facts.reorder = orderChanged
		in.track()
	}
	for _, h := range held {
		in.deliver(h)
	}
}
