// Package live is the vocabulary of watching a camera now: what a camera offers (Source), what a
// viewer wants (Options), what each way out can carry and why not (Statement, Choose), and the
// units one viewer gets, in order (Feed).
//
// The ways out are packages beneath it, named by how they work: whep (WebRTC), mse (fMP4 over a
// WebSocket), still (one JPEG). Each asks its lease before every write: a paused lease sends
// nothing, an ended one ends the viewing at once.
//
// The package knows nothing of SQL and of who may watch.
package live

import (
	"context"
	"net/http"
	"time"

	"candor/internal/media"
	"candor/internal/problem"
)

// Source is what a camera offers. Sub may be nil, or a stream that never starts.
type Source struct{ Main, Sub *media.Stream }

// Quality is which of the camera's streams a viewer wants.
type Quality string

// The qualities. Auto begins with the sub stream when that shows a live picture sooner, and
// changes to main at main's next key picture.
const (
	Auto Quality = "auto"
	Main Quality = "main"
	Sub  Quality = "sub"
)

// Options are what one viewer wants.
type Options struct {
	Quality Quality
	Audio   bool          // sound too, where the way out carries it
	Strict  bool          // refuse (live.audio) rather than leave the sound out
	Decode  time.Duration // the player's last reported time for one picture of main; 0: unknown
}

// readyWithin is how long a viewer waits for a camera that is just starting.
const readyWithin = 5 * time.Second

// Problems of watching. Each is a key of the message catalogue.
func notReady(cause error) error { return problem.Unavailable("live.not_ready").Because(cause) }

// Refused is the problem of a stream that this way out cannot carry: "live.reorder",
// "live.audio", "live.browser".
func Refused(code string) *problem.Problem { return problem.New(http.StatusConflict, code) }

// Busy is the problem of a limit that is reached.
func Busy(code string) *problem.Problem { return problem.Unavailable(code) }

// Ready waits, for a few seconds, until the quality that is wanted has a picture, and returns
// the tracks that a viewer would get.
func (s Source) Ready(ctx context.Context, o Options) (video, audio *media.Track, err error) {
	stream := s.Main
	if o.Quality == Sub && s.Sub != nil || stream == nil {
		stream = s.Sub
	}
	if stream == nil {
		return nil, nil, notReady(nil)
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	if err := stream.Ready(ctx); err != nil {
		return nil, nil, notReady(err)
	}
	d := stream.Description()
	if video = d.Video(); video == nil {
		return nil, nil, notReady(nil)
	}
	if audio = d.Audio(); audio == nil && s.Main != nil {
		audio = s.Main.Description().Audio()
	}
	return video, audio, nil
}
