package door

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/live"
	"candor/internal/live/mse"
	"candor/internal/live/still"
	"candor/internal/live/whep"
	"candor/internal/media"
	"candor/internal/permit"
	"candor/internal/problem"
)

// Live shows cameras as they are now.
type Live struct {
	Cameras Bound
	Hub     *media.Hub
	Stills  *still.Maker
	WHEP    *whep.Server
	MSE     *mse.Server
}

var _ httpapi.Live = Live{}

// source finds a camera's streams. A camera that is not connected yet has none.
func (l Live) source(ctx context.Context, lease *permit.Lease, b id.Binding) (live.Source, error) {
	ref, err := bound(ctx, l.Cameras, lease.Grant(), b)
	if err != nil {
		return live.Source{}, err
	}
	var src live.Source
	src.Main, _ = l.Hub.Stream(media.Key{Device: ref.Device, Profile: media.Main})
	src.Sub, _ = l.Hub.Stream(media.Key{Device: ref.Device, Profile: media.Sub})
	return src, nil
}

// firstPicture is how long a still waits for a camera's first picture.
const firstPicture = 2 * time.Second

// Still is the newest picture: of the sub stream if that is as large as what is wanted.
func (l Live) Still(ctx context.Context, lease *permit.Lease, b id.Binding, width int) (httpapi.Picture, error) {
	src, err := l.source(ctx, lease, b)
	if err != nil {
		return httpapi.Picture{}, err
	}
	stream := src.Main
	if v := describe(src.Sub).Video(); v != nil && (width > 0 && v.Width >= width || stream == nil) {
		stream = src.Sub
	}
	if stream != nil { // of a camera that has just connected the first picture is a moment away
		soon, cancel := context.WithTimeout(ctx, firstPicture)
		_ = stream.Ready(soon)
		cancel()
	}
	p, err := l.Stills.Latest(ctx, lease.Permit(), stream, width)
	return httpapi.Picture(p), during(lease, err)
}

// during is why something failed; where the right, or the reader, went meanwhile, there is nothing any more.
func during(lease *permit.Lease, err error) error {
	if err != nil && lease.Context().Err() != nil {
		return problem.NotFound().Because(errors.Join(err, context.Cause(lease.Context())))
	}
	return err
}

func describe(s *media.Stream) *media.Description {
	if s == nil {
		return nil
	}
	return s.Description()
}

// Offer answers a WHEP offer.
func (l Live) Offer(ctx context.Context, lease *permit.Lease, b id.Binding, offer string, w httpapi.Watch) (string, id.Viewing, error) {
	src, err := l.source(ctx, lease, b)
	if err != nil {
		return "", id.Viewing{}, err
	}
	answer, viewing, err := l.WHEP.Offer(ctx, lease, src, offer, options(w))
	return answer, viewing, during(lease, err)
}

func options(w httpapi.Watch) live.Options {
	return live.Options{Quality: live.Quality(w.Quality), Audio: w.Audio}
}

// Socket serves MSE. What would be refused is refused before the upgrade, as a problem.
func (l Live) Socket(ctx context.Context, lease *permit.Lease, b id.Binding, w http.ResponseWriter, r *http.Request, o httpapi.Watch) error {
	src, err := l.source(ctx, lease, b)
	if err != nil {
		return err
	}
	if err := mse.Check(ctx, src, options(o)); err != nil {
		return err
	}
	conn, err := mse.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return httpapi.ErrAnswered
	}
	if err := l.MSE.Serve(ctx, lease, conn, src, options(o)); err != nil {
		return errors.Join(httpapi.ErrAnswered, err)
	}
	return nil
}
