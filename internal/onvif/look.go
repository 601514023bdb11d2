package onvif

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"candor/internal/problem"
)

// Way is how a camera is reached.
type Way struct {
	Client *http.Client // of egress, to cameras only
	May    func(address string) error
	Now    func() time.Time
}

// Camera is what a camera says of itself.
type Camera struct {
	Address     string // of its device service
	Maker       string
	Model       string
	Channels    []Channel     // at least one; a recorder has one for each of its cameras
	ClockOffset time.Duration // how far its clock is ahead of ours
}

// Channel is one picture to watch: a camera has one, a recorder several.
type Channel struct {
	Main Stream
	Sub  *Stream // nil: it has no smaller one that we could use
}

// Stream is one of a camera's streams, as it promises it. Looking at it may show something else.
type Stream struct {
	URL           string // without user name and password
	Name          string
	Codec         string // "h264", "h265", "jpeg", …
	Width, Height int
	FPS           float64
}

// ports are where cameras have their device service, the usual one first.
var ports = []string{"80", "8080", "8000", "2020", "8899"}

const (
	atOnce  = 3 * time.Second  // for the question whether anybody is there
	forLook = 15 * time.Second // for the whole conversation
)

// Look signs in to a camera and asks for its streams. where is the address of its device service, as
// Seek gives it, or a host (IPv4 or a name) with or without a port. Problems: the codes of this package, camera.address,
// camera.forbidden_network.
func Look(ctx context.Context, way Way, where, username, password string) (Camera, error) {
	ctx, cancel := context.WithTimeout(ctx, forLook)
	defer cancel()
	d, err := find(ctx, way, where)
	if err != nil {
		return Camera{}, err
	}
	d.username, d.password = username, password
	cam, err := d.look(ctx)
	if _, told := problem.Of(err); err != nil && !told {
		return Camera{}, problem.Invalid(CodeNoStreams).Because(err)
	}
	return cam, err
}

// find is the device service at an address or on a host.
func find(ctx context.Context, way Way, where string) (*device, error) {
	where = strings.TrimSpace(where)
	var places []string
	if at, _, ok := service(where, way.May); ok {
		places = []string{at}
	} else if strings.Contains(where, "://") {
		return nil, problem.Invalid("camera.forbidden_network")
	} else {
		host, port, err := hostPort(where)
		if err != nil {
			return nil, err
		}
		for _, p := range ports {
			if port != "" {
				p = port
			}
			if err := way.May(host + ":" + p); err != nil {
				return nil, problem.Invalid("camera.forbidden_network").Because(err)
			}
			places = append(places, "http://"+host+":"+p+"/onvif/device_service")
			if port != "" {
				break
			}
		}
	}
	return first(ctx, way, places)
}

// hostPort reads what somebody typed as a camera's place in the network: an address or a name, with
// or without a port.
func hostPort(typed string) (host, port string, err error) {
	u, err := url.Parse("http://" + typed)
	if err != nil || u.Hostname() == "" || u.User != nil || len(typed) > 300 || strings.ContainsAny(u.Hostname(), ": %") || strings.HasSuffix(typed, ":") {
		return "", "", problem.Invalid("camera.address").With("reason", "host")
	}
	return strings.ToLower(u.Hostname()), u.Port(), nil
}

// first asks all places at once and takes the first of them, in their order, where a device answers.
func first(ctx context.Context, way Way, places []string) (*device, error) {
	ctx, cancel := context.WithTimeout(ctx, atOnce)
	defer cancel()
	found, errs := make([]*device, len(places)), make([]error, len(places))
	var asking sync.WaitGroup
	for i, place := range places {
		asking.Go(func() {
			u, err := url.Parse(place)
			if err != nil {
				errs[i] = err
				return
			}
			d := &device{client: way.Client, may: way.May, now: way.Now, at: u}
			if errs[i] = d.clock(ctx); errs[i] == nil {
				found[i] = d
			}
		})
	}
	asking.Wait()
	for _, d := range found {
		if d != nil {
			return d, nil
		}
	}
	u, _ := url.Parse(places[0])
	return nil, problem.Invalid(CodeNone).With("host", u.Hostname()).Because(errors.Join(errs...))
}

func (d *device) look(ctx context.Context) (Camera, error) {
	cam := Camera{Address: d.at.String(), ClockOffset: d.offset}
	if err := d.services(ctx); err != nil {
		return Camera{}, err
	}
	all, err := d.profiles(ctx)
	if err != nil {
		return Camera{}, err
	}
	for _, of := range sources(all) {
		c, err := d.channel(ctx, of)
		if _, told := problem.Of(err); told {
			return Camera{}, err
		}
		if err == nil {
			cam.Channels = append(cam.Channels, c)
		}
	}
	if len(cam.Channels) == 0 {
		return Camera{}, problem.Invalid(CodeNoStreams)
	}
	if cam.Maker, cam.Model, err = d.make(ctx); err != nil {
		return Camera{}, err
	}
	return cam, nil
}

var errNothing = errors.New("nothing to watch")

func (d *device) channel(ctx context.Context, all []profile) (c Channel, err error) {
	main, sub := choose(all)
	if main == nil {
		return c, errNothing
	}
	if c.Main, err = d.describe(ctx, *main); err != nil || sub == nil {
		return c, err
	}
	if s, err := d.describe(ctx, *sub); err == nil && s.URL != c.Main.URL {
		c.Sub = &s
	}
	return c, nil
}

const maxChannels = 16

// sources are the profiles of each source of pictures, in the order of the first of them.
func sources(all []profile) [][]profile {
	var out [][]profile
	at := map[string]int{}
	for _, p := range all {
		i, ok := at[p.Source]
		if !ok {
			if len(out) == maxChannels {
				continue
			}
			i = len(out)
			at[p.Source] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], p)
	}
	return out
}

func (d *device) describe(ctx context.Context, p profile) (Stream, error) {
	at, err := d.stream(ctx, p.Token)
	if err != nil {
		return Stream{}, err
	}
	return Stream{URL: at, Name: cut(p.Name), Codec: p.codec(), Width: p.Video.Width, Height: p.Video.Height, FPS: p.Video.FPS}, nil
}

func (p profile) codec() string { return strings.ToLower(cut(p.Video.Encoding)) }

func (p profile) area() int { return p.Video.Width * p.Video.Height }

// choose picks the largest stream, and the smaller one that suits a tile best: near 640 wide. A codec
// that browsers show is taken before one that few do.
func choose(all []profile) (main, sub *profile) {
	var fit []*profile
	for i := range all {
		if p := &all[i]; p.Video != nil && p.Token != "" && len(p.Token) <= 256 && p.Video.Width >= 0 && p.Video.Height >= 0 && max(p.Video.Width, p.Video.Height) <= 1<<14 {
			fit = append(fit, p)
		}
	}
	for _, p := range fit {
		if main == nil || better(p, main) {
			main = p
		}
	}
	for _, p := range fit {
		if p == main || p.codec() != main.codec() || p.area() >= main.area() || p.area() == 0 {
			continue
		}
		if sub == nil || away(p.Video.Width) < away(sub.Video.Width) {
			sub = p
		}
	}
	return main, sub
}

func better(p, than *profile) bool {
	if a, b := p.codec() == "h264", than.codec() == "h264"; a != b {
		return a
	}
	return p.area() > than.area()
}

// away is how far a width is from what a tile wants.
func away(width int) int {
	if d := width - 640; d >= 0 {
		return d
	}
	return 640 - width
}
