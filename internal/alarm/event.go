package alarm

import (
	"encoding/json"
	"errors"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/seal"
)

// Kind is what happened. Kinds are data: the room gives them no meaning.
type Kind string

// Motion is the kind of this build.
const Motion Kind = "motion"

// State is how far an event is.
type State int64

// The states. What is cut off ended with the program or the watch, and not because it was quiet again.
const (
	Open   State = 0
	Over   State = 1
	CutOff State = 2
)

// Event is an event, opened.
type Event struct {
	ID       id.Sighting
	Subject  id.Subject // the camera's owner
	Binding  id.Binding
	State    State
	Kind     Kind
	Start    clock.Millis
	End      clock.Millis // while it is open: when it was last heard of
	Score    int          // how sure and how much, 0 to 100
	Area     Area         // where in the picture
	More     int          // further events of the hour that were counted into this one
	Recorded bool         // footage was being kept
	Shown    clock.Millis // when its picture was taken; 0 without one
	Bytes    int64        // of the picture
	Seen     bool         // by whoever asks
}

// Area is the part of the picture in which all of it happened, in hundredths of its width and height from
// the top left. The zero Area is not known.
type Area struct {
	Left   int `json:"l"`
	Top    int `json:"t"`
	Right  int `json:"r"`
	Bottom int `json:"b"`
}

// with is the area around both.
func (a Area) with(b Area) Area {
	switch {
	case a == Area{}:
		return b
	case b == Area{}:
		return a
	}
	return Area{min(a.Left, b.Left), min(a.Top, b.Top), max(a.Right, b.Right), max(a.Bottom, b.Bottom)}
}

// details is the sealed part.
type details struct {
	Kind     Kind         `json:"kind"`
	Start    clock.Millis `json:"start"`
	End      clock.Millis `json:"end"`
	Score    int          `json:"score"`
	Area     Area         `json:"area,omitzero"`
	More     int          `json:"more,omitempty"`
	Recorded bool         `json:"recorded,omitempty"`
	Shown    clock.Millis `json:"shown,omitempty"`
}

// The permanent names that seal what the room keeps.
const (
	detailsPassport passport.ID = "alarm.details"
	picturePassport passport.ID = "alarm.picture"
	settingPassport passport.ID = "alarm.setting"
)

func place(c Camera, p passport.ID, e id.Sighting) seal.Place {
	return seal.Place{Tenant: c.Tenant, Subject: c.Subject, Binding: c.Binding, Passport: p, Category: passport.Event, Row: id.RowOf(e)}
}

var errDetails = errors.New("details of an event are damaged")

func parseDetails(b []byte) (details, error) {
	var d details
	if err := json.Unmarshal(b, &d); err != nil || d.Kind == "" || d.Start <= 0 || d.End < d.Start {
		return details{}, errors.Join(errDetails, err)
	}
	return d, nil
}

// event is what a row and its opened details tell.
func (w row) event(d details) Event {
	e := Event{
		ID: w.ID, Subject: w.Subject, Binding: w.Binding, State: w.State, Kind: d.Kind, Start: d.Start, End: d.End, Score: d.Score, Area: d.Area,
		More: d.More, Recorded: d.Recorded, Bytes: w.Bytes, Seen: w.Seen,
	}
	if w.Bytes > 0 {
		e.Shown = d.Shown
	}
	return e
}
