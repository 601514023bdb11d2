package rtsp

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"candor/internal/clock"
	"candor/internal/media"
)

const (
	checkTimeout = 20 * time.Second // for everything
	keyPatience  = 8 * time.Second  // for the first key picture
)

// Check connects to an address, looks until the first key picture, and says what is there. When no
// key picture comes in time it says what the camera promised. Everything else is a problem that
// names what was seen.
func Check(ctx context.Context, dialer Dialer, a Address) (*media.Description, error) {
	t, err := a.target()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	stream := media.NewHub().Open(media.Key{Profile: media.Main})
	defer stream.Close()
	log := slog.New(slog.DiscardHandler)
	in := newIntake(stream, clock.Wall, log, func() bool { return true })
	playing := make(chan struct{})
	s := session{target: t, dialer: dialer, log: log, in: in, patience: usual}
	s.described = func(offer) { close(playing) }

	run, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.run(run) }()
	err = look(run, stream, playing, ended)
	stop()
	if err == nil {
		<-ended
	}
	if d := stream.Description(); d != nil && err == nil {
		return d, nil
	}
	switch {
	case err == nil:
		return nil, explain(context.DeadlineExceeded, &tap{target: t, dialed: true})
	case errors.Is(err, context.DeadlineExceeded):
		return nil, explain(err, &tap{target: t, dialed: true})
	}
	return nil, err
}

// look returns nil when everything to be seen was seen.
func look(ctx context.Context, stream *media.Stream, playing <-chan struct{}, ended <-chan error) error {
	select {
	case err := <-ended:
		return err
	case <-playing:
	}
	patience, cancel := context.WithTimeout(ctx, keyPatience)
	defer cancel()
	ready := make(chan error, 1)
	go func() { ready <- stream.Ready(patience) }()
	select {
	case err := <-ended:
		return err
	case <-ready: // or patience is at its end
		return nil
	}
}
