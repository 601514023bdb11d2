package democam

import (
	"strings"
	"testing"
	"time"

	foreign "github.com/IOTechSystems/onvif"
	"github.com/IOTechSystems/onvif/device"
	foreignmedia "github.com/IOTechSystems/onvif/media"
	wsdiscovery "github.com/IOTechSystems/onvif/ws-discovery"

	"candor/internal/media"
)

// A client of another make finds the camera, signs in both ways and reads what ours does.
func TestForeignClientFindsAndReadsTheCamera(t *testing.T) {
	for _, mode := range []string{foreign.UsernameTokenAuth, foreign.DigestAuth} {
		t.Run(mode, func(t *testing.T) {
			s := start(t, &Server{Main: clips + "people.mp4", Sub: clips + "people.sub.mp4", ONVIF: true, Username: "admin", Password: "tall & grass", Digest: mode == foreign.DigestAuth})
			host, _, _ := strings.Cut(strings.TrimPrefix(s.Service(), "http://"), "/")
			dev, err := foreign.NewDevice(foreign.DeviceParams{Xaddr: host, Username: s.Username, Password: s.Password, AuthMode: mode})
			if err != nil {
				t.Fatal(err)
			}
			ask := func(service, name, body string) any {
				t.Helper()
				v, err := dev.CallOnvifFunction(service, name, []byte(body))
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				return v
			}
			at := ask("Device", "GetSystemDateAndTime", "").(*device.GetSystemDateAndTimeResponse).SystemDateAndTime.UTCDateTime
			if year := int(at.Date.Year); year != time.Now().UTC().Year() {
				t.Errorf("its clock says %d", year)
			}
			if i := ask("Device", "GetDeviceInformation", "").(*device.GetDeviceInformationResponse); i.Manufacturer != "Candor" || i.Model != "Demo camera" {
				t.Errorf("it says it is %+v", i)
			}
			p := ask("Media", "GetProfiles", "").(*foreignmedia.GetProfilesResponse).Profiles
			if len(p) != 2 || *p[0].VideoEncoderConfiguration.Resolution.Width != 768 || *p[1].VideoEncoderConfiguration.Resolution.Height != 216 {
				t.Fatalf("profiles %+v", p)
			}
			u := ask("Media", "GetStreamUri", `{"ProfileToken":"sub","StreamSetup":{"Stream":"RTP-Unicast","Transport":{"Protocol":"RTSP"}}}`).(*foreignmedia.GetStreamUriResponse)
			if string(u.MediaUri.Uri) != s.URL(media.Sub) {
				t.Errorf("stream at %q, want %q", u.MediaUri.Uri, s.URL(media.Sub))
			}
			if s.Refused() != 0 {
				t.Errorf("%d passwords refused", s.Refused())
			}
		})
	}
}

func TestForeignProbeIsAnswered(t *testing.T) {
	s := start(t, &Server{Main: clips + "people.mp4", Discover: true, Name: "Attic"})
	names := map[string]string{"dn": "http://www.onvif.org/ver10/network/wsdl"}
	for range 20 { // it waits for a second and may miss an answer
		answers, err := wsdiscovery.SendProbe("lo", nil, []string{"dn:NetworkVideoTransmitter"}, names)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range answers {
			if !strings.Contains(a, s.Service()) {
				continue
			}
			found, err := wsdiscovery.DevicesFromProbeResponses([]string{a})
			if err != nil || len(found) != 1 {
				t.Fatalf("%d cameras, %v", len(found), err)
			}
			if i := found[0].GetDeviceInfo(); i.Name != "Attic" || i.Model != "demo" {
				t.Errorf("it is %+v", i)
			}
			return
		}
	}
	t.Error("the probe is not answered")
}

func TestOtherProbesAreNotAnswered(t *testing.T) {
	s := start(t, &Server{Main: clips + "people.mp4", ONVIF: true})
	for _, m := range []string{
		"", "<Envelope><Body><Probe><Types>wsdp:Device</Types></Probe></Body></Envelope>", "<Envelope><Body><Resolve/></Body></Envelope>", "\x00\x01",
		"<Envelope><Header><MessageID>" + strings.Repeat("a", 300) + "</MessageID></Header><Body><Probe/></Body></Envelope>",
	} {
		if b := s.onvif.match([]byte(m), "id"); b != nil {
			t.Errorf("%q is answered by %s", m, b)
		}
	}
}

func FuzzProbe(f *testing.F) {
	f.Add([]byte(`<Envelope><Header><MessageID>urn:uuid:1</MessageID></Header><Body><Probe><Types>dn:NetworkVideoTransmitter</Types></Probe></Body></Envelope>`))
	s := &Server{Main: clips + "people.mp4", ONVIF: true}
	if err := s.Start(); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(s.Close)
	f.Fuzz(func(t *testing.T, b []byte) { s.onvif.match(b, "id") })
}
