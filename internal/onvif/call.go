package onvif

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"candor/internal/onvif/soap"
	"candor/internal/problem"
)

// Codes of what can be wrong. Those of a stream are package rtsp's.
const (
	CodeNone      = "camera.no_onvif"       // nobody speaks ONVIF there; arg host
	CodeNeeds     = "camera.needs_password" // it answers, and asks who we are
	CodePassword  = "camera.wrong_password" // it does not take this name and password
	CodeNoStreams = "camera.no_streams"     // it names no stream that we could use
)

// signing is how a camera wants to be told who asks.
type signing int

const (
	unsigned signing = iota
	byToken          // WS-Security UsernameToken in the message
	byDigest         // HTTP digest
)

// device is a camera in a conversation.
type device struct {
	client   *http.Client
	may      func(address string) error
	username string
	password string
	now      func() time.Time

	at     *url.URL // device service
	media  *url.URL // media service
	offset time.Duration
	how    signing
	said   challenge // the newest HTTP challenge
	count  int
	tried  bool // the password has been sent
	let    bool // and taken
}

var errRefused = errors.New("the device wants to know who asks")

// call asks one question. What the answer's body holds is read into v.
func (d *device) call(ctx context.Context, to *url.URL, action, body string, v any) error {
	res, err := d.post(ctx, to, action, body)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var fault struct {
		Fault *soap.Fault `xml:"Body>Fault"`
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, soap.MaxBytes+1))
	if err != nil {
		return err
	}
	readErr := soap.Read(bytes.NewReader(b), &fault)
	if c := challenged(res.Header.Values("WWW-Authenticate")); c.usable() {
		d.said, d.count = c, 0
	}
	switch {
	case res.StatusCode == http.StatusUnauthorized,
		fault.Fault != nil && (fault.Fault.Means("NotAuthorized") || fault.Fault.Means("FailedAuthentication") || fault.Fault.Means("SenderNotAuthorized")),
		res.StatusCode == http.StatusForbidden && d.how == unsigned:
		return errRefused
	case fault.Fault != nil:
		return fault.Fault
	case res.StatusCode != http.StatusOK:
		return errors.New("the device answers " + strconv.Itoa(res.StatusCode))
	case readErr != nil:
		return readErr
	}
	d.let = d.let || d.how != unsigned
	return soap.Read(bytes.NewReader(b), v)
}

// post sends one message, signed the way the camera wants it.
func (d *device) post(ctx context.Context, to *url.URL, action, body string) (*http.Response, error) {
	header := ""
	if d.how == byToken {
		header = soap.Sign(d.username, d.password, d.now().Add(d.offset)).Header()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(soap.Envelope(header, body)))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", soap.ContentType+`; action="`+action+`"`)
	req.Header.Set("User-Agent", "Candor")
	if d.how == byDigest {
		d.count++
		req.Header.Set("Authorization", d.said.answer(req.Method, to.RequestURI(), d.username, d.password, d.count))
	}
	return d.client.Do(req)
}

// signed asks a question for which a camera mostly wants to know who asks. The first time it asks
// without saying so; the refusal tells how to say it. A password that is refused is not sent again.
func (d *device) signed(ctx context.Context, to *url.URL, action, body string, v any) error {
	err := d.call(ctx, to, action, body, v)
	if !errors.Is(err, errRefused) {
		return err
	}
	if d.how == byDigest && (d.said.stale || d.let) { // the number that it gave us is used up
		if err = d.call(ctx, to, action, body, v); !errors.Is(err, errRefused) {
			return err
		}
	}
	switch {
	case d.username == "" && d.password == "":
		return problem.Invalid(CodeNeeds).Because(err)
	case d.tried:
		return problem.Invalid(CodePassword).Because(err)
	}
	d.tried = true
	if d.how = byToken; d.said.usable() {
		d.how = byDigest
	}
	if err = d.call(ctx, to, action, body, v); errors.Is(err, errRefused) {
		return problem.Invalid(CodePassword).Because(err)
	}
	return err
}

// place reads an address that the camera gave, and moves it to the host it was reached at: behind a
// port forwarding, or after a change of address, cameras name the old one.
func (d *device) place(text string) *url.URL {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Scheme != "http" || u.Path == "" || len(text) > 512 {
		return nil
	}
	return &url.URL{Scheme: "http", Host: d.at.Host, Path: u.Path, RawQuery: u.RawQuery}
}
