package onvif

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"candor/internal/onvif/soap"
	"candor/internal/problem"
)

const (
	deviceAction = soap.Device + "/"
	mediaAction  = soap.Media + "/"
)

// clock reads the camera's clock. Nobody has to sign in for that.
func (d *device) clock(ctx context.Context) error {
	var v struct {
		Answer *struct {
			Year   int `xml:"SystemDateAndTime>UTCDateTime>Date>Year"`
			Month  int `xml:"SystemDateAndTime>UTCDateTime>Date>Month"`
			Day    int `xml:"SystemDateAndTime>UTCDateTime>Date>Day"`
			Hour   int `xml:"SystemDateAndTime>UTCDateTime>Time>Hour"`
			Minute int `xml:"SystemDateAndTime>UTCDateTime>Time>Minute"`
			Second int `xml:"SystemDateAndTime>UTCDateTime>Time>Second"`
		} `xml:"Body>GetSystemDateAndTimeResponse"`
	}
	err := d.call(ctx, d.at, deviceAction+"GetSystemDateAndTime", `<tds:GetSystemDateAndTime/>`, &v)
	if errors.Is(err, errRefused) {
		return nil // it is there; its clock is taken for right
	}
	if err != nil {
		return err
	}
	a := v.Answer
	if a == nil {
		return soap.ErrMessage
	}
	if a.Year < 1970 || a.Year > 2100 || a.Month < 1 || a.Month > 12 {
		return nil
	}
	d.offset = time.Date(a.Year, time.Month(a.Month), a.Day, a.Hour, a.Minute, a.Second, 0, time.UTC).Sub(d.now())
	return nil
}

// services finds where the camera speaks of media. A camera that does not say is asked where it
// was found.
func (d *device) services(ctx context.Context) error {
	var c struct {
		Media string `xml:"Body>GetCapabilitiesResponse>Capabilities>Media>XAddr"`
	}
	err := d.signed(ctx, d.at, deviceAction+"GetCapabilities", `<tds:GetCapabilities><tds:Category>All</tds:Category></tds:GetCapabilities>`, &c)
	if _, told := problem.Of(err); told {
		return err
	}
	if d.media = d.place(c.Media); d.media != nil {
		return nil
	}
	var s struct {
		Services []struct {
			Namespace string `xml:"Namespace"`
			XAddr     string `xml:"XAddr"`
		} `xml:"Body>GetServicesResponse>Service"`
	}
	err = d.signed(ctx, d.at, deviceAction+"GetServices", `<tds:GetServices><tds:IncludeCapability>false</tds:IncludeCapability></tds:GetServices>`, &s)
	if _, told := problem.Of(err); told {
		return err
	}
	for _, one := range s.Services {
		if strings.TrimSpace(one.Namespace) == soap.Media && d.media == nil {
			d.media = d.place(one.XAddr)
		}
	}
	if d.media == nil {
		d.media = d.at
	}
	return nil
}

// make is who built the camera and what it is. Its serial number is not read.
func (d *device) make(ctx context.Context) (maker, model string, err error) {
	var v struct {
		Maker string `xml:"Body>GetDeviceInformationResponse>Manufacturer"`
		Model string `xml:"Body>GetDeviceInformationResponse>Model"`
	}
	err = d.signed(ctx, d.at, deviceAction+"GetDeviceInformation", `<tds:GetDeviceInformation/>`, &v)
	if _, told := problem.Of(err); told {
		return "", "", err
	}
	return cut(v.Maker), cut(v.Model), nil
}

// profile is one of the ways in which a camera encodes its pictures.
type profile struct {
	Token  string `xml:"token,attr"`
	Name   string `xml:"Name"`
	Source string `xml:"VideoSourceConfiguration>SourceToken"`
	Video  *struct {
		Encoding string  `xml:"Encoding"`
		Width    int     `xml:"Resolution>Width"`
		Height   int     `xml:"Resolution>Height"`
		FPS      float64 `xml:"RateControl>FrameRateLimit"`
	} `xml:"VideoEncoderConfiguration"`
}

const maxProfiles = 64

func (d *device) profiles(ctx context.Context) ([]profile, error) {
	var v struct {
		Profiles []profile `xml:"Body>GetProfilesResponse>Profiles"`
	}
	if err := d.signed(ctx, d.media, mediaAction+"GetProfiles", `<trt:GetProfiles/>`, &v); err != nil {
		return nil, err
	}
	return v.Profiles[:min(len(v.Profiles), maxProfiles)], nil
}

// stream is the RTSP address of a profile, at the host where the camera was reached.
func (d *device) stream(ctx context.Context, token string) (string, error) {
	var v struct {
		URI string `xml:"Body>GetStreamUriResponse>MediaUri>Uri"`
	}
	err := d.signed(ctx, d.media, mediaAction+"GetStreamUri",
		`<trt:GetStreamUri><trt:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP</tt:Protocol></tt:Transport></trt:StreamSetup>`+
			`<trt:ProfileToken>`+soap.Text(token)+`</trt:ProfileToken></trt:GetStreamUri>`, &v)
	if err != nil {
		return "", err
	}
	return d.moved(v.URI)
}

// moved is an RTSP address that the camera gave, without a user name in it, at the host where it was
// reached and at a port that may be reached.
func (d *device) moved(text string) (string, error) {
	const usual = "554"
	text = strings.TrimSpace(text)
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "rtsp" || u.Host == "" || len(text) > 2048 {
		return "", errors.New("the camera gives an address that is none")
	}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	port := u.Port()
	if port == "" {
		port = usual
	}
	if err := d.may(d.at.Hostname() + ":" + port); err != nil {
		return "", err
	}
	u.Host = d.at.Hostname()
	if port != usual {
		u.Host += ":" + port
	}
	return u.String(), nil
}
