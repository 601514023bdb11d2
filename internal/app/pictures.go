package app

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"

	"candor/clips"
	"candor/internal/app/door"
	"candor/internal/blob"
	"candor/internal/decode"
	"candor/internal/democam"
	"candor/internal/egress"
	"candor/internal/footage"
	"candor/internal/id"
	"candor/internal/ingest"
	"candor/internal/live/mse"
	"candor/internal/live/still"
	"candor/internal/live/whep"
	"candor/internal/media"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/station"
)

// pictures wires the way of a frame: camera, hub, viewers, footage.
func (h *house) pictures(ctx context.Context) error {
	h.hub = media.NewHub()
	h.egress = egress.New(egress.Options{
		Networks: h.config.Cameras.Networks, AllowLoopback: h.config.Cameras.AllowLoopback, Register: h.policy, Log: h.room("egress"),
	})
	if err := h.startCamera(); err != nil {
		return err
	}
	h.openReports(ctx)
	h.puller = &ingest.Supervisor{
		Hub: h.hub, Clock: h.clock, Log: h.room("ingest"),
		Dialer:  func(b id.Binding) ingest.Dialer { return h.egress.Device(b) },
		OnState: h.connection,
	}
	h.closing("ingest", func() error { h.puller.Close(); return nil })
	if err := h.openFootage(ctx); err != nil {
		return err
	}
	if err := h.openAlarms(ctx); err != nil {
		return err
	}
	h.station = &station.Station{
		Cameras: knowing{h.bindings(), &h.news}, Gate: door.Leases{Gate: h.gate}, Puller: h.puller, Recorder: recorder{h.footage}, Looker: looker{h}, Hub: h.hub, Log: h.room("station"),
		OnChange: func(r station.Ref) { h.news.tell("camera.recording", r.Account, r.Binding) },
		OnLook:   func(r station.Ref) { h.news.tell("camera.motion", r.Account, r.Binding) },
	}
	return h.openViews()
}

func (h *house) bindings() door.Bindings {
	return door.Bindings{Tenant: h.tenant, Devices: h.devices, Alarms: h.alarms, Demo: h.camera}
}

// startCamera starts the demo camera and opens the two addresses on this machine where it listens.
func (h *house) startCamera() error {
	if h.demo == nil {
		return nil
	}
	h.camera = &democam.Server{Log: h.room("democam"), Main: h.demo.Main, Sub: h.demo.Sub, ONVIF: true, Discover: true, Name: "Candor demo camera"}
	if h.demo.Main == "" {
		h.camera.FS, h.camera.Main, h.camera.Sub = clips.Files, "people.mp4", "people.sub.mp4"
	}
	if err := h.camera.Start(); err != nil {
		return err
	}
	h.closing("demo camera", func() error { h.camera.Close(); return nil })
	at, err := netip.ParseAddrPort(h.camera.Address())
	if err != nil {
		return err
	}
	service, err := url.Parse(h.camera.Service())
	if err != nil {
		return err
	}
	also, err := netip.ParseAddrPort(service.Host)
	if err != nil {
		return err
	}
	h.egress.AllowDemo(at, also)
	return nil
}

func (h *house) openFootage(ctx context.Context) error {
	store, err := blob.OpenDisk(h.path(footageDir))
	if err != nil {
		return err
	}
	h.footage = &footage.Room{
		DB: h.db, Keys: h.keys, Store: store, Clock: h.clock, Log: h.room("footage"),
		Policy: func(ctx context.Context, c footage.Camera) (footage.Policy, error) {
			r, err := h.devices.Ref(ctx, c.Tenant, c.Binding)
			if err != nil {
				return footage.Policy{}, err
			}
			days, err := h.atMost(ctx, c.Tenant, c.Binding, passport.Footage, r.Retention.Days)
			return footage.Policy{Days: days, Bytes: r.Retention.Bytes}, err
		},
	}
	if err := h.footage.Open(ctx); err != nil {
		return err
	}
	h.closing("footage", h.footage.Close)
	return nil
}

// openViews wires the ways out of live pictures.
func (h *house) openViews() error {
	h.decoder = &decode.Pool{Path: h.config.Decode.Path, Limit: h.config.Decode.Limit, Log: h.room("decode")}
	h.closing("decoder", func() error { h.decoder.Close(); return nil })
	h.stills = &still.Maker{Decoder: h.decoder, Clock: h.clock}
	h.mse = &mse.Server{Log: h.room("live")}
	return h.openWebRTC()
}

// openWebRTC opens the ports of live pictures. Where the front door is for this machine alone,
// they are too.
func (h *house) openWebRTC() error {
	c := h.config.WebRTC
	h.whep = &whep.Server{UDPPort: c.UDPPort, NoUDP: c.UDPPort == 0, Here: h.config.Here(), Loopback: true, Log: h.room("live")}
	for _, ip := range c.ExternalIPs {
		h.whep.ExternalIPs = append(h.whep.ExternalIPs, ip.String())
	}
	if c.TCPPort != 0 {
		host := ""
		if h.whep.Here {
			host = "127.0.0.1"
		}
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(c.TCPPort)))
		if err != nil {
			return fmt.Errorf("webrtc.tcp_port (choose another, or 0 for none): %w", err)
		}
		h.whep.TCP = l
	}
	if err := h.whep.Start(); err != nil {
		return fmt.Errorf("webrtc.udp_port (choose another, or 0 for none): %w", err)
	}
	h.closing("WebRTC", h.whep.Close)
	return nil
}

// recorder lets the station use the footage room.
type recorder struct{ room *footage.Room }

var _ station.Recorder = recorder{}

func camera(r station.Ref) footage.Camera {
	return footage.Camera{Tenant: r.Tenant, Subject: id.SubjectOf(r.Account), Binding: r.Binding, Device: r.Device}
}

var reasons = map[station.Reason]footage.Reason{
	station.Off: footage.RecordingOff, station.PausedNow: footage.RecordingOff, station.Offline: footage.Offline, station.Stopping: footage.Restart,
}

func (r recorder) Record(l *permit.Lease, ref station.Ref, s *media.Stream) (station.Recording, error) {
	rec, err := r.room.Record(l, camera(ref), media.Main, s)
	if err != nil {
		return nil, err
	}
	return recording{rec}, nil
}

func (r recorder) Note(ctx context.Context, ref station.Ref, why station.Reason) error {
	return r.room.Note(ctx, camera(ref), reasons[why])
}

type recording struct{ *footage.Recording }

var _ station.Troubled = recording{}

// Trouble tells of what a person can see or mend; that recording has just begun is none.
func (r recording) Trouble() station.Reason {
	switch writes, why := r.Status(); {
	case writes:
	case slices.Contains([]footage.Reason{
		footage.DiskFull, footage.DiskSlow, footage.DiskReadOnly, footage.DiskError, footage.Waiting, footage.NoKeyPicture, footage.Offline,
	}, why):
		return station.Reason(why)
	}
	return ""
}

func (r recording) Stop(why station.Reason) { r.Recording.Stop(reasons[why]) }
