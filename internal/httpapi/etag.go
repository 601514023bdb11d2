package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"candor/internal/problem"
)

// etag names a state of v: the same state, the same name.
func etag(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

// matches refuses a change that was made while looking at another state (RFC 9110, If-Match).
func matches(header, now string) error {
	for want := range strings.SplitSeq(header, ",") {
		if want = strings.TrimSpace(want); want == "*" || want == now {
			return nil
		}
	}
	return problem.New(http.StatusPreconditionFailed, "request.changed")
}
