package whep

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"candor/internal/id"
	"candor/internal/live"
	"candor/internal/media"
	"candor/internal/permit"
	"candor/internal/promise"
)

var (
	errEnded   = errors.New("the viewing was ended")
	errLost    = errors.New("the browser is gone")
	errNoCome  = errors.New("the browser did not connect")
	errNoVideo = errors.New("the camera's stream ended")
)

// viewing is one browser that watches.
type viewing struct {
	id      id.Viewing
	server  *Server
	lease   *permit.Lease
	src     live.Source
	options live.Options

	ctx         context.Context // ends with the lease, or before it
	cancel      context.CancelCauseFunc
	pc          *webrtc.PeerConnection
	video       *sender
	audio       *sender        // nil without sound
	packetisers [2]*packetiser // of main, of sub
	connected   chan struct{}
	isConnected atomic.Bool
	asked       atomic.Int32 // key pictures asked for since the last repair
}

func (v *viewing) end(cause error) { v.cancel(cause) }

func (v *viewing) onState(s webrtc.PeerConnectionState) {
	switch s {
	case webrtc.PeerConnectionStateConnected:
		if v.isConnected.CompareAndSwap(false, true) {
			close(v.connected)
		}
	case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
		v.end(errLost)
	}
}

// run is the viewing's life: connect, join, send, end. Its lease ends with it: nobody else would
// notice that the browser has gone.
func (v *viewing) run() {
	defer v.server.remove(v)
	defer func() { v.lease.End(context.Cause(v.ctx)) }()
	began := time.Now()
	err := v.watch()
	v.end(err)
	v.video.close()
	if v.audio != nil {
		v.audio.close()
	}
	v.pc.Close()
	v.server.Log.LogAttrs(context.WithoutCancel(v.ctx), slog.LevelDebug, "a viewing ended",
		slog.Any("err", context.Cause(v.ctx)), slog.Duration("took", time.Since(began)))
}

func (v *viewing) watch() error {
	late := time.NewTimer(connectWithin)
	defer late.Stop()
	select {
	case <-v.ctx.Done():
		return context.Cause(v.ctx)
	case <-late.C:
		return errNoCome
	case <-v.connected:
	}
	// Bursts wait for each other: each costs megabytes at once.
	select {
	case <-v.ctx.Done():
		return context.Cause(v.ctx)
	case v.server.slots <- struct{}{}:
	}
	s := &show{viewing: v}
	feed, err := live.Join(v.ctx, v.src, v.options)
	if err == nil {
		defer feed.Close()
		s.feed = feed
		err = s.burst()
	}
	<-v.server.slots
	if err == nil {
		err = s.live()
	}
	if errors.Is(err, io.EOF) {
		return errNoVideo
	}
	return err
}

// may reports whether a packet may leave now; an ended lease is an error.
//
// promise:P057
func (v *viewing) may() (bool, error) {
	if promise.Cut("P057") {
		return true, nil
	}
	switch v.lease.State() {
	case permit.Open:
		return true, v.ctx.Err()
	case permit.Paused:
		return false, v.ctx.Err()
	}
	return false, permit.ErrEnded
}

// listen hears what the browser says about one sender, until the connection ends.
func (v *viewing) listen(r *webrtc.RTPSender, s *sender) {
	for {
		packets, _, err := r.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			switch p := p.(type) {
			case *rtcp.TransportLayerNack:
				if ok, _ := v.may(); ok {
					for _, pair := range p.Nacks {
						s.again(pair.PacketList())
					}
				}
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				v.asked.Add(1)
			}
		}
	}
}

// packetiser is that of the stream an item came from.
func (v *viewing) packetiser(i live.Item) *packetiser {
	if i.Profile == media.Sub && v.packetisers[1] != nil || v.packetisers[0] == nil {
		return v.packetisers[1]
	}
	return v.packetisers[0]
}
