package democam

import (
	"crypto/md5" // what cameras speak
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"candor/internal/media"
	"candor/internal/onvif/soap"
)

// service is the camera's ONVIF side: what it is and where its pictures are.
type service struct {
	camera *Server
	http   *http.Server
	at     net.Listener
	done   chan struct{}
}

const (
	devicePath = "/onvif/device_service"
	mediaPath  = "/onvif/media_service"
	realm      = "demo camera"
)

// serve begins to answer beside the RTSP port.
func (s *Server) serve() (*service, error) {
	host, _, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, err
	}
	v := &service{camera: s, at: l, done: make(chan struct{})}
	v.http = &http.Server{
		Handler: v, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10, ErrorLog: log.New(quiet{}, "", 0),
	}
	go func() {
		defer close(v.done)
		_ = v.http.Serve(l)
	}()
	return v, nil
}

// quiet is where net/http writes what strangers did wrong.
type quiet struct{}

func (quiet) Write(b []byte) (int, error) { return len(b), nil }

func (v *service) close() {
	_ = v.http.Close()
	<-v.done
}

// address is that of a service, for a header or an answer.
func (v *service) address(path string) string { return "http://" + v.at.Addr().String() + path }

// question is what somebody asks. The name of the call is that of the body's first part.
type question struct {
	Token *soap.Token `xml:"Header>Security>UsernameToken"`
	Body  struct {
		Calls []struct {
			XMLName xml.Name
			Profile string `xml:"ProfileToken"`
		} `xml:",any"`
	} `xml:"Body"`
}

// public are the calls that need no password (ONVIF Core, access class PRE_AUTH).
var public = map[string]bool{"GetSystemDateAndTime": true, "GetCapabilities": true, "GetServices": true}

func (v *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.URL.Path != devicePath && r.URL.Path != mediaPath {
		http.NotFound(w, r)
		return
	}
	var q question
	if err := soap.Read(http.MaxBytesReader(w, r.Body, soap.MaxBytes), &q); err != nil || len(q.Body.Calls) != 1 {
		v.fault(w, http.StatusBadRequest, "s:Sender", "ter:WellFormed")
		return
	}
	call := q.Body.Calls[0]
	if !public[call.XMLName.Local] && !v.knows(r, q.Token) {
		if v.camera.Digest {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Digest realm="%s", nonce="%x", algorithm=MD5, qop="auth"`, realm, v.at.Addr().String()))
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		v.fault(w, http.StatusBadRequest, "s:Sender", "ter:NotAuthorized")
		return
	}
	body, ok := v.answer(r.URL.Path, call.XMLName.Local, call.Profile)
	if !ok {
		v.fault(w, http.StatusInternalServerError, "s:Receiver", "ter:ActionNotSupported")
		return
	}
	w.Header().Set("Content-Type", soap.ContentType)
	_, _ = w.Write(soap.Envelope("", body))
}

// knows reports whether who asks has shown the password, and counts who has not.
func (v *service) knows(r *http.Request, t *soap.Token) bool {
	s := v.camera
	header := r.Header.Get("Authorization")
	switch {
	case s.Username == "":
		return true
	case s.Digest && header == "", !s.Digest && t == nil:
		return false
	case s.Digest && v.digests(r.Method, header), !s.Digest && t.Username == s.Username && t.Fits(s.Password, v.now(), 5*time.Minute):
		return true
	}
	s.wrong.Add(1)
	return false
}

// digests checks an HTTP digest of the kind that was asked for.
func (v *service) digests(method, header string) bool {
	part := map[string]string{}
	rest, ok := strings.CutPrefix(header, "Digest ")
	for _, p := range strings.Split(rest, ", ") {
		name, value, _ := strings.Cut(p, "=")
		part[name] = strings.Trim(value, `"`)
	}
	sum := func(parts ...string) string {
		b := md5.Sum([]byte(strings.Join(parts, ":")))
		return hex.EncodeToString(b[:])
	}
	who, what := sum(v.camera.Username, realm, v.camera.Password), sum(method, part["uri"])
	return ok && part["username"] == v.camera.Username && part["response"] == sum(who, part["nonce"], part["nc"], part["cnonce"], part["qop"], what)
}

// now is the time on the camera's clock.
func (v *service) now() time.Time { return time.Now().Add(v.camera.ClockOff).UTC() }

func (v *service) fault(w http.ResponseWriter, status int, code, sub string) {
	w.Header().Set("Content-Type", soap.ContentType)
	w.WriteHeader(status)
	_, _ = w.Write(soap.Envelope("", `<s:Fault xmlns:ter="http://www.onvif.org/ver10/error"><s:Code><s:Value>`+code+`</s:Value><s:Subcode><s:Value>`+sub+
		`</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en">`+sub+`</s:Text></s:Reason></s:Fault>`))
}

// answer is the body of an answer; false where a call is not known.
func (v *service) answer(path, call, token string) (string, bool) {
	switch path + " " + call {
	case devicePath + " GetSystemDateAndTime":
		t := v.now()
		return fmt.Sprintf(`<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType>`+
			`<tt:DaylightSavings>false</tt:DaylightSavings><tt:TimeZone><tt:TZ>UTC0</tt:TZ></tt:TimeZone><tt:UTCDateTime><tt:Time><tt:Hour>%d</tt:Hour>`+
			`<tt:Minute>%d</tt:Minute><tt:Second>%d</tt:Second></tt:Time><tt:Date><tt:Year>%d</tt:Year><tt:Month>%d</tt:Month><tt:Day>%d</tt:Day></tt:Date>`+
			`</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>`, t.Hour(), t.Minute(), t.Second(), t.Year(), t.Month(), t.Day()), true
	case devicePath + " GetCapabilities":
		return `<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Device><tt:XAddr>` + v.address(devicePath) + `</tt:XAddr></tt:Device><tt:Media><tt:XAddr>` +
			v.address(mediaPath) + `</tt:XAddr><tt:StreamingCapabilities><tt:RTPMulticast>false</tt:RTPMulticast><tt:RTP_TCP>true</tt:RTP_TCP>` +
			`<tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities></tt:Media></tds:Capabilities></tds:GetCapabilitiesResponse>`, true
	case devicePath + " GetServices":
		one := func(ns, at string) string {
			return `<tds:Service><tds:Namespace>` + ns + `</tds:Namespace><tds:XAddr>` + at + `</tds:XAddr><tds:Version><tt:Major>2</tt:Major><tt:Minor>0</tt:Minor></tds:Version></tds:Service>`
		}
		return `<tds:GetServicesResponse>` + one(soap.Device, v.address(devicePath)) + one(soap.Media, v.address(mediaPath)) + `</tds:GetServicesResponse>`, true
	case devicePath + " GetDeviceInformation":
		return `<tds:GetDeviceInformationResponse><tds:Manufacturer>Candor</tds:Manufacturer><tds:Model>` + soap.Text(v.camera.name()) + `</tds:Model>` +
			`<tds:FirmwareVersion>1</tds:FirmwareVersion><tds:SerialNumber>0</tds:SerialNumber><tds:HardwareId>demo</tds:HardwareId></tds:GetDeviceInformationResponse>`, true
	case mediaPath + " GetProfiles":
		var b strings.Builder
		for _, p := range []media.Profile{media.Main, media.Sub} {
			b.WriteString(v.profile(p))
		}
		return `<trt:GetProfilesResponse>` + b.String() + `</trt:GetProfilesResponse>`, true
	case mediaPath + " GetStreamUri":
		if at := v.camera.URL(media.Profile(token)); at != "" {
			return `<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>` + soap.Text(at) + `</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>` +
				`<tt:InvalidAfterReboot>true</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri></trt:GetStreamUriResponse>`, true
		}
	}
	return "", false
}

// profile describes one stream, or is empty when there is none.
func (v *service) profile(p media.Profile) string {
	player := v.camera.player(p)
	if player == nil {
		return ""
	}
	var sps h264.SPS
	if sps.Unmarshal(player.clip.Video.SPS) != nil {
		return ""
	}
	return fmt.Sprintf(`<trt:Profiles token="%[1]s" fixed="true"><tt:Name>%[1]s</tt:Name><tt:VideoSourceConfiguration token="source-config">`+
		`<tt:Name>source</tt:Name><tt:UseCount>2</tt:UseCount><tt:SourceToken>source</tt:SourceToken><tt:Bounds x="0" y="0" width="%[2]d" height="%[3]d"/>`+
		`</tt:VideoSourceConfiguration><tt:VideoEncoderConfiguration token="%[1]s-video"><tt:Name>%[1]s</tt:Name>`+
		`<tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>%[2]d</tt:Width><tt:Height>%[3]d</tt:Height></tt:Resolution>`+
		`<tt:Quality>5</tt:Quality><tt:RateControl><tt:FrameRateLimit>%[4]d</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval>`+
		`<tt:BitrateLimit>2048</tt:BitrateLimit></tt:RateControl></tt:VideoEncoderConfiguration></trt:Profiles>`, p, sps.Width(), sps.Height(), int(sps.FPS()+0.5))
}
