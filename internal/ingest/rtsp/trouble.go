package rtsp

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"net"
	"os"
	"strconv"
	"syscall"

	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"

	"candor/internal/problem"
)

// Codes of what can be wrong with a camera. Each has its sentence in the catalogue.
const (
	CodeAddress     = "camera.address"           // the address cannot be read; arg reason
	CodeUnreachable = "camera.unreachable"       // nobody there; arg host
	CodeRefused     = "camera.refused"           // somebody is there, but not at that port; arg host
	CodeTimeout     = "camera.timeout"           // no answer in time; arg host
	CodeForbidden   = "camera.forbidden_network" // the operator does not allow it (from the Dialer)
	CodeNotRTSP     = "camera.not_rtsp"          // something else answers; arg heard
	CodeNoTLS       = "camera.no_tls"            // rtsps:// to somebody who does not speak TLS; arg host
	CodeCertificate = "camera.certificate"       // not trusted; arg fingerprint
	CodeElsewhere   = "camera.elsewhere"         // sends us to another host
	CodePassword    = "camera.wrong_password"    // user name or password missing or wrong
	CodeNotFound    = "camera.not_found"         // no such stream; arg path
	CodeAnswer      = "camera.answer"            // any other refusal; arg status
	CodeDescription = "camera.description"       // what it says of its streams makes no sense
	CodeNoVideo     = "camera.no_video"          // no pictures at all
	CodeCodec       = "camera.codec"             // pictures we do not carry; arg codec
	CodeHungUp      = "camera.hung_up"           // the camera closed the connection
	CodeStalled     = "camera.stalled"           // connected, and nothing came for 10 s
	CodeNoKey       = "camera.no_key_picture"    // no key picture for 60 s
)

// explain turns a failure of a session into a problem.
func explain(err error, t *tap) *problem.Problem {
	if p, ok := problem.Of(err); ok {
		return p
	}
	dialed, first := t.heard()
	host := t.target.host
	var status liberrors.ErrClientBadStatusCode
	switch {
	case errors.Is(err, errElsewhere):
		return problem.Invalid(CodeElsewhere).Because(err)
	case t.wrong != nil:
		return problem.Invalid(CodeCertificate).With("fingerprint", hex.EncodeToString(t.wrong)).Because(err)
	case errors.As(err, &status):
		return refusal(status, t.target)
	case !dialed:
		return unreached(err, host)
	case t.target.scheme == "rtsps" && (len(first) == 0 || guess(first) == "RTSP"): // silent, or at a loss over our hello
		return problem.Invalid(CodeNoTLS).With("host", host).Because(err)
	case len(first) > 0 && !spoken(first, t.target.scheme):
		return problem.Invalid(CodeNotRTSP).With("heard", guess(first)).Because(err)
	case timedOut(err):
		return problem.Invalid(CodeTimeout).With("host", host).Because(err)
	case isDescription(err):
		return problem.Invalid(CodeDescription).Because(err)
	case len(first) == 0:
		return problem.Invalid(CodeNotRTSP).With("heard", "nothing").Because(err)
	}
	return problem.Invalid(CodeHungUp).Because(err)
}

func refusal(s liberrors.ErrClientBadStatusCode, t target) *problem.Problem {
	switch s.Code {
	case base.StatusUnauthorized, base.StatusForbidden:
		return problem.Invalid(CodePassword).Because(s)
	case base.StatusNotFound, base.StatusGone:
		return problem.Invalid(CodeNotFound).With("path", t.url.Path).Because(s)
	}
	return problem.Invalid(CodeAnswer).With("status", strconv.Itoa(int(s.Code))).Because(s)
}

// unreached explains why no connection was made.
func unreached(err error, host string) *problem.Problem {
	code := CodeUnreachable
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		code = CodeRefused
	case timedOut(err):
		code = CodeTimeout
	}
	return problem.Invalid(code).With("host", host).Because(err)
}

func timedOut(err error) bool {
	var n net.Error
	var asked liberrors.ErrClientRequestTimedOut
	var quiet liberrors.ErrClientTCPTimeout
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.As(err, &asked) || errors.As(err, &quiet) || (errors.As(err, &n) && n.Timeout())
}

func isDescription(err error) bool {
	var sdp liberrors.ErrClientSDPInvalid
	var missing liberrors.ErrClientContentTypeMissing
	var other liberrors.ErrClientContentTypeUnsupported
	return errors.As(err, &sdp) || errors.As(err, &missing) || errors.As(err, &other)
}

// spoken reports whether the first bytes are what the scheme promises: RTSP, or a TLS record.
func spoken(first []byte, scheme string) bool {
	if scheme == "rtsps" {
		return first[0] >= 20 && first[0] <= 23 && (len(first) < 2 || first[1] == 3)
	}
	want := []byte("RTSP/")
	n := min(len(first), len(want))
	return bytes.Equal(first[:n], want[:n]) || first[0] == '$' || bytes.HasPrefix(first, []byte("OPTIONS"))
}

// guess names the language of the other side.
func guess(first []byte) string {
	switch {
	case bytes.HasPrefix(first, []byte("HTTP")):
		return "HTTP"
	case bytes.HasPrefix(first, []byte("SSH-")):
		return "SSH"
	case bytes.HasPrefix(first, []byte("RTSP")):
		return "RTSP"
	case len(first) > 1 && first[0] >= 20 && first[0] <= 23 && first[1] == 3:
		return "TLS"
	}
	return "other"
}
