// Package problem keeps three readers of a failure apart: a code for programs, a sentence
// for the person, a cause for the operator.
//
// A room returns a *Problem where the person can do something about it. The code is a key of
// the message catalogue (words/), which holds its sentence in every language; args fill the
// sentence. The cause goes to the log and never to the person. httpapi turns a Problem into
// an RFC 9457 document; any other error becomes "internal" there.
package problem

import (
	"errors"
	"fmt"
	"net/http"
)

// Problem is one failure, told to three readers.
type Problem struct {
	Code   string            // "camera.wrong_password"; the catalogue's key is "problem." + Code
	Status int               // HTTP status that fits best
	Args   map[string]string // fill the sentence; never personal beyond what the reader typed
	Cause  error             // for the log only
	Fields []Field           // what was wrong in the request, if that is known
}

// Field points at one part of a request (RFC 9457, "errors" extension).
type Field struct {
	Pointer string `json:"pointer"` // JSON pointer into the body
	Code    string `json:"code"`
}

func (p *Problem) Error() string {
	if p.Cause == nil {
		return p.Code
	}
	return p.Code + ": " + p.Cause.Error()
}

// Unwrap gives the cause.
func (p *Problem) Unwrap() error { return p.Cause }

// With adds one argument of the sentence and returns p.
func (p *Problem) With(key, value string) *Problem {
	if p.Args == nil {
		p.Args = map[string]string{}
	}
	p.Args[key] = value
	return p
}

// Because sets the cause and returns p.
func (p *Problem) Because(cause error) *Problem { p.Cause = cause; return p }

// Becausef sets a cause made of a format and returns p.
func (p *Problem) Becausef(format string, a ...any) *Problem {
	return p.Because(fmt.Errorf(format, a...))
}

// New makes a problem of the given status.
func New(status int, code string) *Problem { return &Problem{Code: code, Status: status} }

// Invalid is a request that makes no sense as it stands (422).
func Invalid(code string) *Problem { return New(http.StatusUnprocessableEntity, code) }

// NotFound is the answer to an actor without any relation to the thing (404): whether it
// exists is not admitted.
func NotFound() *Problem { return New(http.StatusNotFound, "not_found") }

// Forbidden is the answer to an actor who may know that the thing exists (403).
func Forbidden(code string) *Problem { return New(http.StatusForbidden, code) }

// Gone is the answer to somebody who holds a link to what was (410).
func Gone(code string) *Problem { return New(http.StatusGone, code) }

// Conflict is a request that meets a state it cannot change (409).
func Conflict(code string) *Problem { return New(http.StatusConflict, code) }

// Unavailable is a part of the system that cannot do its work now (503).
func Unavailable(code string) *Problem { return New(http.StatusServiceUnavailable, code) }

// Of finds the Problem in an error chain.
func Of(err error) (*Problem, bool) {
	var p *Problem
	ok := errors.As(err, &p)
	return p, ok
}

// Is reports whether err carries a problem of that code.
func Is(err error, code string) bool {
	p, ok := Of(err)
	return ok && p.Code == code
}
