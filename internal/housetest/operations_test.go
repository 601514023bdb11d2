package housetest

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const operationsHead = `# Operations

Every operation of the [HTTP API](api.md) by what it is about, then every shape that is sent or answered. Written from
[openapi.json](openapi.json): ` + "`go test ./internal/housetest -run Operations -update`" + `. Paths are under ` + "`/api/v1`" + ` unless they begin otherwise;
a field with * must be sent; "needs" names who may ask and, after a session, the action that the gate decides on. Failures
are those of [problems.md](problems.md).
`

// openAPI is what the page takes from the document.
type openAPI struct {
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]schema }
}

type operation struct {
	Summary    string
	Tags       []string
	Auth       string `json:"x-candor-auth"`
	Action     string `json:"x-candor-action"`
	Parameters []struct {
		Name, In, Description string
		Required              bool
		Schema                schema
	}
	RequestBody *content `json:"requestBody"`
	Responses   map[string]content
}

type content struct {
	Description string
	Content     map[string]struct{ Schema schema }
}

type schema struct {
	Ref         string `json:"$ref"`
	Type        any
	Format      string
	Description string
	Enum        []any
	Items       *schema
	Properties  map[string]schema
	Required    []string
	MaxLength   *int
	MaxItems    *int
	Minimum     *float64
	Maximum     *float64
}

func TestOperationsPageFitsTheDocument(t *testing.T) {
	var doc openAPI
	if err := json.Unmarshal([]byte(read(t, "ref/openapi.json")), &doc); err != nil {
		t.Fatal(err)
	}
	byTag := map[string][]string{}
	for at, methods := range doc.Paths {
		for method, op := range methods {
			byTag[op.Tags[0]] = append(byTag[op.Tags[0]], row(method, at, op))
		}
	}
	var b strings.Builder
	b.WriteString(operationsHead)
	for _, tag := range slices.Sorted(maps.Keys(byTag)) {
		fmt.Fprintf(&b, "\n## About %s\n\n| call | what it does | needs | sent | answer |\n|---|---|---|---|---|\n", tag)
		slices.Sort(byTag[tag])
		b.WriteString(strings.Join(byTag[tag], ""))
	}
	b.WriteString("\n## Shapes\n")
	for _, name := range slices.Sorted(maps.Keys(doc.Components.Schemas)) {
		s := doc.Components.Schemas[name]
		if len(s.Properties) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n### %s\n\n| field | type | |\n|---|---|---|\n", name)
		for _, field := range slices.Sorted(maps.Keys(s.Properties)) {
			p := s.Properties[field]
			fmt.Fprintf(&b, "| `%s`%s | %s | %s |\n", field, star(slices.Contains(s.Required, field)), p.kind(), cell(p.Description))
		}
	}
	const page = "ref/operations.md"
	if *update {
		if err := os.WriteFile(filepath.Join(root, page), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if read(t, page) != b.String() {
		t.Errorf("%s does not fit ref/openapi.json: run the command on the page", page)
	}
}

// row is an operation's line. It begins with the path, so that lines sort by it.
func row(method, at string, op operation) string {
	needs := op.Auth
	if op.Action != "" {
		needs += ", `" + op.Action + "`"
	}
	var sent []string
	for _, p := range op.Parameters {
		if p.In == "query" {
			sent = append(sent, fmt.Sprintf("`?%s`%s %s", p.Name, star(p.Required), p.Schema.kind()))
		}
	}
	if op.RequestBody != nil {
		sent = append(sent, op.RequestBody.kinds())
	}
	var answers []string
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		if status != "default" {
			answers = append(answers, strings.TrimSpace(status+" "+op.Responses[status].kinds()))
		}
	}
	return fmt.Sprintf("| `%s` %s | %s | %s | %s | %s |\n", strings.TrimPrefix(at, "/api/v1"), strings.ToUpper(method), cell(op.Summary), needs,
		strings.Join(sent, ", "), strings.Join(answers, ", "))
}

func star(required bool) string {
	if required {
		return "*"
	}
	return ""
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

// kinds says what a body is: its shape, or its media type if it is no JSON.
func (c content) kinds() string {
	var all []string
	for _, media := range slices.Sorted(maps.Keys(c.Content)) {
		if media == "application/json" {
			all = append(all, c.Content[media].Schema.kind())
		} else {
			all = append(all, media)
		}
	}
	return strings.Join(all, ", ")
}

// kind says what a value is, with its limits.
func (s schema) kind() string {
	if s.Ref != "" {
		name := path.Base(s.Ref)
		return fmt.Sprintf("[%s](#%s)", name, strings.ToLower(name))
	}
	said := fmt.Sprint(s.Type)
	if several, ok := s.Type.([]any); ok {
		said = ""
		for i, one := range several {
			said += strings.Repeat(" or ", min(i, 1)) + fmt.Sprint(one)
		}
	}
	switch {
	case s.Items != nil:
		said = "list of " + s.Items.kind()
	case len(s.Enum) > 0:
		var each []string
		for _, e := range s.Enum {
			each = append(each, fmt.Sprintf("`%v`", e))
		}
		return strings.Join(each, " ")
	case s.Format == "date-time":
		said = "moment"
	case s.Type == nil:
		said = "any"
	}
	if s.MaxLength != nil {
		said += fmt.Sprintf(" ≤ %d", *s.MaxLength)
	}
	if s.MaxItems != nil {
		said += fmt.Sprintf(" ≤ %d", *s.MaxItems)
	}
	if s.Minimum != nil && s.Maximum != nil {
		said += fmt.Sprintf(" %g–%g", *s.Minimum, *s.Maximum)
	}
	return said
}
