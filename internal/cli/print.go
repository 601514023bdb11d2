package cli

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"candor/internal/app"
	"candor/internal/promise/board"
	ver "candor/internal/version"
)

type promises struct {
	JSON bool `help:"As JSON, one object a promise."`
}

func (p promises) Run(r *run) error {
	b, err := board.Built()
	if err != nil {
		return err
	}
	if p.JSON {
		enc := json.NewEncoder(r.out)
		enc.SetIndent("", "  ")
		return enc.Encode(b)
	}
	w := tabwriter.NewWriter(r.out, 0, 4, 2, ' ', 0)
	for _, row := range b.Promises {
		fmt.Fprintf(w, "%s\t%s\t%s\n", row.ID, row.State, row.Statement)
	}
	return w.Flush()
}

type openapi struct{}

func (openapi) Run(r *run) error {
	_, err := r.out.Write(app.OpenAPI())
	return err
}

type version struct {
	Modules bool `help:"List the modules linked in as well."`
}

func (v version) Run(r *run) error {
	fmt.Fprintln(r.out, ver.String())
	if v.Modules {
		for _, m := range ver.Modules() {
			fmt.Fprintf(r.out, "  %s %s\n", m.Path, m.Version)
		}
	}
	return nil
}
