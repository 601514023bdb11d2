package app

import (
	"net/http"
	"testing"

	"candor/internal/democam"
	"candor/internal/media"
	"candor/internal/promise"
)

type profiles struct {
	Maker, Model string
	Channels     []struct {
		Name, Address string
		Sub           string `json:"sub_address"`
		Codec         string
		Width         int
	}
	Warnings []struct{ Code, Sentence string }
}

// search is what the networks answer, and the demo camera among it.
func (p *person) search() (demo string, added bool) {
	p.t.Helper()
	var found struct {
		Cameras []struct {
			Service, Host, Name, Brand string
			Added, Demo                bool
		}
		Networks []string
	}
	p.call("POST", "/cameras/discover", map[string]any{}, &found)
	for _, c := range found.Cameras {
		if c.Demo {
			demo, added = c.Service, c.Added
		}
	}
	return demo, added
}

// Nobody types an address: the camera is found, says where it streams, and is added.
func TestACameraInTheNetworkIsFoundAndAdded(t *testing.T) {
	promise.Proves(t, "P023")
	w, owner := share(t)
	p := w.join(t, identity{"Finder", "finder@house.example", "a green kettle 19"})
	service, added := "", false
	eventually(t, "the demo camera answers", func() bool { service, added = p.search(); return service != "" })
	if added {
		t.Error("it is said to be added already")
	}
	var got profiles
	p.call("POST", "/cameras/profiles", map[string]any{"service": service}, &got)
	if got.Maker != "Candor" || len(got.Channels) != 1 || got.Channels[0].Width != 768 || got.Channels[0].Sub == "" {
		t.Fatalf("it says %+v", got)
	}
	var cam struct {
		ID   string
		Demo bool
	}
	p.call("POST", "/cameras", map[string]any{"name": "Found", "address": got.Channels[0].Address, "sub_address": got.Channels[0].Sub}, &cam)
	if !cam.Demo {
		t.Error("the demo camera was added at an address that it has for today only")
	}
	if _, added = p.search(); !added {
		t.Error("it is not said to be added")
	}
	if service, added = owner.search(); service == "" || !added {
		t.Errorf("the owner of the demo camera finds %q, added %v", service, added)
	}
	p.call("DELETE", "/account", map[string]any{"password": "a green kettle 19"}, nil)
}

// A make's usual addresses are tried until one fits, and a wrong password once.
func TestACameraIsFoundByItsMake(t *testing.T) {
	w, _ := share(t)
	p := w.join(t, identity{"Maker", "maker@house.example", "a green kettle 20"})
	cam := startDevice(t, &democam.Server{
		Main: clip("people.mp4"), Username: "admin", Password: "tall grass", Also: map[string]media.Profile{"unicast/c1/s0/live": media.Main},
	})
	at := map[string]any{"host": cam.Address(), "brand": "uniview", "username": "admin", "password": "tall grass"}
	with := func(change map[string]any) map[string]any {
		out := map[string]any{}
		for k, v := range at {
			out[k] = v
		}
		for k, v := range change {
			out[k] = v
		}
		return out
	}
	var got profiles
	p.call("POST", "/cameras/profiles", at, &got)
	if len(got.Channels) != 1 || got.Channels[0].Address != "rtsp://"+cam.Address()+"/unicast/c1/s0/live" || got.Channels[0].Codec != "h264" {
		t.Errorf("it says %+v", got)
	}
	if cam.Refused() != 0 {
		t.Errorf("%d passwords were refused", cam.Refused())
	}
	for _, c := range []struct {
		change map[string]any
		code   string
	}{
		{map[string]any{"password": "wrong"}, "camera.wrong_password"},
		{map[string]any{"username": "", "password": ""}, "camera.needs_password"},
		{map[string]any{"brand": "tapo"}, "camera.no_path"},
		{map[string]any{"brand": "nonesuch"}, "camera.brand_unknown"},
		{map[string]any{"host": ""}, "camera.address"},
		{map[string]any{"host": "a b"}, "camera.address"},
		{map[string]any{"host": "x@10.0.0.1"}, "camera.address"},
		{map[string]any{"host": "10.0.0.1/x"}, "camera.address"},
		{map[string]any{"host": "198.51.100.7"}, "camera.forbidden_network"},
		{map[string]any{"service": "http://198.51.100.7/onvif/device_service"}, "camera.forbidden_network"},
	} {
		p.refused("POST", "/cameras/profiles", with(c.change), http.StatusUnprocessableEntity, c.code)
	}
	if cam.Refused() != 1 {
		t.Errorf("a wrong password was tried %d times", cam.Refused())
	}
	for range 20 { // and nobody asks without end
		if a := p.do("POST", "/cameras/profiles", map[string]any{"brand": "nonesuch", "host": "x"}); a.status == http.StatusTooManyRequests {
			p.call("DELETE", "/account", map[string]any{"password": "a green kettle 20"}, nil)
			return
		}
	}
	t.Error("one person may ask as often as they like")
}
