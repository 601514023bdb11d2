package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"candor/internal/problem"
)

// Problem is an RFC 9457 document: a code for programs, a sentence for the person. The cause
// is in the log, under the same request id.
type Problem struct {
	Type      string         `json:"type" doc:"urn:candor:problem: and the code"`
	Title     string         `json:"title" doc:"What kind of failure, in the reader's language"`
	Status    int            `json:"status"`
	Detail    string         `json:"detail" doc:"What was seen and what to try, in the reader's language"`
	Code      string         `json:"code" doc:"For programs; never changes"`
	Errors    []ProblemField `json:"errors,omitempty" doc:"What in the request is wrong, if that is known"`
	RequestID string         `json:"request_id,omitempty"`
	retry     int
}

// ProblemField points at one part of the request.
type ProblemField struct {
	Pointer string `json:"pointer" doc:"JSON pointer into the body, or the name of a parameter behind ?"`
	Code    string `json:"code"`
	Detail  string `json:"detail,omitempty"`
}

var _ huma.StatusError = (*Problem)(nil)

func (p *Problem) Error() string { return p.Code }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType tells huma how the document is labelled.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders tells huma what else is sent.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retry))
	}
	return h
}

// document9457 makes the document of any error, and writes what the operator should know.
func (a *API) document9457(ctx context.Context, err error) *Problem {
	var done *Problem
	if errors.As(err, &done) {
		return done
	}
	in := of(ctx)
	p, ok := problem.Of(err)
	switch {
	case !ok && errors.Is(err, context.Canceled) && ctx.Err() != nil:
		p = problem.New(499, "request.cancelled")
	case !ok && errors.Is(err, context.DeadlineExceeded):
		p = problem.Unavailable("timeout").Because(err)
	case !ok:
		p = problem.New(http.StatusInternalServerError, "internal").Because(err)
	}
	switch {
	case p.Status == http.StatusServiceUnavailable: // something is not there yet, or full: it says so itself
		a.deps.Log.WarnContext(ctx, "request put off", "request", in.request, "route", in.route.ID, "code", p.Code, "err", p.Cause)
	case p.Status >= 500:
		a.deps.Log.ErrorContext(ctx, "request failed", "request", in.request, "route", in.route.ID, "code", p.Code, "err", p.Cause)
	case p.Cause != nil:
		a.deps.Log.InfoContext(ctx, "request refused", "request", in.request, "route", in.route.ID, "code", p.Code, "err", p.Cause)
	}
	return a.render(in, p)
}

func (a *API) render(in *inside, p *problem.Problem) *Problem {
	out := &Problem{
		Type: "urn:candor:problem:" + p.Code, Code: p.Code, Status: p.Status, RequestID: in.request,
		Title:  a.sentence(in, "problem.title."+strconv.Itoa(p.Status), nil),
		Detail: a.sentence(in, "problem."+p.Code, p.Args),
	}
	if out.Title == "" {
		out.Title = http.StatusText(p.Status)
	}
	if out.Detail == "" {
		out.Detail = a.sentence(in, "problem.internal", nil)
		if p.Status < 500 {
			out.Detail = a.sentence(in, "problem.request.invalid", nil)
		}
	}
	for _, f := range p.Fields {
		out.Errors = append(out.Errors, ProblemField{Pointer: f.Pointer, Code: f.Code, Detail: a.sentence(in, "problem."+f.Code, nil)})
	}
	if s := p.Args["retry_after"]; s != "" {
		out.retry, _ = strconv.Atoi(s)
	}
	return out
}

// fail answers a request with a problem, outside huma.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := a.document9457(r.Context(), err)
	h := w.Header()
	for k, v := range p.GetHeaders() {
		h[k] = v
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	for _, k := range []string{"Content-Length", "Content-Range", "Content-Disposition", "ETag", "Last-Modified", "Accept-Ranges"} {
		h.Del(k)
	}
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_ = json.NewEncoder(w).Encode(p)
	}
}

// takeErrors makes huma's own refusals (validation) look like ours. huma has one hook for the
// whole program; it finds the API through the request.
var takeErrors = sync.OnceFunc(func() {
	huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
		in := of(ctx.Context())
		a, ok := ctx.Context().Value(apiKey{}).(*API)
		if !ok {
			return huma.NewError(status, msg)
		}
		p := problem.New(status, "request.invalid")
		if status >= 500 {
			p = problem.New(status, "internal").Becausef("%s", msg)
			a.deps.Log.ErrorContext(ctx.Context(), "request failed", "request", in.request, "route", in.route.ID, "err", p.Cause)
		}
		for _, err := range errs {
			var d *huma.ErrorDetail
			if errors.As(err, &d) {
				p.Fields = append(p.Fields, problem.Field{Pointer: pointer(d.Location), Code: fieldCode(d.Message)})
			}
		}
		return a.render(in, p)
	}
	huma.NewError = func(status int, _ string, _ ...error) huma.StatusError {
		return &Problem{Status: status, Code: "request.invalid"} // also the schema of problems in the document
	}
})

type apiKey struct{}

// pointer turns huma's "body.a[0].b" into "/a/0/b" and "query.from" into "?from".
func pointer(location string) string {
	where, rest, _ := strings.Cut(location, ".")
	switch where {
	case "body":
		rest = strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(rest)
		if rest == "" {
			return ""
		}
		return "/" + rest
	case "query":
		return "?" + rest
	}
	return location
}

// fieldCode names what is wrong with a part of the request. The value itself is never sent
// back: it may be a password.
func fieldCode(message string) string {
	switch {
	case strings.Contains(message, "required property"), strings.Contains(message, "required query"):
		return "field.missing"
	case strings.Contains(message, "unexpected property"):
		return "field.unknown"
	case strings.Contains(message, "length"), strings.Contains(message, "number"):
		return "field.range"
	}
	return "field.invalid"
}
