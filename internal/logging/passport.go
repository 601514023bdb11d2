package logging

import (
	"time"

	"candor/internal/passport"
)

// kept is the longest a log may be kept: the operator's rotation is to be set to it (guide/).
const kept = 30 * 24 * time.Hour

// keys is the registry. Each is technical: a random identifier, a state, a size, a coarse time
// or a text that Clean has been through. Names, e-mails, addresses of people, what a camera is
// called and where it stands have no key and get none.
var keys = map[string]string{
	"room":        "the room that speaks",
	"err":         "a cause, cleaned",
	"code":        "a problem's code",
	"reason":      "why, in our own words or cleaned",
	"request":     "request id",
	"route":       "route pattern, never the path itself",
	"method":      "HTTP method",
	"status":      "HTTP status",
	"took":        "duration",
	"device":      "random id",
	"binding":     "random id",
	"site":        "random id",
	"segment":     "random id",
	"event":       "random id",
	"consent":     "random id",
	"type":        "kind of event or message",
	"profile":     "main or sub",
	"codec":       "codec",
	"state":       "state",
	"next":        "when it is tried again",
	"purpose":     "purpose",
	"category":    "data category",
	"class":       "retention class",
	"day":         "UTC day",
	"count":       "a number",
	"number":      "a number in a row",
	"leases":      "how many leases",
	"kept":        "how many were kept",
	"silent":      "how long nothing was heard",
	"tries":       "how often it was tried",
	"what":        "what a goodbye is about: recording, camera, account",
	"package":     "a Go package",
	"cut":         "a promise's id",
	"noticed":     "whether tests noticed a cut",
	"seq":         "a number in a chain",
	"limit":       "a limit",
	"repeated":    "how many more lines of this kind",
	"bytes":       "a size",
	"keys":        "how many keys",
	"drift":       "clock drift of a camera",
	"jump":        "clock jump of a camera",
	"lost":        "packets lost",
	"transport":   "whep, mse, udp, tcp",
	"recipient":   "a registered recipient",
	"host":        "a registered recipient's host",
	"listen":      "an address of ours, cleaned",
	"port":        "a port of ours",
	"setting":     "a setting's name",
	"file":        "a neutral file name of ours",
	"table":       "a table's name",
	"key":         "the name of a key, never a key",
	"version":     "a version",
	"have":        "a version found",
	"want":        "a version wanted",
	"name":        "the name of a part of the program",
	"path":        "the program used for decoding, or a neutral file of ours",
	"stack":       "where the program was when it panicked",
	"policy":      "hash of a policy version",
	"promise":     "a promise's id",
	"from":        "start of a range, or the state before",
	"to":          "end of a range, or the state after",
	"at":          "a moment",
	"since":       "a moment",
	"certificate": "names in our own certificate",
}

var known = func() map[string]bool {
	m := make(map[string]bool, len(keys))
	for k := range keys {
		m[k] = true
	}
	return m
}()

// Known reports whether a key may appear in the log.
func Known(key string) bool { return known[key] }

// Passports says what each key is.
func Passports() []passport.Passport {
	out := make([]passport.Passport, 0, len(keys))
	for k := range keys {
		out = append(out, passport.Passport{
			ID: passport.ID("log." + k), Where: "log:" + k, Category: passport.Technical,
			Purposes: []passport.Purpose{passport.Security}, Retention: kept,
			Erasure: passport.Keep, Owner: "none",
		})
	}
	return out
}
