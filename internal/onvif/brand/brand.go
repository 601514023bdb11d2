// Package brand knows under which addresses cameras of the usual makes stream, for those that do not
// say it by ONVIF.
//
// The table is data: what is known of a make, and nothing that a program has to decide. Try goes
// through a make's addresses politely, and guessing is by what a camera says of itself. The package
// connects to nothing.
package brand

import (
	"context"
	"net"
	"net/url"
	"strings"

	"candor/internal/problem"
)

// Brand is one make of cameras.
type Brand struct {
	ID    string   // "hikvision"; also the key of its note in the words, brand.note.<id>
	Name  string   // as it is written on the box
	User  string   // the user name it comes with; empty if there is none
	Note  bool     // there is something to do before it streams, and the words say what
	Paths []Paths  // the usual one first; none: its addresses cannot be guessed
	marks []string // words by which it gives itself away, in lower case
}

// Paths are the ends of a camera's two addresses.
type Paths struct {
	Port      string // empty: 554
	Main, Sub string // Sub may be empty
}

// maxTries bounds how many addresses of one camera are tried.
const maxTries = 6

// All are the makes, in the order in which they are shown.
func All() []Brand { return table }

// Of finds a make by its id.
func Of(id string) (Brand, bool) {
	for _, b := range table {
		if b.ID == id {
			return b, true
		}
	}
	return Brand{}, false
}

// Guess finds the make in what a camera says of itself: its name, its model, the Server header of its
// RTSP answers. Without a sign it is the generic one.
func Guess(said ...string) Brand {
	text := strings.ToLower(strings.Join(said, " "))
	for _, b := range table {
		for _, m := range b.marks {
			if strings.Contains(text, m) {
				return b
			}
		}
	}
	b, _ := Of("generic")
	return b
}

// Streams are the two addresses of a camera, without user name and password.
type Streams struct{ Main, Sub string }

// At are the addresses to try on a host, in order. A port in the host wins.
func (b Brand) At(host string) []Streams {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = host, ""
	}
	var out []Streams
	for _, p := range b.Paths[:min(len(b.Paths), maxTries)] {
		at := name
		switch {
		case port != "" && port != "554":
			at = net.JoinHostPort(name, port)
		case port == "" && p.Port != "":
			at = net.JoinHostPort(name, p.Port)
		}
		out = append(out, Streams{Main: address(at, p.Main), Sub: address(at, p.Sub)})
	}
	return out
}

func address(host, path string) string {
	if path == "" {
		return ""
	}
	u := url.URL{Scheme: "rtsp", Host: host}
	u.Path, u.RawQuery, _ = strings.Cut(path, "?")
	return u.String()
}

// Try asks check about the addresses one after the other and stops at the first that is not merely
// the wrong path. So a password that the camera refuses is tried once: the next try could lock its
// owner out.
func Try(ctx context.Context, all []Streams, check func(ctx context.Context, address string) error) (Streams, error) {
	err := error(problem.Invalid("camera.no_path"))
	for _, s := range all {
		if ctx.Err() != nil {
			return Streams{}, ctx.Err()
		}
		if err = check(ctx, s.Main); err == nil {
			return s, nil
		}
		if !problem.Is(err, "camera.not_found") {
			return Streams{}, err
		}
		err = problem.Invalid("camera.no_path").Because(err)
	}
	return Streams{}, err
}
