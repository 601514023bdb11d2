package live

import "candor/internal/media"

// Statement says what a stream is, as the API tells it to a browser, which then asks itself
// what it can play.
type Statement struct {
	Profile media.Profile
	Codec   media.Codec
	RFC6381 string
	Width   int
	Height  int
	FPS     float64
	Reorder bool
	Audio   *Sound // nil without sound
}

// Sound is the audio part of a Statement.
type Sound struct {
	Codec      media.Codec
	RFC6381    string
	SampleRate int
	Channels   int
}

// State says what a description consists of; false without a picture.
func State(p media.Profile, d *media.Description) (Statement, bool) {
	v := d.Video()
	if v == nil {
		return Statement{}, false
	}
	s := Statement{Profile: p, Codec: v.Codec, RFC6381: v.Profile, Width: v.Width, Height: v.Height, FPS: v.FPS, Reorder: v.Reorder}
	if a := d.Audio(); a != nil {
		s.Audio = &Sound{a.Codec, a.Profile, a.SampleRate, a.Channels}
	}
	return s, true
}

// State says what the source's streams are, main first; streams not known yet are left out.
func (s Source) State() []Statement {
	var all []Statement
	for _, stream := range []*media.Stream{s.Main, s.Sub} {
		if stream == nil {
			continue
		}
		if st, ok := State(stream.Key().Profile, stream.Description()); ok {
			all = append(all, st)
		}
	}
	return all
}

// Transport is a way out.
type Transport string

// The ways out.
const (
	WHEP Transport = "whep"
	MSE  Transport = "mse"
	None Transport = "none"
)

// Reason is why a transport was chosen: a key of the message catalogue.
type Reason string

// The reasons, each with its sentence in the catalogue.
const (
	ReasonFastest   Reason = "live.reason.fastest"    // WebRTC carries everything
	ReasonReorder   Reason = "live.reason.reorder"    // B-frames: WebRTC cannot show them
	ReasonAAC       Reason = "live.reason.aac"        // AAC sound: WebRTC cannot carry it
	ReasonBrowser   Reason = "live.reason.browser"    // the browser has no WebRTC for this codec
	ReasonNoPath    Reason = "live.reason.no_path"    // no UDP or TCP path: told by the player
	ReasonNoSound   Reason = "live.reason.no_sound"   // the sound is left out: the way out cannot carry it
	ReasonNoBrowser Reason = "live.reason.no_browser" // neither way plays this stream here
)

// Browser is what a browser says it can do with one stream.
type Browser struct{ WHEP, MSE bool }

// CarriesAudio reports whether a transport carries a codec.
func (t Transport) CarriesAudio(c media.Codec) bool {
	switch t {
	case WHEP:
		return c == media.Opus || c == media.PCMA || c == media.PCMU
	case MSE:
		return c == media.Opus || c == media.AAC
	}
	return false
}

// Choose picks the way out for a stream in a browser, and says why. The web app follows the
// same table; a test compares the two.
func Choose(s Statement, b Browser, audio bool) (Transport, Reason) {
	sound := media.Codec("")
	if audio && s.Audio != nil {
		sound = s.Audio.Codec
	}
	switch {
	case s.Reorder && b.MSE:
		return MSE, ReasonReorder
	case s.Reorder || !b.WHEP && !b.MSE:
		return None, ReasonNoBrowser
	case !b.WHEP:
		return MSE, ReasonBrowser
	case sound != "" && !WHEP.CarriesAudio(sound):
		if b.MSE && MSE.CarriesAudio(sound) {
			return MSE, ReasonAAC
		}
		return WHEP, ReasonNoSound
	}
	return WHEP, ReasonFastest
}
