package httpapi_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"candor/internal/httpapi"
	"candor/internal/promise"
)

// schema is the part of a JSON schema that names fields.
type schema struct {
	Ref        string `json:"$ref"`
	Properties map[string]schema
}

type document struct {
	Paths map[string]map[string]struct {
		OperationID string
		Parameters  []struct{ Name, In string }
		RequestBody struct {
			Content map[string]struct{ Schema schema }
		}
	}
	Components struct{ Schemas map[string]schema }
}

func (d document) fields(prefix string, s schema, found map[string]bool) {
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		s = d.Components.Schemas[name]
	}
	for name, inner := range s.Properties {
		found[prefix+"/"+name] = true
		d.fields(prefix+"/"+name, inner, found)
	}
}

func TestEveryFieldIsTakenForAReason(t *testing.T) {
	promise.Proves(t, "P244")
	w := newWorld(t)
	var d document
	if err := json.Unmarshal(w.api.OpenAPI(), &d); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, item := range d.Paths {
		for _, op := range item {
			for _, p := range op.Parameters {
				if p.In != "path" {
					found[op.OperationID+"/"+p.Name] = true
				}
			}
			for _, body := range op.RequestBody.Content {
				d.fields(op.OperationID, body.Schema, found)
			}
		}
	}
	table := httpapi.Fields()
	for f := range found {
		if e := table[f]; e.Category == "" || e.Purpose == "" {
			t.Errorf("%s is taken and nothing says why", f)
		}
	}
	for f := range table {
		if !found[f] {
			t.Errorf("%s is in the table and not in the API", f)
		}
	}
	// What is in no table is refused, not ignored.
	refused := 0
	for _, r := range w.api.Routes() {
		q := w.call(r, w.anna, "")
		if !strings.HasPrefix(q.body, "{") || r.ID == "watchWHEP" {
			continue
		}
		w.fresh = r.ID == "beginSetup"
		q.body = strings.Replace(q.body, "{", `{"date_of_birth":"1990-01-01",`, 1)
		q.body = strings.Replace(q.body, ",}", "}", 1)
		if r.Auth == httpapi.Session {
			q.as = &w.anna
		}
		p := w.want(w.do(q), http.StatusUnprocessableEntity, "request.invalid")
		if fields, _ := json.Marshal(p["errors"]); !strings.Contains(string(fields), "field.unknown") || strings.Contains(string(fields), "1990") {
			t.Errorf("%s: %s", r.ID, fields)
		}
		refused++
	}
	if refused < 8 || slices.Contains(w.reached(), "add") {
		t.Errorf("%d routes were tried; rooms reached %v", refused, w.reached())
	}
}
