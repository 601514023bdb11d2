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

// Reason is why a way out shows less than the camera sends.
type Reason string

// ReasonNoSound: the sound is left out, since the way out cannot carry it.
const ReasonNoSound Reason = "live.reason.no_sound"
