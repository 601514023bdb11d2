package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"candor/internal/permit"
)

// Auth says who may come.
type Auth string

// The rules.
const (
	Public  Auth = "public"  // anybody
	Code    Auth = "code"    // who has the set-up code
	Mailed  Auth = "mailed"  // who has a code that was sent by mail
	Bearer  Auth = "bearer"  // who holds the link
	Session Auth = "session" // who is signed in
	Link    Auth = "link"    // who opened the link in this browser
)

// Hold says how long the gate's answer lasts.
type Hold string

// The kinds.
const (
	Short  Hold = "permit"  // a permit, half a minute
	While  Hold = "request" // a lease that ends with the response
	Beyond Hold = "beyond"  // a lease that outlives the response (WHEP)
)

// Route is one line of the registry.
type Route struct {
	Method, Path string
	ID           string // operation id, also the name in the generated client
	Summary      string
	Auth         Auth
	Knows        bool          // a public route that answers whoever is signed in as them
	Action       permit.Action // asked of the gate; "" only where nobody's data is touched
	Export       permit.Action // asked instead where the answer is wanted as a file (download=1)
	Hold         Hold
	Replay       bool // takes Idempotency-Key
	Tag          string
}

// Camera reports whether the path names a camera.
func (r Route) Camera() bool { return strings.Contains(r.Path, "/cameras/{id}") }

func (r Route) pattern() string { return r.Method + " " + r.Path }

// Routes is the registry, in the order of registration.
func (a *API) Routes() []Route { return slices.Clone(a.mux.routes) }

// mux serves registered routes and nothing else. huma registers through it too, so an
// operation without a line in the registry panics at start.
type mux struct {
	api     *API
	serve   *http.ServeMux
	routes  []Route
	pending *Route // the route whose handler is registered next
	shapes  []shape
}

// shape finds the methods a path answers to, for 405.
type shape struct {
	path   *regexp.Regexp
	method string
}

var wildcard = regexp.MustCompile(`\{[^}]+\}`)

func newMux(a *API) *mux {
	m := &mux{api: a, serve: http.NewServeMux()}
	m.serve.HandleFunc("/", m.unknown)
	return m
}

func (m *mux) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.serve.ServeHTTP(w, r) }

// HandleFunc is how huma's adapter hands us the handler of an operation.
func (m *mux) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	r := m.pending
	if r == nil || r.pattern() != pattern {
		panic(fmt.Sprintf("httpapi: %s is not in the route registry", pattern))
	}
	m.pending = nil
	m.routes = append(m.routes, *r)
	m.shapes = append(m.shapes, shape{regexp.MustCompile("^" + wildcard.ReplaceAllString(r.Path, `[^/]+`) + "$"), r.Method})
	m.serve.HandleFunc(pattern, m.api.enter(*r, h))
}

// unknown answers what no route does: 405 where another method would do, else 404.
func (m *mux) unknown(w http.ResponseWriter, r *http.Request) {
	var allow []string
	for _, s := range m.shapes {
		if s.path.MatchString(r.URL.Path) && !slices.Contains(allow, s.method) {
			allow = append(allow, s.method)
		}
	}
	if len(allow) == 0 {
		m.api.fail(w, r, errNotFound())
		return
	}
	w.Header().Set("Allow", strings.Join(allow, ", "))
	m.api.fail(w, r, errMethod())
}

// operation registers a JSON route.
func operation[I, O any](a *API, r Route, h func(context.Context, *I) (*O, error), status ...int) {
	op := a.describe(r)
	if len(status) > 0 {
		op.DefaultStatus = status[0]
	}
	a.mux.pending = &r
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			return nil, a.document9457(ctx, err)
		}
		return out, nil
	})
}

// raw registers a route whose body is not JSON, and its entry in the OpenAPI document.
func (a *API) raw(r Route, doc func(*huma.Operation), h http.HandlerFunc) {
	op := a.describe(r)
	for _, name := range wildcard.FindAllString(r.Path, -1) {
		op.Parameters = append(op.Parameters, &huma.Param{Name: strings.Trim(name, "{}"), In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}})
	}
	doc(&op)
	a.huma.OpenAPI().AddOperation(&op)
	a.mux.pending = &r
	a.mux.HandleFunc(r.pattern(), h)
}
