package httpapi

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"candor/internal/promise"
)

// document makes the empty OpenAPI document and huma over our mux.
func (a *API) document() huma.API {
	takeErrors()
	c := huma.DefaultConfig("Candor", "1") // of the interface, as in /api/v1; which build it is stands elsewhere
	c.OpenAPIPath, c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", "", nil
	c.Info.Description = "A connected-camera cloud that keeps its promises. Moments are RFC 3339 UTC with milliseconds, identifiers UUIDv7, failures RFC 9457 problems with a code."
	c.Servers = []*huma.Server{{URL: "/"}}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"session": {Type: "apiKey", In: "cookie", Name: sessionCookie, Description: "Opaque; named __Host-" + sessionCookie + " when served by TLS at /."},
	}
	a.schemas = c.Components.Schemas
	return humago.New(a.mux, c)
}

// describe is what the document says of a route whatever its body. A field the document does not
// name is refused.
//
// promise:P244
func (a *API) describe(r Route) huma.Operation {
	op := huma.Operation{
		OperationID: r.ID, Method: r.Method, Path: r.Path, Summary: r.Summary, Tags: []string{r.Tag},
		MaxBodyBytes: a.limits.Body + 1, BodyReadTimeout: -1,
		Extensions: map[string]any{"x-candor-auth": string(r.Auth)},
		Responses:  map[string]*huma.Response{"default": a.problemResponse()},
	}
	if promise.Cut("P244") {
		op.SkipValidateBody = true
	}
	if r.Action != "" {
		op.Extensions["x-candor-action"] = string(r.Action)
	}
	if r.Auth == Session {
		op.Security = []map[string][]string{{"session": {}}}
	}
	if r.Replay {
		op.Parameters = append(op.Parameters, &huma.Param{Name: "Idempotency-Key", In: "header",
			Description: "The same key with the same body answers the same for 24 hours, and does nothing twice.",
			Schema:      &huma.Schema{Type: huma.TypeString, MaxLength: new(maxKey)}})
	}
	return op
}

func (a *API) problemResponse() *huma.Response {
	schema := a.schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	return &huma.Response{Description: "A problem", Content: map[string]*huma.MediaType{"application/problem+json": {Schema: schema}}}
}

// OpenAPI is the document, the same bytes for the same build.
func (a *API) OpenAPI() []byte {
	b, err := json.MarshalIndent(a.huma.OpenAPI(), "", "  ")
	if err != nil {
		panic("httpapi: the document cannot be written: " + err.Error())
	}
	return append(b, '\n')
}

// answers describes an answer that is not JSON.
func answers(op *huma.Operation, status int, what, contentType string) {
	op.Responses[strconv.Itoa(status)] = &huma.Response{Description: what, Content: map[string]*huma.MediaType{contentType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
}

// query describes a query parameter of a raw route.
func query(op *huma.Operation, name, what string, s *huma.Schema, required bool) {
	op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "query", Description: what, Required: required, Schema: s})
}

func text(allowed ...any) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Enum: allowed} }

func moment() *huma.Schema { return Moment(0).Schema(nil) }

// serveDocument serves the document itself.
func (a *API) serveDocument() {
	a.raw(Route{Method: http.MethodGet, Path: "/api/openapi.json", ID: "openapi", Summary: "This document", Auth: Public, Tag: "service"},
		func(op *huma.Operation) { answers(op, http.StatusOK, "OpenAPI 3.1", "application/json") },
		func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Cache-Control", "no-cache")
			_, _ = w.Write(a.OpenAPI())
		})
}
