package door

import (
	"context"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"candor/internal/clock"
	"candor/internal/democam"
	"candor/internal/device"
	"candor/internal/egress"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/ingest"
	"candor/internal/ingest/rtsp"
	"candor/internal/onvif"
	"candor/internal/onvif/brand"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
)

// Finding looks for cameras that are not added yet.
type Finding struct {
	Devices *device.Room
	Egress  *egress.Room
	Demo    *democam.Server // nil without one
	Clock   clock.Clock

	searching *sync.Mutex
}

// NewFinding makes the way to cameras that nobody has added yet.
func NewFinding(d *device.Room, e *egress.Room, demo *democam.Server, c clock.Clock) Finding {
	return Finding{Devices: d, Egress: e, Demo: demo, Clock: c, searching: &sync.Mutex{}}
}

var _ httpapi.Finding = Finding{}

const (
	searchFor  = 3 * time.Second
	callFor    = 6 * time.Second
	clockAside = 30 * time.Minute // a camera's clock that is further off is worth a word
)

// Discover asks the networks who is there. One search runs at a time.
//
// promise:P023
func (f Finding) Discover(ctx context.Context, p permit.Permit, a id.Account) (httpapi.Discovered, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.Discovered{}, err
	}
	mine, err := f.Devices.List(ctx, p, g.Tenant, a)
	if err != nil || promise.Cut("P023") {
		return httpapi.Discovered{}, err
	}
	f.searching.Lock()
	defer f.searching.Unlock()
	search, cancel := context.WithTimeout(ctx, searchFor)
	defer cancel()
	out := httpapi.Discovered{}
	asked, err := onvif.Seek(search, f.Egress, func(m onvif.Match) { out.Cameras = append(out.Cameras, f.show(m, mine)) })
	if err != nil {
		return httpapi.Discovered{}, err
	}
	for _, n := range asked {
		out.Networks = append(out.Networks, n.Masked().String())
	}
	return out, ctx.Err()
}

func (f Finding) show(m onvif.Match, mine []device.Camera) httpapi.DiscoveredCamera {
	maker := brand.Guess(m.Maker, m.Name, m.Hardware)
	seen := httpapi.DiscoveredCamera{Service: m.Address, Host: m.Host, Name: m.Name, Model: m.Hardware, Brand: maker.Name}
	if seen.Demo = f.Demo != nil && m.Address == f.Demo.Service(); seen.Demo {
		seen.Brand = "Candor"
	}
	for _, c := range mine {
		if c.Demo && seen.Demo || !c.Demo && hostOf(c.Main) == hostOf(m.Address) {
			seen.Added = true
		}
	}
	return seen
}

// hostOf is the machine an address names, whatever the port.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// Profiles asks a camera by ONVIF, or tries its make's usual addresses.
func (f Finding) Profiles(ctx context.Context, _ permit.Permit, l httpapi.LookAt) (httpapi.Profiles, error) {
	host := strings.TrimSpace(l.Host)
	maker, known := brand.Of(l.Brand)
	switch {
	case l.Service != "":
		return f.ask(ctx, l.Service, l)
	case host == "":
		return httpapi.Profiles{}, problem.Invalid("camera.address").With("reason", "empty")
	case l.Brand != "" && !known:
		return httpapi.Profiles{}, problem.Invalid("camera.brand_unknown")
	case known && len(maker.Paths) > 0:
		return f.try(ctx, maker, host, l)
	}
	seen, err := f.ask(ctx, host, l)
	if !problem.Is(err, onvif.CodeNone) {
		return seen, err
	}
	if err := f.Egress.May(net.JoinHostPort(bare(host), "554")); err != nil {
		return httpapi.Profiles{}, err
	}
	said, err := rtsp.Greet(ctx, f.Egress.Device(id.Binding{}), ingest.Address{URL: "rtsp://" + host + "/"})
	if err != nil {
		return httpapi.Profiles{}, err
	}
	return f.try(ctx, brand.Guess(said), host, l)
}

// bare is a host without its port.
func bare(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

// ask speaks ONVIF with a camera.
func (f Finding) ask(ctx context.Context, where string, l httpapi.LookAt) (httpapi.Profiles, error) {
	way := onvif.Way{Client: f.Egress.Device(id.Binding{}).Client(callFor), May: f.Egress.May, Now: f.Clock.Now}
	cam, err := onvif.Look(ctx, way, where, l.Username, l.Password)
	if err != nil {
		return httpapi.Profiles{}, err
	}
	out := httpapi.Profiles{Maker: cam.Maker, Model: cam.Model}
	for _, c := range cam.Channels {
		one := httpapi.Channel{Name: c.Main.Name, Address: c.Main.URL, Codec: c.Main.Codec, Width: c.Main.Width, Height: c.Main.Height, FPS: c.Main.FPS}
		if c.Sub != nil {
			one.SubAddress = c.Sub.URL
		}
		out.Channels = append(out.Channels, one)
	}
	if off := cam.ClockOffset; off.Abs() > clockAside {
		hours := strconv.Itoa(int(off.Abs().Round(time.Hour) / time.Hour))
		out.Warnings = append(out.Warnings, httpapi.Warning{Code: "camera.warns_clock", Args: map[string]string{"hours": hours}})
	}
	return out, nil
}

// try goes through the usual addresses of a make.
func (f Finding) try(ctx context.Context, maker brand.Brand, host string, l httpapi.LookAt) (httpapi.Profiles, error) {
	all := maker.At(host)
	for _, s := range all { // before anything is sent: whatever was typed must be a host and nothing else
		if _, _, err := device.ParseAddress(s.Main); err != nil || hostOf(s.Main) != bare(host) {
			return httpapi.Profiles{}, problem.Invalid("camera.address").With("reason", "host")
		}
	}
	dial := f.Egress.Device(id.Binding{})
	out := httpapi.Profiles{Maker: maker.Name}
	var seen httpapi.Stream
	got, err := brand.Try(ctx, all, func(ctx context.Context, at string) error {
		d, err := rtsp.Check(ctx, dial, ingest.Address{URL: at, Username: l.Username, Password: l.Password})
		seen, _ = stream("main", d)
		return err
	})
	if err != nil {
		if problem.Is(err, "camera.wrong_password") && l.Username == "" && l.Password == "" {
			err = problem.Invalid(onvif.CodeNeeds).Because(err)
		}
		return httpapi.Profiles{}, err
	}
	out.Channels = []httpapi.Channel{{
		Name: maker.Name, Address: got.Main, SubAddress: got.Sub, Codec: seen.Codec, Width: seen.Width, Height: seen.Height, FPS: seen.FPS,
	}}
	return out, nil
}

// Brands are the makes in the table.
func (f Finding) Brands() []httpapi.Brand {
	var out []httpapi.Brand
	for _, b := range brand.All() {
		out = append(out, httpapi.Brand{ID: b.ID, Name: b.Name, Username: b.User, Paths: len(b.Paths), Noted: b.Note})
	}
	return out
}
